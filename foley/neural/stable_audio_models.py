"""The two generations of Stable Audio as denoisers: what they are told, how noise becomes sound, from what and where.

They are run here and not by diffusers' pipelines, from the same parts, for what those cannot do: sounds of different
length and seed in one batch, each the same as alone; noise drawn on the processor, so that a seed sounds alike on every
device; a variation that keeps as much of a sound as is asked; decoding of what is wanted and no more. So Open 1.0 needs
no torchsde, and 3 is told that all of the sound is to be made, as by its authors, and unlike in diffusers' pipeline.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from foley.neural import runtime

OPEN_STEPS = 50
"""Of Open's solver. Its authors take 100; a solver of second order has most of its result after half of them. What is
lost has not been listened to: that needs the weights."""

OPEN_FEWEST_STEPS = 10
"""However little of the way a variation goes, where no fewer are asked for."""

OPEN_GUIDANCE = 7.0
"""How strongly Open follows the prompt, and flees what is to be avoided; its authors' choice."""

THREE_STEPS = 8
"""Of the distilled models: they were trained for these."""

LOGSNR_MIN, LOGSNR_MAX = -6.2, 2.0
"""Between these logarithms of signal over noise lie 3's steps, evenly; its authors' choice."""

MARGIN_LATENTS = 32
"""Around what is coded in one go: further than any autoencoder here looks (SAME-L's 12 layers see one latent each)."""

OPEN_PART_LATENTS, THREE_PART_LATENTS = 512, 128
"""Coded in one go, about 24 s and 12 s: memory stays bounded, and the margins cost little."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One sound to be made."""

    prompt: str
    avoid: str
    """What it must not hold; only Open is told."""
    duration_s: float
    seed: int
    steps: int = 0
    """Of the solver, the same for all in a batch; 0 for as many as the model is meant for."""


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """A sound that is there, and how much of it is to stay."""

    latents: Any
    """Shape (1, channels, latents)."""
    strength: float = 1.0
    """Part of noise that it is mixed with, above 0 to 1: with 1 nothing of it stays."""
    kept: Any = None
    """Which latents stay as they are, as numbers 0 or 1 of shape (latents,); None for a variation of all of it."""


class Model(Protocol):
    """A denoiser with what belongs to it; computes where its parts are."""

    rate_hz: int
    channels: int
    hop: int
    """Samples of a latent."""
    longest_s: float
    device: str
    compiled: bool

    def latents_of(self, duration_s: float) -> int:
        """Return how many latents a sound is denoised in."""
        ...

    def encoded(self, samples: Any) -> Any:
        """Return the latents of sound of shape (1, channels, samples)."""
        ...

    def decoded(self, latents: Any, length: int) -> Any:
        """Return the first `length` samples of latents of shape (1, channels, latents)."""
        ...

    def denoised(self, wanted: Sequence[Wanted], given: Given | None = None) -> Any:
        """Return latents for each, shape (sounds, channels, latents); all need as many latents.

        Each depends on its own wish and seed alone.
        """
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """The components of a model, each loaded and in its place."""

    transformer: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    conditioner: Any
    """Open: the projection of text and seconds. 3: the embedding of the duration."""
    device: str
    dtype: Any
    """Of the transformer; all else computes in 32 bits."""
    compiled: bool = False
    """The transformer's blocks were made to be compiled."""


class Noise:
    """Normal noise, a stream for each sound: what one draws does not depend on the others."""

    def __init__(self, seeds: Sequence[int], shape: tuple[int, int], device: str) -> None:
        torch = runtime.torch()
        self._sources = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._shape = (1, *shape)
        self._device = device

    def __call__(self) -> Any:
        """Return the next noise, shape (sounds, channels, latents)."""
        torch = runtime.torch()
        drawn = [torch.randn(self._shape, generator=source) for source in self._sources]
        return torch.cat(drawn).to(self._device)


