"""The plan file: written to be read and edited by people, read with every fault named by line and field."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from foley import yamls
from foley.errors import PlanError
from foley.media.atomic import written_whole
from foley.model import PLAN_SCHEMA, SoundEvent, SoundPlan
from foley.plan.nodes import WRONG, Fault, NodeReader
from foley.plan.rounding import STEPS_A_SECOND, rounded
from foley.plan.schema import json_schema
from foley.units import clock

SCHEMA_NAME = "plan.schema.json"

HEAD = f"""\
# yaml-language-server: $schema={SCHEMA_NAME}
#
# What is heard in this clip, and why. Change anything, then: foley render PLAN
# Only what you change is made again; everything else stays as it is, to the bit.
#
# Times are seconds from the first frame (3.25), or a clock (0:03.25, 1:02:03.5).
#   kind         hits: at instants; span: while something lasts; bed: ambience under shots
#   bus          foley, effects, backgrounds or music: the stem it is heard in
#   gain_db      your trim on top of level_db; fade_in_s, fade_out_s: your fades
#   pan          -1 left to 1 right; path: where a moving sound is, point by point; distance_m: how far away
#   spaces       in which room each part plays: none (dry), small_interior, large_interior, exterior, under_water;
#                an event's own room stands above them
#   seed         another number is another take; generator: who makes it, "auto" leaves it to routing
#   muted: true  keeps an event without hearing it; locked: true keeps planners from changing it
# Fields that are not there have their usual value; {SCHEMA_NAME} lists them all.
"""

LINE_WIDTH = 120

CLIP_SLACK_S = 1 / STEPS_A_SECOND
"""A time may lie past the clip's end by what rounding to the file's precision makes of it."""

RANGES: dict[str, tuple[float, float]] = {
    "pan": (-1.0, 1.0),
    "confidence": (0.0, 1.0),
    "strength": (0.0, 1.0),
    "level": (0.0, 1.0),
    "distance_m": (0.01, 100_000.0),
    "level_at_m": (0.01, 100_000.0),
}
"""What numbers may be; a sound is not heard from further than 100 km."""


def save(plan: SoundPlan, to: Path) -> None:
    """Write a plan, and its schema beside it; each file is there whole or not at all.

    Args:
        plan: The plan; its numbers are rounded (times to 0.1 ms).
        to: The file.

    Raises:
        OutputError: where it cannot be written.
    """
    tree = _tree(rounded(plan))
    events = tree.pop("events")  # last: they are many
    document = {"schema": PLAN_SCHEMA, "planner": tree.pop("planner"), **tree, "events": events}
    text = yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=LINE_WIDTH, default_flow_style=False
    )
    _write(to.with_name(SCHEMA_NAME), json.dumps(json_schema(), indent=2) + "\n")
    _write(to, HEAD + text)


def load(path: Path) -> SoundPlan:
    """Read a plan.

    Raises:
        PlanError: listing everything that is wrong, each with line and field.
    """
    if path.is_dir():
        raise PlanError(f"{path}: is a folder, not a plan", hint=f"give the plan in it: {path / 'plan.yaml'}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as cause:
        raise PlanError(f"{path}: cannot be read: {(cause.strerror or str(cause)).lower()}") from cause
    except UnicodeDecodeError as cause:
        raise PlanError(f"{path}: is not UTF-8 text", hint="save it as UTF-8") from cause
    reader = NodeReader()
    root = _compose(text, path)
    _check_schema(root, reader)
    # what another format lacks or has besides would only hide that it is another
    plan = WRONG if reader.faults else reader.record(root, SoundPlan, "", ignore=frozenset({"schema"}))
    if plan is not WRONG:
        reader.faults += _faults(plan, reader)
    if reader.faults:
        faults = sorted(reader.faults, key=lambda fault: fault.line)
        listed = (f"{path}:{fault.line}: {fault.where + ': ' if fault.where else ''}{fault.what}" for fault in faults)
        raise PlanError("\n".join(listed), hint=f"{SCHEMA_NAME} beside the plan lists the fields")
    assert isinstance(plan, SoundPlan)
    return plan


def _compose(text: str, path: Path) -> yaml.Node:
    try:
        root = yaml.compose(text, Loader=yamls.Loader)
    except yaml.MarkedYAMLError as cause:
        line = cause.problem_mark.line + 1 if cause.problem_mark else 1
        raise PlanError(f"{path}:{line}: is not YAML: {cause.problem or cause.context}") from cause
    except yaml.YAMLError as cause:
        raise PlanError(f"{path}: is not YAML: {cause}") from cause
    if root is None:
        raise PlanError(f"{path}: is empty", hint="write a new one: foley plan VIDEO")
    return root


def _check_schema(root: yaml.Node, reader: NodeReader) -> None:
    if not isinstance(root, yaml.MappingNode):
        return
    for key, value in root.value:
        if key.value == "schema":
            if value.value != PLAN_SCHEMA:
                reader.fault(value, "schema", f"must be {PLAN_SCHEMA}: this foley reads no other")
            return
    reader.fault(root, "schema", f"is missing; must be {PLAN_SCHEMA}")


def _faults(plan: SoundPlan, reader: NodeReader) -> Iterator[Fault]:
    """Yield what is wrong with a plan whose fields are all of the right type, with its line."""
    for where, what in [*_clip_faults(plan), *_faults_of_events(plan)]:
        # a field that the file leaves out has the line of what holds it
        line = next((reader.lines[name] for name in (where, where.rsplit(".", 1)[0]) if name in reader.lines), 1)
        yield Fault(line, where, what)


def _clip_faults(plan: SoundPlan) -> Iterator[tuple[str, str]]:
    """Yield the field and what is wrong with it."""
    for name in ("duration_s", "frame_rate"):
        if getattr(plan.clip, name) <= 0:
            yield f"clip.{name}", "must be more than 0"
    for number, shot in enumerate(plan.shots):
        if not 0 <= shot.start_s <= shot.end_s <= float(plan.clip.duration_s) + CLIP_SLACK_S:
            yield f"shots[{number}].end_s", "a shot must start before it ends, inside the clip"
    yield from _space_faults(plan)


def _space_faults(plan: SoundPlan) -> Iterator[tuple[str, str]]:
    last_s, before_s = float(plan.clip.duration_s) + CLIP_SLACK_S, 0.0
    for number, space in enumerate(plan.spaces):
        if not 0 <= space.start_s < space.end_s <= last_s:
            yield f"spaces[{number}].end_s", "a space must start before it ends, inside the clip"
        elif space.start_s < before_s:
            yield f"spaces[{number}].start_s", f"begins before the space above it ends ({clock(before_s)})"
        before_s = max(before_s, space.end_s)


def _faults_of_events(plan: SoundPlan) -> Iterator[tuple[str, str]]:
    names = Counter(event.id for event in plan.events)
    end_s = float(plan.clip.duration_s) + CLIP_SLACK_S
    for number, event in enumerate(plan.events):
        if names[event.id] > 1:
            yield f"events[{number}].id", f"{event.id!r} is the id of another event too"
        for name, what in _event_faults(event, end_s):
            yield f"events[{number}].{name}", what


def _event_faults(event: SoundEvent, end_s: float) -> Iterator[tuple[str, str]]:
    if not event.id or event.id != event.id.strip() or set(event.id) & set('/\\:*?"<>|\0') or event.id[0] == ".":
        yield "id", "must be a name that a file can bear"
    for name in ("start_s", "seed", "fade_in_s", "fade_out_s"):
        if getattr(event, name) < 0:
            yield name, "must be 0 or more"
    if event.end_s < event.start_s:
        yield "end_s", f"lies before start_s ({clock(event.start_s)})" if event.start_s >= 0 else "lies before start_s"
    if event.end_s > end_s:
        yield "end_s", f"lies past the clip's end ({clock(end_s)})"
    yield from _range_faults(event, "")
    yield from _instant_faults(event)
    for name in ("curve", "path"):
        yield from _point_faults(event, name)


def _instant_faults(event: SoundEvent) -> Iterator[tuple[str, str]]:
    if event.kind == "hits" and not event.hits:
        yield "hits", "an event of kind hits needs at least one"
    if event.kind != "hits" and event.hits:
        yield "hits", f"only events of kind hits have hits, this is a {event.kind}"
    before_s = event.start_s
    for number, hit in enumerate(event.hits):
        if not event.start_s <= hit.time_s <= event.end_s:
            yield f"hits[{number}].time_s", f"lies outside the event ({event.start_s:g} to {event.end_s:g})"
        elif hit.time_s < before_s:
            yield f"hits[{number}].time_s", "lies before the hit above it"
        before_s = hit.time_s
        yield from _range_faults(hit, f"hits[{number}].")


def _point_faults(event: SoundEvent, name: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the points of a curve or a path."""
    if name == "curve" and event.kind == "hits" and event.curve:
        yield "curve", "events of kind hits have strengths, no curve"
    before_s = event.start_s
    for number, point in enumerate(getattr(event, name)):
        if not event.start_s <= point.time_s <= event.end_s:
            yield f"{name}[{number}].time_s", f"lies outside the event ({event.start_s:g} to {event.end_s:g})"
        elif point.time_s < before_s:
            yield f"{name}[{number}].time_s", "lies before the point above it"
        before_s = point.time_s
        yield from _range_faults(point, f"{name}[{number}].")


