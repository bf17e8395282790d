"""Two machines of a Ray cluster, played by this one: each has a core, a GPU in name, and a cache folder of its own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from foley import api, plugins
from foley.batch.conduct import Options
from foley.batch.items import Item, Outcome
from foley.batch.summary import SOME_FAILED
from foley.batch.work import run_item
from foley.model import Brief
from tests import media_maker as make

pytest.importorskip("ray", reason="Ray is not installed")
pytest.importorskip("fsspec", reason="fsspec is not installed")

from foley.batch import on_cluster
from foley.pipeline.cluster.config import ClusterConfig
from foley.pipeline.cluster.drive import ClusterOptions

REPOSITORY = Path(__file__).parents[2]

VIDEOS = 6

OBJECTS_BYTES = 80 * 2**20
"""The least that Ray takes for objects: only references travel."""

FREE_S = 20.0
"""Ray counts what is free now and then; the time itself is not what is measured."""

GENERATOR = '''
"""Holds a model, in name; says in a file what it loads and makes."""
import os, time
from pathlib import Path
from tests.plugins.saboteur import HEAVY, Saboteur

class Telling(Saboteur):
    def prepare(self):
        tell("load")
    def generate(self, requests):
        tell("batch", *(str(request.event.seed) for request in requests))
        time.sleep(0.05)
        return super().generate(requests)

def tell(*words):
    with (Path(os.environ["TOLD"]) / str(os.getpid())).open("a") as file:
        file.write(" ".join(words) + "\\n")

def build(settings=None):
    return Telling("telling", HEAVY)
'''
ADVERTISED = {
    "METADATA": "Metadata-Version: 2.1\nName: telling\nVersion: 1.0\n",
    "entry_points.txt": "[foley.generators]\ntelling = telling_generator\n",
}


@dataclass
class Machines:
    """The cluster, and what its machines can be told."""

    cluster: Any
    address: str
    folder: Path
    nodes: list[Any]

    def add(self, name: str) -> None:
        """Start a machine with a cache folder of its own."""
        environment = {"FOLEY_CACHE": str(self.folder / name)}
        self.nodes.append(
            self.cluster.add_node(num_cpus=1, num_gpus=1, object_store_memory=OBJECTS_BYTES, env_vars=environment)
        )

    def kill_last(self) -> None:
        """End a machine as a failure of its power would: nothing is told, nothing is put away."""
        import psutil

        node = self.nodes.pop()
        started = [info.process.pid for infos in node.all_processes.values() for info in infos]
        below = [child for pid in started for child in psutil.Process(pid).children(recursive=True)]
        for process in [*map(psutil.Process, started), *below]:
            process.kill()
        self.cluster.worker_nodes.discard(node)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Install a generator that holds a model, also for what this process starts; give the folder it tells into."""
    place, told = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("told")
    (place / "telling_generator.py").write_text(GENERATOR)
    (place / "telling-1.0.dist-info").mkdir()
    for name, text in ADVERTISED.items():
        (place / "telling-1.0.dist-info" / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(place))
        paths = [str(place), str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
        patch.setenv("PYTHONPATH", os.pathsep.join(paths))
        patch.setenv("TOLD", str(told))
        plugins._advertised.cache_clear()
        yield told
    plugins._advertised.cache_clear()
    sys.modules.pop("telling_generator", None)


@pytest.fixture
def machines(cluster: Machines) -> Machines:
    """The cluster, with nothing kept on its machines from the test before."""
    for cache in cluster.folder.iterdir():
        shutil.rmtree(cache, ignore_errors=True)
    return cluster


@pytest.fixture(scope="module")
def cluster(told: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    import ray
    from ray.cluster_utils import Cluster

    folder = tmp_path_factory.mktemp("machines")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("RAY_USAGE_STATS_ENABLED", "RAY_memory_monitor_refresh_ms"):
            patch.setenv(name, "0")
        # a lost machine is noticed within seconds, not after the half minute that networks want
        patch.setenv("RAY_health_check_initial_delay_ms", "0")
        patch.setenv("RAY_health_check_period_ms", "500")
        patch.setenv("RAY_health_check_failure_threshold", "3")
        head = {"num_cpus": 0, "object_store_memory": OBJECTS_BYTES, "include_dashboard": False}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            machines = Machines(cluster, cluster.address, folder, [])
            for name in ("first", "second"):
                machines.add(name)
            ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
            yield machines
        finally:
            ray.shutdown()
            cluster.shutdown()


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("videos")
    return [make.moving(folder / f"v{number}.mp4", duration_s=1.0 + 0.1 * number) for number in range(VIDEOS)]


def items(videos: list[Path], folder: Path, *, generator: str = "telling") -> list[Item]:
    """Return an item for each video; every third needs no model."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        Item(
            number,
            video,
            folder / f"{video.stem}.out.mp4",
            Brief("0:00.5 a door slams", seed=number, generator=generator if number % 3 else "auto"),
        )
        for number, video in enumerate(videos, 1)
    ]


@pytest.fixture(scope="module")
def alone(told: Path, videos: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same items, each run by itself in this process."""
    folder = tmp_path_factory.mktemp("alone")
    for item in items(videos, folder / "finished"):
        outcome = run_item(replace(item, settings=api.Settings(workdir=folder / "cache")))
        assert outcome.good, outcome.problem
    return folder / "finished"


def sounds(folder: Path) -> dict[str, str]:
    """Return what tells each take and stem from another, and the finished videos' streams."""
    kept = [*folder.glob("*.foley/takes/*"), *folder.glob("*.foley/stems/*"), *folder.glob("*.mp4")]
    assert kept
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def lines(told: Path) -> list[str]:
    return [line for file in told.iterdir() for line in file.read_text().splitlines()]


@pytest.fixture
def heard(told: Path, alone: Path) -> Callable[[], list[str]]:
    """Return what the generator told since the test began."""
    before = len(lines(told))
    files = {file: len(file.read_text().splitlines()) for file in told.iterdir()}
    assert before == sum(files.values())
    return lambda: [line for file in told.iterdir() for line in file.read_text().splitlines()[files.get(file, 0) :]]


def done(items: list[Item], machines: Machines, shared: str, **more: Any) -> list[Outcome]:
    outcomes: list[Outcome] = []
    then = more.pop("then", lambda outcomes: None)

    def take(outcome: Outcome) -> None:
        outcomes.append(outcome)
        then(outcomes)

    on_cluster.run_on_cluster(items, ClusterConfig(machines.address, shared, **more), on_outcome=take)
    return outcomes


def test_two_machines_make_what_one_run_after_another_makes_bit_for_bit(
    machines: Machines,
    videos: list[Path],
    alone: Path,
    tmp_path: Path,
    heard: Callable[[], list[str]],
) -> None:
    wanted = items(videos, tmp_path / "finished")
    absent = Item(100, tmp_path / "absent.mp4", tmp_path / "absent.out.mp4")
    batch = on_cluster.run([*wanted, absent], ClusterConfig(machines.address, f"file://{tmp_path}/shared"))
    *outcomes, missing = batch.outcomes
    assert [outcome.problem for outcome in outcomes if not outcome.good] == []
    assert [outcome.number for outcome in outcomes] == [item.number for item in wanted]
    assert missing.problem is not None
    assert missing.problem.kind == "NotAMediaFileError"
    assert batch.exit_code == SOME_FAILED
    assert sounds(tmp_path / "finished") == sounds(alone)
    told = Counter(line.split()[0] for line in heard())
    assert told["load"] <= 2  # one actor on each machine: none loads for every video
    made = [seed for line in heard() if line.startswith("batch") for seed in line.split()[1:]]
    assert len(made) == len(set(made)) >= sum(item.brief.generator == "telling" for item in wanted)


def test_a_machine_that_is_lost_in_the_middle_costs_no_video_and_no_second_one(
    machines: Machines, videos: list[Path], alone: Path, tmp_path: Path
) -> None:
    wanted = items(videos, tmp_path / "finished")

    def kill(outcomes: list[Outcome]) -> None:
        if len(outcomes) == 2:
            machines.kill_last()

    try:
        outcomes = done(
            wanted,
            machines,
            f"file://{tmp_path}/shared",
            options=ClusterOptions(gpus=0.5, actors=2, in_flight=4),
            then=kill,
        )
    finally:
        machines.add("second")
    assert [outcome.problem for outcome in outcomes if not outcome.good] == []
    assert sorted(outcome.number for outcome in outcomes) == [item.number for item in wanted]
    assert sounds(tmp_path / "finished") == sounds(alone)
    manifests = [json.loads(path.read_text()) for path in (tmp_path / "finished").glob("*.foley/manifest.json")]
    assert len(manifests) == len(wanted)
    assert not list((tmp_path / "finished").glob(".*"))  # nothing half-written is left


def test_a_time_limit_ends_what_is_overdue_and_changes_nothing_for_the_others(
    machines: Machines, videos: list[Path], alone: Path, tmp_path: Path
) -> None:
    config = ClusterConfig(machines.address, f"file://{tmp_path}/shared")
    done = on_cluster.run(items(videos[:2], tmp_path / "finished"), config, Options(timeout_s=300.0))
    assert [outcome.problem for outcome in done.outcomes] == [None, None]
    made, wanted = sounds(tmp_path / "finished"), sounds(alone)
    assert made == {name: wanted[name] for name in made}
    (late,) = on_cluster.run(items(videos[2:3], tmp_path / "late"), config, Options(timeout_s=0.01, retries=0)).outcomes
    assert (late.problem and late.problem.kind) == "Overdue"
    assert not list((tmp_path / "late").glob("*.mp4"))


def test_no_more_items_are_under_way_than_allowed_and_what_is_finished_is_not_done_again(
    machines: Machines, videos: list[Path], alone: Path, heard: Callable[[], list[str]]
) -> None:
    finished = items(videos, alone)
    begun, most = 0, 0
    outcomes: list[Outcome] = []

    def given() -> Iterator[Item]:
        nonlocal begun, most
        for item in [*finished, *(replace(item, number=item.number + 100) for item in finished)]:
            begun += 1
            most = max(most, begun - len(outcomes))
            yield item

    config = ClusterConfig(machines.address, options=ClusterOptions(in_flight=3))
    on_cluster.run_on_cluster(given(), config, on_outcome=outcomes.append)
    assert most == 3
    assert len(outcomes) == 2 * len(finished)
    assert {outcome.state for outcome in outcomes} == {"known"}
    assert heard() == []


def test_a_batch_that_is_interrupted_leaves_the_cluster_free_and_goes_on_where_it_was(
    machines: Machines, videos: list[Path], alone: Path, tmp_path: Path, heard: Callable[[], list[str]]
) -> None:
    import ray

    wanted = items(videos[:3], tmp_path / "finished")

    def interrupt(outcomes: list[Outcome]) -> None:
        raise KeyboardInterrupt

    shared = f"file://{tmp_path}/shared"
    with pytest.raises(KeyboardInterrupt):
        done(wanted, machines, shared, then=interrupt)
    outcomes = done(wanted, machines, shared)
    assert all(outcome.good for outcome in outcomes)
    assert "known" in {outcome.state for outcome in outcomes}
    made = sounds(tmp_path / "finished")
    assert made.items() <= sounds(alone).items()
    until_s = time.monotonic() + FREE_S
    while not (free := _all_is_free(ray)) and time.monotonic() < until_s:
        time.sleep(0.1)
    assert free


def _all_is_free(ray: Any) -> bool:
    free = ray.available_resources()
    return (free.get("CPU"), free.get("GPU")) == (2.0, 2.0)
