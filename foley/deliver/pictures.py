"""Pictures for the report: spectrograms and small frames, as data URIs so that the page needs no other file."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from foley.media import sound
from foley.model import AudioFile

WINDOW_SAMPLES = 2048
"""43 ms at 48 kHz: tells 23 Hz apart and still shows a hit as a line."""
LOWEST_HZ, HIGHEST_HZ = 50.0, 20_000.0
RANGE_DB = 75.0
"""From the loudest point down to black."""
SILENT_DB = -120.0
"""What silence measures."""
WINDOWS_AT_ONCE = 200
"""Of them some 10 MB are held."""
MAX_WINDOWS = 2400
"""Longer sounds are looked at in as many places, so that a film's bed costs no more than a minute's."""


def data_uri(data: bytes, kind: str) -> str:
    """Return bytes as an address that holds them.

    >>> data_uri(b"GIF", "image/gif")
    'data:image/gif;base64,R0lG'
    """
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def spectrogram(audio: AudioFile, *, width_px: int, height_px: int) -> bytes:
    """Return a PNG of how a sound's spectrum runs: time to the right, pitch upwards on a logarithmic scale.

    Args:
        audio: The sound; its channels are averaged.
        width_px: Columns; each shows the loudest window of its stretch of time.
        height_px: Rows, from 50 Hz to 20 kHz.
    """
    import cv2

    levels = _rows(_windows_db(audio), audio.rate_hz, height_px)
    levels = _columns(levels, width_px)
    brightest = max(float(levels.max(initial=SILENT_DB)), SILENT_DB + RANGE_DB)  # silence is black
    shade = np.clip((levels - brightest + RANGE_DB) / RANGE_DB, 0.0, 1.0)
    picture = cv2.applyColorMap((shade[::-1] * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    return encoded(picture, ".png")


def small(jpeg: bytes, width_px: int) -> bytes:
    """Return a JPEG made smaller."""
    import cv2

    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError("not a JPEG")
    height_px = max(1, round(picture.shape[0] * width_px / picture.shape[1]))
    return encoded(cv2.resize(picture, (width_px, height_px), interpolation=cv2.INTER_AREA), ".jpg")


def _windows_db(audio: AudioFile) -> npt.NDArray[np.float32]:
    """Return the spectrum in dB at places spread evenly over the sound, shape (places, bins)."""
    places = int(np.clip(2 * audio.length // WINDOW_SAMPLES, 1, MAX_WINDOWS))
    starts = np.linspace(0, max(0, audio.length - WINDOW_SAMPLES), places).astype(int)
    dense = audio.length <= MAX_WINDOWS * WINDOW_SAMPLES
    levels = np.empty((places, WINDOW_SAMPLES // 2 + 1), np.float32)
    for first in range(0, places, WINDOWS_AT_ONCE):
        some = starts[first : first + WINDOWS_AT_ONCE]
        levels[first : first + len(some)] = _some_windows_db(audio, some, dense=dense)
    return levels


def _some_windows_db(audio: AudioFile, starts: npt.NDArray[np.int_], *, dense: bool) -> npt.NDArray[np.float32]:
    """Return the spectrum in dB of the windows that begin at `starts`, which are read in one piece where dense."""
    if dense:
        whole = sound.read(audio, int(starts[0]), int(starts[-1]) + WINDOW_SAMPLES).mean(axis=0)
        frames = sliding_window_view(whole, WINDOW_SAMPLES)[starts - starts[0]]
    else:
        frames = np.stack([sound.read(audio, start, start + WINDOW_SAMPLES).mean(axis=0) for start in starts.tolist()])
    spectra = np.abs(np.fft.rfft(frames * np.hanning(WINDOW_SAMPLES), axis=1))
    return np.asarray(20 * np.log10(spectra + 1e-6), np.float32)


def _rows(levels: npt.NDArray[np.float32], rate_hz: int, height_px: int) -> npt.NDArray[np.float32]:
    """Return levels at pitches spaced evenly on a logarithmic scale, shape (height, places)."""
    pitches_hz = np.geomspace(LOWEST_HZ, min(HIGHEST_HZ, rate_hz / 2), height_px)
    bins = pitches_hz * WINDOW_SAMPLES / rate_hz
    low = np.minimum(bins.astype(int), levels.shape[1] - 2)
    share = (bins - low).astype(np.float32)
    rows: npt.NDArray[np.float32] = (levels[:, low] * (1 - share) + levels[:, low + 1] * share).T
    return rows


def _columns(levels: npt.NDArray[np.float32], width_px: int) -> npt.NDArray[np.float32]:
    """Return as many columns as asked for: the loudest of several, or the nearest of few."""
    places = levels.shape[1]
    edges = np.linspace(0, places, width_px + 1)
    first = np.minimum(edges[:-1].astype(int), places - 1)
    if places <= width_px:
        return levels[:, first]
    columns: npt.NDArray[np.float32] = np.maximum.reduceat(levels, first, axis=1)
    return columns


def encoded(picture: Any, suffix: str, *, quality: int = 90) -> bytes:
    """Return a picture, shape (height, width, 3), BGR, as a file of the kind that the suffix names.

    Args:
        picture: It.
        suffix: .png or .jpg.
        quality: Of a JPEG, 0 to 100.
    """
    import cv2

    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if suffix == ".jpg" else []
    done, data = cv2.imencode(suffix, picture, options)
    if not done:
        raise ValueError(f"a picture of shape {picture.shape} cannot be written as {suffix}")
    return bytes(data)
