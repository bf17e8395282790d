"""MusicGen and AudioGen at work: a text is encoded once, codes are written for it, and a codec makes them sound.

All that chance decides comes from a wish's own seed, lengths lie on a grid, texts are encoded and codes made to sound
one by one: so a wish sounds the same alone and in any batch.

Source: J. Copet et al., "Simple and Controllable Music Generation", 2023; F. Kreuk et al., "AudioGen: Textually Guided
Audio Generation", 2022; A. Defossez et al., "High Fidelity Neural Audio Compression", 2022.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foley.errors import MissingWeightsError
from foley.neural import checkpoints, layouts, memory, runtime, weights
from foley.neural.convert_audiogen import RECORD_NAME, TOP_K
from foley.neural.quantise import quantised

Samples = npt.NDArray[np.float32]
"""Shape (channels, samples)."""

PACKAGES = ("transformers", "safetensors")

GUIDANCE = 3.0
"""audiocraft's own choice, where a checkpoint says nothing."""

SEGMENT_S = 30.0
"""What MusicGen was trained on; AudioGen's converted folder says 10 itself."""

GRID_S = 1.0
"""Lengths are made in whole steps of this and cut: so sounds of about the same length are written together."""

LONGEST_TEXT = 256
"""Tokens of a prompt that are read; the models were trained on captions of a sentence or two."""

CONTINUED = 0.5
"""Part of a segment that the next window hears of the one before: the sound goes on as it was, and half is new."""

LOUDEST = 0.99
"""A sound that the codec lets run over full scale is turned down to here, not cut off."""

MELODY = "musicgen_melody"

KINDS = ("musicgen", MELODY)
"""As transformers calls them."""

_SINUSOIDS = r"embed_positions\.weights$"
"""Old checkpoints hold the table of positions, which follows from its formula."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One sound to be made."""

    text: str
    duration_s: float
    seed: int
    event_id: str
    """For messages."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a model's folder says of it before anything is loaded."""

    rate_hz: int
    channels: int
    kind: str
    """One of `KINDS`, or what else lies there."""


