"""The sample clips are what truth.json says of them, and can be rendered again."""

from __future__ import annotations

import importlib
import json
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

SAMPLES = Path(__file__).parents[2] / "samples"
CLIPS = ("workshop", "walk", "storm")
LARGEST_BYTES = 1_500_000
"""A repository is cloned by many; three clips must not weigh more than its code does by much."""
FLASH_JUMP = 0.15
"""A rise of this share of the mean brightness is called a flash; a blow's sparks must stay below it."""


@pytest.fixture(autouse=True)
def _scripts_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SAMPLES))


def truth(clip: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((SAMPLES / "truth.json").read_text(encoding="utf-8"))[f"{clip}.mp4"]
    return facts


def probed(clip: str) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json"]
    done = subprocess.run([*command, str(SAMPLES / f"{clip}.mp4")], capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def brightness(clip: str) -> npt.NDArray[np.float64]:
    """Mean of each frame, scaled down to 32 x 18 by ffmpeg."""
    command = ["ffmpeg", "-v", "error", "-i", str(SAMPLES / f"{clip}.mp4"), "-vf", "scale=32:18:flags=area,format=gray"]
    done = subprocess.run([*command, "-f", "rawvideo", "-"], capture_output=True, check=True)
    return np.asarray(np.frombuffer(done.stdout, np.uint8).reshape(-1, 18 * 32).mean(axis=1), dtype=np.float64)


def test_truth_is_what_the_scenes_say() -> None:
    render = importlib.import_module("render")
    written = json.loads((SAMPLES / "truth.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(render.all_truth()))


@pytest.mark.parametrize("clip", CLIPS)
def test_a_clip_is_as_long_as_large_and_as_fast_as_the_truth_says(clip: str) -> None:
    facts, (stream,) = truth(clip), probed(clip)["streams"]
    assert stream["codec_type"] == "video"
    assert (stream["codec_name"], stream["pix_fmt"]) == ("h264", "yuv420p")
    assert [stream["width"], stream["height"]] == facts["size"]
    assert Fraction(stream["avg_frame_rate"]) == Fraction(stream["r_frame_rate"]) == Fraction(facts["fps"])
    assert int(stream["nb_read_frames"]) == facts["frames"]
    assert float(stream["start_time"]) == 0.0
    assert float(stream["duration"]) == pytest.approx(facts["duration"], abs=1e-5)


@pytest.mark.parametrize("clip", CLIPS)
def test_a_clip_is_small(clip: str) -> None:
    assert 0 < (SAMPLES / f"{clip}.mp4").stat().st_size <= LARGEST_BYTES


@pytest.mark.parametrize("clip", CLIPS)
def test_onsets_lie_in_the_shot_that_they_name(clip: str) -> None:
    facts = truth(clip)
    edges = [0.0, *facts["cuts_s"], facts["duration"]]
    times = [onset["t"] for onset in facts["onsets"]]
    assert times == sorted(set(times))
    assert times
    for onset in facts["onsets"]:
        assert edges[onset["shot"]] < onset["t"] < edges[onset["shot"] + 1]
        assert 0 < onset["strength"] <= 1


@pytest.mark.parametrize("clip", CLIPS)
def test_spans_and_beds_lie_in_the_clip(clip: str) -> None:
    facts = truth(clip)
    for stretch in [*facts["spans"], *facts["beds"]]:
        assert 0 <= stretch["start"] < stretch["end"] <= facts["duration"]


@pytest.mark.parametrize("clip", CLIPS)
def test_cuts_fall_on_frames(clip: str) -> None:
    facts = truth(clip)
    for cut_s in facts["cuts_s"]:
        frame = cut_s * float(Fraction(facts["fps"]))
        assert frame == pytest.approx(round(frame), abs=1e-3)


def test_lightning_is_a_jump_of_light_at_the_time_the_truth_says() -> None:
    facts, light = truth("storm"), brightness("storm")
    jumps = np.diff(light) / light.mean()
    shown = [int(np.ceil(onset["t"] * float(Fraction(facts["fps"])) + 0.25)) for onset in facts["onsets"]]
    for frame in shown:
        assert jumps[frame - 2 : frame].sum() > FLASH_JUMP
    near = {frame + k for frame in shown for k in (-1, 0)}
    assert all(jump < FLASH_JUMP for k, jump in enumerate(jumps, 1) if k not in near)


@pytest.mark.parametrize("clip", ["workshop", "walk"])
def test_nothing_else_flashes(clip: str) -> None:
    light, facts = brightness(clip), truth(clip)
    cuts = [round(cut * float(Fraction(facts["fps"]))) for cut in facts["cuts_s"]]
    jumps = np.diff(light) / light.mean()
    assert all(jump < FLASH_JUMP for k, jump in enumerate(jumps, 1) if k not in cuts)


def test_the_hammer_lies_on_the_iron_from_the_blow_on() -> None:
    workshop = importlib.import_module("scenes.workshop")
    for at, _ in workshop.BLOWS:
        assert workshop.raised(at - 0.02) > 0.05
        assert workshop.raised(at) == workshop.raised(at + 0.09) == 0.0


def test_a_heel_comes_down_to_the_ground_at_its_footfall_and_stays() -> None:
    walk, walker = importlib.import_module("scenes.walk"), importlib.import_module("scenes.walker")
    gait = walk.gait(0, first_m=0.0, step_m=0.72)
    for k, at in enumerate(gait.times_s[2:-3], 2):
        landed = walker._from_heel(gait.heels_m[k], walker.LANDING_PITCH)
        assert gait.foot(k % 2, at - 1e-6).ankle == pytest.approx(landed, abs=1e-3)
        assert gait.foot(k % 2, at - 0.02).ankle[1] > landed[1] + 0.01
        standing = [gait.foot(k % 2, at + later).ankle for later in (0.06, 0.2, 0.3)]
        assert standing[0] == pytest.approx(standing[1])
        assert standing[0] == pytest.approx(standing[2])


@pytest.mark.parametrize(("clip", "number"), [("workshop", 24), ("walk", 140), ("storm", 40)])
def test_a_frame_is_the_same_each_time_it_is_rendered(clip: str, number: int) -> None:
    render = importlib.import_module("render")
    first, again = render.scene(clip), render.scene(clip)
    once = first.frame(number)
    again.frame(number + 3)  # frames come in any order
    assert once.shape == (540, 960, 3)
    assert once.dtype == np.uint8
    assert np.array_equal(once, again.frame(number))
    assert not np.array_equal(once, first.frame(number + 1))
