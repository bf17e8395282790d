"""CLAP's embeddings of sounds and of texts, to be kept and compared later, as a library of recordings does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from foley.errors import MissingProgramError
from foley.model import Audio
from foley.neural import memory, pool, runtime, weights
from foley.neural.clap import PACKAGES, SIZE_MB, Clap, _heard, _load, _read, windows_of

Embeddings = npt.NDArray[np.float32]


class ClapMeaning(Clap):
    """Gives the places of sounds and texts in the one space in which CLAP compares them."""

    def sounds(self, audios: Sequence[Audio]) -> Embeddings:
        """Return an embedding of length 1 for each sound, shape (sounds, n): of a long one the mean of its windows.

        Args:
            audios: At `clap.RATE_HZ`, one at least, none of them empty.

        Raises:
            MissingProgramError: where a package is not installed.
            MissingWeightsError: where the weights are not here, or do not fit.
            DeviceMemoryError: where the device's memory does not suffice.
        """
        cut = [windows_of(audio) for audio in audios]
        heard = self._asked(
            lambda model, processor: _heard(model, processor, [one for windows in cut for one in windows])
        )
        lasts = np.cumsum([len(windows) for windows in cut])
        means = np.stack([part.mean(axis=0) for part in np.split(heard, lasts[:-1])])
        return np.asarray(means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12), np.float32)

    def texts(self, texts: Sequence[str]) -> Embeddings:
        """Return an embedding of length 1 for each text, shape (texts, n).

        Raises:
            MissingProgramError: where a package is not installed.
            MissingWeightsError: where the weights are not here, or do not fit.
            DeviceMemoryError: where the device's memory does not suffice.
        """
        return self._asked(lambda model, processor: _read(model, processor, texts))

    def _asked(self, ask: Callable[[Any, Any], Embeddings]) -> Embeddings:
        """Return what the model, loaded, and its processor give."""
        if needed := runtime.missing(*PACKAGES):
            raise MissingProgramError("transformers", needed[0])
        place = weights.need(self._name)
        device = runtime.device(self._wanted_device)
        with self._busy, memory.translated("library", "clap", device):
            held = pool.hold(
                ("clap", str(place), weights.revision(place), device),
                lambda: _load(self._name, place, device),
                size_mb=SIZE_MB,
                device=device,
                max_vram_mb=self._max_vram_mb,
            )
            return ask(*held)
