"""Who makes an event: the generator that the plan names, else the best that suits; and who steps in where one fails."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from foley import plugins
from foley.errors import GenerationError, LicenceError
from foley.model import SoundEvent
from foley.render.studio import Studio

AUTO = "auto"

EMBEDDED = "procedural"
"""The generator that is always there; what it does poorly the plan marks as `placeholder`."""

Licence = Literal["any", "commercial"]


@dataclass(frozen=True, slots=True)
class Route:
    """Who makes an event."""

    studios: tuple[Studio, ...]
    """In order; the next is asked where one fails. Never empty."""
    notes: tuple[str, ...]
    """Why it is not the one that was named."""


@dataclass(eq=False)
class Roster:
    """All generators, and the rules for choosing among them."""

    generator: str = AUTO
    """Overrides what events name, unless "auto"."""
    fallback: tuple[str, ...] = ()
    """Who steps in, in order; empty: everybody else who suits, by rank."""
    licence: Licence = "any"
    _studios: dict[str, Studio] = field(default_factory=dict)

    def studio(self, name: str) -> Studio:
        """Return the generator of a name, built once.

        Raises:
            UnknownPluginError: where there is none.
        """
        if name not in self._studios:
            self._studios[name] = Studio(name, plugins.build("generator", name))
        return self._studios[name]

    def route(self, event: SoundEvent) -> Route:
        """Return who makes an event.

        Raises:
            UnknownPluginError: where a name is nobody's.
            LicenceError: where only the licence policy stands in the way.
            GenerationError: where nobody can make it, or who was named is not ready and nobody was named to step in.
        """
        named = self.generator if self.generator != AUTO else event.generator
        event = replace(event, generator=named)
        wanted = self._by_rank(event) if named == AUTO else [self.studio(named)]
        if named != AUTO and not self.fallback:
            self._insist(event, wanted[0])
        able = [studio for studio in wanted if self._refusal(event, studio) is None]
        spare = [self.studio(name) for name in self.fallback] or self._by_rank(event)
        # of those that nobody named only the best is asked first: after it comes the order that was asked for
        first = able[:1] if self.fallback else able
        able = [*first, *(one for one in spare if one not in first and self._refusal(event, one) is None)]
        if not able:
            raise self._nobody(event, [*wanted, *spare])
        refusal = self._refusal(event, wanted[0]) if named != AUTO else None
        notes = (f"{named} {refusal}: made by {able[0].name}",) if refusal else ()
        return Route(tuple(able), notes)

    def _by_rank(self, event: SoundEvent) -> list[Studio]:
        def order(studio: Studio) -> tuple[bool, int, str]:
            return event.placeholder and studio.name == EMBEDDED, studio.capabilities.rank, studio.name

        return sorted((self.studio(name) for name in plugins.names("generator")), key=order)

    def _refusal(self, event: SoundEvent, studio: Studio) -> str | None:
        """Return why a generator does not make an event; None where it may and can."""
        if event.kind not in studio.capabilities.kinds or not studio.generator.suits(event):
            return "does not make such a sound"
        if self._forbidden(studio):
            return _forbidden_reason(studio)
        return _missing_reason(studio) if studio.missing else None

    def _forbidden(self, studio: Studio) -> bool:
        return self.licence == "commercial" and not studio.capabilities.commercial

    def _insist(self, event: SoundEvent, studio: Studio) -> None:
        """Refuse to replace silently whom a person named: that would hide a licence or an installation to mend."""
        if self._forbidden(studio):
            raise LicenceError(event.id, studio.name, _forbidden_reason(studio))
        if studio.missing:
            raise GenerationError(event.id, studio.name, _missing_reason(studio))

    def _nobody(self, event: SoundEvent, asked: list[Studio]) -> GenerationError:
        """Return the error for an event that nobody makes."""
        reasons = {studio.name: self._refusal(event, studio) for studio in asked}
        said = "; ".join(f"{name} {reason}" for name, reason in reasons.items()) or "there is no generator"
        suiting = [one for one in asked if event.kind in one.capabilities.kinds and one.generator.suits(event)]
        if suiting and all(self._forbidden(studio) for studio in suiting):
            return LicenceError(event.id, ", ".join(reasons), said)
        return GenerationError(event.id, ", ".join(reasons) or AUTO, said)


def _forbidden_reason(studio: Studio) -> str:
    return f"may not be used commercially (weights: {studio.capabilities.weights_licence})"


def _missing_reason(studio: Studio) -> str:
    return f"is not ready ({'; '.join(studio.missing)})"
