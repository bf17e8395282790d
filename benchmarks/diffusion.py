"""Stable Audio Open 1.0 with random weights, not compiled and compiled; on CUDA also beside diffusers' pipeline.

Weights change no timing: the sums are the same. On CUDA all is at full size, and sound is asked for as events ask for
it, ten seconds at a time. On a processor, where one such sound takes minutes, only the transformer is timed, a small
one in one thread, in seconds of processor time. What compiling takes is timed with nothing on disk of it.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.figures import Figure
from foley.neural import compiling, runtime, same, stable_audio
from foley.neural import stable_audio_models as models
from foley.neural.stable_audio_models import Open, Parts, Wanted

COMMAND = "python -m benchmarks diffusion"
SOUND_S = 10.0
BATCHES = (1, 8)
PLAIN_STEPS = 100
"""What diffusers' pipeline takes where it is not told otherwise."""
WORDS = 32_128
SMALL_LATENTS, SMALL_LAYERS, SMALL_HEADS, SMALL_WIDTH, SMALL_TOKENS = 256, 8, 8, 512, 66
"""Of the transformer for a processor: 44 million numbers, a twenty-fourth of the published one's."""
TIMED_STEPS, ROUNDS = 3, 10
"""Steps that are timed at once, and how often: the quickest counts."""
PROMPT, AVOID = "rain falls on a tin roof, close, dry", "speech, music"


def measure() -> list[Figure]:
    """Return the speeds, how they compare, and what memory was needed at most."""
    torch = runtime.torch()
    if not torch.cuda.is_available():
        missing = Figure("Stable Audio Open, full size", "not measured: no CUDA device", "", None, COMMAND)
        return [missing, *_on_a_processor(torch)]
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
    return [*figures, *_compiled(torch, parts, {batch: took_s for batch, (took_s, _) in ours.items()})]


def _compiled(torch: Any, parts: Parts, plain_s: dict[int, float]) -> list[Figure]:
    """Return what compiling takes and gains on CUDA, and after how much it has paid; last, as it changes the parts."""
    if reason := compiling.refusal("cuda"):
        return [Figure("compiled", f"not measured: {reason}", "", None, COMMAND)]
    compiling.compile_blocks(parts.transformer)
    figures = []
    for batch, before_s in plain_s.items():
        with _nothing_on_disk(torch):
            first_s, _ = _timed(torch, lambda batch=batch: _ours(parts, batch))
        after_s, peak_gb = _timed(torch, lambda batch=batch: _ours(parts, batch))
        gain = f"{before_s / after_s:.2f} ({after_s:.2f} s, {peak_gb:.1f} GB at most)"
        figures.append(Figure(f"compiled over not, {batch} at once", gain, "", None, COMMAND))
        figures.append(_paid(f"of {batch} at once", first_s - after_s, before_s - after_s, what="batches"))
    return figures


def _on_a_processor(torch: Any) -> list[Figure]:
    """Return what a step of a small transformer and compiling it take, in seconds of processor time."""
    if reason := compiling.refusal("cpu"):
        return [Figure("compiled", f"not measured: {reason}", "", None, COMMAND)]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        _, plain = _small(torch)
        transformer, step = _small(torch)
        plain()
        compiling.compile_blocks(transformer)
        from torch._inductor import config

        # others that compile would be waited for by nobody, and not be counted
        with _nothing_on_disk(torch), config.patch(compile_threads=1):
            start_s = _used_s()
            step()
            first_s = _used_s() - start_s
        # by turns: what else the machine does meets both
        rounds = [_steps_s(plain, step) for _ in range(ROUNDS)]
        before_s, after_s = (min(took_s) for took_s in zip(*rounds, strict=True))
    finally:
        torch.set_num_threads(threads)
    numbers = sum(one.numel() for one in transformer.parameters()) / 1e6
    what = f"processor: step of a transformer of {numbers:.0f} million numbers"
    steps = f"{before_s:.2f} s, compiled {after_s:.2f} s ({before_s / after_s:.2f} times as fast)"
    return [
        Figure(what, steps, "", None, COMMAND),
        _paid("on a processor", first_s - after_s, before_s - after_s, what="steps"),
    ]


def _paid(where: str, cost_s: float, gain_s: float, *, what: str) -> Figure:
    """Return what compiling one shape takes, and after how much it has paid."""
    after = f"paid after {cost_s / gain_s:.0f} {what}" if gain_s > 0.0 else "never paid"
    return Figure(f"compiling, {where}", f"{cost_s:.1f} s, {after}", "", None, COMMAND)


@contextlib.contextmanager
def _nothing_on_disk(torch: Any) -> Iterator[None]:
    """Have inductor find nothing of what it made before."""
    torch._dynamo.reset()
    name = "TORCHINDUCTOR_CACHE_DIR"
    before = os.environ.get(name)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[name] = folder
        try:
            yield
        finally:
            os.environ.pop(name)
            if before is not None:
                os.environ[name] = before


def _small(torch: Any) -> tuple[Any, Callable[[], Any]]:
    """Return a small transformer of the same kind, and one step of a sound with guidance."""
    from diffusers import StableAudioDiTModel
    from diffusers.models.embeddings import get_1d_rotary_pos_embed

    torch.manual_seed(0)
    transformer = StableAudioDiTModel(
        sample_size=SMALL_LATENTS,
        num_layers=SMALL_LAYERS,
        num_attention_heads=SMALL_HEADS,
        num_key_value_attention_heads=SMALL_HEADS,
        cross_attention_dim=SMALL_WIDTH,
        cross_attention_input_dim=SMALL_WIDTH,
        global_states_input_dim=2 * SMALL_WIDTH,
    ).eval()
    half = transformer.config.attention_head_dim // 2
    rotary = get_1d_rotary_pos_embed(half, SMALL_LATENTS + 1, use_real=True, repeat_interleave_real=False)
    latents = torch.randn(2, transformer.config.in_channels, SMALL_LATENTS)
    context, seconds = torch.randn(2, SMALL_TOKENS, SMALL_WIDTH), torch.randn(2, 1, 2 * SMALL_WIDTH)

    def step() -> Any:
        with torch.inference_mode():
            return transformer(
                latents,
                torch.tensor([0.5]),
                encoder_hidden_states=context,
                global_hidden_states=seconds,
                rotary_embedding=rotary,
                return_dict=False,
            )[0]

    return transformer, step


def _steps_s(*steps: Callable[[], Any]) -> list[float]:
    """Return the processor time of each step, one after the other."""
    took_s = []
    for step in steps:
        start_s = time.process_time()
        for _ in range(TIMED_STEPS):
            step()
        took_s.append((time.process_time() - start_s) / TIMED_STEPS)
    return took_s


def _used_s() -> float:
    """Return the processor time of this process and of those that it waited for: the compiler is one."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


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
