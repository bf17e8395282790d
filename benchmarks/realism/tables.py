"""`python -m benchmarks.realism.tables [CLASS ...]`: measure the tables of `foley/synth/recorded.py`, or judge them.

Without classes it writes the tables that ship, measured on all recordings whose licence allows it. With classes, or
`all`, it writes nothing: tables of half of the sources are judged by the other half, and so is what stands there
without tables.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import soxr
from scipy.fft import dct

from benchmarks.realism.descriptors import COMPRESSION, RATE_HZ, Numbers, Wave
from benchmarks.realism.recordings import files, folder, parts_of, read, source_of
from benchmarks.realism.renders import COUNT, renders, sounds, stands_for
from benchmarks.realism.scores import Classifier, nearest, splits, told_apart
from benchmarks.realism.table import Judge, judge_of
from foley.synth import recorded
from foley.synth.recorded import BANDS, TABLES, Table
from foley.units import RATE_HZ as SYNTH_HZ

LEVELS_TOO = {"rain": False, "sea": True, "fire": True, "helicopter": False}
"""Classes that ship a table; whether of levels as well as of movement. Rain has its recorded levels already, and what
is left is how dull microphones were. Recordings of helicopters are so unlike in their levels that those of half the
sources led away from the other half."""

REACH = {"helicopter": 0.5}
"""How much of the difference ships, where not all: all of it is recognised less on sources that it has not seen."""

ALLOWED = "esc10__"
"""Files whose licence allows it: ESC-10, K. J. Piczak, CC BY 3.0."""

DIRECTIONS = 6
"""In which specimens differ: more are single recordings."""

SHARE = 0.75
"""Of the spread of recordings: our sounds have one of their own besides."""

OURS = 24
"""Sounds of a recipe that its statistics are taken of."""

FAINTEST_DB = -60.0
"""Levels of bands end here, re the loudest: below is what a codec left."""

LEVEL_DB, TURN = 6.0, 0.25
"""What weighs the same when directions are sought: a band's level, and a number of a map's logarithm."""

STEADY_DB2 = 0.05
"""Added to each variance of levels: less is rounding."""

TURNS = 3
"""Times 12 sounds are judged: other seeds move a figure of 12 by 0.05."""


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Of one sound."""

    levels_db: Numbers
    """Of the bands, re the loudest."""
    covariances: Numbers
    """Of the movement of the bands' levels at each speed, shape (speeds, bands, bands)."""


def statistics(samples: Wave) -> Statistics:
    """Return the statistics of a sound at 22.05 kHz."""
    even = samples / (np.sqrt(np.mean(samples**2)) + 1e-9)
    powers = recorded.band_powers(np.asarray(soxr.resample(even, RATE_HZ, SYNTH_HZ), np.float64))[1:-1]
    # the mean of loudness: that of power would be the few loudest crackles
    levels = (20.0 / COMPRESSION) * np.log10((powers ** (COMPRESSION / 2.0)).mean(0) + 1e-9)
    movement = dct(recorded.levels_of(powers), axis=0, norm="ortho")
    parts = [movement[part] for part in recorded.speeds(len(powers))]
    covariances = [part.T @ part / len(powers) + STEADY_DB2 * np.eye(BANDS) for part in parts]
    return Statistics(np.maximum(levels - levels.max(), FAINTEST_DB), np.array(covariances))


def of_matrix(function: Callable[[Numbers], Numbers], matrix: Numbers) -> Numbers:
    """Return a function of symmetric matrices, shape (..., bands, bands)."""
    values, directions = np.linalg.eigh(matrix)
    return np.asarray((directions * function(values)[..., np.newaxis, :]) @ np.swapaxes(directions, -1, -2))


def transport(start: Numbers, goal: Numbers) -> Numbers:
    """Return the symmetric map that makes one covariance another and moves least."""
    root = of_matrix(np.sqrt, goal)
    return np.asarray(root @ of_matrix(lambda values: 1.0 / np.sqrt(values), root @ start @ root) @ root)


