"""What is small and fast: found, followed, and timed where something turns it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from foley.analysis.probe import probe
from foley.contracts import Context
from foley.model import Clip, ProposedSound, Source, Span
from foley.plan.closer import Closer, closer, needs_closer
from foley.plan.flights import Contact, contacts, flights
from foley.plan.spots import Image, Moment, moments
from tests.moving_pictures import texture
from tests.planning import clip_of, picture_of

WIDTH_PX, HEIGHT_PX, RATE_HZ = 480, 270, 30
SCENE = texture(3, width_px=WIDTH_PX + 200, height_px=HEIGHT_PX, cell_px=24)
HIT_S = 0.81
HALF_FRAME_S = 0.5 / RATE_HZ
BALL_PX = 5.0

Path2D = Callable[[float], tuple[float, float]]


def there_and_back(time_s: float) -> tuple[float, float]:
    """Return where a ball is that flies in from the left, and is hit back faster at `HIT_S`."""
    past_s = time_s - HIT_S
    return 380 + (450 if past_s < 0 else -800) * past_s, 120 + (40 if past_s < 0 else 90) * past_s


def bouncing(time_s: float) -> tuple[float, float]:
    """Return where a ball is that flies across and bounces at `HIT_S`."""
    past_s = time_s - HIT_S
    return 240 + 260 * past_s, 230 - 220 * abs(past_s)


def filmed(path: Path2D | None, *, pan_px_s: float = 0.0, seconds: float = 1.6) -> Iterator[tuple[float, Image]]:
    """Yield times and frames of a ball before a scene that the camera pans over."""
    y, x = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX]
    for number in range(int(seconds * RATE_HZ)):
        time_s = number / RATE_HZ
        left_px = round(pan_px_s * time_s)
        image = SCENE[:, left_px : left_px + WIDTH_PX].copy()
        if path is not None:
            ball_x, ball_y = path(time_s)
            image[np.hypot(x - ball_x, y - ball_y) <= BALL_PX] = (230, 240, 60)
        yield time_s, image


def seen(path: Path2D | None, *, pan_px_s: float = 0.0) -> list[Moment]:
    return list(moments(filmed(path, pan_px_s=pan_px_s)))


def found(path: Path2D | None, *, pan_px_s: float = 0.0) -> list[Contact]:
    return contacts([seen(path, pan_px_s=pan_px_s)], WIDTH_PX, HEIGHT_PX)


@pytest.mark.parametrize("pan_px_s", [0.0, 90.0])
def test_a_ball_is_hit_where_its_two_paths_meet(pan_px_s: float) -> None:
    (contact,) = found(there_and_back, pan_px_s=pan_px_s)

    assert contact.turn == "hit"
    assert contact.time_s == pytest.approx(HIT_S, abs=HALF_FRAME_S)
    assert contact.x == pytest.approx(380 / WIDTH_PX, abs=0.06)


def test_a_ball_that_comes_down_and_goes_on_upwards_bounces() -> None:
    (contact,) = found(bouncing)

    assert contact.turn == "bounce"
    assert contact.time_s == pytest.approx(HIT_S, abs=HALF_FRAME_S)


def test_a_flight_that_goes_on_is_not_hit() -> None:
    assert found(lambda time_s: (20 + 260 * time_s, 60 + 80 * time_s**2)) == []


def test_a_flight_has_its_speed() -> None:
    (flight,) = flights(seen(lambda time_s: (20 + 260 * time_s, 100.0)), WIDTH_PX)

    assert flight.speed_px == pytest.approx(260, rel=0.03)


@pytest.mark.parametrize("pan_px_s", [0.0, 90.0])
def test_where_nothing_flies_nothing_is_hit(pan_px_s: float) -> None:
    assert found(None, pan_px_s=pan_px_s) == []


def test_specks_that_come_and_go_are_no_flight() -> None:
    rng = np.random.default_rng(5)
    assert flights(seen(lambda time_s: (rng.uniform(0, WIDTH_PX), rng.uniform(0, HEIGHT_PX))), WIDTH_PX) == []


RACKET = ProposedSound("racket", "hits", "foley", "", "burst", ucs="SPRTCourt")


def test_only_balls_are_looked_at_again() -> None:
    assert needs_closer(RACKET)
    assert not needs_closer(ProposedSound("hammer", "hits", "foley", "", "strike", ucs="METLImpt"))


def test_a_file_that_is_gone_is_not_looked_at_again(tmp_path: Path) -> None:
    assert closer(clip_of(path=tmp_path / "gone.mp4"), [RACKET], picture_of()) == Closer()


def test_a_long_film_is_looked_at_in_part(tmp_path: Path) -> None:
    looked_at: list[float] = []

    def read(clip: Clip, span: Span, *, width_px: int) -> Iterator[object]:
        looked_at.append(span.end_s - span.start_s)
        return iter(())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[closer.__module__], "read_window", read)
        closer(clip_of(7200), [RACKET], picture_of(7200, cuts_s=range(60, 7200, 60), moving_s=[(0, 7200)]))

    assert 0 < sum(looked_at) <= 90


def test_rackets_meet_the_ball_in_a_real_match(shared: Path, ctx: Context) -> None:
    clip = probe(Source(shared / "clips" / "tennis_a.mp4"), ctx)

    seen = closer(clip, [RACKET], picture_of(10.0, cuts_s=[6.567], moving_s=[(0, 10)]))

    assert [impact.time_s for impact in seen.impacts] == pytest.approx([0.61, 2.375, 3.983, 5.575], abs=0.05)
