"""What is installed into editors: one file each, that needs nothing of foley; and the parts that need no editor."""

from __future__ import annotations

import ast
import json
import re
import runpy
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foley.cli.app import start
from foley.errors import OptionError
from foley.integrations import catalogue, scoring
from foley.integrations.blender import foley_vse

SCRIPTS = [
    (one.name, source)
    for one in catalogue.INTEGRATIONS
    for source in one.files
    if source.endswith(".py")
]  # fmt: skip
OWN_OF_EDITORS = {"bpy"}
OLDEST_PYTHON = (3, 9)
"""That a user of Resolve is asked for; Blender 3.4 has 3.10."""

PANEL = Path(catalogue.__file__).parent / "premiere"


@pytest.mark.parametrize(("name", "source"), SCRIPTS)
def test_an_installed_script_needs_nothing_but_an_old_python(name: str, source: str) -> None:
    tree = ast.parse(catalogue.content(source), feature_version=OLDEST_PYTHON)
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).partition(".")[0])
    assert imported - sys.stdlib_module_names - OWN_OF_EDITORS == set()
    assert {"urllib", "json"} <= imported  # the client is in it


@pytest.mark.parametrize(("name", "source"), SCRIPTS)
def test_modules_in_one_file_do_not_overwrite_each_other(name: str, source: str) -> None:
    body = ast.parse(catalogue.content(source)).body
    made = [node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    made += [
        target.id
        for node in body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for whole in (node.targets if isinstance(node, ast.Assign) else [node.target])
        for target in ast.walk(whole)
        if isinstance(target, ast.Name)
    ]
    assert sorted(made) == sorted(set(made))


@pytest.mark.parametrize(("name", "source"), SCRIPTS)
def test_an_installed_script_runs_where_its_module_was_never_imported(name: str, source: str, tmp_path: Path) -> None:
    (path,) = [path for path in catalogue.install(catalogue.named(name), tmp_path) if path.suffix == ".py"][:1]
    assert "Client" in runpy.run_path(str(path), run_name="a_script_in_an_editor")


def test_blender_finds_what_the_add_on_says_of_itself() -> None:
    tree = ast.parse(catalogue.content("blender/foley_vse.py"))
    (about,) = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "bl_info"
    ]
    assert about["blender"] == (3, 4, 0)
    assert about["category"] == "Sequencer"


def test_a_script_that_holds_another_runs_only_itself() -> None:
    text = catalogue.content("resolve/foley_resolve_deliver.py")
    assert text.count('__name__ == "__main__"') == 1
    assert "deliver(application()" in text.partition('__name__ == "__main__"')[2]


