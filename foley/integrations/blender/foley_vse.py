"""Blender add-on: give the movie strip under the playhead its sound, with `foley serve` or the `foley` command.

Made for Blender 3.4 and newer; run in 3.4.1 and 5.0.1. It is one file: `foley integrations install blender --to DIR`.
"""

from __future__ import annotations

import math
import shutil
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from foley.integrations.scoring import Task, cues, later, run_program, stems

bl_info = {
    "name": "Foley",
    "description": "Give the strip under the playhead its sound effects",
    "author": "foley",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "Video Sequencer > Sidebar > Foley",
    "category": "Sequencer",
}

bpy: Any = sys.modules.get("bpy")  # inside Blender it is always there
Operator: Any = bpy.types.Operator if bpy else object
Panel: Any = bpy.types.Panel if bpy else object
AddonPreferences: Any = bpy.types.AddonPreferences if bpy else object

HANDLE_S = 1.0
"""What is sent of a trimmed strip reaches so far over both ends: it can be opened up that far afterwards."""

MOST_OF_IT = 0.8
"""From this share of its file on, a strip's file is sent whole."""

WIDEST_PX = 960
"""Of an excerpt: more is not looked at."""

EARLY_S = 0.001
"""An excerpt is cut so much before its first frame: decimals of a frame's time are never exact."""

CHANNELS = 128
MARKER_BYTES = 63
"""A marker's name holds no more."""

SLACK = 2e-4
"""By which share rates may differ: a rate that is rounded to two decimals, none that is another."""

TICK_S = 0.25
PROMPT = "What is heard, with or without times from the strip's first frame: 0:03 a door slams; rain"


class Piece(NamedTuple):
    """What of a file is scored; frames are the scene's."""

    file: Path
    lead: int
    """Frames of it before the first that is shown."""
    start_s: float = 0.0
    """Where in the file it begins."""
    duration_s: float | None = None
    """None for the whole file."""


def excerpt(piece: Piece, work: Path) -> Path:
    """Return a file with the piece alone, its picture made small.

    Raises:
        JobFailed: where ffmpeg cannot cut it.
    """
    to = work / f"{piece.file.stem}.mov"
    start_s, duration_s = max(0.0, piece.start_s - EARLY_S), piece.duration_s or 0.0
    source = ["-ss", f"{start_s:.6f}", "-i", str(piece.file), "-t", f"{duration_s:.6f}"]
    picture = ["-map", "0:v:0", "-vf", f"scale='min({WIDEST_PX},iw)':-2", "-pix_fmt", "yuv420p"]
    coded = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-map", "0:a?", "-c:a", "pcm_s16le"]
    words = ["ffmpeg", "-v", "error", "-nostdin", *source, *picture, *coded, str(to)]
    run_program(words)
    return to


def piece_of(file: Path, *, skipped: int, shown: int, total: int, fps: float) -> Piece:
    """Return what of a file is sent: what is shown with handles, or all where that is most of it.

    Args:
        file: The strip's.
        skipped: Frames before the first that is shown.
        shown: Frames that are shown.
        total: Frames of the file.
        fps: Of the scene.
    """
    handle = round(HANDLE_S * fps)
    before, after = min(skipped, handle), max(0, min(total - skipped - shown, handle))
    if before + shown + after >= MOST_OF_IT * total or shutil.which("ffmpeg") is None:
        return Piece(file, skipped)
    return Piece(file, before, (skipped - before) / fps, (before + shown + after) / fps)


def strips_of(scene: Any) -> Any:
    """Return a scene's strips, which 4.4 renamed."""
    editor = scene.sequence_editor_create()
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def scene_of(context: Any) -> Any:
    """Return the scene that the sequencer shows: since 5.0 it may be another than the active one."""
    return getattr(context, "sequencer_scene", None) or context.scene


def fps_of(scene: Any) -> float:
    """Return a scene's frames per second."""
    return float(scene.render.fps / scene.render.fps_base)


def movie_under(scene: Any) -> Any:
    """Return the topmost movie strip under the playhead that is not muted; None where there is none."""
    if scene is None or scene.sequence_editor is None:
        return None
    at = scene.frame_current
    found = [
        strip
        for strip in strips_of(scene)
        if strip.type == "MOVIE" and not strip.mute and strip.frame_final_start <= at < strip.frame_final_end
    ]
    return max(found, key=lambda strip: strip.channel, default=None)


