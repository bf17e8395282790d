"""What programs read of a finished dub: where the M&E was filled and with what, levels, tracks, how it was made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from foley.media.languages import NewTrack
from foley.model import Clip, FittedTakes, Provenance
from foley.model.dub import DubJob, LanguageMixes, MusicAndEffects, Refill, Separation
from foley.units import RATE_HZ, to_seconds

SCHEMA = "foley.me-report/1"


@dataclass(frozen=True, slots=True)
class Dubbed:
    """All that is known of a finished dub."""

    clip: Clip
    job: DubJob
    separation: Separation
    refill: Refill
    takes: FittedTakes
    effects: MusicAndEffects
    mixes: LanguageMixes
    tracks: tuple[NewTrack, ...]
    notes: tuple[str, ...]


def record(done: Dubbed, provenance: Provenance) -> dict[str, Any]:
    """Return the content of `me-report.json`."""
    return {
        "schema": SCHEMA,
        "generated": "What fills the M&E was made by a computer with foley.",
        "input": {"path": done.clip.path.name, "key": done.clip.key},
        "duration_samples": done.effects.audio.length,
        "separated_by": done.separation.by,
        "speech": [asdict(span) for span in done.separation.speech],
        "places": _places(done),
        "sounds": _sounds(done),
        "balance": {
            "speech_lufs": done.mixes.speech_lufs,
            "background_lufs": done.mixes.background_lufs,
            "ratio_lu": done.mixes.ratio_lu,
            "measured": done.mixes.measured,
        },
        "languages": [_language(mix) for mix in done.mixes.items],
        "tracks": [
            {"language": track.language, "title": track.title, "role": track.role, "default": track.default}
            for track in done.tracks
        ],
        "tools": dict(provenance.tools),
        "workflow": provenance.workflow,
        "options": {name: dict(options) for name, options in provenance.options.items()},
        "notes": list(done.notes),
    }


def _places(done: Dubbed) -> list[dict[str, Any]]:
    return [
        {
            "start_s": to_seconds(place.first_sample, RATE_HZ),
            "end_s": to_seconds(place.last_sample, RATE_HZ),
            "first_sample": place.first_sample,
            "last_sample": place.last_sample,
            "reason": place.reason,
            "events": list(place.events),
        }
        for place in done.effects.places
    ]


def _sounds(done: Dubbed) -> list[dict[str, Any]]:
    """Return what fills: who made it, with which seed, and what it was raised by to match its surroundings."""
    made = {take.event_id: take for take in done.takes.items}
    events = {event.id: event for event in done.refill.plan.events}
    return [
        {
            "event": filling.made_for,
            "part": filling.event_id,
            "label": filling.label,
            "hits_s": [hit.time_s for hit in events[filling.event_id].hits],
            "matched_by_db": done.effects.levels.get(filling.event_id),
            "trim_db": filling.trim_db,
            "generator": made[filling.event_id].generator if filling.event_id in made else None,
            "made_by": made[filling.event_id].made_by if filling.event_id in made else None,
            "seed": events[filling.event_id].seed,
            "weights_licence": made[filling.event_id].weights_licence if filling.event_id in made else None,
            "commercial_use": made[filling.event_id].commercial if filling.event_id in made else None,
        }
        for filling in done.refill.fillings
    ]


def _language(mix: Any) -> dict[str, Any]:
    return {
        "name": mix.name,
        "dub_lufs": mix.dub_lufs,
        "dub_gain_db": mix.dub_gain_db,
        "integrated_lufs": mix.integrated_lufs,
        "true_peak_dbtp": mix.true_peak_dbtp,
        "speech": [asdict(span) for span in mix.speech],
    }
