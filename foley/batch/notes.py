"""What is noted beside a finished video, so that a batch that was ended, however it was, knows what is done.

The note `request.json` in CLIP.foley says which request the folder is for: a content key of the video and all that is
asked for it. It is written before the work begins, with a fingerprint of what lay at the output's place then; the
manifest tells whether the video that lies there now is the one that the folder was written for. So there is no moment
at which a kill makes finished work look unfinished, or the other way round.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from foley import api
from foley.analysis.hints import SIDECAR_SUFFIXES
from foley.analysis.probe import content_key
from foley.api import Settings
from foley.batch.items import Item
from foley.deliver import outputs
from foley.errors import NotAMediaFileError
from foley.model import Destination
from foley.pipeline.workflow import Workflow
from foley.version import __version__

NOTE = "request.json"
SCHEMA = "foley.request/1"

UNHEARD_OPTIONS = frozenset({"workers", "batch", "time_limit_s"})
"""Options that change how quickly the sound is made, but not the sound."""

MOST_KNOWN = 256
"""Different settings whose options are kept in mind."""

_KNOWN: dict[tuple[object, ...], str] = {}


def identified(item: Item) -> Item:
    """Return the item with the content key of its request.

    Raises:
        NotAMediaFileError: where the video or a file that belongs to it cannot be read.
        WorkflowError: where the workflow or an option is none.
    """
    if item.request:
        return item
    brief = item.brief
    asked = (
        __version__,
        _key(item.video),
        [_key(path) for path in (brief.subtitles, brief.cue_sheet) if path],
        [(path.name, _key(path)) for path in _sidecars(item.video) if not brief.subtitles],
        (brief.prompt, brief.seed, brief.generator),
        _asked_of_stages(item.settings),
        item.exports,
    )
    return replace(
        item, request=hashlib.blake2b(repr(asked).encode(errors="surrogatepass"), digest_size=16).hexdigest()
    )


def _key(path: Path) -> str:
    try:
        return content_key(path)
    except OSError as cause:
        raise NotAMediaFileError(path, (cause.strerror or str(cause)).lower(), hint="check its name") from cause


def _asked_of_stages(settings: Settings) -> str:
    """Return all options of all stages, defaults included; read once for rows that say the same."""
    said = (settings.workflow, repr(settings.options), settings.loudness, settings.replace_audio)
    if said not in _KNOWN:
        if len(_KNOWN) >= MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN[said] = repr(list(_options(api.flow_of(settings))))
    return _KNOWN[said]


def _options(flow: Workflow) -> Iterator[tuple[str, int, str]]:
    for step in flow.steps:
        fields = getattr(step.options, "__slots__", ())
        said = [(name, getattr(step.options, name)) for name in fields if name not in UNHEARD_OPTIONS]
        yield step.stage.name, step.stage.version, repr(said)


def _sidecars(video: Path) -> list[Path]:
    """Return the subtitles beside a clip: planning may read one of them."""
    found = _subtitles_in(video.parent)
    return [path for path in found if path.name.startswith(f"{video.stem}.")]


@lru_cache(maxsize=16)
def _subtitles_in(folder: Path) -> tuple[Path, ...]:
    with suppress(OSError):
        return tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in SIDECAR_SUFFIXES))
    return ()


def read(folder: Path) -> dict[str, Any]:
    """Return the note in a folder; empty where there is none that can be read."""
    try:
        note = json.loads((folder / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) and note.get("schema") == SCHEMA else {}


def is_noted(item: Item) -> bool:
    """Return whether the item's folder says what it was made for: then it is worth reading the video for its key."""
    return bool(read(api.destination(item.video, item.output).folder))


def write(folder: Path, note: Mapping[str, Any]) -> None:
    """Write the note.

    Raises:
        OutputError: where that is not possible.
    """
    outputs.write_text(folder / NOTE, json.dumps({"schema": SCHEMA, **note}) + "\n")


def begin(item: Item, to: Destination) -> None:
    """Note what is about to be made, and what lies at its place now."""
    write(to.folder, {"request": item.request, "before": _print(to.video)})


def take_back(to: Destination, earlier: Mapping[str, Any]) -> None:
    """Leave the folder as it was before an attempt that failed at once: with its earlier note, or not there."""
    with suppress(OSError):
        if earlier:
            write(to.folder, {name: value for name, value in earlier.items() if name != "schema"})
            return
        (to.folder / NOTE).unlink(missing_ok=True)
        to.folder.rmdir()  # only where nothing else is in it


def is_made(item: Item, to: Destination) -> bool:
    """Return whether the video at the output's place was made for this very request."""
    note = read(to.folder)
    if note.get("request") != item.request or not to.video.is_file() or not outputs.is_ours(to):
        return False
    return bool(note.get("done")) or note.get("before") != _print(to.video)


def _print(video: Path) -> str:
    with suppress(OSError):
        return outputs.fingerprint(video)
    return ""
