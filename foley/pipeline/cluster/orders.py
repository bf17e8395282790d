"""What an item wants of models before it can be finished, and what came of it: all that goes to actors and back."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from foley.model import Clip, SoundEvent


@dataclass(frozen=True, slots=True)
class Casting:
    """Which generator, and how it is asked: those that agree in it share their actors."""

    generator: str
    options: Hashable
    """How takes are made."""
    workdir: Path | None = None
    """The cache folder that its takes go to; the machine's own where None."""


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """Events of one clip that one generator is to make."""

    casting: Casting
    clip: Clip
    events: tuple[SoundEvent, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What models are to make before an item can be ended."""

    orders: tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """What came of orders."""

    records: tuple[str, ...]
    """The takes, as `tier.record_of` names them."""
    failures: tuple[str, ...] = ()
    """What could not be made, in words: the video's own run asks again and falls back as it always does."""


class Maker(Protocol):
    """What an actor holds: a generator, loaded once; several threads ask it."""

    def ready(self) -> bool:
        """Return True: it answers."""
        ...

    def make(self, order: Order) -> Made:
        """Make the takes of an order, together with those of others that are asked for meanwhile.

        Raises:
            FoleyError: where the generator or the cache cannot be used at all.
        """
        ...
