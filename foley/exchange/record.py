"""What an export leaves in its folder, by which the way back tells what an editor did from what frames rounded.

`export.json` says of every event what editors were given; `plan.yaml` is the plan as it was.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from foley.deliver import outputs
from foley.errors import ExportError

NAME = "export.json"
SCHEMA = "foley.export/1"
PLAN = "plan.yaml"
"""In the export's folder: the plan as it was exported."""

LEVELS = 3
"""How far above a timeline its export's record is looked for."""


@dataclass(frozen=True, slots=True)
class Given:
    """What editors were given of one event; positions in samples at 48 kHz."""

    file: str
    """Its sound, in the export's folder."""
    key: str
    """Content of that file."""
    first_sample: int
    length: int
    source_first: int
    gain_db: float
    fade_in: int
    fade_out: int


@dataclass(frozen=True, slots=True)
class Record:
    """One export."""

    plan: str
    """The plan's place, as seen from the export's folder."""
    frame_rate: Fraction
    events: Mapping[str, Given]
    taken_back: tuple[str, ...] = ()
    """Ids of events of which an edited timeline was brought back: it decides on them from then on."""
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What was written, by format."""


def save(record: Record, folder: Path) -> None:
    """Write the record into the export's folder.

    Raises:
        OutputError: where it cannot be written.
    """
    tree = {"schema": SCHEMA, **dataclasses.asdict(record), "frame_rate": str(record.frame_rate)}
    outputs.write_text(folder / NAME, json.dumps(tree, indent=1, ensure_ascii=False) + "\n")


def load(folder: Path) -> Record | None:
    """Return the record in a folder; None where there is none that can be read."""
    try:
        tree = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return _record(tree) if tree["schema"] == SCHEMA else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _record(tree: Mapping[str, Any]) -> Record:
    return Record(
        plan=str(tree["plan"]),
        frame_rate=Fraction(tree["frame_rate"]),
        events={name: Given(**given) for name, given in tree["events"].items()},
        taken_back=tuple(tree["taken_back"]),
        files={name: tuple(files) for name, files in tree["files"].items()},
    )


def above(timeline: Path) -> Path | None:
    """Return the folder of the export that a timeline lies in; None where it lies in none."""
    folders = timeline.resolve().parents[: LEVELS + 1]
    return next((folder for folder in folders if load(folder) is not None), None)


def find(timeline: Path, plan_file: Path | None) -> tuple[Path, Record]:
    """Return the export that a timeline came from, with its folder: above the timeline, else beside the plan.

    Raises:
        ExportError: where there is none.
    """
    beside = None if plan_file is None else plan_file.resolve().parent / "export"
    for folder in filter(None, (beside, above(timeline))):
        record = load(folder)
        if record is not None:
            return folder, record
    raise ExportError(
        f"{timeline}: it is not known what it was exported from", hint="name the plan: foley import TIMELINE PLAN"
    )