def test_installing_again_replaces_and_names_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "foley_vse.py").write_text("old")
    assert start(["integrations", "install", "blender", "--to", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["files"] == [str(tmp_path / "foley_vse.py")]
    assert (tmp_path / "foley_vse.py").read_text() == catalogue.content("blender/foley_vse.py")
    assert list(tmp_path.iterdir()) == [tmp_path / "foley_vse.py"]


def test_every_integration_says_where_it_was_tried(capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["integrations", "list", "--json"]) == 0
    tried = {one["name"]: one["tried"] for one in json.loads(capsys.readouterr().out)}
    assert set(tried) == {"blender", "otio", "premiere", "resolve"}
    assert tried["premiere"] == "not run in Premiere"
    assert tried["resolve"] == "not run in Resolve"


def test_an_unknown_name_and_a_missing_folder_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(["integrations", "install", "avid"]) == OptionError.exit_code
    assert "known: blender" in capsys.readouterr().err
    assert start(["integrations", "install", "premiere"]) == OptionError.exit_code
    assert "--to DIR" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert start(["integrations", "install", "blender", "--to", str(tmp_path / "file" / "x")]) == 4
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    (utility, _) = catalogue.install(catalogue.named("resolve"))
    assert utility.parent == tmp_path / ".local/share/DaVinciResolve/Fusion/Scripts/Utility"


@given(st.integers(0, 500), st.integers(1, 500), st.integers(0, 500), st.sampled_from([24.0, 25.0, 30000 / 1001]))
def test_what_is_sent_of_a_strip_holds_what_it_shows(skipped: int, shown: int, left: int, fps: float) -> None:
    total = skipped + shown + left
    piece = foley_vse.piece_of(Path("shot.mov"), skipped=skipped, shown=shown, total=total, fps=fps)
    first = round(piece.start_s * fps)
    assert first + piece.lead == skipped
    frames = total if piece.duration_s is None else round(piece.duration_s * fps)
    assert first + frames >= skipped + shown
    assert first + frames <= total


@given(st.floats(0, 3000).map(lambda time_s: round(time_s, 3)), st.floats(0, 90).map(lambda by_s: round(by_s, 3)))
def test_times_of_a_prompt_move_and_its_words_stay(time_s: float, by_s: float) -> None:
    moved = scoring.later(f"{scoring.clock(time_s)} two knocks at 3.5 m; rain", by_s)
    at, _, words = moved.partition(" ")
    assert scoring.seconds(at) == pytest.approx(time_s + by_s, abs=1e-6)
    assert words == "two knocks at 3.5 m; rain"


def test_only_what_an_editor_uses_is_fetched() -> None:
    names = ["a.foley.mp4", "a.foley/manifest.json", "a.foley/takes/e1.wav", "a.foley/stems/foley.wav"]
    names += ["a.foley/export/csv/a.csv", "a.foley/export/media/e1.wav", "a.foley/export/otio/a.otio"]
    assert [name for name in names if scoring.is_wanted(name, ("csv",))] == [names[1], names[3], names[4]]
    assert [name for name in names if scoring.is_wanted(name, ("csv", "otio"))] == [names[1], *names[3:]]


def test_what_no_service_and_no_command_can_do_is_said(tmp_path: Path) -> None:
    task = scoring.Task(
        tmp_path / "clip.mp4", tmp_path, url="http://127.0.0.1:9", token_file=str(tmp_path / "none"), command="no-foley"
    )
    task.run()
    assert task.result is None
    assert "foley serve" in task.error


def test_the_panels_manifest_is_one_that_premiere_takes() -> None:
    told = json.loads((PANEL / "manifest.json").read_text())
    assert told["manifestVersion"] == 5
    assert told["host"] == {"app": "premierepro", "minVersion": "25.6.0"}
    assert (PANEL / told["main"]).is_file()
    (entry,) = told["entrypoints"]
    assert entry["type"] == "panel"
    assert told["requiredPermissions"]["network"]["domains"] == ["http://127.0.0.1:8723", "http://localhost:8723"]
    page, code = (PANEL / "index.html").read_text(), (PANEL / "index.js").read_text()
    used = set(re.findall(r'element\("([\w-]+)"\)', code))
    assert used
    assert used <= set(re.findall(r'id="([\w-]+)"', page))
    assert "https://" not in page  # nothing is loaded from elsewhere


def test_the_panels_code_is_javascript() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    done = subprocess.run([node, "--check", PANEL / "index.js"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class Window:
    """A double of a context of Blender with a sequencer that shows one strip."""

    def __init__(self) -> None:
        self.window_manager, self.window, self.screen = self, None, SimpleNamespace(areas=[])
        self.foley_state, self.shown, self.timer = "", [], None
        self.scene = SimpleNamespace(sequence_editor_create=lambda: SimpleNamespace(strips={}))

    def progress_update(self, percent: float) -> None:
        self.shown.append(percent)

    def progress_end(self) -> None:
        self.shown.append("end")

    def event_timer_remove(self, timer: object) -> None:
        self.timer = "removed"


def test_blender_goes_on_while_a_job_runs_and_escape_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    operator, context = foley_vse.ScoreStrip(), Window()
    monkeypatch.setattr(operator, "report", lambda kind, text: told.append((kind, text)), raising=False)
    task = scoring.Task(tmp_path / "clip.mp4", tmp_path)
    stopped = threading.Event()
    task._stop = stopped.set  # as a job that was submitted has it
    operator._task, operator._name, operator._lead, operator._timer = task, "shot", 0, object()
    operator._thread = threading.Thread(target=stopped.wait)
    operator._thread.start()
    task.doing, task.done = "making sounds", 0.4
    assert operator.modal(context, SimpleNamespace(type="TIMER")) == {"PASS_THROUGH"}
    assert (context.foley_state, context.shown) == ("making sounds, 40%", [40.0])
    assert operator.modal(context, SimpleNamespace(type="ESC")) == {"PASS_THROUGH"}
    operator._thread.join(10)
    task.error = "the job was cancelled"
    assert operator.modal(context, SimpleNamespace(type="TIMER")) == {"CANCELLED"}
    assert (context.foley_state, context.timer, context.shown[-1]) == ("", "removed", "end")
    assert told == [({"ERROR"}, "the job was cancelled")]


@pytest.mark.parametrize(
    ("frames", "file_fps", "total", "scene_fps", "is_at_speed"),
    [
        (200, 25.0, 200, 25.0, True),
        (200, 25.0, 192, 24.0, True),  # Blender stretches it to last as long
        (200, 25.0, 200, 24.0, False),  # one frame of the file for one of the scene
        (200, 25.0, 100, 25.0, False),  # at double speed
        (107_892, 29.97, 107_892, 30_000 / 1001, True),
        (107_892, 29.97, 107_892, 30.0, False),
        (100, 0.0, 100, 25.0, False),  # its file is gone
    ],
)
def test_a_strip_that_is_not_at_its_own_speed_is_known(
    frames: int, file_fps: float, total: int, scene_fps: float, is_at_speed: bool
) -> None:
    movie = SimpleNamespace(frame_duration=frames, fps=file_fps)
    assert foley_vse.is_at_speed(movie, total, scene_fps) is is_at_speed
