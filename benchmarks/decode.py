"""Codes of MusicGen and AudioGen: our decoder beside transformers' `generate`; on CUDA at AudioGen-medium's full size.

All weights are random, so nothing is fetched. `python -m benchmarks.decode` prints the figures alone and needs, beside
this checkout, torch and transformers only: so it also runs on a machine that is lent for its GPU.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from benchmarks.figures import Figure

with contextlib.suppress(ModuleNotFoundError):  # without the models' packages there is nothing to measure
    import torch

COMMAND = "python -m benchmarks decode"
GUIDANCE, TOP_K, CODEBOOKS, VOCABULARY = 3.0, 250, 4, 2048
FRAMES_A_SECOND = 50
"""Of AudioGen's codec and MusicGen's."""

TOKENS = 12
"""Of a prompt: a sentence."""

CPU_FRAMES, CPU_ROUNDS = 100, 3
GPU_FRAMES, GPU_BATCHES = 500, (1, 8, 32, 64)
"""Ten seconds, which AudioGen was trained on."""

KERNELS = 12

WANTED_RATIO, WANTED_REAL_TIME, AT_BATCH = 10.0, 300.0, 32


@dataclass(frozen=True, slots=True)
class Size:
    """Of a language model."""

    layers: int
    width: int
    heads: int


PROCESSOR_SIZE = Size(layers=8, width=384, heads=6)
"""14 million weights: large enough that a step is more than the starting of its operations."""

SMALL_SIZE = Size(layers=4, width=256, heads=4)
AUDIOGEN_MEDIUM = Size(layers=48, width=1536, heads=24)


def measure() -> list[Figure]:
    """Return the figures of the processor, and of the GPU where there is one; none where torch is not installed."""
    return list(figures())


def figures() -> Iterator[Figure]:
    """Yield the figures as they are found."""
    if importlib.util.find_spec("torch") is None:
        return
    yield from on_processor()
    if torch.cuda.is_available():
        yield from exactness_on_gpu()
        yield from speed_on_gpu()


def on_processor() -> Iterator[Figure]:
    """Yield steps a second of one thread's own time, alternately taken, and whether both say the same."""
    model = random_model(PROCESSOR_SIZE, "cpu", torch.float32)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # products this small are split in vain
    steps = CPU_FRAMES + CODEBOOKS - 1
    plain_s, fast_s, same = [], [], True
    for _ in range(CPU_ROUNDS):
        took, theirs = timed(lambda: plain(model, 1, CPU_FRAMES, greedy=True), time.process_time)
        plain_s.append(took)
        took, ours = timed(lambda: fast(model, 1, CPU_FRAMES, greedy=True), time.process_time)
        fast_s.append(took)
        same &= torch.equal(theirs, ours)
    torch.set_num_threads(threads)
    yield Figure("processor: the same codes as `generate`, greedy", "yes" if same else "no", "yes", same, COMMAND)
    yield Figure("processor: `generate`, batch 1", f"{steps / min(plain_s):.0f} steps/s", "", None, COMMAND)
    yield Figure("processor: codes(), batch 1", f"{steps / min(fast_s):.0f} steps/s", "", None, COMMAND)
    yield Figure("processor: codes() over `generate`", f"{min(plain_s) / min(fast_s):.2f}", "", None, COMMAND)


def exactness_on_gpu() -> Iterator[Figure]:
    """Yield whether codes are those of `generate` in float32, and the same alone, in a batch and a second time."""
    whole, half = (random_model(SMALL_SIZE, "cuda", number) for number in (torch.float32, torch.float16))
    frames = 150
    first = fast(half, 8, frames)
    alone = torch.cat([fast(half, 1, frames, first_row=row) for row in range(8)])
    answers = {
        "the same codes as `generate`, greedy, float32": torch.equal(
            plain(whole, 3, frames, greedy=True), fast(whole, 3, frames, greedy=True)
        ),
        "the same codes alone and in a batch of 8, float16": torch.equal(first, alone),
        "the same codes from graphs that are replayed again, float16": torch.equal(
            fast(half, 8, frames), fast(half, 8, frames)
        ),
    }
    for what, holds in answers.items():
        yield Figure(f"GPU: {what}", "yes" if holds else "no", "yes", holds, COMMAND)


