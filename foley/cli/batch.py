"""Many videos: `foley batch`."""

from __future__ import annotations

import dataclasses
import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foley.cli import console, options
from foley.model import Brief
from foley.pipeline import workflow as workflows
from foley.units import clock

if TYPE_CHECKING:
    from foley.batch import Batch, Item, Listener, Options

SUMMARY = "batch.json"

ON_CLUSTER = "foley.batch.on_cluster"
"""Loaded by name: it holds models, and the command line does not hang on torch."""

ESTIMATE = "foley.batch.estimate"
"""Loaded by name: it asks generators, which may hang on torch."""

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT...",
        help="Videos, folders, patterns, manifests (.csv, .jsonl, .yaml), or - for a list on standard input.",
        show_default=False,
    ),
]


OutputFolder = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FOLDER", help="Folder of all results; beside each video if not given."),
]
Exports = Annotated[
    list[str] | None, typer.Option("--export", metavar="FORMAT", help="Write timelines too; see: foley exporters.")
]
Jobs = Annotated[int, typer.Option("-j", "--jobs", min=0, help="Videos at once; 0: one a core, as far as memory goes.")]
Retry = Annotated[int, typer.Option(min=0, metavar="N", help="How often what may help is tried again.")]
Timeout = Annotated[float, typer.Option(min=0, metavar="S", help="The longest that a video may take.")]
StageTimeout = Annotated[float, typer.Option(min=0, metavar="S", help="The longest that a stage of it may take.")]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="End with the first failure.")]
Strict = Annotated[bool, typer.Option("--strict", help="A clip that does not pass its quality check counts as failed.")]
SummaryFile = Annotated[
    Path | None,
    typer.Option("--summary", metavar="FILE", help="Where the summary goes; batch.json beside all else if not given."),
]
Cluster = Annotated[
    str | None,
    typer.Option("--cluster", metavar="ADDRESS", help="On Ray: auto, local, ray://HOST:PORT, or a cluster file."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would take: an estimate; do nothing.")]
JsonLines = Annotated[bool, typer.Option("--json", help="Print what happens as JSON, a line each.")]


def batch(
    context: typer.Context,
    inputs: Inputs,
    *,
    prompt: options.Prompt = "",
    encoder: options.Encoder = None,
    planner: options.Planner = None,
    device: options.Device = None,
    seed: options.Seed = 0,
    generator: options.Generator = options.AUTO,
    model: options.Model = None,
    licence: options.Licence = None,
    region: options.Region = None,
    max_vram: options.MaxVram = None,
    candidates: options.Candidates = None,
    output: OutputFolder = None,
    export: Exports = None,
    overwrite: options.Overwrite = False,
    loudness: options.Loudness = None,
    replace_audio: options.ReplaceAudio = None,
    jobs: Jobs = 0,
    retry: Retry = 1,
    timeout: Timeout = 0.0,
    stage_timeout: StageTimeout = 0.0,
    fail_fast: FailFast = False,
    strict: Strict = False,
    summary: SummaryFile = None,
    cluster: Cluster = None,
    dry_run: DryRun = False,
    workflow: options.WorkflowName = workflows.DEFAULT,
    set_option: options.SetOption = None,
    workdir: options.Workdir = None,
    json: JsonLines = False,
) -> None:
    """Give many videos their sound; what is done already is not done again.

    Ends with 0 when all are done, 12 when some failed, 13 when none was done.
    """
    items, chosen = _asked(context.params)
    if dry_run:
        _tell_estimate(items, jobs, as_json=json)
    else:
        _finish(_done(items, chosen, cluster, as_json=json), chosen, as_json=json)


def _asked(params: Mapping[str, Any]) -> tuple[list[Item], Options]:
    """Return what there is to do, and how; everything is refused here that is wrong with all of it."""
    from foley import batch as batches

    workflows.load(params["workflow"])  # now, not with the first video
    brief = Brief(params["prompt"], seed=params["seed"], generator=params["generator"])
    exports = tuple(params["export"] or ())
    defaults = batches.Defaults(brief, options.settings(params), params["output"], exports)
    chosen = batches.Options(
        jobs=params["jobs"],
        retries=params["retry"],
        timeout_s=params["timeout"],
        stage_timeout_s=params["stage_timeout"],
        fail_fast=params["fail_fast"],
        strict=params["strict"],
        summary=params["summary"] or _summary(params["inputs"], params["output"]),
    )
    return batches.read_rows(params["inputs"], defaults, stdin=sys.stdin), chosen


def _summary(inputs: Sequence[str], output: Path | None) -> Path:
    """Return where the summary goes: with the results, else beside the only manifest or folder, else here."""
    from foley.batch.rows import MANIFESTS

    if output is not None:
        return output / SUMMARY
    only = Path(inputs[0]) if len(inputs) == 1 else Path("-")
    if only.suffix.lower() in MANIFESTS and only.is_file():
        return only.with_name(f"{only.stem}.{SUMMARY}")
    return only / SUMMARY if only.is_dir() else Path(SUMMARY)


def _done(items: Sequence[Item], chosen: Options, cluster: str | None, *, as_json: bool) -> Batch:
    from foley.cli import batch_table

    if as_json:
        return _run(items, chosen, cluster, batch_table.JsonLines())
    if not sys.stderr.isatty():
        return _run(items, chosen, cluster, batch_table.PlainLines(len(items)))
    with batch_table.live(len(items)) as table:
        return _run(items, chosen, cluster, table)


def _run(items: Sequence[Item], chosen: Options, cluster: str | None, listener: Listener) -> Batch:
    """Do all on this machine, or where a cluster is named on that."""
    from foley import batch as batches

    if cluster is None:
        return batches.run(items, chosen, listener)
    from foley.pipeline.cluster import config

    done: Batch = importlib.import_module(ON_CLUSTER).run(items, config.load(cluster), chosen, listener)
    return done


def _finish(done: Batch, chosen: Options, *, as_json: bool) -> None:
    from foley.batch.summary import page_of
    from foley.cli import batch_table

    assert chosen.summary is not None
    if as_json:
        batch_table.line({"event": "end", "exit_code": done.exit_code, "counts": done.counts(), **_places(chosen)})
    else:
        for item, outcome in zip(done.items, done.outcomes, strict=True):
            if outcome.problem and outcome.state == "failed":
                console.say(f"  failed: {batch_table.shown(item)}: {batch_table.short(outcome.problem.message)}")
        console.say(_told(done))
        console.say(f"  page: {page_of(chosen.summary)}")
        console.answer(str(chosen.summary))
    if done.exit_code:
        raise typer.Exit(done.exit_code)


def _places(chosen: Options) -> dict[str, str]:
    from foley.batch.summary import page_of

    assert chosen.summary is not None
    return {"summary": str(chosen.summary), "page": str(page_of(chosen.summary))}


def _told(done: Batch) -> str:
    counts = done.counts()
    before = f" ({counts['known']} before)" if counts["known"] else ""
    judged = ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("pass", "warn", "fail") if counts[verdict])
    return (
        f"{done.done} of {len(done.items)} done{before} in {clock(done.seconds)[:-4]}{f'; {judged}' if judged else ''}"
    )


def _tell_estimate(items: Sequence[Item], jobs: int, *, as_json: bool) -> None:
    from foley.cli import batch_table

    estimate: Any = importlib.import_module(ESTIMATE)
    found = estimate.estimated(items, jobs)
    if as_json:
        unusable = [
            {"input": str(item.video), "row": item.row, "error": problem.message} for item, problem in found.unusable
        ]
        about = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
        batch_table.line({"event": "estimate", **about, "unusable": unusable})
        return
    for item, problem in found.unusable:
        console.say(f"  cannot be done: {batch_table.shown(item)}: {batch_table.short(problem.message)}")
    for text in _estimate_lines(found):
        console.answer(text)


def _estimate_lines(found: Any) -> list[str]:
    usable = found.videos - len(found.unusable) - found.known
    before = f"; {found.known} are done already" if found.known else ""
    time = "not known: nobody measured a model" if found.wall_s is None else f"about {clock(found.wall_s)[:-4]}"
    full = f"; {found.missing_mb} MB TOO FEW" if found.missing_mb else ""
    return [
        f"{usable} of {found.videos} videos, {clock(found.film_s)[:-4]} of film{before}; the rest is an estimate",
        f"time: {time}, {found.jobs} at once; work for one core: {clock(found.work_s)[:-4]}",
        f"memory: up to {found.memory_mb} MB",
        f"disk: {found.output_mb} MB of results, {found.cache_mb} MB of cache; {found.free_mb} MB are free{full}",
        f"cost: {found.cost or 'none: no service is asked'}",
        *(f"model {text}" for text in found.models),
    ]
