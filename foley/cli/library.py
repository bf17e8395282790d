"""`foley library`: index the user's own recordings, and look for one."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any

import typer

from foley.cli import console, options
from foley.errors import FoleyError
from foley.library import indexing
from foley.library.meaning import add_meaning
from foley.library.reading import Outcome, shown
from foley.library.search import Match, Query, search
from foley.library.store import Store, location

app = typer.Typer(
    help="Index folders of your own recordings, which the generator `library` then plays.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

HEARING = "foley.render.hearing"
"""Loaded by name: the command line does not hang on torch."""

SHOWN_EVERY = 1000
"""Files between two lines of progress."""

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A folder of recordings.", show_default=False)]


@app.command()
def add(
    folder: Folder,
    *,
    licence: Annotated[
        str, typer.Option(help="Of all recordings in it, as CC0-1.0, CC-BY-4.0 or own; unknown when not given.")
    ] = "",
    licence_file: Annotated[
        Path | None, typer.Option(help="Lines of PATTERN: LICENCE, as doors/*: CC-BY-4.0; the first that fits holds.")
    ] = None,
    clap: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Find recordings by meaning too, with this CLAP: a name, hub id or folder."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Index DIR and all in it, or what has changed in it since; the recordings stay where they are."""
    licences = indexing.licences_from(_read(licence_file)) if licence_file else None
    with Store(location(), create=True) as store:
        outcome = indexing.add(store, folder, licence=licence, licences=licences, progress=_progress)
        if clap is not None:
            heard: Any = importlib.import_module(HEARING).Hearing(clap)
            add_meaning(store, heard.identity(), len(heard.text("a sound")), heard.recording, progress=_progress)
        total = store.count()
    if json:
        console.answer_json(_record(outcome) | {"recordings": total})
        return
    _say_skipped(outcome)
    again = f", {outcome.known} of them known by their content" if outcome.known else ""
    console.answer(
        f"{outcome.added} added, {outcome.changed} changed{again}, {outcome.unchanged} as they were: "
        f"{total} recordings in the library"
    )


@app.command("list")
def list_folders(*, json: options.Json = False) -> None:
    """List the folders in the library, how many recordings each holds, and under which licences."""
    with Store(location(), create=True) as store:
        found = [_folder(store, path) for (path,) in store.rows.execute("SELECT path FROM folders ORDER BY path")]
    if json:
        console.answer_json({"index": str(location()), "folders": found})
        return
    for one in found:
        licences = ", ".join(f"{name} {count}" for name, count in one["licences"].items())
        skipped = f"; {one['skipped']} cannot be used" if one["skipped"] else ""
        console.answer(f"{one['path']}: {one['recordings']} recordings ({licences or 'none'}){skipped}")
    if not found:
        console.say("nothing is indexed yet: foley library add DIR")


@app.command("search")
def search_words(
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="What is heard.", show_default=False)],
    *,
    ucs: Annotated[str, typer.Option(help="CatID of the Universal Category System, as DOORWood.")] = "",
    count: Annotated[int, typer.Option(help="The most that are listed.", min=1)] = 10,
    json: options.Json = False,
) -> None:
    """Find recordings by words, the best first: name, metadata, folders and UCS class are looked at."""
    with Store(location()) as store:
        found = search(store, Query(" ".join(words), ucs), count=count)
    if json:
        console.answer_json([_match(match) for match in found])
        return
    for match in found:
        said = f"{match.features['duration_s']:.1f} s, {match.features['hits']:.0f} hits"
        loop = f", {match.features['loop_s']:.0f} s go on evenly" if match.features["loop_s"] else ""
        category = f", {match.ucs}" if match.ucs else ""
        console.answer(f"{match.mark:.2f} {shown(match.path)} ({said}{loop}{category}; {match.licence})")
    if not found:
        console.say("no recording is named for that")


@app.command()
def remove(folder: Folder, *, json: options.Json = False) -> None:
    """Take DIR out of the library; the recordings stay where they are."""
    with Store(location()) as store:
        outcome = indexing.remove(store, folder)
    if json:
        console.answer_json(_record(outcome))
    else:
        console.answer(f"{outcome.dropped} recordings taken out")


@app.command()
def check(*, json: options.Json = False) -> None:
    """Drop recordings that are not there any more."""
    with Store(location()) as store:
        outcome = indexing.check(store)
    if json:
        console.answer_json(_record(outcome))
    else:
        console.answer(f"{outcome.dropped} dropped, {outcome.unchanged} are there")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise FoleyError(f"the licence file {path} cannot be read: {cause}") from cause


def _progress(done: int, name: str) -> None:
    if done % SHOWN_EVERY < indexing.BATCH:
        console.say(f"{done} files looked at, last {shown(name)}")


def _say_skipped(outcome: Outcome) -> None:
    for reason, count in sorted(outcome.skipped.items()):
        example = outcome.examples[reason]
        console.say(f"skipped: {example} {reason}" + (f", and {count - 1} more" if count > 1 else ""))


def _record(outcome: Outcome) -> dict[str, Any]:
    return {
        "added": outcome.added,
        "changed": outcome.changed,
        "known": outcome.known,
        "unchanged": outcome.unchanged,
        "dropped": outcome.dropped,
        "skipped": dict(outcome.skipped),
    }


def _folder(store: Store, path: bytes) -> dict[str, Any]:
    said = store.rows.execute("SELECT licence, count(*) FROM files WHERE folder = ? GROUP BY licence", (path,))
    licences = {str(name): int(count) for name, count in said.fetchall()}
    skipped = store.rows.execute("SELECT count(*) FROM skipped WHERE folder = ?", (path,)).fetchone()[0]
    return {
        "path": shown(path),
        "recordings": sum(licences.values()),
        "licences": licences,
        "skipped": int(skipped),
    }


def _match(match: Match) -> dict[str, Any]:
    return {
        "path": shown(match.path),
        "mark": round(match.mark, 3),
        "title": match.title,
        "ucs": match.ucs,
        "licence": match.licence,
        "features": {name: round(value, 3) for name, value in match.features.items()},
    }
