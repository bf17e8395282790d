"""Collect what people and files say is heard: the prompt, captions for the deaf and hard of hearing, a cue sheet."""

from __future__ import annotations

from pathlib import Path

from foley.analysis.captions import caption_hints, subtitle_text
from foley.analysis.cue_sheet import cue_hints
from foley.analysis.prompt import prompt_hints
from foley.contracts import Context, stage
from foley.errors import PlanError
from foley.model import Brief, Clip, Hint, Hints
from foley.units import clock

SIDECAR_SUFFIXES = (".srt", ".vtt", ".ass", ".ssa", ".ttml")

END_SLACK_S = 1.0
"""How far a said end may lie past the clip's: people round up; it is then cut to the clip."""


@stage(version=1, cached=False)  # a sidecar may change while the clip does not; reading it again costs nothing
def hints(clip: Clip, brief: Brief, ctx: Context) -> Hints:
    """Return all hints for a clip: untimed ones first, then by time.

    Raises:
        PlanError: where a prompt, subtitle file or cue sheet cannot be used, naming what and where.
    """
    said = [*prompt_hints(brief.prompt), *(cue_hints(brief.cue_sheet) if brief.cue_sheet else ())]
    faults = [fault for hint in said if (fault := _past_the_end(hint, clip))]
    if faults:
        raise PlanError("\n".join(faults), hint="times count from the clip's first frame")
    # subtitles are often those of the whole film that a clip was cut from: what lies past its end is not its own
    heard = [hint for hint in _captions(clip, brief) if hint.start_s is not None and hint.start_s < clip.duration_s]
    found = [_cut(hint, clip) for hint in [*said, *heard]]
    found.sort(key=lambda hint: -1.0 if hint.start_s is None else hint.start_s)
    return Hints(tuple(found), seed=brief.seed, generator=brief.generator)


def _captions(clip: Clip, brief: Brief) -> list[Hint]:
    """Return the sounds of the subtitles that were named, else of those beside the clip, else of those in it."""
    path = brief.subtitles or _sidecar(clip.path)
    if path is not None:
        return caption_hints(subtitle_text(path), path.suffix.lower().removeprefix("."), about=path)
    for track in clip.subtitles:
        if track.text and (found := caption_hints(_track_text(clip, track.index), "srt", about=clip.path)):
            return found
    return []


def _sidecar(clip: Path) -> Path | None:
    """Return the subtitles beside a clip: "clip.srt" or "clip.en.srt", those for the hard of hearing first."""
    found = [
        path
        for path in (clip.parent.iterdir() if clip.parent.is_dir() else ())
        if path.suffix.lower() in SIDECAR_SUFFIXES and path.name.startswith(f"{clip.stem}.")
    ]
    sdh = {".sdh", ".cc", ".hi"}
    return min(found, key=lambda path: (not sdh & set(path.suffixes), len(path.name), path.name), default=None)


def _track_text(clip: Clip, index: int) -> str:
    """Return a subtitle track as SubRip, on the clip's timeline."""
    from foley.media import ffmpeg

    # -copyts: times by the container's own clock, to count them from the first frame and not from the first packet
    shift = ("-itsoffset", str(-float(clip.start_s)))
    read = ffmpeg.blocks("-copyts", *shift, "-i", clip.path, "-map", f"0:{index}", "-f", "srt", "-", reading=clip.path)
    return b"".join(read).decode("utf-8", errors="replace")


def _past_the_end(hint: Hint, clip: Clip) -> str:
    """Return what is wrong with a hint's times, "" where nothing is."""
    end_s = float(clip.duration_s)
    if hint.start_s is not None and hint.start_s >= end_s:
        return f"the {hint.source} {hint.text!r} is at {clock(hint.start_s)}, the clip ends at {clock(end_s)}"
    if hint.end_s is not None and hint.end_s > end_s + END_SLACK_S:
        return f"the {hint.source} {hint.text!r} lasts to {clock(hint.end_s)}, the clip ends at {clock(end_s)}"
    return ""


def _cut(hint: Hint, clip: Clip) -> Hint:
    end_s = hint.end_s
    if end_s is not None and hint.start_s is not None:
        end_s = max(hint.start_s, min(end_s, float(clip.duration_s)))
    return Hint(hint.text, hint.start_s, end_s, hint.source)
