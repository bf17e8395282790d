"""A double of what the clients use of DaVinci Resolve's scripting API, by its README of 24 July 2026.

It answers as that says, and as people have found where that is silent: `ImportMedia` gives items in an order of its
own, and whether `endFrame` counts in differs between versions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit


class Clip:
    """A MediaPoolItem."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def GetClipProperty(self, name: str) -> str:  # noqa: N802
        return {"File Path": str(self.file)}[name]


class Item:
    """A TimelineItem."""

    def __init__(self, media: Clip, *, start: int, length: int, left: int) -> None:
        self.media, self.start, self.length, self.left = media, start, length, left

    def GetMediaPoolItem(self) -> Clip:  # noqa: N802
        return self.media

    def GetStart(self) -> int:  # noqa: N802
        return self.start

    def GetEnd(self) -> int:  # noqa: N802
        return self.start + self.length

    def GetDuration(self) -> int:  # noqa: N802
        return self.length

    def GetLeftOffset(self) -> int:  # noqa: N802
        return self.left


class Timeline:
    """A Timeline at 25 frames a second with one audio track that is taken."""

    def __init__(self, item: Item | None, *, start: int, end_is_past: bool = True) -> None:
        self.item, self.start, self.end_is_past = item, start, end_is_past
        self.tracks: list[list[Item]] = [[item] if item else []]
        self.names = ["Audio 1"]
        self.markers: dict[float, dict[str, Any]] = {}

    def GetCurrentVideoItem(self) -> Item | None:  # noqa: N802
        return self.item

    def GetSetting(self, name: str) -> str:  # noqa: N802
        return {"timelineFrameRate": "25.0"}[name]

    def GetStartFrame(self) -> int:  # noqa: N802
        return self.start

    def GetTrackCount(self, kind: str) -> int:  # noqa: N802
        return {"audio": len(self.tracks)}[kind]

    def AddTrack(self, kind: str, form: str) -> bool:  # noqa: N802
        assert (kind, form) == ("audio", "stereo")
        self.tracks.append([])
        self.names.append(f"Audio {len(self.tracks)}")
        return True

    def GetTrackName(self, kind: str, number: int) -> str:  # noqa: N802
        return self.names[number - 1]

    def SetTrackName(self, kind: str, number: int, name: str) -> bool:  # noqa: N802
        self.names[number - 1] = name
        return True

    def GetItemListInTrack(self, kind: str, number: int) -> list[Item]:  # noqa: N802
        return list(self.tracks[number - 1])

    def DeleteClips(self, items: list[Item]) -> bool:  # noqa: N802
        self.tracks = [[item for item in track if item not in items] for track in self.tracks]
        return True

    def GetMarkers(self) -> dict[float, dict[str, Any]]:  # noqa: N802
        return dict(self.markers)

    def AddMarker(  # noqa: N802
        self, frame: float, color: str, name: str, note: str, duration: float, data: str
    ) -> bool:
        if frame in self.markers:
            return False
        self.markers[float(frame)] = {
            "color": color,
            "name": name,
            "note": note,
            "duration": duration,
            "customData": data,
        }
        return True


class Pool:
    """A MediaPool."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.opened: list[Any] = []

    def ImportMedia(self, paths: list[str]) -> list[Clip]:  # noqa: N802
        return [Clip(Path(path)) for path in reversed(paths) if Path(path).is_file()]

    def AppendToTimeline(self, about: list[dict[str, Any]]) -> list[Item]:  # noqa: N802
        made = []
        for one in about:
            assert one["mediaType"] == 2
            length = one["endFrame"] - one["startFrame"] + (0 if self.timeline.end_is_past else 1)
            made.append(Item(one["mediaPoolItem"], start=one["recordFrame"], length=length, left=one["startFrame"]))
            self.timeline.tracks[one["trackIndex"] - 1].append(made[-1])
        return made

    def ImportTimelineFromFile(self, path: str, options: dict[str, Any]) -> Any:  # noqa: N802
        """Open an OTIO file; where one of its files is missing, open nothing and say nothing."""
        import opentimelineio as otio

        timeline = otio.adapters.read_from_file(path)
        for clip in timeline.find_clips():
            if not Path(unquote(urlsplit(clip.media_reference.target_url).path)).is_file():
                return None
        timeline.name = options["timelineName"]
        self.opened.append(timeline)
        return timeline


class Resolve:
    """Resolve, its project manager and its project in one."""

    def __init__(self, timeline: Timeline, jobs: list[dict[str, str]] | None = None) -> None:
        self.timeline, self.jobs, self.pool = timeline, jobs or [], Pool(timeline)

    def GetProjectManager(self) -> Resolve:  # noqa: N802
        return self

    def GetCurrentProject(self) -> Resolve:  # noqa: N802
        return self

    def GetCurrentTimeline(self) -> Timeline:  # noqa: N802
        return self.timeline

    def GetMediaPool(self) -> Pool:  # noqa: N802
        return self.pool

    def GetRenderJobList(self) -> list[dict[str, str]]:  # noqa: N802
        return self.jobs

    def GetRenderJobStatus(self, job_id: str) -> dict[str, Any]:  # noqa: N802
        return next({"JobStatus": job["status"]} for job in self.jobs if job["JobId"] == job_id)
