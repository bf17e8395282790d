"""A cluster's parts without a cluster: models that are held, actors that are lost, errors that are told."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from foley import api
from foley.batch import on_cluster
from foley.batch.conduct import Options
from foley.batch.items import Item, Outcome, Problem
from foley.batch.limits import Limits
from foley.batch.model_maker import ModelMaker, orders_for
from foley.batch.summary import NONE_DONE
from foley.batch.work import failed
from foley.contracts import Context
from foley.errors import MissingProgramError, OptionError, PlanError, ServiceError
from foley.model import Brief, ClipIdentity, Hit, Reasoning, SoundEvent, SoundPlan, Takes
from foley.pipeline.cache import Cache
from foley.pipeline.cluster import config, door
from foley.pipeline.cluster.config import ClusterConfig
from foley.pipeline.cluster.drive import ClusterOptions, Work, run_on_cluster
from foley.pipeline.cluster.orders import Casting, Order
from foley.pipeline.cluster.pool import MOST_ORDERS, Pool
from foley.pipeline.cluster.tier import Place, Tier
from foley.pipeline.workflow import folder
from foley.render import generators
from foley.render.takes import TakesOptions, takes
from tests import media_maker as make
from tests.plugins import saboteur
from tests.plugins.saboteur import BATCHES, CLIP, Saboteur

PATIENCE_S = 60.0
"""For threads to come so far on a busy machine; nothing waits for ever where one fails."""

SABOTEURS = Path(saboteur.__file__).parent / "generators"

KNOCK = SoundEvent(
    id="e1",
    label="knock",
    kind="hits",
    bus="foley",
    start_s=1.0,
    end_s=1.5,
    because="a hand meets a door",
    hits=(Hit(1.0, 1.0),),
    prompt="knock on wood",
    seed=7,
)

OPTIONS = TakesOptions(generator="heavy_batcher")

HEAVY = Casting("heavy_batcher", OPTIONS)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The saboteurs are the generators; every load of one is noted here."""
    loads: list[str] = []
    monkeypatch.setattr(generators, "__path__", [str(SABOTEURS)])
    monkeypatch.setattr("foley.neural.runtime.device", lambda wanted: "cpu")
    monkeypatch.setattr("foley.neural.memory.free_mb", lambda device: 16_000)
    monkeypatch.setattr(Saboteur, "prepare", lambda self: loads.append(self.name))
    BATCHES.clear()
    return loads


def knocks(first: int, count: int) -> tuple[SoundEvent, ...]:
    return tuple(replace(KNOCK, id=f"e{seed}", seed=seed) for seed in range(first, first + count))


def plan_of(events: tuple[SoundEvent, ...]) -> SoundPlan:
    identity = ClipIdentity("clip.mp4", "key", CLIP.duration_s, CLIP.video.frame_rate)
    return SoundPlan(identity, (), (), Reasoning("", "", "", ""), events)


def test_a_model_is_loaded_once_for_many_videos_and_the_run_of_each_finds_its_takes(
    loads: list[str], ctx: Context, tmp_path: Path
) -> None:
    maker = ModelMaker(HEAVY, Place(tmp_path / "cache"))
    clips = [replace(CLIP, key=f"clip{number}") for number in range(3)]
    plans = [knocks(10 * number, 3) for number in range(3)]
    made = [maker.make(Order(HEAVY, clip, events)) for clip, events in zip(clips, plans, strict=True)]
    assert loads == ["heavy_batcher"]
    assert [len(one.records) for one in made] == [3, 3, 3]
    assert all((tmp_path / "cache" / record).is_dir() for one in made for record in one.records)
    asked = len(saboteur.ASKED)
    context = Cache(tmp_path / "cache").context()
    for clip, events in zip(clips, plans, strict=True):
        found: Takes = takes(plan_of(events), clip, OPTIONS, context)
        assert len(found.items) == 3
    assert len(saboteur.ASKED) == asked
    assert loads == ["heavy_batcher"]


