"""`foley cache`: what it prints for people and for programs, and how it ends."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from foley.cli import app
from foley.contracts import Context
from foley.model import AudioFile
from foley.pipeline.cache import Cache


def keep(root: Path, number: int, *, age_s: float = 0.0) -> Path:
    """Make a record and return its file."""

    def make(context: Context) -> AudioFile:
        (context.scratch / "x.wav").write_bytes(bytes([number]) * 50_000)
        return AudioFile(context.scratch / "x.wav", 48_000, 1, 5)

    path = Cache(root).once("stem", (number,), make, lambda done, what: None)[0].path
    used_s = path.parent.stat().st_mtime - age_s
    os.utime(path.parent, (used_s, used_s))
    return path


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOLEY_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FOLEY_CACHE_LIMIT", raising=False)
    return tmp_path / "cache"


def test_info_says_where_and_how_much(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep(root, 1, age_s=3 * 86_400 + 60)
    keep(root, 2)
    assert app.start(["cache", "info"]) == 0
    said = capsys.readouterr().out
    assert f"{root.resolve()}: 2 records, 122.9 kB; no limit" in said
    assert "3 days ago" in said
    assert app.start(["cache", "info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["records"], found["limit_bytes"], found["stages"][0]["stage"]) == (2, None, "stem")
    assert found["oldest_use"].endswith("+00:00")


def test_prune_removes_what_is_asked_for(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [keep(root, number, age_s=(10 - number) * 86_400) for number in range(6)]
    assert app.start(["cache", "prune", "--limit", "250kB", "--dry-run"]) == 0
    assert capsys.readouterr().out == "2 records, 122.9 kB would be removed; 4 records, 245.8 kB stay\n"
    assert all(path.exists() for path in paths)
    assert app.start(["cache", "prune", "--limit", "250kB"]) == 0
    assert capsys.readouterr().out.startswith("2 records, 122.9 kB removed")
    assert [path.exists() for path in paths] == [False, False, True, True, True, True]
    assert app.start(["cache", "prune", "--older-than", "6d", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["removed"] == 3
    assert app.start(["cache", "prune", "--all"]) == 0
    assert capsys.readouterr().out.startswith("1 record, 61.4 kB removed; 0 records, 0 B stay")


def test_prune_goes_by_the_limit_that_is_set(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(root, 1)
    monkeypatch.setenv("FOLEY_CACHE_LIMIT", "10kB")
    assert app.start(["cache", "prune", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["removed"] == 1


def test_what_a_job_needs_is_said_to_stay(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = Cache(root)
    job.once("stem", (1,), lambda ctx: 1, lambda done, what: None)
    assert app.start(["cache", "prune", "--all"]) == 0
    assert "1 of those that stay may be needed by running jobs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "it is not said what to remove"),
        (["--limit", "some"], "--limit takes a size"),
        (["--older-than", "long"], "--older-than takes an age"),
    ],
)
def test_a_prune_that_says_not_what_removes_nothing(
    root: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = keep(root, 1)
    assert app.start(["cache", "prune", *words]) == 7
    assert message in capsys.readouterr().err
    assert path.exists()


def test_verify_says_what_it_removed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound, broken = keep(root, 1), keep(root, 2)
    broken.write_bytes(b"short")
    assert app.start(["cache", "verify"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("1 record is sound\n")
    assert f"removed, was broken: {broken.parent.resolve()}" in said
    assert app.start(["cache", "verify", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sound"] == 1
    assert sound.exists()
    assert not broken.exists()
