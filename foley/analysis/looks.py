"""Recognise what shots show, and which of them show the same place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foley.contracts import Context, stage
from foley.model import Look, Looks, Picture, Sights


@dataclass(frozen=True, slots=True)
class LooksOptions:
    """Who looks."""

    encoder: str = "auto"
    """Name of the encoder; "auto" looks where one is ready and says what is missing where none is; "none"."""


@stage(version=1)
def looks(picture: Picture, sights: Sights, opts: LooksOptions, ctx: Context) -> Looks:
    """Return what is recognised in each shot."""
    unseen = tuple(Look(number, (), np.zeros(0, np.float32)) for number in range(len(picture.shots)))
    return Looks(unseen, tuple(range(len(picture.shots))))
