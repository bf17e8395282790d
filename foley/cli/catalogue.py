"""What there is to choose from: `foley generators`, `foley planners`, `foley encoders`, `foley workflows`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from foley import plugins
from foley.cli import console, options
from foley.contracts import PlannerSettings
from foley.neural import licences
from foley.pipeline import workflow as workflows


def generators(*, json: options.Json = False) -> None:
    """List what can make sound here, what is missing, and what its licence allows."""
    found = [_generator(name) for name in plugins.names("generator")]
    found.sort(key=lambda entry: entry["rank"])
    if json:
        console.answer_json(found)
        return
    for entry in found:
        state = "ready" if not entry["missing"] else f"missing: {'; '.join(entry['missing'])}"
        use = f"{'any use' if entry['commercial'] else 'not for commercial use'}{_conditions(entry['weights_licence'])}"
        console.answer(f"{entry['name']}: {state}")
        console.answer(f"  makes {', '.join(entry['kinds'])}; {entry['rate_hz']} Hz, {entry['channels']} ch")
        console.answer(f"  code {entry['code_licence']}, weights {entry['weights_licence']}: {use}")


def planners(*, json: options.Json = False) -> None:
    """List what can plan, and what is missing for it."""
    found = {name: plugins.build("planner", name) for name in plugins.names("planner")}
    _ready({name: planner.missing(PlannerSettings()) for name, planner in found.items()}, as_json=json)


def encoders(*, json: options.Json = False) -> None:
    """List what can look at the picture, and what is missing for it."""
    found = {name: plugins.build("encoder", name) for name in plugins.names("encoder")}
    _ready({name: encoder.missing() for name, encoder in found.items()}, as_json=json)


def workflow_list(*, json: bool) -> None:
    """Print all workflows."""
    flows = [workflows.load(name) for name in workflows.names()]
    if json:
        console.answer_json([{"name": f.name, "description": f.description, "stages": _stages(f)} for f in flows])
        return
    for flow in flows:
        mark = " (default)" if flow.name == workflows.DEFAULT else ""
        console.answer(f"{flow.name}{mark}: {flow.description}")
        console.answer("  " + " > ".join(_stages(flow)))


def workflows_command(
    name: Annotated[str | None, typer.Argument(help="One workflow, by name or file.", show_default=False)] = None,
    *,
    graph: Annotated[bool, typer.Option("--graph", help="Draw the stages and what flows between them.")] = False,
    json: options.Json = False,
) -> None:
    """List the workflows, or draw one."""
    if not graph and name is None:
        workflow_list(json=json)
        return
    flow = workflows.load(name or workflows.DEFAULT)
    console.answer("\n".join(_drawing(flow) if graph else _details(flow)))


def _ready(missing: Mapping[str, Sequence[str]], *, as_json: bool) -> None:
    if as_json:
        console.answer_json([{"name": name, "missing": list(needed)} for name, needed in missing.items()])
        return
    for name, needed in missing.items():
        console.answer(f"{name}: {'ready' if not needed else 'missing: ' + '; '.join(needed)}")


def _generator(name: str) -> dict[str, Any]:
    generator = plugins.build("generator", name)
    can = generator.capabilities
    return {
        "name": name,
        "missing": list(generator.missing()),
        "kinds": sorted(can.kinds),
        "rate_hz": can.rate_hz,
        "channels": can.channels,
        "rank": can.rank,
        "hit_exact": can.hit_exact,
        "needs_gpu": can.needs_gpu,
        "code_licence": can.code_licence,
        "weights_licence": can.weights_licence,
        "commercial": can.commercial,
    }


def _conditions(licence_id: str) -> str:
    """Return what a licence asks for and where it gives no rights, to be read after what it allows."""
    known = licences.licence(licence_id)
    excluded = f"no rights in {', '.join(known.excluded)}" if known.excluded else ""
    said = "; ".join(filter(None, (known.conditions, excluded)))
    return f" ({said})" if said else ""


def _stages(flow: workflows.Workflow) -> list[str]:
    return [step.stage.name for step in flow.steps]


def _details(flow: workflows.Workflow) -> list[str]:
    lines = [f"{flow.name}: {flow.description}"]
    return lines + [f"  {step.stage.name}: {step.options or 'no options'}" for step in flow.steps]


def _drawing(flow: workflows.Workflow) -> list[str]:
    """Draw each stage under what it hangs on, as a Mermaid flowchart, which documents and code hosts show."""
    makers: dict[type, str] = {}
    lines = ["flowchart TD"]
    for step in flow.steps:
        stage = step.stage
        lines.append(f'    {stage.name}["{stage.name} → {stage.makes.__name__}"]')
        lines += [
            f"    {makers.get(kind, kind.__name__)} -- {kind.__name__} --> {stage.name}"
            if kind in makers
            else f"    {kind.__name__}([{kind.__name__}]) --> {stage.name}"
            for kind in stage.needs
        ]
        makers[stage.makes] = stage.name
    return lines
