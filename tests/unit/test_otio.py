"""What OTIO files hold, read by OpenTimelineIO itself and not by what wrote them; and what edits of them read as."""

from __future__ import annotations

import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
import soundfile

from foley import plugins
from foley.deliver import resolve_dialect
from foley.deliver.resolve_dialect import Volume
from foley.errors import ExportError, MissingProgramError
from foley.model import EditedItem, Timeline, TimelineMarker
from foley.units import to_db
from tests.media_maker import moving
from tests.timeline_maker import Sounding, scene, timeline

otio = pytest.importorskip("opentimelineio")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return moving(tmp_path_factory.mktemp("film") / "clip.mp4", duration_s=4.0)


def exported(given: Timeline, folder: Path, name: str = "otio") -> Any:
    files = plugins.build("exporter", name).export(given, folder)
    return otio.adapters.read_from_file(str(files[0]))


def saved(made: Any, path: Path) -> dict[str, EditedItem]:
    otio.adapters.write_to_file(made, str(path))
    return {item.event_id: item for item in plugins.build("exporter", "otio").read(path)}


def clip_of(made: Any, event_id: str) -> Any:
    return next(clip for clip in made.find_clips() if clip.metadata.get("foley", {}).get("event") == event_id)


def at(made: Any, clip: Any) -> tuple[int, int]:
    """First frame on the timeline, and frames."""
    range_ = clip.transformed_time_range(clip.trimmed_range(), made.tracks)
    return int(range_.start_time.value), int(range_.duration.value)


def test_otio_reads_the_same_events(film: Path, tmp_path: Path) -> None:
    given = scene(tmp_path, video=film)
    made = exported(given, tmp_path / "out")
    assert made.global_start_time == otio.opentime.RationalTime(90_000, 25)
    names = [(track.kind, track.name) for track in made.tracks]
    assert names == [("Video", "Picture")] + [
        ("Audio", one) for one in ("FOLEY", "EFFECTS", "EFFECTS 2", "BACKGROUNDS")
    ]
    assert all(t.metadata["Resolve_OTIO"]["Audio Type"] == "Stereo" for t in made.tracks if t.kind == "Audio")
    table = {item.event_id: at(made, clip_of(made, item.event_id)) for item in given.items}
    assert table == {"e01-room": (0, 100), "e02-steps": (24, 33), "e03-whoosh": (62, 20), "e04-crash": (75, 18)}
    (picture,) = made.tracks[0].find_clips()
    assert picture.trimmed_range() == picture.media_reference.available_range
    assert [marker.comment for marker in made.tracks.markers] == [marker.note for marker in given.markers]


def test_every_file_that_it_names_is_there_and_as_long_as_it_says(film: Path, tmp_path: Path) -> None:
    made = exported(scene(tmp_path, video=film, frame_rate=Fraction(30000, 1001)), tmp_path / "out")
    for clip in made.find_clips():
        path = Path(unquote(urlsplit(clip.media_reference.target_url).path))
        assert path.is_file()
        available = clip.media_reference.available_range
        used = clip.trimmed_range()
        assert available.start_time.value <= used.start_time.value
        assert used.end_time_exclusive().value <= available.end_time_exclusive().value
        if path.suffix == ".wav":
            whole = Fraction(int(available.duration.value) * 1001, 30000) * 48_000
            assert soundfile.info(path).frames == whole


def test_hits_stand_as_markers_on_their_frames_with_the_reason(film: Path, tmp_path: Path) -> None:
    made = exported(scene(tmp_path, video=film), tmp_path / "out")
    clip = clip_of(made, "e02-steps")
    first, _ = at(made, clip)
    source = clip.trimmed_range().start_time.value
    assert [first + marker.marked_range.start_time.value - source for marker in clip.markers] == [25, 37, 50]
    assert {marker.comment for marker in clip.markers} == {"a foot lands: the motion stops"}


