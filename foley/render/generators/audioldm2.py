"""AudioLDM 2: sound of text by latent diffusion, 16 kHz mono, at most ten seconds at a time.

The model is cvssp/audioldm2, audioldm2-large or audioldm2-music, or a folder in their layout. Its denoiser and
readers compute in the device's fast type of number; decoder and vocoder always in 32 bits, because the eight bits of a
bfloat16 would be heard as noise 50 dB under the sound. What the published weights sound like with these settings was
not measured.

Three things differ from calling diffusers' pipeline plainly:

- its language model is loaded as GPT2LMHeadModel, the same weights: as GPT2Model, which the published index names, it
  cannot continue a sequence with current transformers (https://github.com/huggingface/diffusers/issues/12630);
- each text is read by itself. Read as a batch, texts are padded to the longest, and the language model counts the
  padding as words: a sound would depend on what else is in its batch;
- the negative text is read whole. The pipeline cuts it off at the length of the prompt.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from foley.contracts import Capabilities, GeneratorSettings, SoundRequest
from foley.errors import MissingWeightsError
from foley.model import Audio, SoundEvent
from foley.neural import checkpoints, memory, pipelines, runtime, weights
from foley.neural.pipelines import STEPS, Loaded, Sampler, Waves, Wish
from foley.render.model_voice import ModelVoice, wish_of

NAME = "audioldm2"
VERSION = "2"
"""Raise it when a request gives another sound for the same weights: it is part of every take's key."""

GUIDANCE = 3.5
"""How far from the negative text towards the prompt; what the authors and diffusers use."""

LANGUAGE_STEPS = 8
"""Vectors that the language model adds to a text, where its configuration does not say."""

LONGEST_S = 10.0
"""It was trained on 10.24 s; longer ones lose their thread."""

SOUND_MB = 700
"""Expected use of the device's memory for one sound of ten seconds beside the weights: reckoned, not measured."""


class AudioLdm2(ModelVoice):
    """Makes an event's sound of its prompt with AudioLDM 2."""

    name = NAME
    default = NAME
    packages = pipelines.PACKAGES
    compiles = True
    sound_mb = SOUND_MB
    capabilities = Capabilities(
        kinds=frozenset({"hits", "span", "bed"}),
        rate_hz=16_000,
        channels=1,
        max_duration_s=LONGEST_S,
        hit_exact=False,
        code_licence="Apache-2.0",
        weights_licence="CC-BY-NC-SA-4.0",
        commercial=False,
        rank=130,
        memory_mb=3400,  # the large one, and what a few sounds take; the others need 2600
        follows_curve=False,
    )

    def identity(self) -> str:
        """Return name, version, the weights' revision, and what else changes the samples."""
        return f"{NAME}/{VERSION} {self.revision()} {STEPS} steps {GUIDANCE} {self.settings.device}{self.chosen()}"

    def margins_s(self, event: SoundEvent) -> tuple[float, float]:
        """Return none: what it makes has no known lead-in, and rings where it likes."""
        return 0.0, 0.0

    def generate(self, requests: Sequence[SoundRequest]) -> list[Audio]:
        """Return one sound for each request.

        Raises:
            DeviceMemoryError: where the batch does not fit.
        """
        if not requests:
            return []
        wishes = [wish_of(request) for request in requests]
        with memory.translated(requests[0].event.id, NAME, runtime.device(self.settings.device)):
            held, most = self.loaded(), self._at_once()
            with held.busy:
                sample = _sampler(held, self.settings.steps or STEPS)
                rate_hz = self.capabilities.rate_hz
                return pipelines.sounds(wishes, sample, rate_hz, longest_s=LONGEST_S, most=most, compiled=held.compiled)

    def checkpoint(self) -> Path:
        """Return the model's folder.

        Raises:
            MissingWeightsError: where it is not here, or is another model.
            OptionError: where no model bears the name.
        """
        place = weights.need(self.model)
        found = pipelines.described(place, name=self.model)
        if found.class_name != "AudioLDM2Pipeline":
            raise MissingWeightsError(
                self.model, f"{place} holds a {found.class_name}, no AudioLDM 2", "try --generator text_to_audio"
            )
        if found.components.get("text_encoder_2") != "T5EncoderModel":
            reason = f"{place} speaks: it reads with a {found.components.get('text_encoder_2')}"
            raise MissingWeightsError(self.model, reason, f"name another: {weights.mend(NAME)}")
        if found.rate_hz != self.capabilities.rate_hz:
            reason = f"{place} makes sound at {found.rate_hz} Hz, the published ones at {self.capabilities.rate_hz}"
            raise MissingWeightsError(self.model, reason, f"name another: {weights.mend(NAME)}")
        return place

    def size_mb(self, device: str) -> int:
        """Return how much of a device's memory the model that is here is expected to take."""
        return pipelines.weights_mb(self.checkpoint())

    def loaded(self) -> Loaded:
        """Return the model, loaded once in this process."""
        place, compiled = self.checkpoint(), self.compiled

        def load(device: runtime.Device) -> Loaded:
            return _load(place, self.model, device, compiled=compiled)

        return self._held(place, load)


