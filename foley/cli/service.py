"""Working for other programs: `foley serve` and `foley watch`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from foley import api
from foley.cli import console, options
from foley.errors import ServiceError
from foley.pipeline import workflow as workflows

MINUTE_S = 60.0

AllowModels = Annotated[
    bool, typer.Option("--allow-models", help="Let jobs name models, programs and services themselves.")
]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")]
TokenFile = Annotated[
    Path | None, typer.Option(help="Where the token lies; made at the first start. In the service's folder else.")
]
RootFolders = Annotated[
    list[Path] | None, typer.Option("--root", metavar="DIR", help="Folder whose files jobs may name; may be repeated.")
]
Origins = Annotated[
    list[str] | None, typer.Option(metavar="ORIGIN", help="From which a panel's or browser's pages may call.")
]
Hosts = Annotated[list[str] | None, typer.Option(metavar="NAME", help="Another name that the service is reached by.")]
MetricsOpen = Annotated[bool, typer.Option("--metrics-open", help="Tell /metrics to who has no token, too.")]
Workers = Annotated[int, typer.Option(min=1, max=256, metavar="N", help="How many are done at once.")]
MaxQueued = Annotated[int, typer.Option(min=1, help="The most jobs that may wait.")]
MaxUpload = Annotated[int, typer.Option(min=1, metavar="MB", help="The longest clip that may be sent.")]
MaxJob = Annotated[float | None, typer.Option(min=0.01, metavar="MIN", help="A job that takes longer is ended.")]
MaxClip = Annotated[float | None, typer.Option(min=0.001, metavar="MIN", help="A longer clip is refused.")]
MaxMemory = Annotated[
    int | None, typer.Option(min=1, metavar="MB", help="A job that uses more, with its programs, is ended (Linux).")
]
MinFree = Annotated[int, typer.Option(min=0, metavar="MB", help="With less free on the disk, no job is begun.")]
KeepDays = Annotated[
    float | None,
    typer.Option(min=0.0, metavar="D", help="Forget jobs, and what lies in their own folders, after that."),
]
Drain = Annotated[float, typer.Option(min=0.0, metavar="S", help="How long SIGTERM waits for the jobs that run.")]
LogJson = Annotated[bool, typer.Option("--log-json", help="Lines of JSON on standard error.")]
LogFile = Annotated[Path | None, typer.Option(help="Lines of JSON into a file besides.")]
LogPrompts = Annotated[bool, typer.Option("--log-prompts", help="Let the lines hold prompts.")]


def serve(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8723,
    token_file: TokenFile = None,
    root: RootFolders = None,
    allow_origin: Origins = None,
    allow_host: Hosts = None,
    metrics_open: MetricsOpen = False,
    workers: Workers = 1,
    max_queued: MaxQueued = 1000,
    max_upload_mb: MaxUpload = 20_000,
    max_job_minutes: MaxJob = None,
    max_clip_minutes: MaxClip = None,
    max_memory_mb: MaxMemory = None,
    min_free_mb: MinFree = 512,
    keep_days: KeepDays = None,
    drain_s: Drain = 0.0,
    log_json: LogJson = False,
    log_file: LogFile = None,
    log_prompts: LogPrompts = False,
    allow_models: AllowModels = False,
    workflow: options.WorkflowName = workflows.DEFAULT,
    workdir: options.Workdir = None,
) -> None:
    """Take jobs over HTTP on this machine, for editors and other programs, until it is ended."""
    from foley.service import limits, logs, server, work

    workflows.load(workflow)  # refused now, not with the first job
    cache = workdir or api.default_workdir()
    most = limits.Limits(_seconds(max_job_minutes), _bytes(max_memory_mb), _seconds(max_clip_minutes))
    serving = server.Serving(
        work.Rules(cache, workflow, allow_models, most),
        cache / "service",
        tuple(root or ()),
        server.Listening(host, port, token_file, tuple(allow_host or ()), tuple(allow_origin or ()), metrics_open),
        server.Capacity(workers, max_queued, max_upload_mb << 20, min_free_mb << 20, keep_days, drain_s),
        logs.Logging(log_json, log_file, log_prompts),
        _debug(),
    )
    server.serve(serving, say=_say, tell_address=_tell)


def _seconds(minutes: float | None) -> float | None:
    return None if minutes is None else minutes * MINUTE_S


def _bytes(megabytes: int | None) -> int | None:
    return None if megabytes is None else megabytes << 20


def _debug() -> bool:
    """Return whether tracebacks are wanted; the root command has taken the option off the arguments."""
    return "--debug" in sys.argv


def _say(text: str) -> None:
    console.say(f"foley: {text}")


def _tell(address: str) -> None:
    """Print the address: programs that started the service read it."""
    console.answer(address)
    sys.stdout.flush()


def watch(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that clips land in.", show_default=False)],
    *,
    settle: Annotated[float, typer.Option(min=0.0, metavar="S", help="A clip unchanged for so long is whole.")] = 5.0,
    poll: Annotated[float, typer.Option(min=0.05, metavar="S", help="How often the folder is looked at.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Do what is there and end, as for cron.")] = False,
    workers: Workers = 1,
    max_job_minutes: MaxJob = None,
    max_clip_minutes: MaxClip = None,
    max_memory_mb: MaxMemory = None,
    log_json: LogJson = False,
    log_file: LogFile = None,
    log_prompts: LogPrompts = False,
    allow_models: AllowModels = False,
    workflow: options.WorkflowName = workflows.DEFAULT,
    workdir: options.Workdir = None,
) -> None:
    """Give every clip that lands in DIR its sound; results come into DIR/done, what fails into DIR/failed."""
    from foley.service import limits, logs, watch_folder, work

    workflows.load(workflow)  # refused now, not with the first clip
    most = limits.Limits(_seconds(max_job_minutes), _bytes(max_memory_mb), _seconds(max_clip_minutes))
    rules = work.Rules(workdir or api.default_workdir(), workflow, allow_models, most)
    logging = logs.Logging(log_json, log_file, log_prompts)
    watching = watch_folder.Watching(folder, rules, settle, poll, once, workers, logging, _debug())
    tally = watch_folder.watch(watching, say=_say)
    if tally.failed:
        raise ServiceError(f"{tally.failed} clips failed", hint=f"{folder}/failed says why")
