"""What is true of a clip: which sounds belong to it and when, read from JSON or CSV that people write.

JSON holds one clip, or several by name. A clip has any of: `onsets` (`t`, and `label`, `ucs`, `shot`, `visible`, `opt`
where known), `spans` and `beds` (`start`, `end`, `label`), `events` (`label` with `times`, or with `start` and `end`).
A CSV has a line for each sound: a time and a label, or start, end and description.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foley.errors import PlanError
from foley.units import parse_clock

TIME_NAMES, END_NAMES = ("time", "t", "start", "onset", "start_s", "time_s"), ("end", "end_s", "stop")
LABEL_NAMES, UCS_NAMES = ("label", "description", "class", "name"), ("ucs", "catid")
"""What columns may be called."""


@dataclass(frozen=True, slots=True)
class TrueSound:
    """One sound that belongs to a clip: at instants, or while something lasts."""

    label: str
    times_s: tuple[float, ...] = ()
    """Its instants, rising; empty where it lasts."""
    start_s: float = 0.0
    end_s: float = math.inf
    """Infinite for what lasts to the clip's end."""
    ucs: str = ""
    """CatID of the Universal Category System; "" where only the label says what it is."""
    optional: bool = False
    """It may be heard or not: neither is wrong."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What should be heard in a clip."""

    sounds: tuple[TrueSound, ...]
    onsets_s: tuple[float, ...]
    """Every instant that is clearly there, rising."""
    neutral_s: tuple[float, ...] = ()
    """Instants that are doubtful, weak, or heard but not seen, rising: they neither reward nor punish."""


