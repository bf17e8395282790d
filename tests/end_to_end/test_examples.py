"""The examples for schedulers and notebooks do what they say: their own commands and cells are run on real videos."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from foley import errors
from tests.media_maker import moving

EXAMPLES = Path(__file__).parents[2] / "examples"
FOLEY = f'#!/bin/sh\nexec "{sys.executable}" -m foley "$@"\n'


@pytest.fixture
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two videos; the command `foley` is there, with a cache of its own."""
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "foley").write_text(FOLEY)
    (commands / "foley").chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES.parent))
    monkeypatch.setenv("FOLEY_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("one", "two words"):
        moving(folder / f"{name}.mp4", duration_s=1.0 if name == "one" else 1.4)
    return folder


def run(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, cwd=cwd)


def test_the_shell_loop_does_a_folder_and_passes_over_what_is_done(inbox: Path, tmp_path: Path) -> None:
    loop, out = EXAMPLES / "shell" / "night.sh", tmp_path / "out"
    (inbox / "broken.mp4").write_bytes(b"no video")
    first = run(loop, inbox, out, "--loudness", "web")
    assert first.returncode == 12, first.stderr
    assert "broken.mp4 failed with code 3" in first.stderr
    results = {path: path.stat().st_mtime_ns for path in out.glob("*.mp4")}
    assert {path.name for path in results} == {"one.foley.mp4", "two words.foley.mp4"}
    (inbox / "broken.mp4").unlink()
    assert run(loop, inbox, out).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in out.glob("*.mp4")} == results


def test_the_shell_loop_ends_at_once_where_the_next_would_fail_too(inbox: Path, tmp_path: Path) -> None:
    done = run(EXAMPLES / "shell" / "night.sh", inbox, tmp_path / "out", "--workflow", "nonsense")
    assert done.returncode == 7
    assert done.stderr.count("nonsense") == 1


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_does_what_is_newer_than_its_result(inbox: Path, tmp_path: Path) -> None:
    (inbox / "two words.mp4").unlink()  # make knows no names with spaces
    (inbox / "one.txt").write_text("it's raining $HOME")
    words = ("make", "-f", EXAMPLES / "make" / "Makefile", f"IN={inbox}", f"OUT={tmp_path / 'out'}")
    first = run(*words)
    assert first.returncode == 0, first.stderr
    assert (tmp_path / "out" / "one.foley.mp4").stat().st_size > 0
    assert "rain" in (tmp_path / "out" / "one.foley" / "plan.yaml").read_text()
    assert "foley run" not in run(*words).stdout
    os.utime(inbox / "one.mp4")
    assert "foley run" in run(*words, "-n").stdout


def pod_of(document: dict[str, Any]) -> dict[str, Any]:
    spec = document["spec"]
    spec = spec["jobTemplate"]["spec"] if document["kind"] == "CronJob" else spec
    pod: dict[str, Any] = spec["template"]["spec"]
    return pod


