"""Have a planner decide what is to be heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foley import plugins
from foley.contracts import Case, Context, Planner, PlannerSettings, Refiner, stage
from foley.errors import OptionError, PlannerError
from foley.model import Clip, Hints, Listening, Looks, Picture, Proposal


@dataclass(frozen=True, slots=True)
class ProposeOptions:
    """Who plans, and with what."""

    planner: str = "rules"
    """Name of the planner; `foley planners` lists them. With "+" others go over what the first proposes: rules+text."""
    model: str = ""
    """Of planners that ask a model: its name, hub id or folder; empty for the planner's own choice."""
    endpoint: str = ""
    """Of planners that ask a service: its address, as http://localhost:8000/v1; empty for FOLEY_ENDPOINT."""
    device: str = "auto"
    """Where a local model runs: auto, cpu, cuda or mps."""
    closer_looks: int = 6
    """Moments that are looked at again with denser frames, at most; 0 for none."""
    timeout_s: float = 120.0
    """For each answer of a model."""

    def __post_init__(self) -> None:
        if not all(name.strip() for name in self.planner.split("+")):
            raise ValueError(f"planner must name a planner, or several with + between them, got {self.planner!r}")
        if self.closer_looks < 0 or not self.timeout_s > 0:
            raise ValueError("closer_looks must be 0 or more, timeout_s above 0")


@stage(version=3, cached=False)  # kept below, by the planner's own identity
def propose(
    clip: Clip,
    picture: Picture,
    looks: Looks,
    listening: Listening,
    hints: Hints,
    opts: ProposeOptions,
    ctx: Context,
) -> Proposal:
    """Return what the planner proposes; its times are checked against the picture by `ground`.

    Raises:
        UnknownPluginError: where no planner bears the name.
        OptionError: where a planner that comes second cannot go over what another proposes.
        PlannerError: where a planner is not ready, or a model that it asks gives no usable answer.
    """
    first, *others = _planners(opts.planner)
    settings = PlannerSettings(opts.model, opts.endpoint, opts.device, opts.closer_looks, opts.timeout_s)
    case = Case(clip, picture, looks, listening, hints)

    def made(making: Context) -> Proposal:
        _check_ready([first, *others], opts.planner, settings)
        proposal = first.plan(case, settings, making)
        for other in others:
            proposal = other.refine(case, proposal, settings, making)
        return proposal

    identities = tuple(planner.identity(settings) for planner in (first, *others))
    key = (identities, opts.closer_looks, clip, picture, looks, listening, hints)
    return ctx.once("proposal", key, made)


def _planners(names: str) -> tuple[Planner, *tuple[Refiner, ...]]:
    """Return the planners of "rules+text", of which all but the first can refine."""
    name, *more = (part.strip() for part in names.split("+"))
    first: Planner = plugins.build("planner", name)
    others: list[Refiner] = []
    for other in more:
        built = plugins.build("planner", other)
        if not hasattr(built, "refine"):
            raise OptionError(f"the planner {other} cannot go over what another proposes", hint=f"use --planner {name}")
        others.append(built)
    return first, *others


def _check_ready(planners: Sequence[Planner], names: str, settings: PlannerSettings) -> None:
    if needed := list(dict.fromkeys(need for planner in planners for need in planner.missing(settings))):
        raise PlannerError(names, "it cannot work yet", hint="; ".join(needed))
