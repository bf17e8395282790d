"""What is taken out of a cache and what stays: the least recently used goes, what a running job needs does not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foley.contracts import Context
from foley.errors import OptionError
from foley.media.atomic import owner
from foley.model import AudioFile
from foley.pipeline import eviction, leases, locks
from foley.pipeline.cache import Cache

NOW_NS = time.time_ns()
HOUR_NS = 3600 * 10**9

SCRIPT = """
import os, pathlib, sys, time
from foley.model import AudioFile
from foley.pipeline import eviction
from foley.pipeline.cache import Cache
root = pathlib.Path(sys.argv[1])
def say(done, what): pass
def sound(number):
    def make(ctx):
        (ctx.scratch / "x.wav").write_bytes(bytes([number]) * 5000)
        return AudioFile(ctx.scratch / "x.wav", 48000, 1, 5)
    return make
"""


def run_script(text: str, *arguments: object) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", SCRIPT + text, *map(str, arguments)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def unsaid(done: float, what: str) -> None:
    """Watch nothing."""


def keep(cache: Cache, number: int, size: int = 5000) -> Path:
    """Make a record, or find it, and return its file."""

    def make(context: Context) -> AudioFile:
        (context.scratch / "x.wav").write_bytes(bytes([number]) * size)
        return AudioFile(context.scratch / "x.wav", 48_000, 1, 5)

    return cache.once("sound", (number,), make, unsaid)[0].path


def used_before(path: Path, hours: float) -> None:
    """Say that the record of a file was used last so long ago."""
    os.utime(path.parent, ns=(NOW_NS, round(NOW_NS - hours * HOUR_NS)))


@contextmanager
def a_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@settings(max_examples=60)
@given(
    sizes=st.lists(st.integers(0, 5 * eviction.BLOCK_BYTES), max_size=12),
    ages_h=st.lists(st.integers(0, 99), min_size=12, max_size=12, unique=True),
    limit_blocks=st.integers(0, 40),
    job_began_h=st.none() | st.integers(0, 99),
)
def test_the_least_recently_used_go_and_no_more_than_need_be(
    sizes: list[int], ages_h: list[int], limit_blocks: int, job_began_h: int | None
) -> None:
    limit_bytes = limit_blocks * eviction.BLOCK_BYTES
    with a_folder() as root:
        Cache(root)
        for number, (size, age_h) in enumerate(zip(sizes, ages_h, strict=False)):
            folder = root / "sound" / "ab" / f"{number:032x}"
            folder.mkdir(parents=True)
            (folder / "value.json").write_bytes(b"x" * size)
            used_before(folder / "value.json", age_h)
        if job_began_h is not None:
            with leases.locked(root):
                lease = leases.Lease(root)
            os.utime(lease.path, ns=(NOW_NS, NOW_NS - job_began_h * HOUR_NS))
        before = {record.folder: record for record in eviction.records(root)}
        done = eviction.prune(root, limit_bytes=limit_bytes)
        after = {record.folder for record in eviction.records(root)}
    needed_ns = None if job_began_h is None else NOW_NS - job_began_h * HOUR_NS - leases.CLOCK_SLACK_NS
    needed = {at for at, one in before.items() if needed_ns is not None and one.used_ns >= needed_ns}
    gone = [before[record.folder] for record in done.removed]
    stay = [before[at] for at in after]
    assert {record.folder for record in gone} == set(before) - after
    assert needed <= after
    assert eviction.total_bytes(stay) <= limit_bytes or after == needed
    free_to_go = [record for record in stay if record.folder not in needed]
    assert max((one.used_ns for one in gone), default=0) < min((one.used_ns for one in free_to_go), default=NOW_NS + 1)
    if gone:
        assert eviction.total_bytes(stay) + gone[-1].size_bytes > limit_bytes


def test_a_record_that_is_used_again_is_young_again(tmp_path: Path) -> None:
    for number in range(3):
        used_before(keep(Cache(tmp_path), number), hours=10 - number)
    keep(Cache(tmp_path), 0)
    assert keep(Cache(tmp_path), 2).exists()
    done = eviction.prune(tmp_path, unused_s=3600)
    kept = {(record.folder / "x.wav").read_bytes()[0] for record in done.kept}
    assert kept == {0, 2}


def test_what_a_used_record_names_is_used_with_it(tmp_path: Path) -> None:
    first = Cache(tmp_path)
    inner = keep(first, 1)
    outer = first.once("outer", (), lambda ctx: inner, unsaid)[0]
    first.let_go()
    used_before(inner, hours=5)
    again = Cache(tmp_path)
    assert again.once("outer", (), lambda ctx: pytest.fail("made twice"), unsaid)[0] == outer == inner
    eviction.prune(tmp_path, everything=True)
    assert inner.exists()


def test_what_a_running_job_used_stays_and_goes_when_it_has_ended(tmp_path: Path) -> None:
    old = keep(Cache(tmp_path), 1)
    used_before(old, hours=1)
    job = Cache(tmp_path)
    kept = keep(job, 2)
    assert eviction.prune(tmp_path, everything=True).in_use == 1
    assert kept.exists()
    assert not old.exists()
    del job
    assert eviction.prune(tmp_path, everything=True).in_use == 0
    assert not kept.exists()


def test_what_lives_longer_than_a_job_can_let_go(tmp_path: Path) -> None:
    actor = Cache(tmp_path)
    first = keep(actor, 1)
    actor.let_go()
    used_before(first, hours=1)
    second = keep(actor, 2)
    eviction.prune(tmp_path, everything=True)
    assert second.exists()
    assert not first.exists()
    assert keep(actor, 1).read_bytes() == bytes([1]) * 5000


def test_a_record_that_goes_while_its_cache_is_open_is_made_again(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    path = keep(cache, 1)
    shutil.rmtree(path.parent)
    assert keep(cache, 1).read_bytes() == bytes([1]) * 5000


def test_the_lease_of_another_process_holds_until_it_is_killed(tmp_path: Path) -> None:
    job = run_script(
        "cache = Cache(root); cache.once('sound', (1,), sound(1), say); print('used', flush=True)\ntime.sleep(60)",
        tmp_path,
    )
    try:
        assert job.stdout is not None
        assert job.stdout.readline() == "used\n"
        assert eviction.prune(tmp_path, everything=True).in_use == 1
        assert leases.count(tmp_path) == 1
    finally:
        job.kill()
        job.communicate()
    assert leases.count(tmp_path) == 0
    assert len(eviction.prune(tmp_path, everything=True).removed) == 1
    assert [path.name for path in (tmp_path / leases.FOLDER).iterdir()] == [leases.LOCK]


def test_another_machine_is_believed_to_work_for_a_day(tmp_path: Path) -> None:
    used_before(keep(Cache(tmp_path), 1), hours=1)
    lease = tmp_path / leases.FOLDER / "elsewhere-17-abcd"
    lease.touch()
    os.utime(lease, ns=(NOW_NS, NOW_NS - 2 * HOUR_NS))
    assert eviction.prune(tmp_path, everything=True).in_use == 1
    os.utime(lease, ns=(NOW_NS - 25 * HOUR_NS, NOW_NS - 26 * HOUR_NS))
    assert len(eviction.prune(tmp_path, everything=True).removed) == 1
    assert not lease.exists()


def test_a_lease_says_now_and_then_that_it_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path)
    keep(cache, 1)
    (lease,) = (path for path in (tmp_path / leases.FOLDER).iterdir() if path.name != leases.LOCK)
    began = lease.stat().st_mtime_ns
    os.utime(lease, ns=(NOW_NS - HOUR_NS, began))
    monkeypatch.setattr(leases, "BEAT_S", 0.0)
    keep(cache, 2)
    assert lease.stat().st_atime_ns > NOW_NS - HOUR_NS
    assert lease.stat().st_mtime_ns == began


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_that_ends_leaves_the_lease_to_its_parent(tmp_path: Path) -> None:
    forks = run_script(
        "cache = Cache(root); cache.once('sound', (1,), sound(1), say)\n"
        "if os.fork() == 0: sys.exit(0)\n"
        "os.wait()\n"
        "print(eviction.prune(root, everything=True).in_use)\n",
        tmp_path,
    )
    out, err = forks.communicate(timeout=60)
    assert (out, err) == ("1\n", "")


def test_without_locks_the_process_is_asked_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(locks, "_lock", refuse)
    job = Cache(tmp_path)
    path = keep(job, 1)
    assert eviction.prune(tmp_path, everything=True).in_use == 1
    machine = owner().rpartition("-")[0]
    (tmp_path / leases.FOLDER / f"{machine}-999999999-abcd").touch()
    del job
    assert len(eviction.prune(tmp_path, everything=True).removed) == 1
    assert not path.exists()


def test_a_stopped_process_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "PATIENCE_S", 0.05)
    keep(Cache(tmp_path), 1)
    with leases.locked(tmp_path):
        assert keep(Cache(tmp_path), 1).exists()


READS = """
until = time.monotonic() + 2.0
rounds = 0
while time.monotonic() < until:
    cache = Cache(root)
    kept = [cache.once("sound", (number,), sound(number), say) for number in range(4)]
    outer, _ = cache.once("outer", (), lambda ctx: [cache.once("sound", (n,), sound(n), say)[0] for n in range(4)], say)
    for _ in range(20):
        for number in range(4):
            assert kept[number][0].path.read_bytes() == bytes([number]) * 5000
            assert outer[number].path.read_bytes() == bytes([number]) * 5000
    rounds += 1