class Voice:
    """A model that is loaded."""

    def __init__(self, model: Any, tokenizer: Any, *, device: str, segment_s: float) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.device = device
        self.rate_hz = int(model.config.audio_encoder.sampling_rate)
        self.channels = int(model.config.decoder.audio_channels)
        self._frame_rate_hz = int(model.config.audio_encoder.frame_rate)
        self._segment_frames = round(segment_s * self._frame_rate_hz)
        given = model.generation_config
        self._guidance = float(given.guidance_scale or GUIDANCE)
        self._top_k = int(given.top_k or TOP_K)

    def sounds(self, wishes: Sequence[Wish], *, generator: str) -> list[Samples]:
        """Return what was wished for, each at least as long, to be cut.

        Args:
            wishes: In any order, of any lengths.
            generator: Who asks, for messages.

        Raises:
            DeviceMemoryError: where a batch does not fit.
        """
        texts: dict[str, Any] = {}
        made: dict[int, Samples] = {}
        for frames, numbers in self._batches(wishes):
            batch = [wishes[number] for number in numbers]
            with memory.translated(batch[0].event_id, generator, self.device), runtime.torch().inference_mode():
                for wish in batch:
                    if wish.text not in texts:
                        texts[wish.text] = self._encoded(wish.text)
                rows = self._codes(batch, texts, frames)
                made |= {number: self.sound(row) for number, row in zip(numbers, rows, strict=True)}
        return [made[number] for number in range(len(wishes))]

    def codes(self, wishes: Sequence[Wish], frames: int, *, greedy: bool = False) -> Any:
        """Return the codes of wishes, shape (wishes, codebooks, frames).

        Args:
            wishes: All are made as long as `frames` says.
            frames: As many as wanted: what does not fit into a segment is written window by window.
            greedy: The likeliest code always; chance has no say.
        """
        with runtime.torch().inference_mode():
            texts = {wish.text: self._encoded(wish.text) for wish in wishes}
            return self._codes(wishes, texts, frames, greedy=greedy)

    def item_mb(self, duration_s: float) -> float:
        """Return what one sound needs while it is written: keys and values of all layers, twice for guidance."""
        sizes = self.model.config.decoder
        width = sizes.num_hidden_layers * sizes.hidden_size
        number_bytes = next(self.model.decoder.parameters()).element_size()
        return float(4 * width * min(self._frames(duration_s), self._segment_frames) * number_bytes / (1 << 20))

    def _frames(self, duration_s: float) -> int:
        """Return how many frames are written for a duration."""
        return max(1, math.ceil(duration_s / GRID_S - 1e-9)) * round(GRID_S * self._frame_rate_hz)

    def _batches(self, wishes: Sequence[Wish]) -> Iterator[tuple[int, list[int]]]:
        """Yield lengths in frames, and the numbers of the wishes that are of that length."""
        by_length: dict[int, list[int]] = {}
        for number, wish in enumerate(wishes):
            by_length.setdefault(self._frames(wish.duration_s), []).append(number)
        yield from by_length.items()

    def _encoded(self, text: str) -> Any:
        """Return what the text encoder says of one text, shape (tokens, text width)."""
        tokens = self.tokenizer(text, return_tensors="pt", truncation=True, max_length=LONGEST_TEXT)
        ids, mask = tokens["input_ids"].to(self.device), tokens["attention_mask"].to(self.device)
        return self.model.text_encoder(input_ids=ids, attention_mask=mask).last_hidden_state[0]

    def _codes(self, wishes: Sequence[Wish], texts: Mapping[str, Any], frames: int, *, greedy: bool = False) -> Any:
        """Write codes, window by window where they are longer than a segment."""
        from foley.neural import fast_decode

        torch = runtime.torch()
        states, mask = self._padded([texts[wish.text] for wish in wishes])
        generators = None if greedy else [torch.Generator().manual_seed(wish.seed) for wish in wishes]
        written: Any = None
        while (have := 0 if written is None else int(written.shape[-1])) < frames:
            heard = round(CONTINUED * self._segment_frames) if have else 0
            window = fast_decode.codes(
                self.model,
                states,
                mask,
                frames=min(self._segment_frames, heard + frames - have),
                guidance=self._guidance,
                top_k=self._top_k,
                temperature=1.0,
                generators=generators,
                prompt_codes=written[..., -heard:] if heard else None,
            )
            written = window if written is None else torch.cat([written, window[..., heard:]], dim=-1)
        return written

    def _padded(self, encoded: Sequence[Any]) -> tuple[Any, Any]:
        """Return texts of unlike lengths as one batch, and which of it is text."""
        torch = runtime.torch()
        pad = torch.nn.utils.rnn.pad_sequence
        masks = [torch.ones(len(one), dtype=torch.long, device=self.device) for one in encoded]
        number = self.model.enc_to_dec_proj.weight.dtype
        return pad([one.to(number) for one in encoded], batch_first=True), pad(masks, batch_first=True)

    def sound(self, codes: Any) -> Samples:
        """Return the sound of one row of codes; of two channels each has every second codebook."""
        channels = [codes[first :: self.channels] for first in range(self.channels)]
        decode = self.model.audio_encoder.decode
        played = [decode(one[None, None], [None]).audio_values.reshape(-1) for one in channels]
        samples: Samples = np.stack([one.float().cpu().numpy() for one in played])
        return turned_down(samples)


class MelodyVoice(Voice):
    """MusicGen Melody, led by text alone: its text stands before the codes instead of beside them.

    It is written by transformers' own `generate`, one sound at a time and no longer than a segment.
    """

    def _frames(self, duration_s: float) -> int:
        return math.ceil(duration_s * self._frame_rate_hz)

    def _encoded(self, text: str) -> Any:
        return self.tokenizer(text, return_tensors="pt", truncation=True, max_length=LONGEST_TEXT).to(self.device)

    def _codes(self, wishes: Sequence[Wish], texts: Mapping[str, Any], frames: int, *, greedy: bool = False) -> Any:
        torch = runtime.torch()
        devices = [torch.cuda.current_device()] if self.device == "cuda" else []
        played = []
        for wish in wishes:
            # `generate` takes no generator: it draws from the process' own, which is given back as it was
            with torch.random.fork_rng(devices=devices):
                torch.random.manual_seed(wish.seed)
                played.append(
                    self.model.generate(
                        **texts[wish.text],
                        max_new_tokens=min(frames, self._segment_frames) + self._lag,
                        do_sample=not greedy,
                        top_k=self._top_k,
                        guidance_scale=self._guidance,
                    )[0]
                )
        return played

    @property
    def _lag(self) -> int:
        """Return how many steps the last codebook comes after the first."""
        return int(self.model.config.decoder.num_codebooks) // self.channels - 1

    def sound(self, codes: Any) -> Samples:
        """Return the sound of one row, which `generate` has played already."""
        samples: Samples = codes.float().cpu().numpy()
        return turned_down(samples)