class Open:
    """Stable Audio Open 1.0. Always denoises its whole window of 47.6 s, however short the sound.

    Source: Z. Evans et al., "Stable Audio Open", arXiv 2407.14358.
    """

    def __init__(self, parts: Parts, scheduler: dict[str, Any]) -> None:
        self._parts = parts
        self.device, self.compiled = parts.device, parts.compiled
        self._sigma_min = float(scheduler.get("sigma_min", 0.3))
        self._sigma_max = float(scheduler.get("sigma_max", 500.0))
        self._latents = int(parts.transformer.config.sample_size)
        self.rate_hz = int(parts.vae.config.sampling_rate)
        self.channels = int(parts.vae.config.audio_channels)
        self.hop = math.prod(parts.vae.config.downsampling_ratios)
        self.longest_s = self._latents * self.hop / self.rate_hz

    def latents_of(self, duration_s: float) -> int:
        """Return the whole window's."""
        return self._latents

    def encoded(self, samples: Any) -> Any:
        """Return the latents of sound; of what the encoder says of each, the middle."""

        def encode(part: Any) -> Any:
            return self._parts.vae.encode(part).latent_dist.mode()

        return _encoded(encode, samples, hop=self.hop, part=OPEN_PART_LATENTS)

    def decoded(self, latents: Any, length: int) -> Any:
        """Return the first samples of latents: the rest of the window is not decoded."""
        return _decoded(self._parts.vae, latents, length, hop=self.hop, part=OPEN_PART_LATENTS)

    def denoised(self, wanted: Sequence[Wanted], given: Given | None = None) -> Any:
        """Return latents for each."""
        torch = runtime.torch()
        denoise = self._denoiser(wanted)
        shape = (int(self._parts.transformer.config.in_channels), self._latents)
        noise = Noise([one.seed for one in wanted], shape, self._parts.device)
        sigmas = self._sigmas(given.strength if given else 1.0, wanted[0].steps or OPEN_STEPS)
        if given is not None and given.kept is None and given.strength < 1.0:
            latents = given.latents + sigmas[0] * noise()
        else:  # as spread out as sound and noise are together
            latents = math.hypot(sigmas[0], 1.0) * noise()
        before: tuple[Any, float] | None = None
        for sigma, following in itertools.pairwise(sigmas):
            clean = denoise(latents, sigma)
            latents = _solved(latents, clean, before, step=(sigma, following), noise=noise)
            if given is not None and given.kept is not None:
                known = given.latents + following * noise() if following else given.latents
                latents = torch.where(given.kept.bool(), known, latents)
            before = clean, sigma
        return latents

    def _sigmas(self, strength: float, whole: int) -> list[float]:
        """Return how much noise is left before each step, and 0: evenly spaced on a logarithmic scale.

        Mixed as (1 - strength) sound and strength noise, the noise is strength / (1 - strength) of the sound.
        """
        ratio = strength / (1.0 - strength) if strength < 1.0 else math.inf
        first = min(ratio, self._sigma_max)
        last = min(self._sigma_min, first / 2.0)
        way = math.log(first / last) / math.log(self._sigma_max / self._sigma_min)
        steps = max(min(OPEN_FEWEST_STEPS, whole), round(whole * way))
        ratios = (step / (steps - 1) for step in range(steps))
        return [*(first * (last / first) ** ratio for ratio in ratios), 0.0]

    def _denoiser(self, wanted: Sequence[Wanted]) -> Callable[[Any, float], Any]:
        """Return what estimates the clean latents of noisy ones, for prompts and durations.

        The transformer predicts v; its input and output are scaled by Karras' preconditioning with data of spread 1.
        """
        torch = runtime.torch()
        from diffusers.models.embeddings import get_1d_rotary_pos_embed

        parts = self._parts
        texts = [*(one.avoid for one in wanted), *(one.prompt for one in wanted)]
        context, seconds = self._conditions(texts, [one.duration_s for one in (*wanted, *wanted)])
        width = int(parts.transformer.config.attention_head_dim) // 2
        rotary = get_1d_rotary_pos_embed(width, self._latents + 1, use_real=True, repeat_interleave_real=False)
        rotary = tuple(one.to(parts.device) for one in rotary)

        def denoise(latents: Any, sigma: float) -> Any:
            scaled = (latents / math.hypot(sigma, 1.0)).to(parts.dtype)
            time = torch.tensor([math.atan(sigma) / math.pi * 2.0], device=parts.device)
            predicted = parts.transformer(
                torch.cat([scaled, scaled]),
                time,
                encoder_hidden_states=context,
                global_hidden_states=seconds,
                rotary_embedding=rotary,
                return_dict=False,
            )[0].float()
            avoided, prompted = predicted.chunk(2)
            velocity = avoided + OPEN_GUIDANCE * (prompted - avoided)
            return latents / (sigma**2 + 1.0) - velocity * sigma / math.hypot(sigma, 1.0)

        return denoise

    def _conditions(self, texts: list[str], durations_s: list[float]) -> tuple[Any, Any]:
        """Return what the transformer attends to, shape (texts, tokens + 2, n), and the seconds, (texts, 1, 2 n)."""
        torch = runtime.torch()
        parts = self._parts
        tokens = _tokens(parts.tokenizer, texts, longest=512).to(parts.device)
        hidden = parts.text_encoder(tokens.input_ids, attention_mask=tokens.attention_mask)[0]
        hidden = parts.conditioner(text_hidden_states=hidden).text_hidden_states
        words = hidden * tokens.attention_mask.unsqueeze(-1).to(hidden.dtype)
        ends_s = torch.tensor(durations_s, device=parts.device)
        told = parts.conditioner(start_seconds=torch.zeros_like(ends_s), end_seconds=ends_s)
        start, end = told.seconds_start_hidden_states, told.seconds_end_hidden_states
        context, seconds = torch.cat([words, start, end], dim=1), torch.cat([start, end], dim=2)
        return context.to(parts.dtype), seconds.to(parts.dtype)


