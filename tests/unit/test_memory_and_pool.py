"""Memory of devices: what is free, what fits, what a lack of it becomes; and models that are held once."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from foley.errors import DeviceMemoryError, OptionError
from foley.neural import memory, pool


class Model:
    """Stands for a model."""


@pytest.fixture(autouse=True)
def empty_pool() -> Iterator[None]:
    pool.clear()
    yield
    pool.clear()


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Set how much a device holds in all; what the pool holds is taken from it."""

    def of(total_mb: int) -> None:
        monkeypatch.setattr(memory, "free_mb", lambda device: total_mb - sum(pool.held().values()))

    of(10_000)
    return of


def loader(loaded: list[str], name: str) -> Callable[[], Model]:
    def load() -> Model:
        loaded.append(name)
        return Model()

    return load


def test_free_memory_is_what_the_kernel_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:  8000000 kB\nMemFree:  100 kB\nMemAvailable:  3072000 kB\n")
    monkeypatch.setattr(memory, "MEMORY_INFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "CONTROL_GROUP", tmp_path)
    assert memory.free_mb("cpu") == 3000


def test_a_container_may_leave_less(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemAvailable:  3072000 kB\n")
    (tmp_path / "memory.max").write_text(f"{500 << 20}\n")
    (tmp_path / "memory.current").write_text(f"{300 << 20}\n")
    monkeypatch.setattr(memory, "MEMORY_INFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "CONTROL_GROUP", tmp_path)
    assert memory.free_mb("cpu") == 200
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.free_mb("cpu") == 3000


def test_without_linux_figures_there_is_still_an_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory, "MEMORY_INFO", tmp_path / "absent")
    monkeypatch.setattr(memory, "CONTROL_GROUP", tmp_path)

    def sysconf(name: str) -> int:
        figures = {"SC_PHYS_PAGES": 1 << 20, "SC_PAGE_SIZE": 4096}
        if name not in figures:
            raise ValueError("unrecognized configuration name")
        return figures[name]

    monkeypatch.setattr(memory.os, "sysconf", sysconf)
    assert memory.free_mb("cpu") == 2048
    monkeypatch.delattr(memory.os, "sysconf")
    assert memory.free_mb("cpu") == memory.UNKNOWN_MB


@pytest.mark.parametrize(
    ("free_mb", "item_mb", "device", "limits", "batch"),
    [
        (10_000, 1000, "cuda", {}, 8),
        (10_000, 1000, "cuda", {"model_mb": 4000, "max_vram_mb": 7000}, 3),
        (10_000, 1000, "cuda", {"model_mb": 4000, "max_vram_mb": 80_000}, 8),
        (10_000, 1000, "cpu", {"model_mb": 4000, "max_vram_mb": 5000}, 8),
        (100, 1000, "cuda", {}, 1),
        (10_000, 1000, "cuda", {"model_mb": 9000, "max_vram_mb": 8000}, 1),
        (10_000, 0, "cuda", {"max_vram_mb": 1}, 1000),
    ],
)
def test_a_batch_is_as_large_as_fits_and_never_none(
    monkeypatch: pytest.MonkeyPatch, free_mb: int, item_mb: int, device: str, limits: dict, batch: int
) -> None:
    monkeypatch.setattr(memory, "free_mb", lambda device: free_mb)
    assert memory.largest_batch(item_mb, device, **limits) == batch


@pytest.mark.parametrize(
    "cause",
    [
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried"),
        MemoryError(),
    ],
)
def test_a_lack_of_memory_becomes_an_error_after_which_less_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, cause: Exception
) -> None:
    released: list[str] = []
    monkeypatch.setattr(memory, "release", released.append)
    with (
        pytest.raises(DeviceMemoryError, match="event e1: audiogen: out of memory on cuda") as caught,
        memory.translated("e1", "audiogen", "cuda"),
    ):
        raise cause
    assert caught.value.retryable
    assert caught.value.__cause__ is cause
    assert released == ["cuda"]


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="shapes"), memory.translated("e1", "audiogen", "cpu"):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")


def test_what_failed_holds_no_memory_any_more() -> None:
    kept: list[weakref.ref] = []

    def fails() -> None:
        large = Model()
        kept.append(weakref.ref(large))
        raise MemoryError

    with pytest.raises(DeviceMemoryError), memory.translated("e1", "audiogen", "cpu"):
        fails()
    assert kept[0]() is None


def test_a_model_is_loaded_once(room: Callable[[int], None]) -> None:
    loaded: list[str] = []
    first = pool.hold(("a",), loader(loaded, "a"), size_mb=100, device="cpu")
    again = pool.hold(("a",), loader(loaded, "again"), size_mb=100, device="cpu")
    assert first is again
    assert loaded == ["a"]


def test_the_least_recently_used_goes_when_the_next_would_not_fit(room: Callable[[int], None]) -> None:
    room(1000)
    loaded: list[str] = []
    for name in ("a", "b", "a", "c"):  # a is used again, so b is the oldest when c needs room
        pool.hold((name,), loader(loaded, name), size_mb=400, device="cpu")
    assert list(pool.held()) == [("a",), ("c",)]
    assert loaded == ["a", "b", "c"]


def test_only_models_of_the_same_device_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_mb", lambda device: 10_000)
    pool.hold(("on the cpu",), Model, size_mb=900, device="cpu")
    pool.hold(("a",), Model, size_mb=900, device="cuda", max_vram_mb=1000)
    pool.hold(("b",), Model, size_mb=900, device="cuda", max_vram_mb=1000)
    assert list(pool.held()) == [("on the cpu",), ("b",)]


