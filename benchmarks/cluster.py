"""Videos on a Ray cluster of this machine, split in two: how much the cluster costs, and what the loss of one costs."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure

VIDEOS = int(os.environ.get("FOLEY_BENCH_VIDEOS", "24"))
PROMPT = "0:00.5 a door slams"
COMMAND = "python -m benchmarks cluster"
OBJECTS_BYTES = 80 * 2**20
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_health_check_initial_delay_ms": "0",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_failure_threshold": "3",
    "OMP_NUM_THREADS": "1",
}
"""A lost machine is noticed within two seconds; libraries do not take one another's cores."""


def measure() -> list[Figure]:
    """Return the figures; none where Ray is not installed."""
    os.environ.update(SETTINGS)
    try:
        import ray
    except ImportError:
        return [Figure("Ray", "not installed", "", None, COMMAND)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        videos = [_video(folder / f"v{number}.mp4", 1.0 + number / 50) for number in range(VIDEOS)]
        alone_s, wanted = _alone(videos, folder / "alone")
        began_s = time.perf_counter()
        cluster, nodes = _cluster(folder)
        start_s = time.perf_counter() - began_s
        try:
            ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
            _run(cluster.address, videos[:2], folder / "warm", lambda count: None)
            whole_s, whole, _ = _run(cluster.address, videos, folder / "whole", lambda count: None)

            def kill(count: int) -> None:
                if count == VIDEOS // 3:
                    _kill(nodes[1])

            lossy_s, lossy, gap_s = _run(cluster.address, videos, folder / "lossy", kill)
        finally:
            ray.shutdown()
            cluster.shutdown()
    cost_ms = 1e3 * (whole_s - alone_s / 2) / VIDEOS
    same = whole == wanted and lossy == wanted
    count = f"{VIDEOS} videos of 1 to 1.5 s"
    return [
        Figure("start of a cluster of two machines", f"{start_s:.1f} s", "", None, COMMAND),
        Figure(f"{count}, one after another in one process", f"{alone_s:.1f} s", "", None, COMMAND),
        Figure("the same on two machines of one core", f"{whole_s:.1f} s", "", None, COMMAND),
        Figure("cost a video beyond the ideal half", f"{cost_ms:.0f} ms", "", None, COMMAND),
        Figure("one machine killed after a third", f"{lossy_s:.1f} s", "", None, COMMAND),
        Figure("longest time without a finished video then", f"{gap_s:.1f} s", "", None, COMMAND),
        Figure("takes, stems and videos bit for bit as of one process", str(same), "True", same, COMMAND),
    ]


def _video(to: Path, duration_s: float) -> Path:
    source = f"testsrc2=s=320x180:r=25:d={duration_s}"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", to]
    subprocess.run(command, check=True)
    return to


def _items(videos: list[Path], folder: Path) -> list[Any]:
    from foley.api import Settings
    from foley.batch.items import Item
    from foley.model import Brief

    folder.mkdir()
    settings = Settings(workdir=folder / "cache")
    return [
        Item(number, video, folder / f"{video.stem}.out.mp4", Brief(PROMPT, seed=number), settings)
        for number, video in enumerate(videos, 1)
    ]


def _alone(videos: list[Path], folder: Path) -> tuple[float, dict[str, str]]:
    from foley.batch.work import run_item

    run_item(_items(videos[:1], folder.with_name("first"))[0])  # imports are nobody's cost
    items = _items(videos, folder)
    began_s = time.perf_counter()
    for item in items:
        assert run_item(item).good
    return time.perf_counter() - began_s, _sounds(folder)


def _run(
    address: str, videos: list[Path], folder: Path, then: Callable[[int], None]
) -> tuple[float, dict[str, str], float]:
    """Return how long it took, what was made, and the longest time between two results."""
    from foley.batch.on_cluster import run_on_cluster
    from foley.pipeline.cluster.config import ClusterConfig

    began_s = time.perf_counter()
    ends_s = [began_s]

    def told(outcome: Any) -> None:
        assert outcome.good, outcome.problem
        ends_s.append(time.perf_counter())
        then(len(ends_s) - 1)

    run_on_cluster(_items(videos, folder), ClusterConfig(address), on_outcome=told)
    gaps_s = [later - earlier for earlier, later in pairwise(ends_s)]
    return time.perf_counter() - began_s, _sounds(folder), max(gaps_s)


def _sounds(folder: Path) -> dict[str, str]:
    kept = [*folder.glob("*.foley/takes/*"), *folder.glob("*.foley/stems/*"), *folder.glob("*.mp4")]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def _cluster(folder: Path) -> tuple[Any, list[Any]]:
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "object_store_memory": OBJECTS_BYTES, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    return cluster, [cluster.add_node(num_cpus=1, object_store_memory=OBJECTS_BYTES) for _ in range(2)]


def _kill(node: Any) -> None:
    import psutil

    started = [psutil.Process(info.process.pid) for infos in node.all_processes.values() for info in infos]
    below = [child for process in started for child in process.children(recursive=True)]
    for process in [*started, *below]:
        process.kill()
