"""What programs read of a finished clip: `report.json` (what was measured) and `manifest.json` (how it was made)."""

from __future__ import annotations

import dataclasses
from typing import Any

from foley.deliver.finished import Finished
from foley.model import Provenance
from foley.neural import licences

REPORT_SCHEMA = "foley.report/1"
MANIFEST_SCHEMA = "foley.manifest/1"


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


def manifest(done: Finished, provenance: Provenance) -> dict[str, Any]:
    """Return the content of `manifest.json`, but for the files."""
    clip, plan, takes, mixdown = done.clip, done.plan, done.takes, done.mixdown
    seeds = {event.id: event.seed for event in plan.events}
    return {
        "schema": MANIFEST_SCHEMA,
        "generated": "The sound was made by a computer with foley.",
        "tools": dict(provenance.tools),
        "workflow": provenance.workflow,
        "options": {stage: dict(options) for stage, options in provenance.options.items()},
        "input": {"path": clip.path.name, "key": clip.key},
        "planner": plan.planner,
        "takes": [
            {
                "event": take.event_id,
                "generator": take.generator,
                "made_by": take.made_by,
                "seed": seeds[take.event_id],
                "weights_licence": take.weights_licence,
                "commercial_use": take.commercial,
                "key": take.key,
            }
            for take in takes.items
        ],
        "weights_sha256": {who: dict(hashes) for who, hashes in takes.weights.items()},
        "commercial_use": all(take.commercial for take in takes.items),
        "licences": {
            licence_id: dataclasses.asdict(licences.licence(licence_id))
            for licence_id in sorted({take.weights_licence for take in takes.items})
        },
        "master": {"gain_db": mixdown.master.gain_db, "target_lufs": mixdown.target_lufs},
    }
