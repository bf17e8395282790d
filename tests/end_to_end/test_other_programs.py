"""Real programs open what is exported: melt renders the MLT project, Blender builds and mixes down its session."""

from __future__ import annotations

import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from foley import plugins
from foley.media import sound
from foley.model import AudioFile, Timeline
from foley.units import RATE_HZ
from tests.media_maker import moving
from tests.timeline_maker import scene

LEVEL_TOLERANCE_DB = 0.1
"""What is asked of a session: that no second of it is audibly louder or softer than our mix."""

TIME_TOLERANCE_SAMPLES = 1
"""Sounds lie on frames with the rest as silence: only a frame's start at 29.97 is rounded to a sample."""

NTSC = Fraction(30_000, 1001)

MELT_TRIES = 4


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


@pytest.fixture(params=[Fraction(25), NTSC], ids=["25", "29.97"])
def built(request: pytest.FixtureRequest, tmp_path: Path) -> Timeline:
    rate: Fraction = request.param
    video = moving(tmp_path / "clip.mp4", duration_s=4.0, rate=f"{rate.numerator}/{rate.denominator}")
    return scene(tmp_path, video=video, frame_rate=rate)


def run(*command: str | Path, timeout_s: float = 120) -> None:
    words = [*map(str, command)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def melt(project: Path, rendered: Path, *options: str) -> None:
    """Render with melt 7.12, of which 1 run in 100 goes to sleep on a busy machine before it has written a byte.

    Its consumer's thread has ended and its main thread waits for ever, with any project; so it is asked again.
    """
    command = ("melt", project, "-silent", "-consumer", f"avformat:{rendered}", *options, "real_time=-1")
    for _ in range(MELT_TRIES):
        try:
            return run(*command, timeout_s=40)
        except subprocess.TimeoutExpired:
            assert rendered.stat().st_size == 0, "melt stopped in the middle of its work"
    pytest.fail(f"melt slept {MELT_TRIES} times")


def samples(file: AudioFile, length: int) -> npt.NDArray[np.float64]:
    assert (file.rate_hz, file.channels) == (RATE_HZ, 2)
    return sound.read(file, 0, length).astype(np.float64)


def steps_s(mix: npt.NDArray[np.float64]) -> list[int]:
    """Return where the three clicks begin: over the tones, which are weaker and far slower."""
    edges = np.abs(np.diff(mix[0], 3))
    loud = np.flatnonzero(edges > 0.4 * edges.max())
    return [int(place) for place in loud[np.insert(np.diff(loud) > 4800, 0, True)]]


def assert_equals_the_mix(rendered: Path, built: Timeline) -> None:
    got, mix = samples(sound.describe(rendered), built.length), samples(built.mix, built.length)
    for first in range(0, built.length, RATE_HZ):
        second = slice(first, first + RATE_HZ)
        levels = [10 * np.log10((heard[:, second] ** 2).mean(axis=1)) for heard in (got, mix)]
        assert levels[0] == pytest.approx(levels[1], abs=LEVEL_TOLERANCE_DB)
    assert steps_s(got) == pytest.approx(steps_s(mix), abs=TIME_TOLERANCE_SAMPLES)
    size = 2 * built.length
    likeness = np.fft.irfft(np.fft.rfft(got[0], size) * np.conj(np.fft.rfft(mix[0], size)), size)
    best = int(likeness.argmax())
    assert min(best, size - best) <= TIME_TOLERANCE_SAMPLES


def grey(video: Path) -> npt.NDArray[np.float64]:
    """Return a video's frames, small and without colour, each at a mean of 0; shape (frames, pixels)."""
    form = ("-vf", "scale=80:46,format=gray", "-fps_mode", "passthrough", "-f", "rawvideo", "-")
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", str(video), *form], capture_output=True, check=True)
    pixels = np.frombuffer(done.stdout, np.uint8).reshape(-1, 80 * 46).astype(np.float64)
    return pixels - pixels.mean(axis=1, keepdims=True)


@needs("melt")
def test_melt_renders_the_project_as_our_mix(built: Timeline, tmp_path: Path) -> None:
    (project,) = plugins.build("exporter", "mlt").export(built, tmp_path)
    rendered = tmp_path / "rendered.wav"
    sound_only = ("acodec=pcm_s24le", f"ar={RATE_HZ}", "ac=2", "vn=1")
    melt(project, rendered, *sound_only)
    assert_equals_the_mix(rendered, built)


@needs("melt")
def test_melt_shows_the_picture_for_as_long_as_it_lasts(built: Timeline, tmp_path: Path) -> None:
    (project,) = plugins.build("exporter", "mlt").export(built, tmp_path)
    rendered = tmp_path / "rendered.mkv"
    melt(project, rendered, "vcodec=ffv1", "an=1")
    ask = ("ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames,r_frame_rate")
    told = subprocess.run([*ask, "-of", "csv=p=0", rendered], capture_output=True, text=True, check=True).stdout
    rate, count = told.strip().split(",")
    assert (Fraction(rate), int(count)) == (built.frame_rate, built.frames)
    shown, clip = grey(rendered), grey(built.video)
    for frame in range(2, built.frames - 2):  # colours are converted, so: of five frames of the clip, the likest
        unlike = [np.abs(shown[frame] - clip[frame + shift]).mean() for shift in range(-2, 3)]
        assert int(np.argmin(unlike)) == 2


@needs("blender")
def test_blender_builds_a_session_that_sounds_as_our_mix(built: Timeline, tmp_path: Path) -> None:
    script, _ = plugins.build("exporter", "blender").export(built, tmp_path)
    rendered = tmp_path / "mixed.wav"
    run("blender", "-b", "-P", script, "--", rendered)
    assert_equals_the_mix(rendered, built)
    assert (tmp_path / "clip.blend").is_file()


ASKED = """
import bpy, json
scene = bpy.context.scene
editor = scene.sequence_editor
strips = editor.strips if hasattr(editor, "strips") else editor.sequences
found = {
    "strips": sorted([one.type, one.name, one.frame_final_start, one.frame_final_duration] for one in strips),
    "markers": sorted([one.frame, one.name] for one in scene.timeline_markers),
    "rate": [scene.render.fps, round(scene.render.fps_base, 4)],
    "paths": sorted(one.filepath for one in bpy.data.sounds),
    "reasons": sorted(one["reason"] for one in strips if one.type == "SOUND"),
}
print("FOUND " + json.dumps(found))
"""


@needs("blender")
def test_blender_keeps_strips_markers_and_reasons(tmp_path: Path) -> None:
    video = moving(tmp_path / "clip.mp4", duration_s=4.0, rate="25")
    built = scene(tmp_path, video=video)
    script, _ = plugins.build("exporter", "blender").export(built, tmp_path)
    asking = tmp_path / "ask.py"
    asking.write_text(ASKED)
    command = ["blender", "-b", "-P", script, "-P", asking]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    found = json.loads(next(line for line in told.splitlines() if line.startswith("FOUND "))[6:])
    assert found["rate"] == [25, 1.0]
    assert found["strips"] == [
        ["MOVIE", "clip", 1, 100],
        ["SOUND", "footsteps", 25, 33],
        ["SOUND", "glass breaks", 76, 18],
        ["SOUND", "quiet room", 1, 100],
        ["SOUND", "whoosh", 63, 20],
    ]
    assert [frame for frame, _ in found["markers"]] == [1, 25, 63, 76]
    assert found["reasons"] == sorted(item.note for item in built.items)
    assert all(path.startswith("//") for path in found["paths"])
