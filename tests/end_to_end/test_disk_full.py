"""A disk that fills up in the middle of a run: it ends cleanly, and goes on from there when there is room."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from foley.cli import app
from foley.pipeline import storage
from tests.media_maker import ffmpeg

SECONDS = 10

TIGHT_MB = 78
"""The reserve of 64 MB and 14 more: enough for stems and mix of ten seconds, not for the takes beside them."""

MOUNT = shutil.which("mount")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    to = tmp_path / "clip.mp4"
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s=160x120:r=25:d={SECONDS}", "-c:v", "libx264", "-pix_fmt", "yuv420p", to)
    return to


def _mount(place: Path, size_mb: int, *, again: bool = False) -> None:
    words = ["-o", f"{'remount,' if again else ''}size={size_mb * 10**6}", "none", str(place)]
    subprocess.run([str(MOUNT), "-t", "tmpfs", *words], capture_output=True, check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    if MOUNT is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    try:
        _mount(place, TIGHT_MB)
    except subprocess.CalledProcessError as cause:
        pytest.skip(f"no small disk can be mounted here: {cause.stderr.decode()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def _run(clip: Path, to: Path, cache: Path) -> int:
    return app.start(["run", str(clip), "-o", str(to), "--prompt", "rain; wind", "--workdir", str(cache), "--json"])


def test_a_run_that_fills_the_disk_ends_cleanly_and_goes_on_when_there_is_room(
    clip: Path, small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache, to = small_disk / "cache", tmp_path / "out.mp4"
    assert _run(clip, to, cache) == 4
    said = json.loads(capsys.readouterr().out)["error"]
    assert said["kind"] == "DiskFullError"
    assert "foley cache prune" in said["hint"]
    assert not to.exists()
    assert list((cache / "tmp").iterdir()) == []
    kept = storage.verify(cache)
    assert kept.sound > 5
    assert kept.broken == kept.orphaned == ()

    _mount(small_disk, 300, again=True)
    assert _run(clip, to, cache) == 0
    stages = json.loads(capsys.readouterr().out)["stages"]
    assert {stage["stage"] for stage in stages if stage["cached"]} >= {"probe", "watch"}

    other = tmp_path / "other.mp4"
    assert _run(clip, other, tmp_path / "cache") == 0
    stems = sorted((tmp_path / "out.foley" / "stems").glob("*.wav"))
    assert len(stems) >= 4
    assert [path.read_bytes() for path in stems] == [
        (tmp_path / "other.foley" / "stems" / path.name).read_bytes() for path in stems
    ]


def test_an_output_on_a_full_disk_leaves_nothing_half_written(
    clip: Path, small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (small_disk / "filler").write_bytes(bytes((TIGHT_MB - 5) * 10**6))
    assert _run(clip, small_disk / "out.mp4", tmp_path / "cache") == 4
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "DiskFullError"
    assert not (small_disk / "out.mp4").exists()
    assert not [path for path in small_disk.rglob("*") if ".part" in path.name]
    (small_disk / "filler").unlink()
    _mount(small_disk, 300, again=True)
    assert _run(clip, small_disk / "out.mp4", tmp_path / "cache") == 0
    assert (small_disk / "out.mp4").stat().st_size > 0


def test_a_run_that_cannot_fit_is_refused_before_the_picture_is_watched(
    clip: Path, small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (small_disk / "filler").write_bytes(bytes(9 * 10**6))
    assert _run(clip, tmp_path / "out.mp4", small_disk / "cache") == 4
    said = json.loads(capsys.readouterr().out)["error"]
    assert said["kind"] == "DiskFullError"
    assert "about 76 MB are needed" in said["message"]
    assert not (small_disk / "cache" / "watch").exists()
    assert app.start(["plan", str(clip), "--workdir", str(small_disk / "cache")]) == 0  # a plan is small
