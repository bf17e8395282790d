"""Stable Audio Open 1.0 at full size with random weights, on CUDA, beside diffusers' pipeline called plainly.

Weights change no timing: the sums are the same. Sound is asked for as events ask for it, ten seconds at a time. Without
CUDA nothing is measured: on a processor one such sound takes minutes.
"""

from __future__ import annotations

import sys
import time
import types
from collections.abc import Callable
from typing import Any

from benchmarks.figures import Figure
from foley.neural import runtime, same, stable_audio
from foley.neural import stable_audio_models as models
from foley.neural.stable_audio_models import Open, Parts, Wanted

COMMAND = "python -m benchmarks diffusion"
SOUND_S = 10.0
BATCHES = (1, 8)
PLAIN_STEPS = 100
"""What diffusers' pipeline takes where it is not told otherwise."""
WORDS = 32_128
PROMPT, AVOID = "rain falls on a tin roof, close, dry", "speech, music"


def measure() -> list[Figure]:
    """Return the speeds, how they compare, and what memory was needed at most."""
    torch = runtime.torch()
    if not torch.cuda.is_available():
        return [Figure("Stable Audio Open, full size", "not measured: no CUDA device", "", None, COMMAND)]
    parts = _parts(torch)
    _warm_up(parts)
    device = torch.cuda.get_device_name(0)
    figures = [Figure("device", device, "", None, COMMAND)]
    ours = {batch: _timed(torch, lambda batch=batch: _ours(parts, batch)) for batch in BATCHES}
    plain = {batch: _timed(torch, lambda batch=batch: _plain(parts, batch, PLAIN_STEPS)) for batch in BATCHES}
    even_s, _ = _timed(torch, lambda: _plain(parts, 1, models.OPEN_STEPS))
    for who, found in (("foley, 50 steps", ours), ("diffusers plainly, 100 steps", plain)):
        for batch, (took_s, peak_gb) in found.items():
            value = f"{batch * SOUND_S / took_s:.1f} s of sound a second ({took_s:.2f} s, {peak_gb:.1f} GB at most)"
            figures.append(Figure(f"{who}, {batch} at once", value, "", None, COMMAND))
    for batch in BATCHES:
        ratio = f"{plain[batch][0] / ours[batch][0]:.2f}"
        figures.append(Figure(f"foley over diffusers plainly, {batch} at once", ratio, "", None, COMMAND))
    figures.append(Figure("the same at as many steps, 1 at once", f"{even_s / ours[1][0]:.2f}", "", None, COMMAND))
    return figures


def _parts(torch: Any) -> Parts:
    """Return the published sizes of every component, random, as `stable_audio.load` places them."""
    from diffusers import AutoencoderOobleck, StableAudioDiTModel
    from diffusers.pipelines.stable_audio import StableAudioProjectionModel
    from transformers import T5Config, T5EncoderModel

    t5_base = T5Config(vocab_size=WORDS, d_model=768, d_ff=3072, d_kv=64, num_heads=12, num_layers=12)
    with torch.device("cuda"), same.quiet():
        torch.manual_seed(0)
        transformer = StableAudioDiTModel().to(torch.float16)
        vae = AutoencoderOobleck()
        conditioner = StableAudioProjectionModel(768, 768, 0, 512)
        reader = T5EncoderModel(t5_base)
    for part in (transformer, vae, conditioner, reader):
        part.eval()
    return Parts(transformer, vae, reader, _Tokenizer(torch), conditioner, "cuda", torch.float16)


class _Tokenizer:
    """Reads every text as the same tokens: a published tokenizer is not here, and what it says costs nothing."""

    model_max_length = 128

    def __init__(self, torch: Any) -> None:
        self._torch = torch

    def __call__(self, texts: str | list[str], **_: object) -> Any:
        from transformers import BatchEncoding

        shape = (len([texts] if isinstance(texts, str) else texts), self.model_max_length)
        ids = self._torch.full(shape, 5)
        return BatchEncoding({"input_ids": ids, "attention_mask": self._torch.ones_like(ids)})


def _ours(parts: Parts, batch: int) -> None:
    wanted = [Wanted(PROMPT, AVOID, SOUND_S, seed) for seed in range(batch)]
    made = stable_audio.make(Open(parts, {}), wanted, most=batch)
    assert all(sound.length == round(SOUND_S * 44_100) for sound in made)


def _plain(parts: Parts, batch: int, steps: int) -> None:
    """Run diffusers' pipeline as its documentation does: all of it in 16 bits."""
    torch = runtime.torch()
    pipeline = _pipeline(parts)
    pipeline.set_progress_bar_config(disable=True)
    halves = (parts.vae, parts.text_encoder, parts.conditioner)
    for part in halves:
        part.to(torch.float16)
    try:
        generators = [torch.Generator(parts.device).manual_seed(seed) for seed in range(batch)]
        made = pipeline(
            [PROMPT] * batch,
            negative_prompt=[AVOID] * batch,
            audio_end_in_s=SOUND_S,
            num_inference_steps=steps,
            generator=generators,
        ).audios
        assert made.shape[0] == batch
        made.float().cpu()
    finally:
        for part in halves:
            part.to(torch.float32)


def _pipeline(parts: Parts) -> Any:
    """Return diffusers' pipeline of the same parts; where torchsde is not installed, with plain noise in its place."""
    torch = runtime.torch()
    try:
        import torchsde  # noqa: F401
    except ImportError:
        sys.modules["torchsde"] = types.ModuleType("torchsde")
    from diffusers import StableAudioPipeline
    from diffusers.schedulers.scheduling_cosine_dpmsolver_multistep import CosineDPMSolverMultistepScheduler as Solver

    class PlainNoise(Solver):
        def step(self, output: Any, *args: Any, **options: Any) -> Any:
            self.noise_sampler = lambda *_: torch.randn_like(output)
            return super().step(output, *args, **options)

    return StableAudioPipeline(
        vae=parts.vae,
        text_encoder=parts.text_encoder,
        projection_model=parts.conditioner,
        tokenizer=parts.tokenizer,
        transformer=parts.transformer,
        scheduler=PlainNoise(),
    )


def _warm_up(parts: Parts) -> None:
    """Let the device choose its kernels before anything is timed."""
    for batch in BATCHES:
        _ours(parts, batch)
        _plain(parts, batch, 5)


def _timed(torch: Any, run: Callable[[], None]) -> tuple[float, float]:
    """Return how long it took and how much memory was in use at most, in GB."""
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    run()
    torch.cuda.synchronize()
    return time.perf_counter() - start, torch.cuda.max_memory_allocated() / 1e9
