"""A sound-generation service: ElevenLabs text to sound effects, as the example of a generator that is far away.

The prompt leaves this machine, and each sound costs. The service takes no seed: the same request gives another sound
each time. That a project sounds the same tomorrow is due to the takes that are kept here.

Source: ElevenLabs API reference, "Create sound effect" (POST /v1/sound-generation).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foley.contracts import Capabilities, GeneratorSettings, SoundRequest
from foley.errors import GenerationError, MediaError
from foley.media import remote
from foley.media.remote import Gate, Patience, Reply
from foley.model import Audio, SoundEvent
from foley.neural import licences
from foley.render.prompting import prompt_of, seed_of
from foley.render.received import TIME_SHARE, Kept, as_asked, key_of

NAME = "elevenlabs"
VERSION = "1"
"""Raise it when the same event makes another request."""

KEY, ENDPOINT = "ELEVENLABS_API_KEY", "FOLEY_ELEVENLABS_ENDPOINT"
"""Variables of the environment; the key is read nowhere else, and written nowhere."""

USUAL_ENDPOINT = "https://api.elevenlabs.io"
MODEL = "eleven_text_to_sound_v2"
LICENCE = "elevenlabs-terms"

SHORTEST_S, LONGEST_S = 0.5, 30.0
"""What the service makes."""

INFLUENCE = 0.5
"""How closely the prompt is followed, 0 to 1: a planned sound leaves less room than the service's own 0.3 takes."""

RATE_HZ = 44_100
FORMATS = (f"pcm_{RATE_HZ}", f"mp3_{RATE_HZ}_192", f"mp3_{RATE_HZ}_128")
"""The best first; which of them an account may have depends on its plan."""

COST = "character-cost"
"""Header with what was charged, in the service's credits."""

PATIENCE = Patience(tries=4, back_off_s=1.0, most_wait_s=60.0)
TRY_TIMEOUT_S = 120.0
"""For one answer: a sound usually takes 5 to 15 s."""

AT_ONCE = 3
"""The smallest plans allow about that many requests at once."""

GATE = Gate(AT_ONCE, apart_s=0.2)
"""For all threads of this process."""

HINTS = {
    401: f"check the key in {KEY}, and the account's credits",
    402: "check the account's plan and credits",
    403: f"check what the key in {KEY} is allowed to do",
    404: f"check {ENDPOINT} and the model's name",
}

Samples = npt.NDArray[np.float32]


