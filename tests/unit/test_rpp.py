"""REAPER projects: an independent parser and our own find the same items, and what REAPER saves is understood."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foley import plugins
from foley.deliver.rpp_text import parse, quoted
from foley.errors import ExportError
from foley.model import EditedItem, Timeline, TimelineMarker
from foley.units import RATE_HZ, to_gain
from tests.timeline_maker import Sounding, assert_same_items, scene, timeline

EXPORTER = plugins.build("exporter", "rpp")
GAIN_TOLERANCE_DB = 0.001


@pytest.fixture
def made(tmp_path: Path) -> tuple[Timeline, Path]:
    built = scene(tmp_path)
    return built, EXPORTER.export(built, tmp_path)[0]


def test_what_was_written_is_read_back_to_the_sample(made: tuple[Timeline, Path]) -> None:
    built, path = made
    assert_same_items(EXPORTER.read(path), built.items, tolerance_db=GAIN_TOLERANCE_DB)


def test_another_parser_finds_the_same_items_on_a_track_for_each_bus(made: tuple[Timeline, Path]) -> None:
    rpp = pytest.importorskip("rpp")
    built, path = made
    project = rpp.loads(path.read_text())
    tracks = {track.find("NAME")[1]: track for track in project.findall("TRACK")}
    assert list(tracks)[1:] == [
        *("FOLEY", "EFFECTS", "BACKGROUNDS"),
        *("FOLEY stem", "EFFECTS stem", "BACKGROUNDS stem"),
    ]
    assert [tracks[name].find("MUTESOLO")[1] for name in tracks] == [*("0", "0", "0", "0"), *("1", "1", "1")]
    for item in built.items:
        rows = tracks[item.bus.upper()].findall("ITEM")
        row = next(one for one in rows if one.find("SOURCE").find("FILE")[1].endswith(f"{item.event_id}.wav"))
        assert round(float(row.find("POSITION")[1]) * RATE_HZ) == item.first_sample
        assert round(float(row.find("LENGTH")[1]) * RATE_HZ) == item.length
        assert round(float(row.find("SOFFS")[1]) * RATE_HZ) == item.source_first
        assert round(float(row.find("FADEIN")[2]) * RATE_HZ) == item.fade_in
        assert round(float(row.find("FADEOUT")[2]) * RATE_HZ) == item.fade_out
        assert float(row.find("VOLPAN")[1]) == pytest.approx(to_gain(item.gain_db), rel=1e-6)
        assert (path.parent / row.find("SOURCE").find("FILE")[1]).is_file()
        assert f"|{item.note}" in path.read_text()
    found = [(round(float(one[2]) * RATE_HZ), one[3]) for one in project.findall("MARKER")]
    assert found == [(marker.at_sample, f"{marker.name}: {marker.note}") for marker in built.markers]


def test_regions_have_their_ends(tmp_path: Path) -> None:
    region = TimelineMarker(24_000, 12_000, "chase", "they run")
    path = EXPORTER.export(timeline(tmp_path, [], length=48_000, markers=[region]), tmp_path)[0]
    lines = [line.split() for line in path.read_text().splitlines() if "MARKER" in line]
    assert [(line[0], line[1], float(line[2]), line[-1]) for line in lines] == [
        ("MARKER", "1", 0.5, "1"),
        ("MARKER", "1", 0.75, "1"),
    ]


@pytest.mark.parametrize(
    ("rate", "drop", "start", "ruler", "offset_s"),
    [
        (Fraction(25), False, 90_000, "25 0", 3600.0),
        (Fraction(30_000, 1001), True, 107_892, "30 1", 3599.9964),
        (Fraction(30_000, 1001), False, 108_000, "30 2", 3603.6),
        (Fraction(24_000, 1001), False, 86_400, "24 2", 3603.6),
    ],
)
def test_the_ruler_counts_as_the_clip_does(
    tmp_path: Path, rate: Fraction, drop: bool, start: int, ruler: str, offset_s: float
) -> None:
    built = scene(tmp_path, frame_rate=rate, start_frame=start, drop_frame=drop)
    text = EXPORTER.export(built, tmp_path)[0].read_text()
    assert f"TIMEMODE 1 5 -1 {ruler} 0 -1\n" in text
    (offset,) = [float(line.split()[1]) for line in text.splitlines() if "PROJOFFS" in line]
    assert offset == pytest.approx(offset_s, abs=1e-9)


SAVED = """<REAPER_PROJECT 0.1 "7.22/linux-x86_64" 1732212000
  <NOTES 0 2
    |<ITEM in a note is none
  >
  <TRACK {1}
    NAME PICTURE
    <ITEM
      POSITION 2
      LENGTH 4
      SOFFS 0.5
      <SOURCE VIDEO
        FILE "../clip.mp4"
      >
    >
  >
  <TRACK {2}
    NAME "FOLEY"
    MUTESOLO 0 0 0
    <VOLENV2
      EGUID {3}
      ACT 0 -1
      PT 0 1 0
    >
    <ITEM
      POSITION 3.25
      SNAPOFFS 0
      LENGTH 0.75
      LOOP 0
      ALLTAKES 0
      FADEIN 1 0.02 0.1 1 0 0 0
      FADEOUT 1 0.01 -1 1 0 0 0
      MUTE 1 0
      SEL 1
      NAME first
      VOLPAN 0.5 0 2 -1
      SOFFS 0.125 0
      PLAYRATE 1 1 0 -1 0 0.0025
      <SOURCE WAVE
        FILE "C:\\film\\media\\e01-steps.wav"
      >
      TAKE
      NAME 'second "take"'
      TAKEVOLPAN 0 -1 -1
      SOFFS 0.25
      PLAYRATE 1 1 0 -1 0 0.0025
      <SOURCE SECTION
        LENGTH 3
        <SOURCE WAVE
          FILE media/e02-door.wav
        >
      >
      TAKE SEL
      TAKEVOLPAN 0 -0.25 -1
      SOFFS 0.5
      PLAYRATE 1 1 0 -1 0 0.0025
      <SOURCE WAVE
        FILE `media/e03-it's "so".wav`
      >
      <TAKEFX
        BYPASS 0 0 0
      >
    >
    <ITEM
      POSITION 1
      LENGTH 2
      <SOURCE MIDI
        HASDATA 1 960 QN
      >
    >
  >
  <TRACK {4}
    MUTESOLO 1 0 0
    <ITEM
      POSITION 1.5
      LENGTH 1
      <SOURCE WAVE
        FILE media/e04-rain.wav
      >
    >
  >
