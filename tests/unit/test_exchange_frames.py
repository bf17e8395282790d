"""Sounds on whole frames stay where they are to the sample, at every frame rate that editors know."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foley.deliver import frames
from foley.deliver.frames import EDITING_RATES, FramedItem
from foley.media import sound
from foley.model import Audio, TimelineItem
from foley.units import RATE_HZ
from tests.timeline_maker import Sounding, timeline

RATES = [Fraction(text) for text in ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001")]

rates = st.sampled_from(EDITING_RATES)


def item(folder: Path, *, first: int, length: int, before: int, after: int) -> TimelineItem:
    """Noise that also fills the handles: nothing but the item itself may be heard."""
    noise = np.random.default_rng(3).uniform(-0.5, 0.5, (2, before + length + after)).astype(np.float32)
    audio = sound.save(Audio(np.round(noise * 2**23) / np.float32(2**23), RATE_HZ), folder / "noise.wav")
    return TimelineItem("e01", "noise", "foley", audio, before, first, length, 0.0, 0, 0, "")


def heard(framed: FramedItem, rate: Fraction) -> tuple[Fraction, np.ndarray]:
    """What an editor plays that counts in frames: its exact first sample on the timeline, and the samples."""
    file_begins = (framed.first_frame - framed.source_frame) * RATE_HZ / rate
    first = framed.source_frame * RATE_HZ / rate
    last = (framed.source_frame + framed.frames) * RATE_HZ / rate
    return file_begins, sound.read(framed.audio, int(first), -int(-last // 1))


@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("first", [0, 1, 1601, 47_387, 345_678_901])
def test_an_item_on_frames_is_heard_where_it_was_to_the_sample(rate: Fraction, first: int, tmp_path: Path) -> None:
    given_item = item(tmp_path, first=first, length=5003, before=min(4801, first + 3000), after=4777)
    framed = frames.framed(given_item, rate, tmp_path / "out")
    begins, samples = heard(framed, rate)
    assert begins.denominator == 1  # however an editor rounds, the file lies on this very sample
    at = first - int(begins) - int(framed.source_frame * RATE_HZ / rate)
    own = sound.read(given_item.audio, given_item.source_first, given_item.source_first + given_item.length)
    assert np.array_equal(samples[:, at : at + given_item.length], own)
    assert not samples[:, :at].any()
    assert not samples[:, at + given_item.length :].any()
    assert 0 <= at < RATE_HZ / rate + 1


@given(rate=rates, first=st.integers(0, 10**9), length=st.integers(1, 10**6))
def test_a_stretch_on_frames_holds_the_stretch_and_is_whole_samples(rate: Fraction, first: int, length: int) -> None:
    origin, end = frames.aligned(first, first + length, rate)
    assert origin <= first < first + length <= end
    for edge in (origin, end):
        assert (edge * rate / RATE_HZ).denominator == 1


@given(rate=rates, first=st.integers(0, 10**6), length=st.integers(1, 20_000), handle=st.integers(0, 5000))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_that_fits_already_is_used_as_it_is(
    rate: Fraction, first: int, length: int, handle: int, tmp_path: Path
) -> None:
    origin, end = frames.aligned(first - handle, first + length + handle, rate)
    whole = np.zeros((2, end - origin), np.float32)
    whole[:, first - origin : first - origin + length] = 0.5
    audio = sound.save(Audio(whole, RATE_HZ), tmp_path / "own.wav")
    made = frames.framed(
        TimelineItem("e01", "tone", "foley", audio, first - origin, first, length, 0.0, 0, 0, ""),
        rate,
        tmp_path / "out",
    )
    assert made.audio == audio
    assert made.source_frame + made.frames <= made.audio_frames


def test_no_two_items_of_a_track_share_a_frame(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    spans = [(int(first), int(length)) for first, length in rng.integers(1, 60_000, (40, 2))]
    soundings = [Sounding(f"e{n:02d}", first, length, hz=0.0) for n, (first, length) in enumerate(spans)]
    given_timeline = timeline(tmp_path, soundings, length=130_000, frame_rate=Fraction(24), write_sums=False)
    lanes = frames.framed_lanes(given_timeline, tmp_path / "out")
    assert sorted(one.item.event_id for lane in lanes for one in lane.items) == [f"e{n:02d}" for n in range(40)]
    for lane in lanes:
        for one, other in zip(lane.items, lane.items[1:], strict=False):
            assert one.past_frame <= other.first_frame
    deepest = max(sum(first <= at < first + length for first, length in spans) for at in range(0, 120_000, 500))
    assert deepest <= len(lanes) <= deepest + 4  # items that touch in samples may share a frame


@pytest.mark.parametrize(
    ("rate", "variable", "expected"),
    [
        ("30000/1001", False, "30000/1001"),
        ("2997/100", False, "30000/1001"),
        ("23976/1000", False, "24000/1001"),
        ("15", False, "30"),
        ("25/2", False, "25"),
        ("10", False, "30"),
        ("30020/1000", True, "30"),
        ("18", True, "24000/1001"),
        ("240", False, "120"),
        ("27397/913", True, "30"),
    ],
)
def test_a_timeline_runs_at_a_rate_that_editors_know(rate: str, variable: bool, expected: str) -> None:
    assert frames.editing_rate(Fraction(rate), variable=variable) == Fraction(expected)
