"""The measure as a table: one row for each class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.realism.descriptors import Kind, Numbers
from benchmarks.realism.recordings import Recordings, recordings
from benchmarks.realism.renders import COUNT, Stand, renders, stands_for
from benchmarks.realism.scores import (
    Classifier,
    Held,
    Space,
    detectability,
    held_out,
    recognised_across_sources,
    recordings_apart,
)

DRAWS = 3
"""Times that sounds are drawn and judged, `COUNT` each; twelve alone swing by 0.05 in ratio and 0.1 in the others."""

FEW = 4
"""Fewer recordings than this say little: their class is shown, but counts in no mean."""


@dataclass(frozen=True, slots=True)
class Judge:
    """What real recordings of one kind teach."""

    real: Recordings
    space: Space
    classifier: Classifier
    taken_for: npt.NDArray[np.str_]
    """What each recording is taken for by a classifier that has not heard its source."""


@dataclass(frozen=True, slots=True)
class Row:
    """One class, measured."""

    kind: Kind
    name: str
    recordings: int
    sources: int
    held: Held
    top_1: float
    """Share of our sounds that are recognised."""
    top_3: float
    real_top_1: float
    """Share of recordings that are, by a classifier that has not heard their source."""
    taken_for: str
    told_apart: float
    by_block: Mapping[str, float]
    recordings_apart: float
    """How well recordings of half the sources are told from the others'."""

    @property
    def counts(self) -> bool:
        """Whether its distance counts in the mean: several sources, and not too few recordings."""
        return self.sources > 1 and self.recordings >= FEW


@cache
def judge_of(media: Path, kind: Kind) -> Judge:
    """Return the judge of a kind."""
    real = recordings(media, kind)
    space = Space(real)
    return Judge(real, space, Classifier(space.places, real.classes), recognised_across_sources(space))


def kind_of(name: str) -> Kind:
    """Return whether a class is one of one-shots or of textures.

    Raises:
        ValueError: where there is no such class.
    """
    if name in stands_for("event"):
        return "event"
    if name in stands_for("texture"):
        return "texture"
    raise ValueError(f"no class {name!r}; classes: {', '.join([*stands_for('event'), *stands_for('texture')])}")


def row(media: Path, name: str, stands: Sequence[Stand] | None = None) -> Row | None:
    """Return one class, measured: the mean of a few draws; None where none of its recipes exist.

    Args:
        media: Folder that holds `sounds`.
        name: Of the class.
        stands: What is to stand for it; by default what `renders` says.
    """
    kind = kind_of(name)
    ours = renders(kind, name, stands or stands_for(kind)[name], DRAWS * COUNT)
    draws = [ours[first : first + COUNT] for first in range(0, len(ours), COUNT)]
    return _mean_of([judged(judge_of(media, kind), name, draw) for draw in draws]) if draws else None


def _mean_of(rows: Sequence[Row]) -> Row:
    """Return the mean of rows of one class; what concerns recordings alone is the same in all."""

    def mean(values: Iterable[float]) -> float:
        return float(np.mean(list(values)))

    first = rows[0]
    return replace(
        first,
        held=replace(first.held, ours=mean(each.held.ours for each in rows)),
        top_1=mean(each.top_1 for each in rows),
        top_3=mean(each.top_3 for each in rows),
        told_apart=mean(each.told_apart for each in rows),
        by_block={block: mean(each.by_block[block] for each in rows) for block in first.by_block},
    )


def judged(judge: Judge, name: str, ours: Numbers) -> Row:
    """Return the row of a class.

    Args:
        judge: What the recordings teach.
        name: Of the class.
        ours: Descriptors of our sounds.
    """
    real, space = judge.real, judge.space
    mine = real.of(name)
    ranked = judge.classifier.ranked(space.placed(ours))
    found, counts = np.unique(ranked[:, 0], return_counts=True)
    taken_for = " ".join(f"{found[n]}:{counts[n] / len(ranked):.0%}" for n in np.argsort(-counts)[:3])
    apart, by_block = detectability(space, name, ours)
    return Row(
        kind=real.kind,
        name=name,
        recordings=int(mine.sum()),
        sources=len(np.unique(real.sources[mine])),
        held=held_out(space, name, space.placed(ours)),
        top_1=float(np.mean(ranked[:, 0] == name)),
        top_3=float(np.mean((ranked[:, :3] == name).any(1))),
        real_top_1=float(np.mean(judge.taken_for[mine] == name)),
        taken_for=taken_for,
        told_apart=apart,
        by_block=by_block,
        recordings_apart=recordings_apart(space, name),
    )


COLUMNS = ("class", "n/src", "ratio", "other", "top-1", "top-3", "real", "AUC", "real AUC")


def cells(found: Row) -> list[str]:
    """Return a row's values as text, in the order of `COLUMNS`; a ratio that counts in no mean carries a tilde."""
    mark = "" if found.counts else "~"
    return [
        found.name,
        f"{found.recordings}/{found.sources}",
        f"{found.held.ours:.2f}{mark}",
        f"{found.held.others:.2f}",
        f"{found.top_1:.2f}",
        f"{found.top_3:.2f}",
        f"{found.real_top_1:.2f}",
        *("" if np.isnan(area) else f"{area:.2f}" for area in (found.told_apart, found.recordings_apart)),
    ]


def aligned(texts: Sequence[str]) -> str:
    """Return cells as one line for a terminal."""
    return f"{texts[0]:14s} " + " ".join(f"{text:>6s}" for text in texts[1:])


def details(found: Row) -> str:
    """Return where a class is told apart and what it is taken for."""
    return " ".join(f"{block}:{value:.2f}" for block, value in found.by_block.items()) + "; " + found.taken_for


@dataclass(frozen=True, slots=True)
class Means:
    """Of the classes of a kind that have recordings enough; distances of those with several sources."""

    ratio: float
    other: float
    top_1: float
    top_3: float
    real_top_1: float
    told_apart: float
    recordings_apart: float
    worst: tuple[str, float]
    """The class with the largest ratio that counts."""


def means(rows: Sequence[Row]) -> Means:
    """Return the means of some rows, at least one of which counts."""
    known = [row for row in rows if row.recordings >= FEW]
    counted = [row for row in rows if row.counts]
    last = max(counted, key=lambda row: row.held.ours)
    return Means(
        ratio=float(np.mean([row.held.ours for row in counted])),
        other=float(np.mean([row.held.others for row in counted])),
        top_1=float(np.mean([row.top_1 for row in known])),
        top_3=float(np.mean([row.top_3 for row in known])),
        real_top_1=float(np.mean([row.real_top_1 for row in known])),
        told_apart=float(np.nanmean([row.told_apart for row in known])),
        recordings_apart=float(np.nanmean([row.recordings_apart for row in known])),
        worst=(last.name, last.held.ours),
    )