class Three:
    """Stable Audio 3 Small and Medium, distilled: eight steps, as long as the sound, no guidance.

    Source: Stable Audio 3, arXiv 2605.17991.
    """

    def __init__(self, parts: Parts, *, longest_s: float, prompt_tokens: int, chunk_latents: int) -> None:
        self._parts = parts
        self.device, self.compiled = parts.device, parts.compiled
        self._prompt_tokens = prompt_tokens
        self._chunk = chunk_latents
        self.rate_hz = int(parts.vae.config.sampling_rate)
        self.channels = int(parts.vae.config.audio_channels)
        self.hop = int(parts.vae.downsampling_ratio)
        self.longest_s = longest_s

    def latents_of(self, duration_s: float) -> int:
        """Return as many as the sound is long; the autoencoder may want a whole number of chunks."""
        latents = math.ceil(round(duration_s * self.rate_hz) / self.hop)
        return max(1, math.ceil(latents / self._chunk)) * self._chunk

    def encoded(self, samples: Any) -> Any:
        """Return the latents of sound."""

        def encode(part: Any) -> Any:
            return self._parts.vae.encode(part).latents

        return _encoded(encode, samples, hop=self.hop, part=THREE_PART_LATENTS)

    def decoded(self, latents: Any, length: int) -> Any:
        """Return the first samples of latents."""
        return _decoded(self._parts.vae, latents, length, hop=self.hop, part=THREE_PART_LATENTS)

    def denoised(self, wanted: Sequence[Wanted], given: Given | None = None) -> Any:
        """Return latents for each."""
        torch = runtime.torch()
        parts = self._parts
        context, mask, duration = self._conditions(wanted)
        shape = (int(parts.transformer.config.io_channels), self.latents_of(wanted[0].duration_s))
        noise = Noise([one.seed for one in wanted], shape, parts.device)
        strength = given.strength if given else 1.0
        latents = noise()
        if given is not None and given.kept is None:
            latents = (1.0 - strength) * given.latents + strength * latents
        known = self._known(given, count=len(wanted), shape=shape)
        for sigma, following in itertools.pairwise(_sigmas(strength, wanted[0].steps or THREE_STEPS)):
            velocity = parts.transformer(
                latents.to(parts.dtype),
                torch.full((len(wanted),), sigma, device=parts.device),
                encoder_hidden_states=context,
                global_hidden_states=duration,
                encoder_attention_mask=mask,
                local_add_cond=known,
                return_dict=False,
            )[0].float()
            clean = latents - sigma * velocity
            latents = (1.0 - following) * clean + following * noise() if following else clean
        return latents

    def _known(self, given: Given | None, *, count: int, shape: tuple[int, int]) -> Any:
        """Return what the model is told of the sound: which latents stay, and those; zeros where all is to be made."""
        torch = runtime.torch()
        parts = self._parts
        if given is None or given.kept is None:
            return torch.zeros(count, 1 + shape[0], shape[1], device=parts.device, dtype=parts.dtype)
        kept = given.kept.to(given.latents.dtype).view(1, 1, -1)
        return torch.cat([kept, given.latents * kept], dim=1).to(parts.dtype).expand(count, -1, -1)

    def _conditions(self, wanted: Sequence[Wanted]) -> tuple[Any, Any, Any]:
        """Return what the transformer attends to, which of it are words, and the durations."""
        torch = runtime.torch()
        parts = self._parts
        texts = [one.prompt for one in wanted]
        tokens = _tokens(parts.tokenizer, texts, longest=self._prompt_tokens).to(parts.device)
        words = parts.text_encoder(tokens.input_ids, attention_mask=tokens.attention_mask)[0]
        durations = parts.conditioner(torch.tensor([one.duration_s for one in wanted], device=parts.device))
        mask = torch.nn.functional.pad(tokens.attention_mask, (0, 1), value=1)
        context = torch.cat([words, durations.unsqueeze(1)], dim=1)
        return context.to(parts.dtype), mask, durations.to(parts.dtype)