def add_sound(scene: Any, movie: Any, folder: Path, lead: int) -> int:
    """Put the stems under a strip, trimmed as it is, each on a free channel; return how many.

    Args:
        scene: The scene.
        movie: The strip.
        folder: What was made for it.
        lead: Frames of the sounds before the strip's first.
    """
    strips, first, frames = strips_of(scene), int(movie.frame_final_start), int(movie.frame_final_duration)
    added = stems(folder)
    for bus, path in added.items():
        channel = free_channel(strips, movie.channel + 1, first, first + frames)
        strip = strips.new_sound(f"{movie.name} {bus}", str(path), channel, first - lead)
        strip.frame_offset_start = lead
        strip.frame_final_duration = frames
        strip["foley"] = str(folder)
    return len(added)


def free_channel(strips: Any, lowest: int, first: int, last: int) -> int:
    """Return the lowest channel from `lowest` on where nothing lies in [first, last)."""
    taken = {strip.channel for strip in strips if strip.frame_final_start < last and strip.frame_final_end > first}
    for channel in range(lowest, CHANNELS + 1):
        if channel not in taken:
            return channel
    raise ValueError("no channel is free over the strip")


def add_markers(scene: Any, movie: Any, folder: Path, lead: int) -> int:
    """Say what is heard and why: short as markers, whole in the text `foley notes`; return how many."""
    first, frames, fps, lines = int(movie.frame_final_start), int(movie.frame_final_duration), fps_of(scene), []
    for cue in cues(folder):
        frame, last = (math.floor(time_s * fps + 1e-6) - lead for time_s in (cue.start_s, cue.end_s))
        if last < 0 or frame >= frames:
            continue
        text = f"{cue.label}: {cue.reason}"
        at = first + max(0, frame)
        scene.timeline_markers.new(text.encode()[:MARKER_BYTES].decode("utf-8", "ignore"), frame=at)
        lines.append(f"{at}  {text}")
    notes = bpy.data.texts.get("foley notes") or bpy.data.texts.new("foley notes")
    notes.write("".join(f"{line}\n" for line in lines))
    return len(lines)


def task_of(context: Any, movie: Any) -> tuple[Task, int]:
    """Return the task of scoring a strip, and how many frames of its sound lie before the strip's first.

    Raises:
        ValueError: where it cannot be scored as it is.
    """
    file, scene = Path(bpy.path.abspath(movie.filepath)).resolve(), scene_of(context)
    shown, skipped = int(movie.frame_final_duration), int(movie.frame_offset_start)
    total = skipped + shown + int(movie.frame_offset_end)
    skipped += int(getattr(movie, "animation_offset_start", 0))
    if not is_at_speed(movie, total, fps_of(scene)):
        raise ValueError(f"{movie.name} is not played at its own speed ({movie.fps:g} frames per second)")
    piece = piece_of(file, skipped=skipped, shown=shown, total=total, fps=fps_of(scene))
    own = Path(bpy.path.abspath("//foley")) if bpy.data.filepath else file.parent / "foley"
    addon = context.preferences.addons.get(__name__)
    chosen = addon.preferences if addon else None
    folder = Path(bpy.path.abspath(chosen.folder)) if chosen and chosen.folder else own
    named = {name: getattr(chosen, name) for name in ("url", "token_file", "command") if getattr(chosen, name, "")}
    cut = partial(excerpt, piece) if piece.duration_s else None
    prompt = later(scene.foley_prompt, piece.lead / fps_of(scene))  # its times count from the strip's first frame
    return Task(file, folder, prompt=prompt, seed=scene.foley_seed, cut=cut, **named), piece.lead


def is_at_speed(movie: Any, total: int, fps: float) -> bool:
    """Return whether a strip, untrimmed so many frames long, lasts as long as its file.

    A strip is not where it is retimed, nor where the scene has another rate and plays the file frame by frame.
    """
    return bool(movie.fps) and abs(total / fps - movie.frame_duration / movie.fps) <= 1 / fps + SLACK * total / fps


