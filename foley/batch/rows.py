"""Read what a batch is given: files, folders, patterns, lists, and manifests with a row for each video."""

from __future__ import annotations

import csv
import difflib
import glob
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TextIO

import yaml

from foley import api, yamls
from foley.api import Settings
from foley.batch.items import Item
from foley.dsp.profiles import PROFILE_NAMES
from foley.errors import NotAMediaFileError, PlanError
from foley.model import Brief

MANIFESTS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".yaml", ".yml")

_STREAMED = (".mp4", ".m4v", ".mov", ".3gp", ".mkv", ".webm", ".ogv", ".flv", ".avi", ".wmv", ".gif")
_RECORDED = (".mxf", ".mpg", ".mpeg", ".m2v", ".ts", ".mts", ".m2ts", ".vob", ".dv")
VIDEOS = frozenset((*_STREAMED, *_RECORDED))
"""What is taken from a folder. Any other file is tried too where it is named."""

STDIN = "-"

INPUT_NAMES = ("input", "video", "file", "path", "clip")
"""What the column of the video may be called."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one row asks for; what is not said is as the command says it."""

    prompt: str | None = None
    output: str | None = None
    subtitles: str | None = None
    cue_sheet: str | None = None
    seed: int | None = None
    generator: str | None = None
    loudness: str | None = None
    original: str | None = None
    """keep or replace: what becomes of the clip's own sound tracks."""
    workflow: str | None = None
    overwrite: bool | None = None
    exports: tuple[str, ...] | None = None
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Options of stages; in a table, a column is called STAGE.OPTION."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for every row that does not say otherwise."""

    brief: Brief = field(default_factory=Brief)
    settings: Settings = field(default_factory=Settings)
    output: Path | None = None
    """The folder of all results; beside each video where None."""
    exports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    """A video that was named, and how."""

    video: Path
    row: Row
    where: str
    base: Path
    """What relative paths of the row count from."""
    under: Path = Path()
    """The folder below that of all results that its own go to: as it lies in a folder that was named."""


def read_rows(inputs: Sequence[str], defaults: Defaults | None = None, *, stdin: TextIO | None = None) -> list[Item]:
    """Return the items of a batch, in the order in which they are named.

    Args:
        inputs: Videos, folders (with all below them), patterns, manifests (.csv, .jsonl, .yaml), or "-" for a list
            of videos or JSON rows from `stdin`, one a line.
        defaults: What holds for every row that does not say otherwise.
        stdin: Where "-" is read from.

    Raises:
        PlanError: where a manifest cannot be understood; names the line and the field.
        NotAMediaFileError: where nothing is named, or a folder or pattern holds no video.
    """
    defaults = defaults or Defaults()
    found = [each for named in inputs for each in _found(named, stdin)]
    if not found:
        raise NotAMediaFileError(Path(" ".join(inputs) or STDIN), "no video is named there")
    return _apart([_item(number, each, defaults) for number, each in enumerate(found, start=1)], found)


def _apart(items: Sequence[Item], found: Sequence[_Found]) -> list[Item]:
    """Return items so that no two write into one folder that ask for different things, but where a row says so."""
    owners: dict[Path, Item] = {}
    apart = []
    for item, each in zip(items, found, strict=True):
        number, named = 1, item.output
        while not each.row.output and not _alike(item, owners.setdefault(_folder(item), item)):
            number += 1
            item = replace(item, output=named.with_name(f"{Path(named.stem).stem}-{number}.foley{named.suffix}"))
        owners.setdefault(_folder(item), item)
        apart.append(item)
    return apart


def _folder(item: Item) -> Path:
    return api.destination(item.video, item.output).folder.absolute()


def _alike(one: Item, other: Item) -> bool:
    def asked(item: Item) -> tuple[object, ...]:
        return item.video, item.brief, item.settings, item.exports

    return asked(one) == asked(other)