print(rounds)
"""

PRUNES = """
removed = 0
until = time.monotonic() + 2.0
while time.monotonic() < until:
    removed += len(eviction.prune(root, everything=True).removed)
print(removed)
"""


def test_what_one_process_reads_another_cannot_prune(tmp_path: Path) -> None:
    jobs = [run_script(READS, tmp_path), run_script(READS, tmp_path), run_script(PRUNES, tmp_path)]
    said = [job.communicate(timeout=120) for job in jobs]
    assert [err for _, err in said] == ["", "", ""]
    rounds = [int(out) for out, _ in said[:2]]
    assert min(rounds) > 1
    eviction.prune(tmp_path, everything=True)
    assert list(eviction.records(tmp_path)) == []
    assert list((tmp_path / "tmp").iterdir()) == []


def test_one_process_reads_what_another_prunes_between_its_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "CLOCK_SLACK_NS", 0)
    pruner = run_script("from foley.pipeline import leases\nleases.CLOCK_SLACK_NS = 0\n" + PRUNES, tmp_path)
    made = 0
    while pruner.poll() is None:
        cache = Cache(tmp_path)
        for number in range(3):
            path = keep(cache, number)
            assert all(path.read_bytes() == bytes([number]) * 5000 for _ in range(3))
        made += 1
        del cache
    out, err = pruner.communicate()
    assert err == ""
    assert int(out) > 0
    assert made > 1


KILLED_IN_PRUNE = """
import shutil
for number in range(6):
    Cache(root).once("sound", (number,), sound(number), say)