def test_what_several_videos_want_at_once_comes_in_shared_batches(
    loads: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def prepare(self: Saboteur) -> None:
        entered.set()
        assert go_on.wait(PATIENCE_S)

    monkeypatch.setattr(Saboteur, "prepare", prepare)
    maker = ModelMaker(HEAVY, Place(tmp_path))
    orders = [Order(HEAVY, replace(CLIP, key=f"clip{number}"), knocks(10 * number, 2)) for number in range(4)]
    threads = [threading.Thread(target=maker.make, args=[order]) for order in orders]
    threads[0].start()
    assert entered.wait(PATIENCE_S)
    for thread in threads[1:]:
        thread.start()
    waiting = maker._studio
    until_s = time.monotonic() + PATIENCE_S
    while len(waiting._waiting) < 6 and time.monotonic() < until_s:
        time.sleep(0.01)
    go_on.set()
    for thread in threads:
        thread.join()
    assert [len(batch) for batch in BATCHES] == [2, 6]  # the first video's, then those of the three others together


def test_a_take_that_cannot_be_made_spoils_no_other(loads: list[str], tmp_path: Path) -> None:
    maker = ModelMaker(HEAVY, Place(tmp_path))
    broken = replace(KNOCK, id="broken", hits=(), seed=99)
    made = maker.make(Order(HEAVY, CLIP, (broken, *knocks(1, 2))))
    assert len(made.records) == 2
    assert made.failures == ("heavy_batcher cannot make what has no hits or lasts no time",)


def test_only_what_a_model_makes_is_ordered_of_models(loads: list[str]) -> None:
    events = (
        replace(KNOCK, id="a", generator="heavy_batcher"),
        replace(KNOCK, id="b", generator="faithful"),
        replace(KNOCK, id="c", generator="learned"),
        replace(KNOCK, id="d", generator="learned", muted=True),
        replace(KNOCK, id="e", generator="heavy_batcher"),
    )
    orders = orders_for(plan_of(events), CLIP, TakesOptions())
    wanted = {order.casting.generator: [event.id for event in order.events] for order in orders}
    assert wanted == {"heavy_batcher": ["a", "e"], "learned": ["c"]}


def test_where_nobody_can_make_an_event_its_own_run_says_so(loads: list[str]) -> None:
    assert orders_for(plan_of((replace(KNOCK, generator="nobody"),)), CLIP, TakesOptions()) == ()


@dataclass(eq=False)
class Method:
    """A method of an actor; what it is asked waits until the test answers."""

    asked: list[Any] = field(default_factory=list)

    def remote(self, *given: Any) -> object:
        reference = (self, given, object())
        self.asked.append(reference)
        return reference


@dataclass(eq=False)
class Actor:
    ready: Method = field(default_factory=Method)
    make: Method = field(default_factory=Method)


@dataclass
class Desk:
    """Stands for the driver: the test says what comes of what was asked."""

    told: dict[Any, Callable[[Any, Exception | None], None]] = field(default_factory=dict)
    results: list[tuple[Any, Exception | None]] = field(default_factory=list)

    def watch(self, reference: Any, tell: Callable[[Any, Exception | None], None]) -> None:
        self.told[reference] = tell

    def answer(self, method: Method, value: Any = None, error: Exception | None = None) -> None:
        self.told.pop(method.asked.pop(0))(value, error)

    def ask(self, pool: Pool, count: int) -> None:
        for number in range(count):
            pool.ask(number, lambda value, error: self.results.append((value, error)))


@pytest.fixture
def lost() -> Exception:
    exceptions = pytest.importorskip("ray.exceptions", reason="Ray is not installed")
    return exceptions.ActorDiedError()


def test_work_goes_to_actors_that_answer_and_no_more_than_they_can_take() -> None:
    desk, actors = Desk(), [Actor(), Actor()]
    pool = Pool(actors, desk.watch, retries=1)
    desk.ask(pool, 3 * MOST_ORDERS)
    assert not actors[0].make.asked
    desk.answer(actors[0].ready, True)
    assert len(actors[0].make.asked) == MOST_ORDERS
    desk.answer(actors[1].ready, True)
    assert len(actors[1].make.asked) == MOST_ORDERS
    desk.answer(actors[1].make, "made")
    assert len(actors[1].make.asked) == MOST_ORDERS  # the next takes the room
    assert desk.results == [("made", None)]


def test_what_is_lost_with_an_actor_is_asked_of_another_and_alone(lost: Exception) -> None:
    desk, actors = Desk(), [Actor(), Actor()]
    pool = Pool(actors, desk.watch, retries=2)
    for actor in actors:
        desk.answer(actor.ready, True)
    desk.ask(pool, 4)
    assert [len(actor.make.asked) for actor in actors] == [2, 2]
    for _ in range(2):
        desk.answer(actors[0].make, error=lost)
    assert len(actors[0].ready.asked) == 1  # asked whether it is back, once
    for _ in range(2):
        desk.answer(actors[1].make, "made")
    assert len(actors[1].make.asked) == 1  # alone: the other that was lost waits
    desk.answer(actors[1].make, "made")
    desk.answer(actors[1].make, "made")
    assert desk.results == [("made", None)] * 4


def test_what_ends_every_actor_is_given_up(lost: Exception) -> None:
    desk, actor = Desk(), Actor()
    pool = Pool([actor], desk.watch, retries=2)
    desk.ask(pool, 1)
    for _ in range(3):
        desk.answer(actor.ready, True)
        desk.answer(actor.make, error=lost)
    assert desk.results == [(None, lost)]


def test_where_no_actor_can_be_made_nobody_waits(lost: Exception) -> None:
    desk, actors = Desk(), [Actor(), Actor()]
    pool = Pool(actors, desk.watch, retries=2)
    desk.ask(pool, 2)
    for actor in actors:
        desk.answer(actor.ready, error=lost)
    assert desk.results == [(None, lost)] * 2
    desk.ask(pool, 1)
    assert len(desk.results) == 3


def test_an_error_of_the_work_itself_is_told_as_it_was() -> None:
    exceptions = pytest.importorskip("ray.exceptions", reason="Ray is not installed")
    error = PlanError("the plan is odd", hint="mend it")
    around = exceptions.RayTaskError("work", "traceback", error).as_instanceof_cause()
    assert door.told(around, "v.mp4") is error
    assert not door.lost(around)
    gone = door.told(exceptions.WorkerCrashedError(), "v.mp4")
    assert isinstance(gone, ServiceError)
    assert "v.mp4 was lost" in gone.message
    assert door.lost(exceptions.NodeDiedError("gone"))


def test_without_ray_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingProgramError) as raised, door.joined("local"):
        pass
    assert "foley-pipeline[cluster]" in raised.value.hint


