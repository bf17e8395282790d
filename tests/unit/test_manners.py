"""How a process of foley deals with threads and memory, whatever the system."""

import ctypes
import gc
import sys

import pytest

from foley.pipeline import manners


@pytest.fixture
def as_before():
    switch_s, young = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(switch_s)
    gc.set_threshold(*young)


@pytest.mark.usefixtures("as_before")
def test_threads_share_a_heap_where_the_system_has_such(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    class System:
        @staticmethod
        def mallopt(what: int, value: int) -> int:
            asked.append((what, value))
            return 1

    monkeypatch.setattr(ctypes, "CDLL", lambda name: System)
    manners.adopt()
    assert asked == [(-8, 1)]
    assert sys.getswitchinterval() == pytest.approx(manners.SWITCH_S)
    assert gc.get_threshold()[0] == manners.YOUNG_OBJECTS


@pytest.mark.usefixtures("as_before")
@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_another_system_is_left_alone(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def refuse(name: object) -> None:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    manners.adopt()
    assert gc.get_threshold()[0] == manners.YOUNG_OBJECTS
