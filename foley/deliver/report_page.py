"""`report.html`: one page that shows what was planned, made and measured; needs no network and no other file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from foley.contracts import Context
from foley.deliver import charts, evidence, pictures
from foley.deliver.evidence import Evidence, Strips
from foley.deliver.finished import Finished
from foley.deliver.templates import template
from foley.model import KeyFrame, Mixdown, Picture, Report, Room, Shot, SoundEvent, SoundPlan, SyncCheck, Take
from foley.units import RATE_HZ, clock

PAGE = Path(__file__).with_name("report.html.j2")
STRIP_FRAMES = 24
"""Frames in the strip: as many as can be told apart across a screen."""
STRIP_WIDTH_PX = 176
EVIDENCE_WIDTH_PX = 320
"""Of a frame beside a curve."""
EVENT_CARDS = 150
"""More would make a page that no browser scrolls; the rest is in report.json."""
LAST_TICK = 0.96
"""Of the ruler's length: what is written at a later tick would stand beyond its end."""
ROOMS = 8
"""Stretches of rooms that the page tells one by one."""
SPECTROGRAM_PX = (720, 132)


def page(done: Finished, *, listen: Future[bytes | None], video: Path, mix: str, ctx: Context) -> str:
    """Return the page's HTML.

    Args:
        done: What it is about.
        listen: The track as AAC in MP4, to be heard from the page itself; None where it would be too large. It is
            waited for last.
        video: The finished video as seen from the page, shown where the page still lies beside it.
        mix: The mix's file as seen from the page, played where the track would be too large.
        ctx: Keeps spectrograms of takes that did not change.
    """
    clip, picture, plan, report = done.clip, done.picture, done.plan, done.report
    total_s = float(clip.duration_s)
    with ThreadPoolExecutor(1, thread_name_prefix="strips") as beside:
        made = Strips(plan.events[:EVENT_CARDS], clip, picture, beside=beside, ctx=ctx)
        return template(PAGE).render(
            clip=clip,
            rate=f"{float(clip.video.frame_rate):.3f}".rstrip("0").rstrip("."),
            total_s=total_s,
            plan=plan,
            looks=done.looks,
            report=report,
            tiles=_tiles(done.mixdown, report),
            poster=pictures.data_uri(picture.key_frames[0].jpeg, "image/jpeg") if picture.key_frames else None,
            strip=_strip(picture, total_s),
            cuts=[_cut(shot, total_s) for shot in picture.shots if shot.opening != "start"],
            chart=charts.whole(picture, total_s),
            lanes=[_lane(event, total_s) for event in plan.events],
            rooms=_rooms(plan),
            mix_picture=_spectrogram(done.mixdown.mix, ctx),
            cards=_cards(done, made, ctx),
            left_out=max(0, len(plan.events) - EVENT_CARDS),
            video=Path(os.path.normpath(video)).as_posix(),
            clock=clock,
            ticks=_ticks(total_s),
            mix=mix,
            listen=pictures.data_uri(heard, "audio/mp4") if (heard := listen.result()) else None,
        )


def _tiles(mixdown: Mixdown, report: Report) -> list[dict[str, Any]]:
    mix = report.mix
    measured = mix.judged_lufs is not None
    level = f"{mix.judged_lufs:.1f}" if measured else "silent" if mix.silent else "not measured"
    target = "no target" if mix.target_lufs is None else f"target {mix.target_lufs:.0f} ± {mix.tolerance_lu:g} LU"
    name = "Loudness of the speech" if mix.measure == "dialogue" else "Loudness"
    about = f"{mix.profile}: {target}" if mix.profile else target
    tiles: list[dict[str, Any]] = [
        {"name": name, "value": level, "unit": "LUFS" if measured else "", "about": about, "good": mix.passed},
        {
            "name": "True peak",
            "value": f"{mix.true_peak_dbtp:.1f}",
            "unit": "dBTP",
            "about": f"ceiling {mix.ceiling_dbtp:.0f} dBTP",
            "good": mix.true_peak_dbtp <= mix.ceiling_dbtp,
        },
    ]
    errors = [abs(check.error_ms) for check in report.sync if check.error_ms is not None]
    if errors:
        tiles.append(
            {
                "name": "Worst sync error",
                "value": f"{max(errors):.1f}",
                "unit": "ms",
                "about": f"{len(errors)} onsets measured, median {float(np.median(errors)):.1f} ms",
                "good": all(abs(check.error_frames or 0.0) <= 1.0 for check in report.sync),
            }
        )
    tiles.append(
        {
            "name": "Stems against mix",
            "value": f"{report.stem_sum_lsb:.0f}",
            "unit": "LSB",
            "about": f"{', '.join(mixdown.stems)} sum to the mix",
            "good": report.stem_sum_lsb <= 1.0,
        }
    )
    return tiles