def test_gain_and_fades_stand_in_resolves_dialect(film: Path, tmp_path: Path) -> None:
    made = exported(scene(tmp_path, video=film), tmp_path / "out")
    (effect,) = clip_of(made, "e01-room").effects
    (level,) = effect.metadata["Resolve_OTIO"]["Parameters"]
    assert (level["Parameter ID"], level["Parameter Value"]) == ("volume", -3.0)
    keys = {int(frame): key["Value"] for frame, key in level["Key Frames"].items()}
    assert (keys[0], keys[12], keys[75], keys[100]) == (-100.0, -3.0, -3.0, -100.0)


def test_a_fade_in_decibels_is_straight_in_amplitude_to_a_decibel() -> None:
    keys = resolve_dialect.keys(Volume(0.0, fade_in_frames=48), 200)
    frames = np.arange(3, 49)  # below 1/16 nobody hears a difference
    drawn = np.interp(frames, sorted(keys), [keys[frame] for frame in sorted(keys)])
    straight = np.array([to_db(frame / 48) for frame in frames])
    assert np.abs(drawn - straight).max() < 0.6


@pytest.mark.parametrize("volume", [Volume(-6.0), Volume(3.5, 10), Volume(-1.0, 0, 7), Volume(-80.0, 20, 30), Volume()])
def test_a_volume_reads_back(volume: Volume) -> None:
    back = resolve_dialect.volume_of(resolve_dialect.effect(volume, 60), 60)
    assert back is not None
    assert (back.fade_in_frames, back.fade_out_frames) == (volume.fade_in_frames, volume.fade_out_frames)
    assert back.gain_db == pytest.approx(volume.gain_db, abs=0.01)


def test_more_gain_than_resolve_has_is_refused_by_name(film: Path, tmp_path: Path) -> None:
    given = timeline(tmp_path, [Sounding("e01", 0, 48_000, gain_db=31.0)], length=192_000, video=film, write_sums=False)
    with pytest.raises(ExportError, match="e01"):
        exported(given, tmp_path / "out")


def test_stems_are_a_timeline_of_their_own(film: Path, tmp_path: Path) -> None:
    given = scene(tmp_path, video=film)
    _, stems = plugins.build("exporter", "otio").export(given, tmp_path / "out")
    made = otio.adapters.read_from_file(str(stems))
    assert [track.name for track in made.tracks] == ["Picture", *(bus.upper() for bus in given.stems)]
    assert {int(clip.trimmed_range().duration.value) for clip in made.find_clips()} == {100}


def test_a_long_marker_keeps_its_length(film: Path, tmp_path: Path) -> None:
    marker = TimelineMarker(48_000, 96_000, "act two", "why")
    made = exported(scene(tmp_path, video=film, markers=[marker]), tmp_path / "out")
    found = next(one for one in made.tracks.markers if one.name == "act two")
    assert (found.marked_range.start_time.value, found.marked_range.duration.value) == (25, 50)


def test_the_bundle_opens_in_otio_with_all_its_media(film: Path, tmp_path: Path) -> None:
    given = scene(tmp_path, video=film)
    (bundle,) = plugins.build("exporter", "otioz").export(given, tmp_path / "out")
    (tmp_path / "unpacked").mkdir()
    made = otio.adapters.read_from_file(str(bundle), extract_to_directory=str(tmp_path / "unpacked"))
    for clip in made.find_clips():
        assert (tmp_path / "unpacked" / unquote(clip.media_reference.target_url)).is_file()
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
        assert archive.read("media/clip.mp4") == film.read_bytes()
    assert list((tmp_path / "out").iterdir()) == [bundle]


