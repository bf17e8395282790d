"""Build a Blender session from the JSON file beside this one: picture, sounds, volumes, fades and markers.

Run it with Blender, not with Python; it writes NAME.blend beside itself:

    blender -b -P NAME.blender.py                   the session
    blender -b -P NAME.blender.py -- mix.wav        and its sound, mixed down

Made for Blender 3.4 and newer.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

LATE = 1
"""Frames by which Blender plays a keyed volume late: measured in what 3.4.1 and 5.0.1 mix down."""

ACCURACY = 64
"""Samples for which a keyed volume is held when mixing down; Blender's own 1024 would make steps of 21 ms."""


def main() -> None:
    """Build the session, save it, and mix it down where a file is named."""
    import bpy  # type: ignore[import-not-found]

    here = Path(__file__).resolve()
    named = here.name[: -len(".blender.py")]
    session = json.loads(here.with_name(f"{named}.blender.json").read_text(encoding="utf-8"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.save_version = 0  # it is saved twice; no backup of the first
    scene = bpy.context.scene
    set_up(scene, session)
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences  # renamed in 4.4
    add_picture(strips, session, here.parent)
    for sound in session["sounds"]:
        add_sound(strips, sound, here.parent)
    straighten(scene)
    add_notes(bpy, scene, session)
    to = here.with_name(f"{named}.blend")
    bpy.ops.wm.save_as_mainfile(filepath=str(to))
    bpy.ops.file.make_paths_relative()
    bpy.ops.wm.save_as_mainfile(filepath=str(to))
    if "--" in sys.argv:
        mixed = Path(sys.argv[sys.argv.index("--") + 1]).resolve()
        bpy.ops.sound.mixdown(filepath=str(mixed), accuracy=ACCURACY, container="WAV", codec="PCM", format="S24")


def set_up(scene: Any, session: dict[str, Any]) -> None:
    """Set the scene's rate, length and size."""
    scene.name = session["name"]
    scene.render.fps, scene.render.fps_base = session["fps"], session["fps_base"]
    scene.frame_start, scene.frame_end = 1, session["frames"]
    scene.render.resolution_x, scene.render.resolution_y = session["width_px"], session["height_px"]
    scene.render.ffmpeg.audio_mixrate = session["rate_hz"]
    scene.render.ffmpeg.audio_channels = "STEREO"
    scene.sync_mode = "AUDIO_SYNC"


def add_picture(strips: Any, session: dict[str, Any], folder: Path) -> None:
    """Add the clip, where it is there."""
    video = folder / session["video"]
    if video.is_file():
        strips.new_movie(session["name"], str(video), 1, 1)


def add_sound(strips: Any, sound: dict[str, Any], folder: Path) -> None:
    """Add one sound: cut to its frames, with its volume and its fades."""
    first, length, offset = sound["first_frame"] + 1, sound["frames"], sound["source_frame"]
    strip = strips.new_sound(sound["name"], str(folder / sound["file"]), sound["channel"], first - offset)
    strip.frame_offset_start = offset
    strip.frame_final_duration = length
    strip["event"], strip["reason"] = sound["event"], sound["reason"]
    for frame, volume in sound["keys"]:
        strip.volume = volume
        if len(sound["keys"]) > 1:
            strip.keyframe_insert("volume", frame=first + frame - LATE)


def straighten(scene: Any) -> None:
    """Let fades run straight from key to key."""
    action = scene.animation_data.action if scene.animation_data else None
    if action is None:
        return
    if hasattr(action, "fcurves"):
        curves = list(action.fcurves)
    else:  # since 5.0 they stand in layers
        bags = (bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags)
        curves = [curve for bag in bags for curve in bag.fcurves]
    for curve in curves:
        for key in curve.keyframe_points:
            key.interpolation = "LINEAR"
        curve.update()


def add_notes(bpy: Any, scene: Any, session: dict[str, Any]) -> None:
    """Add the markers, and their whole text as a text of the session: a marker's name holds 63 bytes."""
    lines = []
    for marker in session["markers"]:
        scene.timeline_markers.new(marker["text"], frame=marker["frame"] + 1)
        lines.append(f"{marker['timecode']}  {marker['text']}")
    bpy.data.texts.new("foley notes").write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
