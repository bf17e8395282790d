"""Writes the codes of MusicGen and AudioGen about as fast as their weights can be read.

transformers' `generate` starts some 3,000 small operations a step from Python. Here a step is a third of that over
buffers that stay where they are, which CUDA replays as one graph without asking the host anything: the text is
projected once, keys and values are kept in place, and chance is drawn beforehand.

A sound is the same alone and in any batch: matrix products always have the same number of rows, filled or not,
everything else works row by row, and every row has its own generator. Unfilled rows cost next to nothing, since a step
lasts as long as the weights are read.

Source of the guidance: J. Ho, T. Salimans, "Classifier-Free Diffusion Guidance", 2022.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foley.neural import runtime
from foley.neural.musicgen_stack import Attend, Stack

if TYPE_CHECKING:
    from torch import Generator, Tensor

KEYS_BLOCK = 64
"""Attention looks back over whole blocks of so many steps: one graph for each, and fewer than a block read in vain."""

TEXT_BLOCK = 32
"""Texts are padded to whole blocks of so many tokens, so that a longer neighbour rarely changes a text's shape."""

KEPT_PART = 0.125
"""Of a device's memory, for the buffers that are kept between calls: other models must find room beside them."""

UNKNOWN = -1
"""Stands in a sequence where a code is still to be found."""

_kept: weakref.WeakKeyDictionary[Any, _Decoder] = weakref.WeakKeyDictionary()
"""The last decoder of each model on CUDA: recording its graphs takes about as long as a tenth of what they then do."""


def codes(
    model: Any,
    encoder_states: Tensor,
    mask: Tensor,
    *,
    frames: int,
    guidance: float = 3.0,
    top_k: int = 250,
    temperature: float = 1.0,
    generators: Sequence[Generator] | None = None,
    prompt_codes: Tensor | None = None,
) -> Tensor:
    """Return the codes of a batch of sounds, shape (batch, codebooks, frames), on the model's device.

    One call at a time for a model: on CUDA its buffers are kept for the next call of the same shape.

    Args:
        model: A MusicgenForConditionalGeneration, mono or stereo, of float32, bfloat16 or float16. Weights that are
            read together are moved together in memory; their values stay.
        encoder_states: What its text encoder says, not yet projected: shape (batch, tokens, text width). A sound
            depends on its own text alone only if each text was encoded by itself.
        mask: 1 where there is a token, 0 where there is padding: shape (batch, tokens).
        frames: How many are wanted, those of the prompt included.
        guidance: How much more the text counts than no text; at 1 or less, nothing is compared with no text.
        top_k: Only so many of the likeliest codes are drawn from; 0 draws from all.
        temperature: Above 1 draws more boldly, below 1 more carefully.
        generators: One for each row, on any device; None takes the likeliest code always.
        prompt_codes: What is continued: shape (batch, codebooks, prompt frames), fewer than `frames`.

    Raises:
        ValueError: where shapes do not fit together or a number is out of range.
    """
    torch = runtime.torch()
    _refuse(encoder_states, mask, frames=frames, temperature=temperature, top_k=top_k)
    batch, tokens = mask.shape
    with torch.inference_mode(mode=False), torch.no_grad():  # weights that are moved stay usable outside it
        stack = Stack(model)
    _refuse_rows(batch, stack.codebooks, frames, generators=generators, prompt_codes=prompt_codes)
    copies = 2 if guidance > 1.0 else 1
    at_once = stack.rows // copies
    found: list[Tensor] = []
    with torch.inference_mode(), _attention(stack.device):
        for first in range(0, batch, at_once):
            group = slice(first, min(first + at_once, batch))
            shape = _Shape(
                items=group.stop - group.start,
                copies=copies,
                tokens=_whole(tokens, TEXT_BLOCK),
                steps=_whole(frames + stack.delays[-1], KEYS_BLOCK),
                top_k=None if generators is None else top_k,
            )
            decoder = _kept_decoder(model, stack, shape) or _Decoder(stack, shape)
            decoder.read(encoder_states[group], mask[group], guidance=guidance, temperature=temperature)
            known = decoder.lay_out(frames, None if prompt_codes is None else prompt_codes[group])
            if generators is not None:
                decoder.draw(generators[group], known)
            found.append(decoder.codes(frames, known))
            if decoder.worth_keeping:
                _kept[model] = decoder
    return found[0] if len(found) == 1 else torch.cat(found)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a decoder's buffers and graphs are made for."""

    items: int
    """Sounds at a time."""
    copies: int
    """Rows for each: 2 where it is compared with no text."""
    tokens: int
    steps: int
    top_k: int | None
    """None where the likeliest code is always taken."""


