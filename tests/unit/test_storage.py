"""What a cache holds, whether it is sound, and whether there is room: said before work begins, not in its middle."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from foley.contracts import Context
from foley.errors import CannotWriteError, DiskFullError
from foley.media.atomic import owner
from foley.model import AudioFile, Clip, Destination, Motion, SoundTrack, VideoStream
from foley.pipeline import eviction, leases, storage
from foley.pipeline.cache import RESERVE_BYTES, SAMPLE_BYTES, SAMPLES, Cache, check_value

Usage = namedtuple("Usage", "total used free")

PICTURE = VideoStream(0, "h264", 320, 180, 0, Fraction(25), Fraction(1, 25), False, "yuv420p")
CLIP = Clip(Path("film.mp4"), "k" * 32, "mp4", Fraction(0), Fraction(60), PICTURE, (), (), 0, None)
HOUR = replace(CLIP, duration_s=Fraction(3600))


def unsaid(done: float, what: str) -> None:
    """Watch nothing."""


def keep(cache: Cache, number: int, *, stage: str = "sound", size: int = 5000) -> Path:
    """Make a record, or find it, and return its file."""

    def make(context: Context) -> AudioFile:
        (context.scratch / "x.wav").write_bytes(bytes([number]) * size)
        return AudioFile(context.scratch / "x.wav", 48_000, 1, 5)

    return cache.once(stage, (number,), make, unsaid)[0].path


def keep_arrays(cache: Cache) -> Path:
    curve = np.linspace(0, 1, 700, dtype=np.float32)
    cache.once("motion", (), lambda ctx: Motion(curve, curve, curve, curve), unsaid)
    return next((cache.root / "motion").rglob("arrays.npz"))


def test_a_cache_says_what_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(eviction.LIMIT, "1GB")
    cache = Cache(tmp_path)
    oldest = keep(cache, 1)
    keep(cache, 2, stage="take", size=100_000)
    keep(cache, 3, stage="take")
    os.utime(oldest.parent, (1_700_000_000, 1_700_000_000))
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "queue.db").write_bytes(b"x" * 10)
    found = storage.info(tmp_path)
    assert [(share.stage, share.records) for share in found.stages] == [("take", 2), ("sound", 1)]
    assert found.records == 3
    assert 110_000 <= found.size_bytes == sum(share.size_bytes for share in found.stages) < 150_000
    assert found.limit_bytes == 10**9
    assert found.oldest_use_s == 1_700_000_000
    assert found.jobs == 1
    assert found.other_bytes >= 8192
    assert found.free_bytes > 0


def test_a_folder_that_is_no_cache_yet_holds_nothing(tmp_path: Path) -> None:
    nowhere = tmp_path / "not" / "there"
    assert storage.info(nowhere).records == 0
    assert storage.prune(nowhere, everything=True).removed == ()
    assert storage.verify(nowhere).sound == 0
    assert not nowhere.exists()


def test_sound_records_stay_as_they_are(tmp_path: Path) -> None:
    path, arrays = keep(Cache(tmp_path), 1), keep_arrays(Cache(tmp_path))
    os.utime(path.parent, (1_700_000_000, 1_700_000_000))
    found = storage.verify(tmp_path)
    assert (found.sound, found.broken, found.orphaned, found.foreign) == (2, (), (), ())
    assert path.parent.stat().st_mtime == 1_700_000_000  # looking is no use
    assert arrays.exists()


def _cut(record: Path) -> None:
    (record / "x.wav").write_bytes(b"short")


def _rot(record: Path) -> None:
    content = bytearray((record / "x.wav").read_bytes())
    content[2500] ^= 1
    (record / "x.wav").write_bytes(content)


def _lose(record: Path) -> None:
    (record / "x.wav").unlink()


def _garble(record: Path) -> None:
    (record / "value.json").write_bytes(b"\xff\x00{")


def _empty(record: Path) -> None:
    shutil.rmtree(record)
    record.mkdir()


def _change_value(record: Path) -> None:
    text = (record / "value.json").read_text()
    assert '"rate_hz": 48000' in text
    (record / "value.json").write_text(text.replace('"rate_hz": 48000', '"rate_hz": 44100'))


@pytest.mark.parametrize("harm", [_cut, _rot, _lose, _garble, _empty, _change_value])
def test_a_broken_record_is_removed_and_made_again(tmp_path: Path, harm: object) -> None:
    broken, other = keep(Cache(tmp_path), 1), keep(Cache(tmp_path), 2)
    assert callable(harm)
    harm(broken.parent)
    found = storage.verify(tmp_path)
    assert [record.folder for record in found.broken] == [broken.parent]
    assert found.sound == 1
    assert other.exists()
    assert not broken.parent.exists()
    assert keep(Cache(tmp_path), 1).read_bytes() == bytes([1]) * 5000


def test_arrays_that_rot_are_found(tmp_path: Path) -> None:
    path = keep_arrays(Cache(tmp_path))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert [record.stage for record in storage.verify(tmp_path).broken] == ["motion"]


def test_lost_blocks_of_a_large_file_are_found(tmp_path: Path) -> None:
    path = keep(Cache(tmp_path), 1, size=3 * SAMPLES * SAMPLE_BYTES)
    before = check_value(path)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 3)
        file.write(bytes(SAMPLES * SAMPLE_BYTES // 2))
    assert check_value(path) != before
    assert len(storage.verify(tmp_path).broken) == 1


def test_a_broken_record_that_a_job_may_be_reading_is_left(tmp_path: Path) -> None:
    job = Cache(tmp_path)
    path = keep(job, 1)
    path.write_bytes(b"short")
    found = storage.verify(tmp_path)
    assert [record.folder for record in found.spared] == [path.parent]
    assert found.broken == ()
    assert path.exists()


def test_records_that_name_what_is_gone_are_removed_one_after_another(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    first = keep(cache, 1)

    def second(context: Context) -> tuple[AudioFile, AudioFile]:
        (context.scratch / "y.wav").write_bytes(b"second")
        return AudioFile(first, 48_000, 1, 5), AudioFile(context.scratch / "y.wav", 48_000, 1, 5)

    _, own = cache.once("fit", (), second, unsaid)[0]
    cache.once("place", (), lambda ctx: own, unsaid)
    cache.let_go()
    shutil.rmtree(first.parent)
    found = storage.verify(tmp_path)
    assert sorted(record.stage for record in found.orphaned) == ["fit", "place"]
    assert found.sound == 0


@pytest.mark.parametrize("change", [{"format": "99"}, {"value": {"$type": "FromTomorrow", "x": 1}}])
def test_a_record_of_another_release_is_left_until_it_is_old(tmp_path: Path, change: dict[str, object]) -> None:
    path = keep(Cache(tmp_path), 1)
    record = path.parent / "value.json"
    content = json.loads(record.read_text()) | change
    content.pop("check")
    record.write_text(json.dumps(content))
    os.utime(path.parent, (1_700_000_000, 1_700_000_000))
    found = storage.verify(tmp_path)
    assert [record.folder for record in found.foreign] == [path.parent]
    assert path.exists()
    assert len(storage.prune(tmp_path, unused_s=3600).removed) == 1


def test_a_record_of_the_release_before_promises_lengths_alone(tmp_path: Path) -> None:
    path = keep(Cache(tmp_path), 1)
    record = path.parent / "value.json"
    content = json.loads(record.read_text())
    record.write_text(json.dumps({"value": content["value"], "files": content["files"]}))
    assert storage.verify(tmp_path).sound == 1
    assert Cache(tmp_path).once("sound", (1,), lambda ctx: pytest.fail("made twice"), unsaid)[1]


def test_leftovers_of_killed_runs_are_swept_and_those_of_running_ones_stay(tmp_path: Path) -> None:
    job = Cache(tmp_path).context()
    machine = owner().rpartition("-")[0]
    names = (f"{machine}-999999999-ab", "elsewhere-1-old", "elsewhere-1-new")
    killed, elsewhere, working = (tmp_path / "tmp" / name for name in names)
    for folder in (killed, elsewhere, working):
        folder.mkdir()
        (folder / "half.wav").write_bytes(b"half")
    week_ago = time.time() - eviction.LOST_S - 60
    for path in (elsewhere / "half.wav", elsewhere):
        os.utime(path, (week_ago, week_ago))
    found = storage.verify(tmp_path)
    assert found.leftovers == 2
    assert found.leftover_bytes > 0
    assert sorted((tmp_path / "tmp").iterdir()) == sorted([job.scratch, working])


def test_a_film_needs_as_much_as_its_length_asks_for() -> None:
    need = storage.estimate(HOUR)
    stems_and_mix = 4 * 3600 * 48_000 * 6
    assert need.cache_least_bytes == need.output_least_bytes == stems_and_mix
    assert stems_and_mix < need.output_bytes < need.cache_bytes < 2.5 * stems_and_mix
    spoken = replace(HOUR, sound=(SoundTrack(1, "aac", 48_000, 2, "eng", "", Fraction(0), 3600.0),))
    assert storage.estimate(spoken).cache_bytes - need.cache_bytes == 3600 * 48_000 * 6


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """What is free, by the last part of a folder's name; elsewhere there is enough."""
    free: dict[str, int] = {}

    def usage(place: Path) -> Usage:
        return Usage(10**13, 0, free.get(Path(place).name, 10**12))

    monkeypatch.setattr(shutil, "disk_usage", usage)
    return free


