"""A video with several language tracks: pictures and own tracks copied, new tracks named as players read them.

What containers keep, by trying (ffmpeg 5.1): Matroska keeps language, title and all dispositions; MP4 keeps language,
the title as its handler's name, and `dub`, but not `original`; MOV loses `deu` and `zxx`, so it is not written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from foley.errors import DamagedVideoError, MuxError
from foley.media import ffmpeg
from foley.media.writer import GENERATED_MARK
from foley.model import AudioFile, Clip, SoundTrack

Role = Literal["dub", "effects"]


@dataclass(frozen=True, slots=True)
class NewTrack:
    """A sound track to be added, heard from the first frame on."""

    audio: AudioFile
    language: str
    """ISO 639-2/T."""
    title: str
    role: Role
    """The M&E has no disposition: neither container keeps `clean_effects`, so its language and title tell it."""
    default: bool = False
    """Which players choose; at most one of a file."""


@dataclass(frozen=True, slots=True)
class _Container:
    """What one kind of file holds."""

    sound: tuple[str, ...]
    """How new tracks are coded: options without their track's number."""
    copied: frozenset[str] | None
    """Codecs of own tracks that are copied; None: all."""
    subtitles: frozenset[str]
    """Codecs that are copied; other text becomes `text`."""
    text: str
    more: tuple[str, ...] = ()
    attachments: bool = False


_MP4 = _Container(
    ("-c", "aac", "-b", "256k", "-aac_coder", "fast"),
    frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac", "dts", "mp2"}),
    frozenset({"mov_text", "dvd_subtitle"}),
    "mov_text",
    # lengths in ms, as MP4 counts them unless told, would be off by up to 48 samples
    more=("-movie_timescale", "48000", "-f", "mp4"),
)
_MKV = _Container(
    ("-c", "flac", "-sample_fmt", "s32", "-bits_per_raw_sample", "24"),
    None,
    frozenset({"subrip", "ass", "ssa", "webvtt", "hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"}),
    "srt",
    attachments=True,
)
_CONTAINERS: Mapping[str, _Container] = {".mkv": _MKV, ".mp4": _MP4, ".m4v": _MP4}


def suffix_for(video: Path) -> str:
    """Return the suffix of a dubbed video: the clip's own where that container keeps languages, else .mkv."""
    return video.suffix if video.suffix.lower() in _CONTAINERS else ".mkv"


def refuse_unfit(to: Path) -> None:
    """Refuse an output that would lose which language is which.

    Raises:
        MuxError: where that is so.
    """
    suffix = to.suffix.lower()
    if suffix in _CONTAINERS:
        return
    why = (
        "loses the languages deu and zxx and all dispositions" if suffix == ".mov" else "is not written with languages"
    )
    raise MuxError(f"{to}: a {suffix or 'file without suffix'} {why}", hint="name an output that ends in .mkv or .mp4")


def mux_languages(
    clip: Clip, tracks: Sequence[NewTrack], to: Path, *, original_language: str = "", mark: str = GENERATED_MARK
) -> tuple[str, ...]:
    """Write the clip with new tracks: the default one first, then dubs, the clip's own, and the M&E last.

    Args:
        clip: The clip; its pictures and its own sound are copied.
        tracks: What is added.
        to: The output; whole or untouched afterwards.
        original_language: Of the clip's first own track, ISO 639-2; "" keeps what the clip says.
        mark: What the comments of file and new tracks say; begins with `GENERATED_MARK`, or is "" where nothing in
            them was generated.

    Returns:
        What to say of it: own tracks that the container cannot hold as they are.

    Raises:
        MuxError: where the container cannot hold the picture.
        OutputError: where the output cannot be written.
    """
    refuse_unfit(to)
    kind = _CONTAINERS[to.suffix.lower()]
    try:
        source = ffmpeg.probe(clip.path)
    except ffmpeg.ProbeError as cause:
        raise DamagedVideoError(clip.path, str(cause)) from cause
    inputs = ["-i", clip.path, *(part for track in tracks for part in _input(clip, track, source))]
    sound = _sound_options(clip, tracks, kind, original_language=original_language, mark=mark)
    rest = (*_subtitles(clip, kind), *_labels(source, mark), *kind.more)
    try:
        ffmpeg.write(*_made_up_times(clip), *inputs, "-map", "0:v", "-c:v", "copy", *sound, *rest, to=to)
    except MuxError as cause:
        reason = cause.message.rsplit(": ", 1)[-1]
        raise MuxError(
            f"{clip.path}: a {to.suffix} file cannot hold its {clip.video.codec} picture with these tracks ({reason})",
            hint="name an output that ends in .mkv",
        ) from cause
    lost = [own for own in clip.sound if not _is_copied(own, kind)]
    return tuple(f"the clip's own {own.codec} track is coded anew: a {to.suffix} file cannot hold it" for own in lost)


