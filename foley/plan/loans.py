"""What a clause takes from its neighbours: "walks through snow, then over gravel", "a door opens, then closes"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foley.plan.clauses import Clause
from foley.plan.lexicon import things, verbs


@dataclass(frozen=True, slots=True)
class Loan:
    """What a clause may take from its neighbours."""

    verbs: frozenset[str] = frozenset()
    joined: bool = False
    """A word joins it to who lends the verbs; where only a comma does ("body fall, wood floor"), none but the ground of
    footsteps is meant."""
    things: frozenset[str] = frozenset()
    """What the clause before speaks of, where this one begins with what is done and names nothing."""


def loan(number: int, spoken: Sequence[Clause]) -> Loan:
    """Return what neighbours lend to one of some clauses.

    Verbs come from the nearest clause before that has any, else from the nearest after that tells of the same moment.
    """
    own = spoken[number]
    after = [place for place in range(number + 1, len(spoken)) if spoken[place].step == own.step]
    of = frozenset[str]()
    if number and own.stems[:1] and own.stems[0] in verbs() and things().isdisjoint(own.stems):
        of = frozenset(spoken[number - 1].stems) & things()
    for lender in [*reversed(range(number)), *after]:
        if found := frozenset(spoken[lender].stems) & verbs():
            return Loan(found, joined=spoken[max(number, lender)].leans, things=of)
    return Loan(things=of)
