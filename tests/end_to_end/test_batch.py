"""`foley batch`: everything good is delivered, everything bad is named, whoever is killed goes on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile

from tests.batch_maker import content, long_clip, tiny_clip
from tests.media_fixtures import MediaShelf
from tests.media_maker import sound_only

ROOT = Path(__file__).parents[2]

PATIENCE_S = 90.0
"""For a busy machine to do what takes seconds."""

SABOTEUR = """
import os, signal
from pathlib import Path
from tests.plugins.saboteur import FAITHFUL, HEAVY, Saboteur
from tests.plugins.generators import hangs

class Named(Saboteur):
    def suits(self, event):  # only where it is named: the others' sounds are not its own to spoil
        return event.generator == self.name

class Killer(Named):
    # ends its own process, as a system does that runs out of memory
    def generate(self, requests):
        marker = Path(os.environ["KILLER_MARKER"])
        if self.name == "killer":
            os.kill(os.getpid(), signal.SIGKILL)
        elif not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().generate(requests)

class Hanger(Named, hangs.Hanging):
    pass

def build(settings=None):
    return {
        "killer": lambda: Killer("killer"),
        "killer_once": lambda: Killer("killer_once"),
        "hanger": lambda: Hanger("hanger", HEAVY),
        "batcher": lambda: Named("batcher", HEAVY),
    }[__name__.removeprefix("farm_")]()
"""

SABOTEURS = ("killer", "killer_once", "hanger", "batcher")


@dataclass
class Farm:
    """A folder with a batch's inputs, and generators that do their worst beside foley's own."""

    folder: Path
    environment: dict[str, str]

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "foley", "batch", *map(str, arguments)]
        return subprocess.Popen(
            command, cwd=self.folder, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def run(self, *arguments: str | Path, code: int = 0) -> tuple[str, str]:
        with self.start(*arguments) as process:
            out, said = process.communicate(timeout=PATIENCE_S * 2)
        assert process.returncode == code, said
        assert "Traceback" not in said
        return out, said

    def summary(self, name: str = "out/batch.json") -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = json.loads((self.folder / name).read_text())["items"]
        return items

    def rows(self, *rows: dict[str, Any]) -> Path:
        to = self.folder / "rows.jsonl"
        to.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return to


@pytest.fixture(scope="module")
def farm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package beside foley that offers the saboteurs as generators, to every process that is started."""
    folder = tmp_path_factory.mktemp("saboteurs")
    about = folder / "saboteurs-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: saboteurs\nVersion: 1\n")
    lines = "".join(f"{name} = farm_{name}\n" for name in SABOTEURS)
    (about / "entry_points.txt").write_text(f"[foley.generators]\n{lines}")
    for name in SABOTEURS:
        (folder / f"farm_{name}.py").write_text(SABOTEUR)
    return folder


@pytest.fixture
def farm(tmp_path: Path, farm_folder: Path, media: MediaShelf) -> Farm:
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{farm_folder}",
        "FOLEY_CACHE": str(tmp_path / "cache"),
        "KILLER_MARKER": str(tmp_path / "killed-once"),
    }
    shutil.copy(media(tiny_clip), tmp_path / "good.mp4")
    return Farm(tmp_path, environment)