def test_a_cluster_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray", reason="Ray is not installed")

    def refuse(**how: object) -> None:
        raise ConnectionError("Could not find any running Ray instance.\nAnd more.")

    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(ServiceError) as raised, door.joined("auto"):
        pass
    assert raised.value.message == "no Ray cluster answers at auto: Could not find any running Ray instance."
    assert "ray start --head" in raised.value.hint


def test_a_file_says_which_cluster_and_how_it_is_used(tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text("schema: foley.cluster/1\naddress: ray://head:10001\nshared: s3://b/f\ngpus: 0.5\nactors: 4\n")
    said = config.load(str(file))
    assert said == ClusterConfig("ray://head:10001", "s3://b/f", options=ClusterOptions(gpus=0.5, actors=4))
    assert config.load("ray://head:10001") == ClusterConfig("ray://head:10001")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("gpu: 1", "unknown field 'gpu'"),
        ("gpus: -2", "gpus must be 0 or more"),
        ("actors: 1.5", "actors must be a whole number"),
        ("actors: many", "actors cannot be 'many'"),
        ("address: 7", "address cannot be 7"),
        ("schema: foley.plan/1", "schema must be"),
        ("a: [", "cannot read"),
    ],
)
def test_a_file_with_a_fault_is_refused(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_text(f"schema: foley.cluster/1\n{line}\n")
    with pytest.raises(OptionError) as raised:
        config.load(str(file))
    assert said in raised.value.message
    assert str(file) in raised.value.message


@pytest.mark.parametrize("name", ["laptop", "workstation", "farm"])
def test_the_examples_can_be_used(name: str) -> None:
    assert config.load(str(folder() / "cluster" / f"{name}.yaml")).options.retries > 0


def test_the_parts_can_be_imported_without_ray() -> None:
    script = (
        "import sys\nsys.modules['ray'] = None\nimport foley.batch.on_cluster\n"
        "assert not {'torch', 'fsspec'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@dataclass(eq=False)
class Remote:
    """A function that Ray was given; it is run when its result is waited for."""

    function: Callable[..., Any]

    def remote(self, *given: Any) -> Any:
        return object.__new__(type("Reference", (), {"result": lambda one: self.function(*given)}))


class Ray:
    """As much of Ray as the driver uses, in one thread: what was asked last is done first."""

    class exceptions:  # noqa: N801 - as Ray names it
        RayError = KeyError

    def remote(self, **how: object) -> Callable[[Callable[..., Any]], Remote]:
        return Remote

    def wait(self, references: list[Any], num_returns: int) -> tuple[list[Any], list[Any]]:
        return references[-1:], references[:-1]

    def get(self, reference: Any) -> Any:
        return reference.result()

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 3.0}


@pytest.mark.parametrize(("options", "most"), [(ClusterOptions(in_flight=2), 2), (ClusterOptions(), 6)])
def test_items_are_only_taken_as_they_can_be_begun(
    options: ClusterOptions, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def joined(address: str) -> Iterator[Ray]:
        yield Ray()

    monkeypatch.setattr(door, "joined", joined)
    taken, results = 0, []
    under_way = []

    def given() -> Iterator[int]:
        nonlocal taken
        for item in range(20):
            taken += 1
            under_way.append(taken - len(results))
            yield item

    work: Work[int, int] = Work(lambda item: item * item, lambda item, made: 0, lambda casting: None)
    run_on_cluster("auto", given(), work, options=options, on_result=lambda item, value: results.append((item, value)))
    assert sorted(results) == [(item, item * item) for item in range(20)]
    assert max(under_way) == most


@pytest.mark.parametrize(
    "wrong", [{"in_flight": -1}, {"cpus": 0.0}, {"gpus": -0.5}, {"gpus": 1.5}, {"retries": -1}, {"actors": -1}]
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ClusterOptions(**wrong)


VIDEO = Path("v.mp4")


def cluster_of_this_process(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Have a cluster's work done at once by this process; return the numbers of the items of every round."""
    rounds: list[list[int]] = []

    def drive(address: str, given: Iterator[Item], work: Work[Item, Outcome], **more: Any) -> None:
        rounds.append([])
        for item in given:
            rounds[-1].append(item.number)
            more["on_result"](item, work.begin(item))

    @contextmanager
    def joined(address: str) -> Iterator[None]:
        yield

    monkeypatch.setattr(on_cluster, "drive", drive)
    monkeypatch.setattr(door, "joined", joined)
    return rounds


def test_what_asks_for_the_same_or_writes_to_the_same_place_is_not_done_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = cluster_of_this_process(monkeypatch)
    wanted = [
        Item(1, VIDEO, tmp_path / "a.mp4"),
        Item(2, VIDEO, tmp_path / "b.mp4"),
        Item(3, Path("w.mp4"), tmp_path / "a.mp4"),
        Item(4, Path("w.mp4"), tmp_path / "c.mp4", Brief("rain")),
    ]
    batch = on_cluster.run(wanted, ClusterConfig("auto"))
    assert rounds == [[1, 4], [2, 3]]
    assert [outcome.number for outcome in batch.outcomes] == [1, 2, 3, 4]
    assert {outcome.problem.kind for outcome in batch.outcomes if outcome.problem} == {"NotAMediaFileError"}
    assert batch.exit_code == NONE_DONE


def test_what_may_help_is_tried_again_and_no_oftener_than_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = cluster_of_this_process(monkeypatch)
    tired = Problem("GenerationError", "busy", again=True)
    monkeypatch.setattr(on_cluster, "run_item", lambda item, **told: failed(item, tired))
    batch = on_cluster.run([Item(1, VIDEO, Path("a.mp4"))], ClusterConfig("auto"), Options(retries=2))
    assert rounds == [[1], [1], [1]]
    assert batch.outcomes[0].attempts == 3


def test_the_first_failure_ends_the_batch_where_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = cluster_of_this_process(monkeypatch)
    wanted = [Item(number, VIDEO, tmp_path / f"{number}.mp4", Brief(str(number))) for number in (1, 2, 3)]
    batch = on_cluster.run(wanted, ClusterConfig("auto"), Options(fail_fast=True))
    assert rounds == [[1]]
    assert [outcome.state for outcome in batch.outcomes] == ["failed", "skipped", "skipped"]


def test_a_video_that_takes_too_long_on_a_cluster_is_tried_again_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = cluster_of_this_process(monkeypatch)
    asked: list[tuple[Limits, Any]] = []
    late = Problem("Overdue", "a stage took longer than 2 s, at takes", again=True)

    def done_within(limits: Limits, work: Callable[..., Any]) -> Any:
        asked.append((limits, pickle.loads(pickle.dumps(work))))
        return late if len(asked) < 3 else asked[-1][1](lambda now: None)

    monkeypatch.setattr(on_cluster, "done_within", done_within)
    video = make.moving(tmp_path / "v.mp4", duration_s=0.4)
    wanted = [
        Item(number, video, tmp_path / f"{number}.mp4", Brief(seed=number), api.Settings(workdir=tmp_path / "cache"))
        for number in (1, 2)
    ]
    limits = Options(timeout_s=9.0, stage_timeout_s=2.0, retries=0)
    batch = on_cluster.run(wanted[:1], ClusterConfig("auto"), limits)
    assert [outcome.problem for outcome in batch.outcomes] == [late]
    batch = on_cluster.run(wanted, ClusterConfig("auto"), replace(limits, retries=1))
    assert rounds == [[1], [1, 2], [1]]
    assert [(one.state, one.attempts) for one in batch.outcomes] == [("done", 2), ("done", 1)]
    assert {said for said, _ in asked} == {Limits(9.0, 2.0)}


def test_where_the_storage_does_not_answer_no_machine_loads_the_model_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fsspec", reason="fsspec is not installed")

    def fails(self: Tier, key: str, *given: Path) -> bool:
        raise ServiceError("the shared storage s3://b cannot be used: no route")

    monkeypatch.setattr(Tier, "pull", fails)
    cluster_of_this_process(monkeypatch)
    monkeypatch.setattr(on_cluster, "run_item", lambda item, **told: pytest.fail("it was run all the same"))
    video = make.moving(tmp_path / "v.mp4", duration_s=0.4)
    config = ClusterConfig("auto", f"file://{tmp_path}/shared", tmp_path / "cache")
    (outcome,) = on_cluster.run([Item(1, video, tmp_path / "o.mp4")], config).outcomes
    assert outcome.problem is not None
    assert outcome.problem.kind == "ServiceError"