def shape_of(folder: Path) -> Shape | None:
    """Return what a folder says of its model; None where it says nothing."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        channels = config["decoder"].get("audio_channels", 1)
        return Shape(int(config["audio_encoder"]["sampling_rate"]), int(channels), str(config["model_type"]))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def refuse_others(folder: Path, *, name: str, usual: str) -> None:
    """Refuse a folder that holds another sort of model: it would be taken for a broken one of this sort.

    Args:
        folder: In a layout of transformers or diffusers.
        name: What the model is called in messages.
        usual: The model of this sort that can be got.

    Raises:
        MissingWeightsError: where it does.
    """
    found = shape_of(folder)
    if found is None or found.kind not in KINDS:
        expected = f"the config.json of a {' or '.join(KINDS)}, or audiocraft's {layouts.EXPECTED['audiocraft']}"
        raise MissingWeightsError(name, f"{folder} holds another model; expected: {expected}", weights.mend(usual))


def size_mb(folder: Path, device: str) -> int:
    """Return what a model is expected to use of a device: halves on disk are whole numbers on a processor."""
    there = sum(path.stat().st_size for path in layouts.weights_files(folder)) / (1 << 20)
    halved = (folder / RECORD_NAME).is_file() or layouts.layout_of(folder) == "audiocraft"
    return math.ceil(there * (2 if device != "cuda" and halved else 1))


def load(folder: Path, *, name: str, device: str, quantise: str = "") -> Voice:
    """Return the model of a folder in transformers' layout, on a device.

    On CUDA the language model is halved, as it was trained and published; text encoder and codec are small and stay
    whole, and so is everything elsewhere.

    Args:
        folder: Where it lies.
        name: What it is called in messages.
        device: cpu, cuda or mps.
        quantise: Fewer bits for the text encoder, a quarter of what AudioGen needs; codes are written from the language
            model as it is.

    Raises:
        MissingWeightsError: where the folder does not hold one.
        OptionError: where the device or what is installed does not support fewer bits.
    """
    torch = runtime.torch()
    import transformers

    found = shape_of(folder)
    melody = found is not None and found.kind == MELODY
    cls = getattr(
        transformers, "MusicgenMelodyForConditionalGeneration" if melody else "MusicgenForConditionalGeneration"
    )
    model = checkpoints.checked(cls, folder, name=name, harmless=(_SINUSOIDS,), dtype=torch.float32)
    _refuse_no_numbers(model, folder, name=name)
    if device == "cuda" and not melody:
        model.decoder.half()
        model.enc_to_dec_proj.half()
    tokenizer = checkpoints.opened(transformers.AutoTokenizer, folder, name=name)
    voice = MelodyVoice if melody else Voice
    model.to(device).text_encoder = quantised(model.text_encoder, quantise, device)
    return voice(model, tokenizer, device=device, segment_s=_segment_s(folder))


def _refuse_no_numbers(model: Any, folder: Path, *, name: str) -> None:
    """Refuse weights that are damaged: codes are written all the same, and nothing is seen of it in the sound.

    Raises:
        MissingWeightsError: where a weight is infinite, or no number.
    """
    torch = runtime.torch()
    for key, weight in model.named_parameters():
        if not torch.isfinite(weight.sum()):
            raise MissingWeightsError(name, f"{folder} is damaged: {key} holds what is no number", weights.mend(name))


def turned_down(samples: Samples) -> Samples:
    """Return a sound that stays under full scale."""
    peak = float(np.max(np.abs(samples), initial=0.0))
    return samples * np.float32(LOUDEST / peak) if peak > LOUDEST else samples


def _segment_s(folder: Path) -> float:
    try:
        return float(json.loads((folder / RECORD_NAME).read_text(encoding="utf-8"))["segment_s"])
    except (OSError, ValueError, LookupError, TypeError):  # not converted here
        return SEGMENT_S