wait = int(sys.argv[2])
def dies(*given, **more):
    global wait
    wait -= 1
    if wait < 0:
        os.kill(os.getpid(), 9)
    return original(*given, **more)
if sys.argv[3] == "before":
    original = pathlib.Path.rename
    pathlib.Path.rename = dies
else:
    original = shutil.rmtree
    shutil.rmtree = dies
eviction.prune(root, everything=True)
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_pruning_that_is_killed_leaves_records_whole_or_gone(tmp_path: Path, moment: str) -> None:
    killed = run_script(KILLED_IN_PRUNE, tmp_path, 2, moment)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    left = list(eviction.records(tmp_path))
    assert len(left) == {"before": 4, "after": 3}[moment]
    assert all(len((record.folder / "x.wav").read_bytes()) == 5000 for record in left)
    assert len(list((tmp_path / "tmp").iterdir())) == {"before": 0, "after": 1}[moment]
    cache = Cache(tmp_path)
    assert list((tmp_path / "tmp").iterdir()) == []
    assert [keep(cache, number).read_bytes()[0] for number in range(6)] == list(range(6))


def test_pruning_that_is_killed_at_any_moment_leaves_nothing_half_there(tmp_path: Path) -> None:
    for number in range(120):
        keep(Cache(tmp_path), number)
    text = "print('begins', flush=True)\neviction.prune(root, everything=True)\nprint('done', flush=True)\n"
    for delay_s in (0.0, 0.001, 0.003):
        prunes = run_script(text, tmp_path)
        assert prunes.stdout is not None
        prunes.stdout.readline()
        time.sleep(delay_s)
        prunes.kill()
        prunes.communicate()
        for record in eviction.records(tmp_path):
            assert len((record.folder / "x.wav").read_bytes()) == 5000
            assert (record.folder / "value.json").is_file()
    Cache(tmp_path)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_limit_is_kept_while_records_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(eviction.LIMIT, "1MB")
    for number in range(40):
        used_before(keep(Cache(tmp_path), number, size=50_000), hours=50 - number)
        assert eviction.total_bytes(eviction.records(tmp_path)) <= 1_100_000
    kept = {(record.folder / "x.wav").read_bytes()[0] for record in eviction.records(tmp_path)}
    assert kept == set(range(40 - len(kept), 40))
    assert len(kept) > 10


