"""The command line: what it prints where, how it ends, what it says of bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from foley import __version__

SAMPLES = Path(__file__).parents[2] / "samples"


def foley(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "foley", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    cut = ["ffmpeg", "-v", "error", "-i", str(SAMPLES / "workshop.mp4"), "-t", "2", "-c:v", "libx264"]
    subprocess.run([*cut, str(folder / "clip.mp4")], check=True)
    return folder / "clip.mp4"


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("FOLEY_CACHE", str(tmp_path_factory.getbasetemp() / "cli-cache"))


def test_help_and_version() -> None:
    assert foley("--version").stdout.strip() == __version__
    helped = foley("--help")
    assert helped.returncode == 0
    assert all(
        name in helped.stdout for name in ("run", "plan", "render", "inspect", "generators", "workflows", "doctor")
    )
    for command in ("run", "plan", "render", "inspect"):
        assert foley(command, "--help").returncode == 0


def test_standard_output_is_the_result_and_nothing_else(clip: Path, tmp_path: Path) -> None:
    done = foley("run", clip, "--prompt", "a hammer strikes an anvil", "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "clip.foley.mp4")
    assert "LUFS" in done.stderr
    assert "\x1b" not in done.stderr  # no progress bar where no terminal is


def test_json_is_for_programs(clip: Path, tmp_path: Path) -> None:
    answer = json.loads(foley("run", clip, "--prompt", "rain", "-o", tmp_path, "--json").stdout)
    assert Path(answer["video"]).is_file()
    assert answer["loudness"]["passed"] is True
    seen = json.loads(foley("inspect", clip, "--json").stdout)
    assert seen["clip"]["frames"] == len(seen["motion"]) == 50
    assert {"library", "procedural"} <= {one["name"] for one in json.loads(foley("generators", "--json").stdout)}
    assert all(finding["state"] != "missing" for finding in json.loads(foley("doctor", "--json").stdout))
    assert json.loads(foley("workflows", "--json").stdout)[0]["name"] == "postproduction"


def test_a_prompt_that_names_no_known_sound_is_answered_with_that(clip: Path, tmp_path: Path) -> None:
    done = foley("plan", clip, "--prompt", "a flumph wobbles", "-o", tmp_path)
    assert "No sound is given for 'a flumph wobbles'." in done.stderr
    answer = json.loads(foley("plan", clip, "--prompt", "a flumph wobbles", "-o", tmp_path, "--json").stdout)
    assert "No sound is given for 'a flumph wobbles'." in answer["heard"]


def test_figures_are_told_in_words_that_fit_them(clip: Path, tmp_path: Path) -> None:
    frame = ["ffmpeg", "-v", "error", "-i", str(clip), "-frames:v", "1", "-an", "-c:v", "libx264"]
    subprocess.run([*frame, str(tmp_path / "frame.mp4")], check=True)
    heard = foley("run", tmp_path / "frame.mp4", "--prompt", "rain in a forest").stderr
    assert "too short or too quiet to measure" in heard
    assert ", silent," not in heard
    silence = foley("run", tmp_path / "frame.mp4", "--prompt", "silence", "--overwrite").stderr
    assert "0 sounds, silent, true peak" in silence
    one = foley("run", tmp_path / "frame.mp4", "--prompt", "forest", "--overwrite").stderr
    assert "1 sound, " in one


def test_plan_then_render(clip: Path, tmp_path: Path) -> None:
    planned = foley("plan", clip, "--prompt", "a hammer strikes an anvil", "-o", tmp_path)
    assert planned.returncode == 0, planned.stderr
    plan = Path(planned.stdout.strip())
    assert plan == tmp_path / "clip.foley" / "plan.yaml"
    rendered = foley("render", plan)
    assert rendered.returncode == 0, rendered.stderr
    assert Path(rendered.stdout.strip()).is_file()


def test_what_is_muted_is_told_with_its_reason(clip: Path, tmp_path: Path) -> None:
    plan = Path(foley("plan", clip, "--prompt", "a hammer strikes an anvil", "-o", tmp_path).stdout.strip())
    plan.write_text(plan.read_text().replace("  kind: hits\n", "  kind: hits\n  muted: true\n"))
    assert "muted: hammer on anvil (e02-hammer-on-anvil): The prompt says" in foley("render", plan).stderr
    assert json.loads(foley("render", plan, "--json").stdout)["muted"] == ["e02-hammer-on-anvil"]


def test_the_graph_names_every_stage() -> None:
    drawn = foley("workflows", "--graph").stdout
    assert drawn.startswith("flowchart TD")
    assert all(f'["{stage}' in drawn for stage in ("probe", "watch", "ground", "takes", "master", "deliver"))


BAD = {
    "missing file": (["run", "nowhere.mp4"], 3, "nowhere.mp4"),
    "text file": (["run", "notes.mp4"], 3, "notes.mp4"),
    "empty file": (["run", "empty.mp4"], 3, "empty.mp4"),
    "folder": (["run", "folder"], 3, "folder"),
    "this folder": (["run", "."], 3, "is a folder"),
    "unknown workflow": (["run", "clip.mp4", "--workflow", "postprod"], 7, "postproduction"),
    "unknown stage option": (["run", "clip.mp4", "--set", "master.loudnes=web"], 7, "loudness"),
    "unknown loudness": (["run", "clip.mp4", "--loudness", "loud"], 7, "ebu-r128"),
    "unknown generator": (["run", "clip.mp4", "--prompt", "rain", "--generator", "theremin"], 7, "procedural"),
    "malformed plan": (["render", "bad.yaml"], 6, "bad.yaml:1"),
    "missing plan": (["render", "nowhere.yaml"], 6, "nowhere.yaml"),
    "a plan's folder": (["render", "folder"], 6, "folder/plan.yaml"),
    "a name for the plan": (["plan", "clip.mp4", "-o", "mine.yaml"], 7, "-o mine.mp4 makes mine.foley/plan.yaml"),
    "wrong usage": (["run"], 2, "video"),
    "output in no folder": (["run", "clip.mp4", "--prompt", "rain", "-o", "nowhere/deep/out.mp4"], 0, ""),
    "output no container holds": (["run", "clip.mp4", "--prompt", "rain", "-o", "out.xyz"], 4, ".xyz"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_a_clear_message_and_an_exit_code(case: str, clip: Path) -> None:
    folder = clip.parent
    (folder / "notes.mp4").write_text("these are my notes\n")
    (folder / "empty.mp4").touch()
    (folder / "folder").mkdir(exist_ok=True)
    (folder / "bad.yaml").write_text("events: 3\n")
    words, code, says = BAD[case]
    done = foley(*words, cwd=folder)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(folder.glob("**/.*part*"))


def test_errors_are_told_to_programs_too(tmp_path: Path) -> None:
    done = foley("run", "nowhere.mp4", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["error"]["kind"] == "NotAMediaFileError"
    assert json.loads(done.stdout)["error"]["exit_code"] == done.returncode == 3


def test_debug_shows_where_an_error_comes_from(tmp_path: Path) -> None:
    assert "Traceback" in foley("--debug", "run", "nowhere.mp4", cwd=tmp_path).stderr


def test_a_full_disk_is_named(clip: Path, tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root may mount the small disk that this test fills")
    try:
        done = foley("run", clip, "--prompt", "rain", "-o", mount)
        assert done.returncode == 4
        assert "full" in done.stderr
        assert not (mount / "clip.foley.mp4").exists()
        full_cache = foley("run", clip, "--prompt", "thunder", "-o", tmp_path, "--workdir", mount / "cache")
        assert full_cache.returncode == 4
        assert "full" in full_cache.stderr
    finally:
        subprocess.run(["umount", str(mount)], check=True)
