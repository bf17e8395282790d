"""Out into editors and back: nothing changes by itself, and what an editor did is all that changes."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from foley import api, exchange, plugins
from foley.api import Settings
from foley.errors import ExportError, MissingProgramError, OptionError, PlanError, UnknownPluginError
from foley.exchange import outgoing, record
from foley.exchange.rendered import Rendered, as_rendered
from foley.media import sound
from foley.mix.fades import fade_gain
from foley.mix.share import event_share
from foley.model import (
    Arrangement,
    AudioFile,
    Bus,
    Clip,
    ClipIdentity,
    CurvePoint,
    Hit,
    Master,
    Mixdown,
    Placement,
    Reasoning,
    SoundEvent,
    SoundPlan,
    VideoStream,
)
from foley.pipeline.cache import Cache
from foley.plan import events
from foley.units import RATE_HZ, to_gain, to_samples
from tests.arrangement_maker import hit_sound, saved
from tests.media_maker import moving

otio = pytest.importorskip("opentimelineio")

RATES = ["24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "VFR"]
READABLE = [name for name in plugins.names("exporter") if plugins.build("exporter", name).suffixes]
LENGTH_S = Fraction(6)

EVENTS = (
    SoundEvent("e01-room", "quiet room", "bed", "backgrounds", 0.0, 6.0, "always", curve=(CurvePoint(0.0, 0.5),),
               gain_db=-3.0, fade_in_s=0.5),
    SoundEvent("e02-steps", "footsteps", "hits", "foley", 1.0123, 3.2, "feet land", gain_db=2.5,
               hits=(Hit(1.0123), Hit(2.0077), Hit(3.0191))),
    SoundEvent("e03-whoosh", "whoosh", "span", "effects", 2.0, 4.0, "it passes", fade_in_s=0.21, fade_out_s=0.34),
    SoundEvent("e04-off", "not heard", "span", "effects", 1.0, 2.0, "muted", muted=True),
    SoundEvent("e05-edge", "a boom past the end", "hits", "effects", 5.8, 5.9, "at the end", hits=(Hit(5.8),)),
)  # fmt: skip


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return moving(tmp_path_factory.mktemp("film") / "clip.mp4", duration_s=1.0)


def rendered(folder: Path, film: Path, rate: str, timecode: str | None = None) -> Rendered:
    """A plan with its sound, made by hand: takes of noise, placed as their events say."""
    frame_rate = Fraction(20_173, 999) if rate == "VFR" else Fraction(rate)
    video = VideoStream(0, "h264", 160, 90, 0, frame_rate, Fraction(1, 12800), rate == "VFR", "yuv420p")
    clip = Clip(film, "key", "mp4", Fraction(0), LENGTH_S, video, (), (), 0, timecode)
    identity = ClipIdentity(str(film), "key", LENGTH_S, frame_rate)
    plan = SoundPlan(identity, (), (), Reasoning("steps in a room", "", "", ""), EVENTS)
    folder.mkdir(parents=True, exist_ok=True)
    placements = tuple(_placed(event, folder) for event in EVENTS if not event.muted)
    length = to_samples(LENGTH_S, RATE_HZ)
    arrangement = Arrangement(tuple(sorted(placements, key=lambda one: one.first_sample)), length)
    buses: tuple[Bus, ...] = ("foley", "effects", "backgrounds")
    open_ms = np.ones(length * 1000 // RATE_HZ + 1, np.float32)
    master = Master(-2.0, None, dict.fromkeys(buses, open_ms), dict.fromkeys(buses, "k"))
    silence = {bus: _kept(np.zeros((2, length)), folder / f"{bus}.wav") for bus in (*buses, "mix")}
    stems = {bus: silence[bus] for bus in buses}
    mix = silence["mix"]
    mixdown = Mixdown(stems, mix, mix, False, False, None, -1.0, master)
    return Rendered(plan, clip, arrangement, mixdown, Cache(folder / "cache"))


def _kept(samples: np.ndarray, to: Path) -> AudioFile:
    """A file that tests share: the same for all of them."""
    return sound.describe(to) if to.exists() else saved(samples, to)


def _placed(event: SoundEvent, folder: Path) -> Placement:
    rng = np.random.default_rng(len(event.id))
    lasts = event.end_s - event.start_s + {"hits": 0.7, "span": 0.0, "bed": 0.1}[event.kind]
    noise = 0.3 * hit_sound(rng, ring_s=0.4, length_s=lasts)
    audio = _kept(noise if event.kind == "hits" else np.stack([noise, -noise]), folder / f"take-{event.id}.wav")
    gain = 0.5 * to_gain(event.gain_db)
    fades = {"fade_in": to_samples(event.fade_in_s, RATE_HZ), "fade_out": to_samples(event.fade_out_s, RATE_HZ)}
    # the room was made from before the first frame on, and is cut there
    first = to_samples(event.start_s, RATE_HZ) - (2400 if event.kind == "bed" else 0)
    return Placement(event.id, event.bus, audio, first, gain, gain, trim=to_gain(event.gain_db), **fades)


@pytest.fixture
def scored(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that exports the plan at a frame rate, as if it had been rendered."""

    def export(rate: str, *formats: str, timecode: str | None = None, **more: Any) -> exchange.Exported:
        made = rendered(film.parent / "made", film, rate, timecode)
        (tmp_path / "clip.foley").mkdir(exist_ok=True)
        if not (tmp_path / "clip.foley" / "plan.yaml").exists():
            events.save(made.plan, tmp_path / "clip.foley" / "plan.yaml")
        stems = {name: made.mixdown.stems.get(name, made.mixdown.mix).path for name in (*made.mixdown.stems, "mix")}  # type: ignore[call-overload]
        monkeypatch.setattr(outgoing, "rendered", lambda path, settings: made)
        monkeypatch.setattr(outgoing, "stem_paths", lambda folder: stems)
        return exchange.export(tmp_path / "clip.foley" / "plan.yaml", formats, **more)

    return export


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    return tmp_path / "clip.foley" / "plan.yaml"


