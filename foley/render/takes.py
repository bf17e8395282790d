"""Make the sound of every event: choose who makes it, have it made once, and write it to disk at a known level."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Literal, get_args

from foley.contracts import Context, GeneratorSettings, stage
from foley.errors import CompilationError
from foley.model import Clip, SoundEvent, SoundPlan, Take, Takes
from foley.render import making
from foley.render.dispatch import Dispatch
from foley.render.making import Terms
from foley.render.routing import AUTO, Licence, Roster, models_by_generator

if TYPE_CHECKING:
    from foley.render.selection import Chooser


@dataclass(frozen=True, slots=True)
class TakesOptions:
    """Who makes the sound, and how it is divided."""

    generator: str = AUTO
    """What makes every event, whatever events say; "auto" leaves it to them, and to routing."""
    models: tuple[str, ...] = ()
    """Models of generators, each as NAME=MODEL; one without NAME is for the generator that is named."""
    fallback: tuple[str, ...] = ()
    """Who steps in where a generator fails, in order; empty: everybody else that suits, best first."""
    licence: Licence = "any"
    """What the sound is used for: any, research or commercial; weights whose licence forbids it are not used."""
    region: str = ""
    """Where it is used, an ISO 3166 code or EU: weights whose licence gives no rights there are not used."""
    device: str = "auto"
    """Where models run: auto, cpu, cuda or mps."""
    quantise: Literal["", "8bit", "4bit"] = ""
    """Weights in fewer bits, where the platform supports it."""
    steps: int = 0
    """Of a diffusion model's solver; 0 for as many as the model is meant for."""
    compile: bool = False
    """Have the denoisers of diffusion models compiled, where that can be done: pays where many sounds are made."""
    max_vram_mb: int = 0
    """The most memory of the device that models may use; 0 for what is free."""
    time_limit_s: float = 600.0
    """The longest that a generator may take for one sound; then it is not asked again, and the next steps in."""
    candidates: int = 1
    """How many takes a model makes of each event; the one that fits best is kept."""
    retries: int = 2
    """How often a sound of a model in which speech or music is heard is made again with another seed."""
    window_s: float = 20.0
    """The longest sound asked for at once; longer ones are made in overlapping windows."""
    overlap_s: float = 1.0
    """How much neighbouring windows of a span or bed have in common."""
    handle_s: float = 0.1
    """How much longer a bed is made at both ends, so that touching beds can be crossfaded."""
    batch: int = 8
    """How many sounds a generator that holds a model is asked for at once, where it does not say what fits."""
    variations: int = 6
    """How many takes of hits are made by a generator that puts none where it belongs; their hits are used in turn."""
    workers: int = 0
    """Threads for light generators; 0 for one a core, at most four."""

    def __post_init__(self) -> None:
        if self.licence not in get_args(Licence):
            raise ValueError(f"licence must be one of {', '.join(get_args(Licence))}, got {self.licence!r}")
        if not re.fullmatch(r"([A-Za-z]{2})?", self.region):
            raise ValueError(f"region must be a code of two letters, got {self.region!r}")
        for name, (least, most) in BOUNDS.items():
            if not least <= (given := getattr(self, name)) <= most:
                allowed = f"{least:g} or more" if math.isinf(most) else f"{least:g} to {most:g}"
                raise ValueError(f"{name} must be {allowed}, got {given}")
        if not 0.0 <= self.overlap_s <= self.window_s / 4:
            raise ValueError(f"overlap_s must lie in 0 to window_s / 4, got {self.overlap_s}")
        self.settings()

    def settings(self) -> GeneratorSettings:
        """Return what every generator is told."""
        return GeneratorSettings(
            device=self.device,
            quantise=self.quantise,
            steps=self.steps,
            compile=self.compile,
            max_vram_mb=self.max_vram_mb,
            time_limit_s=self.time_limit_s,
            licence=self.licence,
            models=models_by_generator(self.models, self.generator),
        )


MOST_CANDIDATES = 32
"""More cost hours and are not better chosen among: the measure's own error is then larger than what they differ by."""

BOUNDS = {
    "window_s": (1.0, math.inf),
    "handle_s": (0.0, 1.0),
    "batch": (1, math.inf),
    "variations": (1, math.inf),
    "candidates": (1, MOST_CANDIDATES),
    "workers": (0, math.inf),
    "retries": (0, math.inf),
}
"""What options must lie in."""


