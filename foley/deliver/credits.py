"""`credits.txt`: who and what made the sound of a clip, for end titles, rights departments and archives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from foley.deliver import origin
from foley.deliver.finished import Finished
from foley.model import SoundEvent, Take
from foley.neural import licences
from foley.units import clock

OWN_SOUND = "The new track carries the clip's own sound too."


@dataclass(frozen=True, slots=True)
class Credited:
    """Sound that was made for a clip."""

    name: str
    """Of the clip."""
    events: Sequence[SoundEvent]
    takes: Sequence[Take]
    beside: str = ""
    """What else is heard with it, as a sentence; "" for nothing."""


def credited(done: Finished) -> Credited:
    """Return what was made for a finished clip."""
    beside = OWN_SOUND if done.mixdown.has_original else ""
    return Credited(done.clip.path.name, done.plan.events, done.takes.items, beside)


def credits_text(made: Credited, *, version: str) -> str:
    """Return the whole text.

    Args:
        made: What it is about.
        version: Of foley.
    """
    kind = origin.source_type(made.takes, with_own_sound=bool(made.beside))
    head = [
        f"Sound of {made.name}",
        "",
        f"{origin.sentence(origin.source_type(made.takes))}, made with foley {version}.",
        *filter(None, (made.beside,)),
    ]
    if kind:
        head.append(f"Digital source type (IPTC): {origin.uri(kind)}")
    parts = ["\n".join(head), *_generators(made.takes), *_sounds(made)]
    return "\n\n".join(parts) + "\n"


def _generators(takes: Iterable[Take]) -> Iterator[str]:
    """Yield a paragraph for each maker: what it is and what its licence asks."""
    makers = {(take.generator, take.made_by or take.generator, take.weights_licence): take for take in takes}
    for (generator, made_by, licence_id), take in sorted(makers.items()):
        lines = [f"Generator: {generator}", f"  version and model: {made_by}"]
        known = licences.licence(licence_id)
        lines.append(f"  licence of the weights: {known.name}{f' ({known.url})' if known.url else ''}")
        if known.conditions:
            lines.append(f"  conditions: {known.conditions}")
        lines.append(f"  commercial use: {'allowed' if take.commercial else 'not allowed, or not known'}")
        yield "\n".join(lines)


def _sounds(made: Credited) -> Iterator[str]:
    """Yield a paragraph for each sound, by its start."""
    takes = {take.event_id: take for take in made.takes}
    for event in made.events:
        if event.id in takes:
            yield "\n".join(_sound(event, takes[event.id]))


def _sound(event: SoundEvent, take: Take) -> Iterator[str]:
    yield f"{clock(event.start_s)} to {clock(event.end_s)}  {event.label} [{event.id}]"
    yield f"  made by {take.generator}, seed {event.seed}: {origin.sentence(origin.source_type([take]))}"
    if recordings := origin.recordings(take):
        yield f"  recordings: {recordings}"
    if event.prompt:
        yield f"  prompt: {' '.join(event.prompt.split())}"
