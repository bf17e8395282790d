"""Pruning while films are in work: they come out as if nobody had pruned."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from foley.pipeline import eviction, leases
from tests.media_maker import moving


def _begin(clip: Path, to: Path, cache: Path) -> subprocess.Popen[str]:
    words = ["-m", "foley", "run", str(clip), "-o", str(to), "--overwrite", "--workdir", str(cache)]
    return subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("stems/*.wav"))}


def test_runs_whose_cache_is_pruned_all_the_time_give_the_same_sound(tmp_path: Path) -> None:
    clip, cache = moving(tmp_path / "clip.mp4", duration_s=2.0), tmp_path / "cache"
    jobs = [_begin(clip, tmp_path / f"{name}.mp4", cache) for name in ("one", "two")]
    removed = 0
    while any(job.poll() is None for job in jobs):
        removed += len(eviction.prune(cache, everything=True).removed)
    assert [(job.returncode, job.communicate()[1].count("foley:")) for job in jobs] == [(0, 0), (0, 0)]
    assert removed + len(eviction.prune(cache, everything=True).removed) > 10
    assert leases.count(cache) == 0
    undisturbed = _begin(clip, tmp_path / "alone.mp4", tmp_path / "other")
    undisturbed.communicate()
    wanted = _digests(tmp_path / "alone.foley")
    assert len(wanted) >= 4
    assert _digests(tmp_path / "one.foley") == _digests(tmp_path / "two.foley") == wanted
