"""What holds for the whole house: doors, names, errors, imports, documents."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import foley
from foley import errors, plugins
from foley.errors import FoleyError

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "foley").rglob("*.py"))
DOORS = {
    "subprocess": {"media/ffmpeg.py", "media/programs.py", "integrations/scoring.py"},
    "ffmpeg": {"media/ffmpeg.py"},
    "decord": {"media/reader.py"},
    "av": {"media/lengths.py", "media/packets.py", "media/reader.py"},
    "scenedetect": {"analysis/observers/cuts.py"},
    "pyrubberband": {"dsp/stretch.py"},
    "ray": {"pipeline/cluster/door.py"},
    "prometheus_client": {"service/metrics.py", "service/server.py"},
    "opentelemetry": {"service/traces.py"},
    "aaf2": {"deliver/aaf_reader.py", "deliver/aaf_writer.py"},
}
MAX_FUNCTION_LINES = 40
MAX_FILE_LINES = 400


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_its_doors(library: str) -> None:
    users = {path.relative_to(ROOT / "foley").as_posix() for path in SOURCES if library in imported(path)}
    assert users == DOORS[library]


def functions(path: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]


def body_lines(function: ast.FunctionDef) -> int:
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    doc = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - doc


def test_functions_and_files_stay_short() -> None:
    long_files = [str(p) for p in SOURCES if len(p.read_text().splitlines()) > MAX_FILE_LINES]
    long_functions = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name} ({body_lines(function)} lines)"
        for path in SOURCES
        for function in functions(path)
        if body_lines(function) > MAX_FUNCTION_LINES
    ]
    assert long_files == []
    assert long_functions == []


def test_no_file_is_a_bag_of_helpers() -> None:
    assert [path for path in SOURCES if path.stem in {"utils", "helpers", "misc", "common"}] == []


ERRORS = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, FoleyError)]


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_says_what_it_is_and_owns_an_exit_code(error: type[FoleyError]) -> None:
    assert error.__doc__
    assert 1 <= error.exit_code <= 10
    assert error.__name__ in (errors.__doc__ or "")


def test_families_of_errors_have_exit_codes_of_their_own() -> None:
    families = [error for error in ERRORS if error.__base__ is FoleyError]
    codes = [family.exit_code for family in families]
    assert len(set(codes)) == len(codes)


def test_listing_plugins_and_helping_load_nothing_heavy() -> None:
    heavy = ["torch", "scipy", "cv2", "decord", "av", "scenedetect", "librosa", "pydantic"]
    script = (
        "import sys, foley\n"
        "from foley import plugins\n"
        "[plugins.build('generator', name).missing() for name in plugins.names('generator')]\n"
        f"print([name for name in {heavy} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_public_functions_are_not_shadowed_by_the_folders_of_the_same_name() -> None:
    import foley.plan.events
    import foley.render.takes

    assert all(inspect.isfunction(getattr(foley, name)) for name in ("run", "plan", "render", "analyse"))


def test_what_is_public_is_listed() -> None:
    assert set(foley.__all__) <= set(vars(foley))
    assert {"run", "plan", "render", "analyse"} <= set(foley.__all__)


@pytest.mark.parametrize("kind", plugins.KINDS)
def test_there_is_at_least_one_plugin_of_each_kind(kind: str) -> None:
    assert plugins.names(kind)


def test_an_unknown_plugin_lists_the_known_ones() -> None:
    with pytest.raises(errors.UnknownPluginError) as caught:
        plugins.build("generator", "theremin")
    assert "procedural" in caught.value.hint


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" in project["dynamic"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", foley.__version__)
    assert f"## {foley.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_dependency_is_pinned_in_the_constraints() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = (
        project["dependencies"] + project["optional-dependencies"]["dev"] + project["optional-dependencies"]["models"]
    )
    pinned = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    names = [re.split(r"[<>=;\[ ]", text)[0].lower().replace("_", "-") for text in wanted]
    assert [name for name in names if name not in pinned] == []