def table(
    real: Sequence[Statistics], ours: Sequence[Statistics], *, levels_too: bool = True, reach: float = 1.0
) -> Table:
    """Return how recordings differ from our sounds, or a share of it."""
    middle = of_matrix(np.exp, np.mean([of_matrix(np.log, each.covariances) for each in ours], axis=0))
    levels_db = np.mean([each.levels_db for each in ours], axis=0)
    rows, columns = np.triu_indices(BANDS)
    numbers = np.array(
        [
            [
                *(levels_too * (each.levels_db - levels_db)),
                *of_matrix(np.log, transport(middle, each.covariances))[:, rows, columns].ravel(),
            ]
            for each in real
        ]
    )
    weights = np.where(np.arange(numbers.shape[1]) < BANDS, 1.0 / LEVEL_DB, 1.0 / TURN)
    mean = numbers.mean(0)
    _, sizes, axes = np.linalg.svd((numbers - mean) * weights, full_matrices=False)
    kept = min(DIRECTIONS, len(real) - 1)
    spread = SHARE * sizes[:kept, np.newaxis] / np.sqrt(len(real) - 1)
    return Table(reach * mean, reach * spread * axes[:kept] / weights)


def using(given: Mapping[str, Table]) -> AbstractContextManager[object]:
    """Make recipes use these tables instead of those that ship."""
    return patch.object(recorded, "tables", lambda: given)


@cache
def _real(media: Path, name: str) -> list[tuple[str, Statistics]]:
    """Return the statistics of the allowed recordings of a class, each with its source."""
    return [
        (source_of(file), statistics(part))
        for found, file in files(media, "texture")
        if found == name and file.name.startswith(ALLOWED)
        for part in parts_of("texture", name, read(file))
    ]


@cache
def _ours(name: str) -> list[Statistics]:
    with using({}):
        return [statistics(sound) for sound in sounds("texture", name, stands_for("texture")[name], OURS)]


def measured(media: Path, name: str, sources: npt.NDArray[np.str_] | None = None) -> Table:
    """Return the table of a class, of all sources or some."""
    real = [each for source, each in _real(media, name) if sources is None or source in sources]
    return table(real, _ours(name), levels_too=LEVELS_TOO.get(name, True), reach=REACH.get(name, 1.0))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What recordings that a table has not seen say of our sounds."""

    ratio: float
    told_apart: float
    top_1: float
    top_3: float


def verdict(media: Path, name: str, *, with_table: bool) -> Verdict:
    """Return the means over both halves: tables of one, judged by the other."""
    judge = judge_of(media, "texture")
    found = []
    for known, unseen in splits(judge.real, name):
        sources = np.unique(judge.real.sources[known & judge.real.of(name)])
        with using({name: measured(media, name, sources)} if with_table else {}):
            ours = renders("texture", name, stands_for("texture")[name], COUNT * TURNS)
        found.append(_figures(judge, name, ours, known=known, unseen=unseen))
    return Verdict(*np.mean(found, axis=0).tolist())


def _figures(
    judge: Judge, name: str, ours: Numbers, *, known: npt.NDArray[np.bool_], unseen: npt.NDArray[np.bool_]
) -> tuple[float, float, float, float]:
    real, space = judge.real, judge.space
    places = space.placed(ours)
    goal = space.places[unseen]
    ratio = nearest(places, goal) / nearest(space.places[known & real.of(name)], goal)
    apart = []
    for taken in np.split(space.normal(ours), TURNS):
        both = np.concatenate([space.normal(real.numbers[unseen]), taken])
        apart.append(told_apart(both, np.arange(len(both)) >= unseen.sum()))
    hears = unseen | ~real.of(name)
    ranked = Classifier(space.places[hears], real.classes[hears]).ranked(places) == name
    return ratio, float(np.mean(apart)), float(ranked[:, 0].mean()), float(ranked[:, :3].any(1).mean())


def main(wanted: Sequence[str]) -> int:
    """Judge or write; return 1 where there are no recordings."""
    media = folder()
    if media is None:
        print("no recordings: FOLEY_TEST_MEDIA must name a folder that holds sounds/", file=sys.stderr)
        return 1
    for name in LEVELS_TOO if list(wanted) == ["all"] else wanted:
        for what, with_table in (("without", False), ("held out", True)):
            of = verdict(media, name, with_table=with_table)
            figures = f"ratio {of.ratio:.2f}  AUC {of.told_apart:.2f}  top-1 {of.top_1:.2f}  top-3 {of.top_3:.2f}"
            print(f"{name:12s} {what:9s} {figures}", flush=True)
    if not wanted:
        _write(media)
    return 0


def _write(media: Path) -> None:
    stored = {}
    for name in LEVELS_TOO:
        of = measured(media, name)
        stored |= {f"{name}_mean": of.mean.astype(np.float16), f"{name}_axes": of.axes.astype(np.float16)}
    np.savez_compressed(TABLES, allow_pickle=False, **stored)
    print(f"{TABLES.name}: {len(LEVELS_TOO)} kinds, {TABLES.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
