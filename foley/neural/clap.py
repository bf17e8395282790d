"""How well a sound fits a text, with CLAP as transformers loads it.

That is laion/clap-htsat-unfused, laion/clap-htsat-fused and laion/larger_clap_general, by name, folder or hub id. They
heard sounds of 10 s in training. Of longer ones the library would take a random part, from the one source of chance
that all share; here the sound is cut into windows of 10 s that cover it evenly, and its score is their mean.

Source: Y. Wu et al., "Large-scale contrastive language-audio pretraining with feature fusion and keyword-to-caption
augmentation", ICASSP 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foley.errors import MissingProgramError
from foley.model import Audio
from foley.neural import checkpoints, memory, pool, runtime, weights
from foley.neural.listener import Listener

DEFAULT = "clap"
"""Its name in the catalogue."""

PACKAGES = ("transformers",)

RATE_HZ = 48_000
"""Of the sounds it was trained with."""

WINDOW_S = 10.0
"""Length of the sounds it was trained with."""

WINDOW = int(RATE_HZ * WINDOW_S)

BATCH = 8
"""Windows at a time: 2 GB of activations in all."""

SIZE_MB = 800
"""In memory, with 32 bits for each of the largest model's 194 million numbers: ranks differ little, halves would blur
them, and it is small beside what makes sound."""

HARMLESS = (r"position_ids$", r"token_type_ids$", r"relative_position_index$")
"""Keys of the published files that hold no weights: counted positions, which the library counts for itself."""

VERSION = "1"

Scores = npt.NDArray[np.float32]


class Clap(Listener):
    """Says how well sounds fit texts."""

    name = "clap"
    version = VERSION
    default = DEFAULT
    packages = PACKAGES

    def scores(self, texts: Sequence[str], audios: Sequence[Audio]) -> Scores:
        """Return the cosine between each text and each sound, shape (texts, audios), -1 to 1.

        Args:
            texts: In the words of a caption: "footsteps on gravel".
            audios: At `RATE_HZ`, none of them empty; channels are taken together.

        Raises:
            MissingProgramError: where a package is not installed.
            MissingWeightsError: where the weights are not here, or do not fit.
            DeviceMemoryError: where the device's memory does not suffice.
            ValueError: where a sound has another rate, or no samples.
        """
        if needed := runtime.missing(*PACKAGES):
            raise MissingProgramError("transformers", needed[0])
        if not texts or not audios:
            return np.zeros((len(texts), len(audios)), np.float32)
        cut = [windows_of(audio) for audio in audios]
        place = weights.need(self._name)
        device = runtime.device(self._wanted_device)
        with self._busy, memory.translated("choice", "clap", device):
            model, processor = pool.hold(
                ("clap", str(place), weights.revision(place), device),
                lambda: _load(self._name, place, device),
                size_mb=SIZE_MB,
                device=device,
                max_vram_mb=self._max_vram_mb,
            )
            heard = _heard(model, processor, [window for windows in cut for window in windows])
            read = _read(model, processor, texts)
        alike = read @ heard.T
        firsts = np.cumsum([0, *(len(windows) for windows in cut)])
        means = [
            alike[:, first : first + len(windows)].mean(axis=1) for first, windows in zip(firsts, cut, strict=False)
        ]
        return np.stack(means, axis=1).astype(np.float32)


def windows_of(audio: Audio) -> list[npt.NDArray[np.float32]]:
    """Return windows of `WINDOW_S` that cover a sound evenly, the last one ending with it; a short sound is its own.

    >>> [len(one) for one in windows_of(Audio(np.zeros((1, 25 * RATE_HZ), np.float32), RATE_HZ))]
    [480000, 480000, 480000]

    Raises:
        ValueError: where the sound has another rate, or no samples.
    """
    if audio.rate_hz != RATE_HZ or not audio.length:
        raise ValueError(f"CLAP hears sound of {RATE_HZ} Hz, got {audio}")
    middle = audio.samples.mean(axis=0, dtype=np.float32)
    count = -(-audio.length // WINDOW)
    if count == 1:
        return [middle]
    starts = np.linspace(0, audio.length - WINDOW, count).round().astype(int)
    return [middle[start : start + WINDOW] for start in starts.tolist()]


def _load(name: str, place: Path, device: str) -> tuple[Any, Any]:
    torch = runtime.torch()
    from transformers import ClapModel, ClapProcessor

    processor = checkpoints.opened(ClapProcessor, place, name=name)
    model = checkpoints.checked(ClapModel, place, name=name, harmless=HARMLESS, dtype=torch.float32)
    return model.to(device), processor


def _heard(model: Any, processor: Any, windows: Sequence[npt.NDArray[np.float32]]) -> Scores:
    """Return the embeddings of windows, shape (windows, n)."""
    torch = runtime.torch()
    made: list[Scores] = []
    for start in range(0, len(windows), BATCH):
        batch = list(windows[start : start + BATCH])
        ready = processor(audio=batch, sampling_rate=RATE_HZ, return_tensors="pt")
        # no window is longer than 10 s; the library says so of all but one, which it draws by chance
        ready["is_longer"] = torch.zeros((len(batch), 1), dtype=torch.bool)
        with torch.inference_mode():
            made.append(_of_length_one(model.get_audio_features(**ready.to(model.device))))
    return np.concatenate(made)


def _read(model: Any, processor: Any, texts: Sequence[str]) -> Scores:
    """Return the embeddings of texts, shape (texts, n)."""
    torch = runtime.torch()
    ready = processor(text=list(texts), padding=True, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        return _of_length_one(model.get_text_features(**ready.to(model.device)))


def _of_length_one(output: Any) -> Scores:
    """Return rows of length 1 of what transformers 5 gives: an output whose pooled part holds the embeddings."""
    rows: Scores = output.pooler_output.float().cpu().numpy()
    unit: Scores = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return unit