@stage(version=making.VERSION, cached=False)  # kept below, take by take: who failed may work the next time
def takes(plan: SoundPlan, clip: Clip, opts: TakesOptions, ctx: Context) -> Takes:
    """Make a take for every event that is heard; each is made once, wherever its event stands and however loud it is.

    Raises:
        UnknownPluginError: where a generator's name is nobody's.
        LicenceError: where only the licence policy keeps an event from being made.
        GenerationError: where nobody could make an event.
    """
    heard = [event for event in plan.events if not event.muted]
    try:
        return _made(heard, clip, opts, ctx=ctx)
    except CompilationError as cause:
        # all anew: a take's key says whether its model was compiled, so that the same key is the same samples
        found = _made(heard, clip, replace(opts, compile=False), ctx=ctx)
        return replace(found, notes=(f"made without compiling: {cause.message}", *found.notes))


def _made(heard: Sequence[SoundEvent], clip: Clip, opts: TakesOptions, *, ctx: Context) -> Takes:
    """Return the takes of events, with what a person should know of all together."""
    roster, terms = roster_of(opts), terms_of(opts, clip)
    made = Dispatch(roster, terms, ctx, workers=opts.workers).all_made(heard)
    notes = (*_notices(made, opts.licence), *_unheard(made, roster), *_uncompiled(made, roster))
    return Takes(made, notes, _weights(made, roster))


def roster_of(opts: TakesOptions) -> Roster:
    """Return all generators, with the rules by which they are chosen among."""
    return Roster(
        opts.generator,
        opts.fallback,
        opts.licence,
        opts.region,
        settings=opts.settings(),
        batch=opts.batch,
    )


def terms_of(opts: TakesOptions, clip: Clip) -> Terms:
    """Return how the takes of a clip are made: a take that is made on other terms has another key."""
    return Terms(
        clip,
        window_s=opts.window_s,
        overlap_s=opts.overlap_s,
        handle_s=opts.handle_s,
        variations=opts.variations,
        candidates=opts.candidates,
        retries=opts.retries,
        judge=cache(lambda: _judge(opts)),
        sees=cache(lambda: _sees(opts)),
    )


def _weights(made: Sequence[Take], roster: Roster) -> dict[str, dict[str, str]]:
    """Return the hashes of the weights that made the takes, for the ledger in the manifest."""
    found: dict[str, dict[str, str]] = {}
    for take in made:
        if take.made_by not in found:
            found[take.made_by] = roster.studio(take.generator).weights()
    return {who: hashes for who, hashes in found.items() if hashes}


def _judge(opts: TakesOptions) -> Chooser:
    """Return who listens to what models make."""
    from foley.render.selection import Chooser

    return Chooser(opts.device, max_vram_mb=opts.max_vram_mb)


def _sees(opts: TakesOptions) -> bool:
    """Return whether candidates can be compared with the picture: the weights for that are here."""
    from foley.neural.pe_av import PeAv

    return not PeAv(device=opts.device).missing()


def _notices(made: Sequence[Take], policy: Licence) -> tuple[str, ...]:
    """Return what a person should know of the licences of all takes together, where no policy was asked for."""
    bound = {take.generator: take.weights_licence for take in made if not take.commercial}
    if policy != "any" or not bound:
        return ()
    said = ", ".join(f"{name} ({licence})" for name, licence in sorted(bound.items()))
    return (f"not for commercial use, by the licence of the weights: {said}; --licence commercial leaves them out",)


def _unheard(made: Sequence[Take], roster: Roster) -> tuple[str, ...]:
    """Return what nobody listened for in takes of models."""
    if not any(roster.studio(take.generator).learned for take in made):
        return ()
    from foley.render import leaks

    return tuple(f"speech in models' takes was not listened for: {mend}" for mend in leaks.deaf_to())


def _uncompiled(made: Sequence[Take], roster: Roster) -> tuple[str, ...]:
    """Return which models were to be compiled and were not."""
    names = sorted({take.generator for take in made})
    reasons = ((name, getattr(roster.studio(name).generator, "uncompiled", str)()) for name in names)
    return tuple(f"{name} was not compiled: {reason}" for name, reason in reasons if reason)
