"""Fingerprints of files that a render leaves alone are not taken again, and no other is trusted."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from foley.deliver import outputs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.wav").write_bytes(b"one sound")
    (tmp_path / "b.wav").write_bytes(b"another sound")
    time.sleep(0.02)
    prints = {"a.wav": "known a", "b.wav": "known b", "gone.wav": "known gone"}
    (tmp_path / outputs.MANIFEST).write_text(json.dumps({"files": prints}))
    return tmp_path


def test_a_file_that_was_left_alone_is_known(folder: Path) -> None:
    assert outputs.known_prints(folder).of(folder / "a.wav") == "known a"


def test_a_file_that_was_written_anew_is_read(folder: Path) -> None:
    known = outputs.known_prints(folder)
    version_ns = (folder / "a.wav").stat().st_mtime_ns
    (folder / "new").write_bytes(b"two sound")
    (folder / "new").replace(folder / "a.wav")
    os.utime(folder / "a.wav", ns=(version_ns, version_ns))
    assert known.of(folder / "a.wav") == outputs.fingerprint(folder / "a.wav")


def test_a_file_that_is_younger_than_the_manifest_is_read(folder: Path) -> None:
    time.sleep(0.02)
    (folder / "b.wav").write_bytes(b"of a killed run")
    assert outputs.known_prints(folder).of(folder / "b.wav") == outputs.fingerprint(folder / "b.wav")


def test_without_a_manifest_nothing_is_known(tmp_path: Path) -> None:
    assert outputs.known_prints(tmp_path).prints == {}