class _Decoder:
    """Buffers of one shape and, on CUDA, the graphs that work on them."""

    def __init__(self, stack: Stack, shape: _Shape) -> None:
        torch = runtime.torch()
        self.stack, self.shape = stack, shape
        self.slots = stack.rows // shape.copies
        self.filled = shape.items * shape.copies
        kinds = {"dtype": stack.dtype, "device": stack.device}
        layers, heads, width = len(stack.layers), stack.attention_heads, stack.width // stack.attention_heads
        self.past = torch.zeros(layers, 2, self.filled, heads, shape.steps, width, **kinds)
        self.text = torch.zeros(layers, 2, shape.items, heads, shape.tokens, width, **kinds)
        self.text_mask = torch.zeros(shape.items, 1, 1, shape.tokens, **kinds)
        self.unseen = torch.full((shape.steps, shape.steps), torch.finfo(stack.dtype).min, **kinds).triu(1)
        self.positions = stack.positions(shape.steps, stack.width).to(**kinds)
        self.answered: Tensor = torch.zeros(stack.rows, stack.width, **kinds)
        self.told: Tensor = torch.zeros(stack.rows, stack.width, **kinds)
        self.position = torch.zeros(1, dtype=torch.long, device=stack.device)
        places = (self.slots, stack.codebooks, shape.steps + 1)
        self.sequence = torch.zeros(places, dtype=torch.long, device=stack.device)
        self.draws = torch.zeros(shape.steps, self.slots, stack.codebooks, device=stack.device)
        self.guidance, self.temperature = (torch.ones((), device=stack.device) for _ in range(2))
        self.graphs: dict[int, Any] | None = {} if stack.device.type == "cuda" else None

    @property
    def worth_keeping(self) -> bool:
        """Return whether there are graphs to be kept, and buffers small enough to leave others their memory."""
        if self.graphs is None:
            return False
        there = runtime.torch().cuda.get_device_properties(self.stack.device).total_memory
        return bool(self.past.nbytes <= KEPT_PART * there)

    def read(self, encoder_states: Tensor, mask: Tensor, *, guidance: float, temperature: float) -> None:
        """Project the texts into keys and values, each by itself: the sum must not depend on how many there are."""
        torch, stack = runtime.torch(), self.stack
        self.guidance.fill_(guidance)
        self.temperature.fill_(temperature)
        present = torch.zeros(self.shape.items, self.shape.tokens, dtype=torch.bool, device=stack.device)
        present[:, : mask.shape[1]] = mask.to(stack.device) > 0
        self.text_mask.zero_().masked_fill_(~present[:, None, None], torch.finfo(stack.dtype).min)
        for item, states in enumerate(encoder_states.to(stack.device, stack.dtype)):
            padded = states.new_zeros(self.shape.tokens, states.shape[1])
            padded[: states.shape[0]] = states
            projected = padded if stack.project is None else stack.project(padded)
            heard = projected * present[item, :, None]
            for number, layer in enumerate(stack.layers):
                self.text[number, :, item] = stack.by_head(layer.tell(heard)).permute(1, 2, 0, 3)

    def lay_out(self, frames: int, prompt: Tensor | None) -> int:
        """Write down what is known of the sequence; return how many of its steps are known but for the last.

        Frame f of a codebook stands at f + 1 + its delay; before and after the sound stands the code that says so.
        """
        known = 0 if prompt is None else prompt.shape[2]
        self.sequence.fill_(self.stack.vocabulary)
        for codebook, delay in enumerate(self.stack.delays):
            row = self.sequence[: self.shape.items, codebook, delay + 1 :]
            row[:, :frames] = UNKNOWN
            if prompt is not None:
                row[:, :known] = prompt[:, codebook]
        return known

    def draw(self, generators: Sequence[Generator], known: int) -> None:
        """Draw one number in [0, 1) for every code that is to be found, each row from its own generator."""
        torch = runtime.torch()
        wanted = (self.shape.steps - known, self.stack.codebooks)
        for row, generator in enumerate(generators):
            self.draws[known:, row] = torch.rand(wanted, generator=generator, device=generator.device)

    def codes(self, frames: int, known: int) -> Tensor:
        """Find what is unknown; return all codes, shape (items, codebooks, frames)."""
        if known:
            for item in range(self.shape.items):
                self._remember(item, known)
        self.position.fill_(known)
        for position in range(known, frames + self.stack.delays[-1]):
            self._advance(_whole(position + 1, KEYS_BLOCK))
        rows = self.sequence[: self.shape.items]
        undelayed = [rows[:, codebook, delay + 1 :][:, :frames] for codebook, delay in enumerate(self.stack.delays)]
        found: Tensor = runtime.torch().stack(undelayed, dim=1)
        return found

    def _remember(self, item: int, known: int) -> None:
        """Put the keys and values of a prompt in place, all its steps in one pass."""
        stack, copies = self.stack, self.shape.copies
        rows = slice(item * copies, (item + 1) * copies)
        told: Tensor = self.told.new_zeros(copies, known, stack.width)

        def attend(number: int, asked: Tensor) -> Tensor:
            asked = asked.view(copies, known, -1)
            queries, keys, values = stack.by_head(asked).permute(2, 0, 3, 1, 4)
            self.past[number, 0, rows, :, :known] = keys
            self.past[number, 1, rows, :, :known] = values
            answer = stack.attention(queries, keys, values, is_causal=True)
            return answer.transpose(1, 2).reshape(-1, stack.width)

        def attend_text(number: int, asked: Tensor) -> Tensor:
            queries = stack.by_head(asked[:known]).permute(1, 2, 0, 3)
            keys, values = self.text[number, :, item : item + 1]
            answer = stack.attention(queries, keys, values, attn_mask=self.text_mask[item : item + 1])
            told[0] = answer.transpose(1, 2).reshape(known, stack.width)
            return told.flatten(0, 1)

        x = stack.embedded(self.sequence[item, :, :known].t()) + self.positions[:known]
        stack.through(x.repeat(copies, 1), attend, attend_text)

    def _advance(self, seen: int) -> None:
        """Take the next step; on CUDA the first of a length is taken to be recorded, the others are replayed."""
        if self.graphs is None:
            self._step(seen)
        elif seen in self.graphs:
            self.graphs[seen].replay()
        else:
            self._step(seen)
            self.graphs[seen] = self._recorded(seen)

    def _recorded(self, seen: int) -> Any:
        """Return the graph of a step, which is recorded without being taken."""
        cuda = runtime.torch().cuda
        pool = next((graph.pool() for graph in (self.graphs or {}).values()), None)
        graph = cuda.CUDAGraph()
        with cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
            self._step(seen)
        return graph

    def _step(self, seen: int) -> None:
        """Find the codes after the present position: the same operations every time, none of which the host waits for.

        Args:
            seen: How many keys are looked at, those after the position not counting.
        """
        stack, copies = self.stack, self.shape.copies
        codes_here = self.sequence.index_select(2, self.position).squeeze(2)
        x = stack.embedded(codes_here) + self.positions.index_select(0, self.position)
        x = x.repeat_interleave(copies, dim=0)
        unseen = self.unseen.index_select(0, self.position)[:, :seen].view(1, 1, 1, seen)
        states = stack.through(x, self._looking_back(unseen), self._attend_text)
        logits = stack.heads(states).float()
        logits = logits.view(self.slots, copies, stack.codebooks, stack.vocabulary)
        if copies == 2:
            told, untold = logits.unbind(1)
            logits = untold + (told - untold) * self.guidance
        else:
            logits = logits.squeeze(1)
        found = self._chosen(logits)
        self.position.add_(1)
        known = self.sequence.index_select(2, self.position).squeeze(2)
        self.sequence.index_copy_(2, self.position, found.where(known == UNKNOWN, known).unsqueeze(2))

    def _looking_back(self, unseen: Tensor) -> Attend:
        """Return the attention of the present step to all steps so far, its own included."""
        seen = unseen.shape[-1]

        def attend(number: int, asked: Tensor) -> Tensor:
            parts = self.stack.by_head(asked[: self.filled]).permute(1, 0, 2, 3).unsqueeze(3)
            self.past[number].index_copy_(3, self.position, parts[1:])
            keys, values = self.past[number, :, :, :, :seen]
            answer = self.stack.attention(parts[0], keys, values, attn_mask=unseen)
            if self.filled == self.stack.rows:
                return answer.reshape(self.answered.shape)
            self.answered[: self.filled] = answer.reshape(self.filled, self.stack.width)
            return self.answered

        return attend

    def _attend_text(self, number: int, asked: Tensor) -> Tensor:
        """Return what the text says; a row without text hears nothing, so it is not asked."""
        with_text = slice(0, self.filled, self.shape.copies)
        queries = self.stack.by_head(asked[with_text]).transpose(1, 2)
        keys, values = self.text[number]
        answer = self.stack.attention(queries, keys, values, attn_mask=self.text_mask)
        self.told[with_text] = answer.reshape(self.shape.items, self.stack.width)
        return self.told

    def _chosen(self, logits: Tensor) -> Tensor:
        """Return one code for each row of logits (slots, codebooks, vocabulary): the likeliest, or the one drawn.

        A number drawn beforehand is looked up in the cumulated probabilities. It is below 1 by at least half a step of
        float32, so that its product with the last of them is below that, and no code of probability 0 is ever found.
        """
        top_k = self.shape.top_k
        if top_k is None:
            return logits.argmax(-1)
        logits = logits / self.temperature
        if 0 < top_k < self.stack.vocabulary:
            least = logits.topk(top_k, sorted=False).values.amin(-1, keepdim=True)
            logits = logits.masked_fill(logits < least, float("-inf"))
        cumulated = logits.softmax(-1).cumsum(-1)
        drawn = self.draws.index_select(0, self.position).squeeze(0).unsqueeze(-1)
        found: Tensor = (cumulated <= drawn * cumulated[..., -1:]).sum(-1)
        return found