def test_what_an_editor_did_is_read(film: Path, tmp_path: Path) -> None:
    made = exported(scene(tmp_path, video=film), tmp_path / "out")
    foley = next(track for track in made.tracks if track.name == "FOLEY")
    foley[0].source_range = otio.opentime.TimeRange(
        foley[0].source_range.start_time, otio.opentime.RationalTime(30, 25)
    )
    clip_of(made, "e03-whoosh").enabled = False
    clip_of(made, "e04-crash").effects[0].metadata["Resolve_OTIO"]["Parameters"][0]["Parameter Value"] = -9.0
    clip_of(made, "e04-crash").effects[0].metadata["Resolve_OTIO"]["Parameters"][0]["Key Frames"] = {}
    found = saved(made, tmp_path / "edited.otio")
    assert found["e02-steps"].start_s == pytest.approx(30 / 25)
    assert found["e03-whoosh"].muted
    assert (found["e04-crash"].gain_db, found["e04-crash"].fade_in_s) == (-9.0, 0.0)
    assert not found["e01-room"].muted


def test_a_track_that_is_switched_off_mutes_its_clips(film: Path, tmp_path: Path) -> None:
    made = exported(scene(tmp_path, video=film), tmp_path / "out")
    next(track for track in made.tracks if track.name == "BACKGROUNDS").enabled = False
    assert [name for name, item in saved(made, tmp_path / "edited.otio").items() if item.muted] == ["e01-room"]


def test_clips_in_a_compound_clip_are_still_heard(film: Path, tmp_path: Path) -> None:
    made = exported(scene(tmp_path, video=film), tmp_path / "out")
    index, foley = next((i, track) for i, track in enumerate(made.tracks) if track.name == "FOLEY")
    inner = foley.deepcopy()
    outer = otio.schema.Track("FOLEY", kind="Audio")
    nest = otio.schema.Stack("compound")
    nest.append(inner)
    outer.append(otio.schema.Gap(source_range=otio.opentime.TimeRange(duration=otio.opentime.RationalTime(10, 25))))
    outer.append(nest)
    made.tracks[index] = outer
    assert saved(made, tmp_path / "edited.otio")["e02-steps"].start_s == pytest.approx((24 + 10) / 25)


def test_a_leader_before_the_picture_moves_nothing(film: Path, tmp_path: Path) -> None:
    made = exported(scene(tmp_path, video=film), tmp_path / "out")
    before = saved(made, tmp_path / "before.otio")
    for track in made.tracks:
        leader = otio.opentime.TimeRange(duration=otio.opentime.RationalTime(250, 25))
        track.insert(0, otio.schema.Gap(source_range=leader))
    after = saved(made, tmp_path / "after.otio")
    assert {n: one.start_s for n, one in after.items()} == pytest.approx({n: one.start_s for n, one in before.items()})


def test_an_otio_crossfade_reads_as_the_fades_it_is(film: Path, tmp_path: Path) -> None:
    soundings = [Sounding("e01", 0, 96_000), Sounding("e02", 96_000, 96_000)]
    given = timeline(tmp_path, soundings, length=192_000, video=film, write_sums=False)
    made = exported(given, tmp_path / "out")
    foley = next(track for track in made.tracks if track.name == "FOLEY")
    offset = otio.opentime.RationalTime(5, 25)
    foley.insert(1, otio.schema.Transition("x", otio.schema.TransitionTypes.SMPTE_Dissolve, offset, offset))
    found = saved(made, tmp_path / "edited.otio")
    assert found["e01"].fade_out_s == pytest.approx(0.4)
    assert found["e02"].fade_in_s == pytest.approx(0.4)
    assert (found["e01"].duration_s, found["e02"].start_s) == pytest.approx((2.2, 1.8))


def test_a_missing_package_is_said_with_what_mends_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from foley.deliver import otio_form

    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(otio_form, "import_module", absent)
    monkeypatch.setattr(otio_form, "find_spec", lambda name: None)
    assert plugins.build("exporter", "otio").missing() == ("pip install 'foley-pipeline[editors]'",)
    with pytest.raises(MissingProgramError) as caught:
        otio_form.library()
    assert "editors" in caught.value.hint