def _input(clip: Clip, track: NewTrack, source: Mapping[str, Any]) -> tuple[str | Path, ...]:
    """Return the options for a new track's file: it begins when the first frame is shown."""
    # ffmpeg counts each input from its container's start; the picture may begin later than that
    offset = clip.start_s - Fraction(source["format"].get("start_time") or 0)
    return "-itsoffset", f"{float(offset):.6f}", "-i", track.audio.path


def _made_up_times(clip: Clip) -> tuple[str, ...]:
    """Return the options for containers that do not hold the time of every frame, so that none could be copied."""
    return ("-fflags", "+genpts") if clip.container in ("avi", "mpeg") else ()


def _sound_options(
    clip: Clip, tracks: Sequence[NewTrack], kind: _Container, *, original_language: str, mark: str
) -> tuple[str, ...]:
    """Return the options of all sound tracks in their order."""
    numbered = sorted(enumerate(tracks, start=1), key=lambda pair: not pair[1].default)
    own_is_default = not any(track.default for track in tracks)
    parts: list[list[str]] = [_new(track, number, kind, mark=mark) for number, track in numbered if track.role == "dub"]
    for number, own in enumerate(clip.sound):
        first = number == 0
        language = original_language if first and original_language else ""
        parts.append(_own(own, kind, language=language, default=first and own_is_default))
    parts += [_new(track, number, kind, mark=mark) for number, track in numbered if track.role == "effects"]
    return tuple(word.replace("@", str(place)) for place, part in enumerate(parts) for word in part)


def _new(track: NewTrack, number: int, kind: _Container, *, mark: str) -> list[str]:
    """Return the options of a new track; its place among the output's sound tracks stands as "@"."""
    role = [name for name, holds in (("default", track.default), ("dub", track.role == "dub")) if holds]
    coded = [f"{word}:a:@" if word.startswith("-") else word for word in kind.sound]
    return [
        *("-map", f"{number}:a", *coded, "-disposition:a:@", "+".join(role) or "0"),
        *("-metadata:s:a:@", f"language={track.language}"),
        *("-metadata:s:a:@", f"title={_plain(track.title)}", "-metadata:s:a:@", f"handler_name={_plain(track.title)}"),
        *(("-metadata:s:a:@", f"comment={_plain(mark)}") if mark else ()),
    ]


def _plain(title: str) -> str:
    """Return a title without the sign that stands for a track's place."""
    return title.replace("@", "")


def _own(own: SoundTrack, kind: _Container, *, language: str, default: bool) -> list[str]:
    """Return the options of one of the clip's own tracks."""
    coded = [f"{word}:a:@" if word.startswith("-") else word for word in kind.sound]
    how = ["-c:a:@", "copy"] if _is_copied(own, kind) else coded
    named = ["-metadata:s:a:@", f"language={language}"] if language else []
    return ["-map", f"0:{own.index}", *how, "-disposition:a:@", "default+original" if default else "original", *named]


def _is_copied(own: SoundTrack, kind: _Container) -> bool:
    return kind.copied is None or own.codec in kind.copied


def _subtitles(clip: Clip, kind: _Container) -> Iterator[str]:
    """Yield the options for the subtitles that this kind of file can hold."""
    place = 0
    for subtitle in clip.subtitles:
        codec = "copy" if subtitle.codec in kind.subtitles else kind.text if subtitle.text else ""
        if codec:
            yield from ("-map", f"0:{subtitle.index}", f"-c:s:{place}", codec)
            place += 1
    if kind.attachments:
        yield from ("-map", "0:t?", "-c:t", "copy")


def _labels(source: Mapping[str, Any], mark: str) -> tuple[str, ...]:
    """Return the options for the file's own metadata, and the mark of generated sound."""
    tags: Mapping[str, str] = source["format"].get("tags", {})
    own = next((value for key, value in tags.items() if key.lower() == "comment"), "")
    # a video that foley has made before bears its mark already; it stays where this time nothing is generated
    said = [part for part in own.split("; ") if part and not (mark and part.startswith(GENERATED_MARK))]
    comment = "; ".join((*said, *filter(None, (mark,))))
    return ("-map_metadata", "0", "-map_chapters", "0", "-metadata", f"comment={comment}")
