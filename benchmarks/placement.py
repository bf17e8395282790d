"""Where events of known time are heard in the finished file, after mixing, coding and muxing, over two hours."""

from __future__ import annotations

import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure
from foley.model import (
    Clip,
    ClipIdentity,
    Delivery,
    Destination,
    Hit,
    KeyFrame,
    Listening,
    Motion,
    Picture,
    PreviousMaster,
    Reasoning,
    Shot,
    SoundEvent,
    SoundPlan,
    Source,
)
from foley.pipeline import manifest, runner, workflow
from foley.pipeline.cache import Cache

HOURS_S = 7200
EVENTS = 240
"""One every half minute: more tells no more of drift."""
WANTED_MS = 1.0
RATES = {
    "23.976": ("24000/1001", "mp4"),
    "25": ("25", "mkv"),
    "29.97": ("30000/1001", "mkv"),
    "59.94": ("60000/1001", "mkv"),
    "variable": ("vfr", "mkv"),
}
RATE_HZ = 48_000
ATTACK = 0.2
"""Of the hit's own peak, where its attack counts as begun: above what AAC smears before it."""
NEAR_S = 0.05
"""How far before and after its time a hit is looked for."""


def film(rate: str, to: Path) -> Path:
    """Make a two-hour film of a grey field, quick to code; the variable one drops frames by an uneven rule."""
    source = f"color=gray:s=64x36:r={'30' if rate == 'vfr' else rate}:d={HOURS_S}"
    uneven = ["-vf", "select='not(mod(n,7))+gt(sin(n/11),0.2)'", "-fps_mode", "vfr"] if rate == "vfr" else []
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "600"]
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, *uneven, *coding]
    subprocess.run([*command, str(to)], check=True)
    return to


def known_plan(clip: Clip) -> SoundPlan:
    """Return a plan of hits at times that no frame and no sample grid favours."""
    rng = np.random.default_rng(1)
    apart_s = (float(clip.duration_s) - 4.0) / EVENTS
    times = 1.0 + apart_s * (np.arange(EVENTS) + rng.uniform(0.0, 0.9, EVENTS))  # never two within one measurement
    events = tuple(
        SoundEvent(
            id=f"e{number:03d}",
            label="knock",
            kind="hits",
            bus="foley",
            start_s=float(time),
            end_s=float(time),
            because="known",
            hits=(Hit(float(time)),),
            recipe="hit_stone",
            seed=number,
        )
        for number, time in enumerate(times)
    )
    identity = ClipIdentity(clip.path.name, clip.key, clip.duration_s, clip.video.frame_rate)
    return SoundPlan(identity, (Shot(0.0, float(clip.duration_s), "start"),), (), Reasoning("", "", "", ""), events)


def blank_picture(clip: Clip) -> Picture:
    """Return a picture in which nothing is seen: placement does not hang on it."""
    still = np.zeros(2, np.float32)
    times = np.array([0.0, float(clip.duration_s) / 2])
    shot = Shot(0.0, float(clip.duration_s), "start")
    jpeg = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(clip.path), "-frames:v", "1", "-f", "mjpeg", "-"],
        capture_output=True,
        check=True,
    ).stdout
    return Picture(times, (shot,), Motion(still, still, still, still), (), (None,), (KeyFrame(0.0, 0, jpeg),), ())


def errors_ms(video: Path, plan: SoundPlan) -> np.ndarray:
    """Return how late each planned hit is heard in the video's first sound track, found by its attack."""
    start_s = float(Fraction(_probed(video, "v:0", "start_time")) - 0)
    sound_s = float(Fraction(_probed(video, "a:0", "start_time")))
    command = ["ffmpeg", "-v", "error", "-i", str(video), "-map", "0:a:0", "-ac", "1", "-f", "f32le", "-"]
    found = []
    with tempfile.TemporaryFile() as raw:
        subprocess.run(command, check=True, stdout=raw)
        samples = np.memmap(raw, np.float32, mode="r")
        for event in plan.events:
            first = round((event.start_s - NEAR_S + start_s - sound_s) * RATE_HZ)
            near = np.abs(samples[max(0, first) : first + round(2 * NEAR_S * RATE_HZ)])
            attack = int(np.argmax(near > ATTACK * near.max()))
            found.append((first + attack) / RATE_HZ - start_s + sound_s - event.start_s)
    return 1000 * np.array(found)


def _probed(video: Path, stream: str, entry: str) -> str:
    command = [
        "ffprobe",
        "-v",
        "error",
        "-select_streams",
        stream,
        "-show_entries",
        f"stream={entry}",
        "-of",
        "csv=p=0",
    ]
    return subprocess.run([*command, str(video)], check=True, capture_output=True, text=True).stdout.strip().strip(",")


def placed(rate: str, container: str, folder: Path) -> np.ndarray:
    """Return the placement errors of one two-hour film."""
    video = film(rate, folder / f"film.{container}")
    flow, cache = workflow.load(), Cache(folder / "cache")
    clip = runner.run(flow, [Source(video)], [Clip], cache=cache)[Clip]
    plan = known_plan(clip)
    to = Destination(folder / f"film.foley.{container}", folder / "film.foley")
    quiet = Listening(False, None, (), np.zeros(0, np.float32))
    given = [clip, blank_picture(clip), quiet, plan, to, PreviousMaster(), manifest.provenance(flow)]
    runner.run(flow, given, [Delivery], cache=cache)
    return errors_ms(to.video, plan)


def measure() -> list[Figure]:
    """Return the 99th percentile of the placement error for each frame rate."""
    figures = []
    for name, (rate, container) in RATES.items():
        with tempfile.TemporaryDirectory() as folder:
            late = np.abs(placed(rate, container, Path(folder)))
        p99 = float(np.percentile(late, 99))
        value = f"p99 {p99:.3f} ms, largest {late.max():.3f} ms, last hour {late[EVENTS // 2 :].max():.3f} ms"
        what = f"placement over 2 h at {name} fps ({container})"
        figures.append(
            Figure(what, value, f"p99 at most {WANTED_MS} ms", p99 <= WANTED_MS, "python -m benchmarks placement")
        )
    return figures
