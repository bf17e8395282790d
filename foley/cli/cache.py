"""`foley cache`: what is kept of earlier runs, what may go, and whether it is sound."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from foley import api
from foley.cli import console, options
from foley.errors import OptionError
from foley.pipeline import eviction, storage
from foley.pipeline.eviction import Pruned, Record
from foley.pipeline.storage import Info, Verified

app = typer.Typer(
    help="See, prune and check the cache: what is kept so that nothing is made twice.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def info(*, workdir: options.Workdir = None, json: options.Json = False) -> None:
    """Say where the cache is, how large, what made it so, and since when it was not used."""
    found = storage.info(_root(workdir))
    if json:
        console.answer_json(_info_record(found))
        return
    limit = f"limit {size(found.limit_bytes)}" if found.limit_bytes is not None else f"no limit ({eviction.LIMIT})"
    console.answer(f"{found.where}: {found.records} records, {size(found.size_bytes)}; {limit}")
    for share in found.stages:
        console.answer(f"  {share.stage:<14} {share.records:>7}  {size(share.size_bytes):>10}")
    if found.oldest_use_s is not None:
        days = storage.days_since(found.oldest_use_s)
        console.answer(f"  not used for longest: {_day(found.oldest_use_s)}, {days:.0f} days ago")
    console.answer(f"  being written or left by killed runs: {size(found.unfinished_bytes)}")
    console.answer(f"  other files in this folder, which pruning leaves alone: {size(found.other_bytes)}")
    console.answer(f"  running jobs that use it: {found.jobs}; free on its disk: {size(found.free_bytes)}")


@app.command()
def prune(
    *,
    limit: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Down to this size, as 20GB; FOLEY_CACHE_LIMIT when not given.")
    ] = None,
    older_than: Annotated[
        str | None, typer.Option(metavar="AGE", help="What was not used for so long, as 30d, 12h or 2w.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that no running job needs.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    workdir: options.Workdir = None,
    json: options.Json = False,
) -> None:
    """Remove what was not used for longest, never what a running job needs; it is made again when it is wanted."""
    limit_bytes = eviction.limit_bytes(limit)
    unused_s = eviction.age_s(older_than) if older_than is not None else None
    if limit_bytes is None and unused_s is None and not everything:
        raise OptionError(
            "it is not said what to remove",
            hint=f"give --limit 20GB, --older-than 30d or --all, or set {eviction.LIMIT}",
        )
    done = storage.prune(
        _root(workdir), limit_bytes=limit_bytes, unused_s=unused_s, everything=everything, dry_run=dry_run
    )
    if json:
        console.answer_json(_pruned_record(done, dry_run=dry_run))
        return
    would = "would be removed" if dry_run else "removed"
    console.answer(f"{_records(done.removed)} {would}; {_records(done.kept)} stay")
    if done.in_use:
        console.say(f"{done.in_use} of those that stay may be needed by running jobs")


@app.command()
def verify(*, workdir: options.Workdir = None, json: options.Json = False) -> None:
    """Read every record and compare it with what was written; remove what is broken and what killed runs left."""
    found = storage.verify(_root(workdir))
    if json:
        console.answer_json(_verified_record(found))
        return
    console.answer("1 record is sound" if found.sound == 1 else f"{found.sound} records are sound")
    for record in found.broken:
        console.answer(f"  removed, was broken: {record.folder}")
    if found.orphaned:
        console.answer(f"  {_records(found.orphaned)} removed: they name records that are gone")
    for record in found.spared:
        console.answer(f"  left, though broken, because a running job may be reading it: {record.folder}")
    if found.foreign:
        console.answer(f"  {_records(found.foreign)} of another release of foley, left in place")
    if found.leftovers:
        console.answer(f"  {found.leftovers} leftovers of killed runs removed, {size(found.leftover_bytes)}")


def _root(workdir: Path | None) -> Path:
    return (workdir or api.default_workdir()).resolve()


def size(length_bytes: float) -> str:
    """Return a size as people read it.

    >>> size(999), size(20_000_000_000)
    ('999 B', '20.0 GB')
    """
    for unit, least in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if length_bytes >= least:
            return f"{length_bytes / least:.1f} {unit}"
    return f"{length_bytes:.0f} B"


def _records(found: tuple[Record, ...]) -> str:
    plural = "" if len(found) == 1 else "s"
    return f"{len(found)} record{plural}, {size(eviction.total_bytes(found))}"


def _day(moment_s: float) -> str:
    return datetime.fromtimestamp(moment_s, tz=UTC).astimezone().date().isoformat()


def _info_record(found: Info) -> dict[str, Any]:
    oldest = found.oldest_use_s
    used = None if oldest is None else datetime.fromtimestamp(oldest, tz=UTC).isoformat(timespec="seconds")
    plain = {**dataclasses.asdict(found), "where": str(found.where), "oldest_use": used}
    del plain["oldest_use_s"]
    return plain


def _pruned_record(done: Pruned, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "removed": len(done.removed),
        "removed_bytes": eviction.total_bytes(done.removed),
        "kept": len(done.kept),
        "kept_bytes": eviction.total_bytes(done.kept),
        "in_use": done.in_use,
    }


def _verified_record(found: Verified) -> dict[str, Any]:
    return {
        "sound": found.sound,
        "broken": [str(record.folder) for record in found.broken],
        "orphaned": [str(record.folder) for record in found.orphaned],
        "spared": [str(record.folder) for record in found.spared],
        "foreign": [str(record.folder) for record in found.foreign],
        "leftovers": found.leftovers,
        "leftover_bytes": found.leftover_bytes,
    }