class ScoreStrip(Operator):  # type: ignore[misc]
    """Give the movie strip under the playhead its sound effects: stems on free channels, markers with the reasons."""

    bl_idname = "sequencer.foley_score"
    bl_label = "Score the Strip under the Playhead"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's own form

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Return whether there is a strip."""
        return movie_under(scene_of(context)) is not None

    def execute(self, context: Any) -> set[str]:
        """Do it and wait: for scripts."""
        if not self._begin(context):
            return {"CANCELLED"}
        self._task.run()
        return self._end(context)

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Begin, and let Blender be worked with meanwhile."""
        if not self._begin(context):
            return {"CANCELLED"}
        self._thread = threading.Thread(target=self._task.run, daemon=True)
        self._thread.start()
        manager = context.window_manager
        manager.progress_begin(0, 100)
        self._timer = manager.event_timer_add(TICK_S, window=context.window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: Any, event: Any) -> set[str]:
        """Show how far it is; Escape ends it."""
        manager = context.window_manager
        if event.type == "ESC" and not self._task.cancelled:
            self._task.cancel()
        if event.type != "TIMER" or self._thread.is_alive():
            manager.foley_state = f"{self._task.doing}, {self._task.done:.0%}"
            manager.progress_update(100 * self._task.done)
            for area in context.screen.areas:
                area.tag_redraw()
            return {"PASS_THROUGH"}
        manager.event_timer_remove(self._timer)
        manager.progress_end()
        return self._end(context)

    def _begin(self, context: Any) -> bool:
        movie = movie_under(scene_of(context))
        try:
            (self._task, self._lead), self._name = task_of(context, movie), movie.name
        except (ValueError, OSError) as problem:
            self.report({"ERROR"}, str(problem))
            return False
        return True

    def _end(self, context: Any) -> set[str]:
        scene, task = scene_of(context), self._task
        context.window_manager.foley_state = ""
        movie = strips_of(scene).get(self._name)
        if task.result is None or movie is None:
            self.report({"ERROR"}, task.error or f"{self._name} is gone; its sound lies in {task.result}")
            return {"CANCELLED"}
        number = add_sound(scene, movie, task.result, self._lead)
        marked = add_markers(scene, movie, task.result, self._lead)
        self.report({"INFO"}, f"{number} stems, {marked} markers, in {task.result}")
        return {"FINISHED"}


class FoleyPanel(Panel):  # type: ignore[misc]
    """What is asked for the strip under the playhead."""

    bl_idname = "FOLEY_PT_score"
    bl_label = "Foley"
    bl_space_type, bl_region_type, bl_category = "SEQUENCE_EDITOR", "UI", "Foley"

    def draw(self, context: Any) -> None:
        """Draw it."""
        scene, state = scene_of(context), context.window_manager.foley_state
        movie = movie_under(scene)
        self.layout.label(text=movie.name if movie else "no movie strip under the playhead")
        self.layout.prop(scene, "foley_prompt")
        self.layout.prop(scene, "foley_seed")
        self.layout.operator(ScoreStrip.bl_idname)
        if state:
            self.layout.label(text=f"{state} (Escape ends it)")


class FoleyPreferences(AddonPreferences):  # type: ignore[misc]
    """Where foley is; empty for where it usually is."""

    bl_idname = __name__

    def draw(self, context: Any) -> None:
        """Draw them."""
        for name in self.__annotations__:
            self.layout.prop(self, name)


def register() -> None:
    """Add the panel, its operator and what they remember."""
    text, props = bpy.props.StringProperty, bpy.props
    FoleyPreferences.__annotations__ = {
        "url": text(name="Service", description="Address of foley serve; empty for this machine's"),
        "token_file": text(name="Token File", subtype="FILE_PATH"),
        "command": text(name="Command", default="foley", description="What is run where no service answers"),
        "folder": text(name="Folder", subtype="DIR_PATH", description="For sounds; empty for foley/ beside the file"),
    }
    for kind in (FoleyPreferences, ScoreStrip, FoleyPanel):
        bpy.utils.register_class(kind)
    bpy.types.Scene.foley_prompt = text(name="Prompt", description=PROMPT)
    bpy.types.Scene.foley_seed = props.IntProperty(name="Seed", min=0, description="Another seed, other takes")
    bpy.types.WindowManager.foley_state = text()


def unregister() -> None:
    """Take all of it away."""
    for kind in (FoleyPanel, ScoreStrip, FoleyPreferences):
        bpy.utils.unregister_class(kind)
    del bpy.types.Scene.foley_prompt, bpy.types.Scene.foley_seed, bpy.types.WindowManager.foley_state
