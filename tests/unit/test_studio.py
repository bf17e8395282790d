"""A generator at work: batches as large as fit, nobody fails for another, and nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from foley import plugins
from foley.contracts import GeneratorSettings, SoundRequest
from foley.errors import DeviceMemoryError, GenerationError, MissingWeightsError
from foley.model import Audio, Hit, SoundEvent
from foley.render import generators
from foley.render.patience import OverdueError, Patience, StoppedError
from foley.render.studio import MOST_AT_ONCE, Studio
from tests.plugins import saboteur
from tests.plugins.saboteur import BATCHES, HEAVY, Saboteur

SABOTEURS = Path(saboteur.__file__).parent / "generators"

WAIT_S = 30.0
"""A test that waits longer than this has found a deadlock."""

KNOCK = SoundEvent(
    id="e1",
    label="knock",
    kind="hits",
    bus="foley",
    start_s=0.0,
    end_s=0.0,
    because="",
    hits=(Hit(0.0),),
)


@pytest.fixture(autouse=True)
def saboteurs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generators, "__path__", [str(SABOTEURS)])
    # as torch would say: it takes long to import
    monkeypatch.setattr("foley.neural.runtime.device", lambda wanted: "cpu")
    monkeypatch.setattr("foley.neural.memory.free_mb", lambda device: 16_000)
    saboteur.ASKED.clear()
    BATCHES.clear()


@pytest.fixture
def let_go() -> Iterator[threading.Event]:
    """Let what hangs go when the test is over."""
    module = plugins.importlib.import_module("foley.render.generators.hangs")
    module.LET_GO.clear()
    yield module.LET_GO
    module.LET_GO.set()


def request(seed: int, duration_s: float = 0.5, **parameters: float) -> SoundRequest:
    return SoundRequest(replace(KNOCK, parameters=parameters), 0.0, duration_s, np.random.default_rng(seed))


def studio(name: str, *, batch: int = 8, **settings: float) -> Studio:
    given = GeneratorSettings(**settings)  # type: ignore[arg-type]
    return Studio(name, plugins.build("generator", name, given), given, batch=batch)


def asked_by_all(one: Studio, durations_s: Sequence[float], **parameters: float) -> list[list[Audio] | GenerationError]:
    """Return what so many threads get that each ask for one sound, all at the same time."""

    def ask(seed: int, duration_s: float) -> list[Audio] | GenerationError:
        try:
            return one.sounds(lambda: [request(seed, duration_s, **parameters)])
        except GenerationError as error:
            return error
        finally:
            one.leave()

    one.enter(len(durations_s))
    with ThreadPoolExecutor(len(durations_s)) as pool:
        asked = [pool.submit(ask, seed, duration_s) for seed, duration_s in enumerate(durations_s)]
        return [future.result(WAIT_S) for future in asked]


@dataclass
class Scripted(Saboteur):
    """Raises what a script says, batch by batch; then it works."""

    script: list[BaseException | None] = field(default_factory=list)

    def generate(self, requests: Sequence[SoundRequest]) -> list[Audio]:
        raised = self.script.pop(0) if self.script else None
        if raised is not None:
            BATCHES.append([request.duration_s for request in requests])
            raise raised
        return super().generate(requests)


def test_all_who_ask_come_into_one_batch() -> None:
    asked_by_all(studio("heavy_batcher"), [0.5] * 7)
    assert [len(batch) for batch in BATCHES] == [7]


def test_who_leaves_is_waited_for_no_more() -> None:
    one = studio("heavy_batcher")
    one.enter(2)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(one.sounds, lambda: [request(1)])
        one.leave()
        assert len(asked.result(WAIT_S)) == 1


def test_sounds_of_similar_length_are_made_together_the_longest_first() -> None:
    asked_by_all(studio("heavy_batcher"), [0.5, 4.0, 0.6, 3.0, 0.4])
    assert BATCHES == [[4.0, 3.0], [0.6, 0.5, 0.4]]


def test_a_batch_is_as_large_as_fits_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foley.neural.memory.free_mb", lambda device: 1000)
    asked_by_all(studio("heavy_batcher"), [2.0] * 9)  # 200 MB each, of 800 that may be used
    assert [len(batch) for batch in BATCHES] == [4, 4, 1]


def test_what_does_not_say_what_a_sound_needs_is_asked_for_so_many_as_is_told() -> None:
    asked_by_all(studio("batch_dependent", batch=3), [1.0] * 7)
    assert [len(batch) for batch in BATCHES] == [3, 3, 1]


def test_out_of_memory_halves_the_batch_and_what_worked_is_remembered() -> None:
    one = studio("out_of_memory")
    assert all(isinstance(made, list) for made in asked_by_all(one, [1.0] * 8))
    assert [len(batch) for batch in BATCHES] == [8, 4, 2, 2, 2, 2]
    BATCHES.clear()
    asked_by_all(one, [1.0] * 5)
    assert [len(batch) for batch in BATCHES] == [2, 2, 1]


def test_what_does_not_even_fit_alone_fails_and_says_that_it_is_memory() -> None:
    made = asked_by_all(studio("out_of_memory"), [1.0] * 2, room=0)
    assert all(isinstance(one, DeviceMemoryError) for one in made)


def test_what_weights_lack_is_told_with_what_gets_them() -> None:
    gone = MissingWeightsError("m", "gone", "foley models get m")
    (made,) = asked_by_all(Studio("scripted", Scripted("scripted", HEAVY, script=[gone, gone])), [1.0])
    assert isinstance(made, GenerationError)
    assert made.message.endswith("scripted: failed: the weights of m cannot be used: gone: foley models get m")


def test_pythons_own_lack_of_memory_is_one_too() -> None:
    one = Studio("scripted", Scripted("scripted", HEAVY, script=[MemoryError()]))
    assert all(isinstance(made, list) for made in asked_by_all(one, [1.0] * 2))
    assert [len(batch) for batch in BATCHES] == [2, 1, 1]


def test_a_sound_that_is_not_as_asked_for_costs_its_batch_mates_nothing() -> None:
    def spoil(audio: Audio, asked: SoundRequest) -> Audio:
        return audio if asked.duration_s != 0.6 else Audio(audio.samples[:, :-1], audio.rate_hz)

    made = asked_by_all(Studio("spoilt", Saboteur("spoilt", HEAVY, spoil)), [0.5, 0.6, 0.7])
    assert [isinstance(one, GenerationError) for one in made] == [False, True, False]
    assert len(BATCHES) == 1


def test_what_may_help_is_tried_once_more_and_no_oftener() -> None:
    busy = GenerationError("e", "scripted", "busy", retryable=True)
    one = Studio("scripted", Scripted("scripted", HEAVY, script=[busy]))
    assert len(one.sounds(lambda: [request(1)])) == 1
    two = Studio("scripted", Scripted("scripted", HEAVY, script=[busy, busy, busy]))
    with pytest.raises(GenerationError, match="busy"):
        two.sounds(lambda: [request(1)])


def test_a_sound_does_not_depend_on_how_it_was_batched() -> None:
    def made(name: str, *, batch: int, room: int) -> list[np.ndarray]:
        found = asked_by_all(studio(name, batch=batch), [0.5, 0.7, 0.6], room=room)
        return [audio.samples for one in found if isinstance(one, list) for audio in one]

    for name in ("out_of_memory", "heavy_batcher"):
        alone, together, cramped = made(name, batch=1, room=9), made(name, batch=9, room=9), made(name, batch=9, room=1)
        for one, another, third in zip(alone, together, cramped, strict=True):
            np.testing.assert_array_equal(one, another)
            np.testing.assert_array_equal(one, third)
    # the same comparison finds a generator that breaks its promise
    alone, together = (made("batch_dependent", batch=batch, room=9) for batch in (1, 9))
    assert not all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


def test_one_that_hangs_is_given_up_with_all_who_wait_and_never_asked_again(let_go: threading.Event) -> None:
    one = studio("hangs", time_limit_s=0.05)
    made = asked_by_all(one, [0.5] * 3)
    assert all(isinstance(error, GenerationError) and "gave nothing within 0.15 s" in str(error) for error in made)
    with pytest.raises(GenerationError, match="gave nothing"):
        one.sounds(lambda: [request(1)])
    assert not BATCHES


def test_who_waits_for_one_that_hangs_can_be_stopped(let_go: threading.Event) -> None:
    one = studio("hangs", time_limit_s=600.0)
    with ThreadPoolExecutor(2) as pool:
        one.enter(2)
        asked = [pool.submit(one.sounds, lambda: [request(1)]) for _ in range(2)]
        one.stop()
        for future in asked:
            with pytest.raises(GenerationError, match="was stopped"):
                future.result(WAIT_S)


def test_a_light_generator_is_asked_by_several_at_once() -> None:
    meeting = threading.Barrier(2, timeout=WAIT_S)

    def meet(audio: Audio, asked: SoundRequest) -> Audio:
        meeting.wait()
        return audio

    one = Studio("light", Saboteur("light", spoil=meet))
    assert all(isinstance(made, list) for made in asked_by_all(one, [0.5, 0.5]))


def test_what_goes_wrong_in_preparing_goes_wrong_at_once_the_next_time() -> None:
    tries = []

    class Unready(Saboteur):
        def prepare(self) -> None:
            tries.append(1)
            raise ImportError("no such library")

    one = Studio("unready", Unready("unready", HEAVY))
    made = asked_by_all(one, [0.5] * 4)
    assert all(isinstance(error, GenerationError) and "no such library" in str(error) for error in made)
    assert len(tries) == 1


def test_no_more_sounds_wait_for_a_generator_than_are_of_use() -> None:
    one = studio("out_of_memory", batch=1000)
    one.sounds(lambda: [request(seed, 0.1, room=1000) for seed in range(MOST_AT_ONCE + 6)])
    assert [len(batch) for batch in BATCHES] == [MOST_AT_ONCE, 6]


def test_work_is_done_in_a_thread_that_is_kept() -> None:
    patience = Patience("test")
    threads = {patience.wait_for(threading.get_ident, WAIT_S) for _ in range(3)}
    assert len(threads) == 1
    assert threads != {threading.get_ident()}
    with pytest.raises(ZeroDivisionError):
        patience.wait_for(lambda: 1 // 0, WAIT_S)
    assert patience.wait_for(threading.get_ident, WAIT_S) in threads
    patience.stop()


def test_a_timeout_of_the_work_itself_is_no_lack_of_patience() -> None:
    def work() -> None:
        raise TimeoutError("the service did not answer")

    patience = Patience("test")
    with pytest.raises(TimeoutError, match="the service"):
        patience.wait_for(work, WAIT_S)
    patience.stop()


def test_what_was_given_up_neither_blocks_nor_answers_the_next() -> None:
    patience, gate = Patience("test"), threading.Event()
    with pytest.raises(OverdueError):
        patience.wait_for(lambda: gate.wait(WAIT_S), 0.02)
    assert patience.wait_for(lambda: "next", WAIT_S) == "next"
    gate.set()
    patience.stop()
    with pytest.raises(StoppedError):
        patience.wait_for(lambda: "too late", WAIT_S)
