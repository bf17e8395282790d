"""Listening before deciding: `foley sound` and `foley takes`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foley import auditions
from foley.cli import console, options
from foley.errors import OptionError
from foley.model import Kind
from foley.pipeline import workflow as workflows

KINDS: tuple[Kind, ...] = ("hits", "span", "bed")


def sound(
    context: typer.Context,
    words: Annotated[str, typer.Argument(help='What is heard: "a heavy wooden door slams".', show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file; its suffix says how it is coded.")],
    *,
    kind: Annotated[str | None, typer.Option(help="hits, span or bed; as it usually is when not given.")] = None,
    length: Annotated[float | None, typer.Option(metavar="S", help="How long its cause lasts, in seconds.")] = None,
    count: Annotated[int, typer.Option(help="How many takes; their files are numbered.")] = 1,
    seed: options.Seed = 0,
    generator: options.Generator = options.AUTO,
    model: options.Model = None,
    licence: options.Licence = None,
    region: options.Region = None,
    device: options.Device = None,
    max_vram: options.MaxVram = None,
    candidates: options.Candidates = None,
    overwrite: options.Overwrite = False,
    set_option: options.SetOption = None,
    workdir: options.Workdir = None,
    json: options.Json = False,
) -> None:
    """Make one sound alone, without a video."""
    chosen = next((one for one in KINDS if one == kind), None)
    if kind is not None and chosen is None:
        raise OptionError(f"--kind must be {', '.join(KINDS)}, got {kind!r}")
    with console.progress() as show:
        settings = options.settings(_params(context, generator), show)
        made = auditions.sound(words, output, kind=chosen, length_s=length, count=count, seed=seed, settings=settings)
    if json:
        files = [str(file) for file in made.files]
        console.answer_json(
            {"files": files, "label": made.event.label, "generator": made.generator, "notes": list(made.notes)}
        )
        return
    console.say(f"{made.event.label}, by {made.generator}")
    for note in made.notes:
        console.say(f"  note: {note}")
    for file in made.files:
        console.answer(str(file))


def takes(
    context: typer.Context,
    event: Annotated[str, typer.Argument(help="Id of an event of the plan, or how it begins.", show_default=False)],
    plan: Annotated[
        Path | None, typer.Option(help="The plan; when not given, the one in this folder or in its only .foley folder.")
    ] = None,
    *,
    count: Annotated[int, typer.Option(help="How many takes, the present one among them.")] = 6,
    pick: Annotated[int | None, typer.Option(help="Write this take of an earlier audition into the plan.")] = None,
    generator: Annotated[
        list[str] | None, typer.Option(help="Who makes them; several take turns; see: foley generators.")
    ] = None,
    model: options.Model = None,
    licence: options.Licence = None,
    region: options.Region = None,
    device: options.Device = None,
    max_vram: options.MaxVram = None,
    candidates: options.Candidates = None,
    set_option: options.SetOption = None,
    workdir: options.Workdir = None,
    json: options.Json = False,
) -> None:
    """Make other takes of EVENT and a page to compare them; or write one of them into the plan."""
    path = plan or _plan_here()
    if pick is not None:
        _keep(path, event, pick, as_json=json)
        return
    named = generator or []
    with console.progress() as show:
        settings = options.settings(_params(context, options.AUTO if len(named) != 1 else named[0], turns=True), show)
        made = auditions.takes(path, event, count=count, generators=named, settings=settings)
    if json:
        listed = [
            {"take": one.number, "seed": one.seed, "generator": one.generator, "file": str(one.file)}
            for one in made.takes
        ]
        console.answer_json({"event": made.event.id, "page": str(made.page), "takes": listed})
        return
    console.say(f"{len(made.takes)} takes of {made.event.id}; keep one with: foley takes {made.event.id} --pick NUMBER")
    console.answer(str(made.page))


def _keep(plan: Path, event: str, take: int, *, as_json: bool) -> None:
    """Write a take of an earlier audition into the plan, and say so."""
    kept = auditions.pick(plan, event, take)
    if as_json:
        console.answer_json({"event": kept.id, "seed": kept.seed, "generator": kept.generator})
        return
    console.say(f"{kept.id}: seed {kept.seed}, {kept.generator}; foley render {plan} makes it heard")


def _params(context: typer.Context, generator: str, *, turns: bool = False) -> dict[str, object]:
    """Return a command's options for `options.settings`: there is no workflow to choose.

    Args:
        context: Of the command.
        generator: The one that is named.
        turns: Events name their generators themselves.
    """
    named = [] if turns or generator == options.AUTO else [f"takes.generator={generator}"]
    chosen = [*named, *(context.params.get("set_option") or ())]
    return {**context.params, "generator": generator, "set_option": chosen, "workflow": workflows.DEFAULT}


def _plan_here() -> Path:
    """Return the plan in the folder that one is in, or in the only .foley folder there."""
    here = Path("plan.yaml")
    found = [here] if here.is_file() else sorted(Path().glob("*.foley/plan.yaml"))
    if len(found) == 1:
        return found[0]
    what = "several plans are here" if found else "no plan is here"
    raise OptionError(what, hint="name it: --plan CLIP.foley/plan.yaml")
