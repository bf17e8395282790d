"""What of an event is to be made out of a sound that is there already: varied, gone on with, or made anew in parts.

An event asks for it with parameters; all times are seconds after its start:

- `enrich`: how far from the sound that is there, above 0 and up to 1;
- `continue`: how much of the sound that is there stays as it is, before it is gone on with;
- `base`: who makes the sound that is there, `procedural` or `library`;
- `regenerate`: parts that are made anew, as `3.2-4.5` or `0.5-0.9, 3.2-4.5`; all else stays to the sample;
- `again`: which of the ways to make them anew, 1 and up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from foley.model import SoundEvent

BASES = ("procedural", "library")

PARAMETERS = ("enrich", "continue", "base", "regenerate", "again")

Parameters = Mapping[str, float | str]

_REGION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*-\s*(\d+(?:\.\d+)?)\s*")


@dataclass(frozen=True, slots=True)
class Rework:
    """What an event asks for, in numbers."""

    base: str
    strength: float | None = None
    """None where the sound that is there is not varied."""
    kept_s: float | None = None
    """None where it is not gone on with."""
    regions_s: tuple[tuple[float, float], ...] = ()
    again: int = 1

    @property
    def needs_base(self) -> bool:
        """Return whether there is a sound of another generator in it."""
        return self.strength is not None or self.kept_s is not None

    @classmethod
    def of(cls, event: SoundEvent) -> Rework:
        """Return what an event's parameters ask for.

        Raises:
            ValueError: where one of them means nothing.
        """
        given = event.parameters
        found = cls(
            str(given.get("base", BASES[0])),
            strength=_number(given, "enrich"),
            kept_s=_number(given, "continue"),
            regions_s=regions_s(given),
            again=round(_number(given, "again") or 1.0),
        )
        if found.base not in BASES:
            raise ValueError(f"base must be one of {', '.join(BASES)}, got {found.base!r}")
        if found.strength is not None and not 0.0 < found.strength <= 1.0:
            raise ValueError(f"enrich must be a number, above 0 and up to 1, got {found.strength:g}")
        if found.strength is not None and found.kept_s is not None:
            raise ValueError("a sound is either enriched or gone on with: leave enrich or continue out")
        if found.kept_s is not None and not found.kept_s > 0.0:
            raise ValueError(f"continue must be a number of seconds above 0, got {found.kept_s:g}")
        if event.kind == "hits" and (found.kept_s is not None or found.regions_s):
            raise ValueError("hits are made one by one: only spans and beds are gone on with or made anew in parts")
        return found

    def within(self, start_s: float, duration_s: float) -> list[tuple[float, float]]:
        """Return the parts that lie in a window of the event, in seconds after the window's start."""
        cut = [(max(first - start_s, 0.0), min(last - start_s, duration_s)) for first, last in self.regions_s]
        return [(first, last) for first, last in cut if first < last]


def plain(event: SoundEvent, base: str) -> SoundEvent:
    """Return an event as the generator of the sound that is there takes it."""
    kept = {name: value for name, value in event.parameters.items() if name not in PARAMETERS}
    return replace(event, parameters=kept, generator=base)


def is_asked(event: SoundEvent) -> bool:
    """Return whether an event asks for any of it."""
    return any(name in event.parameters for name in PARAMETERS)


def regions_s(given: Parameters) -> tuple[tuple[float, float], ...]:
    """Return the parts that are to be made anew, first and last second of each.

    >>> regions_s({"regenerate": "0.5-0.9, 3-4.5"})
    ((0.5, 0.9), (3.0, 4.5))

    Raises:
        ValueError: where a part is none.
    """
    if "regenerate" not in given:
        return ()
    found = [_REGION.fullmatch(part) for part in str(given["regenerate"]).split(",")]
    parts = tuple((float(one[1]), float(one[2])) for one in found if one)
    if len(parts) < len(found) or any(first >= last for first, last in parts):
        raise ValueError(f"regenerate must name parts as 3.2-4.5, in seconds, got {given['regenerate']!r}")
    return parts


def later(given: Parameters, by_s: float) -> Parameters:
    """Return parameters whose times run from so much before the event's start; faulty ones as they are.

    >>> later({"regenerate": "0.5-0.9", "pitch": 2.0}, 0.1)
    {'regenerate': '0.6-1.0', 'pitch': 2.0}
    """
    try:
        parts = regions_s(given)
    except ValueError:  # told when the sound is made
        return given
    if not parts or not by_s:
        return given
    moved = ", ".join(f"{round(first + by_s, 6)}-{round(last + by_s, 6)}" for first, last in parts)
    return {**given, "regenerate": moved}


def _number(given: Parameters, name: str) -> float | None:
    """Return a parameter as a number; None where it is not given."""
    if name not in given:
        return None
    try:
        return float(given[name])
    except ValueError as cause:
        raise ValueError(f"{name} must be a number, got {given[name]!r}") from cause
