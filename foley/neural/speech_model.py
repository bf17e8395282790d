"""Say how likely somebody speaks with the network of silero-vad, whose wheel carries its weights.

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

Array = npt.NDArray[np.float32]

State = tuple[Array, Array]
"""Output and cell of the LSTM: what is remembered of all before."""

RATE_HZ = 16_000
"""Rate that the network was trained for."""

WINDOW = 512
"""Samples for one answer: 32 ms."""

WINDOW_S = WINDOW / RATE_HZ

PAST = 64
"""Samples before each window that are looked at with it."""

_FFT, _FFT_HOP = 256, 128
_BINS = _FFT // 2 + 1

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

_CELLS = 128
"""Of the LSTM."""

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


def silence() -> State:
    """Return what is remembered before the first window."""
    return np.zeros(_CELLS, np.float32), np.zeros(_CELLS, np.float32)


def likelihoods(samples: Array) -> Array:
    """Return how likely somebody speaks in each window of a whole sound, 0 to 1, shape (windows,).

    Args:
        samples: One channel at `RATE_HZ`; a last window that is not full is left out. `missing` must be empty.
    """
    count = len(samples) // WINDOW
    if not count:
        return np.zeros(0, np.float32)
    padded = np.concatenate([np.zeros(PAST, np.float32), samples])
    return network().likelihoods(windows_of(padded, count), silence())[0]


def windows_of(samples: Array, count: int) -> Array:
    """Return the first windows of a sound, each with what comes before it, shape (count, PAST + WINDOW).

    Args:
        samples: One channel at `RATE_HZ`, beginning `PAST` samples before the first window.
        count: How many.
    """
    return np.lib.stride_tricks.sliding_window_view(samples, PAST + WINDOW)[: count * WINDOW : WINDOW]


@dataclass(frozen=True, slots=True, eq=False)
class Network:
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

    def likelihoods(self, windows: Array, state: State) -> tuple[Array, State]:
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
def network() -> Network:
    """Return the network, loaded once; `missing` must be empty."""
    from safetensors.numpy import load_file

    weights: Mapping[str, Array] = load_file(str(_weights_file()))
    # taps, then inputs, as rows; outputs as columns
    kernels = {name: weights[f"{name}.weight"] for name in _STRIDES}
    laid = {name: kernel.transpose(2, 1, 0).reshape(-1, len(kernel)) for name, kernel in kernels.items()}
    return Network(
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
