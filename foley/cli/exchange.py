"""Into editors and back: `foley export`, `foley import`, `foley exporters`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foley import exchange, plugins
from foley.cli import console, options
from foley.pipeline import workflow as workflows


def export(
    context: typer.Context,
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan.yaml, rendered or not.", show_default=False)],
    to: Annotated[str, typer.Option("--to", metavar="FORM,...", help="Which forms; see: foley exporters. Or: all.")],
    *,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The folder; export/ beside the plan when not given.")
    ] = None,
    handles: Annotated[float, typer.Option(metavar="S", help="How far sounds reach over both ends of a clip.")] = 1.0,
    overwrite: options.Overwrite = False,
    loudness: options.Loudness = None,
    workflow: options.WorkflowName = workflows.DEFAULT,
    set_option: options.SetOption = None,
    workdir: options.Workdir = None,
    json: options.Json = False,
) -> None:
    """Write PLAN's sound as timelines for editors; unchanged sounds stay as they are there."""
    forms = [name.strip() for name in to.split(",") if name.strip()]
    with console.progress() as show:
        settings = options.settings(context.params, show)
        made = exchange.export(plan, forms, output=output, handles_s=handles, settings=settings)
    if json:
        files = {name: [str(file) for file in of] for name, of in made.files.items()}
        console.answer_json(
            {"folder": str(made.folder), "files": files, "written": list(made.written), "notes": list(made.notes)}
        )
        return
    console.say(f"{made.items} sounds, {len(made.written)} of them written anew, in {made.folder}/media/")
    for note in made.notes:
        console.say(f"  note: {note}")
    for of in made.files.values():
        for file in of:
            console.answer(str(file))


def import_edits(
    timeline: Annotated[Path, typer.Argument(help="What the editor saved.", show_default=False)],
    plan: Annotated[
        Path | None, typer.Argument(metavar="[PLAN]", help="The plan; the one it was exported from when not given.")
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    json: options.Json = False,
) -> None:
    """Bring what an editor moved, cut, muted, turned up or faded in TIMELINE back into its plan."""
    done = exchange.take_back(timeline, plan, dry_run=dry_run)
    if json:
        console.answer_json(
            {
                "plan": str(done.plan),
                "changes": list(done.changes),
                "notes": list(done.notes),
                "written": done.backup is not None,
                "backup": None if done.backup is None else str(done.backup),
            }
        )
        return
    for change in done.changes:
        console.say(f"  {change}")
    for note in done.notes:
        console.say(f"  note: {note}")
    if not done.changes:
        console.say("nothing was changed: the timeline says what the plan says")
    elif done.backup is None:
        console.say("the plan was left as it is (--dry-run)")
    else:
        console.say(f"changed and locked; as it was: {done.backup}; now: foley render {done.plan}")
    console.answer(str(done.plan))


def exporters(*, json: options.Json = False) -> None:
    """List the forms in which a timeline can be written, who reads them, and what is missing."""
    found = {name: plugins.build("exporter", name) for name in plugins.names("exporter")}
    if json:
        console.answer_json(
            [
                {
                    "name": name,
                    "about": exporter.about,
                    "reads_back": list(exporter.suffixes),
                    "missing": list(exporter.missing()),
                }
                for name, exporter in found.items()
            ]
        )
        return
    for name, exporter in found.items():
        missing = exporter.missing()
        state = "ready" if not missing else f"missing: {'; '.join(missing)}"
        back = f"; foley import reads {', '.join(exporter.suffixes)} back" if exporter.suffixes else ""
        console.answer(f"{name}: {state}")
        console.answer(f"  for {exporter.about}{back}")