def _sigmas(strength: float, whole: int = THREE_STEPS) -> list[float]:
    """Return 3's noise before each step, and 0: even steps of the logarithm of signal over noise, scaled."""
    span = LOGSNR_MAX - LOGSNR_MIN
    steps = (LOGSNR_MIN + span * step / whole for step in range(1, whole))
    return [strength, *(strength / (1.0 + math.exp(logsnr)) for logsnr in steps), 0.0]


def _solved(
    latents: Any,
    clean: Any,
    before: tuple[Any, float] | None,
    *,
    step: tuple[float, float],
    noise: Callable[[], Any],
) -> Any:
    """Return latents with less noise, by one step of the stochastic DPM-Solver++ of second order (midpoint).

    Source: C. Lu et al., "DPM-Solver++", arXiv 2211.01095, appendix on SDEs, with alpha = 1.

    Args:
        latents: With the noise of the step's beginning.
        clean: What they would be without.
        before: The same estimate one step earlier with its noise; None for the first.
        step: Noise before and after.
        noise: Draws new noise.
    """
    sigma, following = step
    if following == 0.0:
        return clean
    size = math.log(sigma / following)
    gone = -math.expm1(-2.0 * size)
    estimate = clean
    if before is not None:
        earlier, earlier_sigma = before
        estimate = clean + 0.5 * (clean - earlier) * (size / math.log(earlier_sigma / sigma))
    return latents * (following / sigma) ** 2 + gone * estimate + following * math.sqrt(gone) * noise()


def _tokens(tokenizer: Any, texts: list[str], *, longest: int) -> Any:
    """Return texts as tokens, all filled up to the same length, so that a text is read alike in every batch."""
    length = min(int(getattr(tokenizer, "model_max_length", longest)), longest)
    return tokenizer(texts, padding="max_length", max_length=length, truncation=True, return_tensors="pt")


def _encoded(encode: Callable[[Any], Any], samples: Any, *, hop: int, part: int) -> Any:
    """Return the latents of sound, filled up with silence to a whole latent."""
    whole = runtime.torch().nn.functional.pad(samples, (0, -samples.shape[-1] % hop))
    pieces = _by_parts(encode, whole, part=part * hop, margin=MARGIN_LATENTS * hop, scale=Fraction(1, hop))
    return runtime.torch().cat(list(pieces), dim=-1)


def _decoded(vae: Any, latents: Any, length: int, *, hop: int, part: int) -> Any:
    """Return the first samples of latents."""
    wanted = latents[..., : math.ceil(length / hop) + MARGIN_LATENTS].to(next(vae.parameters()).dtype)

    def decode(some: Any) -> Any:
        return vae.decode(some).sample.float()

    pieces = _by_parts(decode, wanted, part=part, margin=MARGIN_LATENTS, scale=Fraction(hop))
    return runtime.torch().cat(list(pieces), dim=-1)[..., :length]


def _by_parts(run: Callable[[Any], Any], whole: Any, *, part: int, margin: int, scale: Fraction) -> Iterator[Any]:
    """Yield run(whole) along its last axis, computed in parts with a margin on both sides that is cut off again."""
    length = whole.shape[-1]
    for first in range(0, length, part):
        start, last = max(0, first - margin), min(first + part, length)
        made = run(whole[..., start : min(last + margin, length)])
        yield made[..., int((first - start) * scale) : int((last - start) * scale)]
