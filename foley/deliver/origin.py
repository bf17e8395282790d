"""Where a sound comes from, said as the vocabularies of provenance say it: nobody shall take it for what it is not.

Source of the terms: IPTC NewsCodes, scheme "Digital Source Type" (cv.iptc.org/newscodes/digitalsourcetype), which C2PA
and schema.org use too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from foley.model import Take

SCHEME = "http://cv.iptc.org/newscodes/digitalsourcetype/"

SourceType = Literal["trainedAlgorithmicMedia", "algorithmicMedia", "compositeSynthetic", "composite", ""]
"""By a trained model; by an algorithm without one; a mix with a trained model's part; any other mix; nothing sounds."""

FROM_RECORDINGS = "made from recordings: "
"""How the note of a take begins that names the recordings that it was cut from."""
BLENDED = "blended with "

_SAID: dict[SourceType, str] = {
    "trainedAlgorithmicMedia": "AI-generated sound",
    "algorithmicMedia": "Computer-made sound (procedural synthesis)",
    "compositeSynthetic": "Sound that is AI-generated in part",
    "composite": "Sound mixed by a computer from recordings and other sound",
    "": "Silence",
}


def recordings(take: Take) -> str:
    """Return which recordings a take was made from, and their licences, as its maker says; "" where none were."""
    return "; ".join(note.removeprefix(FROM_RECORDINGS) for note in take.notes if note.startswith(FROM_RECORDINGS))


def source_type(takes: Iterable[Take], *, with_own_sound: bool = False) -> SourceType:
    """Return the digital source type of what is made of takes.

    Weights under a licence are a trained model's. A recording of a library may be of anything, so that what is made of
    one claims neither that it was captured nor that it was generated.

    Args:
        takes: All that is heard in it.
        with_own_sound: Whether the clip's own sound is heard in it too, whatever that is.
    """
    kinds = {kind for take in takes for kind in _kinds(take)} | ({"other"} if with_own_sound else set())
    if kinds == {"trained"}:
        return "trainedAlgorithmicMedia"
    if kinds == {"algorithm"}:
        return "algorithmicMedia"
    if "trained" in kinds:
        return "compositeSynthetic"
    return "composite" if kinds else ""


def _kinds(take: Take) -> set[str]:
    if take.weights_licence != "none":
        return {"trained"}
    if not recordings(take):
        return {"algorithm"}
    blended = next((note.removeprefix(BLENDED) for note in take.notes if note.startswith(BLENDED)), "")
    if not blended:
        return {"other"}
    # what a model may have made counts as made by one
    return {"other", "algorithm" if blended == "procedural" else "trained"}


def sentence(kind: SourceType) -> str:
    """Return what a person is told of a sound of this type."""
    return _SAID[kind]


def uri(kind: SourceType) -> str:
    """Return the term's address; "" for silence.

    >>> uri("algorithmicMedia")
    'http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia'
    """
    return f"{SCHEME}{kind}" if kind else ""


def said(mark: str, kind: SourceType) -> str:
    """Return what a comment says: to a person, then to a program.

    >>> said("AI-generated sound", "trainedAlgorithmicMedia")
    'AI-generated sound, http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia'
    """
    return f"{mark}, {uri(kind)}" if kind else mark