def event_of(plan_file: Path, name: str) -> SoundEvent:
    return next(event for event in events.load(plan_file).events if event.id == name)


def otio_clip(made: Any, name: str) -> Any:
    return next(clip for clip in made.find_clips() if clip.metadata.get("foley", {}).get("event") == name)


def readable(files: tuple[Path, ...], name: str) -> Path:
    return next(path for path in files if path.suffix in plugins.build("exporter", name).suffixes)


ROUND_TRIPS = [
    (name, rate)
    for name in READABLE
    for rate in RATES
    # an AAF takes a second, and knows no frames
    if name != "aaf" or rate in ("24000/1001", "30000/1001", "VFR")
]


@pytest.mark.parametrize(("name", "rate"), ROUND_TRIPS)
def test_out_and_back_changes_nothing(name: str, rate: str, scored: Any, plan_file: Path) -> None:
    if plugins.build("exporter", name).missing():
        pytest.skip("a package is missing")
    files = scored(rate, name).files[name]
    before = plan_file.read_bytes()
    back = exchange.take_back(readable(files, name))
    assert (back.changes, back.notes, back.backup) == ((), (), None)
    assert plan_file.read_bytes() == before


@pytest.mark.parametrize("rate", RATES)
def test_no_sound_is_written_twice_to_fit_frames(rate: str, scored: Any) -> None:
    made = scored(rate, "otio", "fcp7")
    assert not (made.folder / "otio" / "media").exists()
    assert not (made.folder / "fcp7" / "media").exists()


@pytest.mark.parametrize("rate", ["25", "30000/1001", "VFR"])
def test_the_items_sum_to_the_buses_with_gain_and_fades(rate: str, scored: Any, film: Path) -> None:
    made, again = scored(rate, "otio"), rendered(film.parent / "made", film, rate)
    noted = record.load(made.folder)
    assert noted is not None
    length = again.arrangement.length
    for bus in ("foley", "effects", "backgrounds"):
        want, got = np.zeros((2, length)), np.zeros((2, length))
        for item in again.arrangement.placements:
            if item.bus != bus:
                continue
            share = event_share(again.arrangement, again.mixdown.master, item.event_id, 0, length)
            want += share * item.trim * fade_gain(item, 0, length, length=length)
            given = noted.events[item.event_id]
            first, last = given.first_sample, given.first_sample + given.length
            audio = sound.describe(made.folder / given.file)
            heard = sound.read(audio, given.source_first, given.source_first + given.length)
            got[:, first:last] += heard * to_gain(given.gain_db) * fade_gain(item, first, last, length=length)
        assert np.abs(want - got).max() <= 2 * 2.0**-23  # each item is rounded to 24 bit


