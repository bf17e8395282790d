"""How near sound comes to recordings: distance, recognition, and whether it can be told from them.

Only the last learns from synthetic sound: the space, the distances and the classifier know recordings alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.realism.descriptors import Numbers, blocks
from benchmarks.realism.recordings import Recordings

DIMENSIONS = 40
"""Principal components kept: more are noise of single recordings."""

FURTHEST = 5.0
"""Standard deviations at which a descriptor is clipped: one wild value must not decide a distance."""

MOST_PER_CLASS = 40
"""Recordings of a class that shape the space and the classifier: one big class must not own them."""

FOLDS = 5


class Space:
    """Where sounds lie: descriptors standardised so that each block weighs the same, then 40 principal components.

    Each class weighs the same in them.
    """

    def __init__(self, real: Recordings) -> None:
        self.real = real
        self.mean = real.numbers.mean(0)
        self.spread = real.numbers.std(0) + 1e-3
        sizes = blocks(real.kind)
        self.weights = np.concatenate([np.full(size, 1.0 / np.sqrt(size)) for size in sizes.values()])
        ends = np.cumsum(list(sizes.values()))
        self.slices = {name: slice(end - sizes[name], end) for name, end in zip(sizes, ends, strict=True)}
        share = np.array([1.0 / real.of(name).sum() for name in real.classes])
        normal = self.normal(real.numbers)
        powers, axes = np.linalg.eigh((normal * (share / share.sum())[:, None]).T @ normal)
        self.axes, self.powers = axes[:, ::-1][:, :DIMENSIONS], powers[::-1][:DIMENSIONS]
        self.places = self.placed(real.numbers)

    def normal(self, numbers: Numbers) -> Numbers:
        """Return descriptors in standard deviations of all recordings, each block of the same weight."""
        return np.asarray(np.clip((numbers - self.mean) / self.spread, -FURTHEST, FURTHEST) * self.weights)

    def placed(self, numbers: Numbers) -> Numbers:
        """Return where sounds lie, shape (sounds, 40)."""
        # weak components are whitened less: they are mostly chance
        return np.asarray(self.normal(numbers) @ self.axes / np.sqrt(self.powers + 0.1 * self.powers[0]))


def between(some: Numbers, others: Numbers) -> Numbers:
    """Return all distances, shape (some, others)."""
    squares = (some**2).sum(1)[:, None] + (others**2).sum(1)[None] - 2.0 * some @ others.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))


def nearest(some: Numbers, others: Numbers) -> float:
    """Return the median distance from each of some to the nearest of the others."""
    return float(np.median(between(some, others).min(1)))


@dataclass(frozen=True, slots=True)
class Held:
    """Distances to recordings of other sources, over what a real recording scores: 1 is as near as that."""

    ours: float
    others: float
    """What recordings of other classes score."""
    across_sources: bool
    """False where all recordings come from one source: they are split by turns, which flatters the recordings."""


def splits(real: Recordings, name: str) -> Iterator[tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]]:
    """Yield (known, judged) twice: half A known and B judged, then the other way round; masks over all recordings."""
    first = real.half()
    mine = real.of(name)
    if not (mine & ~first).any():  # one source alone
        first = first & ~(mine & (np.cumsum(mine) % 2 == 0))
    yield first, mine & ~first
    yield ~first, mine & first


def held_out(space: Space, name: str, ours: Numbers) -> Held:
    """Return how near our sounds come to recordings, over how near recordings of other sources come to them.

    Args:
        space: Of the recordings.
        name: Of the class.
        ours: Places of our sounds.
    """
    real = space.real
    found = []
    for known, judged in splits(real, name):
        goal = space.places[judged]
        scored = nearest(space.places[known & real.of(name)], goal)
        found.append((nearest(ours, goal) / scored, nearest(space.places[known & ~real.of(name)], goal) / scored))
    mean = np.mean(found, 0)
    return Held(float(mean[0]), float(mean[1]), len(np.unique(real.sources[real.of(name)])) > 1)


class Classifier:
    """Names the class of a sound, having learnt from recordings alone.

    A least-squares support vector machine with a Gaussian kernel, one class against the rest, all of the same weight
    (J. Suykens, J. Vandewalle, "Least squares support vector machine classifiers", Neural Processing Letters 9, 1999).
    """

    STIFFNESS = 0.1
    """Ridge on the kernel: low fits every recording, high the class means."""

    def __init__(self, places: Numbers, classes: npt.NDArray[np.str_]) -> None:
        kept = np.sort(np.concatenate([np.nonzero(classes == name)[0][:MOST_PER_CLASS] for name in np.unique(classes)]))
        spread = places[kept].std(0)
        # what hardly varies is chance: it must not be blown up
        self.mean, self.spread = places[kept].mean(0), spread + 0.02 * spread.max()
        self.known = (places[kept] - self.mean) / self.spread
        self.names = np.unique(classes)
        targets = np.where(classes[kept][:, None] == self.names, 1.0, -1.0)
        # a rare class counts as much as a common one
        rarity = np.array([len(kept) / (len(self.names) * (classes[kept] == name).sum()) for name in classes[kept]])
        self.level = np.average(targets, axis=0, weights=rarity)
        ridge = np.diag(self.STIFFNESS / rarity)
        self.weights = np.linalg.solve(self._kernel(self.known) + ridge, targets - self.level)

    def _kernel(self, places: Numbers) -> Numbers:
        return np.asarray(np.exp(-(between(places, self.known) ** 2) / places.shape[1]))

    def ranked(self, places: Numbers) -> npt.NDArray[np.str_]:
        """Return all classes for each sound, the likeliest first, shape (sounds, classes)."""
        scores = self._kernel((places - self.mean) / self.spread) @ self.weights + self.level
        return np.asarray(self.names[np.argsort(-scores, 1)])


def recognised_across_sources(space: Space) -> npt.NDArray[np.str_]:
    """Return what each recording is taken for by a classifier that has heard no recording of its source."""
    groups = np.unique(space.real.sources, return_inverse=True)[1] % FOLDS
    found = np.empty_like(space.real.classes)
    for fold in range(FOLDS):
        out = groups == fold
        found[out] = Classifier(space.places[~out], space.real.classes[~out]).ranked(space.places[out])[:, 0]
    return found


def detectability(space: Space, name: str, ours: Numbers) -> tuple[float, Mapping[str, float]]:
    """Return how well our sounds can be told from recordings, with all descriptors and by block: area under the ROC.

    0.5 cannot be told, 1 always. Logistic regression on up to 12 principal components, judged on what it did not learn.
    """
    both = np.concatenate([space.normal(space.real.numbers[space.real.of(name)]), space.normal(ours)])
    synthetic = np.arange(len(both)) >= len(both) - len(ours)
    by_block = {block: told_apart(both[:, part], synthetic) for block, part in space.slices.items()}
    return told_apart(both, synthetic), by_block


def recordings_apart(space: Space, name: str) -> float:
    """Return how well recordings of half the sources can be told from the others'.

    nan where there is one source, or a half has fewer than five recordings.
    """
    first, mine = space.real.half(), space.real.of(name)
    return told_apart(space.normal(space.real.numbers[mine]), first[mine])


def told_apart(numbers: Numbers, synthetic: npt.NDArray[np.bool_]) -> float:
    """Return the area under the ROC of a classifier judged in five folds; nan where there are too few."""
    folds = min(FOLDS, int(synthetic.sum()), int((~synthetic).sum()))
    if folds < FOLDS:
        return float("nan")
    fold_of = np.empty(len(numbers), np.intp)
    rng = np.random.default_rng(0)
    for side in (synthetic, ~synthetic):
        fold_of[side] = rng.permutation(np.arange(side.sum()) % folds)
    scores = np.empty(len(numbers))
    for fold in range(folds):
        out = fold_of == fold
        scores[out] = _logistic(numbers[~out], synthetic[~out], numbers[out])
    ranks = np.argsort(np.argsort(scores)) + 1.0
    count = int(synthetic.sum())
    return float((ranks[synthetic].sum() - count * (count + 1) / 2) / (count * (len(scores) - count)))


def _logistic(known: Numbers, labels: npt.NDArray[np.bool_], asked: Numbers) -> Numbers:
    """Return the log odds of what is asked: ridge of 10 on 12 principal components, both sides of the same weight."""
    mean, spread = known.mean(0), known.std(0) + 1e-9
    normal = (known - mean) / spread
    axes = np.linalg.svd(normal, full_matrices=False)[2][: max(1, min(12, len(known) // 3))]
    design = np.column_stack([normal @ axes.T, np.ones(len(known))])
    weights = np.where(labels, 0.5 / labels.mean(), 0.5 / (1.0 - labels.mean()))
    ridge = np.full(design.shape[1], 10.0)
    ridge[-1] = 1e-6
    beta = np.zeros(design.shape[1])
    for _ in range(20):  # Newton; a ridge this stiff needs fewer
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ beta, -30.0, 30.0)))
        slope = design.T @ (weights * (labels - chance)) - ridge * beta
        curve = (design * (weights * chance * (1.0 - chance))[:, None]).T @ design + np.diag(ridge)
        beta = beta + np.linalg.solve(curve, slope)
    return np.asarray(np.column_stack([(asked - mean) / spread @ axes.T, np.ones(len(asked))]) @ beta)
