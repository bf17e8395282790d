"""What was measured in finished work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SyncCheck:
    """One planned instant against the sound that was made for it."""

    event_id: str
    label: str
    planned_s: float
    measured_s: float | None
    """None where no onset was found near it."""
    error_ms: float | None
    """Positive where the sound is late."""
    error_frames: float | None


@dataclass(frozen=True, slots=True)
class LoudnessFigures:
    """Loudness of one file by ITU-R BS.1770-4 and EBU R 128."""

    integrated_lufs: float | None
    """None where the sound is silent or shorter than a gating block (400 ms)."""
    true_peak_dbtp: float
    target_lufs: float | None
    ceiling_dbtp: float
    passed: bool


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one finished clip."""

    sync: tuple[SyncCheck, ...]
    mix: LoudnessFigures
    track: LoudnessFigures
    stem_sum_lsb: float
    """Largest |mix - sum of stems| in steps of 24 bit."""
    duration_samples: int
    """Of every delivered file; equals the picture's."""
    notes: tuple[str, ...]
    """What a person should know, worst first."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a result was made: what `manifest.json` answers for."""

    tools: Mapping[str, str]
    """Versions of foley, Python, the packages and programs used."""
    workflow: str
    options: Mapping[str, Mapping[str, str | float | int | bool | None]]
    """All options of all stages, defaults included."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the result goes."""

    video: Path
    folder: Path
    """CLIP.foley: made if it is not there; files in it that foley did not write are left alone."""


@dataclass(frozen=True, slots=True)
class CodedTrack:
    """The new sound track as the finished video holds it."""

    path: Path | None
    """None where only the container's own writer codes it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What lies where."""

    video: Path
    folder: Path
    """Holds plan.yaml, takes/, stems/, report.html, report.json, manifest.json."""
    report: Report