MANIFESTS = sorted((EXAMPLES / "kubernetes").glob("*.yaml"))


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_manifest_holds_together(path: Path) -> None:
    document = yaml.safe_load(path.read_text())
    assert (document["apiVersion"], document["kind"]) in {("batch/v1", "Job"), ("batch/v1", "CronJob")}
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", document["metadata"]["name"])
    pod = pod_of(document)
    assert pod["restartPolicy"] == "Never"  # what podFailurePolicy needs
    (container,) = pod["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    places = [mount["mountPath"] for mount in container["volumeMounts"]]
    written = [word for word in container["args"] if word.startswith("/")]
    written += [variable["value"] for variable in container["env"] if variable["value"].startswith("/")]
    assert [word for word in written if not any(word.startswith(place) for place in places)] == []
    assert all(isinstance(variable["value"], str) for variable in container["env"])


def test_the_job_gives_up_only_where_trying_again_would_not_help() -> None:
    document = yaml.safe_load((EXAMPLES / "kubernetes" / "job.yaml").read_text())
    rules = document["spec"]["podFailurePolicy"]["rules"]
    final = set(rules[0]["onExitCodes"]["values"])
    assert rules[0]["onExitCodes"]["containerName"] == pod_of(document)["containers"][0]["name"]
    assert {errors.MediaError.exit_code, errors.WorkflowError.exit_code, errors.OutputError.exit_code} <= final
    assert final.isdisjoint({0, errors.GenerationError.exit_code, errors.PlannerError.exit_code, 130, 137, 143})


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_what_a_manifest_runs_works(path: Path, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (container,) = pod_of(yaml.safe_load(path.read_text()))["containers"]
    places = {"/media/in": str(inbox), "/media/out": str(tmp_path / "out"), "/cache": str(tmp_path / "cache")}
    for variable in container["env"]:
        if variable["name"].startswith("FOLEY_"):
            monkeypatch.setenv(variable["name"], places.get(variable["value"], variable["value"]))
    done = run(*container["command"], *(places.get(word, word) for word in container["args"]))
    assert done.returncode == 0, done.stderr
    if "batch" in container["args"]:
        assert len(list((tmp_path / "out").glob("*.foley.mp4"))) == 2


class Task:
    """Stands for a task of Airflow: calling it notes what it is given, as building a DAG does."""

    def __init__(self, work: Callable[..., Any], options: dict[str, Any]) -> None:
        self.work, self.options = work, options
        self.given: tuple[Any, ...] = ()

    def __call__(self, *given: Any) -> Task:
        self.given = given
        return self

    def expand(self, **given: Any) -> Task:
        return self(*given.values())


class FailsForGoodError(Exception):
    """Stands for AirflowFailException: the task is not tried again."""


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Task]:
    """The tasks of the DAG, by name; Airflow's own modules are played."""
    made: dict[str, Task] = {}

    def task(work: Callable[..., Any] | None = None, **options: Any) -> Any:
        if work is None:
            return lambda work: made.setdefault(work.__name__, Task(work, options))
        return made.setdefault(work.__name__, Task(work, {}))

    decorators, exceptions = ModuleType("airflow.decorators"), ModuleType("airflow.exceptions")
    vars(decorators).update(dag=lambda **options: lambda build: build, task=task)
    vars(exceptions).update(AirflowFailException=FailsForGoodError)
    for module in (ModuleType("airflow"), decorators, exceptions):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    runpy.run_path(str(EXAMPLES / "airflow" / "foley_night.py"))
    return made


def test_the_airflow_tasks_do_the_night(inbox: Path, tmp_path: Path, tasks: dict[str, Task]) -> None:
    arrived, sound, figures = (tasks[name] for name in ("arrived", "sound", "figures"))
    assert (sound.given, figures.given) == ((arrived,), (sound,))
    assert sound.options["retries"] > 0
    params = {"inbox": str(inbox), "outbox": str(tmp_path / "out")}
    (inbox / "one.txt").write_text("rain")
    videos = arrived.work(params=params)
    assert [Path(video).name for video in videos] == ["one.mp4", "two words.mp4"]
    folders = [sound.work(video, params=params) for video in videos]
    assert arrived.work(params=params) == []
    lines = figures.work(folders)
    assert [line["clip"] for line in lines] == ["one.foley", "two words.foley"]
    report = json.loads((tmp_path / "out" / "one.foley" / "report.json").read_text())
    assert lines[0]["lufs"] == report["loudness"]["mix"]["integrated_lufs"]
    (inbox / "three.mp4").write_bytes(b"no video")
    with pytest.raises(FailsForGoodError, match=r"three\.mp4"):
        sound.work(str(inbox / "three.mp4"), params=params)


def test_every_cell_of_the_notebook_runs(inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = json.loads((EXAMPLES / "notebook" / "foley.ipynb").read_text())
    assert notebook["nbformat"] == 4
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in notebook["cells"] if cell["cell_type"] == "code")
    shutil.copy(inbox / "one.mp4", tmp_path / "clip.mp4")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for cell in cells:
        exec(compile(cell, "cell", "exec"), names)
    assert (tmp_path / "clip.foley.mp4").stat().st_size > 0
    assert names["planned"].plan.events[0].gain_db + 3.0 == names["louder"].events[0].gain_db
    assert names["report"].mix.integrated_lufs is not None
