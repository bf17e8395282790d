"""What an event goes by is shown: frames around the hit, a box where it moves, the curve, what the shot looks like."""

from __future__ import annotations

import re
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from foley.analysis.probe import probe
from foley.analysis.watch import WatchOptions, watch
from foley.contracts import Context
from foley.deliver import charts, evidence, findings, report_page, strips
from foley.deliver.evidence import Evidence, Strips
from foley.deliver.finished import Finished
from foley.errors import DamagedVideoError
from foley.media import sound
from foley.model import (
    Audio,
    Clip,
    ClipIdentity,
    CurvePoint,
    FittedTakes,
    Hit,
    KeyFrame,
    Look,
    Looks,
    LoudnessFigures,
    Master,
    Mixdown,
    PanPoint,
    Picture,
    Reasoning,
    Report,
    ScoredLabel,
    SoundEvent,
    SoundPlan,
    Source,
    Space,
    Step,
)
from tests import media_maker as make
from tests.planning import clip_of, impact, picture_of, unseen

BOX_TOLERANCE = 0.08
"""Of the picture: flow is smooth over its patches, and a box has a margin."""


@pytest.fixture(scope="module")
def falling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A textured square that falls in the right half of a still picture up to 1 s, then lies; 320 x 180, 25 fps."""
    folder = tmp_path_factory.mktemp("falling")
    film = folder / "falling.mp4"
    rng = np.random.default_rng(3)
    back = cv2.GaussianBlur(rng.integers(0, 255, (180, 320, 3)).astype(np.uint8), (0, 0), 2)
    thing = cv2.GaussianBlur(rng.integers(0, 255, (40, 40, 3)).astype(np.uint8), (0, 0), 1.5)
    for number in range(50):
        picture = back.copy()
        y = round(10 + 100 * min(1.0, number / 25) ** 2)
        picture[y : y + 40, 220:260] = thing
        cv2.imwrite(str(folder / f"{number:03d}.png"), picture)
    make.ffmpeg("-framerate", "25", "-i", folder / "%03d.png", "-pix_fmt", "yuv420p", "-crf", "10", film)
    return film


def knocks(*times_s: float, confidence: float = 1.0) -> SoundEvent:
    made = tuple(Hit(time_s, strength=1.0 - 0.1 * n) for n, time_s in enumerate(times_s))
    start_s, end_s = min(times_s), max(times_s) + 0.1
    return SoundEvent("e01", "knock", "hits", "foley", start_s, end_s, "It is seen.", hits=made, confidence=confidence)


def rain(start_s: float, end_s: float) -> SoundEvent:
    return SoundEvent("e02", "rain", "bed", "backgrounds", start_s, end_s, "It rains.")


def jpeg(grey: int = 128) -> bytes:
    return bytes(cv2.imencode(".jpg", np.full((90, 160, 3), grey, np.uint8))[1])


def with_key_frames(picture: Picture, *times_s: float) -> Picture:
    shots = [next(n for n, shot in enumerate(picture.shots) if time_s < shot.end_s) for time_s in times_s]
    frames = (KeyFrame(time_s, shot, jpeg()) for time_s, shot in zip(times_s, shots, strict=True))
    return replace(picture, key_frames=tuple(frames))


def evidence_of(event: SoundEvent, picture: Picture, looks: Looks, clip: Clip, ctx: Context) -> Evidence:
    with ThreadPoolExecutor(1) as beside:
        made = Strips([event], clip, picture, beside=beside, ctx=ctx)
        return evidence.evidence(event, picture=picture, looks=looks, total_s=float(clip.duration_s), made=made)


def test_the_box_is_where_it_moves(falling: Path, ctx: Context) -> None:
    clip = probe(Source(falling), ctx)
    frames = strips._frames_around(clip, 0.9)
    greys = [np.asarray(cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY)) for frame in frames]
    speeds = [np.hypot(flow[..., 0], flow[..., 1]) for flow in strips._own_flows(greys)]
    region = strips.region_of(speeds, strips.Moment(0.9, None, None, "strike"))
    assert region is not None
    assert (region.left, region.right) == pytest.approx((220 / 320, 260 / 320), abs=BOX_TOLERANCE)
    assert 0.3 < (region.top + region.bottom) / 2 < 0.8  # it falls from 75 to 115 of 180


def test_of_several_things_that_move_the_one_at_the_impact_is_boxed() -> None:
    speed = np.zeros((90, 160), np.float32)
    speed[20:40, 20:40], speed[50:70, 110:130] = 5.0, 6.0
    left = strips.region_of([speed], strips.Moment(1.0, 30 / 160, 30 / 90, "strike"))
    right = strips.region_of([speed], strips.Moment(1.0, 120 / 160, 60 / 90, "strike"))
    assert left is not None
    assert right is not None
    assert left.right < 0.5 < right.left


def test_where_nothing_moves_there_is_no_box() -> None:
    still = np.zeros((90, 160), np.float32)
    assert strips.region_of([still], strips.Moment(1.0, 0.5, 0.5, "strike")) is None
    assert strips.region_of([], strips.Moment(1.0, None, None, None)) is None


def test_a_strip_shows_the_frames_around_its_moment(falling: Path, ctx: Context) -> None:
    clip = probe(Source(falling), ctx)
    times = [frame.time_s for frame in strips._frames_around(clip, 1.0)]
    assert times == pytest.approx([0.92, 0.96, 1.0, 1.04, 1.08, 1.12])
    strip = cv2.imdecode(np.frombuffer(strips.strip(clip, strips.Moment(1.0, 0.75, 0.7, "strike")), np.uint8), 1)
    assert strip.shape == (180, 5 * 320 + 4 * strips.GAP_PX, 3)
    strong = strip[4:18, 2 * (320 + strips.GAP_PX) + 2 :][:, :4].reshape(-1, 3).mean(axis=0)
    assert strong == pytest.approx(strips.ACCENT, abs=25), "the frame of the hit bears its time on amber"


@pytest.mark.parametrize("time_s", [0.0, 1.98, 5.0])
def test_a_strip_at_the_clip_s_ends_is_shorter_or_none(falling: Path, ctx: Context, time_s: float) -> None:
    clip = probe(Source(falling), ctx)
    strip = strips.strip(clip, strips.moment(time_s, watch(clip, WatchOptions(), ctx)))
    assert (len(strip) > 0) == (time_s < 2.0)


def test_a_moment_knows_the_impact_that_it_was_timed_by() -> None:
    picture = picture_of(impacts=[impact(1.0, x=0.2), impact(1.02, "flash", x=0.9), impact(4.0, "flash", x=0.8)])
    assert strips.moment(1.02, picture).x == 0.2, "its shot's cue before one that is nearer"
    assert strips.moment(4.01, picture).cue == "flash"
    assert strips.moment(2.5, picture) == strips.Moment(2.5, None, None, None)


def test_a_strip_is_made_once(falling: Path, ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    clip, picture = probe(Source(falling), ctx), with_key_frames(picture_of(2.0), 0.5)
    first = evidence_of(knocks(1.0), picture, unseen(picture), clip, ctx)
    monkeypatch.setattr(strips, "strip", lambda *_: pytest.fail("made again"))
    louder = replace(knocks(1.0), gain_db=6.0, label="bang")
    assert evidence_of(louder, picture, unseen(picture), clip, ctx).strip == first.strip != b""


def test_a_clip_that_can_no_longer_be_opened_costs_only_the_strip(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(clip: Clip, at: strips.Moment) -> bytes:
        raise DamagedVideoError(clip.path, "gone")

    monkeypatch.setattr(strips, "strip", broken)
    picture = with_key_frames(picture_of(10.0), 0.5, 4.0, 9.0)
    seen = evidence_of(knocks(4.4), picture, unseen(picture), clip_of(10.0), ctx)
    assert seen.strip == b""
    assert [frame.time_s for frame in seen.frames] == [4.0]


def test_large_pictures_get_fewer_strips_and_the_surest_hits_get_them() -> None:
    events = [replace(knocks(1.0 + n, confidence=n / 20), id=f"e{n}") for n in range(20)]
    events.append(replace(knocks(0.5), id="muted", muted=True))
    small = clip_of(30.0)
    large = replace(small, video=replace(small.video, width_px=1920, height_px=1080))
    assert len(evidence._worth_a_strip(events, small)) == evidence.MOST_STRIPS
    assert [event.id for event in evidence._worth_a_strip(events, large)] == ["e19"]


def test_an_ambience_shows_one_frame_a_shot_and_no_curve(ctx: Context) -> None:
    picture = with_key_frames(picture_of(10.0, cuts_s=[4.0]), 1.0, 2.1, 3.9, 5.0, 7.2)
    seen = evidence_of(rain(0.0, 10.0), picture, unseen(picture), clip_of(10.0), ctx)
    assert [frame.time_s for frame in seen.frames] == [2.1, 7.2]
    assert seen.chart is None
    shorter = evidence_of(rain(2.8, 5.0), picture, unseen(picture), clip_of(10.0), ctx)
    assert [frame.time_s for frame in shorter.frames] == [3.9, 5.0], "of what it covers, not of the whole shot"


def test_a_lasting_sound_shows_its_liveliest_frame_and_its_course(ctx: Context) -> None:
    picture = with_key_frames(picture_of(10.0, moving_s=[(6.0, 6.2)]), 1.0, 4.0, 6.1, 9.0)
    curve = (CurvePoint(4.0, 0.0), CurvePoint(8.0, 1.0))
    car = SoundEvent("e03", "car", "span", "effects", 4.0, 8.0, "It passes.", curve=curve)
    seen = evidence_of(car, picture, unseen(picture), clip_of(10.0), ctx)
    assert [frame.time_s for frame in seen.frames] == [6.1]
    assert seen.chart is not None
    assert (seen.chart.span.start_s, seen.chart.span.end_s) == (3.0, 9.0)
    assert seen.chart.during == pytest.approx((1000 / 6, 5000 / 6))
    assert seen.chart.intensity == "M166.7 100.0 L833.3 0.0"


def test_a_chart_marks_hits_and_impacts_where_they_are() -> None:
    picture = picture_of(10.0, impacts=[impact(5.0), impact(5.5, "flash"), impact(9.0)])
    chart = charts.of_event(knocks(5.0, 5.6, 9.5), picture, 10.0)
    assert (chart.span.start_s, chart.span.end_s) == (4.0, 6.0)
    assert [mark.x for mark in chart.hits] == pytest.approx([500, 800])
    assert [(mark.x, mark.cue) for mark in chart.impacts] == [(pytest.approx(500), "strike")]
    assert chart.ticks == ("0:04.000", "0:05.000", "0:06.000")


def test_labels_are_those_of_the_event_s_shots_the_likeliest_first(ctx: Context) -> None:
    picture = picture_of(9.0, cuts_s=[3.0, 6.0])
    seen = [("rain", 0.6), ("dog", 0.9)], [("rain", 0.8)], [("fire", 0.99)]
    looks = Looks(
        tuple(
            Look(n, tuple(ScoredLabel(sound, f"a {sound}", score) for sound, score in labels), np.zeros(0, np.float32))
            for n, labels in enumerate(seen)
        ),
        (0, 1, 2),
        "an encoder",
    )
    labels = evidence_of(rain(0.0, 6.0), picture, looks, clip_of(9.0), ctx).labels
    assert [(label.sound, label.score) for label in labels] == [("dog", 0.9), ("rain", 0.8)]


def test_what_was_seen_is_written_as_pictures(falling: Path, ctx: Context, tmp_path: Path) -> None:
    clip = probe(Source(falling), ctx)
    picture = watch(clip, WatchOptions(), ctx)
    picture = replace(picture, impacts=(impact(0.98), impact(1.1, strength=0.5), impact(1.6)), shot_cues=("strike",))
    written = findings.write_pictures(clip, picture, unseen(picture), folder=tmp_path / "seen")
    assert sorted(path.name for path in (tmp_path / "seen").iterdir()) == sorted(path.name for path in written)
    names = [path.name for path in written]
    assert names[0] == "motion.svg"
    assert [name for name in names if name.startswith("impact")] == [
        "impact-0h00m00.980s.jpg",
        "impact-0h00m01.600s.jpg",
    ], "of two that are near each other only the stronger"
    assert sum(name.startswith("shot-001-") for name in names) == len(picture.key_frames) > 0
    for path in written[1:]:
        assert cv2.imread(str(path)) is not None
    assert written[0].read_text().count('class="impact"') == 3
    assert "grey: how much moves" in written[0].read_text(), "the drawing explains itself"


def finished(folder: Path, plan: SoundPlan, picture: Picture, looks: Looks) -> Finished:
    """Return a finished clip that nobody hears."""
    mix = sound.save(Audio(np.zeros((2, 48_000), np.float32), 48_000), folder / "mix.wav")
    figures = LoudnessFigures(None, -120.0, -23.0, -1.0, True)
    report = Report((), figures, figures, 0.0, 48_000, ())
    mixdown = Mixdown({}, mix, mix, False, False, -23.0, -1.0, Master(0.0, -23.0, {}, {}))
    return Finished(clip_of(10.0), picture, looks, plan, FittedTakes(()), mixdown, report)


def test_the_report_shows_the_evidence_and_carries_all_of_it_itself(
    ctx: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strips, "strip", lambda clip, at: jpeg())
    picture = with_key_frames(picture_of(10.0, impacts=[impact(2.0)]), 2.5)
    looks = Looks(
        (Look(0, (ScoredLabel("rain", "rain & <wind>", 0.83),), np.zeros(0, np.float32)),), (0,), "an encoder"
    )
    clip = clip_of(10.0)
    reasoning = Reasoning("a", "b", "c", "d", (Step("seen", 'A door.\n{"sounds": ["<knock>"]}'),))
    identity = ClipIdentity("clip.mp4", clip.key, clip.duration_s, clip.video.frame_rate)
    plan = SoundPlan(identity, picture.shots, (), reasoning, (knocks(2.0), rain(0.0, 10.0)))
    listen: Future[bytes | None] = Future()
    listen.set_result(None)
    done = finished(tmp_path, plan, picture, looks)
    page = report_page.page(done, listen=listen, video=Path("clip.foley.mp4"), mix="stems/mix.wav", ctx=ctx)
    knock, bed = page.split("<article")[1:]
    assert "frames around the strongest hit" in knock
    assert "motion around the event" in knock
    assert "the picture at 0:02.500" in bed
    assert "motion around the event" not in bed
    assert "rain &amp; &lt;wind&gt;" in knock
    assert "83 %" in knock
    assert "A door.\n{&#34;sounds&#34;: [&#34;&lt;knock&gt;&#34;]}" in page
    assert "an encoder" in page
    sources = re.findall(r'<img[^>]* src="([^"]{0,10})', page)
    assert len(sources) >= 4
    assert {source[:5] for source in sources} == {"data:"}


def test_the_report_tells_from_where_sounds_come_and_what_an_editor_set(ctx: Context, tmp_path: Path) -> None:
    picture = with_key_frames(picture_of(10.0, impacts=[impact(2.0)]), 2.5)
    moving = replace(
        knocks(2.0),
        path=(PanPoint(1.0, -0.5), PanPoint(3.0, 0.25)),
        distance_m=7.5,
        room="none",
        gain_db=-3.0,
        fade_out_s=0.5,
    )
    identity = ClipIdentity("clip.mp4", "key", Fraction(10), Fraction(25))
    spaces = tuple(Space(at, at + 1.0, "small_interior", "A <hut>.") for at in range(10))
    plan = SoundPlan(
        identity, picture.shots, (), Reasoning("a", "b", "c", "d"), (moving, rain(0.0, 10.0)), spaces=spaces
    )
    listen: Future[bytes | None] = Future()
    listen.set_result(None)
    done = finished(tmp_path, plan, picture, Looks((), (), ""))
    page = report_page.page(done, listen=listen, video=Path("clip.foley.mp4"), mix="stems/mix.wav", ctx=ctx)
    knock, bed = page.split("<article")[1:]
    for told in ("pan -0.50 to +0.25, moving", "7.5 m away", "no room (dry)", "gain -3.0 dB", "fade out 0.5 s"):
        assert f"<span>{told}</span>" in knock
    assert "<span>wide</span>" in bed
    assert "<span>pan" not in bed
    assert "gain" not in bed.split("</div>")[0]
    assert "small interior from 0:00.000 to 0:01.000 (A &lt;hut&gt;); small interior" in page
    assert "and 2 more, see plan.yaml" in page


@pytest.mark.parametrize(("peak_dbtp", "told"), [(-120.0, "silent"), (-9.0, "not measured")])
def test_the_report_calls_silent_only_what_is(peak_dbtp: float, told: str, ctx: Context, tmp_path: Path) -> None:
    picture = with_key_frames(picture_of(10.0), 2.5)
    plan = SoundPlan(
        ClipIdentity("clip.mp4", "key", Fraction(10), Fraction(25)),
        picture.shots,
        (),
        Reasoning("a", "b", "c", "d"),
        (),
    )
    listen: Future[bytes | None] = Future()
    listen.set_result(None)
    done = finished(tmp_path, plan, picture, Looks((), (), ""))
    figures = replace(done.report.mix, true_peak_dbtp=peak_dbtp)
    done = replace(done, report=replace(done.report, mix=figures))
    page = report_page.page(done, listen=listen, video=Path("clip.foley.mp4"), mix="stems/mix.wav", ctx=ctx)
    assert f'<strong class="number">{told}</strong> <span class="dim"></span>' in page
