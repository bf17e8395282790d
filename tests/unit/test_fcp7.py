"""What Final Cut Pro 7 XML holds, read by OpenTimelineIO's adapter for it; and how other programs' XML is read."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from foley import plugins
from foley.errors import ExportError
from foley.model import EditedItem
from foley.units import to_gain
from tests.media_maker import moving
from tests.timeline_maker import Sounding, scene, timeline

FCP7 = plugins.build("exporter", "fcp7")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return moving(tmp_path_factory.mktemp("film") / "clip.mp4", duration_s=4.0)


@pytest.fixture
def written(film: Path, tmp_path: Path) -> Path:
    return FCP7.export(scene(tmp_path, video=film), tmp_path / "out")[0]


def by_adapter(path: Path) -> Any:
    otio = pytest.importorskip("opentimelineio")
    pytest.importorskip("otio_fcp_adapter")
    return otio.adapters.read_from_file(str(path), "fcp_xml")


def read(path: Path) -> dict[str, EditedItem]:
    return {item.event_id: item for item in FCP7.read(path)}


def edited(path: Path, change: Any) -> dict[str, EditedItem]:
    tree = ElementTree.parse(path)
    change(tree.getroot())
    tree.write(path.with_name("edited.xml"))
    return read(path.with_name("edited.xml"))


def clips(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [clip for clip in root.iter("clipitem") if clip.findtext("name") == name]


@pytest.mark.parametrize("rate", ["24000/1001", "25", "30000/1001", "60000/1001"])
def test_the_adapter_reads_the_same_events(rate: str, film: Path, tmp_path: Path) -> None:
    given = scene(tmp_path, video=film, frame_rate=Fraction(rate), start_frame=0)
    made = by_adapter(FCP7.export(given, tmp_path / "out")[0])
    ours = read(tmp_path / "out" / "clip.xml")
    found = {}
    for clip in made.find_clips():
        address = clip.media_reference.target_url
        if address.endswith(".wav"):
            place = clip.transformed_time_range(clip.trimmed_range(), made.tracks)
            name = next(item.event_id for item in given.items if f"/{item.event_id}." in address)
            found[name] = (place.start_time.to_seconds(), place.duration.to_seconds())
    assert found.keys() == ours.keys()
    for name, item in ours.items():
        assert found[name] == pytest.approx((item.start_s, item.duration_s), abs=1e-9)


def test_the_adapter_reads_gain_fades_markers_and_start(written: Path) -> None:
    otio = pytest.importorskip("opentimelineio")
    made = by_adapter(written)
    assert made.global_start_time == otio.opentime.RationalTime(90_000, 25)
    assert [marker.metadata["fcp_xml"]["comment"] for marker in made.tracks.markers][
        1
    ] == "a foot lands: the motion stops"
    gains = {
        clip.name: float(effect.metadata["fcp_xml"]["parameter"]["value"])
        for clip in made.find_clips()
        for effect in clip.effects
    }
    assert gains == pytest.approx(
        {"quiet room": to_gain(-3.0), "footsteps": to_gain(-4.5), "whoosh": to_gain(-6.0), "glass breaks": to_gain(2.5)}
    )
    fades = [
        int(part.in_offset.value + part.out_offset.value)
        for track in made.tracks
        for part in track
        if isinstance(part, otio.schema.Transition)
    ]
    assert sorted(fades) == [2, 5, 6, 6, 12, 25]


def test_a_stereo_sound_is_two_linked_channels(written: Path) -> None:
    root = ElementTree.parse(written).getroot()
    left, right = clips(root, "footsteps")
    assert [clip.findtext("sourcetrack/trackindex") for clip in (left, right)] == ["1", "2"]
    names = [left.get("id"), right.get("id")]
    for clip in (left, right):
        assert [link.text for link in clip.findall("link/linkclipref")] == names
    tracks = root.findall(".//audio/track")
    assert [track.findtext("outputchannelindex") for track in tracks] == ["1", "2"] * 4
    files = [file for file in root.iter("file") if len(file)]
    assert len(files) == len({file.findtext("pathurl") for file in files}) == 5


def test_ids_are_given_once(written: Path) -> None:
    ids = [clip.get("id") for clip in ElementTree.parse(written).getroot().iter("clipitem")]
    assert len(ids) == len(set(ids)) == 9


def test_drop_frame_is_said(film: Path, tmp_path: Path) -> None:
    ntsc = {"frame_rate": Fraction(30000, 1001), "start_frame": 107_892, "drop_frame": True}
    given = timeline(tmp_path, [], length=192_000, video=film, write_sums=False, **ntsc)
    root = ElementTree.parse(FCP7.export(given, tmp_path / "out")[0]).getroot()
    timecode = root.find("sequence/timecode")
    assert timecode is not None
    assert (timecode.findtext("string"), timecode.findtext("displayformat")) == ("01:00:00;00", "DF")
    assert (timecode.findtext("rate/timebase"), timecode.findtext("rate/ntsc")) == ("30", "TRUE")


def test_more_gain_than_the_form_has_is_refused_by_name(film: Path, tmp_path: Path) -> None:
    given = timeline(tmp_path, [Sounding("e01", 0, 48_000, gain_db=13.0)], length=192_000, video=film, write_sums=False)
    with pytest.raises(ExportError, match=r"e01.*12 dB"):
        FCP7.export(given, tmp_path / "out")


def test_a_clip_that_was_switched_off_is_muted(written: Path) -> None:
    def off(root: ElementTree.Element) -> None:
        for clip in clips(root, "whoosh"):
            clip.find("enabled").text = "FALSE"

    assert [name for name, item in edited(written, off).items() if item.muted] == ["e03-whoosh"]


def test_a_track_that_was_switched_off_mutes_its_clips(written: Path) -> None:
    def off(root: ElementTree.Element) -> None:
        for track in root.findall(".//audio/track"):
            if track.get("MZ.TrackName") == "FOLEY":
                track.find("enabled").text = "FALSE"

    assert [name for name, item in edited(written, off).items() if item.muted] == ["e02-steps"]


def test_channels_on_tracks_without_marks_are_one_item(written: Path) -> None:
    def plain(root: ElementTree.Element) -> None:
        for track in root.findall(".//audio/track"):
            track.attrib.clear()

    assert edited(written, plain) == read(written)
    assert len(FCP7.read(written.with_name("edited.xml"))) == 4


def test_levels_that_were_drawn_read_as_their_highest(written: Path) -> None:
    def draw(root: ElementTree.Element) -> None:
        for clip in clips(root, "footsteps"):
            parameter = clip.find(".//parameter")
            for when, value in ((0, 0.1), (10, 0.5), (20, 0.2)):
                key = ElementTree.SubElement(parameter, "keyframe")
                ElementTree.SubElement(key, "when").text = str(when)
                ElementTree.SubElement(key, "value").text = str(value)

    assert edited(written, draw)["e02-steps"].gain_db == pytest.approx(-6.02, abs=0.01)


def test_a_crossfade_reads_as_the_fades_it_is(film: Path, tmp_path: Path) -> None:
    soundings = [Sounding("e01", 0, 96_000), Sounding("e02", 96_000, 96_000)]
    given = timeline(tmp_path, soundings, length=192_000, video=film, write_sums=False)
    path = FCP7.export(given, tmp_path / "out")[0]

    def crossfade(root: ElementTree.Element) -> None:
        for track in root.findall(".//audio/track"):
            first, second = track.findall("clipitem")
            first.find("end").text, second.find("start").text = "-1", "-1"
            second.find("in").text = str(int(second.findtext("in")) - 5)
            fade = ElementTree.Element("transitionitem")
            for tag, text in (("start", "45"), ("end", "55"), ("alignment", "center")):
                ElementTree.SubElement(fade, tag).text = text
            track.insert(1, fade)

    found = edited(path, crossfade)
    assert (found["e01"].fade_out_s, found["e02"].fade_in_s) == pytest.approx((0.4, 0.4))
    assert (found["e01"].duration_s, found["e02"].start_s) == pytest.approx((2.2, 1.8))
    before = read(path)["e02"]
    assert found["e02"].start_s - found["e02"].source_start_s == pytest.approx(before.start_s - before.source_start_s)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<fcpxml version='1.9'><resources/></fcpxml>", "no Final Cut Pro 7"),
        ("<!DOCTYPE x [<!ENTITY a 'aaaa'>]><xmeml><sequence>&a;</sequence></xmeml>", "entities"),
        ("<xmeml><sequence><media><audio><track><clipitem>", "cannot be read"),
        (
            "<xmeml><sequence><media><audio><track><clipitem><file id='f'><pathurl>a.wav</pathurl></file>"
            "<start>soon</start></clipitem></track></audio></media></sequence></xmeml>",
            "damaged",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "bad.xml").write_text(text)
    with pytest.raises(ExportError, match=why):
        FCP7.read(tmp_path / "bad.xml")
