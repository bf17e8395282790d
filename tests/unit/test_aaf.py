"""AAF: the same events come back by two readers, to the sample; the files are such as Pro Tools and Avid take."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foley import plugins
from foley.deliver.aaf_writer import parts
from foley.deliver.lanes import lanes
from foley.errors import ExportError
from foley.media import sound
from foley.model import Timeline, TimelineItem
from foley.units import RATE_HZ, to_db
from tests.timeline_maker import (
    HANDLE,
    SCENE,
    Sounding,
    assert_same_items,
    in_samples,
    placed,
    scene,
    timeline,
)

aaf2 = pytest.importorskip("aaf2")

GAIN_TOLERANCE_DB = 0.1
EXPORTER = plugins.build("exporter", "aaf")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Timeline, Path]:
    folder = tmp_path_factory.mktemp("aaf")
    built = scene(folder)
    return built, EXPORTER.export(built, folder)[0]


def test_what_was_written_is_read_back_to_the_sample(made: tuple[Timeline, Path]) -> None:
    built, path = made
    assert_same_items(EXPORTER.read(path), built.items, tolerance_db=GAIN_TOLERANCE_DB)


def test_another_reader_finds_the_same_events(made: tuple[Timeline, Path]) -> None:
    otio = pytest.importorskip("opentimelineio")
    pytest.importorskip("otio_aaf_adapter")
    built, path = made
    read = otio.adapters.read_from_file(str(path))
    clips = {clip.name: clip for clip in read.find_clips()}
    for item in built.items:
        # the adapter cuts clips at the middle of a crossfade: where one would be cut to the other
        early, late = (fade // 2 if item.event_id in ("e03-whoosh", "e04-crash") else 0 for fade in (12_000, 12_000))
        head = early if item.event_id == "e04-crash" else 0
        tail = late if item.event_id == "e03-whoosh" else 0
        for side in ("L", "R"):
            clip = clips[f"{item.event_id}.{side}"]
            assert int(clip.range_in_parent().start_time.value) == item.first_sample + head
            assert int(clip.source_range.start_time.value) == item.source_first + head
            assert int(clip.duration().value) == item.length - head - tail
            gain = Fraction(clip.effects[0].metadata["AAF"]["Parameters"]["ParameterDef_Amplitude"])
            assert to_db(float(gain)) == pytest.approx(item.gain_db, abs=GAIN_TOLERANCE_DB)
            assert clip.media_reference.target_url.endswith(f"clip_aaf/{item.event_id}.{side}.wav")


def test_another_reader_finds_the_fades_the_crossfade_and_the_markers(made: tuple[Timeline, Path]) -> None:
    otio = pytest.importorskip("opentimelineio")
    pytest.importorskip("otio_aaf_adapter")
    built, path = made
    read = otio.adapters.read_from_file(str(path))
    spans = {
        tuple(int(one.in_offset.value + one.out_offset.value) for one in track.find_children(otio.schema.Transition))
        for track in read.tracks
    }
    assert spans == {(), (4800, 12_000, 9600), (24_000, 48_000)}
    holders = [read.tracks, *read.tracks, *(item for track in read.tracks for item in track)]
    found = {marker.name for holder in holders for marker in getattr(holder, "markers", ())}
    assert found == {f"{marker.name}: {marker.note}" for marker in built.markers}
    assert read.global_start_time.to_timecode() == "01:00:00:00"


def test_it_is_such_a_file_as_pro_tools_and_avid_take(made: tuple[Timeline, Path]) -> None:
    built, path = made
    with aaf2.open(str(path)) as file:
        assert len(list(file.content.compositionmobs())) == len(list(file.content.toplevel())) == 1
        for mob in file.content.sourcemobs():
            summary = bytes(mob.descriptor["Summary"].value)
            (url,) = [locator["URLString"].value for locator in mob.descriptor["Locator"].value]
            linked = sound.describe(Path(url.removeprefix("file://")))
            assert linked.channels == 1
            assert mob.descriptor["Length"].value == linked.length
            assert struct.unpack("<4sI", summary[-8:]) == (b"data", linked.length * 3)
        composition = next(file.content.toplevel())
        lengths = {slot.segment.length for slot in composition.slots if slot.media_kind == "Sound"}
        assert lengths == {built.length}
        assert [slot.name for slot in composition.slots if slot.media_kind == "Sound"] == [
            *("FOLEY.L", "FOLEY.R", "EFFECTS.L", "EFFECTS.R", "BACKGROUNDS.L", "BACKGROUNDS.R")
        ]


def test_the_mono_files_are_the_sides_of_the_sound(made: tuple[Timeline, Path]) -> None:
    built, path = made
    for item in built.items:
        both = sound.load(item.audio).samples
        for side, name in enumerate("LR"):
            one = sound.load(sound.describe(path.parent / "clip_aaf" / f"{item.event_id}.{name}.wav")).samples
            assert (one[0] == both[side]).all()


def test_markers_hold_the_reasons_on_their_frames(made: tuple[Timeline, Path]) -> None:
    built, path = made
    with aaf2.open(str(path)) as file:
        slot = next(s for s in next(file.content.toplevel()).slots if type(s).__name__ == "EventMobSlot")
        found = [(mark["Position"].value, mark["Comment"].value) for mark in slot.segment.components]
    # 47387 samples are 24.7 frames at 25
    assert [frame for frame, _ in found] == [0, 24, 62, 75]
    assert [text for _, text in found] == [f"{marker.name}: {marker.note}" for marker in built.markers]


@pytest.mark.parametrize(
    ("rate", "drop", "counted"),
    [
        (Fraction(24_000, 1001), False, 24),
        (Fraction(30_000, 1001), True, 30),
        (Fraction(60_000, 1001), True, 60),
        (Fraction(50), False, 50),
    ],
)
def test_the_time_code_is_the_clips(tmp_path: Path, rate: Fraction, drop: bool, counted: int) -> None:
    built = scene(tmp_path, frame_rate=rate, start_frame=107_892, drop_frame=drop)
    with aaf2.open(str(EXPORTER.export(built, tmp_path)[0])) as file:
        slot = next(slot for slot in next(file.content.toplevel()).slots if slot.name == "TC")
        code = slot.segment
        assert (code.start, code.fps, bool(code.drop)) == (107_892, counted, drop)
        assert Fraction(slot.edit_rate) == rate


def test_equal_timelines_make_equal_files(made: tuple[Timeline, Path]) -> None:
    built, path = made
    before = path.read_bytes()
    assert EXPORTER.export(built, path.parent)[0].read_bytes() == before


def test_names_and_notes_may_hold_anything(tmp_path: Path) -> None:
    odd = Sounding("e01-odd é", 100, 9600, name="d\x00o\nor \ud800 <&>\"'", note="weil\tes \U0001f4a5 " + "so " * 2000)
    built = timeline(tmp_path, [odd], length=48_000, name='a "b"/c')
    path = EXPORTER.export(built, tmp_path)[0]
    assert path.name == "a _b__c.aaf"
    assert [item.event_id for item in EXPORTER.read(path)] == ["e01-odd é"]


def test_a_timeline_without_items_is_a_composition_without_tracks(tmp_path: Path) -> None:
    path, *sounds = EXPORTER.export(timeline(tmp_path, [], length=48_000), tmp_path)
    assert EXPORTER.read(path) == ()
    assert sounds == []


def test_two_hours_keep_their_samples(tmp_path: Path) -> None:
    length = 7200 * RATE_HZ
    items = [Sounding("e01-late", length - 48_001, 48_001, fade_out=4800), Sounding("e02-over", length - 10, 9600)]
    built = timeline(tmp_path, items, length=length, frame_rate=Fraction(24_000, 1001), write_sums=False)
    found = EXPORTER.read(EXPORTER.export(built, tmp_path)[0])
    assert [in_samples(item) for item in found] == [placed(item) for item in built.items]


def test_what_an_editor_did_is_read(made: tuple[Timeline, Path], tmp_path: Path) -> None:
    """The bed is switched off as Avid does it; the steps are moved, trimmed and faded by the clip's own lengths."""
    path = tmp_path / "edited.aaf"
    path.write_bytes(made[1].read_bytes())
    with aaf2.open(str(path), "rw") as file:
        composition = next(file.content.toplevel())
        slots = {slot.name: slot for slot in composition.slots}
        for side in ("L", "R"):
            steps = slots[f"FOLEY.{side}"].segment
            blank, effect, *_ = steps.components
            blank.length = 96_000
            effect.length = 24_000
            clip = effect.segments[0]
            clip.start, clip.length = HANDLE + 2400, 24_000
            clip.slot.segment.start = 480  # the master begins later in its file
            bed = slots[f"BACKGROUNDS.{side}"].segment
            selector = file.create.Selector(media_kind="sound", length=192_000)
            selector["Selected"].value = file.create.Filler("sound", 192_000)
            played = list(bed.components)[2]
            bed.components.remove(played) if hasattr(bed.components, "remove") else bed.components.pop(2)
            selector["Alternates"].value = [played]
            bed.components.insert(2, selector)
    items = {item.event_id: item for item in EXPORTER.read(path)}
    assert in_samples(items["e02-steps"])[1:4] == (96_000, HANDLE + 2400 + 480, 24_000)
    assert [name for name, item in items.items() if item.muted] == ["e01-room"]


