"""Who makes an event: the generator that the plan names, else the best that suits; and who steps in where one fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain
from typing import Literal

from foley import plugins
from foley.contracts import Capabilities, GeneratorSettings
from foley.errors import GenerationError, LicenceError, OptionError
from foley.model import SoundEvent
from foley.render.studio import EMBEDDED, Studio

AUTO = "auto"

Licence = Literal["any", "research", "commercial"]


class Route:
    """Who makes an event: who is asked first, and who steps in where one fails."""

    def __init__(self, chosen: Iterator[Studio], notes: tuple[str, ...] = ()) -> None:
        """Take the order over; who comes later is only looked at when the ones before have failed.

        Args:
            chosen: In order; the first of them is there.
            notes: Why it is not the one that was named.
        """
        self.notes = notes
        self._chosen = chosen
        self._asked = [next(chosen)]

    def studio(self, number: int) -> Studio | None:
        """Return who is asked after so many have failed; None where nobody is left."""
        while len(self._asked) <= number:
            following = next(self._chosen, None)
            if following is None:
                return None
            self._asked.append(following)
        return self._asked[number]


@dataclass(eq=False)
class Roster:
    """All generators, and the rules for choosing among them."""

    generator: str = AUTO
    """Overrides what events name, unless "auto"."""
    fallback: tuple[str, ...] = ()
    """Who steps in, in order; empty: everybody else who suits, by rank."""
    licence: Licence = "any"
    """What the sound is used for: weights whose licence forbids it are not used."""
    region: str = ""
    """Where it is used; weights whose licence gives no rights there are not used."""
    settings: GeneratorSettings = field(default_factory=GeneratorSettings)
    """For every generator; each has its own model."""
    batch: int = 8
    """How many sounds one that does not say what it needs is asked for at once."""
    _studios: dict[str, Studio] = field(default_factory=dict)

    def studio(self, name: str) -> Studio:
        """Return the generator of a name, built once.

        Raises:
            UnknownPluginError: where there is none.
        """
        if name not in self._studios:
            settings = self.settings.of(name)
            generator = plugins.build("generator", name, settings)
            self._studios[name] = Studio(name, generator, settings, batch=self.batch)
        return self._studios[name]

    def stop(self) -> None:
        """Let every generator's threads end."""
        for studio in self._studios.values():
            studio.stop()

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
        spare = [self.studio(name) for name in self.fallback]
        chosen = self._chosen(event, wanted, spare)
        first = next(chosen, None)
        if first is None:
            raise self._nobody(event, [*wanted, *(spare or self._by_rank(event))])
        refusal = self._refusal(event, wanted[0]) if named != AUTO else None
        notes = (f"{named} {refusal}: made by {first.name}",) if refusal else ()
        return Route(chain([first], chosen), notes)

    def _chosen(self, event: SoundEvent, wanted: Sequence[Studio], spare: Sequence[Studio]) -> Iterator[Studio]:
        """Yield who may and can make an event: the best that is wanted, then those who step in."""
        automatic = event.generator == AUTO
        first = next((one for one in wanted if self._refusal(event, one, automatic=automatic) is None), None)
        if first is not None:
            yield first
        # of those that nobody named only the best is asked first: after it comes the order that was asked for
        for one in spare or self._by_rank(event):
            if one is not first and self._refusal(event, one, automatic=not spare) is None:
                yield one

    def _by_rank(self, event: SoundEvent) -> list[Studio]:
        """Return all generators, the first choice first.

        What holds a model comes after what needs none: it takes minutes and gigabytes, and may bring conditions with
        it. Where the embedded sound is poor it is the other way round.
        """

        def order(studio: Studio) -> tuple[bool, int, str]:
            later = studio.name == EMBEDDED if event.placeholder else studio.learned
            return later, studio.capabilities.rank, studio.name

        return sorted((self.studio(name) for name in plugins.names("generator")), key=order)

    def _refusal(self, event: SoundEvent, studio: Studio, *, automatic: bool = False) -> str | None:
        """Return why a generator does not make an event; None where it may and can.

        Args:
            event: The event.
            studio: The generator.
            automatic: Nobody named it: then it must also cost nothing and be fit for this machine.
        """
        if not _suits(event, studio):
            unfit: Callable[[SoundEvent], str] = getattr(studio.generator, "unfit", lambda _: "")
            return unfit(event) or "does not make such a sound"
        reason = self._forbidden(event, studio) or (_missing_reason(studio) if studio.missing else None)
        if reason is None and automatic:
            return _left_alone(studio, self.settings.device)
        return reason

    def _forbidden(self, event: SoundEvent, studio: Studio) -> str | None:
        """Return why the licence policy refuses a generator, or one whose sound has a part in its; None where not."""
        found = (self._refused_by_policy(one.capabilities) for one in studio.makers(event))
        return next(filter(None, found), None)

    def _refused_by_policy(self, said: Capabilities) -> str | None:
        if self.licence == "commercial" and not said.commercial:
            return f"may not be used commercially (weights: {said.weights_licence})"
        if said.weights_licence == "none":
            return None
        from foley.neural import licences

        if licences.countries(self.region) & licences.countries(*said.excluded_regions):
            return f"gives no rights in {self.region} (weights: {said.weights_licence})"
        return licences.allows(said.weights_licence, self.licence, self.region)

    def _insist(self, event: SoundEvent, studio: Studio) -> None:
        """Refuse to replace silently whom a person named: that would hide a licence or an installation to mend."""
        if (reason := self._forbidden(event, studio)) is not None:
            raise LicenceError(event.id, studio.name, reason)
        if studio.missing:
            raise GenerationError(event.id, studio.name, _missing_reason(studio))

    def _nobody(self, event: SoundEvent, asked: list[Studio]) -> GenerationError:
        """Return the error for an event that nobody makes."""
        reasons = {
            studio.name: self._refusal(event, studio) or _left_alone(studio, self.settings.device) for studio in asked
        }
        said = "; ".join(f"{name} {reason}" for name, reason in reasons.items()) or "there is no generator"
        suiting = [studio for studio in asked if _suits(event, studio)]
        kept_out = [studio for studio in suiting if self._forbidden(event, studio)]
        if kept_out and (len(kept_out) == len(suiting) or any(not studio.missing for studio in kept_out)):
            return LicenceError(event.id, ", ".join(reasons), said)
        return GenerationError(event.id, ", ".join(reasons) or AUTO, said)