def speed_on_gpu() -> Iterator[Figure]:
    """Yield what `generate` and our decoder make in a second, beside what reading weights and keys takes."""
    model = random_model(AUDIOGEN_MEDIUM, "cuda", torch.float16)
    name, bandwidth = torch.cuda.get_device_name(), measured_bandwidth()
    yield Figure("GPU", f"{name}, {bandwidth / 1e12:.2f} TB/s from copying", "", None, COMMAND)
    plain(model, 1, 20)
    plain_s = {}
    for batch in (1, AT_BATCH):
        plain_s[batch], _ = timed(functools.partial(plain, model, batch, GPU_FRAMES))
        yield Figure(f"GPU: `generate`, batch {batch}", _speed(batch, plain_s[batch]), "", None, COMMAND)
    for batch in GPU_BATCHES:
        work = functools.partial(fast, model, batch, GPU_FRAMES)
        torch.cuda.reset_peak_memory_stats()
        first_s, _ = timed(work)
        took = min(timed(work)[0] for _ in range(3))
        peak_gb = torch.cuda.max_memory_allocated() / 2**30
        bound_s = bytes_read(model, batch, GPU_FRAMES) / bandwidth
        value = f"{_speed(batch, took)}; bound {bound_s:.2f} s; first call {first_s:.2f} s; peak {peak_gb:.1f} GiB"
        fast_enough = batch * GPU_FRAMES / FRAMES_A_SECOND / took >= WANTED_REAL_TIME
        wanted = (f"at least {WANTED_REAL_TIME:.0f}x real time", fast_enough) if batch == AT_BATCH else ("", None)
        yield Figure(f"GPU: codes(), batch {batch}", value, *wanted, COMMAND)
        if batch in plain_s:
            ratio = plain_s[batch] / took
            wanted = (f"at least {WANTED_RATIO:.0f}", ratio >= WANTED_RATIO) if batch == 1 else ("", None)
            yield Figure(f"GPU: codes() over `generate`, batch {batch}", f"{ratio:.1f}", *wanted, COMMAND)
    yield Figure(f"GPU: kernels of most time, batch {AT_BATCH}", longest_kernels(model), "", None, COMMAND)


def longest_kernels(model: Any) -> str:
    """Name what a second of sound spends its time in."""
    from torch.profiler import ProfilerActivity, profile

    work = functools.partial(fast, model, AT_BATCH, GPU_FRAMES)
    work()
    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        timed(work)
    rows = sorted(profiled.key_averages(), key=lambda row: -row.self_device_time_total)[:KERNELS]
    return "; ".join(
        f"{row.key.partition('(')[0][-60:]} {row.self_device_time_total / 1000:.0f} ms / {row.count}" for row in rows
    )


def _speed(batch: int, took_s: float) -> str:
    """Say a time as a speed."""
    real_time = batch * GPU_FRAMES / FRAMES_A_SECOND / took_s
    step_ms = 1000 * took_s / (GPU_FRAMES + CODEBOOKS - 1)
    return f"{took_s:.2f} s, {step_ms:.2f} ms a step, {real_time:.0f}x real time"


def bytes_read(model: Any, batch: int, frames: int) -> int:
    """Return the least that must be read: all weights of a step in each step, and the keys and values so far."""
    steps, size = frames + CODEBOOKS - 1, model.config.decoder
    text_only = size.num_hidden_layers * 2 * size.hidden_size**2  # keys and values of the text: once
    read = (*model.decoder.model.decoder.layers.parameters(), *model.decoder.lm_heads.parameters())
    weights = sum(weight.numel() for weight in read) - text_only
    past = batch * 2 * size.num_hidden_layers * 2 * size.hidden_size * (steps + 1) // 2
    return 2 * steps * (weights + past)