@pytest.mark.parametrize("content", [b"", b"no compound file", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)])
def test_what_is_no_aaf_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.aaf"
    path.write_bytes(content)
    with pytest.raises(ExportError, match="cannot be read as AAF"):
        EXPORTER.read(path)


def test_a_file_cut_short_is_refused_or_read_as_far_as_it_goes(made: tuple[Timeline, Path], tmp_path: Path) -> None:
    whole = made[1].read_bytes()
    path = tmp_path / "short.aaf"
    known = {item.event_id for item in made[0].items}
    refused = 0
    for share in (0.02, 0.1, 0.3, 0.5, 0.7, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        try:
            assert {item.event_id for item in EXPORTER.read(path)} <= known
        except ExportError:
            refused += 1
    assert refused


@st.composite
def soundings(draw: st.DrawFn) -> list[tuple[int, int, int, int]]:
    return draw(
        st.lists(
            st.tuples(st.integers(0, 5000), st.integers(1, 3000), st.integers(0, 2000), st.integers(0, 2000)),
            max_size=12,
        )
    )


@settings(max_examples=200)
@given(soundings())
def test_on_every_track_items_stand_where_they_belong(rows: list[tuple[int, int, int, int]]) -> None:
    base = SCENE[0]
    items = tuple(
        TimelineItem(
            event_id=f"e{number}", name="", bus=base.bus, audio=None, source_first=0, first_sample=first, length=length,
            gain_db=0.0, fade_in=rise, fade_out=fall, note="",
        )  # type: ignore[arg-type]
        for number, (first, length, rise, fall) in enumerate(rows)
    )  # fmt: skip
    built = Timeline("t", Path("v"), 1, 1, Fraction(25), 0, False, 1, 4000, items, (), {}, None)  # type: ignore[arg-type]
    seen = set()
    for lane in lanes(built, on_frames=False):
        at, last, kinds = 0, "", []
        for kind, length, item in parts(lane, built.length):
            assert length > 0
            if kind in ("rise", "fall", "join"):
                at -= length
                assert last in ("item", "blank")  # a transition overlaps both its neighbours
            else:
                if kind == "item" and item is not None:
                    assert at == item.first_sample
                    seen.add(item.event_id)
                at += length
            last = kind
            kinds.append(kind)
        assert at >= built.length
        assert kinds[-1] in ("item", "blank")
    assert seen == {item.event_id for item in items}
