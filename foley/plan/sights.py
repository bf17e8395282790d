"""Say what the sounds of the vocabulary look like, for those who look at pictures."""

from __future__ import annotations

from foley.contracts import Context, stage
from foley.model import Sight, Sights
from foley.plan.vocabulary import vocabulary


@stage(version=1, cached=False)
def sights(ctx: Context) -> Sights:
    """Return what every class of sounds looks like when it is made."""
    return Sights(
        tuple(Sight(name, sound.label, (f"a photo of {sound.label}",)) for name, sound in vocabulary().items())
    )
