"""What a worker does for one job; begun again after a kill, it knows a result that was finished already."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foley import api, exchange, plugins
from foley.deliver import outputs
from foley.errors import FoleyError, OptionError, UnknownPluginError
from foley.model import Brief
from foley.pipeline import workflow as workflows
from foley.pipeline.runner import StageProgress
from foley.service.limits import ClipTooLongError, Limits
from foley.service.messages import Ask, Problem, Progress, Result, Task

BEGUN = "begun.json"
"""Holds what lay at the output's place before the job was first begun."""

ANY_GENERATOR = "auto"
ALL = "all"
"""Every exporter that is installed."""

NAMING_OPTIONS = (
    *("takes.models", "takes.fallback", "looks.model", "looks.encoder", "propose.model", "propose.endpoint"),
    *("propose.planner", "separate.separator", "deliver.c2pa_certificate", "deliver.c2pa_key"),
    *("deliver.c2pa_timestamps",),
)
"""Options that can name a program to run, a file or folder to read, or an address to send something to."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the one who runs the service decides for all jobs."""

    workdir: Path
    """The cache folder."""
    workflow: str = workflows.DEFAULT
    """For jobs that name none."""
    allow_models: bool = False
    """Jobs may name models, programs and services themselves, see `NAMING_OPTIONS`."""
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Order:
    """One job, as a worker is given it."""

    ask: Ask
    video: Path
    output: Path
    """The finished video, named to the end."""
    folder: Path
    """The job's own, for notes of how far it came."""
    rules: Rules
    task: Task = "run"


def check(ask: Ask, rules: Rules) -> None:
    """Refuse, before any work, what no worker could do.

    Raises:
        WorkflowError: naming the field and what it takes.
    """
    if ask.workflow and ask.workflow not in workflows.names():  # a file's name would let any file be read
        raise UnknownPluginError("workflow", ask.workflow, workflows.names())
    if ask.generator != ANY_GENERATOR and ask.generator not in plugins.names("generator"):
        raise UnknownPluginError("generator", ask.generator, plugins.names("generator"))
    for name in ask.exports:
        if name not in (ALL, *plugins.names("exporter")):
            raise UnknownPluginError("exporter", name, (*plugins.names("exporter"), ALL))
    if not rules.allow_models:
        _refuse_naming(ask.options)
    api.flow_of(settings_of(ask, rules))


def _refuse_naming(options: Mapping[str, Mapping[str, Any]]) -> None:
    for name in NAMING_OPTIONS:
        stage, _, option = name.partition(".")
        if option in options.get(stage, {}):
            raise OptionError(f"{name} may not be set by a job", hint="whoever runs the service adds --allow-models")


def settings_of(
    ask: Ask, rules: Rules, on_progress: Callable[[StageProgress], None] | None = None, *, overwrite: bool = False
) -> api.Settings:
    """Return what is asked for as the settings of a run."""
    options = {stage: dict(values) for stage, values in ask.options.items()}
    if ask.loudness:
        options.setdefault("master", {})["loudness"] = ask.loudness
    return api.Settings(
        workflow=ask.workflow or rules.workflow,
        workdir=rules.workdir,
        overwrite=overwrite or ask.overwrite,
        replace_audio={"": None, "keep": False, "replace": True}[ask.original],
        options=options,
        on_progress=on_progress,
    )


def perform(order: Order, on_progress: Callable[[Progress], None]) -> Result:
    """Do one job.

    Raises:
        FoleyError: each kind of failure its own class, see `foley.errors`.
    """
    to = api.destination(order.video, order.output)
    ask = order.ask
    brief = Brief(ask.prompt, _path(ask.subtitles), _path(ask.cue_sheet), ask.seed, ask.generator)
    settings = settings_of(ask, order.rules, lambda now: on_progress(_progress(now)))
    _refuse_long(order, settings)
    if order.task == "plan":
        made = api.plan(order.video, brief=brief, output=order.output, settings=settings)
        return Result("", str(made.path.parent), str(made.path), len(made.plan.events), None, None, made.notes)
    if not _is_finished(order, to.video, ours=to.video.exists() and outputs.is_ours(to)):
        api.run(order.video, brief=brief, output=order.output, settings=settings)
    if ask.exports:
        exchange.export(to.folder / "plan.yaml", ask.exports, settings=settings)
    return _result(to.video, to.folder)


def _refuse_long(order: Order, settings: api.Settings) -> None:
    most_s = order.rules.limits.clip_s
    if most_s is not None and (duration_s := api.look_into(order.video, settings).duration_s) > most_s:
        raise ClipTooLongError(order.video.name, duration_s=float(duration_s), most_s=most_s)


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _is_finished(order: Order, video: Path, *, ours: bool) -> bool:
    """Return whether an earlier attempt wrote the output; else note what lies at its place now.

    The same bytes as before the first attempt tell nothing; then it is made again, mostly from the cache.
    """
    present = outputs.fingerprint(video) if video.exists() else ""
    note = order.folder / BEGUN
    try:
        before = json.loads(note.read_text(encoding="utf-8"))["before"]
    except (OSError, ValueError, KeyError, TypeError):
        outputs.write_text(note, json.dumps({"before": present}))
        return False
    return ours and present != before


def _result(video: Path, folder: Path) -> Result:
    """Return what lies there, as its report tells it: the same whoever made it."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    mix = report["loudness"]["mix"]
    return Result(
        str(video),
        str(folder),
        str(folder / "plan.yaml"),
        len(report["events"]),
        mix["integrated_lufs"],
        mix["true_peak_dbtp"] if math.isfinite(mix["true_peak_dbtp"]) else None,
        tuple(report["notes"]),
    )


def _progress(now: StageProgress) -> Progress:
    return Progress(now.stage, now.what or now.stage, now.number, now.total, (now.number - 1 + now.done) / now.total)


def problem(error: BaseException) -> Problem:
    """Return an error as it is told to others: without what only its author needs."""
    if isinstance(error, FoleyError):
        return Problem(type(error).__name__, error.message, error.hint)
    kind = type(error).__name__
    return Problem(
        "Unforeseen",
        f"this should not happen: {kind}: {error}",
        "please report it with what it says when it is started with: foley --debug",
    )
