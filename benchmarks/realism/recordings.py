"""The real recordings: found, cut into one-shots and stretches, described, kept so in the temporary folder."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr
from scipy import signal

from benchmarks.realism import descriptors
from benchmarks.realism.descriptors import LEAD, RATE_HZ, Kind, Numbers, Wave, described

CLIP_CLASSES: Mapping[str, tuple[Kind, str]] = {
    "anvil": ("event", "metal_hit"),
    "chopping": ("event", "wood_hit"),
    "stick_bag": ("event", "body_hit"),
    "guns": ("event", "gunshot"),
    "pistol": ("event", "gunshot"),
    "fireworks_b": ("event", "explosion"),
    "dog_c": ("event", "dogbark"),
    "engine": ("texture", "engine"),
    "waterfall": ("texture", "stream"),
    "rain_windscreen": ("texture", "rain"),
}
"""Clips whose own sound is real: one more source each, for the classes that have few."""

SERIES = ("dogbark", "drip")
"""Classes whose files hold several one-shots."""

MOST_PER_FILE = 4
"""One-shots or stretches taken of a file: long files must not outweigh the others."""

STRETCH_S = 5.0
ONE_SHOT_S = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Recordings:
    """All real recordings of one kind, described."""

    kind: Kind
    classes: npt.NDArray[np.str_]
    """Of each."""
    sources: npt.NDArray[np.str_]
    """Of each: the same session, place and microphone, as far as file names tell."""
    numbers: Numbers
    """Shape (recordings, descriptors)."""

    def of(self, name: str) -> npt.NDArray[np.bool_]:
        """Return which are of a class."""
        return np.asarray(self.classes == name)

    def half(self) -> npt.NDArray[np.bool_]:
        """Return which are in half A: in each class, sources go to A and B by turns, the larger ones first."""
        first = np.zeros(len(self.classes), bool)
        for name in np.unique(self.classes):
            sources, counts = np.unique(self.sources[self.of(name)], return_counts=True)
            order = sources[np.lexsort((sources, -counts))]
            first |= self.of(name) & np.isin(self.sources, order[::2])
        return first


def folder() -> Path | None:
    """Return the folder that holds `sounds`, where there is one (FOLEY_TEST_MEDIA names it)."""
    named = Path(os.environ.get("FOLEY_TEST_MEDIA", Path(__file__).parents[3] / "shared"))
    return named if (named / "sounds" / "events").is_dir() else None


def source_of(file: Path) -> str:
    """Return where a recording comes from: its collection and its name without what counts the takes.

    >>> source_of(Path("cdda__plmove__walk_barefoot_10.ogg")), source_of(Path("esc10__1-30226-A.ogg"))
    ('cdda__plmove__walk_barefoot', 'esc10__1-30226')
    """
    if file.name.startswith("esc10"):
        return file.stem.rpartition("-")[0]
    return re.sub(r"[_.-]?\d*$", "", file.stem)


def files(media: Path, kind: Kind) -> list[tuple[str, Path]]:
    """Return all files of a kind with their classes, in a fixed order."""
    return [(file.parent.name, file) for file in sorted((media / "sounds" / f"{kind}s").glob("*/*.ogg"))]


def read(file: Path, rate_hz: int = RATE_HZ) -> Wave:
    """Return a file's sound, one channel."""
    samples, found_hz = soundfile.read(file, dtype="float32", always_2d=True)
    return np.asarray(soxr.resample(samples.mean(1), found_hz, rate_hz), np.float32)


def without_silence(samples: Wave, floor_db: float = -50.0) -> Wave:
    """Return the sound from where it first rises over the floor, re its loudest instant, to where it last does."""
    power = signal.convolve(samples**2, np.ones(1024) / 1024, "same")
    heard = np.nonzero(power > power.max() * 10.0 ** (floor_db / 10.0))[0]
    return samples[heard[0] : heard[-1] + 1] if len(heard) else samples


