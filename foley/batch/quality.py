"""Judge a finished clip by what was measured: each check passes, warns or fails, with the figure that says why."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from foley.deliver import outputs
from foley.errors import MediaError, OutputError
from foley.media import lengths, sound
from foley.model import AudioFile
from foley.units import RATE_HZ

Verdict = Literal["pass", "warn", "fail"]

SILENT_DBTP = -70.0
"""No sample of a mix above it: nobody hears anything; EBU R 128's absolute gate lies there too."""

FULL_SCALE = 1.0 - 2.0**-15
"""Samples from here on stand at full scale in 16 bits and in 24."""

CLIPPED_RUN = 3
"""Samples in a row at full scale that meters call an over."""

PEAK_SLACK_DB = 0.05
"""Meters of true peak differ by so much: half of the last figure that is written down."""

FRAME_OFF = 1.0
"""A sound nearer than a frame to what is seen cannot be seen to be off."""

FRAMES_OFF = 2.0
"""Past two frames (80 ms at 25 fps) sound after picture is noticed: ITU-R BT.1359 puts detection at 125 ms late and
45 ms early, and a hit is sharper than the speech that it was tested with."""

LOST_SHARE = 0.25
"""Of onsets that were not found: some are covered by what rings on, so many say that sounds are missing."""

LEAST_ONSETS = 6
"""Fewer do not tell a drift from chance."""

DRIFT_WARN_MS, DRIFT_FAIL_MS = 10.0, 40.0
"""From the first frame to the last. 10 ms is what EBU R 37 leaves to one piece of equipment in a chain, 40 ms what it
allows sound to be early in the end."""

LENGTH_WARN_S, LENGTH_FAIL_S = 0.03, 0.1
"""A coded track is padded to whole packets, 21 ms of AAC at 48 kHz; a tenth of a second is heard at a loop or a cut."""

BLOCK = 10 * RATE_HZ
"""Samples that are read at once."""

_AGAIN = re.compile(r"a sound was made again with another seed: (?P<why>.*?)(?: \((?P<times>\d+) times\))?$")
_KEPT_OUT = "gave what must not be heard"
_NOT_LISTENED = "speech in models' takes was not listened for"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    figure: float | None
    """What was measured; None where there was nothing to measure."""
    unit: str
    said: str
    """The same in words."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What is to be said of a finished clip."""

    checks: tuple[Check, ...]

    @property
    def verdict(self) -> Verdict:
        """Return the worst of all checks."""
        found = {check.verdict for check in self.checks}
        return "fail" if "fail" in found else "warn" if "warn" in found else "pass"

    @property
    def faults(self) -> tuple[Check, ...]:
        """Return what did not pass, failures first."""
        return tuple(sorted((one for one in self.checks if one.verdict != "pass"), key=lambda one: one.verdict))


def verdict(folder: Path) -> Quality:
    """Judge the clip whose plan, stems and report lie in a folder.

    Args:
        folder: CLIP.foley.

    Raises:
        OutputError: where no clip was finished into it.
    """
    report, manifest = _read(folder / "report.json"), _read(folder / outputs.MANIFEST)
    try:
        return Quality(tuple(_checks(report, manifest, folder)))
    except (KeyError, TypeError, AttributeError, ValueError) as cause:
        raise OutputError(f"{folder}: its report is not one of this foley: {cause!r}", hint="render it anew") from cause


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise OutputError(f"{path} cannot be read: no clip was finished there", hint="run it anew") from cause
    return found


def _checks(report: Mapping[str, Any], manifest: Mapping[str, Any], folder: Path) -> Iterator[Check]:
    track, events = report["loudness"]["track"], report["events"]
    yield _silence(report["loudness"]["mix"], events)
    yield _clipping(manifest, track, folder)
    yield _true_peak(track)
    yield _loudness(track)
    yield from _sync(report["sync"])
    yield _leak(events, report["notes"])
    yield _missing(events)
    yield _length(report, manifest, folder)