def test_a_model_that_is_larger_than_what_is_allowed_is_refused_before_it_loads() -> None:
    loaded: list[str] = []
    with pytest.raises(OptionError, match="audiogen needs about 5000 MB on cuda, where 2000 MB are allowed") as caught:
        pool.hold(("audiogen", "main"), loader(loaded, "a"), size_mb=5000, device="cuda", max_vram_mb=2000)
    assert "--max-vram" in caught.value.hint
    assert not loaded


def test_an_estimate_that_was_too_low_gives_up_the_others_and_tries_again(room: Callable[[int], None]) -> None:
    pool.hold(("a",), Model, size_mb=100, device="cpu")
    tries: list[int] = []

    def load() -> str:
        tries.append(len(pool.held()))
        if len(tries) == 1:
            raise RuntimeError("CUDA out of memory")
        return "loaded"

    assert pool.hold(("b",), load, size_mb=100, device="cpu") == "loaded"
    assert tries == [1, 0]


def test_a_model_that_cannot_be_loaded_is_not_held(room: Callable[[int], None]) -> None:
    def load() -> str:
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        pool.hold(("a",), load, size_mb=100, device="cpu")
    assert not pool.held()
    assert pool.hold(("a",), lambda: "mended", size_mb=100, device="cpu") == "mended"


def test_a_model_may_hold_others_that_it_is_made_of(room: Callable[[int], None]) -> None:
    def whole() -> tuple[str, str]:
        return ("whole", pool.hold(("part",), lambda: "part", size_mb=10, device="cpu"))

    assert pool.hold(("whole",), whole, size_mb=10, device="cpu") == ("whole", "part")
    assert set(pool.held()) == {("part",), ("whole",)}


def test_threads_that_want_the_same_model_get_the_same(room: Callable[[int], None]) -> None:
    loaded: list[str] = []
    got: list[Model] = []
    together = threading.Barrier(8)

    def want() -> None:
        together.wait()
        got.append(pool.hold(("a",), loader(loaded, "a"), size_mb=1, device="cpu"))

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loaded == ["a"]
    assert len(set(map(id, got))) == 1


def test_a_loaded_model_is_given_out_while_another_loads(room: Callable[[int], None]) -> None:
    pool.hold(("a",), lambda: "a", size_mb=1, device="cpu")
    begun, may_end = threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        assert may_end.wait(10)
        return "b"

    other = threading.Thread(target=lambda: pool.hold(("b",), slow, size_mb=1, device="cpu"))
    other.start()
    assert begun.wait(10)
    assert pool.hold(("a",), lambda: "anew", size_mb=1, device="cpu") == "a"
    may_end.set()
    other.join()
    assert set(pool.held()) == {("a",), ("b",)}


def test_a_model_at_work_elsewhere_is_waited_for_and_not_given_up(room: Callable[[int], None]) -> None:
    room(1000)
    at_work, may_end = threading.Event(), threading.Event()
    order: list[str] = []

    def work() -> None:
        with memory.translated("e1", "a", "cpu"):
            pool.hold(("a",), Model, size_mb=800, device="cpu")
            at_work.set()
            assert may_end.wait(10)
            order.append("a is done")

    def load() -> str:
        order.append("b loads")
        return "b"

    worker = threading.Thread(target=work)
    worker.start()
    assert at_work.wait(10)
    other = threading.Thread(target=lambda: pool.hold(("b",), load, size_mb=800, device="cpu"))
    other.start()
    other.join(0.2)
    assert list(pool.held()) == [("a",)]
    may_end.set()
    worker.join()
    other.join()
    assert order == ["a is done", "b loads"]
    assert list(pool.held()) == [("b",)]


def test_work_that_needs_a_second_model_does_not_wait_for_itself(room: Callable[[int], None]) -> None:
    room(1000)
    with memory.translated("e1", "a", "cpu"):
        pool.hold(("a",), Model, size_mb=800, device="cpu")
        pool.hold(("b",), Model, size_mb=800, device="cpu")
    assert set(pool.held()) == {("a",), ("b",)}
    pool.hold(("c",), Model, size_mb=900, device="cpu")  # after the work both may be given up
    assert list(pool.held()) == [("c",)]


def test_two_that_each_need_what_the_other_has_do_not_wait_for_each_other(room: Callable[[int], None]) -> None:
    room(1000)
    together = threading.Barrier(2)

    def work(first: str, second: str) -> None:
        with memory.translated("e1", first, "cpu"):
            pool.hold((first,), Model, size_mb=500, device="cpu")
            together.wait(10)
            pool.hold((second,), Model, size_mb=400, device="cpu")

    threads = [threading.Thread(target=work, args=pair) for pair in (("a", "b"), ("c", "d"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


def test_after_waiting_long_enough_loading_is_tried_all_the_same(
    room: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    room(1000)
    monkeypatch.setattr(pool, "LONGEST_WAIT_S", 0.1)
    at_work, may_end = threading.Event(), threading.Event()

    def work() -> None:
        with memory.translated("e1", "a", "cpu"):
            pool.hold(("a",), Model, size_mb=800, device="cpu")
            at_work.set()
            assert may_end.wait(10)

    worker = threading.Thread(target=work)
    worker.start()
    assert at_work.wait(10)
    assert pool.hold(("b",), lambda: "b", size_mb=800, device="cpu") == "b"
    may_end.set()
    worker.join()


def test_clearing_a_device_leaves_the_others(room: Callable[[int], None]) -> None:
    pool.hold(("a",), Model, size_mb=1, device="cpu")
    pool.hold(("b",), Model, size_mb=1, device="cuda")
    pool.clear("cuda")
    assert list(pool.held()) == [("a",)]
    pool.clear()
    assert not pool.held()