def stretches(samples: Wave) -> Iterator[Wave]:
    """Yield stretches of 5 s of a sound that goes on; one shorter than a second is repeated."""
    samples = without_silence(samples)
    if len(samples) < RATE_HZ:
        samples = np.tile(samples, int(np.ceil(2.0 * RATE_HZ / max(len(samples), 1))))
    length = int(STRETCH_S * RATE_HZ)
    for part in range(max(1, min(MOST_PER_FILE, len(samples) // length))):
        yield samples[part * length : (part + 1) * length]


def one_shots(samples: Wave, at_s: list[float]) -> Iterator[Wave]:
    """Yield the sound from each time to shortly before the next; those that are cut within 0.15 s are left out."""
    borders = [int(at * RATE_HZ) for at in at_s] + [len(samples) + RATE_HZ // 50]
    for start, following in itertools.pairwise(borders):
        part = samples[max(0, start - LEAD) : min(start + int(ONE_SHOT_S * RATE_HZ), following - RATE_HZ // 50)]
        if len(part) > LEAD + 0.15 * RATE_HZ and np.abs(part).max() > 1e-4:
            yield part


def onsets_s(samples: Wave) -> list[float]:
    """Return when the loudest one-shots of a file begin: peaks of spectral flux, not within 0.2 s."""
    hop = 128
    spectrum = np.abs(signal.stft(samples, RATE_HZ, nperseg=512, noverlap=512 - hop)[2])
    rising = np.maximum(np.diff(np.log(spectrum + 1e-3 * spectrum.max()), axis=1), 0.0).mean(0)
    energy = spectrum.sum(0)[1:]
    least = rising.mean() + 2.0 * rising.std()
    peaks = signal.find_peaks(rising, distance=int(0.2 * RATE_HZ / hop), height=least)[0]
    loud = {int(peak): float(energy[peak : peak + 12].max()) for peak in peaks}
    kept = sorted(loud, key=lambda peak: -loud[peak])[:MOST_PER_FILE]
    return [peak * hop / RATE_HZ for peak in sorted(kept) if loud[peak] > 0.25 * max(loud.values())]


def parts_of(kind: Kind, name: str, samples: Wave) -> list[Wave]:
    """Return what of a file is described."""
    if kind == "texture":
        return list(stretches(samples))
    return list(one_shots(samples, onsets_s(samples))) if name in SERIES else [samples]


def _clip_parts(media: Path, kind: Kind) -> Iterator[tuple[str, str, Wave]]:
    truth = media / "clips" / "clips.json"
    if not truth.is_file():
        return
    known = json.loads(truth.read_text())
    for clip, (its_kind, name) in CLIP_CLASSES.items():
        if its_kind != kind or clip not in known:
            continue
        reading = ["ffmpeg", "-v", "error", "-i", str(media / "clips" / f"{clip}.mp4"), "-vn", "-ac", "1"]
        raw = subprocess.run([*reading, "-ar", str(RATE_HZ), "-f", "f32le", "-"], check=True, capture_output=True)
        samples = np.frombuffer(raw.stdout, np.float32)
        at_s = [hit["t_audio"] for hit in known[clip]["onsets"] if hit.get("t_audio", -1.0) >= 0.0]
        parts = list(stretches(samples) if kind == "texture" else one_shots(samples, sorted(at_s)))
        yield from ((name, f"clip__{clip}", part) for part in parts[: 2 * MOST_PER_FILE])


def recordings(media: Path, kind: Kind) -> Recordings:
    """Return all real recordings of a kind, described; the second call reads what the first has kept."""
    listed = [str(file.relative_to(media)) for _, file in files(media, kind)]
    code = "".join(Path(str(module)).read_text() for module in (descriptors.__file__, __file__))
    key = hashlib.sha256("\n".join([code, *listed]).encode()).hexdigest()[:16]
    kept = Path(tempfile.gettempdir()) / f"foley-realism-{kind}-{key}.npz"
    if not kept.is_file():
        found = [
            (name, source_of(file), part)
            for name, file in files(media, kind)
            for part in parts_of(kind, name, read(file))
        ]
        found += _clip_parts(media, kind)
        unfinished = kept.with_suffix(f".{os.getpid()}.npz")
        np.savez(
            unfinished,
            classes=np.array([name for name, _, _ in found]),
            sources=np.array([source for _, source, _ in found]),
            numbers=np.array([described(kind, part) for _, _, part in found]),
        )
        unfinished.replace(kept)
    with np.load(kept) as stored:
        return Recordings(kind, stored["classes"], stored["sources"], stored["numbers"])
