"""What audiocraft's published models compute, written once more from the format's facts and in the plainest way.

No cache, no batching, nothing of transformers: every step reads the whole sequence again. It is what the converted
checkpoint is held against.

Source: J. Copet et al., "Simple and Controllable Music Generation", 2023 (sections 2.2, 2.3); A. Defossez et al., "High
Fidelity Neural Audio Compression", 2022 (section 3.1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from foley.neural import runtime
from tests.tiny_audiogen import BINS, BOOKS, HEADS, LAYERS, RATIOS

State = Mapping[str, Any]
START = BINS
"""The code that stands where none is yet."""


def greedy_codes(state: State, text: Any, *, frames: int, guidance: float = 3.0, prompt: Any = None) -> Any:
    """Return the likeliest codes, shape (books, frames): book k of a frame is found k steps after book 0.

    Args:
        state: The language model's tensors, by their published names.
        text: What the T5 says of the prompt, shape (tokens, text width).
        frames: How many are wanted, those of `prompt` included.
        guidance: How much more than without a text the text counts.
        prompt: Codes to continue, shape (books, frames).
    """
    torch = runtime.torch()
    state = {name: value.float() for name, value in state.items()}
    steps = frames + BOOKS - 1
    grid = torch.full((BOOKS, steps + 1), START)
    known = 0 if prompt is None else prompt.shape[1]
    for book in range(BOOKS):
        if prompt is not None:
            grid[book, 1 + book : 1 + book + known] = prompt[book]
    for step in range(known + 1, steps + 1):
        logits = _guided(state, grid[:, :step], text, guidance)
        for book in range(BOOKS):
            frame = step - 1 - book
            if known <= frame < frames:
                grid[book, step] = int(logits[book].argmax())
    return torch.stack([grid[book, 1 + book : 1 + book + frames] for book in range(BOOKS)])


def _guided(state: State, grid: Any, text: Any, guidance: float) -> Any:
    """Return the logits of the next step, shape (books, bins)."""
    torch = runtime.torch()
    stem = "condition_provider.conditioners.description.output_proj"
    told = text @ state[f"{stem}.weight"].T + state[f"{stem}.bias"]
    with_text, without = _logits(state, grid, told), _logits(state, grid, torch.zeros_like(told))
    return without + guidance * (with_text - without)


def _logits(state: State, grid: Any, told: Any) -> Any:
    torch = runtime.torch()
    length = grid.shape[1]
    x = sum(state[f"emb.{book}.weight"][grid[book]] for book in range(BOOKS)) + _positions(length, told.shape[1])
    future = torch.ones(length, length, dtype=torch.bool).triu(1)
    for layer in range(LAYERS):
        stem = f"transformer.layers.{layer}"
        x = x + _attended(state, f"{stem}.self_attn", query=_norm(state, f"{stem}.norm1", x), future=future)
        x = x + _attended(state, f"{stem}.cross_attention", query=_norm(state, f"{stem}.norm_cross", x), told=told)
        inner = _norm(state, f"{stem}.norm2", x) @ state[f"{stem}.linear1.weight"].T
        x = x + torch.nn.functional.gelu(inner) @ state[f"{stem}.linear2.weight"].T
    last = _norm(state, "out_norm", x)[-1]
    return torch.stack([state[f"linears.{book}.weight"] @ last for book in range(BOOKS)])


def _positions(length: int, width: int) -> Any:
    """Return the sinusoids: cosines in the first half, sines in the second."""
    torch = runtime.torch()
    half = width // 2
    slowness = 10_000 ** (torch.arange(half) / (half - 1))
    phase = torch.arange(length)[:, None] / slowness
    return torch.cat([phase.cos(), phase.sin()], dim=1)


def _norm(state: State, stem: str, x: Any) -> Any:
    centred = x - x.mean(-1, keepdim=True)
    spread = (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    return centred / spread * state[f"{stem}.weight"] + state[f"{stem}.bias"]


def _attended(state: State, stem: str, *, query: Any, told: Any = None, future: Any = None) -> Any:
    """Return multi-head attention of a sequence to itself, or to a text."""
    torch = runtime.torch()
    heard = query if told is None else told
    weights = state[f"{stem}.in_proj_weight"].chunk(3)
    q, k, v = (source @ weight.T for source, weight in zip((query, heard, heard), weights, strict=True))
    size = q.shape[1] // HEADS
    heads = []
    for first in range(0, q.shape[1], size):
        part = slice(first, first + size)
        scores = q[:, part] @ k[:, part].T / math.sqrt(size)
        if future is not None:
            scores = scores.masked_fill(future, -math.inf)
        heads.append(scores.softmax(-1) @ v[:, part])
    return torch.cat(heads, dim=1) @ state[f"{stem}.out_proj.weight"].T


def decoded(state: State, codes: Any, *, pad_mode: str = "constant") -> Any:
    """Return the sound of codes, shape (samples,).

    Args:
        state: The codec's tensors, by their published names.
        codes: Shape (books, frames).
        pad_mode: How convolutions continue a sound past its ends: constant (silence) or reflect.
    """
    torch = runtime.torch()
    elu = torch.nn.functional.elu
    words = [state[f"quantizer.vq.layers.{book}._codebook.embed"][codes[book]] for book in range(len(codes))]
    x = sum(words).T[None]
    x = _convolved(state, "decoder.model.0", x, pad_mode)
    x = x + _recurrent(state, "decoder.model.1.lstm", x)
    for step, ratio in enumerate(RATIOS):
        x = _spread(state, f"decoder.model.{3 + 3 * step}", elu(x), ratio)
        stem = f"decoder.model.{4 + 3 * step}.block"
        inner = _convolved(state, f"{stem}.1", elu(x), pad_mode)
        x = x + _convolved(state, f"{stem}.3", elu(inner), pad_mode)
    return _convolved(state, "decoder.model.15", elu(x), pad_mode)[0, 0]


def _kernel(state: State, stem: str) -> Any:
    """Return a weight-normalised kernel: its direction is v, its length g."""
    direction = state[f"{stem}.weight_v"]
    return state[f"{stem}.weight_g"] * direction / direction.norm(dim=(1, 2), keepdim=True)


def _convolved(state: State, stem: str, x: Any, pad_mode: str) -> Any:
    torch = runtime.torch()
    kernel = _kernel(state, f"{stem}.conv.conv")
    lost = kernel.shape[2] - 1
    sides = (lost - lost // 2, lost // 2)
    padded = torch.nn.functional.pad(x, sides, mode=pad_mode) if lost else x
    return torch.nn.functional.conv1d(padded, kernel, state[f"{stem}.conv.conv.bias"])


def _spread(state: State, stem: str, x: Any, ratio: int) -> Any:
    """Return a sound at `ratio` times the rate, without what a transposed convolution adds at its ends."""
    torch = runtime.torch()
    stem = f"{stem}.convtr.convtr"
    wide = torch.nn.functional.conv_transpose1d(x, _kernel(state, stem), state[f"{stem}.bias"], stride=ratio)
    first = ratio - ratio // 2
    return wide[..., first : wide.shape[-1] - ratio // 2]


def _recurrent(state: State, stem: str, x: Any) -> Any:
    """Return what two layers of LSTM make of a sequence, by their formulae."""
    torch = runtime.torch()
    sequence = x[0].T
    for layer in range(2):
        w_in, w_back, b_in, b_back = (
            state[f"{stem}.{part}_l{layer}"] for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        out = cell = torch.zeros(sequence.shape[1])
        outs = []
        for value in sequence:
            enter, forget, fresh, leave = (w_in @ value + b_in + w_back @ out + b_back).chunk(4)
            cell = forget.sigmoid() * cell + enter.sigmoid() * fresh.tanh()
            out = leave.sigmoid() * cell.tanh()
            outs.append(out)
        sequence = torch.stack(outs)
    return sequence.T[None]
