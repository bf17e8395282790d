"""Captions of sound: what pysubs2 reads back keeps the timing rules of Netflix's guide."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foley import plugins
from foley.deliver.captions import GAP_FRAMES, LINE_CHARACTERS, captions
from foley.model import Bus, Timeline, TimelineItem
from tests.timeline_maker import Sounding, scene, timeline

FORMS = ("srt", "vtt", "ttml")


def read_back(name: str, built: Timeline, folder: Path) -> list[tuple[int, int, str]]:
    (path,) = plugins.build("exporter", name).export(built, folder)
    return [(event.start, event.end, event.plaintext) for event in pysubs2.load(str(path), format_=name)]


@pytest.mark.parametrize("name", FORMS)
def test_what_is_heard_stands_in_brackets_where_it_is_heard(tmp_path: Path, name: str) -> None:
    assert read_back(name, scene(tmp_path), tmp_path) == [
        (0, 920, "[quiet room]"),  # gives way to the steps two frames before them
        (1000, 2040, "[footsteps]"),  # three in a burst
        (2480, 3840, "[whoosh] [glass breaks]"),  # half a second apart: too near to be read one after the other
    ]


def test_ttml_says_its_language_and_has_ids(tmp_path: Path) -> None:
    (path,) = plugins.build("exporter", "ttml").export(scene(tmp_path), tmp_path)
    root = ET.parse(path).getroot()
    xml = "{http://www.w3.org/XML/1998/namespace}"
    assert root.get(f"{xml}lang") == ""
    ids = {one.get(f"{xml}id") for one in root.iter("{http://www.w3.org/ns/ttml}style")}
    assert {one.get("style") for one in root.iter("{http://www.w3.org/ns/ttml}p")} <= ids


def shown(built: Timeline) -> list[tuple[int, int, tuple[str, ...]]]:
    return [(one.first_frame, one.last_frame, one.lines) for one in captions(built)]


def test_ambience_is_said_once_where_it_begins(tmp_path: Path) -> None:
    bed = Sounding("e01", 48_000, 48_000 * 60, "rain", "backgrounds")
    assert shown(timeline(tmp_path, [bed], length=48_000 * 61, write_sums=False)) == [(25, 100, ("[rain]",))]


def test_what_goes_on_over_cuts_is_not_said_again(tmp_path: Path) -> None:
    second = 48_000
    parts = [(0, 5, "rain"), (4, 10, "rain"), (10, 13, "wind"), (13, 16, "rain"), (16, 20, "rain")]
    beds = [
        Sounding(f"e{number}", first * second, (last - first) * second, name, "backgrounds")
        for number, (first, last, name) in enumerate(parts)
    ]
    told = shown(timeline(tmp_path, beds, length=20 * second, write_sums=False))
    assert [(first, lines) for first, _, lines in told] == [(0, ("[rain]",)), (250, ("[wind]",)), (325, ("[rain]",))]


def test_blows_far_apart_are_said_again(tmp_path: Path) -> None:
    hits = (0, 48_000, 96_000, 480_000, 500_000)
    blows = Sounding("e01", 0, 520_000, "hammer", hz=0.0, hits=hits)
    assert shown(timeline(tmp_path, [blows], length=600_000, write_sums=False)) == [
        (0, 50, ("[hammer]",)),
        (250, 271, ("[hammer]",)),
    ]


def test_long_names_stand_on_two_lines_and_longer_ones_are_cut_between_words(tmp_path: Path) -> None:
    name = "a very old wooden door with rusty hinges slams shut in the wind somewhere upstairs and then creaks open"
    ((_, _, lines),) = shown(timeline(tmp_path, [Sounding("e01", 0, 48_000, name)], length=96_000))
    assert lines == ("[a very old wooden door with rusty hinges", "slams shut in the wind somewhere upstairs]")
    ((_, _, lines),) = shown(timeline(tmp_path, [Sounding("e01", 0, 48_000, "x" * 200)], length=96_000))
    assert lines == (f"[{'x' * 40}]",)


def test_markup_in_a_name_is_left_out(tmp_path: Path) -> None:
    odd = Sounding("e01", 0, 48_000, "<i>door</i> {\\an8} [slams]\\N")
    built = timeline(tmp_path, [odd, Sounding("e02", 96_000, 4_800, "<>")], length=144_000)
    for name in FORMS:
        ((_, _, text),) = read_back(name, built, tmp_path)
        assert re.fullmatch(r"\[[^\[\]<>{}\\]+\]", text)


@pytest.mark.parametrize("name", FORMS)
def test_a_timeline_without_items_has_no_captions(tmp_path: Path, name: str) -> None:
    assert read_back(name, timeline(tmp_path, [], length=48_000), tmp_path) == []


def test_a_clip_shorter_than_a_caption_shows_it_all_along(tmp_path: Path) -> None:
    assert shown(timeline(tmp_path, [Sounding("e01", 9600, 4800, "click")], length=24_000)) == [(0, 13, ("[click]",))]


@pytest.mark.parametrize("name", FORMS)
def test_equal_timelines_make_equal_files(tmp_path: Path, name: str) -> None:
    built = scene(tmp_path)
    (path,) = plugins.build("exporter", name).export(built, tmp_path)
    before = path.read_bytes()
    plugins.build("exporter", name).export(built, tmp_path)
    assert path.read_bytes() == before


BUSES: tuple[Bus, ...] = ("foley", "effects", "backgrounds")


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    rate = draw(st.sampled_from([Fraction(25), Fraction(24_000, 1001), Fraction(30_000, 1001), Fraction(60_000, 1001)]))
    length = 48_000 * 60
    rows: list[Any] = draw(
        st.lists(
            st.tuples(
                st.integers(0, length - 1), st.integers(1, 480_000), st.sampled_from(BUSES),
                st.sampled_from(["door", "rain on a tin roof", "many people who all walk on gravel at once"]),
                st.lists(st.integers(0, 480_000), max_size=6),
            ),
            max_size=20,
        )
    )  # fmt: skip
    items = tuple(
        TimelineItem(
            event_id=f"e{number}", name=name, bus=bus, audio=None, source_first=0, first_sample=first, length=span,
            gain_db=0.0, fade_in=0, fade_out=0, note="", hits=tuple(sorted(first + hit for hit in hits)),
        )  # type: ignore[arg-type]
        for number, (first, span, bus, name, hits) in enumerate(rows)
    )  # fmt: skip
    frames = -(-length * rate.numerator // (48_000 * rate.denominator))
    return Timeline("t", Path("v"), 1, 1, rate, 0, False, frames, length, items, (), {}, None)  # type: ignore[arg-type]


@settings(max_examples=200)
@given(timelines())
def test_the_rules_hold_for_any_sounds(built: Timeline) -> None:
    found = captions(built)
    assert bool(found) == bool(built.items)
    for one, after in zip(found, (*found, None)[1:], strict=True):
        lasts_s = (one.last_frame - one.first_frame) / built.frame_rate
        assert Fraction(5, 6) <= lasts_s <= 7
        assert 0 <= one.first_frame < one.last_frame <= built.frames
        assert len(one.lines) <= 2
        assert all(len(line) <= LINE_CHARACTERS for line in one.lines)
        assert after is None or after.first_frame - one.last_frame >= GAP_FRAMES