def _found(named: str, stdin: TextIO | None) -> Iterator[_Found]:
    path = Path(named)
    if named == STDIN:
        yield from _lines((stdin or io.StringIO()).read(), "standard input", Path())
    elif path.is_dir():
        yield from _in_folder(path)
    elif path.suffix.lower() in MANIFESTS:
        yield from _in_manifest(path)
    elif not path.exists() and glob.has_magic(named):
        matches = sorted(glob.glob(named, recursive=True))  # noqa: PTH207 - patterns may be absolute
        videos = [Path(match) for match in matches if Path(match).is_file() and not _is_result(Path(match))]
        if not videos:
            raise NotAMediaFileError(path, "the pattern matches no file")
        yield from (_Found(video, Row(), named, Path()) for video in videos)
    else:
        yield _Found(path, Row(), named, Path())


def _in_folder(folder: Path) -> Iterator[_Found]:
    videos = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in VIDEOS and path.is_file() and not _is_result(path.relative_to(folder))
    )
    if not videos:
        raise NotAMediaFileError(folder, "the folder holds no video")
    for video in videos:
        yield _Found(video, Row(), str(folder), Path(), under=video.relative_to(folder).parent)


def _is_result(path: Path) -> bool:
    """Return whether a file is what foley made, or hidden, as parts are that are being copied."""
    made = Path(path.stem).suffix == ".foley" or any(part.endswith(".foley") for part in path.parts[:-1])
    return made or any(part.startswith(".") and part not in (".", "..") for part in path.parts)


def _in_manifest(path: Path) -> Iterator[_Found]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as cause:
        raise PlanError(f"cannot read {path}: {getattr(cause, 'strerror', None) or cause}") from cause
    kind = path.suffix.lower()
    if kind in (".csv", ".tsv"):
        yield from _table(text, str(path), path.parent, delimiter="\t" if kind == ".tsv" else None)
    elif kind in (".jsonl", ".ndjson"):
        yield from _lines(text, str(path), path.parent)
    else:
        yield from _tree(text, path)


def _table(text: str, name: str, base: Path, *, delimiter: str | None) -> Iterator[_Found]:
    head = text.partition("\n")[0]
    delimiter = delimiter or max(",;\t", key=head.count)  # as spreadsheets of other countries write it
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            where = f"{name}:{reader.line_num}"
            if None in cells:
                raise PlanError(f"{where}: more cells than columns", hint="put texts with commas into quotes")
            said = {column.strip(): cell.strip() for column, cell in cells.items() if cell and cell.strip()}
            if said:
                yield _row(said, where, base)
    except csv.Error as cause:
        raise PlanError(f"{name}:{reader.line_num}: {cause}") from cause


def _lines(text: str, name: str, base: Path) -> Iterator[_Found]:
    for number, line in enumerate(text.splitlines(), start=1):
        where = f"{name}:{number}"
        if not line.strip():
            continue
        if not line.lstrip().startswith("{"):
            yield _Found(base / line.strip(), Row(), where, base)
            continue
        try:
            said = json.loads(line)
        except ValueError as cause:
            raise PlanError(f"{where}: no JSON: {cause}") from cause
        yield _row(said, where, base)


def _tree(text: str, path: Path) -> Iterator[_Found]:
    try:
        listed = yamls.load(text)
    except yaml.YAMLError as cause:
        raise PlanError(f"{path} is no YAML: {cause}") from cause
    if isinstance(listed, Mapping):
        listed = listed.get("items", listed.get("videos"))
    if not isinstance(listed, list):
        raise PlanError(f"{path}: a manifest is a list of rows", hint="each row: {input: clip.mp4, prompt: ...}")
    for number, said in enumerate(listed, start=1):
        yield _row({"input": said} if isinstance(said, str) else said, f"{path}: row {number}", path.parent)


