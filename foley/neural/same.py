"""The autoencoder of Stable Audio 3 (SAME): diffusers' own, and with attention in chunks as the Small models have it.

In the Medium models each token attends to its neighbours, wherever it stands. In the Small ones the tokens of a few
latents make a chunk, and attention stays inside; in the second half of the layers chunks are shifted by half of one, so
that neighbours hear of each other. diffusers 0.42 knows the first way alone, and takes the Small models' decoder (a
convolution over three patches at its end) for a damaged one.

Sources: github.com/Stability-AI/stable-audio-3 (MIT), `models/autoencoders.py`: the order of work; Stable Audio 3,
arXiv 2605.17991, section 2.1.
"""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from foley.errors import MissingWeightsError
from foley.neural import checkpoints, runtime


@dataclass(frozen=True, slots=True)
class Chunks:
    """How attention is divided."""

    frames: int
    """Patches of sound in a chunk; a multiple of the stride."""
    midpoint_shift: bool
    """Whether chunks are shifted by half of one in the second half of the layers."""
    encoder_kernel: int
    decoder_kernel: int
    """Patches that the convolution between sound and transformer spans: 1 or 3."""

    def latents(self, stride: int) -> int:
        """Return how many latents make a chunk: sound is only coded in multiples of it."""
        return max(1, self.frames // stride)


def autoencoder(config: Mapping[str, Any], chunks: Chunks | None = None) -> Any:
    """Return an autoencoder with random numbers, to be loaded."""
    runtime.torch()
    import diffusers

    make: Any = diffusers.AutoencoderSAME
    with quiet():
        model = make(**{key: value for key, value in config.items() if not key.startswith("_")})
        if chunks is not None:
            for side, kernel in ((model.encoder, chunks.encoder_kernel), (model.decoder, chunks.decoder_kernel)):
                for block in side.blocks:
                    _divide(block, chunks, kernel)
    return model.eval()


def load(folder: Path, chunks: Chunks | None, *, name: str) -> Any:
    """Return an autoencoder from a folder for diffusers, with every number from there, in 32 bits.

    Args:
        folder: With config.json and diffusion_pytorch_model.safetensors, in one file or in parts.
        chunks: How its attention is divided; None for diffusers' own way.
        name: What the model is called in errors.

    Raises:
        MissingWeightsError: where the folder does not hold just what the autoencoder needs.
    """
    torch = runtime.torch()
    if chunks is None:
        from diffusers import AutoencoderSAME

        with quiet():
            return checkpoints.checked(AutoencoderSAME, folder, name=name, dtype=torch.float32)
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        model = autoencoder(json.loads((folder / "config.json").read_text(encoding="utf-8")), chunks)
        state = {key: value for path in sorted(folder.glob("*.safetensors")) for key, value in load_file(path).items()}
    except (SafetensorError, OSError, ValueError, TypeError, KeyError) as cause:
        reason = f"{folder}: {(str(cause).splitlines() or [type(cause).__name__])[0]}"
        raise MissingWeightsError(name, reason, "convert the published checkpoint again") from cause
    due = {key: value.shape for key, value in model.state_dict().items()}
    missing = [key for key, shape in due.items() if key not in state or state[key].shape != shape]
    checkpoints.refuse_unlike(name, folder, missing=missing, unexpected=[key for key in state if key not in due])
    model.load_state_dict(state)
    return model.float().eval()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep torch from saying that diffusers normalises weights in its old way: checkpoints' keys are named by it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _divide(block: Any, chunks: Chunks, kernel: int) -> None:
    """Let a resampling block work in chunks."""
    from torch import nn
    from torch.nn.utils import weight_norm

    if chunks.frames % block.stride:
        raise ValueError(f"a chunk of {chunks.frames} patches cannot be divided by a stride of {block.stride}")
    if kernel != 1 and block.in_channels != block.out_channels:
        convolution = nn.Conv1d(block.in_channels, block.out_channels, kernel, padding=kernel // 2)
        block.mapping = weight_norm(convolution)
    block.forward = partial(_encoded if block.mode == "encoder" else _decoded, block, chunks)


def _encoded(block: Any, chunks: Chunks, patches: Any) -> Any:
    """Return the latents of patches: shape (batch, channels, patches) to (batch, channels, patches / stride)."""
    wanted = -(-patches.shape[-1] // block.stride)
    whole = block.mapping(_padded(patches, chunks.frames)).transpose(1, 2)
    segments = whole.unflatten(1, (-1, block.stride))
    tokens = _with_new(block, segments, 1, chunks=chunks)
    return tokens[:, :, -1].transpose(1, 2)[..., :wanted]


def _decoded(block: Any, chunks: Chunks, latents: Any) -> Any:
    """Return the patches of latents: shape (batch, channels, latents) to (batch, channels, latents * stride)."""
    wanted = latents.shape[-1] * block.stride
    segments = _padded(latents, chunks.latents(block.stride)).transpose(1, 2).unsqueeze(2)
    tokens = _with_new(block, segments, block.stride, chunks=chunks)
    return block.mapping(tokens[:, :, -block.stride :].flatten(1, 2).transpose(1, 2))[..., :wanted]


def _with_new(block: Any, segments: Any, count: int, *, chunks: Chunks) -> Any:
    """Return segments, shape (batch, segments, tokens, channels), with new tokens after each, filled by attention."""
    batch, number = segments.shape[:2]
    new = block.new_tokens.expand(batch, number, count, -1).to(segments.dtype)
    tokens = runtime.torch().cat([segments, new], dim=2)
    return _attended(block, tokens.flatten(1, 2), chunks).unflatten(1, (number, -1))


def _attended(block: Any, tokens: Any, chunks: Chunks) -> Any:
    """Return tokens, shape (batch, tokens, channels), after all layers."""
    size = chunks.latents(block.stride) * (block.stride + 1)
    layers = list(block.transformers)
    first = len(layers) // 2 if chunks.midpoint_shift else len(layers)
    tokens = _in_chunks(layers[:first], tokens, size)
    if not chunks.midpoint_shift:
        return tokens
    shift = size // 2
    # both ends are filled up with themselves, in their own order
    filled = runtime.torch().cat([tokens[:, :shift], tokens, tokens[:, -shift:]], dim=1)
    return _in_chunks(layers[first:], filled, size)[:, shift:-shift]


def _in_chunks(layers: list[Any], tokens: Any, size: int) -> Any:
    chunked = tokens.unflatten(1, (-1, size)).flatten(0, 1)
    for layer in layers:
        chunked = layer(chunked)
    return chunked.unflatten(0, (tokens.shape[0], -1)).flatten(1, 2)


def _padded(values: Any, multiple: int) -> Any:
    """Return values with zeros after them, up to a multiple."""
    return runtime.torch().nn.functional.pad(values, (0, -values.shape[-1] % multiple))