def _kept_decoder(model: Any, stack: Stack, shape: _Shape) -> _Decoder | None:
    """Return the decoder of the last call where it fits, and forget it where not, before a new one takes memory."""
    kept = _kept.pop(model, None)
    return kept if kept is not None and kept.shape == shape and kept.stack.place == stack.place else None


def _attention(device: Any) -> contextlib.AbstractContextManager[None]:
    """Return a context in which attention takes the kernel that knows masks and needs no plan for each length."""
    if device.type != "cuda":
        return contextlib.nullcontext()
    from torch.nn.attention import SDPBackend, sdpa_kernel

    return sdpa_kernel([SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH])


def _whole(count: int, block: int) -> int:
    """Return a count rounded up to whole blocks."""
    return -(-count // block) * block


def _refuse(encoder_states: Tensor, mask: Tensor, *, frames: int, temperature: float, top_k: int) -> None:
    """Refuse numbers that are out of range and texts that do not fit their mask."""
    if encoder_states.shape[:2] != mask.shape or not mask.numel():
        raise ValueError(f"texts of shape {tuple(encoder_states.shape)} do not fit a mask of {tuple(mask.shape)}")
    if frames < 1 or temperature <= 0.0 or top_k < 0:
        raise ValueError(f"frames {frames} >= 1, temperature {temperature} > 0 and top_k {top_k} >= 0 must hold")


def _refuse_rows(rows: int, codebooks: int, frames: int, *, generators: Any, prompt_codes: Tensor | None) -> None:
    """Refuse generators and prompts that are not those of the batch."""
    if generators is not None and len(generators) != rows:
        raise ValueError(f"{rows} rows need {rows} generators, got {len(generators)}")
    if prompt_codes is None:
        return
    if prompt_codes.shape[:2] != (rows, codebooks) or prompt_codes.shape[2] >= frames:
        wanted = f"({rows}, {codebooks}, fewer than {frames})"
        raise ValueError(f"a prompt must have the shape {wanted}, got {tuple(prompt_codes.shape)}")