def test_sounds_have_handles_and_lie_on_frames(scored: Any) -> None:
    made = scored("30000/1001", "otio", handles_s=1.0)
    noted = record.load(made.folder)
    assert noted is not None
    assert noted.events.keys() == {"e01-room", "e02-steps", "e03-whoosh", "e05-edge"}
    for given in noted.events.values():
        audio = sound.describe(made.folder / given.file)
        assert (audio.rate_hz, audio.channels) == (48_000, 2)
        assert 48_000 <= given.source_first < 48_000 + 8008
        assert audio.length >= given.source_first + given.length + 48_000
        assert (given.first_sample - given.source_first) % 8008 == audio.length % 8008 == 0
        assert given.first_sample + given.length <= 6 * 48_000


def test_the_same_plan_gives_the_same_bytes_and_writes_no_sound_again(scored: Any) -> None:
    first = scored("25", "otio", "fcp7", "otioz")
    contents = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (first.folder / "media").iterdir()}
    files = {path: path.read_bytes() for of in first.files.values() for path in of}
    second = scored("25", "otio", "fcp7", "otioz")
    assert (len(first.written), second.written) == (4, ())
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in contents} == contents
    assert {path: path.read_bytes() for path in files} == files


def test_a_sound_that_was_lost_or_spoilt_is_written_again(scored: Any) -> None:
    made = scored("25", "otio")
    (made.folder / "media" / "e02-steps.wav").unlink()
    (made.folder / "media" / "e03-whoosh.wav").write_bytes(b"RIFF")
    assert set(scored("25", "otio").written) == {"e02-steps", "e03-whoosh"}


