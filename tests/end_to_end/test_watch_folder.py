"""`foley watch`: what lands in the folder is done, what fails is told, whoever is killed goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from foley.errors import FoleyError
from foley.plan import events
from foley.service import sidecars
from foley.service.work import Rules
from tests import media_maker
from tests.service_maker import PROMPT, Gate, content, tiny_clip

PATIENCE_S = 90.0
"""For a watcher on a busy machine to do what takes a second."""


NO_CLIPS = ("clip.mp4.part", "clip.mp4.tmp", ".clip.mp4", "~clip.mp4", "clip.foley.mp4", "notes.pdf")


@pytest.fixture(scope="module")
def workdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("watch-cache")


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def command(inbox: Path, workdir: Path, *more: str) -> list[str]:
    quick = ("--settle", "0.2", "--poll", "0.1", "--workdir", str(workdir))
    return [sys.executable, "-m", "foley", "watch", str(inbox), *quick, *more]


def watch_once(inbox: Path, workdir: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(inbox, workdir, "--once", *more), capture_output=True, text=True)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def wait_for(path: Path) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not path.exists():
        assert time.monotonic() < until_s, f"{path} did not come"
        time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Night:
    """A folder with all that can lie in one, and what became of it in one pass of two workers."""

    inbox: Path
    pass_: subprocess.CompletedProcess[str]
    before: set[str]
    after: set[str]
    done: set[str]
    failed: set[str]
    log: list[dict[str, Any]]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, workdir: Path) -> Night:
    inbox = tmp_path_factory.mktemp("night") / "inbox"
    inbox.mkdir()
    whole = tiny_clip(inbox.parent / "whole.mp4").read_bytes()
    lay_clips(inbox, whole)
    lay_earlier_results(inbox, whole)
    lay_no_clips(inbox, whole)
    lay_half_moved(inbox)
    before, log = names(inbox), inbox.parent / "log"
    pass_ = watch_once(inbox, workdir, "--workers", "2", "--log-file", str(log))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return Night(inbox, pass_, before, names(inbox), names(inbox / "done"), names(inbox / "failed"), lines)


def lay_clips(inbox: Path, whole: bytes) -> None:
    """Lay clips that can be done, each with another sidecar, and some that cannot."""
    (inbox / "foley.yaml").write_text("seed: 4\noptions:\n  master:\n    loudness: web\n")
    for name in ("one", "two", "three", "typo", "clip"):
        (inbox / f"{name}.mp4").write_bytes(whole)
    (inbox / "one.yaml").write_text(f"prompt: '{PROMPT}'\n")
    (inbox / "two.json").write_text('{\n\t"prompt": "rain",\n\t"seed": 9\n}\n')
    (inbox / "three.txt").write_text("rain\nwind\n")
    (inbox / "typo.yaml").write_text("prompt: rain\nsede: 3\n")
    media_maker.sound_only(inbox / "voice.mp4")


def lay_earlier_results(inbox: Path, whole: bytes) -> None:
    """Lay clips whose names were done before."""
    for name in ("kept", "replaced"):
        (inbox / f"{name}.mp4").write_bytes(whole)
        (inbox / "done" / f"{name}.foley" / "takes").mkdir(parents=True)
        (inbox / "done" / f"{name}.foley" / "takes" / "old.wav").touch()
        for there in (f"{name}.mp4", f"{name}.foley.mp4"):
            (inbox / "done" / there).write_text("of an earlier export")
    (inbox / "replaced.yaml").write_text("overwrite: true\n")


def lay_no_clips(inbox: Path, whole: bytes) -> None:
    """Lay what is not whole or no clip."""
    (inbox / "half.mp4").write_bytes(whole[: len(whole) // 2])
    for name in NO_CLIPS:
        (inbox / name).write_bytes(whole)
    (inbox / "link.mp4").symlink_to(inbox.parent / "whole.mp4")


def lay_half_moved(inbox: Path) -> None:
    """Lay what a watcher leaves that is killed while it moves a clip."""
    home = inbox / "working" / "clip"
    (home / ".notes").mkdir(parents=True)
    (home / ".notes" / "job.json").write_text('{"ask": {}, "fault": "", "sidecars": {"clip.txt": "clip.txt"}}')
    (home / "clip.txt").write_text(PROMPT)  # the sidecar was moved, the clip not yet
    later = inbox / "working" / "gone"
    (later / ".notes").mkdir(parents=True)
    (later / ".notes" / "outcome.json").write_text('{"failed": false}')
    (later / "gone.txt").write_text("moved last")  # the clip was moved, the rest not yet


def test_each_clip_is_done_as_its_sidecar_and_the_folders_say(night: Night) -> None:
    assert names(night.inbox / "working") == set()
    for name, sidecar in (("one", "one.yaml"), ("two", "two.json"), ("three", "three.txt")):
        assert {f"{name}.mp4", f"{name}.foley.mp4", f"{name}.foley", sidecar} <= night.done
    done = night.inbox / "done"
    plan = (done / "one.foley" / "plan.yaml").read_text()
    assert "anvil" in plan
    assert "loudness: web" not in plan
    assert '"loudness": "web"' in (done / "one.foley" / "manifest.json").read_text()
    made = events.load(done / "one.foley" / "plan.yaml")  # to be edited and rendered again where it lies
    assert (done / "one.foley" / made.clip.path).resolve() == (done / "one.mp4").resolve()


def test_what_fails_goes_to_failed_with_its_reason_and_the_rest_is_done(night: Night) -> None:
    assert night.pass_.returncode == 10
    assert "2 clips failed" in night.pass_.stderr
    assert "Traceback" not in night.pass_.stderr
    assert night.failed >= {"typo.mp4", "typo.yaml", "typo.error.txt", "voice.mp4", "voice.error.txt"}
    failed = night.inbox / "failed"
    said = "typo.yaml:2: sede: there is no such field, did you mean seed?"
    assert said in (failed / "typo.error.txt").read_text()
    assert "no video stream" in (failed / "voice.error.txt").read_text()


def test_an_export_of_the_same_name_replaces_nothing_unless_asked(night: Night) -> None:
    assert {"kept-2.mp4", "kept-2.foley.mp4", "kept-2.foley", "replaced.foley.mp4"} <= night.done
    assert "replaced-2.mp4" not in night.done
    done = night.inbox / "done"
    assert (done / "kept.foley.mp4").read_text() == "of an earlier export"
    assert (done / "replaced.foley.mp4").stat().st_size > 1000
    assert names(done / "replaced.foley" / "takes") != {"old.wav"}


def test_what_is_not_whole_is_never_touched(night: Night) -> None:
    left = {"foley.yaml", "half.mp4", "link.mp4", *NO_CLIPS}
    assert "half.mp4: left where it is" in night.pass_.stderr
    assert night.after == left | {"done", "failed", "working", ".foley-watch.lock"}
    assert left <= night.before


def test_killed_while_it_moves_the_next_watcher_puts_all_in_its_place(night: Night) -> None:
    assert "anvil" in (night.inbox / "done" / "clip.foley" / "plan.yaml").read_text()
    assert {"clip.mp4", "clip.txt", "clip.foley.mp4", "clip.foley", "gone.txt"} <= night.done


def test_each_clip_is_told_in_lines_by_two_workers(night: Night) -> None:
    ended = {line["job"]: line for line in night.log if line["event"] == "job_ended"}
    assert set(ended) == {"one", "two", "three", "clip", "kept-2", "replaced", "voice"}
    assert (ended["voice"]["state"], ended["voice"]["kind"]) == ("failed", "NoVideoStreamError")
    assert {one["state"] for name, one in ended.items() if name != "voice"} == {"done"}
    assert {line["worker"] for line in night.log if line["event"] == "job_started"} == {1, 2}
    assert all(line["job"] in ended for line in night.log if line["event"].startswith("stage_"))


def test_what_grows_is_waited_for_what_was_mended_is_done_and_a_second_watcher_refused(
    inbox: Path, workdir: Path
) -> None:
    tiny_clip(inbox / "mended.mp4")
    (inbox / "mended.yaml").write_text("sede: 3\n")
    assert watch_once(inbox, workdir).returncode == 10
    (inbox / "failed" / "mended.mp4").rename(inbox / "mended.mp4")
    (inbox / "failed" / "mended.yaml").unlink()
    whole = media_maker.moving(inbox.parent / "whole.mkv", duration_s=0.4, size="96x54").read_bytes()
    watcher = subprocess.Popen(command(inbox, workdir), stderr=subprocess.DEVNULL)
    try:
        wait_for(inbox / ".foley-watch.lock")
        with (inbox / "clip.mkv").open("wb") as file:  # Matroska can be read at any length
            for start in range(0, len(whole), len(whole) // 8 + 1):
                file.write(whole[start : start + len(whole) // 8 + 1])
                file.flush()
                time.sleep(0.1)
        second = watch_once(inbox, workdir)
        assert (second.returncode, "watched already" in second.stderr) == (10, True)
        wait_for(inbox / "done" / "clip.mkv")
        wait_for(inbox / "done" / "mended.mp4")
    finally:
        watcher.terminate()
        watcher.wait(60)
    assert content(inbox / "done" / "clip.mkv") == content(inbox.parent / "whole.mkv")
    assert names(inbox / "failed") == set()
    assert "mended.foley.mp4" in names(inbox / "done")
    assert watch_once(inbox, workdir).returncode == 0  # ended, it watches no more


def test_ended_in_the_middle_it_goes_on_where_it_was(inbox: Path, workdir: Path) -> None:
    gate = Gate(inbox.parent / "gate")
    (inbox / "foley.json").write_text(json.dumps(gate.asked))
    tiny_clip(inbox / "one.mp4")
    (inbox / "one.txt").write_text(PROMPT)
    for how in (signal.SIGKILL, signal.SIGTERM):
        watcher = subprocess.Popen(command(inbox, workdir, "--allow-models"), stderr=subprocess.DEVNULL)
        wait_for(inbox / "working" / "one" / ".notes" / "begun.json")
        workers = psutil.Process(watcher.pid).children(recursive=True)
        watcher.send_signal(how)
        watcher.wait(60)
        psutil.wait_procs(workers, timeout=20)
        assert not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers)
        assert {"one.mp4", "one.txt"} <= names(inbox / "working" / "one")
    gate.open()
    done = watch_once(inbox, workdir, "--allow-models")
    assert done.returncode == 0, done.stderr
    assert names(inbox / "done") == {"one.mp4", "one.txt", "one.foley.mp4", "one.foley"}
    assert names(inbox / "working") == set()


# sidecars

BAD_SIDECARS = {
    "unknown field": ("a.yaml", "prompt: rain\n\nsede: 3\n", "a.yaml:3: sede: there is no such field"),
    "two faults": ("a.yaml", "sede: 3\noverwrite: perhaps\n", "a.yaml:2: overwrite: must be true or false"),
    "bad seed": ("a.yaml", "prompt: x\nseed: -3\n", "a.yaml:2: seed must be 0 or more"),
    "bad option": ("a.yaml", "options:\n  master:\n    loudnes: web\n", "a.yaml:3: options.master.loudnes"),
    "bad value": ("a.yaml", "options:\n  master:\n    loudness: 3\n", "a.yaml:3: options.master.loudness"),
    "no mapping": ("a.yaml", "- rain\n", "a.yaml:1: must be a mapping"),
    "options no mapping": ("a.yaml", "options: 3\n", "a.yaml:1: options: must be a mapping"),
    "no YAML": ("a.yaml", "prompt: [rain\n", "a.yaml:2: is not YAML"),
    "no text": ("a.txt", b"\xff\xfe\x00", "a.txt is not UTF-8"),
    "file elsewhere": ("a.yaml", "subtitles: ../secret.srt\n", "a.yaml:1: subtitles: ../secret.srt is not in"),
    "file missing": ("a.json", '{"cue_sheet": "gone.csv"}', "a.json:1: cue_sheet: gone.csv is not there"),
    "a program": ("a.yaml", "options:\n  takes:\n    models: [command=rm]\n", "takes.models may not be set"),
    "unknown generator": ("a.yaml", "generator: theremin\n", "theremin"),
}


@pytest.mark.parametrize("case", BAD_SIDECARS)
def test_a_sidecar_that_cannot_be_used_is_told_by_line_and_field(case: str, tmp_path: Path) -> None:
    name, text, says = BAD_SIDECARS[case]
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FoleyError) as caught:
        sidecars.read_ask(tmp_path / "a.mov", Rules(tmp_path))
    assert says in caught.value.message


def test_the_clips_own_fields_go_before_the_folders(tmp_path: Path) -> None:
    (tmp_path / "foley.yaml").write_text(
        "prompt: rain\nseed: 3\noptions: {master: {loudness: web}, takes: {candidates: 2}}\n"
    )
    (tmp_path / "a.yaml").write_text("prompt: wind\nsubtitles: a.srt\noptions: {takes: {candidates: 3}}\n")
    (tmp_path / "a.srt").write_text("")
    ask = sidecars.read_ask(tmp_path / "a.mov", Rules(tmp_path))
    assert (ask.prompt, ask.seed, ask.subtitles) == ("wind", 3, str(tmp_path.resolve() / "a.srt"))
    assert ask.options == {"master": {"loudness": "web"}, "takes": {"candidates": 3}}


def test_two_sidecars_for_one_clip_are_refused_and_a_whole_name_goes_first(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("seed: 1\n")
    (tmp_path / "a.txt").write_text("rain")
    with pytest.raises(FoleyError, match="several sidecars"):
        sidecars.read_ask(tmp_path / "a.mov", Rules(tmp_path))
    (tmp_path / "a.mov.yaml").write_text("seed: 7\n")
    assert sidecars.read_ask(tmp_path / "a.mov", Rules(tmp_path)).seed == 7