def _row(said: Any, where: str, base: Path) -> _Found:
    """Return what a row says."""
    if not isinstance(said, Mapping):
        raise PlanError(f"{where}: a row is a mapping, got {said!r}")
    named = [name for name in INPUT_NAMES if said.get(name)]
    if len(named) != 1 or not isinstance(said[named[0]], str):
        raise PlanError(f"{where}: a row needs `input`, the video's file", hint=f"it has: {', '.join(map(str, said))}")
    values: dict[str, Any] = {}
    options: dict[str, dict[str, Any]] = {
        stage: dict(chosen) for stage, chosen in _mapping(said.get("options"), where).items()
    }
    for name, value in said.items():
        if name == named[0] or name == "options" or value is None or value == "":
            continue
        stage, dot, option = str(name).partition(".")
        if dot:
            options.setdefault(stage, {})[option] = _plain(value)
        else:
            values[str(name)] = _value(str(name), value, where)
    return _Found(base / said[named[0]], Row(**values, options=options), where, base)


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if value in (None, ""):
        return {}
    if isinstance(value, str):  # a cell of a table
        try:
            value = yamls.load(value)
        except yaml.YAMLError as cause:
            raise PlanError(f"{where}: options are no YAML: {cause}") from cause
    if not isinstance(value, Mapping) or not all(isinstance(each, Mapping) for each in value.values()):
        raise PlanError(f"{where}: options must be stages with options, as {{master: {{loudness: web}}}}")
    return value


def _value(name: str, value: Any, where: str) -> Any:
    known = [each.name for each in fields(Row)]
    if name not in known:
        near = difflib.get_close_matches(name, [*known, INPUT_NAMES[0]], n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join((INPUT_NAMES[0], *known))}"
        raise PlanError(f"{where}: unknown field {name!r}", hint=hint)
    try:
        return _READ.get(name, str)(value)
    except (ValueError, TypeError) as cause:
        raise PlanError(f"{where}: {name}: {cause}") from cause


def _whole(value: Any) -> int:
    number = int(value)
    if number < 0 or number != float(value):
        raise ValueError(f"must be a whole number, 0 or more, got {value!r}")
    return number


def _truth(value: Any) -> bool:
    found = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(str(value).lower())
    if found is None:
        raise ValueError(f"must be true or false, got {value!r}")
    return found


def _names(value: Any) -> tuple[str, ...]:
    parts: Iterable[Any] = value.replace(",", " ").split() if isinstance(value, str) else value
    return tuple(str(part) for part in parts)


def _one_of(*known: str) -> Any:
    def read(value: Any) -> str:
        if value not in known:
            raise ValueError(f"must be one of {', '.join(known)}, got {value!r}")
        return str(value)

    return read


_READ = {
    "seed": _whole,
    "overwrite": _truth,
    "exports": _names,
    "loudness": _one_of(*PROFILE_NAMES),
    "original": _one_of("keep", "replace"),
}


def _plain(value: Any) -> Any:
    """Return an option's value as it is meant; a table holds texts alone."""
    return yaml.load(value, yamls.Loader) if isinstance(value, str) and len(value) < 100 else value  # noqa: S506


def _item(number: int, found: _Found, defaults: Defaults) -> Item:
    row, brief, settings = found.row, defaults.brief, defaults.settings
    said: dict[str, Any] = {"prompt": row.prompt, "seed": row.seed, "generator": row.generator}
    files = {"subtitles": row.subtitles, "cue_sheet": row.cue_sheet}
    said |= {name: found.base / path for name, path in files.items() if path}
    brief = replace(brief, **{name: value for name, value in said.items() if value is not None})
    options = {stage: dict(chosen) for stage, chosen in settings.options.items()}
    for stage, chosen in row.options.items():
        options.setdefault(stage, {}).update(chosen)
    changes: dict[str, Any] = {"loudness": row.loudness, "workflow": row.workflow, "overwrite": row.overwrite}
    if row.original:
        changes["replace_audio"] = row.original == "replace"
    changes = {name: value for name, value in changes.items() if value is not None}
    settings = replace(settings, options=options, **changes)
    output = api.destination(found.video, _output(found, defaults)).video
    exports = defaults.exports if row.exports is None else row.exports
    return Item(number, found.video, output, brief, settings, exports, row=found.where)


def _output(found: _Found, defaults: Defaults) -> Path | None:
    """Return where a result goes, as `api.destination` takes it."""
    if found.row.output:
        return (defaults.output or found.base) / found.row.output
    if defaults.output is None:
        return None
    # named by the folder and the video: a folder that is not there yet may bear a dot in its name
    return api.destination(defaults.output / found.under / found.video.name, None).video
