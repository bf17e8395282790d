"""Have a planner decide what is to be heard."""

from __future__ import annotations

from dataclasses import dataclass

from foley import plugins
from foley.contracts import Context, Planner, stage
from foley.model import Clip, Hints, Listening, Picture, Proposal


@dataclass(frozen=True, slots=True)
class ProposeOptions:
    """Who plans."""

    planner: str = "rules"
    """Name of the planner; `foley planners` lists them."""

    def __post_init__(self) -> None:
        if not self.planner.strip():
            raise ValueError("planner must name a planner")


@stage(version=1)
def propose(
    clip: Clip, picture: Picture, listening: Listening, hints: Hints, opts: ProposeOptions, ctx: Context
) -> Proposal:
    """Return what the planner proposes; its times are checked against the picture by `ground`.

    Raises:
        UnknownPluginError: where no planner bears the name.
    """
    planner: Planner = plugins.build("planner", opts.planner)
    return planner.plan(clip, picture, listening, hints)
