"""Find stages by name: a module in a phase's folder that holds one function marked `@stage`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache
from typing import Any

from foley.contracts import Stage
from foley.errors import WorkflowError

AnyStage = Stage[..., Any]

PHASES = ("foley.analysis", "foley.plan", "foley.render", "foley.mix", "foley.deliver")


def find(name: str) -> AnyStage:
    """Return the stage of that name.

    Raises:
        WorkflowError: where no module of a phase's folder bears the name, or it holds no stage.
    """
    for phase in PHASES:
        if name in _modules(phase):
            module = importlib.import_module(f"{phase}.{name}")
            for value in vars(module).values():
                if isinstance(value, Stage) and value.name == name:
                    return value
    raise WorkflowError(f"no stage is called {name!r}")


def check(stages: Iterable[AnyStage], given: Iterable[type]) -> None:
    """Refuse, before anything runs, an order in which a stage lacks an input.

    Raises:
        WorkflowError: naming the stage, what it lacks, and what there is.
    """
    have = set(given)
    for stage in stages:
        if missing := [needed.__name__ for needed in stage.needs if needed not in have]:
            raise WorkflowError(
                f"stage {stage.name!r} needs {', '.join(missing)}, which nothing before it makes",
                hint=f"made so far: {', '.join(sorted(made.__name__ for made in have))}",
            )
        have.add(stage.makes)


def check_made(stages: Iterable[AnyStage], wanted: Iterable[type], given: Iterable[type]) -> None:
    """Refuse a workflow that does not make what is wanted.

    Raises:
        WorkflowError: naming what nothing makes.
    """
    made = {stage.makes for stage in stages} | set(given)
    if missing := [kind.__name__ for kind in wanted if kind not in made]:
        raise WorkflowError(f"the workflow has no stage that makes {', '.join(missing)}")


def needed_for(stages: Iterable[AnyStage], wanted: Iterable[type], given: Iterable[type]) -> list[AnyStage]:
    """Return only the stages that the wanted types hang on, in order; what is given needs no stage."""
    have = set(given)
    missing = set(wanted) - have
    chosen: list[AnyStage] = []
    for stage in reversed(list(stages)):
        if stage.makes in missing:
            missing |= set(stage.needs) - have
            if stage.makes not in stage.needs:  # a stage that changes a value leaves it wanted from an earlier one
                missing.discard(stage.makes)
            chosen.append(stage)
    return chosen[::-1]


@cache
def _modules(phase: str) -> frozenset[str]:
    """Return the names of the modules in a phase's folder."""
    found = pkgutil.iter_modules(importlib.import_module(phase).__path__)
    return frozenset(info.name for info in found if not info.ispkg)