def _strip(picture: Picture, total_s: float) -> list[dict[str, Any]]:
    """Return frames for the strip, each the key frame nearest before or at its place."""
    count = min(STRIP_FRAMES, max(1, len(picture.key_frames)))
    times = np.array([frame.time_s for frame in picture.key_frames])
    wanted = (np.arange(count) + 0.5) * total_s / count
    chosen = sorted({int(np.abs(times - time).argmin()) for time in wanted}) if len(times) else []
    edges = [*(picture.key_frames[i].time_s for i in chosen), total_s]
    return [
        {
            "image": pictures.data_uri(pictures.small(picture.key_frames[i].jpeg, STRIP_WIDTH_PX), "image/jpeg"),
            "time_s": picture.key_frames[i].time_s,
            "share": 100 * max(0.0, edges[n + 1] - (edges[n] if n else 0.0)) / total_s,
        }
        for n, i in enumerate(chosen)
    ]


def _cut(shot: Shot, total_s: float) -> dict[str, Any]:
    return {"left": 100 * shot.start_s / total_s, "kind": shot.opening, "time_s": shot.start_s}


def _lane(event: SoundEvent, total_s: float) -> dict[str, Any]:
    return {
        "event": event,
        "left": 100 * event.start_s / total_s,
        "width": max(0.3, 100 * event.duration_s / total_s),
        "hits": [
            {"left": 100 * hit.time_s / total_s, "size": 5 + 7 * hit.strength, "time_s": hit.time_s}
            for hit in event.hits
        ],
    }


def _cards(done: Finished, strips: Strips, ctx: Context) -> list[dict[str, Any]]:
    made = {take.event_id: take for take in done.takes.items}
    checks: dict[str, list[SyncCheck]] = {}
    for check in done.report.sync:
        checks.setdefault(check.event_id, []).append(check)
    events, total_s = done.plan.events[:EVENT_CARDS], float(done.clip.duration_s)
    cards = [_card(event, made.get(event.id), checks.get(event.id, ()), ctx) for event in events]
    for card, event in zip(cards, events, strict=True):  # last, for strips are made beside the rest
        seen = evidence.evidence(event, picture=done.picture, looks=done.looks, total_s=total_s, made=strips)
        card["evidence"] = _evidence(seen)
    return cards


def _card(event: SoundEvent, take: Take | None, checks: Sequence[SyncCheck], ctx: Context) -> dict[str, Any]:
    if take is None:
        return {"event": event, "where": _where(event), "take": None, "checks": (), "marks": ()}
    start_s = take.first_sample / RATE_HZ
    length_s = take.audio.length / RATE_HZ
    return {
        "event": event,
        "where": _where(event),
        "take": take,
        "checks": checks,
        "picture": _spectrogram(take.audio, ctx),
        "marks": [100 * (hit.time_s - start_s) / length_s for hit in event.hits],
    }


def _where(event: SoundEvent) -> list[str]:
    """Return from where an event is heard, and what an editor set, in a few words each."""
    pans = [point.pan for point in event.path] or [event.pan]
    moves = max(pans) > min(pans)
    wide = event.kind == "bed" and not moves and not event.pan
    pan = f"pan {pans[0]:+.2f} to {pans[-1]:+.2f}, moving" if moves else f"pan {pans[0]:+.2f}"
    said = ["wide" if wide else pan, f"{event.distance_m:g} m away"]
    if event.room != "auto":
        said.append(_room_name(event.room))
    trims = [
        ("gain", event.gain_db, "+.1f", "dB"),
        ("fade in", event.fade_in_s, "g", "s"),
        ("fade out", event.fade_out_s, "g", "s"),
    ]
    return [*said, *(f"{name} {value:{form}} {unit}" for name, value, form, unit in trims if value)]


def _rooms(plan: SoundPlan) -> list[str]:
    """Return in which room each part of the clip plays, and why."""
    shown = [
        f"{_room_name(space.room)} from {clock(space.start_s)} to {clock(space.end_s)} ({space.because.rstrip('.')})"
        for space in plan.spaces[:ROOMS]
    ]
    more = len(plan.spaces) - ROOMS
    return [*shown, f"and {more} more, see plan.yaml"] if more > 0 else shown


def _room_name(room: Room) -> str:
    return "no room (dry)" if room == "none" else room.replace("_", " ")


def _evidence(seen: Evidence) -> dict[str, Any]:
    return {
        "strip": pictures.data_uri(seen.strip, "image/jpeg") if seen.strip else None,
        "frames": [_frame(frame) for frame in seen.frames],
        "chart": seen.chart,
        "labels": seen.labels,
    }


def _frame(frame: KeyFrame) -> dict[str, Any]:
    image = pictures.data_uri(pictures.small(frame.jpeg, EVIDENCE_WIDTH_PX), "image/jpeg")
    return {"image": image, "time_s": frame.time_s}


def _spectrogram(audio: Any, ctx: Context) -> str:
    width_px, height_px = SPECTROGRAM_PX
    made: bytes = ctx.once(
        "spectrogram",
        (1, audio, width_px, height_px),
        lambda _: pictures.spectrogram(audio, width_px=width_px, height_px=height_px),
    )
    return pictures.data_uri(made, "image/png")


def _ticks(total_s: float) -> list[dict[str, Any]]:
    """Return round times for the ruler, at most a dozen."""
    steps = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
    step = next((step for step in steps if total_s / step <= 12), steps[-1])
    short = total_s < 60
    return [
        {"left": 100 * time / total_s, "text": f"{time:g} s" if short else clock(time)[:-4]}
        for time in np.arange(0, total_s, step).tolist()
        if time <= LAST_TICK * total_s
    ]