def test_a_new_gain_leaves_the_sound_as_it_is(scored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scored("25", "otio")
    louder = tuple(replace(one, gain_db=one.gain_db - 7.3) if one.id == "e02-steps" else one for one in EVENTS)
    monkeypatch.setitem(globals(), "EVENTS", louder)
    made = scored("25", "otio")
    assert made.written == ()
    assert plugins.build("exporter", "otio").read(made.files["otio"][0])[0].gain_db == pytest.approx(2.5 - 7.3)


def test_what_was_moved_muted_and_turned_up_is_in_the_plan(scored: Any, plan_file: Path) -> None:
    path = scored("25", "otio").files["otio"][0]
    made = otio.adapters.read_from_file(str(path))
    steps = next(track for track in made.tracks if track.name == "FOLEY")
    gap = otio.opentime.TimeRange(duration=otio.opentime.RationalTime(5, 25))
    steps.insert(0, otio.schema.Gap(source_range=gap))
    otio_clip(made, "e03-whoosh").enabled = False
    level = otio_clip(made, "e01-room").effects[0].metadata["Resolve_OTIO"]["Parameters"][0]
    level["Parameter Value"] = -8.0
    for key in level["Key Frames"].values():
        key["Value"] = max(-100.0, key["Value"] - 5.0)
    otio.adapters.write_to_file(made, str(path))

    tried = exchange.take_back(path, dry_run=True)
    assert len(tried.changes) == 3
    assert tried.backup is None
    assert not event_of(plan_file, "e03-whoosh").muted

    before = plan_file.read_bytes()
    done = exchange.take_back(path)
    assert done.changes == tried.changes
    assert done.backup is not None
    assert done.backup.read_bytes() == before
    moved, muted, louder = (event_of(plan_file, name) for name in ("e02-steps", "e03-whoosh", "e01-room"))
    assert [hit.time_s for hit in moved.hits] == pytest.approx([1.2123, 2.2077, 3.2191])
    assert (muted.muted, louder.gain_db) == (True, -8.0)
    assert {moved.locked, muted.locked, louder.locked} == {True}
    assert not event_of(plan_file, "e05-edge").locked

    assert exchange.take_back(path).changes == ()  # the same timeline again
    assert moved == event_of(plan_file, "e02-steps")


def test_an_edit_that_was_undone_in_the_editor_is_undone_in_the_plan(scored: Any, plan_file: Path) -> None:
    path = scored("25", "otio").files["otio"][0]
    before = path.read_bytes()
    made = otio.adapters.read_from_file(str(path))
    otio_clip(made, "e03-whoosh").enabled = False
    otio.adapters.write_to_file(made, str(path))
    exchange.take_back(path)
    assert event_of(plan_file, "e03-whoosh").muted
    path.write_bytes(before)
    assert exchange.take_back(path).changes == ("e03-whoosh (whoosh): heard again",)
    assert not event_of(plan_file, "e03-whoosh").muted


def test_what_was_edited_in_the_plan_since_stays(scored: Any, plan_file: Path) -> None:
    path = scored("25", "otio").files["otio"][0]
    plan = events.load(plan_file)
    mine = [replace(one, seed=9, gain_db=-1.0) if one.id == "e02-steps" else one for one in plan.events]
    events.save(replace(plan, events=tuple(mine)), plan_file)
    made = otio.adapters.read_from_file(str(path))
    otio_clip(made, "e03-whoosh").enabled = False
    otio.adapters.write_to_file(made, str(path))
    exchange.take_back(path)
    assert (event_of(plan_file, "e02-steps").seed, event_of(plan_file, "e02-steps").gain_db) == (9, -1.0)


def test_a_trim_drops_hits_and_cuts_a_span(scored: Any, plan_file: Path) -> None:
    path = scored("24", "otio").files["otio"][0]
    made = otio.adapters.read_from_file(str(path))
    for name, frames in (("e02-steps", 12), ("e03-whoosh", 10)):
        clip = otio_clip(made, name)
        heard, cut = clip.source_range, otio.opentime.RationalTime(frames, 24)
        gap = otio.opentime.TimeRange(duration=cut)
        track = clip.parent()
        track.insert(track.index(clip), otio.schema.Gap(source_range=gap))
        clip.source_range = otio.opentime.TimeRange(heard.start_time + cut, heard.duration - cut)
    otio.adapters.write_to_file(made, str(path))
    exchange.take_back(path)
    assert [hit.time_s for hit in event_of(plan_file, "e02-steps").hits] == [2.0077, 3.0191]
    assert event_of(plan_file, "e03-whoosh").start_s == pytest.approx(2.0 + 10 / 24, abs=1e-4)
    assert event_of(plan_file, "e03-whoosh").end_s == 4.0


def test_a_clip_that_was_deleted_is_muted(scored: Any, plan_file: Path) -> None:
    path = scored("30000/1001", "fcp7").files["fcp7"][0]
    text = path.read_text()
    path.write_text(text.replace("e02-steps.wav", "elsewhere.wav"))
    done = exchange.take_back(path)
    assert done.changes == ("e02-steps (footsteps): muted",)
    assert done.notes == ("elsewhere is none of the exported sounds: left where it is",)


def test_a_timeline_of_something_else_mutes_nothing(scored: Any, plan_file: Path) -> None:
    stems = scored("25", "otio").files["otio"][1]
    before = plan_file.read_bytes()
    with pytest.raises(ExportError, match="none of the sounds"):
        exchange.take_back(stems)
    assert plan_file.read_bytes() == before


def test_a_timeline_from_another_folder_needs_its_plan_named(scored: Any, plan_file: Path, tmp_path: Path) -> None:
    path = scored("25", "otio").files["otio"][0]
    away = tmp_path / "a" / "b" / "c" / "d" / "edit.otio"
    away.parent.mkdir(parents=True)
    away.write_bytes(path.read_bytes())
    with pytest.raises(ExportError, match="exported from"):
        exchange.take_back(away)
    assert exchange.take_back(away, plan_file).changes == ()


def test_a_timeline_of_another_clip_is_refused(scored: Any, plan_file: Path, tmp_path: Path) -> None:
    path, plan = scored("25", "otio").files["otio"][0], events.load(plan_file)
    other = tmp_path / "other" / "plan.yaml"
    other.parent.mkdir()
    events.save(replace(plan, clip=replace(plan.clip, key="another")), other)
    before = other.read_bytes()
    with pytest.raises(ExportError, match=r"exported from a plan of another clip, clip\.mp4"):
        exchange.take_back(path, other)
    assert other.read_bytes() == before


def test_the_export_may_lie_elsewhere(scored: Any, plan_file: Path, tmp_path: Path) -> None:
    made = scored("25", "otio", output=tmp_path / "to the editor")
    back = exchange.take_back(made.files["otio"][0])
    assert (back.plan, back.changes) == (plan_file, ())


@pytest.mark.parametrize(
    ("rate", "timecode", "start", "drop"),
    [
        ("25", "01:00:00:00", 90_000, False),
        ("30000/1001", "01:00:00;00", 107_892, True),
        ("24000/1001", "10:00:00:12", 864_012, False),
        ("25", "25:99:00:00", 0, False),
        ("15", "00:00:10:00", 300, False),
    ],
)
def test_the_timeline_begins_with_the_clips_time_code(
    rate: str, timecode: str, start: int, drop: bool, scored: Any
) -> None:
    made = scored(rate, "otio", timecode=timecode)
    timeline = otio.adapters.read_from_file(str(made.files["otio"][0]))
    assert timeline.global_start_time.value == start
    assert timeline.metadata["foley"]["drop_frame"] is drop
    assert bool(made.notes) == (timecode == "25:99:00:00" or rate == "15")


def test_the_whole_reasoning_and_each_reason_are_markers(scored: Any) -> None:
    made = otio.adapters.read_from_file(str(scored("25", "otio").files["otio"][0]))
    said = [marker.comment for marker in made.tracks.markers]
    assert said == ["steps in a room", "always", "feet land", "it passes", "at the end"]


def test_what_cannot_be_asked_for_is_refused_before_any_work(plan_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownPluginError):
        exchange.export(plan_file, ["otio", "vhs"])
    with pytest.raises(OptionError):
        exchange.export(plan_file, [])
    with pytest.raises(OptionError):
        exchange.export(plan_file, ["otio"], handles_s=-1.0)
    monkeypatch.setattr("foley.deliver.otio_form.find_spec", lambda name: None)
    with pytest.raises(MissingProgramError) as caught:
        exchange.export(plan_file, ["otio"])
    assert "foley-pipeline[editors]" in caught.value.hint
    with pytest.raises(PlanError):
        exchange.export(plan_file, ["fcp7"])


def test_a_file_that_no_exporter_reads_is_refused_with_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "cut.edl").write_text("TITLE: x")
    with pytest.raises(ExportError) as caught:
        exchange.take_back(tmp_path / "cut.edl")
    assert ".otio" in caught.value.hint
    with pytest.raises(ExportError, match="does not exist"):
        exchange.take_back(tmp_path / "none.otio")


