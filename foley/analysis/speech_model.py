"""Find where somebody speaks with the network of silero-vad, whose wheel carries its weights.

The network is small (309,000 numbers) and computed here with numpy: loading torch for it would take ten times as long
as a minute of sound. Per window of 32 ms: the magnitudes of four short spectra, four convolutions over them, one LSTM
cell that remembers what came before, and one sum that says how likely it is that somebody speaks.

Source: Silero Team, "Silero VAD: pre-trained enterprise-grade voice activity detector", github.com/snakers4/silero-vad
(MIT; code and weights), release 6; the layers are read off the names and shapes of its weights. The LSTM is that of
S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9, 1997.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foley.analysis.speech import RATE_HZ as RAW_RATE_HZ
from foley.analysis.speech import Thinner
from foley.model import Span

Array = npt.NDArray[np.float32]

RATE_HZ = 16_000
"""Rate that the network was trained for."""

WINDOW = 512
"""Samples for one answer: 32 ms."""

WINDOW_S = WINDOW / RATE_HZ

_HIGHEST_KEPT_HZ = 7200.0
"""What is above folds back under 8 kHz; the filter is 24 dB down there."""

_PAST = 64
"""Samples before each window that are looked at with it."""

_FFT, _FFT_HOP = 256, 128
_BINS = _FFT // 2 + 1

_SURE = 0.5
"""From this likelihood on somebody speaks: the network's own working point."""

_UNSURE = 0.35
"""Below this the speech is over: lower than where it begins, so that a weak syllable does not end it."""

_SHORTEST_S = 0.25
"""Shorter stretches are no words but noises like them."""

_BREATH_S = 0.5
"""Shorter pauses do not end a stretch: effects are not to rise and fall between words."""

_AROUND_S = 0.06
"""Added on both sides: the consonants at the ends are fainter than the vowels that are recognised."""

_SHAPES = {
    "stft_conv.weight": (2 * _BINS, 1, _FFT),
    "conv1.weight": (128, _BINS, 3),
    "conv2.weight": (64, 128, 3),
    "conv3.weight": (64, 64, 3),
    "conv4.weight": (128, 64, 3),
    "lstm_cell.weight_ih": (512, 128),
    "lstm_cell.weight_hh": (512, 128),
    "final_conv.weight": (1, 128, 1),
}
"""What the weights must look like for the computation here to be theirs."""

_STRIDES = {"conv1": 1, "conv2": 2, "conv3": 2, "conv4": 1}


def missing() -> tuple[str, ...]:
    """Return how to install what is not there; empty where speech can be found."""
    if importlib.util.find_spec("safetensors") is None or _weights_file() is None:
        return ("install silero-vad and safetensors: pip install safetensors, then pip install --no-deps silero-vad",)
    return () if _fits() else ("install a silero-vad whose network is known: pip install --no-deps 'silero-vad>=6,<7'",)


def identity() -> str:
    """Return name and version of the network: part of the cache key of what it finds."""
    from importlib.metadata import version

    return f"silero-vad {version('silero-vad')}"


