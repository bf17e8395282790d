"""DaVinci Resolve: give the clip under the playhead its sound, through `foley serve` or the `foley` command.

Not run in Resolve: written by the scripting README of Resolve (24 July 2026) and tested against a double of that API.
Installed into Scripts/Utility, it is in the menu Workspace > Scripts, in the free edition too. Needs Python 3.9.

What is heard can be said on the timeline: the notes of markers over the clip are the prompt, each at its time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from foley.integrations.scoring import Task, clock, cues, stems

MARK = "foley:"
"""How the hidden text of our own markers begins: they are no prompt."""

COLOUR = "Cyan"
TRIES = 5
"""A frame holds one marker: where it has one, the next frames are tried."""

AUDIO = 2
"""The media type of what is appended."""


class Shown(NamedTuple):
    """A clip as it stands on the timeline; frames are the timeline's."""

    file: Path
    first: int
    """On the timeline, counted as its time code is."""
    frames: int
    lead: int
    """Of the file before what is shown."""
    fps: float


def application() -> Any:
    """Return Resolve: it is there where Resolve runs the script, and asked for where a shell does."""
    found = globals().get("resolve")
    if found is not None:
        return found
    from importlib import import_module

    return import_module("DaVinciResolveScript").scriptapp("Resolve")


def current_project(resolve: Any) -> Any:
    """Return the open project.

    Raises:
        ValueError: where there is none.
    """
    project = resolve.GetProjectManager().GetCurrentProject()
    if project is None:
        raise ValueError("no project is open")
    return project


def shown_under_playhead(timeline: Any) -> Shown:
    """Return the clip under the playhead.

    Raises:
        ValueError: where there is none that has a file.
    """
    item = timeline.GetCurrentVideoItem() if timeline else None
    media = item.GetMediaPoolItem() if item else None
    file = media.GetClipProperty("File Path") if media else ""
    if item is None or not file:
        raise ValueError("no clip with a file is under the playhead")
    fps = float(timeline.GetSetting("timelineFrameRate"))
    return Shown(Path(file), int(item.GetStart()), int(item.GetDuration()), int(item.GetLeftOffset()), exact(fps))


def exact(fps: float) -> float:
    """Return a rate that Resolve rounds to two or three decimals as it is: 23.976 is 24000/1001.

    >>> exact(25.0), round(exact(29.97), 6)
    (25.0, 29.97003)
    """
    whole = round(fps)
    ntsc = whole * 1000 / 1001
    return ntsc if abs(fps - ntsc) < abs(fps - whole) else float(whole)


def prompt_of(timeline: Any, shown: Shown) -> str:
    """Return what the markers over a clip say, each at its time in the file; our own are left out."""
    said = []
    for frame, marker in sorted((timeline.GetMarkers() or {}).items()):
        inside = int(frame) + timeline.GetStartFrame() - shown.first
        text = str(marker.get("note") or "").strip()
        if text and 0 <= inside < shown.frames and not str(marker.get("customData") or "").startswith(MARK):
            said.append(f"{clock((inside + shown.lead) / shown.fps)} {text}")
    return "; ".join(said)


def add_stems(project: Any, timeline: Any, shown: Shown, folder: Path) -> list[str]:
    """Put the stems under a clip, trimmed as it is, each on a track of its name; return the tracks.

    Raises:
        ValueError: where Resolve does not take them.
    """
    found = stems(folder)
    refuse_missing(found.values())
    pool = project.GetMediaPool()
    taken = {str(item.GetClipProperty("File Path")): item for item in pool.ImportMedia([*map(str, found.values())])}
    for bus, path in found.items():
        if str(path) not in taken:
            raise ValueError(f"Resolve did not import {path}")
        append(pool, timeline, taken[str(path)], track=free_track(timeline, bus.upper(), shown), shown=shown)
    return [bus.upper() for bus in found]