>
"""


def test_what_reaper_saves_is_understood(tmp_path: Path) -> None:
    """The chosen take of several, both volumes, automatic crossfades, mutes, a picture that begins at 1.5 s."""
    path = tmp_path / "saved.rpp"
    path.write_text(SAVED)
    rain, taken = EXPORTER.read(path)
    assert taken == EditedItem(
        event_id='e03-it\'s "so"',
        start_s=1.75,
        source_start_s=0.5,
        duration_s=0.75,
        gain_db=pytest.approx(-18.06, abs=0.01),  # 0.5 of the item, 0.25 of the take with its polarity turned
        fade_in_s=0.1,
        fade_out_s=0.01,
        muted=True,
    )
    assert (rain.event_id, rain.start_s, rain.muted) == ("e04-rain", 0.0, True)


def test_another_speed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fast.rpp"
    path.write_text(SAVED.replace("PLAYRATE 1 1", "PLAYRATE 1.5 1"))
    with pytest.raises(ExportError, match="plays at another speed"):
        EXPORTER.read(path)


@pytest.mark.parametrize("text", ["", "no project", "<ITEM\n>", "<REAPER_PROJECT\n<TRACK\n<ITEM\nPOSITION x\n"])
def test_what_is_no_project_is_refused_or_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.rpp"
    path.write_text(text)
    if text.startswith("<REAPER"):
        assert EXPORTER.read(path) == ()
    else:
        with pytest.raises(ExportError, match="cannot be read as a REAPER project"):
            EXPORTER.read(path)


@pytest.mark.parametrize("number", ["x", "nan", "inf"])
def test_a_position_that_is_no_number_is_refused(tmp_path: Path, number: str) -> None:
    path = tmp_path / "broken.rpp"
    path.write_text(SAVED.replace("POSITION 1.5", f"POSITION {number}"))
    with pytest.raises(ExportError, match="cannot be read as a REAPER project"):
        EXPORTER.read(path)


def test_blocks_without_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.rpp"
    path.write_text("<REAPER_PROJECT\n" * 100_000)
    with pytest.raises(ExportError, match="without end"):
        EXPORTER.read(path)


def test_names_and_notes_may_hold_anything(tmp_path: Path) -> None:
    odd = Sounding("e01-odd", 0, 9600, name="a \"b\" 'c' `d`\n> <ITEM", note=">\n|\n" + "long " * 2000)
    path = EXPORTER.export(timeline(tmp_path, [odd], length=48_000), tmp_path)[0]
    assert [item.event_id for item in EXPORTER.read(path)] == ["e01-odd"]


def test_a_timeline_without_items_has_its_picture_and_its_stems(tmp_path: Path) -> None:
    path = EXPORTER.export(timeline(tmp_path, [], length=48_000), tmp_path)[0]
    assert EXPORTER.read(path) == ()
    assert len(list(parse(path.read_text()).blocks("TRACK"))) == 4


def test_equal_timelines_make_equal_files(made: tuple[Timeline, Path]) -> None:
    built, path = made
    before = path.read_bytes()
    assert EXPORTER.export(built, path.parent)[0].read_bytes() == before


def test_items_that_overlap_without_crossfading_have_tracks_of_their_own(tmp_path: Path) -> None:
    items = [Sounding("e01", 0, 9600), Sounding("e02", 4800, 9600), Sounding("e03", 9600, 9600)]
    path = EXPORTER.export(timeline(tmp_path, items, length=48_000), tmp_path)[0]
    tracks = list(parse(path.read_text()).blocks("TRACK"))
    assert [track.line("NAME")[0] for track in tracks[1:3]] == ["FOLEY", "FOLEY 2"]
    assert [len(list(track.blocks("ITEM"))) for track in tracks[1:3]] == [2, 1]


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=40))
def test_a_text_in_quotes_is_one_word(text: str) -> None:
    (block,) = parse(f"<REAPER_PROJECT\n<A\nNAME {quoted(text)} 1\n>\n>").blocks("A")
    name, after = block.line("NAME")
    assert after == "1"
    assert name.replace("'", "`") == text.replace("'", "`")
