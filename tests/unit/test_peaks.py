"""Peaks of curves, held against scipy's."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import signal

from foley.dsp.peaks import find_peaks

FLAT = st.integers(0, 4).map(float)
"""So few values that flat tops and peaks of one height are common."""


@given(hnp.arrays(np.float64, st.integers(0, 60), elements=FLAT), st.integers(0, 4))
def test_peaks_of_a_height(curve: np.ndarray, height: int) -> None:
    assert find_peaks(curve, height=height).tolist() == signal.find_peaks(curve, height=height)[0].tolist()


@given(st.permutations(range(40)), st.integers(1, 12), st.integers(0, 40))
def test_peaks_at_a_distance(values: list[int], distance: int, height: int) -> None:
    curve = np.array(values, np.float64)
    floor = np.linspace(0, height, len(curve))
    expected, _ = signal.find_peaks(curve, height=floor, distance=distance)
    assert find_peaks(curve, height=floor, distance=distance).tolist() == expected.tolist()