@pytest.fixture
def command_line() -> Any:
    from foley.cli import exchange as commands

    app = typer.Typer()
    app.command("export")(commands.export)
    app.command("import")(commands.import_edits)
    app.command("exporters")(commands.exporters)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def test_the_command_line_exports_and_takes_back(scored: Any, plan_file: Path, command_line: Any) -> None:
    scored("25", "otio")
    done = command_line("export", plan_file, "--to", "otio,fcp7", "--json")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert told["files"].keys() == {"otio", "fcp7"}
    path = Path(told["files"]["otio"][0])
    made = otio.adapters.read_from_file(str(path))
    otio_clip(made, "e03-whoosh").enabled = False
    otio.adapters.write_to_file(made, str(path))
    tried = json.loads(command_line("import", path, "--dry-run", "--json").stdout)
    assert (tried["changes"], tried["written"]) == (["e03-whoosh (whoosh): muted"], False)
    assert json.loads(command_line("import", path, plan_file, "--json").stdout)["written"]
    assert event_of(plan_file, "e03-whoosh").muted


def test_the_command_line_lists_the_forms(command_line: Any) -> None:
    listed = json.loads(command_line("exporters", "--json").stdout)
    assert {one["name"] for one in listed} == set(plugins.names("exporter"))
    assert "otio" in command_line("exporters").stdout


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Settings]:
    """A clip that went through the whole pipeline: three sounds on three buses."""
    folder = tmp_path_factory.mktemp("real")
    video = moving(folder / "clip.mp4", duration_s=3.0, rate="30000/1001")
    settings = Settings(workdir=folder / "cache", options={"looks": {"encoder": "none"}})
    prompt = "0:00.5 door slams; 0:01.2 glass breaks; rain"
    return api.run(video, prompt=prompt, settings=settings).folder / "plan.yaml", Settings(workdir=folder / "cache")


def stem(folder: Path, name: str) -> np.ndarray:
    audio = sound.describe(folder / "stems" / f"{name}.wav")
    return sound.read(audio, 0, audio.length)


def test_what_is_exported_of_a_render_sums_to_its_stems(real: tuple[Path, Settings]) -> None:
    plan_file, settings = real
    video = plan_file.parent.with_name("clip.foley.mp4")
    rendered_at = video.stat().st_mtime_ns
    made = exchange.export(plan_file, ["otio"], settings=settings)
    assert video.stat().st_mtime_ns == rendered_at  # nothing was rendered again
    noted = record.load(made.folder)
    assert noted is not None
    buses = {event.id: event.bus for event in events.load(plan_file).events}
    totals = {bus: np.zeros_like(stem(plan_file.parent, bus), np.float64) for bus in set(buses.values())}
    for name, given in noted.events.items():
        audio = sound.describe(made.folder / given.file)
        heard = sound.read(audio, given.source_first, given.source_first + given.length)
        totals[buses[name]][:, given.first_sample : given.first_sample + given.length] += heard
    for bus, total in totals.items():
        assert np.abs(total - stem(plan_file.parent, bus)).max() <= 4 * 2.0**-23


