"""`foley inspect`: what was seen and heard in a clip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from foley import api
from foley.cli import console, options
from foley.model import Listening, Looks, Picture
from foley.pipeline import workflow as workflows
from foley.units import clock

MOTION_STEPS = 48
"""Characters that the motion curve is drawn with: fits a line of 80."""
MOST_ATTACKS = 24
"""Of the existing sound that are listed; `--json` has all."""
BARS = " ▁▂▃▄▅▆▇█"


def inspect(
    context: typer.Context,
    video: Annotated[Path, typer.Argument(help="The video to look at.", show_default=False)],
    *,
    encoder: options.Encoder = None,
    encoder_model: options.EncoderModel = None,
    device: options.Device = None,
    workflow: options.WorkflowName = workflows.DEFAULT,
    set_option: options.SetOption = None,
    workdir: options.Workdir = None,
    pictures: Annotated[
        Path | None,
        typer.Option("--pictures", metavar="DIR", help="Also draw it: the motion curve, shots, the strongest impacts."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Say what is seen and heard in VIDEO: cuts, what shots look like, impacts, motion, existing sound."""
    with console.progress() as show:
        seen = api.analyse(video, settings=options.settings(context.params, show))
    if pictures is not None:
        from foley.deliver import findings

        written = findings.write_pictures(seen.clip, seen.picture, seen.looks, folder=pictures)
        console.say(f"{len(written)} pictures are in {pictures}")
    if json:
        console.answer_json(_record(seen))
    else:
        console.answer("\n".join(_lines(seen)))


def _lines(seen: api.Analysis) -> list[str]:
    clip, picture, listening = seen.clip, seen.picture, seen.listening
    video = clip.video
    rate = f"{float(video.frame_rate):.3f}".rstrip("0").rstrip(".") + (" (variable)" if video.variable_rate else "")
    lines = [
        f"{clip.path.name}: {video.width_px}x{video.height_px}, {rate} fps, "
        f"{clock(clip.duration_s)}, {video.codec}; {len(clip.sound)} sound and {len(clip.subtitles)} subtitle tracks",
        f"motion  {_curve(picture.motion.level)}",
    ]
    for number, (shot, cue) in enumerate(zip(picture.shots, picture.shot_cues, strict=True), 1):
        inside = [i for i in picture.impacts if i.cue == cue and shot.start_s <= i.time_s < shot.end_s]
        times = " ".join(f"{impact.time_s:.3f}" for impact in inside)
        found = f"{cue} cues at {times}" if inside else "no impacts stand out"
        lines.append(f"shot {number}  {clock(shot.start_s)} to {clock(shot.end_s)} ({shot.opening}): {found}")
        lines += _look_lines(number - 1, seen.looks)
    lines += _heard_lines(listening)
    return lines + [f"note: {note}" for note in (*picture.faults, *seen.looks.notes)]


def _look_lines(number: int, looks: Looks) -> list[str]:
    """Return what is recognised in a shot, as one line; none where nobody looked."""
    place = f"place {looks.places[number] + 1}"
    if not looks.encoder:
        return [f"        {place}"]
    labels = ", ".join(f"{label.label} {100 * label.score:.0f} %" for label in looks.items[number].labels)
    return [f"        {place}; looks like: {labels or 'nothing known'}"]


def _heard_lines(listening: Listening) -> list[str]:
    if not listening.has_sound:
        return ["existing sound: none"]
    level = "too short to measure" if listening.loudness_lufs is None else f"{listening.loudness_lufs:.1f} LUFS"
    spoken = ", ".join(f"{clock(s.start_s)} to {clock(s.end_s)}" for s in listening.speech) or "nowhere"
    by = f" (found by {listening.speech_by})" if listening.speech_by else ""
    attacks = " ".join(f"{time_s:.3f}" for time_s in listening.onsets_s[:MOST_ATTACKS])
    more = f" and {len(listening.onsets_s) - MOST_ATTACKS} more" if len(listening.onsets_s) > MOST_ATTACKS else ""
    return [f"existing sound: {level}; speech{by}: {spoken}", f"        attacks: {attacks or 'none'}{more}"]


def _curve(level: Any) -> str:
    import numpy as np

    parts = np.array_split(level, min(MOTION_STEPS, max(1, len(level))))
    return "".join(BARS[round(float(np.clip(part.max(initial=0.0), 0, 1)) * (len(BARS) - 1))] for part in parts)


def _record(seen: api.Analysis) -> dict[str, Any]:
    clip, picture, listening = seen.clip, seen.picture, seen.listening
    return {
        "clip": {
            "path": str(clip.path),
            "duration_s": float(clip.duration_s),
            "frame_rate": str(clip.video.frame_rate),
            "frames": len(picture.times_s),
            "width_px": clip.video.width_px,
            "height_px": clip.video.height_px,
            "rotation_deg": clip.video.rotation_deg,
            "variable_rate": clip.video.variable_rate,
            "sound_tracks": len(clip.sound),
            "subtitle_tracks": len(clip.subtitles),
            "timecode": clip.timecode,
        },
        "shots": _shot_records(picture, seen.looks),
        "encoder": seen.looks.encoder,
        "impacts": [
            {"time_s": i.time_s, "strength": i.strength, "x": i.x, "y": i.y, "cue": i.cue} for i in picture.impacts
        ],
        "motion": [round(float(level), 4) for level in picture.motion.level],
        "existing_sound": {
            "has_sound": listening.has_sound,
            "loudness_lufs": listening.loudness_lufs,
            "speech": [[span.start_s, span.end_s] for span in listening.speech],
            "speech_by": listening.speech_by,
            "onsets_s": [round(float(time_s), 4) for time_s in listening.onsets_s],
        },
        "faults": list(picture.faults),
        "notes": list(seen.looks.notes),
    }


def _shot_records(picture: Picture, looks: Looks) -> list[dict[str, Any]]:
    return [
        {
            "start_s": shot.start_s,
            "end_s": shot.end_s,
            "opening": shot.opening,
            "cue": cue,
            "place": place,
            "labels": [{"sound": one.sound, "label": one.label, "score": one.score} for one in look.labels],
        }
        for shot, cue, place, look in zip(picture.shots, picture.shot_cues, looks.places, looks.items, strict=True)
    ]