def _silence(mix: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> Check:
    peak_dbtp, heard = mix["true_peak_dbtp"], [event for event in events if not event["muted"]]
    if not heard:
        return Check("silence", "warn", None, "dBTP", "no sound is planned")
    silent = peak_dbtp is None or not peak_dbtp > SILENT_DBTP
    figure = None if silent and peak_dbtp is None else float(peak_dbtp)
    said = f"{len(heard)} sounds are planned, and the mix is silent" if silent else f"peaks at {peak_dbtp:.1f} dBTP"
    return Check("silence", "fail" if silent else "pass", figure if np.isfinite(figure or 0.0) else None, "dBTP", said)


def _clipping(manifest: Mapping[str, Any], track: Mapping[str, Any], folder: Path) -> Check:
    """Count runs at full scale; where the true peak lies under full scale there can be none, and no file is read."""
    runs = 0
    if track["true_peak_dbtp"] > -PEAK_SLACK_DB:
        held = {each["holds"]: each["file"] for each in manifest["sounds"] if each["file"].endswith(".wav")}
        runs = _clipped_runs(sound.describe(folder / (held.get("track") or held["mix"])))
    said = f"{runs} runs of samples at full scale" if runs else "no samples at full scale"
    return Check("clipping", "fail" if runs else "pass", float(runs), "runs", said)


def _clipped_runs(file: AudioFile) -> int:
    """Return how often three samples in a row stand at full scale, in any channel."""
    runs = 0
    for first in range(0, file.length, BLOCK):
        full = np.abs(sound.read(file, first, min(first + BLOCK, file.length))) >= FULL_SCALE
        run = full[:, 2:] & full[:, 1:-1] & full[:, :-2]
        runs += int(np.count_nonzero(np.diff(run.astype(np.int8), axis=1, prepend=0) == 1))
    return runs


def _true_peak(track: Mapping[str, Any]) -> Check:
    peak, ceiling = track["true_peak_dbtp"], track["ceiling_dbtp"]
    over = peak > ceiling + PEAK_SLACK_DB
    said = f"{peak:.1f} dBTP, {'over' if over else 'under'} the ceiling of {ceiling:.1f} dBTP"
    return Check("true peak", "fail" if over else "pass", peak if np.isfinite(peak) else None, "dBTP", said)


def _loudness(track: Mapping[str, Any]) -> Check:
    spoken = track["measure"] == "dialogue"
    level, target = track["dialogue_lufs"] if spoken else track["integrated_lufs"], track["target_lufs"]
    of = " of dialogue" if spoken else ""
    if level is None:
        return Check("loudness", "pass", None, "LUFS", "too short or too quiet to have a loudness")
    if target is None:
        return Check("loudness", "pass", level, "LUFS", f"{level:.1f} LUFS{of}; no target is asked for")
    off = abs(level - target) > track["tolerance_lu"] + 1e-6
    said = f"{level:.1f} LUFS{of}; {track['profile']} asks for {target:.0f} ± {track['tolerance_lu']:g} LU"
    return Check("loudness", "fail" if off else "pass", level, "LUFS", said)


def _sync(checks: Sequence[Mapping[str, Any]]) -> Iterator[Check]:
    """Judge the worst error, what was not found, and whether errors grow with time."""
    found = [check for check in checks if check["error_ms"] is not None]
    lost = len(checks) - len(found)
    if not found:
        verdict: Verdict = "warn" if lost else "pass"
        yield Check("sync", verdict, None, "ms", f"{lost} onsets not found" if lost else "no onsets to measure")
        yield Check("drift", "pass", None, "ms", "no onsets to measure")
        return
    worst = max(found, key=lambda check: abs(check["error_frames"]))
    frames = abs(worst["error_frames"])
    judged: Verdict = "fail" if frames > FRAMES_OFF else "warn" if frames > FRAME_OFF else "pass"
    said = f"worst {worst['error_ms']:+.1f} ms ({frames:.2f} frames) of {len(found)} onsets"
    if lost:
        said += f"; {lost} more were not found"
        judged = "warn" if judged == "pass" and lost > LOST_SHARE * len(checks) else judged
    yield Check("sync", judged, float(worst["error_ms"]), "ms", said)
    yield _drift(found)


def _drift(found: Sequence[Mapping[str, Any]]) -> Check:
    """Judge the slope of the errors over time, by the median of the slopes of all pairs of its two halves.

    Source: P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63, 1968.
    """
    times = np.array([check["planned_s"] for check in found])
    errors = np.array([check["error_ms"] for check in found])
    if len(found) < LEAST_ONSETS or times.max() - times.min() < 1.0:
        return Check("drift", "pass", None, "ms", "too few onsets to tell")
    order = np.argsort(times)
    times, errors = times[order], errors[order]
    half = len(times) // 2  # each onset against the one half of all onsets later: as robust, and never quadratic
    span = times[half:] - times[: len(times) - half]
    slopes = ((errors[half:] - errors[: len(times) - half]) / np.maximum(span, 1e-3))[span > 0.1]
    drift_ms = float(np.median(slopes) * (times[-1] - times[0])) if slopes.size else 0.0
    size = abs(drift_ms)
    judged: Verdict = "fail" if size > DRIFT_FAIL_MS else "warn" if size > DRIFT_WARN_MS else "pass"
    return Check("drift", judged, drift_ms, "ms", f"{drift_ms:+.1f} ms from the first onset to the last")


def _leak(events: Sequence[Mapping[str, Any]], notes: Sequence[str]) -> Check:
    """Judge what was heard in takes that nobody asked for; what was found was made again before it was kept."""
    again, kept_out = 0, 0
    for event in events:
        for note in event["notes"]:
            kept_out += _KEPT_OUT in note
            if said := _AGAIN.search(note):
                again += int(said["times"] or 1)
    unheard = any(_NOT_LISTENED in note for note in notes)
    parts = [f"{again} sounds made again, because others were heard in them"] if again else []
    parts += [f"{kept_out} of models given up for that"] if kept_out else []
    parts += ["nobody listened for speech in models' takes"] if unheard else []
    judged: Verdict = "warn" if unheard or kept_out else "pass"
    return Check("leak", judged, float(again + kept_out), "sounds", "; ".join(parts) or "none found")


def _missing(events: Sequence[Mapping[str, Any]]) -> Check:
    heard = [event for event in events if not event["muted"]]
    missing = [event["id"] for event in heard if event["generator"] is None]
    said = f"{len(missing)} of {len(heard)} have no sound: {', '.join(missing[:4])}" if missing else "all are there"
    return Check("missing events", "fail" if missing else "pass", float(len(missing)), "events", said)


def _length(report: Mapping[str, Any], manifest: Mapping[str, Any], folder: Path) -> Check:
    """Compare how long the finished video's new track and the picture last."""
    video = folder / manifest["video"]["path"]
    wanted_s = report["duration_samples"] / RATE_HZ
    try:
        there_s = lengths.sound_s(video)
    except MediaError as cause:
        return Check("duration", "fail", None, "s", f"{video.name} cannot be read: {cause}")
    if there_s is None:
        return Check("duration", "pass", None, "s", f"{video.suffix} does not say how long its tracks last")
    off_s = there_s - wanted_s
    judged: Verdict = "fail" if abs(off_s) > LENGTH_FAIL_S else "warn" if abs(off_s) > LENGTH_WARN_S else "pass"
    return Check(
        "duration", judged, off_s, "s", f"the track lasts {off_s:+.3f} s against the picture's {wanted_s:.3f} s"
    )