def _to(folder: Path) -> Destination:
    return Destination(folder / "out" / "film.foley.mp4", folder / "out" / "film.foley")


def test_a_film_that_cannot_fit_is_refused_before_any_work(tmp_path: Path, room: dict[str, int]) -> None:
    cache = Cache(tmp_path / "cache")
    storage.refuse_full(HOUR, _to(tmp_path), cache)
    room["cache"] = 5 * 10**9  # cache and output lie on one disk here: 4.1 GB each
    with pytest.raises(DiskFullError, match=r"about 8\d\d\d MB are needed") as caught:
        storage.refuse_full(HOUR, _to(tmp_path), cache)
    assert "foley cache prune" in caught.value.hint
    assert caught.value.exit_code == 4
    storage.refuse_full(CLIP, _to(tmp_path), cache)


def test_an_output_on_another_disk_is_looked_at_by_itself(
    tmp_path: Path, room: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    stat = Path.stat

    def on_two_disks(path: Path, **how: bool) -> os.stat_result:
        found = stat(path, **how)
        return found if path.name != "out" else os.stat_result((*found[:2], found.st_dev + 1, *found[3:]))

    cache = Cache(tmp_path / "cache")
    monkeypatch.setattr(Path, "stat", on_two_disks)
    room["cache"] = room["out"] = 5 * 10**9
    storage.refuse_full(HOUR, _to(tmp_path), cache)
    room["out"] = 4 * 10**9
    with pytest.raises(DiskFullError, match="out is full"):
        storage.refuse_full(HOUR, _to(tmp_path), cache)


def test_what_was_written_before_the_disk_was_full_counts(tmp_path: Path, room: dict[str, int]) -> None:
    cache, to = Cache(tmp_path / "cache"), _to(tmp_path)
    need = storage.estimate(CLIP)
    room["cache"] = need.cache_least_bytes + need.output_least_bytes + RESERVE_BYTES - 10_000_000
    with pytest.raises(DiskFullError):
        storage.refuse_full(CLIP, to, cache)
    keep(cache, 1, stage="stem", size=17_280_080)
    storage.refuse_full(CLIP, to, cache)
    with pytest.raises(DiskFullError):
        storage.refuse_full(replace(CLIP, key="another"), to, cache)


def test_nothing_is_begun_on_a_disk_that_is_all_but_full(tmp_path: Path, room: dict[str, int]) -> None:
    cache = Cache(tmp_path / "cache")
    kept = keep(cache, 1)
    room["cache"] = RESERVE_BYTES - 1
    with pytest.raises(DiskFullError, match="is full") as caught:
        keep(cache, 2)
    assert "foley cache prune" in caught.value.hint
    assert keep(cache, 1) == kept  # what is there can be used
    assert list((tmp_path / "cache" / "tmp").iterdir()) == []
    room["cache"] = 10**9
    assert keep(cache, 2).exists()


def test_a_disk_that_fills_up_meanwhile_is_said_so_and_leaves_nothing(tmp_path: Path) -> None:
    def fills(context: Context) -> int:
        (context.scratch / "half.wav").write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    cache = Cache(tmp_path)
    with pytest.raises(DiskFullError):
        cache.once("sound", (1,), fills, unsaid)
    assert list((tmp_path / "tmp").iterdir()) == []
    assert list(eviction.records(tmp_path)) == []


def test_a_file_that_may_not_grow_is_a_clear_error(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    script = (
        "import pathlib, resource, sys\n"
        "from foley.errors import CannotWriteError\n"
        "from foley.pipeline.cache import Cache\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    Cache(pathlib.Path(sys.argv[1])).context().once(\n"
        "        'sound', (1,), lambda ctx: (ctx.scratch / 'x').write_bytes(bytes(10**6)))\n"
        "except CannotWriteError as error:\n"
        "    print(error.message)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "file too large" in done.stdout
    assert list(eviction.records(tmp_path)) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 90 MB, 26 MB of which can be used before the reserve."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=90000000", "none", str(place)], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {made.stderr.decode()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_real_disk_that_fills_up_ends_the_run_cleanly_and_room_lets_it_go_on(small_disk: Path) -> None:
    cache = Cache(small_disk)
    first = keep(cache, 1, size=20_000_000)
    with pytest.raises(DiskFullError, match="is full"):
        keep(cache, 2, size=75_000_000)
    assert list((small_disk / "tmp").iterdir()) == []
    keep(cache, 2, size=10_000_000)
    with pytest.raises(DiskFullError, match="is full"):  # below the reserve
        keep(cache, 3, size=10)
    cache.let_go()
    os.utime(first.parent, (1_700_000_000, 1_700_000_000))
    assert len(storage.prune(small_disk, unused_s=3600).removed) == 1
    assert keep(cache, 3, size=10).exists()
    assert storage.verify(small_disk).sound == 2


def test_a_cache_that_may_not_be_changed_is_not_pruned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = keep(Cache(tmp_path), 1)
    monkeypatch.setattr(os, "access", lambda place, mode: False)
    with pytest.raises(CannotWriteError, match="permission denied"):
        storage.prune(tmp_path, everything=True)
    with pytest.raises(CannotWriteError, match="permission denied"):
        storage.verify(tmp_path)
    assert path.exists()
    assert leases.count(tmp_path) == 0