def load(path: Path, clip: str = "") -> Truth:
    """Read what is true of a clip.

    Args:
        path: A JSON or CSV file.
        clip: Which one, where the file holds several: its name there, or the name of its file.

    Raises:
        PlanError: where the file cannot be read, holds no such clip, or says what cannot be.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as cause:
        raise PlanError(f"{path}: cannot be read: {(cause.strerror or str(cause)).lower()}") from cause
    except UnicodeDecodeError as cause:
        raise PlanError(f"{path}: is not UTF-8 text", hint="give a truth as JSON or CSV") from cause
    if path.suffix.lower() == ".json" or text.lstrip()[:1] == "{":
        return _of_json(_chosen(_parsed(text, path), path, clip), path)
    return _of_csv(text, path)


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as cause:
        raise PlanError(f"{path}:{cause.lineno}: is not JSON: {cause.msg}") from cause
    except RecursionError as cause:
        raise PlanError(f"{path}: is nested too deep to be a truth") from cause
    if not isinstance(found, dict):
        raise PlanError(f"{path}: must be an object, not a {type(found).__name__}", hint=_EXAMPLE)
    return found


_PARTS = ("onsets", "events", "spans", "beds")
_EXAMPLE = 'the least is: {"onsets": [{"t": 1.25, "label": "door slams"}]}'


def _chosen(found: dict[str, Any], path: Path, clip: str) -> Mapping[str, Any]:
    """Return the entry of the clip: the file itself where it holds one."""
    if any(part in found for part in _PARTS):
        return found
    inner = found.get("clips", found)
    entries = {name: entry for name, entry in inner.items() if isinstance(entry, dict)} if inner else {}
    if not entries:
        raise PlanError(f"{path}: says nothing of any clip", hint=_EXAMPLE)
    wanted = {clip.lower(), _stem(clip)}
    for name, entry in entries.items():
        if clip and wanted & {name.lower(), _stem(name), _stem(str(entry.get("file", name)))}:
            return entry
    if len(entries) == 1 and not clip:
        return next(iter(entries.values()))
    known = ", ".join(sorted(entries))
    raise PlanError(f"{path}: holds nothing about {clip or 'a clip without name'!r}", hint=f"name one: --clip {known}")


def _stem(name: str) -> str:
    """Return a file's name as the clip is called that it was made from.

    >>> _stem("out/Walk.foley.mp4")
    'walk'
    """
    return Path(name).stem.removesuffix(".foley").lower()


def _of_json(entry: Mapping[str, Any], path: Path) -> Truth:
    sure: list[float] = []
    neutral: list[float] = []
    groups: dict[tuple[str, str, str], list[tuple[float, bool]]] = {}
    for where, item in _items(entry, "onsets", path):
        values = item if isinstance(item, dict) else {"t": item}
        time_s = _time(values.get("t", values.get("time")), f"{path}: {where}.t")
        doubtful = bool(values.get("opt")) or not values.get("visible", True)
        (neutral if doubtful else sure).append(time_s)
        key = (str(values.get("label", "")), str(values.get("ucs", "")), str(values.get("shot", "")))
        groups.setdefault(key, []).append((time_s, doubtful))
    sounds = [_struck(label, ucs, times) for (label, ucs, _), times in groups.items()]
    for part in ("events", "spans", "beds"):
        sounds += [_sound(item, f"{path}: {where}") for where, item in _items(entry, part, path)]
    for sound in sounds[len(groups) :]:
        (neutral if sound.optional else sure).extend(sound.times_s)
    return Truth(tuple(sounds), tuple(sorted(sure)), tuple(sorted(neutral)))


def _struck(label: str, ucs: str, times: list[tuple[float, bool]]) -> TrueSound:
    """Return the sound of several onsets; the doubtful ones of one that is there anyway are left to the onsets."""
    sure = sorted(time_s for time_s, doubtful in times if not doubtful)
    return TrueSound(label, tuple(sure or sorted(time_s for time_s, _ in times)), ucs=ucs, optional=not sure)


def _items(entry: Mapping[str, Any], part: str, path: Path) -> Iterator[tuple[str, Any]]:
    """Yield where each item of a list stands, and the item."""
    found = entry.get(part, [])
    if not isinstance(found, list):
        raise PlanError(f"{path}: {part}: must be a list, not {found!r}", hint=_EXAMPLE)
    for number, item in enumerate(found):
        yield f"{part}[{number}]", item


def _sound(item: Any, where: str) -> TrueSound:
    if not isinstance(item, dict):
        raise PlanError(f"{where}: must be an object with label, start and end, not a {type(item).__name__}")
    label, ucs, optional = str(item.get("label", "")), str(item.get("ucs", "")), bool(item.get("opt"))
    if "times" in item:
        times = item["times"] if isinstance(item["times"], list) else [item["times"]]
        instants = sorted(_time(time, f"{where}.times[{number}]") for number, time in enumerate(times))
        if not instants:
            raise PlanError(f"{where}.times: must hold at least one time")
        return TrueSound(label, tuple(instants), ucs=ucs, optional=optional)
    start_s = _time(item.get("start"), f"{where}.start")
    end_s = math.inf if item.get("end") is None else _time(item["end"], f"{where}.end")
    if end_s <= start_s:
        raise PlanError(f"{where}.end: must lie after start ({start_s:g})")
    return TrueSound(label, (), start_s, end_s, ucs, optional)


def _of_csv(text: str, path: Path) -> Truth:
    try:
        rows = [(n, row) for n, row in enumerate(csv.reader(text.splitlines()), 1) if any(map(str.strip, row))]
    except csv.Error as cause:
        raise PlanError(f"{path}: is not CSV: {cause}", hint="give a truth as JSON or CSV") from cause
    if not rows:
        raise PlanError(f"{path}: is empty", hint="a line says: time,label or start,end,description")
    columns, rows = _columns(rows)
    instants: dict[tuple[str, str], list[float]] = {}
    lasting: list[TrueSound] = []
    for number, row in rows:
        said = {name: row[place].strip() for name, place in columns.items() if place < len(row)}
        time_s = _time(said.get("time"), f"{path}:{number}: time")
        label, ucs = said.get("label", ""), said.get("ucs", "")
        if not said.get("end"):
            instants.setdefault((label, ucs), []).append(time_s)
            continue
        end_s = _time(said["end"], f"{path}:{number}: end")
        if end_s <= time_s:
            raise PlanError(f"{path}:{number}: end: must lie after start ({time_s:g})")
        lasting.append(TrueSound(label, (), time_s, end_s, ucs))
    sounds = [TrueSound(label, tuple(sorted(times)), ucs=ucs) for (label, ucs), times in instants.items()]
    return Truth((*sounds, *lasting), tuple(sorted(time for times in instants.values() for time in times)))


def _columns(rows: list[tuple[int, list[str]]]) -> tuple[dict[str, int], list[tuple[int, list[str]]]]:
    """Return which column is what, and the rows below the headings; without headings, three columns have an end."""
    headings = [cell.strip().lower() for cell in rows[0][1]]
    known = {"time": TIME_NAMES, "end": END_NAMES, "label": LABEL_NAMES, "ucs": UCS_NAMES}
    columns = {name: place for name, names in known.items() for place, cell in enumerate(headings) if cell in names}
    if "time" in columns:
        return columns, rows[1:]
    wide = max(len(row) for _, row in rows) > 2
    return ({"time": 0, "end": 1, "label": 2} if wide else {"time": 0, "label": 1}), rows


def _time(value: Any, where: str) -> float:
    """Return a time in seconds; a number may lie before the first frame, as sound may that is late in the picture."""
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        time_s = parse_clock(value) if isinstance(value, str) else float(value)
        if not math.isfinite(time_s):
            raise ValueError
    except (ValueError, OverflowError) as cause:
        said = "is missing" if value is None else f"is no time: {value!r}"
        raise PlanError(f"{where}: {said}", hint="times are seconds (3.25) or a clock (0:03.25)") from cause
    return time_s