def refuse_missing(files: Iterable[Path]) -> None:
    """Refuse files that are not there: Resolve would say nothing, and import nothing.

    Raises:
        ValueError: where one is missing.
    """
    if missing := [str(file) for file in files if not file.is_file()]:
        raise ValueError(f"not there: {', '.join(missing)}")


def append(pool: Any, timeline: Any, media: Any, *, track: int, shown: Shown) -> None:
    """Put a sound on a track under a clip.

    Whether `endFrame` is the last frame or the one past it differs from version to version: what came out is looked at.

    Raises:
        ValueError: where Resolve does not do it.
    """
    past = shown.lead + shown.frames
    for end in (past, past - 1, past + 1):
        about = {"mediaPoolItem": media, "startFrame": shown.lead, "endFrame": end, "mediaType": AUDIO}
        made = pool.AppendToTimeline([{**about, "trackIndex": track, "recordFrame": shown.first}])
        if not made or made[0] is None:
            continue
        if int(made[0].GetDuration()) == shown.frames:
            return
        timeline.DeleteClips(made)
    raise ValueError(f"Resolve did not put {media.GetClipProperty('File Path')} on track {track}")


def free_track(timeline: Any, name: str, shown: Shown) -> int:
    """Return the number of an audio track of a name with nothing under a clip; a new one where there is none."""
    for number in range(1, timeline.GetTrackCount("audio") + 1):
        items = timeline.GetItemListInTrack("audio", number) or []
        over = [item for item in items if item.GetStart() < shown.first + shown.frames and item.GetEnd() > shown.first]
        if timeline.GetTrackName("audio", number) == name and not over:
            return number
    timeline.AddTrack("audio", "stereo")
    number = int(timeline.GetTrackCount("audio"))
    timeline.SetTrackName("audio", number, name)
    return number


def add_markers(timeline: Any, shown: Shown, folder: Path) -> int:
    """Say on the timeline what is heard and why; return how many markers there are."""
    added, origin = 0, shown.first - timeline.GetStartFrame()
    for cue in cues(folder):
        first, last = (math.floor(time_s * shown.fps + 1e-6) - shown.lead for time_s in (cue.start_s, cue.end_s))
        if last < 0 or first >= shown.frames:
            continue
        hidden = f"{MARK}{folder.stem}/{cue.event}"
        frames = range(origin + max(0, first), origin + min(max(0, first) + TRIES, shown.frames))
        added += any(timeline.AddMarker(frame, COLOUR, cue.label, cue.reason, 1, hidden) for frame in frames)
    return added


def run(task: Task) -> Path:
    """Do a task, telling how far it is; return the folder that came back.

    Raises:
        ValueError: where it fails.
    """
    told: list[str] = []

    def tell() -> None:
        if told[-1:] != [task.doing]:
            told.append(task.doing)
            print(f"foley: {task.doing} ({task.done:.0%})")  # noqa: T201 - Resolve's console shows it

    task.on_change = tell
    task.run()
    if task.result is None:
        raise ValueError(task.error)
    return task.result


def score(resolve: Any, **settings: Any) -> str:
    """Give the clip under the playhead its sound; return what was done.

    Args:
        resolve: Resolve.
        **settings: Fields of the task: url, token_file, command.

    Raises:
        ValueError: where that cannot be done.
    """
    project = current_project(resolve)
    timeline = project.GetCurrentTimeline()
    shown = shown_under_playhead(timeline)
    refuse_missing([shown.file])
    folder = run(Task(shown.file, shown.file.parent / "foley", prompt=prompt_of(timeline, shown), **settings))
    tracks = add_stems(project, timeline, shown, folder)
    markers = add_markers(timeline, shown, folder)
    return f"{', '.join(tracks)}; {markers} markers; in {folder}"


if __name__ == "__main__":
    try:
        print("foley:", score(application()))  # noqa: T201
    except ValueError as problem:
        print("foley: this cannot be done:", problem)  # noqa: T201