class SpokenByModel:
    """Finds speech in sound that comes in blocks; holds one number for every 32 ms."""

    def __init__(self) -> None:
        """Begin a stream; `missing` must be empty."""
        self._network = _network()
        self._thinner = Thinner(RAW_RATE_HZ // RATE_HZ, _HIGHEST_KEPT_HZ)
        self._waiting: Array = np.zeros(_PAST, np.float32)
        self._state: tuple[Array, Array] = (np.zeros(128, np.float32), np.zeros(128, np.float32))
        self._likely: list[Array] = []

    def add(self, block: Array) -> None:
        """Take in the next samples, one channel at 48 kHz."""
        waiting = np.concatenate([self._waiting, self._thinner.add(block)])
        count = (len(waiting) - _PAST) // WINDOW
        if count:
            windows = np.lib.stride_tricks.sliding_window_view(waiting, _PAST + WINDOW)[: count * WINDOW : WINDOW]
            likely, self._state = self._network.likelihoods(windows, self._state)
            self._likely.append(likely)
        self._waiting = waiting[count * WINDOW :]

    def likelihoods(self) -> Array:
        """Return how likely somebody speaks in each window so far, 0 to 1, shape (windows,)."""
        return np.concatenate(self._likely) if self._likely else np.zeros(0, np.float32)

    def spans(self) -> tuple[Span, ...]:
        """Return where somebody speaks, in order; a last window that is not full is left out."""
        return spans_of(self.likelihoods())


def spans_of(likely: Array) -> tuple[Span, ...]:
    """Return the stretches in which likelihoods, one for each window, rise over one bound and stay over a lower one."""
    found: list[tuple[int, int]] = []
    first: int | None = None
    for number, value in enumerate([*likely.tolist(), 0.0]):
        if first is None and value >= _SURE:
            first = number
        elif first is not None and value < _UNSURE:
            found.append((first, number))
            first = None
    spans: list[Span] = []
    for first, last in _without_breaths(found):
        if (last - first) * WINDOW_S >= _SHORTEST_S:
            end_s = min(len(likely) * WINDOW_S, last * WINDOW_S + _AROUND_S)
            spans.append(Span(max(0.0, first * WINDOW_S - _AROUND_S), end_s))
    return tuple(spans)


def _without_breaths(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in stretches:
        if joined and (first - joined[-1][1]) * WINDOW_S < _BREATH_S:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


@dataclass(frozen=True, slots=True, eq=False)
class _Network:
    """The weights, laid out as they are multiplied."""

    spectrum: Array
    """Shape (samples, parts): cosines, then sines, both windowed."""
    convolutions: tuple[tuple[Array, Array, int], ...]
    """For each its weights, shape (3 taps x inputs, outputs), bias and stride."""
    from_input: Array
    from_memory: Array
    bias: Array
    """Of the LSTM's four gates: input, forget, cell, output."""
    weigh: Array
    weigh_bias: float

    def likelihoods(self, windows: Array, state: tuple[Array, Array]) -> tuple[Array, tuple[Array, Array]]:
        """Return the answer for windows that follow each other, and what is remembered after them.

        Args:
            windows: Shape (windows, samples); each begins with the end of the one before it.
            state: Output and cell of the LSTM before the first.
        """
        seen = self._features(windows) @ self.from_input + self.bias
        output, cell = state
        answers = np.empty(len(windows), np.float32)
        for number, gates in enumerate(seen):
            output, cell = _remembered(gates + output @ self.from_memory, cell)
            answers[number] = np.maximum(output, 0.0) @ self.weigh
        return _sigmoid(answers + self.weigh_bias), (output, cell)

    def _features(self, windows: Array) -> Array:
        """Return what the convolutions make of each window, shape (windows, 128)."""
        padded = np.pad(windows, ((0, 0), (0, _FFT // 4)), mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT, axis=1)[:, ::_FFT_HOP]
        parts = frames @ self.spectrum
        made = np.hypot(parts[..., :_BINS], parts[..., _BINS:])
        for weights, bias, stride in self.convolutions:
            around = np.pad(made, ((0, 0), (1, 1), (0, 0)))
            taps = [around[:, tap : tap + made.shape[1] : stride] for tap in range(3)]
            made = np.maximum(np.concatenate(taps, axis=2) @ weights + bias, 0.0)
        return np.asarray(made[:, 0])


def _remembered(gates: Array, cell: Array) -> tuple[Array, Array]:
    """Return output and cell of an LSTM after one step."""
    opened = _sigmoid(gates)
    size = len(cell)
    cell = opened[size : 2 * size] * cell + opened[:size] * np.tanh(gates[2 * size : 3 * size])
    return opened[3 * size :] * np.tanh(cell), cell


def _sigmoid(values: Array) -> Array:
    """Return 1 / (1 + exp(-x)), written with tanh, which never overflows."""
    return np.asarray(0.5 * np.tanh(0.5 * values) + 0.5, np.float32)


@cache
def _weights_file() -> Path | None:
    found = importlib.util.find_spec("silero_vad")
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / "data" / "silero_vad_16k.safetensors"
        if path.is_file():
            return path
    return None


@cache
def _fits() -> bool:
    """Return whether the weights are those of the network that is computed here; only their header is read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(_weights_file(), framework="numpy") as file:
            return all(tuple(file.get_slice(name).get_shape()) == shape for name, shape in _SHAPES.items())
    except (SafetensorError, OSError):
        return False


@cache
def _network() -> _Network:
    from safetensors.numpy import load_file

    weights: Mapping[str, Array] = load_file(str(_weights_file()))
    # taps, then inputs, as rows; outputs as columns
    kernels = {name: weights[f"{name}.weight"] for name in _STRIDES}
    laid = {name: kernel.transpose(2, 1, 0).reshape(-1, len(kernel)) for name, kernel in kernels.items()}
    return _Network(
        spectrum=np.ascontiguousarray(weights["stft_conv.weight"][:, 0].T),
        convolutions=tuple(
            (np.ascontiguousarray(laid[name]), weights[f"{name}.bias"], stride) for name, stride in _STRIDES.items()
        ),
        from_input=np.ascontiguousarray(weights["lstm_cell.weight_ih"].T),
        from_memory=np.ascontiguousarray(weights["lstm_cell.weight_hh"].T),
        bias=weights["lstm_cell.bias_ih"] + weights["lstm_cell.bias_hh"],
        weigh=np.ascontiguousarray(weights["final_conv.weight"][0, :, 0]),
        weigh_bias=float(weights["final_conv.bias"][0]),
    )
