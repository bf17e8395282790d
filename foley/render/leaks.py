"""Speech and music in takes that must hold neither: generators that read a prompt were taught with films and songs.

Telling a model what to leave out does not suffice, so its takes are listened to: for speech with the network of
silero-vad, for music by tones, tuning and beat (`foley.dsp.music`). What an event itself is, is no leak: a crowd talks,
a bell rings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from foley.dsp.music import musicality
from foley.dsp.resample import resample
from foley.errors import FoleyError
from foley.model import Audio, SoundEvent
from foley.neural import speech_model
from foley.render.itself import is_musical, is_vocal
from foley.render.prompting import prompt_of

VERSION = "2"
"""Raise it when another take is refused."""

SPOKEN, UNSPOKEN = 0.5, 0.35
"""From one likelihood on somebody speaks, below the other no more: the network's own working points."""

WORD_S = 0.4
"""Somebody speaks without a break for that long at least: two syllables. Of 600 recordings of effects, animals, babies
and sneezes the network takes eight for so much speech (seven sneezes and a chainsaw), and 18 for 0.25 s of it."""

SURE_S = 1.2
"""So much speech without a break needs no second opinion."""

SURE_MUSIC = 1.5
"""So much more of each measure than music needs is music without a second opinion."""

FULL_PEAK = 0.7
"""Takes peak here when they are listened to: what a generator's own level was says nothing of them."""

SPEECH_TEXT, MUSIC_TEXT = "somebody is speaking", "music is playing"
"""What a take is compared with, beside its prompt."""

CLEARLY = 0.05
"""Of cosines: by so much the prompt must fit better than the leak to overrule what was measured."""


class Scorer(Protocol):
    """Says how well sounds fit texts: `foley.neural.clap.Clap`."""

    def scores(self, texts: Sequence[str], audios: Sequence[Audio]) -> npt.NDArray[np.float32]:
        """Return a cosine for each text and sound, shape (texts, audios); the sounds are at 48 kHz."""
        ...


SCORER_RATE_HZ = 48_000


def leaks(
    event: SoundEvent,
    audio: Audio,
    *,
    music_allowed: bool = False,
    speech_allowed: bool = False,
    scorer: Scorer | None = None,
) -> str | None:
    """Return what a take holds that it must not, as "holds speech (1.3 s)"; None where it may be used.

    Without silero-vad speech is not heard: `deaf_to` says so.

    Args:
        event: What it was made for; what this itself is, is no leak.
        audio: The take, of seconds rather than minutes.
        music_allowed: Whatever the event is.
        speech_allowed: Whatever the event is.
        scorer: Asked for a second opinion where a measure is not sure: what fits the prompt clearly better than the
            leak is none.
    """
    if not audio.length or not audio.samples.any():
        return None
    if not (speech_allowed or is_vocal(event) or deaf_to()):
        spoken_s = speech_s(audio)
        doubtful = spoken_s < SURE_S
        if spoken_s >= WORD_S and not (doubtful and _fits_better(event, audio, SPEECH_TEXT, scorer)):
            return f"holds speech ({spoken_s:.1f} s)"
    if not (music_allowed or is_musical(event)):
        score = musicality(audio).score
        doubtful = score < SURE_MUSIC
        if score >= 1.0 and not (doubtful and _fits_better(event, audio, MUSIC_TEXT, scorer)):
            return f"holds music ({score:.1f} of what music has at least)"
    return None


def identity() -> str:
    """Return version and who hears speech: part of the cache key of what is listened to."""
    return f"leaks/{VERSION} {'no silero-vad' if deaf_to() else speech_model.identity()}"


def deaf_to() -> tuple[str, ...]:
    """Return how to install what hears speech; empty where it is here."""
    return speech_model.missing()


def speech_s(audio: Audio) -> float:
    """Return how long somebody speaks without a break, at most; silero-vad must be installed."""
    middle = audio.samples.mean(axis=0, keepdims=True, dtype=np.float32)
    peak = float(np.max(np.abs(middle), initial=0.0))
    if peak <= 0.0:
        return 0.0
    heard = resample(Audio(middle * np.float32(FULL_PEAK / peak), audio.rate_hz), speech_model.RATE_HZ)
    longest = current = 0
    speaking = False
    for likely in speech_model.likelihoods(heard.samples[0]).tolist():
        speaking = likely >= (UNSPOKEN if speaking else SPOKEN)
        current = current + 1 if speaking else 0
        longest = max(longest, current)
    return longest * speech_model.WINDOW_S


def _fits_better(event: SoundEvent, audio: Audio, leak: str, scorer: Scorer | None) -> bool:
    """Return whether a scorer hears the event in a take rather than the leak; False where there is no scorer."""
    if scorer is None:
        return False
    try:
        fit, leaked = scorer.scores([prompt_of(event), leak], [resample(audio, SCORER_RATE_HZ)])[:, 0]
    except FoleyError:  # it cannot be asked: what was measured holds
        return False
    return float(fit - leaked) >= CLEARLY
