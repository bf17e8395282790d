"""Have a planner decide what is to be heard."""

from __future__ import annotations

from dataclasses import dataclass

from foley import plugins
from foley.contracts import Case, Context, Planner, PlannerSettings, stage
from foley.model import Clip, Hints, Listening, Looks, Picture, Proposal


@dataclass(frozen=True, slots=True)
class ProposeOptions:
    """Who plans, and with what."""

    planner: str = "rules"
    """Name of the planner; `foley planners` lists them."""
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
        if not self.planner.strip():
            raise ValueError("planner must name a planner")
        if self.closer_looks < 0 or not self.timeout_s > 0:
            raise ValueError("closer_looks must be 0 or more, timeout_s above 0")


@stage(version=2, cached=False)  # kept below, by the planner's own identity
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
        PlannerError: where a model that it asks gives no usable answer.
    """
    planner: Planner = plugins.build("planner", opts.planner)
    settings = PlannerSettings(opts.model, opts.endpoint, opts.device, opts.closer_looks, opts.timeout_s)
    case = Case(clip, picture, looks, listening, hints)
    key = (planner.identity(settings), opts.closer_looks, clip, picture, looks, listening, hints)
    return ctx.once("proposal", key, lambda making: planner.plan(case, settings, making))
