"""DaVinci Resolve: give what was just rendered its sound, and open it as a timeline beside the others.

Not run in Resolve: written by the scripting README of Resolve (24 July 2026) and tested against a double of that API.
Installed into Scripts/Deliver, it can be chosen for the end of a render job; Resolve then gives it `job`, the job's id.
Run from the menu Workspace > Scripts, it takes the latest job that is complete. Needs Python 3.9.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from foley.integrations.resolve.foley_resolve import application, current_project, refuse_missing, run
from foley.integrations.scoring import Task

COMPLETE = "Complete"


def rendered_file(project: Any, job_id: str = "") -> Path:
    """Return the file of a render job; of the latest that is complete where none is named.

    Raises:
        ValueError: where there is none.
    """
    for job in reversed(project.GetRenderJobList() or []):
        if job_id in ("", job["JobId"]) and project.GetRenderJobStatus(job["JobId"]).get("JobStatus") == COMPLETE:
            return Path(str(job["TargetDir"]), str(job["OutputFilename"]))
    raise ValueError("no render job is complete" if not job_id else f"render job {job_id} is not complete")


def relinked(timeline: Path, clip: Path) -> list[Path]:
    """Let a timeline that came from the service name the files here; return all that it names.

    Args:
        timeline: In the folder that came back: CLIP.foley/export/otio/NAME.otio.
        clip: The picture.
    """
    folder, named = timeline.parents[2], []

    def here(value: Any) -> Any:
        if isinstance(value, list):
            return [here(one) for one in value]
        if not isinstance(value, dict):
            return value
        made = {name: here(one) for name, one in value.items()}
        if address := made.get("target_url"):
            _, ours, inside = unquote(urlsplit(address).path).rpartition(".foley/")
            path = folder / url2pathname(inside) if ours else clip
            named.append(path)
            made["target_url"] = path.as_uri()
        return made

    told = here(json.loads(timeline.read_text(encoding="utf-8")))
    timeline.write_text(json.dumps(told, indent=2), encoding="utf-8")
    return named


def deliver(resolve: Any, job_id: str = "", **settings: Any) -> str:
    """Score a rendered file and open its sounds as a timeline; return what was done.

    Raises:
        ValueError: where that cannot be done.
    """
    project = current_project(resolve)
    clip = rendered_file(project, job_id)
    refuse_missing([clip])
    folder = run(Task(clip, clip.parent / "foley", exports=("csv", "otio"), **settings))
    timeline = next(path for path in (folder / "export" / "otio").glob("*.otio") if not path.stem.endswith(" stems"))
    refuse_missing(relinked(timeline, clip))  # Resolve would open nothing where one file is missing, without a word
    options = {"timelineName": f"{clip.stem} foley", "importSourceClips": True}
    if project.GetMediaPool().ImportTimelineFromFile(str(timeline), options) is None:
        raise ValueError(f"Resolve did not open {timeline}")
    return f"timeline {options['timelineName']!r}, from {timeline}"


if __name__ == "__main__":
    try:
        print("foley:", deliver(application(), str(globals().get("job") or "")))  # noqa: T201
    except ValueError as problem:
        print("foley: this cannot be done:", problem)  # noqa: T201
