"""What programs read of a finished clip: `report.json` (what was measured) and `manifest.json` (how it was made)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from foley.deliver import origin
from foley.deliver.finished import Finished
from foley.deliver.sounds import SoundFile
from foley.model import Provenance
from foley.neural import licences

REPORT_SCHEMA = "foley.report/1"
MANIFEST_SCHEMA = "foley.manifest/1"

PRIVATE = frozenset({"c2pa_certificate", "c2pa_key"})
"""Options that say where a user keeps secrets: nobody else's business."""


def report_record(done: Finished) -> dict[str, Any]:
    """Return the content of `report.json`."""
    plan, takes, mixdown, report = done.plan, done.takes, done.mixdown, done.report
    made = {take.event_id: take for take in takes.items}
    return {
        "schema": REPORT_SCHEMA,
        "duration_samples": report.duration_samples,
        "loudness": {"mix": dataclasses.asdict(report.mix), "track": dataclasses.asdict(report.track)},
        "track_carries_original_sound": mixdown.has_original,
        "stem_sum_lsb": report.stem_sum_lsb,
        "sync": [dataclasses.asdict(check) for check in report.sync],
        "events": [
            {
                "id": event.id,
                "label": event.label,
                "kind": event.kind,
                "bus": event.bus,
                "muted": event.muted,
                "because": event.because,
                "generator": made[event.id].generator if event.id in made else None,
                "weights_licence": made[event.id].weights_licence if event.id in made else None,
                "notes": list(made[event.id].notes) if event.id in made else [],
            }
            for event in plan.events
        ],
        "notes": list(report.notes),
    }


def manifest(done: Finished, provenance: Provenance, sounds: Iterable[SoundFile]) -> dict[str, Any]:
    """Return the content of `manifest.json`, but for the fingerprints of files."""
    clip, takes, mixdown = done.clip, done.takes, done.mixdown
    kind = origin.source_type(takes.items, with_own_sound=mixdown.has_original)
    return {
        "schema": MANIFEST_SCHEMA,
        "generated": "The sound was made by a computer with foley.",
        "origin": origin.sentence(kind),
        "digital_source_type": origin.uri(kind),
        "tools": dict(provenance.tools),
        "workflow": provenance.workflow,
        "options": {
            stage: {name: value for name, value in options.items() if name not in PRIVATE}
            for stage, options in provenance.options.items()
        },
        "input": {"path": clip.path.name, "key": clip.key},
        "planner": done.plan.planner,
        "takes": _takes(done),
        "sounds": [_sound(file) for file in sounds],
        "weights_sha256": {who: dict(hashes) for who, hashes in takes.weights.items()},
        "commercial_use": all(take.commercial for take in takes.items),
        "licences": {
            licence_id: dataclasses.asdict(licences.licence(licence_id))
            for licence_id in sorted({take.weights_licence for take in takes.items})
        },
        "master": {"gain_db": mixdown.master.gain_db, "target_lufs": mixdown.target_lufs},
    }


def _takes(done: Finished) -> list[dict[str, Any]]:
    events = {event.id: event for event in done.plan.events}
    return [
        {
            "event": take.event_id,
            "generator": take.generator,
            "made_by": take.made_by,
            "seed": events[take.event_id].seed,
            "prompt": events[take.event_id].prompt,
            "recordings": origin.recordings(take),
            "digital_source_type": origin.uri(origin.source_type([take])),
            "weights_licence": take.weights_licence,
            "commercial_use": take.commercial,
            "key": take.key,
        }
        for take in done.takes.items
    ]


def _sound(file: SoundFile) -> dict[str, Any]:
    return {
        "file": file.name,
        "holds": file.holds,
        "event": file.event or None,
        "origin": file.mark,
        "digital_source_type": origin.uri(file.source_type),
    }
