"""Read sounds from subtitles for the deaf and hard of hearing: what stands in brackets and is no name or music."""

from __future__ import annotations

import re
from pathlib import Path

from foley.errors import PlanError
from foley.model import Hint

_BRACKETS = re.compile(r"\[([^\[\]]+)\]|\(([^()]+)\)|（([^（）]+)）|【([^【】]+)】")  # noqa: RUF001
_MUSIC = re.compile(
    r"[♪♫#]|\b(?:music|musical|song|songs|singing|sings|sing|melody|theme|tune|anthem|jazz|orchestra|humming)\b",
    re.IGNORECASE,
)
_SPEECH = re.compile(
    r"\b(?:speak|speaks|speaking|spoken|says|talking|narrating|narrator|translat\w+|subtitles?|captions?|inaudible|"
    r"continues|in (?:english|french|german|spanish|russian|italian|chinese|japanese|arabic|latin|hindi|mandarin|"
    r"korean|portuguese|polish|turkish|hebrew|dutch|swedish)|voice-?over|on (?:phone|radio|tv))\b",
    re.IGNORECASE,
)
_SPEAKER = re.compile(
    r"(?:(?:young|old|older|little|another|first|second|both|all|fe)?\s*"
    r"(?:man|woman|boy|girl|child|children|male|female|narrator|announcer|reporter|host|voice|crowd|everyone|all|both|"
    r"mr|mrs|ms|dr|doctor|officer|teacher|driver|guard)\.?(?:\s+\w+)?(?:\s+#?\d+)?)",
    re.IGNORECASE,
)
_SOUND_ENDING = re.compile(r"(?:s|ing|ed)$", re.IGNORECASE)
"""Captions name sounds as verbs: "gasps", "engine revving", "door slammed"; names seldom end so."""


def subtitle_text(path: Path) -> str:
    """Return the text of a subtitle file in whichever of the usual encodings it is.

    Raises:
        PlanError: where it cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as cause:
        raise PlanError(f"{path}: cannot be read: {(cause.strerror or str(cause)).lower()}") from cause
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")  # what older Windows programs wrote


def caption_hints(text: str, kind: str, *, about: Path) -> list[Hint]:
    """Return the sounds that subtitles name, by time.

    Args:
        text: The file's content.
        kind: Its format: "srt", "vtt", "ass", "ssa" or "ttml".
        about: The file that a message names.

    Raises:
        PlanError: where it is no such file.
    """
    import pysubs2

    if not text.strip():  # a caption track without captions, which is no fault
        return []
    try:
        lines = pysubs2.SSAFile.from_string(text, format_=kind)
    except (pysubs2.Pysubs2Error, ValueError, SyntaxError) as cause:
        raise PlanError(f"{about}: is not readable as {kind} subtitles: {cause}") from cause
    if not len(lines):
        raise PlanError(
            f"{about}: holds no subtitles", hint="it must be what its suffix says: .srt, .vtt, .ass or .ttml"
        )
    found = [
        Hint(sound, line.start / 1000, line.end / 1000, "subtitle")
        for line in lines
        if not line.is_comment and line.end > line.start >= 0
        for sound in sounds_of(line.plaintext)
    ]
    return sorted(found, key=lambda hint: hint.start_s or 0.0)


def sounds_of(caption: str) -> list[str]:
    """Return the sounds that one caption names.

    >>> sounds_of("[door slams] JOHN: Who is there? (whispering in French) [dramatic music playing]")
    ['door slams']
    """
    text = " ".join(caption.split())
    return [
        sound
        for match in _BRACKETS.finditer(text)
        if (sound := _sound(next(filter(None, match.groups())), text[match.end() :], text[: match.start()]))
    ]


def _sound(content: str, after: str, before: str) -> str:
    """Return what brackets hold as a sound, "" where it is a speaker, a language or music."""
    content = " ".join(content.split()).strip(" -.,;:")
    # "[John] Hello": a name before a line of speech; "[thunder] " alone is a sound
    names_speaker = after.lstrip().startswith(":") or (
        bool(after.strip(" -.")) and not before.strip(" -") and _is_name(content)
    )
    if names_speaker or not content or _SPEAKER.fullmatch(content) or _MUSIC.search(content) or _SPEECH.search(content):
        return ""
    return content.lower() if content.isupper() else content


def _is_name(content: str) -> bool:
    words = content.split()
    titled = all(word[0].isupper() for word in words)
    return titled and len(words) <= 2 and not _SOUND_ENDING.search(words[-1])