def build(settings: GeneratorSettings | None = None) -> AudioLdm2:
    """Make the generator."""
    return AudioLdm2(settings)


def _load(place: Path, name: str, device: runtime.Device, *, compiled: bool) -> Loaded:
    torch = runtime.torch()
    from diffusers import AudioLDM2Pipeline, AutoencoderKL
    from transformers import GPT2LMHeadModel, SpeechT5HifiGan

    dtype = runtime.dtype(device)

    def part(cls: Any, component: str, of: Any) -> Any:
        return checkpoints.checked(cls, place / component, name=name, harmless=pipelines.HARMLESS, dtype=of)

    held = pipelines.loaded(
        AudioLDM2Pipeline,
        place,
        name=name,
        device=device,
        compiled=compiled,
        dtype=dtype,
        language_model=part(GPT2LMHeadModel, "language_model", dtype),
        vae=part(AutoencoderKL, "vae", torch.float32),
        vocoder=part(SpeechT5HifiGan, "vocoder", torch.float32),
    )
    pipelines.use_fast_solver(held.pipeline)
    return held


def _sampler(held: Loaded, steps: int) -> Sampler:
    """Return what makes some wishes at one length, in so many steps."""
    torch = runtime.torch()
    pipeline, read = held.pipeline, {}

    def texts(wanted: Sequence[str]) -> tuple[Any, Any, Any]:
        for text in wanted:
            if text not in read:
                read[text] = _reading(pipeline, text)
        return _stacked([read[text] for text in wanted])

    def sample(wishes: Sequence[Wish], length_s: float) -> Waves:
        count = len(wishes)
        with torch.inference_mode():
            both = texts([wish.prompt for wish in wishes] + [wish.negative for wish in wishes])
            words, mask, thoughts = ((one[:count], one[count:]) for one in both)
            latents = pipeline(
                prompt_embeds=words[0],
                negative_prompt_embeds=words[1],
                attention_mask=mask[0],
                negative_attention_mask=mask[1],
                generated_prompt_embeds=thoughts[0],
                negative_generated_prompt_embeds=thoughts[1],
                audio_length_in_s=length_s,
                num_inference_steps=steps,
                guidance_scale=GUIDANCE,
                generator=pipelines.chances(wishes),
                output_type="latent",
            ).audios
            return _decoded(pipeline, latents)

    return sample


def _reading(pipeline: Any, text: str) -> tuple[Any, Any, Any]:
    """Return what the model makes of one text, read alone.

    Returns:
        T5's vectors, shape (1, tokens, n); which of them count, shape (1, tokens); the language model's, (1, 8, m).
    """
    steps = getattr(pipeline.language_model.config, "max_new_tokens", None) or LANGUAGE_STEPS
    words, mask, thoughts = pipeline.encode_prompt([text], pipeline.device, 1, False, max_new_tokens=steps)
    return words, mask, thoughts


def _stacked(readings: Sequence[tuple[Any, Any, Any]]) -> tuple[Any, Any, Any]:
    """Return readings as one batch: words padded to the longest, with a mask that keeps the padding from being seen."""
    torch = runtime.torch()
    pad = torch.nn.functional.pad
    longest = max(words.shape[1] for words, _, _ in readings)
    words = torch.cat([pad(one, (0, 0, 0, longest - one.shape[1])) for one, _, _ in readings])
    mask = torch.cat([pad(one, (0, longest - one.shape[1])) for _, one, _ in readings])
    return words, mask, torch.cat([one for _, _, one in readings])


def _decoded(pipeline: Any, latents: Any) -> Waves:
    """Return latents as waves, shape (sounds, samples); one at a time, as the decoder takes the most memory of all."""
    torch = runtime.torch()
    waves = []
    for one in latents.float().split(1):
        mel = pipeline.vae.decode(one / pipeline.vae.config.scaling_factor).sample
        waves.append(pipeline.mel_spectrogram_to_waveform(mel))
    made: Waves = torch.cat(waves).numpy()
    return made
