"""What was measured in finished work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

LoudnessMeasure = Literal["programme", "dialogue"]
"""All of a programme, or where somebody speaks in it; both by ITU-R BS.1770-4 with its gates."""


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
    """What is asked of the loudness that is judged; None: nothing."""
    ceiling_dbtp: float
    passed: bool
    tolerance_lu: float = 0.5
    """How far off the target it may be."""
    profile: str = ""
    """Name of what the target, tolerance and ceiling are of."""
    measure: LoudnessMeasure = "programme"
    """Which loudness is judged."""
    because: str = ""
    """Why that one, where the profile knows two."""
    dialogue_lufs: float | None = None
    """Loudness where somebody speaks; None where nobody does or nobody looked."""
    dialogue_share: float | None = None
    """Of the programme that is speech, 0 to 1; None where nobody looked."""
    speech_by: str = ""
    """Who looked for speech; "" where nobody did."""
    momentary_max_lufs: float | None = None
    """Loudest 400 ms; None for shorter or silent sound."""
    short_term_max_lufs: float | None = None
    """Loudest 3 s; None for shorter or silent sound."""
    range_lu: float | None = None
    """Loudness range, EBU Tech 3342; None under 3 s."""

    @property
    def silent(self) -> bool:
        """Return whether nothing reaches a step of 16 bit, 20 lg 2^-15 dB; a click has no loudness yet is heard."""
        return self.true_peak_dbtp < -90.3

    @property
    def judged_lufs(self) -> float | None:
        """Return the loudness that is held against the target."""
        return self.dialogue_lufs if self.measure == "dialogue" else self.integrated_lufs


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
