"""Sound in the compressed forms that people send each other, with tags that say what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from foley.media import ffmpeg
from foley.model import AudioFile


@dataclass(frozen=True, slots=True)
class Form:
    """How sound is coded in one of them."""

    suffix: str
    options: tuple[str, ...]
    most_channels: int = 8


FORMS: Mapping[str, Form] = {
    "flac": Form(".flac", ("-c:a", "flac", "-sample_fmt", "s32", "-bits_per_raw_sample", "24")),  # the same samples
    "mp3": Form(".mp3", ("-c:a", "libmp3lame", "-b:a", "320k", "-id3v2_version", "3"), 2),  # what old players read too
    "ogg": Form(".ogg", ("-c:a", "libvorbis", "-q:a", "8")),
    "aac": Form(".m4a", ("-c:a", "aac", "-b:a", "256k", "-movie_timescale", "48000")),
}
"""By the names under which they are asked for."""

_SAME_BYTES = ("-fflags", "+bitexact", "-flags:a", "+bitexact")
"""No version of the coder and no chance in the file: the same sound is the same file."""


def save_coded(audio: AudioFile, form: Form, *, tags: Mapping[str, str], to: Path) -> None:
    """Write a WAV in another form, whole or not at all; more channels than it can hold are mixed to two.

    Args:
        audio: The WAV.
        form: One of `FORMS`.
        tags: As players show them, e.g. title and comment.
        to: The file; its suffix is the form's.

    Raises:
        OutputError: where it cannot be written.
        MissingProgramError: where ffmpeg is not installed.
    """
    mixed = ("-ac", "2") if audio.channels > form.most_channels else ()
    said = (part for name, text in tags.items() for part in ("-metadata", f"{name}={text}"))
    # what the WAV says of itself is not what a player shows
    kept = ("-map", "0:a", "-map_metadata", "-1")
    ffmpeg.write("-i", audio.path, *kept, *said, *form.options, *mixed, *_SAME_BYTES, to=to)