def test_a_poisoned_batch_delivers_what_is_good_and_names_what_is_bad(farm: Farm, media: MediaShelf) -> None:
    for name in ("other", "un trés 'odd' & \"long\" name; rm -rf $HOME ⚒"):
        shutil.copy(farm.folder / "good.mp4", farm.folder / f"{name}.mp4")
    (farm.folder / "corrupt.mp4").write_bytes(b"\x00\x01 no video" * 5000)
    shutil.copy(media(sound_only), farm.folder / "deaf.mp4")
    (farm.folder / "file").write_text("not a folder")
    rows = farm.rows(
        {"input": "good.mp4", "prompt": "rain"},
        {"input": "good.mp4", "prompt": "rain"},
        {"input": "other.mp4", "prompt": "rain"},
        {"input": "un trés 'odd' & \"long\" name; rm -rf $HOME ⚒.mp4", "prompt": "knock"},
        {"input": "good.mp4", "prompt": "knock on wood; " * 7000, "output": "wordy.mp4"},
        {"input": "good.mp4", "generator": "killer_once", "output": "revived.mp4"},
        {"input": "good.mp4", "generator": "hanger", "takes.time_limit_s": 0.1, "output": "hung.mp4"},
        {"input": "corrupt.mp4"},
        {"input": "missing.mp4"},
        {"input": "deaf.mp4"},
        {"input": "good.mp4", "output": str(farm.folder / "file" / "x.mp4")},
        {"input": "good.mp4", "generator": "killer", "output": "killed.mp4"},
        {"input": "good.mp4", "generator": "nobody", "output": "nobody.mp4"},
    )
    _, said = farm.run(rows, "-o", "out", "-j", "2", code=12)
    items = farm.summary()
    good, bad = items[:7], items[7:]
    assert [item["state"] for item in good] == ["done", "known", *["done"] * 5]
    assert [item["state"] for item in bad] == ["failed"] * 6
    for item in good:
        assert Path(farm.folder / item["output"]).is_file()
        assert item["verdict"] in ("pass", "warn")
    assert items[1]["same_as"] == 1
    assert items[5]["attempts"] == 2
    assert (
        "gave nothing within" in (Path(farm.folder / items[6]["folder"]) / "report.json").read_text()
    )  # and another stepped in
    kinds = [item["error"]["kind"] for item in bad]
    assert kinds[:4] == ["NotAMediaFileError", "NotAMediaFileError", "NoVideoStreamError", "CannotWriteError"]
    assert kinds[4:] == ["WorkerCrashed", "UnknownPluginError"]
    for item in bad:
        assert Path(item["input"]).name in said
        assert not Path(item["output"]).exists()
    page = (farm.folder / "out" / "batch.html").read_text()
    assert "corrupt.mp4" in page
    assert list(farm.folder.rglob("*.part*")) == []
    stems = [farm.folder / "out" / f"{name}.foley" / "stems" / "mix.wav" for name in ("good", "other")]
    mixes = [soundfile.read(stem)[0] for stem in stems]  # the files themselves name their clips
    assert np.array_equal(*mixes)