def measured_bandwidth() -> float:
    """Return bytes a second, read and written, of the best of ten copies of 4 GiB."""
    source = torch.empty(2**32, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    return 2 * 2**32 / min(timed(functools.partial(target.copy_, source))[0] for _ in range(10))


def timed(work: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> tuple[float, Any]:
    """Return how long work took, the device's part included, and what came of it."""
    _finish()
    start = clock()
    done = work()
    _finish()
    return clock() - start, done


def _finish() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def random_model(size: Size, device: str, number: torch.dtype) -> Any:
    """Return a MusicGen of AudioGen's layout with random weights, but for a text encoder and a codec of one layer."""
    ours("runtime").torch()
    from transformers import EncodecConfig, MusicgenConfig, MusicgenDecoderConfig, T5Config
    from transformers import MusicgenForConditionalGeneration as Musicgen

    text = T5Config(vocab_size=1000, d_model=1024, d_kv=64, d_ff=2816, num_layers=1, num_heads=16)
    sound = EncodecConfig(num_filters=4, hidden_size=16, codebook_dim=16, codebook_size=64, target_bandwidths=[2.2])
    codes = MusicgenDecoderConfig(
        vocab_size=VOCABULARY,
        hidden_size=size.width,
        ffn_dim=4 * size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_codebooks=CODEBOOKS,
        pad_token_id=VOCABULARY,
        bos_token_id=VOCABULARY,
    )
    torch.manual_seed(0)
    with torch.device(device):
        model = Musicgen(MusicgenConfig(text_encoder=text, audio_encoder=sound, decoder=codes)).eval()
    for weight in model.decoder.parameters():
        if weight.dim() > 1:
            weight.data.mul_(3.0)  # as initialised, all codes are nearly as likely, and all steps alike
    for name in ("decoder_start_token_id", "pad_token_id", "bos_token_id"):
        setattr(model.generation_config, name, VOCABULARY)
    return model.to(number)


def texts(model: Any, batch: int, first_row: int = 0) -> torch.Tensor:
    """Return prompts of random words, another for each row."""
    rows = [torch.Generator().manual_seed(first_row + row) for row in range(batch)]
    return torch.stack([torch.randint(3, 1000, (TOKENS,), generator=row) for row in rows]).to(model.device)


def plain(model: Any, batch: int, frames: int, *, greedy: bool = False) -> torch.Tensor:
    """Return the codes that transformers' `generate` hands to the codec."""
    ids = texts(model, batch)
    with handed_to_the_codec(model) as handed:
        model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            do_sample=not greedy,
            top_k=TOP_K,
            guidance_scale=GUIDANCE,
            max_new_tokens=frames + CODEBOOKS - 1,
        )
    return handed[0]


@contextlib.contextmanager
def handed_to_the_codec(model: Any) -> Iterator[list[torch.Tensor]]:
    """Catch codes in place of the codec, which is not measured here."""
    handed: list[torch.Tensor] = []

    def keep(codes: torch.Tensor, **_: Any) -> Any:
        handed.append(codes[0])
        return SimpleNamespace(audio_values=codes)

    decode, model.audio_encoder.decode = model.audio_encoder.decode, keep
    try:
        yield handed
    finally:
        model.audio_encoder.decode = decode


def fast(model: Any, batch: int, frames: int, *, greedy: bool = False, first_row: int = 0) -> torch.Tensor:
    """Return the codes of our decoder, text encoder included as in `generate`."""
    codes = ours("fast_decode").codes
    ids = texts(model, batch, first_row)
    with torch.inference_mode():
        states = torch.cat([model.text_encoder(input_ids=row[None]).last_hidden_state for row in ids])
    seeded = [torch.Generator().manual_seed(first_row + row) for row in range(batch)]
    generators = None if greedy else seeded
    return codes(model, states, torch.ones_like(ids), frames=frames, generators=generators, top_k=TOP_K)


def ours(name: str) -> ModuleType:
    """Return a module of foley.neural, also where what the rest of foley imports is not installed."""
    if importlib.util.find_spec("ffmpeg") is None and "foley" not in sys.modules:
        package = ModuleType("foley")
        package.__path__ = [str(Path(__file__).parents[1] / "foley")]
        sys.modules["foley"] = package
    return importlib.import_module(f"foley.neural.{name}")


if __name__ == "__main__":
    for figure in figures():
        print(
            {True: "ok  ", False: "FAIL", None: "    "}[figure.holds],
            figure.what,
            "|",
            figure.value,
            "|",
            figure.wanted,
        )
