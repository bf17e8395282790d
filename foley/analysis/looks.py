"""Recognise what shots show, and which of them show the same place.

A class of sounds is recognised by comparing pictures with descriptions of it (`sights`) in the space of an encoder. Its
score is the probability that it, and not one of the NEUTRAL descriptions, goes with the shot:

    score = 1 / (1 + exp(-z)),   z = L s - log(mean_j exp(L n_j)) - log C

where s is the likeness (cosine) of the shot with the class, n_j with the neutral descriptions, L the encoder's scale
and C the number of classes. Encoders of this family are trained so that the exponentials of their scaled likenesses are
in proportion to how probable a description is (A. Radford et al., "Learning Transferable Visual Models From Natural
Language Supervision", ICML 2021); what goes into the last two terms is what is believed before looking: it is as likely
that nothing known sounds as that something does, and then every class is as likely as another. So a picture of nothing
known has no label, however large the vocabulary; and classes do not compete: a shot may show rain and a car.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foley import plugins
from foley.analysis.places import places_by_colour, places_by_embedding
from foley.contracts import Context, Encoder, stage
from foley.model import Look, Looks, Picture, ScoredLabel, Sights

NOBODY, ANYBODY, SOMEBODY = "none", "auto", "required"

TEMPLATES = ("{}", "a photo of {}")
"""Wordings that are averaged: each alone favours some kinds of picture. More would cost more than they tell, since
every class has several descriptions already, and a model of usual size reads them slowly without a GPU."""

NEUTRAL = (
    "a person standing still",
    "a person looking into the camera",
    "a close-up of a face",
    "a portrait of a man",
    "a portrait of a woman",
    "a group of people posing",
    "a person sitting on a chair",
    "a hand",
    "an object on a table",
    "a plain wall",
    "an empty background",
    "a piece of furniture",
    "a building seen from outside",
    "a view of a landscape",
    "the sky",
    "a plant",
    "a painting on a wall",
    "a drawing",
    "text on a plain background",
    "the title of a film",
    "a logo",
    "a map or diagram",
    "a screenshot of a computer",
    "a blurred picture with nothing to recognise",
    "a black picture",
)
"""What shots show that gives no sound of its own."""

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LooksOptions:
    """Who looks, and how sure they must be."""

    encoder: str = ANYBODY
    """Name of an encoder; auto: one that is ready, else a note says what is missing; required: it must be; none."""
    model: str = ""
    """Its model, which must then be there: name, hub id, local-dir:FOLDER, ARCHITECTURE:FILE; empty: its own choice."""
    device: str = "auto"
    """Where it runs: auto, cpu, cuda or mps."""
    least_score: float = 0.5
    """What is less likely than this is not named."""
    most_labels: int = 6
    """The likeliest so many are named for each shot."""

    def __post_init__(self) -> None:
        if not self.encoder.strip():
            raise ValueError("encoder must be auto, none, required or the name of an encoder")
        if not 0.0 <= self.least_score <= 1.0:
            raise ValueError(f"least_score must be 0 to 1, got {self.least_score}")
        if self.most_labels < 0:
            raise ValueError(f"most_labels must be 0 or more, got {self.most_labels}")


@stage(version=2, cached=False)  # kept below, by the encoder's own identity: it may be there only the next time
def looks(picture: Picture, sights: Sights, opts: LooksOptions, ctx: Context) -> Looks:
    """Return what is recognised in each shot, and which shots show the same place.

    Raises:
        UnknownPluginError: where no encoder bears the name.
        MissingWeightsError: where an encoder that is asked for lacks its weights.
        MissingProgramError: where it lacks a package.
    """
    name, notes = _who(opts)
    if not name or not picture.key_frames:
        return _unseen(picture, notes, ctx)
    encoder: Encoder = plugins.build("encoder", name)
    who = (looks.version, encoder.identity(opts.model), opts.least_score, opts.most_labels)
    key = (who, TEMPLATES, NEUTRAL, picture, sights)
    return ctx.once("looks", key, lambda making: _seen(picture, sights, encoder, name=name, opts=opts, ctx=making))


def scores(shots: Rows, classes: Rows, neutral: Rows, *, scale: float) -> Rows:
    """Return how likely each class is in each shot, 0 to 1, shape (shots, classes): the formula above.

    Args:
        shots: Embeddings of the shots, rows of length 1.
        classes: Of the classes' descriptions.
        neutral: Of the neutral descriptions.
        scale: The encoder's.
    """
    class_logits = scale * (shots @ classes.T)
    neutral_logits = scale * (shots @ neutral.T)
    highest = neutral_logits.max(axis=1, keepdims=True)
    before_looking = highest + np.log(np.exp(neutral_logits - highest).mean(axis=1, keepdims=True))
    odds = class_logits - before_looking - np.log(len(classes))
    # tanh is the logistic function without its overflow
    likely: Rows = (0.5 + 0.5 * np.tanh(odds / 2)).astype(np.float32)
    return likely


def _who(opts: LooksOptions) -> tuple[str, tuple[str, ...]]:
    """Return the name of the encoder that looks, "" for nobody, and what a person should know of it."""
    if opts.encoder == NOBODY:
        return "", ()
    if opts.encoder not in (ANYBODY, SOMEBODY):
        return opts.encoder, ()
    lacking: list[str] = []
    for name in plugins.names("encoder"):
        needed = plugins.build("encoder", name).missing(opts.model)
        if not needed:
            return name, ()
        lacking += [line for line in needed if line not in lacking]
    if opts.encoder == SOMEBODY or opts.model:
        return plugins.names("encoder")[0], ()  # which says itself, as an error, what it lacks
    return "", (f"nothing was recognised in the picture, only motion and colours; to have that: {'; '.join(lacking)}",)


def _unseen(picture: Picture, notes: tuple[str, ...], ctx: Context) -> Looks:
    """Return what is known without an encoder: which shots are alike in colour."""
    blank = tuple(Look(number, (), np.zeros(0, np.float32)) for number in range(len(picture.shots)))
    places = ctx.once("places", (picture,), lambda making: places_by_colour(picture))
    return Looks(blank, places, notes=notes)


def _seen(picture: Picture, sights: Sights, encoder: Encoder, *, name: str, opts: LooksOptions, ctx: Context) -> Looks:
    ctx.progress(0.0, "loading the encoder")
    encoder.prepare(opts.model, opts.device)
    who = encoder.identity(opts.model)
    classes = _text_embeddings([sight.texts for sight in sights.items], encoder, who, ctx)
    neutral = _text_embeddings([(text,) for text in NEUTRAL], encoder, who, ctx)
    ctx.progress(0.5, "recognising what is seen")
    shots = _shot_embeddings(picture, encoder)
    likely = scores(shots, classes, neutral, scale=encoder.scale)
    found = tuple(
        Look(number, _labels(row, sights, opts), embedding)
        for number, (row, embedding) in enumerate(zip(likely, shots, strict=True))
    )
    return Looks(found, places_by_embedding(shots), encoder=name)


def _text_embeddings(descriptions: Sequence[Sequence[str]], encoder: Encoder, who: str, ctx: Context) -> Rows:
    """Return one row of length 1 for each set of descriptions: the mean over all of them in all wordings."""

    def make(making: Context) -> Rows:
        making.progress(0.1, "reading descriptions")
        wordings = [[template.format(text) for text in texts for template in TEMPLATES] for texts in descriptions]
        rows = encoder.texts([text for group in wordings for text in group])
        ends = np.cumsum([len(group) for group in wordings])
        return np.stack([_mean_direction(group) for group in np.split(rows, ends[:-1])])

    return ctx.once("descriptions", (who, TEMPLATES, tuple(tuple(texts) for texts in descriptions)), make)


def _shot_embeddings(picture: Picture, encoder: Encoder) -> Rows:
    """Return one row for each shot: the mean of its key frames, all of them embedded in one go."""
    rows = encoder.pictures([key.jpeg for key in picture.key_frames])
    numbers = np.array([key.shot for key in picture.key_frames])
    return np.stack([_mean_direction(rows[numbers == number]) for number in range(len(picture.shots))])


def _mean_direction(rows: Rows) -> Rows:
    total: Rows = rows.sum(axis=0)
    return total / np.float32(max(float(np.linalg.norm(total)), 1e-12))


def _labels(likely: Rows, sights: Sights, opts: LooksOptions) -> tuple[ScoredLabel, ...]:
    """Return the classes that are likely enough, the likeliest first."""
    best = np.argsort(-likely, kind="stable")[: opts.most_labels]
    chosen = [(sights.items[number], float(likely[number])) for number in best if likely[number] >= opts.least_score]
    return tuple(ScoredLabel(sight.sound, sight.label, score) for sight, score in chosen)
