"""The gain and the curve that bring a sum to its loudness, found from its levels alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foley.dsp.profiles import PROFILES, ProfileName
from foley.mix.level import CLOSE_ENOUGH_LU, HIGHEST_GAIN_DB, LIMITING_DB, Survey, level
from foley.units import to_db, to_gain

ROUNDING_DB = 1e-3
"""Curves are float32."""


def summed(levels_db: list[float], *, crest_db: float = 12.0, counted: np.ndarray | None = None) -> Survey:
    """Return a sum that lies at each level for half a second, with peaks so far above it."""
    levels = np.repeat(np.asarray(levels_db), 500)
    return Survey(
        (10 ** (levels / 10)).astype(np.float32), (10 ** ((levels + crest_db) / 20)).astype(np.float32), counted
    )


some_levels = st.lists(st.floats(-95.0, -3.0), min_size=1, max_size=24)


@given(some_levels, st.floats(3.0, 30.0), st.sampled_from(["ebu-r128", "atsc-a85", "web"]))
def test_a_sum_lands_or_it_is_said_why_not(levels_db: list[float], crest_db: float, name: ProfileName) -> None:
    found, profile = summed(levels_db, crest_db=crest_db), PROFILES[name]
    made = level(found, profile, offset_lu=0.0, margin_db=0.1)
    assert profile.target_lufs is not None
    loudest = found.peaks * np.maximum(made.curve[:-1], made.curve[1:]) * to_gain(made.gain_db)
    assert to_db(float(loudest.max())) <= profile.ceiling_dbtp - 0.1 + ROUNDING_DB
    assert made.gain_db <= HIGHEST_GAIN_DB
    assert -to_db(float(made.curve.min())) <= LIMITING_DB + ROUNDING_DB or made.gain_db <= 0.0
    if not made.notes:
        assert made.expected_lufs == pytest.approx(profile.target_lufs, abs=0.2)


def test_a_sum_with_long_fades_is_not_left_over_its_target() -> None:
    fading = summed(np.linspace(-85.0, -5.0, 40).tolist(), crest_db=6.0)
    made = level(fading, PROFILES["ebu-r128"], offset_lu=0.0, margin_db=0.1)
    assert made.expected_lufs == pytest.approx(-23.0, abs=CLOSE_ENOUGH_LU)


def test_where_dialogue_counts_it_alone_is_brought_to_the_target() -> None:
    spoken = np.zeros(20, np.bool_)
    spoken[5:15] = True
    made = level(summed([-20.0, -30.0, -30.0, -15.0], counted=spoken), PROFILES["atsc-a85"], offset_lu=0, margin_db=0.1)
    assert made.expected_lufs == pytest.approx(-24.0, abs=CLOSE_ENOUGH_LU)
    assert made.gain_db == pytest.approx(6.0 + 0.691, abs=0.1)