def test_only_what_an_editor_changed_is_made_again(real: tuple[Path, Settings]) -> None:
    plan_file, settings = real
    folder = plan_file.parent
    path = exchange.export(plan_file, ["otio"], settings=settings).files["otio"][0]
    plan = events.load(plan_file)
    door = next(event for event in plan.events if "door" in event.label)
    before = {bus: stem(folder, bus) for bus in ("foley", "effects", "backgrounds")}
    takes = {event.id: (folder / "takes" / f"{event.id}.wav").read_bytes() for event in plan.events}
    made = otio.adapters.read_from_file(str(path))
    clip = otio_clip(made, door.id)
    track = clip.parent()
    gap = otio.opentime.TimeRange(duration=otio.opentime.RationalTime(3, 30000 / 1001))
    track.insert(track.index(clip), otio.schema.Gap(source_range=gap))
    otio.adapters.write_to_file(made, str(path))
    exchange.take_back(path)
    api.render(plan_file, settings=settings)
    moved = next(event for event in events.load(plan_file).events if event.id == door.id)
    assert moved.start_s == pytest.approx(door.start_s + 3 * 1001 / 30000, abs=1e-4)
    assert not np.array_equal(stem(folder, door.bus), before[door.bus])
    for bus in before.keys() - {door.bus}:
        assert np.array_equal(stem(folder, bus), before[bus])
    assert {name: (folder / "takes" / f"{name}.wav").read_bytes() for name in takes}.items() >= {
        name: data for name, data in takes.items() if name != door.id
    }.items()
    again = exchange.export(plan_file, ["otio"], settings=settings)
    assert door.id in again.written
    assert not {event.id for event in plan.events if event.bus != door.bus} & set(again.written)


def test_a_plan_that_was_edited_since_is_rendered_first(real: tuple[Path, Settings]) -> None:
    plan_file, settings = real
    plan, folder = events.load(plan_file), plan_file.parent
    exchange.export(plan_file, ["fcp7"], settings=settings)
    before = stem(folder, "backgrounds")
    rain = next(event for event in plan.events if event.bus == "backgrounds")
    others = tuple(replace(event, muted=event.id == rain.id) for event in plan.events)
    try:
        events.save(replace(plan, events=others), plan_file)
        made = exchange.export(plan_file, ["fcp7"], settings=settings)
        assert rain.id not in {item.event_id for item in plugins.build("exporter", "fcp7").read(made.files["fcp7"][0])}
        assert not (made.folder / "media" / f"{rain.id}.wav").exists()
        assert not np.array_equal(stem(folder, "backgrounds"), before)
    finally:
        events.save(plan, plan_file)
        api.render(plan_file, settings=settings)
    assert np.array_equal(stem(folder, "backgrounds"), before)


def test_the_options_of_the_last_render_hold(tmp_path: Path) -> None:
    told = {"workflow": "postproduction", "options": {"master": {"loudness": "web", "gone": 1}, "no_such": {"a": 1}}}
    (tmp_path / "manifest.json").write_text(json.dumps(told))
    kept = as_rendered(Settings(options={"takes": {"licence": "commercial"}}), tmp_path)
    assert kept.options == {"master": {"loudness": "web"}, "takes": {"licence": "commercial"}}
    named = as_rendered(Settings(options={"master": {"loudness": "off"}}), tmp_path)
    assert named.options == {"master": {"loudness": "off"}}
    assert as_rendered(Settings(), tmp_path / "none").options == {}


def test_the_record_says_what_editors_were_given(scored: Any) -> None:
    made = scored("25", "otio")
    tree = json.loads((made.folder / "export.json").read_text())
    assert tree["schema"] == "foley.export/1"
    assert tree["events"]["e02-steps"]["first_sample"] == to_samples(1.0123, RATE_HZ)
    assert tree["files"] == {"otio": ["otio/clip.otio", "otio/clip stems.otio"]}
    assert tree["plan"] == "../plan.yaml"
