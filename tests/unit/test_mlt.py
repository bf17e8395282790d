"""MLT XML: whole frames, sounds that begin with them, fades that stay straight, tracks that are summed."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foley import plugins
from foley.deliver import frames
from foley.deliver.envelope import factor, thinned
from foley.errors import ExportError
from foley.media import sound
from foley.model import Timeline
from foley.units import RATE_HZ, to_db
from tests.timeline_maker import Sounding, scene, timeline

EXPORTER = plugins.build("exporter", "mlt")
RATES = [Fraction(25), Fraction(24_000, 1001), Fraction(30_000, 1001), Fraction(60_000, 1001)]


def exported(built: Timeline, folder: Path) -> ET.Element:
    (path,) = EXPORTER.export(built, folder)
    return ET.parse(path).getroot()


def value(element: ET.Element, name: str) -> str:
    found = next(one for one in element.findall("property") if one.get("name") == name)
    return found.text or ""


def entries(playlist: ET.Element) -> list[tuple[str, int, int]]:
    """Return what a track plays: the producer, and the frames on the timeline."""
    at, found = 0, []
    for part in playlist:
        if part.tag == "blank":
            at += int(part.get("length", ""))
        elif part.tag == "entry":
            length = int(part.get("out", "")) - int(part.get("in", "")) + 1
            assert part.get("in") == "0"  # melt finds no later frame of a sound exactly
            found.append((part.get("producer", ""), at, at + length))
            at += length
    return found


@pytest.mark.parametrize("rate", RATES)
def test_every_sound_stands_on_its_frames_where_it_was(tmp_path: Path, rate: Fraction) -> None:
    built = scene(tmp_path, frame_rate=rate)
    root = exported(built, tmp_path)
    producers = {one.get("id"): one for one in root.findall("producer")}
    found = {}
    for playlist in root.findall("playlist"):
        for name, first, past in entries(playlist):
            found[Path(value(producers[name], "resource")).stem] = (name, first, past)
    for item in built.items:
        name, first, past = found[item.event_id]
        assert first == frames.frame_at(item.first_sample, rate)
        assert past == frames.frame_from(item.first_sample + item.length, rate)
        file = sound.describe(tmp_path / value(producers[name], "resource"))
        inside = item.first_sample - frames.sample_of(first, rate)
        written = sound.read(file, 0, inside + item.length)
        assert not written[:, :inside].any()
        original = sound.read(item.audio, item.source_first, item.source_first + item.length)
        assert np.array_equal(written[:, inside:], original)
        rest = sound.read(file, inside + item.length, frames.sample_of(past, rate) - frames.sample_of(first, rate))
        assert not rest.any()


def test_tracks_are_summed_as_they_are(tmp_path: Path) -> None:
    root = exported(scene(tmp_path), tmp_path)
    tractor = root.find("tractor")
    assert tractor is not None
    tracks = tractor.findall("track")
    assert [track.get("hide") for track in tracks] == [None, "audio", "video", "video", "video", "video"]
    mixes = tractor.findall("transition")
    assert [value(one, "b_track") for one in mixes] == ["1", "2", "3", "4", "5"]
    assert {(value(one, "a_track"), value(one, "sum"), value(one, "always_active")) for one in mixes} == {
        ("0", "1", "1")
    }


def test_gain_and_fades_are_levels_at_frames(tmp_path: Path) -> None:
    root = exported(scene(tmp_path), tmp_path)
    levels = {
        Path(value(one, "resource")).stem: value(one.find("filter"), "level")  # type: ignore[arg-type]
        for one in root.findall("producer")
        if one.find("filter") is not None
    }
    assert levels["e02-steps"] == "-4.5000"
    keys = [tuple(map(float, part.split("="))) for part in levels["e01-room"].split(";")]
    # a fade of half a second: after six frames at 25 it has reached 6 / 12.5 of -3 dB
    assert dict(keys)[5.0] == pytest.approx(-3.0 + to_db(6 / 12.5), abs=0.01)
    assert keys[-1] == (99.0, -100.0)


def test_markers_are_those_of_shotcut(tmp_path: Path) -> None:
    built = scene(tmp_path, frame_rate=Fraction(30_000, 1001))
    root = exported(built, tmp_path)
    markers = root.findall("./tractor/properties/properties")
    assert [value(one, "text") for one in markers] == [f"{marker.name}: {marker.note}" for marker in built.markers]
    for one, marker in zip(markers, built.markers, strict=True):
        hours, minutes, seconds = value(one, "start").split(":")
        read = math.floor((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 30_000 / 1001 + 1e-9)
        assert read == frames.frame_at(marker.at_sample, Fraction(30_000, 1001))


def test_items_that_share_a_frame_are_on_two_tracks(tmp_path: Path) -> None:
    built = timeline(tmp_path, [Sounding("e01", 0, 1000), Sounding("e02", 1000, 1000)], length=48_000)
    names = [value(one, "shotcut:name") for one in exported(built, tmp_path).findall("playlist")[2:]]
    assert names == ["FOLEY", "FOLEY 2"]


def test_names_may_hold_anything_and_nothing_need_be_there(tmp_path: Path) -> None:
    odd = Sounding("e01-<&>", 0, 9600, name='a\x00 <b> & "c" \ud800', note="]]>\x0b")
    root = exported(timeline(tmp_path, [odd], length=48_000, name="<&>"), tmp_path)
    assert root.get("title") == "<&>"
    empty = exported(timeline(tmp_path / "empty", [], length=1), tmp_path / "empty")
    assert len(empty.findall("playlist")) == 2


def test_what_is_longer_than_the_clip_keeps_its_length(tmp_path: Path) -> None:
    built = timeline(tmp_path, [Sounding("e01", 24_000, 96_000)], length=48_000)
    assert entries(exported(built, tmp_path).findall("playlist")[2]) == [("track2_0", 12, 63)]


def test_equal_timelines_make_equal_files(tmp_path: Path) -> None:
    built = scene(tmp_path)
    (path,) = EXPORTER.export(built, tmp_path)
    before = path.read_bytes()
    assert EXPORTER.export(built, tmp_path)[0].read_bytes() == before


def test_there_is_no_way_back(tmp_path: Path) -> None:
    assert EXPORTER.suffixes == ()
    with pytest.raises(ExportError, match="cannot be read back"):
        EXPORTER.read(tmp_path / "clip.mlt")


def test_two_hours_keep_their_frames(tmp_path: Path) -> None:
    rate, length = Fraction(24_000, 1001), 7200 * RATE_HZ
    late = Sounding("e01", length - 48_001, 4_800)
    built = timeline(tmp_path, [late], length=length, frame_rate=rate, write_sums=False)
    ((_, first, _),) = entries(exported(built, tmp_path).findall("playlist")[2])
    assert first == math.floor(late.first * rate / RATE_HZ) == 172_603


@given(st.lists(st.floats(-100, 20), min_size=1, max_size=60), st.floats(0.001, 5))
def test_a_thinned_curve_stays_within_its_distance(levels: list[float], within: float) -> None:
    kept = thinned(levels, within=within)
    assert kept[0] == 0
    assert kept[-1] == len(levels) - 1
    drawn = np.interp(range(len(levels)), kept, [levels[place] for place in kept])
    assert np.abs(drawn - levels).max() <= within * (1 + 1e-9) + 1e-9


def test_a_fade_is_straight_in_amplitude(tmp_path: Path) -> None:
    item = scene(tmp_path).items[0]
    assert [factor(item, at) for at in (0, 6_000, 24_000, 144_000, 168_000, 192_000)] == [0.0, 0.25, 1.0, 1.0, 0.5, 0.0]