def test_a_run_walks_the_cache_only_when_it_has_grown_past_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(eviction.LIMIT, "1GB")
    walks = []
    walk = eviction.records
    monkeypatch.setattr(eviction, "records", lambda root: walks.append(1) or walk(root))
    for number in range(10):
        keep(Cache(tmp_path), number)
    assert len(walks) == 1  # the first count
    monkeypatch.delenv(eviction.LIMIT)
    for number in range(10, 20):
        keep(Cache(tmp_path), number)
    assert len(walks) == 1


def test_a_limit_that_running_jobs_overrun_is_not_tried_for_at_every_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(eviction.LIMIT, "100kB")
    job, walks, walk = Cache(tmp_path), [], eviction.records
    monkeypatch.setattr(eviction, "records", lambda root: walks.append(1) or walk(root))
    paths = [keep(job, number, size=50_000) for number in range(100)]
    assert all(path.exists() for path in paths)
    assert len(walks) < 60


def test_what_is_no_record_is_never_taken(tmp_path: Path) -> None:
    keep(Cache(tmp_path), 1)
    others = [tmp_path / "service" / "queue.db", tmp_path / "weights.json", tmp_path / "models" / "ab" / "model.bin"]
    for path in others:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("kept")
    assert len(eviction.prune(tmp_path, everything=True).removed) == 1
    assert all(path.read_text() == "kept" for path in others)


def test_a_trial_takes_nothing(tmp_path: Path) -> None:
    path = keep(Cache(tmp_path), 1)
    assert len(eviction.prune(tmp_path, everything=True, dry_run=True).removed) == 1
    assert path.exists()


@pytest.mark.parametrize(
    ("text", "size"), [("20GB", 20 * 10**9), ("1.5 TiB", 3 << 39), ("500m", 500 * 10**6), ("4096", 4096), ("0", 0)]
)
def test_sizes_are_read_as_people_write_them(text: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert eviction.limit_bytes(text) == size
    monkeypatch.setenv(eviction.LIMIT, text)
    assert eviction.limit_bytes() == size


@pytest.mark.parametrize("text", ["much", "-1GB", "5iB", "GB", "1e9", "20GBs"])
def test_what_is_no_size_is_refused_before_any_work(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(eviction.LIMIT, text)
    with pytest.raises(OptionError, match="FOLEY_CACHE_LIMIT takes a size such as 20GB"):
        Cache(tmp_path / "cache")
    assert not (tmp_path / "cache" / "tmp").exists()


@pytest.mark.parametrize("text", ["30", "d", "-3d", "3 years"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="30d, 12h or 2w"):
        eviction.age_s(text)
