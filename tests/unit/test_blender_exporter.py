"""What Blender is told: whole frames, volumes with keys where they bend, markers, and a script that is ours."""

from __future__ import annotations

import ast
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from foley import plugins
from foley.deliver import blender_session, frames
from foley.media import sound
from foley.model import Timeline
from foley.units import to_gain
from tests.timeline_maker import Sounding, scene, timeline

EXPORTER = plugins.build("exporter", "blender")


def session(built: Timeline, folder: Path) -> dict[str, Any]:
    _, data = EXPORTER.export(built, folder)
    found: dict[str, Any] = json.loads(data.read_text())
    return found


@pytest.mark.parametrize(
    ("rate", "fps", "base"),
    [(Fraction(25), 25, 1.0), (Fraction(30_000, 1001), 30, 1.001), (Fraction(24_000, 1001), 24, 1.001)],
)
def test_sounds_stand_on_their_frames(tmp_path: Path, rate: Fraction, fps: int, base: float) -> None:
    built = scene(tmp_path, frame_rate=rate)
    told = session(built, tmp_path)
    assert (told["fps"], told["fps_base"], told["frames"]) == (fps, pytest.approx(base), built.frames)
    by_event = {one["event"]: one for one in told["sounds"]}
    for item in built.items:
        one = by_event[item.event_id]
        assert one["first_frame"] == frames.frame_at(item.first_sample, rate)
        assert one["first_frame"] + one["frames"] == frames.frame_from(item.first_sample + item.length, rate)
        # the file's own first frame lies on a frame of the timeline, and the sound where it was
        begins = frames.sample_of(one["first_frame"] - one["source_frame"], rate)
        file = sound.describe(tmp_path / one["file"])
        heard = sound.read(file, item.first_sample - begins, item.first_sample - begins + 100)
        assert (heard == sound.read(item.audio, item.source_first, item.source_first + 100)).all()
        assert one["reason"] == " ".join(item.note.split())


def test_volumes_have_keys_where_they_bend(tmp_path: Path) -> None:
    by_event = {one["event"]: one for one in session(scene(tmp_path), tmp_path)["sounds"]}
    assert by_event["e02-steps"]["keys"] == [[0, pytest.approx(to_gain(-4.5), abs=1e-6)]]
    gain = to_gain(-3.0)
    keys = by_event["e01-room"]["keys"]
    assert keys[0] == [0, 0.0]
    assert keys[-1] == [100, 0.0]
    assert {frame for frame, volume in keys if volume == pytest.approx(gain, abs=1e-6)} == {13, 75}


def test_no_two_sounds_of_a_channel_share_a_frame(tmp_path: Path) -> None:
    items = [Sounding(f"e{number:02}", number * 1000, 2500) for number in range(8)]
    taken: set[tuple[int, int]] = set()
    for one in session(timeline(tmp_path, items, length=48_000), tmp_path)["sounds"]:
        places = {(one["channel"], one["first_frame"] + frame) for frame in range(one["frames"])}
        assert not places & taken
        taken |= places


def test_markers_hold_time_code_and_reason(tmp_path: Path) -> None:
    built = scene(tmp_path)
    marked = session(built, tmp_path)["markers"]
    assert marked[1] == {"frame": 24, "timecode": "01:00:00:24", "text": "footsteps: a foot lands: the motion stops"}
    assert len(marked) == len(built.markers)


def test_the_script_is_the_module_and_needs_nothing_but_blender(tmp_path: Path) -> None:
    script, _ = EXPORTER.export(scene(tmp_path), tmp_path)
    assert script.name == "clip.blender.py"
    assert script.read_text() == Path(blender_session.__file__).read_text()
    imported = {
        name.name.partition(".")[0] if isinstance(node, ast.Import) else str(node.module)
        for node in ast.walk(ast.parse(script.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert imported == {"__future__", "bpy", "json", "pathlib", "sys", "typing"}


def test_a_timeline_without_items_is_a_picture(tmp_path: Path) -> None:
    told = session(timeline(tmp_path, [], length=48_000), tmp_path)
    assert (told["sounds"], told["markers"], told["video"]) == ([], [], "clip.mp4")


def test_equal_timelines_make_equal_files(tmp_path: Path) -> None:
    built = scene(tmp_path)
    before = [path.read_bytes() for path in EXPORTER.export(built, tmp_path)]
    assert [path.read_bytes() for path in EXPORTER.export(built, tmp_path)] == before
