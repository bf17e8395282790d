"""Documents stay true: every command in them is run, every option they name exists."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(sh|python|yaml)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)\)")


def blocks(path: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(path.read_text()) if kind == language]


def commands(path: Path) -> list[str]:
    lines = "\n".join(blocks(path, "sh")).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a reader would have it: a short clip called clip.mp4, a cue sheet, subtitles."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "samples").mkdir()
    for sample in (ROOT / "samples").glob("*[a-z].mp4"):
        shutil.copy(sample, folder / "samples" / sample.name)
    cut = ["ffmpeg", "-v", "error", "-i", str(ROOT / "samples" / "workshop.mp4"), "-t", "3", "-c:v", "libx264"]
    subprocess.run([*cut, str(folder / "clip.mp4")], check=True)
    (folder / "cues.csv").write_text("start,end,description\n0:00.5,,hammer on an anvil\n0,3,fire\n")
    (folder / "clip.srt").write_text("1\n00:00:00,500 --> 00:00:01,500\n[hammer clangs on an anvil]\n")
    return folder


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_the_documents_works(document: Path, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLEY_CACHE", str(desk / "cache"))
    monkeypatch.setenv("FOLEY_LIBRARY", str(desk / "library"))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in commands(document):
        words = shlex.split(line, comments=True)
        if words[0] == "make":
            assert words[1] in targets, line
        elif words[0] == "foley":
            done = subprocess.run([sys.executable, "-m", *words], cwd=desk, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{line}\n{done.stderr}"
        else:
            assert words[0] in {"git", "cd", "pip", "export", "pytest"}, f"no test runs: {line}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_python_example_in_the_documents_works(
    document: Path, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLEY_CACHE", str(desk / "cache"))
    monkeypatch.setenv("FOLEY_LIBRARY", str(desk / "library"))
    for text in blocks(document, "python"):
        done = subprocess.run([sys.executable, "-c", text], cwd=desk, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{text}\n{done.stderr}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_between_documents_leads_somewhere(document: Path) -> None:
    missing = [link for link in LINK.findall(document.read_text()) if not (document.parent / link).exists()]
    assert missing == []


def test_every_command_is_in_the_readme() -> None:
    from foley.cli.app import COMMANDS, GROUPS

    readme = (ROOT / "README.md").read_text()
    assert [name for name in (*COMMANDS, *GROUPS) if f"foley {name}" not in readme] == []
