"""What is mixed has the same bits on any number of processors."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from foley.products import add_scaled, product

SCRIPT = """
import hashlib
import numpy as np
from foley.dsp.filters import Cascade, Fir, bell, high_pass
from foley.dsp.true_peak import Oversampler
from foley.synth.recipe import recipes
rng = np.random.default_rng(3)
sound = rng.standard_normal((2, 96_000)).astype(np.float32)
made, memory = Cascade((high_pass(60.0, 48_000), bell(900.0, 3.0, 48_000, q=1.0))).filtered(sound, None)
again, _ = Cascade((high_pass(60.0, 48_000),)).filtered(sound, None)
peaks = Oversampler(2, frame_samples=48).add(sound)
fir = Fir(rng.standard_normal(255)).filtered(sound)
struck = [recipes()[name].make(np.random.default_rng(1), 0.8) for name in ("coins", "cymbal", "explosion", "step_mud")]
struck += [recipes()[name].make(np.random.default_rng(1), np.ones(96_000, np.float32)) for name in ("fire", "sea")]
fir = np.concatenate([fir.ravel(), *struck])
print(hashlib.md5(b"".join(np.ascontiguousarray(each).tobytes() for each in (made, again, peaks, fir))).hexdigest())
"""


def test_it_is_the_product() -> None:
    rng = np.random.default_rng(1)
    rows, matrix = rng.standard_normal((5000, 64)).astype(np.float32), rng.standard_normal((64, 74)).astype(np.float32)
    assert product(rows, matrix) == pytest.approx(rows @ matrix, abs=1e-4)


def test_short_and_long_parts_are_added_where_they_belong() -> None:
    rng = np.random.default_rng(2)
    parts = [rng.standard_normal(7), rng.standard_normal(30).astype(np.float32), rng.standard_normal(12_000)]
    wanted = np.ones(20_000)
    for part, factor, start in zip(parts, (0.5, -2.0, 3.0), (0, 4, 8000), strict=True):
        wanted[start : start + len(part)] += factor * part
    total = np.ones(20_000)
    add_scaled(total, parts, (0.5, -2.0, 3.0), at=(0, 4, 8000))
    assert total == pytest.approx(wanted, abs=1e-6)


def test_filters_peaks_and_recipes_give_the_same_bits_on_any_number_of_processors() -> None:
    def digest(threads: int) -> str:
        env = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))}
        return subprocess.run(
            [sys.executable, "-c", SCRIPT], env=env, check=True, capture_output=True, text=True
        ).stdout

    assert digest(1) == digest(2) == digest(5)