def models_by_generator(models: Sequence[str], generator: str) -> dict[str, str]:
    """Return the model of each generator, from texts as NAME=MODEL; one without a name is for the one that is named.

    >>> models_by_generator(["musicgen=facebook/musicgen-small", "my/model"], "audiogen")
    {'musicgen': 'facebook/musicgen-small', 'audiogen': 'my/model'}

    Raises:
        ValueError: where a model is nobody's.
    """
    found = {}
    for text in models:
        name, equals, model = text.partition("=")
        if not equals or not name.isidentifier():  # a path may hold an equals sign too
            name, model = generator, text
        if name == AUTO or not model:
            raise ValueError(f"a model must be given as NAME=MODEL, or beside a named generator, got {text!r}")
        found[name] = model
    return found


def _suits(event: SoundEvent, studio: Studio) -> bool:
    return event.kind in studio.capabilities.kinds and studio.generator.suits(event)


def _missing_reason(studio: Studio) -> str:
    return f"is not ready ({'; '.join(studio.missing)})"


def _left_alone(studio: Studio, device: str) -> str | None:
    """Return why a generator is not used where nobody named it; None where it is."""
    said = studio.capabilities
    if said.remote:
        return "is a service: it is only asked where it is named"
    if said.video:
        return "looks at the film: it is only asked where it is named"
    if said.needs_gpu and not _has_gpu(device):
        return "needs a GPU"
    return None


@cache
def _has_gpu(device: str) -> bool:
    """Return whether models run on a GPU here; looked at only for a generator that is ready and needs one."""
    from foley.neural import runtime

    try:
        return runtime.device(device) != "cpu"
    except OptionError:
        return False
