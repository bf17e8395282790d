"""How near our sounds come to recordings of other sources, are they recognised, and can they be told from recordings.

What is measured, how and with what result: docs/realism.md, whose tables this writes. The recordings lie in the folder
that FOLEY_TEST_MEDIA names (else in `shared` beside the checkout); without them there is nothing to measure.
"""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.realism.descriptors import Kind
from benchmarks.realism.recordings import folder
from benchmarks.realism.renders import stands_for
from benchmarks.realism.report import write_tables
from benchmarks.realism.table import Row, means, row

COMMAND = "python -m benchmarks realism"

WANTED_RATIO = {"event": 1.00, "texture": 0.95}
"""Mean distance to recordings of other sources, over what real recordings score: at or under a recording's own."""

WORST_RATIO = 1.20
"""No class may lie farther: another class of recordings would do as well."""

WANTED_TOP_1, WANTED_TOP_3 = 0.75, 0.95
"""Of textures. One-shots have no threshold: real ones of another source are recognised in one case of six."""

WANTED_APART = {"event": 0.85, "texture": 0.90}
"""Mean area under the ROC; one real collection against another scores 0.90."""


def measure() -> list[Figure]:
    """Return the means of both kinds and their worst classes; write the tables of docs/realism.md."""
    media = folder()
    if media is None:
        return [Figure("realism", "no recordings here", "", None, COMMAND)]
    start = time.perf_counter()
    events, textures = _rows(media, "event"), _rows(media, "texture")
    write_tables(events, textures)
    took = Figure("time to measure all", f"{time.perf_counter() - start:.0f} s", "", None, COMMAND)
    return [*_figures("event", events), *_figures("texture", textures), took]


def _rows(media: Path, kind: Kind) -> list[Row]:
    return [found for name in stands_for(kind) if (found := row(media, name))]


def _figures(kind: Kind, rows: list[Row]) -> list[Figure]:
    of, what = means(rows), f"{kind}s"
    far = f"{what}: distance ratio, mean (recordings of other classes {of.other:.2f})"
    apart = f"{what}: told from recordings, mean AUC (recordings of other sources {of.recordings_apart:.2f})"
    worst, ratio = of.worst
    return [
        _at_most(far, of.ratio, WANTED_RATIO[kind]),
        _at_most(f"{what}: distance ratio, worst class ({worst})", ratio, WORST_RATIO),
        _at_most(
            apart,
            of.told_apart,
            WANTED_APART[kind],
        ),
        *_recognition(kind, of.top_1, of.top_3, of.real_top_1),
    ]


def _recognition(kind: Kind, top_1: float, top_3: float, real: float) -> list[Figure]:
    asked = kind == "texture"
    about = f"{kind}s: recognised (recordings of an unheard source {real:.2f})"
    return [
        Figure(
            f"{about}, first of {count}",
            f"{value:.2f}",
            f"at least {wanted:.2f}" if asked else "",
            value >= wanted if asked else None,
            COMMAND,
        )
        for count, value, wanted in ((1, top_1, WANTED_TOP_1), (3, top_3, WANTED_TOP_3))
    ]


def _at_most(what: str, value: float, wanted: float) -> Figure:
    return Figure(what, f"{value:.2f}", f"at most {wanted:.2f}", round(value, 2) <= wanted, COMMAND)
