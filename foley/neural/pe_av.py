"""How well a sound fits the picture, with PE-AV as transformers loads it: facebook/pe-av-small, -base, -large.

Source: A. Vyas et al., "Pushing the frontier of audiovisual perception with large-scale multimodal correspondence
learning", 2025 (Perception Encoder Audiovisual).
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foley.errors import MissingProgramError
from foley.model import Audio
from foley.neural import checkpoints, layouts, memory, pool, runtime, weights
from foley.neural.listener import Listener

DEFAULT = "pe-av"
"""Its name in the catalogue."""

PACKAGES = ("transformers", "torchvision", "timm")

RATE_HZ = 48_000
"""Of the sounds it was trained with."""

OVERHEAD = 1.5
"""Memory for each byte of its files: what a window of a film takes on the way is besides."""

VERSION = "1"

Frames = npt.NDArray[np.uint8]
"""Pictures at even distances over the sound's time, shape (frames, height, width, 3), red first."""


class PeAv(Listener):
    """Says how well sounds fit pictures."""

    name = "pe_av"
    version = VERSION
    default = DEFAULT
    packages = PACKAGES

    def scores(self, frames: Frames, audios: Sequence[Audio]) -> npt.NDArray[np.float32]:
        """Return how well each sound fits the pictures, shape (audios,): its logit, from which 0 is even odds.

        Args:
            frames: What is seen while they sound.
            audios: At `RATE_HZ`, as long as the pictures last, none of them empty; channels are taken together.

        Raises:
            MissingProgramError: where a package is not installed.
            MissingWeightsError: where the weights are not here, or do not fit.
            DeviceMemoryError: where the device's memory does not suffice.
            ValueError: where a sound has another rate, or no samples, or the pictures are none.
        """
        if needed := runtime.missing(*PACKAGES):
            raise MissingProgramError("transformers", needed[0])
        if frames.ndim != 4 or not len(frames) or frames.shape[3] != 3:
            raise ValueError(f"frames must have the shape (frames, height, width, 3), got {frames.shape}")
        if unfit := next((audio for audio in audios if audio.rate_hz != RATE_HZ or not audio.length), None):
            raise ValueError(f"PE-AV hears sound of {RATE_HZ} Hz, got {unfit}")
        place = weights.need(self._name)
        device = runtime.device(self._wanted_device)
        with self._busy, memory.translated("choice", "pe_av", device):
            model, processor = pool.hold(
                ("pe_av", str(place), weights.revision(place), device),
                lambda: _load(self._name, place, device),
                size_mb=round(OVERHEAD * sum(file.stat().st_size for file in layouts.weights_files(place)) / 1e6),
                device=device,
                max_vram_mb=self._max_vram_mb,
            )
            return np.array([_logit(model, processor, frames, audio) for audio in audios], np.float32)


def _load(name: str, place: Path, device: runtime.Device) -> tuple[Any, Any]:
    runtime.torch()
    from transformers import PeAudioVideoModel, PeAudioVideoProcessor

    # its map of shared weights also names a table that timm computes and no checkpoint holds: rope is left out of it
    tied = {
        one.replace(r"rope\.pos_embed", r"rope\."): other.replace(r"rope\.pos_embed", r"rope\.")
        for one, other in PeAudioVideoModel._tied_weights_keys.items()
    }
    mended = type("PeAudioVideoModel", (PeAudioVideoModel,), {"_tied_weights_keys": tied})
    processor = checkpoints.opened(PeAudioVideoProcessor, place, name=name)
    # the library prints a remark on its own documentation when the model is made: standard output is for results
    with contextlib.redirect_stdout(sys.stderr):
        model = checkpoints.checked(mended, place, name=name, dtype=runtime.dtype(device))
    return model.to(device), processor


def _logit(model: Any, processor: Any, frames: Frames, audio: Audio) -> float:
    """Return how well one sound fits; one at a time, so that nothing is padded to the length of another."""
    torch = runtime.torch()
    ready = processor(
        videos=[frames],
        audio=[audio.samples.mean(axis=0, dtype=np.float32)],
        sampling_rate=RATE_HZ,
        padding=True,
        return_tensors="pt",
        do_sample_frames=False,
    )
    with torch.inference_mode():
        output = model(**ready.to(model.device, model.dtype))
    return float(output.logits_audio_video[0, 0])
