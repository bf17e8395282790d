"""The decoder of MusicGen and AudioGen as transformers loads it, laid out to be read quickly.

Source of the model: J. Copet et al., "Simple and Controllable Music Generation", 2023.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foley.neural import runtime

if TYPE_CHECKING:
    from torch import Tensor

ROWS = {"cuda": 64}
"""Rows of every matrix product, by device: as many as take hardly longer than one."""

OTHER_ROWS = 8
"""The same for processors: products of 2 and of 8 rows were measured to take the same time."""

Product = Callable[["Tensor"], "Tensor"]

Adding = Callable[["Tensor", "Tensor"], object]

Attend = Callable[[int, "Tensor"], "Tensor"]
"""Takes a layer's number and what it asks, shape (rows, ...); returns what is answered, shape (rows, width)."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """One layer, as the products that a step takes."""

    norm: Any
    ask: Product
    """Queries, keys and values of the steps so far."""
    add_seen: Adding
    text_norm: Any
    ask_text: Product
    """Queries to the text."""
    tell: Product
    """Keys and values of the text."""
    add_told: Adding
    inner_norm: Any
    inner: Product
    add_inner: Adding

    @classmethod
    def of(cls, layer: Any) -> _Layer:
        """Return a layer of transformers so."""
        own, text = layer.self_attn, layer.encoder_attn
        return cls(
            norm=layer.self_attn_layer_norm,
            ask=_together(own.q_proj, own.k_proj, own.v_proj),
            add_seen=_adding(own.out_proj),
            text_norm=layer.encoder_attn_layer_norm,
            ask_text=text.q_proj,
            tell=_together(text.k_proj, text.v_proj),
            add_told=_adding(text.out_proj),
            inner_norm=layer.final_layer_norm,
            inner=lambda states: layer.activation_fn(layer.fc1(states)),
            add_inner=_adding(layer.fc2),
        )


class Stack:
    """The parts of a model that a step goes through; what is read together lies together."""

    def __init__(self, model: Any) -> None:
        config, decoder = model.config.decoder, model.decoder.model.decoder
        self.attention: Callable[..., Tensor] = runtime.torch().nn.functional.scaled_dot_product_attention
        self.layers = [_Layer.of(layer) for layer in decoder.layers]
        self.embeddings = list(decoder.embed_tokens)
        self.norm = decoder.layer_norm
        self.positions: Callable[[int, int], Tensor] = decoder.embed_positions.get_embedding
        self.project: Product | None = getattr(model, "enc_to_dec_proj", None)
        self.heads = _together(*model.decoder.lm_heads)
        self.codebooks, self.vocabulary = config.num_codebooks, config.vocab_size
        self.width, self.attention_heads = config.hidden_size, config.num_attention_heads
        # the codebooks of a stereo model alternate between left and right, and both sides wait equally long
        self.delays = [codebook // config.audio_channels for codebook in range(self.codebooks)]
        self.device, self.dtype = self.norm.weight.device, self.norm.weight.dtype
        self.rows = ROWS.get(self.device.type, OTHER_ROWS)

    @property
    def place(self) -> tuple[Any, ...]:
        """Return where the weights lie, which is all that a graph knows of them."""
        return self.dtype, *(layer.inner_norm.weight.data_ptr() for layer in self.layers)

    def through(self, x: Tensor, attend: Attend, attend_text: Attend) -> Tensor:
        """Send states of shape (rows, width), which are changed, through all layers; return them normed."""
        for number, layer in enumerate(self.layers):
            layer.add_seen(x, attend(number, layer.ask(layer.norm(x))))
            layer.add_told(x, attend_text(number, layer.ask_text(layer.text_norm(x))))
            layer.add_inner(x, layer.inner(layer.inner_norm(x)))
        normed: Tensor = self.norm(x)
        return normed

    def embedded(self, codes: Tensor) -> Tensor:
        """Return the sum of the codebooks' embeddings: codes of shape (n, codebooks), states of shape (n, width)."""
        summed: Tensor = sum(table(codes[:, codebook]) for codebook, table in enumerate(self.embeddings))
        return summed

    def by_head(self, states: Tensor) -> Tensor:
        """Split states (..., parts * width) into (..., parts, heads, width of a head)."""
        return states.view(*states.shape[:-1], -1, self.attention_heads, self.width // self.attention_heads)


def _together(*layers: Any) -> Product:
    """Return one product that does the work of several linear layers without bias."""
    torch = runtime.torch()
    if all(_is_plain(layer) for layer in layers):
        return functools.partial(torch.nn.functional.linear, weight=_joined(layers))
    return lambda states: torch.cat([layer(states) for layer in layers], dim=-1)


def _joined(layers: Sequence[Any]) -> Tensor:
    """Return one weight that holds those of several layers, which then look into it: nothing is stored twice."""
    weights: list[Tensor] = [layer.weight.data for layer in layers]
    first, sizes = weights[0], [weight.shape[0] for weight in weights]
    starts = [first.data_ptr() + sum(sizes[:before]) * first[0].nbytes for before in range(len(sizes))]
    storages = {weight.untyped_storage().data_ptr() for weight in weights}
    if len(storages) == 1 and [weight.data_ptr() for weight in weights] == starts:
        return first.as_strided((sum(sizes), first.shape[1]), first.stride())
    joined: Tensor = runtime.torch().cat(weights)
    for layer, start, size in zip(layers, itertools.accumulate(sizes, initial=0), sizes, strict=False):
        layer.weight.data = joined[start : start + size]
    return joined


def _adding(layer: Any) -> Adding:
    """Return what adds a linear layer's product to states in place: in the product itself where it can."""
    if not _is_plain(layer):
        return lambda x, states: x.add_(layer(states))
    weight = layer.weight.t()
    return lambda x, states: x.addmm_(states, weight)


def _is_plain(layer: Any) -> bool:
    """Return whether a layer's weight is an ordinary matrix; quantised ones know only their layer's own product."""
    return type(layer.weight.data) is runtime.torch().Tensor