def _range_faults(value: Any, where: str) -> Iterator[tuple[str, str]]:
    for field in dataclasses.fields(value):
        low, high = RANGES.get(field.name, (-float("inf"), float("inf")))
        number = getattr(value, field.name)
        if field.name in RANGES and not low <= number <= high:
            yield f"{where}{field.name}", f"must be {low:g} to {high:g}, is {number:g}"


def _write(path: Path, text: str) -> None:
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


@dataclass(frozen=True, slots=True)
class _Row:
    """A mapping that stands on one line: hits and corners read better so."""

    values: dict[str, Any]


def _tree(value: Any) -> Any:
    """Return a value as YAML holds it; fields of an event that have their usual value are left out."""
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else str(value)
    if isinstance(value, tuple):
        return [_tree(item) for item in value]
    if not dataclasses.is_dataclass(value):
        return dict(value) if isinstance(value, dict) else value
    found = {
        field.name: _tree(getattr(value, field.name))
        for field in dataclasses.fields(value)
        if not isinstance(value, SoundEvent) or getattr(value, field.name) != _usual(field)
    }
    return _Row(found) if all(isinstance(item, float | str) for item in found.values()) and len(found) <= 3 else found


def _usual(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


class _Dumper(yamls.Dumper):  # type: ignore[misc]
    """Writes the safe part of YAML, without anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        """Return True: equal values are written out, or editing one would change the others."""
        return True


_Dumper.add_representer(
    _Row, lambda dumper, row: dumper.represent_mapping("tag:yaml.org,2002:map", row.values, flow_style=True)
)

__all__ = ["json_schema", "load", "save"]
