"""Run in Blender: a session with one trimmed movie strip, scored by the add-on; what came of it as JSON.

blender -b --factory-startup -P in_blender.py -- ASKED.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import bpy  # type: ignore[import-not-found]

ACCURACY = 64
"""Samples for which a volume is held when mixing down."""


def main() -> None:
    import addon_utils  # type: ignore[import-not-found]  # found once bpy is there

    asked_file = Path(sys.argv[sys.argv.index("--") + 1])
    asked = json.loads(asked_file.read_text())
    bpy.ops.wm.read_factory_settings(use_empty=True)
    addon_utils.enable("foley_vse", default_set=True)
    preferences = bpy.context.preferences.addons["foley_vse"].preferences
    for name, value in asked["preferences"].items():
        setattr(preferences, name, value)
    scene = bpy.context.scene
    strips = session(scene, asked)
    try:
        ended = sorted(bpy.ops.sequencer.foley_score())
    except RuntimeError as error:  # so scripts are told of an error that is reported
        ended = [str(error)]
    notes = bpy.data.texts.get("foley notes")
    found = {
        "ended": ended,
        "sounds": [sound(strip) for strip in strips if strip.get("foley")],
        "markers": [[marker.name, marker.frame] for marker in scene.timeline_markers],
        "notes": notes.as_string() if notes else "",
    }
    bpy.ops.sound.mixdown(filepath=asked["mix"], accuracy=ACCURACY, container="WAV", codec="PCM", format="S24")
    addon_utils.disable("foley_vse")
    asked_file.with_suffix(".found.json").write_text(json.dumps(found))


def session(scene: Any, asked: dict[str, Any]) -> Any:
    """Put a movie on channel 2, trimmed, with another one over it on channel 3 that is muted and begins later."""
    scene.render.fps, scene.render.fps_base = 25, 1.0
    scene.render.ffmpeg.audio_mixrate, scene.render.ffmpeg.audio_channels = 48_000, "STEREO"
    if hasattr(bpy.context.workspace, "sequencer_scene"):
        bpy.context.workspace.sequencer_scene = scene
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    movie = strips.new_movie("shot", asked["clip"], 2, asked["begin"])
    movie.frame_offset_start, movie.frame_final_duration = asked["skipped"], asked["shown"]
    first = int(movie.frame_final_start)
    over = strips.new_movie("over", asked["clip"], 3, first + asked["shown"] // 2)
    over.mute = True
    scene.frame_start, scene.frame_end = first, first + asked["shown"] - 1
    scene.frame_current = first + asked["shown"] // 2 + 1
    scene.foley_prompt = asked["prompt"]
    return strips


def sound(strip: Any) -> dict[str, Any]:
    return {
        "channel": strip.channel,
        "first": strip.frame_final_start,
        "frames": strip.frame_final_duration,
        "offset": strip.frame_offset_start,
        "file": bpy.path.abspath(strip.sound.filepath),
    }


main()
