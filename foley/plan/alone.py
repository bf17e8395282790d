"""One sound without a picture: what words name, as a plan of a single event."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from foley.errors import PlanError
from foley.model import ClipIdentity, CurvePoint, Hit, Kind, ProposedSound, Reasoning, SoundEvent, SoundPlan
from foley.plan.matching import Mention, loosely, mentioned, read
from foley.plan.vocabulary import vocabulary

USUAL_LENGTH_S: dict[Kind, float] = {"hits": 0.0, "span": 3.0, "bed": 10.0}
"""How long the cause of a sound lasts where nobody says."""

ONCE_LENGTH_S = 1.6
"""Of what lasts and happens once: a door creaks open."""

STEPS, STEP_S = 4, 0.55
"""Of what repeats evenly so many hits are made, so far apart: people walking take 1.8 steps a second."""

APART_S = 1.0
"""Hits that somebody counts ("three knocks") are made this far apart where they do not repeat evenly."""

PLACE = "ambience"
"""Said with the name of a place, it names the bed of it."""

UNKNOWN = "generic-impact"
"""The class whose usual level and bus a sound gets that no class explains."""


def alone(text: str, *, kind: Kind | None = None, length_s: float | None = None, seed: int = 0) -> SoundPlan:
    """Return a plan that holds the first sound that a text names, from time 0 on.

    Args:
        text: What is heard, in words.
        kind: Whether it is hits, a span or a bed; as the sound usually is where None. With it a text that names no
            known sound is taken as it stands, for generators that read.
        length_s: How long its cause lasts.
        seed: Another seed, another take.

    Raises:
        PlanError: where the text names no known sound and no kind is given.
    """
    named = read(text).mentions or read(f"{text} {PLACE}").mentions
    found = named or loosely(text)
    if not found and kind is None:
        raise PlanError(
            f"no known sound is named by {text!r}",
            hint="use other words; or give --kind hits, span or bed, for a generator that reads (foley generators)",
        )
    because = f"{text!r} is asked for"
    sound = mentioned(found[0], because) if found else _unknown(text, because)
    event = _event(replace(sound, kind=kind or sound.kind), seed, length_s=length_s, mention=next(iter(found), None))
    length = Fraction(max(1.0, event.end_s)).limit_denominator(1000)
    reasoning = Reasoning(because, "", "", "")
    others = ", ".join(mention.sound.label for mention in found[1:])
    hints = (f"also named, and not made: {others}",) if others else ()
    if found and not named:
        hints = (f"no sound is named; {event.label} is a guess",)
    return SoundPlan(ClipIdentity("", "", length, Fraction(25)), (), hints, reasoning, (event,), planner="alone")


def _unknown(text: str, because: str) -> ProposedSound:
    generic = vocabulary()[UNKNOWN].proposed(because)
    return replace(generic, label=text, prompt=text, recipe="", parameters={}, ucs="", placeholder=True)


def _event(sound: ProposedSound, seed: int, *, length_s: float | None, mention: Mention | None) -> SoundEvent:
    periodic, once = (mention.sound.periodic, mention.sound.once) if mention else (False, False)
    usual_s = ONCE_LENGTH_S if once and sound.kind == "span" else USUAL_LENGTH_S[sound.kind]
    end_s = usual_s if length_s is None else length_s
    hits: tuple[Hit, ...] = ()
    if sound.kind == "hits":
        step_s = STEP_S if periodic else APART_S
        wanted = 1 + int(length_s / step_s) if length_s else STEPS if periodic else 1
        hits = tuple(Hit(number * step_s) for number in range(sound.count or wanted))
        end_s = hits[-1].time_s
    even = sound.kind == "bed" and sound.intensity < 1.0
    return SoundEvent(
        id="e01-alone",
        label=sound.label,
        kind=sound.kind,
        bus=sound.bus,
        start_s=0.0,
        end_s=end_s,
        because=sound.because,
        hits=hits,
        curve=(CurvePoint(0.0, sound.intensity), CurvePoint(end_s, sound.intensity)) if even else (),
        ucs=sound.ucs,
        prompt=sound.prompt,
        avoid=sound.avoid,
        recipe=sound.recipe,
        parameters=sound.parameters,
        seed=seed,
        level_db=sound.level_db,
        placeholder=sound.placeholder,
    )