class ElevenLabs:
    """Asks the service for each sound."""

    def __init__(self, settings: GeneratorSettings) -> None:
        at_address = "://" in settings.model
        self.endpoint = settings.model if at_address else os.environ.get(ENDPOINT, "").strip() or USUAL_ENDPOINT
        self.model = MODEL if at_address else settings.model or MODEL
        self.patience = replace(PATIENCE, time_limit_s=TIME_SHARE * settings.time_limit_s)
        self._kept = Kept()
        self._format = 0
        """Place in `FORMATS` of what the account may have, found by trying."""
        self.capabilities = _capabilities()

    def identity(self) -> str:
        """Return name, version and model, and whom it asks; there is no seed that could be part of it."""
        where = "" if self.endpoint == USUAL_ENDPOINT else f" at {self._shown_endpoint()}"
        return f"{NAME}/{VERSION} {self.model}{where}"

    def missing(self) -> tuple[str, ...]:
        """Return what must be set before the service can be asked."""
        try:
            remote.web_address(self.endpoint)
        except ValueError as cause:
            return (f"the service's address {cause}: mend {ENDPOINT}, or what --model names",)
        if not _key():
            return (f"set {KEY} to a key of an account at elevenlabs.io; each sound costs credits",)
        return () if _key().isascii() and _key().isprintable() else (f"what {KEY} holds is no key",)

    def suits(self, event: SoundEvent) -> bool:
        """Return whether the event says in words what is heard, or at least what it is."""
        return bool(prompt_of(event))

    def margins_s(self, event: SoundEvent) -> tuple[float, float]:
        """Return no margins: nobody knows how long the service's sounds ring."""
        return 0.0, 0.0

    def prepare(self) -> None:
        """Do nothing."""

    def generate(self, requests: Sequence[SoundRequest]) -> list[Audio]:
        """Return one sound for each request; several are asked for at once.

        Raises:
            GenerationError: where the service refuses, fails for too long, or gives no such sound.
        """
        # the service takes no seed; here it tells requests apart, so that none is paid for twice
        keys = [key_of(request, seed_of(request.rng)) for request in requests]
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix=NAME) as pool:
            asked = [pool.submit(self._bought, *pair) for pair in zip(requests, keys, strict=True)]
            try:
                sounds = [future.result() for future in asked]
            finally:  # one has failed: what was not asked for yet would be paid for in vain
                for future in asked:
                    future.cancel()
        self._kept.hand_out(keys)
        return sounds

    def _bought(self, request: SoundRequest, key: str) -> Audio:
        audio = self._kept.get(key) or self._made(request)
        self._kept.keep(key, audio)
        return audio

    def _made(self, request: SoundRequest) -> Audio:
        # to the millisecond: the service needs no more, and a sum of window lengths has endless digits
        asked_s = round(min(max(request.duration_s, SHORTEST_S), LONGEST_S), 3)
        reply, form = self._reply(request, asked_s)
        samples = self._decoded(request, reply.body, form, asked_s=asked_s)
        cost = reply.headers.get(COST, "")
        notes = (f"{NAME} charged {cost} credits",) if cost.isascii() and cost.isdecimal() else ()
        return as_asked(
            Audio(samples, RATE_HZ, notes), request, generator=NAME, asked_s=asked_s, capabilities=self.capabilities
        )

    def _reply(self, request: SoundRequest, asked_s: float) -> tuple[Reply, str]:
        """Return the reply that holds the sound, and its format: the best that the account may have."""
        body = {
            "text": prompt_of(request.event),
            "duration_seconds": asked_s,
            "prompt_influence": INFLUENCE,
            "model_id": self.model,
        }
        while True:
            place = self._format
            reply = self._patiently(request, body, FORMATS[place])
            if reply.status == 200:
                return reply, FORMATS[place]
            if place + 1 == len(FORMATS) or not _is_about_format(reply, FORMATS[place]):
                raise self._refused(request, reply)
            self._format = max(self._format, place + 1)

    def _patiently(self, request: SoundRequest, body: dict[str, Any], form: str) -> Reply:
        try:
            url = f"{remote.web_address(self.endpoint)}/v1/sound-generation?output_format={form}"
        except ValueError as cause:
            raise self._failed(request, f"the service's address {cause}") from cause
        if missing := self.missing():
            raise self._failed(request, missing[0])
        headers = {"xi-api-key": _key(), "Accept": "audio/*"}

        def ask(left_s: float) -> Reply:
            with GATE:
                return remote.posted(url, body, headers=headers, timeout_s=min(left_s, TRY_TIMEOUT_S))

        try:
            return remote.patiently(ask, self.patience)
        except remote.RemoteError as cause:
            raise self._failed(request, f"the service {cause}") from cause

    def _decoded(self, request: SoundRequest, body: bytes, form: str, *, asked_s: float) -> Samples:
        """Return the samples of a reply, shape (channels, samples)."""
        if form.startswith("pcm"):
            return _from_pcm(body, asked_s)
        try:
            return _from_mp3(body)
        except MediaError as cause:
            raise self._failed(request, "the service gave no sound that can be read") from cause

    def _refused(self, request: SoundRequest, reply: Reply) -> GenerationError:
        told = f": {reply.text}" if reply.text else ""
        hint = f" ({HINTS[reply.status]})" if reply.status in HINTS else ""
        return self._failed(request, f"the service answers {reply.status}{told}{hint}")

    def _failed(self, request: SoundRequest, reason: str) -> GenerationError:
        """Return the error, from which the key is struck out should the service have repeated it."""
        plain = reason.replace(_key(), "***") if _key() else reason
        return GenerationError(request.event.id, NAME, plain)

    def _shown_endpoint(self) -> str:
        """Return the address, unless it is none: then nobody knows what else it holds."""
        try:
            return remote.web_address(self.endpoint)
        except ValueError:
            return "no address"


def build(settings: GeneratorSettings | None = None) -> ElevenLabs:
    """Make the generator; its model is one of the service's, or the address of a service that speaks alike."""
    return ElevenLabs(settings or GeneratorSettings())


def _capabilities() -> Capabilities:
    licence = licences.licence(LICENCE)
    return Capabilities(
        kinds=frozenset({"hits", "span", "bed"}),
        rate_hz=RATE_HZ,
        channels=2,
        max_duration_s=LONGEST_S,
        hit_exact=False,
        code_licence="Apache-2.0",
        weights_licence=LICENCE,
        commercial=bool(licence.commercial),
        rank=160,
        follows_curve=False,
        remote=True,
        excluded_regions=licence.excluded,
    )


def _key() -> str:
    return os.environ.get(KEY, "").strip()


def _is_about_format(reply: Reply, form: str) -> bool:
    """Return whether it is the format that the service refuses: the better ones belong to the dearer plans."""
    told = reply.body.lower()
    return 400 <= reply.status < 500 and any(
        word in told for word in (b"output_format", b"output format", form.encode())
    )


def _from_pcm(body: bytes, asked_s: float) -> Samples:
    """Return raw 16-bit sound. It does not say its channels: one that is twice as long as asked for has two."""
    words = np.frombuffer(body[: len(body) // 4 * 4], "<i2")
    channels = 2 if words.size > 1.5 * asked_s * RATE_HZ else 1
    return words.reshape(-1, channels).T.astype(np.float32) / np.float32(2**15)


def _from_mp3(body: bytes) -> Samples:
    """Return decoded sound in two channels.

    Raises:
        MediaError: where it is no MP3.
    """
    from foley.media import ffmpeg

    with tempfile.TemporaryDirectory(prefix="foley-elevenlabs-") as folder:
        file = Path(folder) / "sound.mp3"
        file.write_bytes(body)
        # the format is named: whatever else a reply may be, it is not opened as a list of other files
        wanted = ("-f", "f32le", "-ar", str(RATE_HZ), "-ac", "2", "-")
        raw = b"".join(ffmpeg.blocks("-f", "mp3", "-i", file, "-map", "0:a:0", *wanted, reading=file))
    return np.frombuffer(raw[: len(raw) // 8 * 8], "<f4").reshape(-1, 2).T.astype(np.float32)