def test_takes_of_models_are_made_together_and_a_second_batch_knows_all(farm: Farm) -> None:
    shutil.copy(farm.folder / "good.mp4", farm.folder / "other.mp4")
    rows = farm.rows(
        *({"input": f"{name}.mp4", "prompt": prompt} for name, prompt in (("good", "0:00.1 knock"), ("other", "rain")))
    )
    out, _ = farm.run(rows, "-o", "out", "--generator", "batcher", "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["state"] for event in events if event["event"] == "item"] == ["done", "done"]
    assert (events[0]["event"], events[-1]["event"], events[-1]["exit_code"]) == ("start", "end", 0)
    takes = [item["stages"]["takes"] for item in farm.summary()]
    assert len(takes) == 2
    farm.run(rows, "-o", "out", "--generator", "batcher")
    assert [item["state"] for item in farm.summary()] == ["known", "known"]


def test_a_video_that_takes_too_long_is_given_up_and_named(farm: Farm) -> None:
    rows = farm.rows({"input": "good.mp4", "generator": "hanger"}, {"input": "good.mp4", "output": "fine.mp4"})
    _, said = farm.run(rows, "-o", "out", "--timeout", "8", "--retry", "0", code=12)
    hung, fine = farm.summary()
    assert (hung["error"]["kind"], fine["state"]) == ("Overdue", "done")
    assert "takes" in hung["error"]["message"]
    assert "good.mp4" in said


def test_the_first_failure_ends_a_batch_that_shall_fail_fast(farm: Farm) -> None:
    rows = farm.rows({"input": "missing.mp4"}, {"input": "good.mp4"})
    farm.run(rows, "-o", "out", "--fail-fast", code=13)
    assert [item["state"] for item in farm.summary()] == ["failed", "skipped"]


def test_a_dry_run_says_what_it_takes_and_writes_nothing(farm: Farm) -> None:
    before = sorted(farm.folder.glob("*"))
    out, said = farm.run("good.mp4", "missing.mp4", "-o", "out", "--dry-run")
    assert "estimate" in out
    assert "1 of 2 videos" in out
    assert "missing.mp4" in said
    assert [path for path in sorted(farm.folder.glob("*")) if path.name != "cache"] == before
    (line,) = farm.run("good.mp4", "--dry-run", "--json")[0].splitlines()
    assert json.loads(line)["videos"] == 1


@pytest.fixture
def clips(farm: Farm, media: MediaShelf) -> list[Path]:
    folder = farm.folder / "in"
    folder.mkdir()
    shutil.copy(media(long_clip), folder / "long.mp4")
    for number in range(3):
        shutil.copy(media(tiny_clip), folder / f"a{number}.mp4")
    return sorted(folder.glob("*.mp4"))


def wait_for(found: Any) -> Any:
    end_s = time.monotonic() + PATIENCE_S
    while not (there := found()) and time.monotonic() < end_s:
        time.sleep(0.02)
    assert there
    return there


def test_killed_with_its_workers_it_goes_on_and_gives_the_same(farm: Farm, clips: list[Path]) -> None:
    rows = farm.rows(*({"input": str(path), "prompt": "rain", "seed": n} for n, path in enumerate(clips)))
    with farm.start(rows, "-o", "out", "-j", "2") as process:
        wait_for(lambda: (farm.folder / "out" / "a1.foley.mp4").exists())
        for one in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]:
            one.kill()
        process.communicate()
    early = {path: path.stat().st_mtime_ns for path in (farm.folder / "out").glob("*.foley.mp4")}
    assert early
    farm.run(rows, "-o", "out")
    assert {path: path.stat().st_mtime_ns for path in early} == early
    farm.run(rows, "-o", "calm", "--workdir", farm.folder / "calm-cache")
    for path in clips:
        made = [farm.folder / where / f"{path.stem}.foley" / "stems" / "mix.wav" for where in ("out", "calm")]
        assert content(made[0]) == content(made[1])
    assert list(farm.folder.glob("out/**/*.part*")) == []


def test_workers_end_with_the_one_that_started_them(farm: Farm, clips: list[Path]) -> None:
    with farm.start(*clips, "-o", "out", "-j", "2") as process:
        workers = wait_for(lambda: _at_work(process.pid))
        process.kill()
        process.communicate()
    _, alive = psutil.wait_procs(workers, timeout=PATIENCE_S)
    assert alive == []


def _at_work(process_id: int) -> list[psutil.Process]:
    children = psutil.Process(process_id).children()
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def test_an_interrupt_ends_it_at_once_and_says_how_far_it_came(farm: Farm, clips: list[Path]) -> None:
    with farm.start(*clips, "-o", "out", "-j", "1") as process:
        wait_for(lambda: (farm.folder / "out" / "a0.foley.mp4").exists())
        process.terminate()
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 143
    assert "goes on from here" in said
    states = {item["state"] for item in farm.summary()}
    assert "skipped" in states
    assert _at_work_none(process.pid)


def _at_work_none(process_id: int) -> bool:
    return not psutil.pid_exists(process_id)


def test_a_killed_worker_is_replaced_and_its_video_done_again(farm: Farm, clips: list[Path]) -> None:
    with farm.start(*clips, "-o", "out", "-j", "1", "--json") as process:
        worker = wait_for(lambda: _at_work(process.pid))[0]
        wait_for(lambda: (farm.folder / "out" / "a0.foley.mp4").exists())
        worker.kill()
        out, _ = process.communicate(timeout=2 * PATIENCE_S)
    assert process.returncode == 0
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["error"] for event in events if event["event"] == "again"] == ["WorkerCrashed"]
    assert {item["state"] for item in farm.summary()} <= {"done", "known"}  # killed before it could say so
