"""`python -m benchmarks.realism [CLASS ...]`: print how near our sounds come to recordings, for some classes or all.

`CLASS=RECIPE:PARAMETER=0.2..0.8:PARAMETER=word|word+RECIPE` tries other recipes for a class.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.realism.hints import hints
from benchmarks.realism.recordings import folder
from benchmarks.realism.renders import Stand, Values, renders, stands_for
from benchmarks.realism.table import COLUMNS, Row, aligned, cells, details, judge_of, kind_of, means, row

MOST_WITH_HINTS = 3
"""Classes asked for by name, up to which it is also said what differs."""


def stand_of(text: str) -> Stand:
    """Return what `recipe:size=0..1:shoe=rubber|leather` says."""
    recipe, *settings = text.split(":")
    values: dict[str, Values] = {}
    for setting in settings:
        name, _, spread = setting.partition("=")
        low, dots, high = spread.partition("..")
        values[name] = (float(low), float(high)) if dots else spread.split("|")
    return Stand(recipe, values)


def main(wanted: Sequence[str]) -> int:
    """Measure and print; return 1 where there are no recordings."""
    media = folder()
    if media is None:
        print("no recordings: FOLEY_TEST_MEDIA must name a folder that holds sounds/", file=sys.stderr)
        return 1
    asked = [text.partition("=") for text in wanted] or [(name, "", "") for name in _all()]
    print(aligned(COLUMNS))
    rows = [found for name, _, given in asked if (found := _shown(media, name, given, len(wanted)))]
    for kind in ("event", "texture"):
        _print_means([each for each in rows if each.kind == kind])
    return 0


def _all() -> list[str]:
    return [*stands_for("event"), *stands_for("texture")]


def _shown(media: Path, name: str, given: str, asked: int) -> Row | None:
    kind = kind_of(name)
    stands = [stand_of(text) for text in given.split("+")] if given else stands_for(kind)[name]
    found = row(media, name, stands)
    if found is None:
        print(f"{name}: none of its recipes exist: {', '.join(stand.recipe for stand in stands)}")
        return None
    print(aligned(cells(found)), " ", details(found), flush=True)
    if 0 < asked <= MOST_WITH_HINTS:
        real = judge_of(media, kind).real
        print("\n".join(hints(kind, real.numbers[real.of(name)], renders(kind, name, stands))))
    return found


def _print_means(rows: Sequence[Row]) -> None:
    if len([each for each in rows if each.counts]) < 2:
        return
    of = means(rows)
    shares = (of.ratio, of.other, of.top_1, of.top_3, of.real_top_1, of.told_apart, of.recordings_apart)
    print(aligned([f"mean {rows[0].kind}", str(len(rows)), *(f"{share:.2f}" for share in shares)]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
