"""What an event itself is: something that somebody utters, or something that rings; then neither is a leak in it."""

from __future__ import annotations

import re

from foley.model import SoundEvent

VOCAL_CODES = (
    *("VOX", "CRWD", "CREA", "ADR", "PROD", "LPGRP", "DSGNVocl", "MUSCSong", "MUSCChor"),
    *("COMAv", "COMCell", "COMPhono", "COMRadio", "COMTelph", "COMTran", "COMTv"),
    *("HMNBrth", "HMNBurp", "HMNCough", "HMNMisc", "HMNSneez", "HMNSniff", "HMNSnor", "HMNVomit"),
    *("AMBAmus", "AMBCele", "AMBMrkt", "AMBPrtst", "AMBPubl", "AMBRest", "AMBSchl", "AMBSprt", "AMBTran"),
)
"""Categories of UCS 8.2.1 in which somebody speaks or sings, utters what is taken for it, or many are together."""

RINGING_CODES = (
    *("MUSC", "BELL", "ALRM", "HORN", "WHST", "CLOCKChim", "CRWDSing", "VOXSing", "COMCell", "COMTelm", "COMTelph"),
    *("SCIAlrm", "TRNHorn", "UIAlert", "UIBeep", "VEHAlrm", "VEHHorn", "VEHSirn"),
)
"""Categories that are notes themselves. "No music", as nearly every plan says, then means none besides."""

MUSICAL_CODES = (
    *RINGING_CODES,
    *("AMBAmus", "AMBCele", "AMBRlgn", "COMAv", "COMPhono", "COMRadio", "COMTv", "GAMEArcd", "GAMECas", "GAMEVideo"),
    *("DSGNDron", "DSGNErie", "DSGNEthr", "DSGNRythm", "DSGNStngr", "DSGNSynth", "DSGNTonl"),
    *("TOYElec", "TOYMech", "UIData"),
)
"""Categories that ring, sing, or beat in notes."""

_VOCAL = """announcement announcer applause argue argument audience baby boo chant chanting chat chatter cheer cheering
children choir conversation cough coughs cries crowd cry crying dialogue giggle groan grunt infant kids laugh laughing
laughs laughter moan murmur narration narrator party playground preacher radio restaurant scream screaming screams shout
shouting shouts sing singer singing sings sneeze sob speak speaking speaks speech spoken talk talking talks television
tv vocal vocals voice voices walla weep whisper whispering yell yelling"""

_MUSICAL = """accordion alarm arcade banjo bell bells busker carillon carousel cello chime chimes choir chord conga
cymbal doorbell drum drummer drums flute glockenspiel gong guitar harmonica harp hymn jingle marimba melody music
musical musician orchestra organ phone piano radio ring ringing rings ringtone sing singer singing sings siren snare
song synth synthesizer tambourine television trombone trumpet tune tv ukulele vibraphone violin xylophone"""

VOCAL_WORDS = frozenset(_VOCAL.split())
"""Of a label or prompt: somebody utters something. A man or a woman alone does not: they walk, too."""

MUSICAL_WORDS = frozenset(_MUSICAL.split())
"""Of a label or prompt: something rings, sings or plays."""

_DENIED = re.compile(r"\b(?:no|not|never|without|free of)\b[^,.;:]*")
"""What a prompt says is not there."""


def is_vocal(event: SoundEvent) -> bool:
    """Return whether an event is itself something that somebody utters, by its category or its words."""
    return event.ucs.startswith(VOCAL_CODES) or bool(VOCAL_WORDS & _words(event))


def is_musical(event: SoundEvent) -> bool:
    """Return whether an event itself rings, sings or plays, by category or words.

    Where music is to be avoided only what cannot be heard without notes does.
    """
    if "music" in event.avoid.lower():
        return event.ucs.startswith(RINGING_CODES)
    return event.ucs.startswith(MUSICAL_CODES) or bool(MUSICAL_WORDS & _words(event))


def _words(event: SoundEvent) -> set[str]:
    """Return the words that say what an event is, without what they deny."""
    said = _DENIED.sub(" ", f"{event.label}, {event.prompt}".lower())
    return set(re.findall(r"[a-z]+", said))
