"""`foley doctor`: what is here, what is missing, and how to mend it."""

from __future__ import annotations

import importlib.util
import platform
import shutil
from dataclasses import asdict, dataclass
from typing import Literal

import typer

from foley import api, plugins
from foley.cli import console, options
from foley.contracts import PlannerSettings
from foley.errors import FoleyError, MissingProgramError
from foley.media import ffmpeg
from foley.pipeline.manifest import version

LOW_DISK_GB = 2.0
"""Ten minutes of stems, takes and cache need about half of it."""

PACKAGES = {"decord": "frames", "av": "frames where decord fails", "cv2": "motion", "scenedetect": "cuts"}
PACKAGES |= {"pyrubberband": "time-stretching", "soundfile": "WAV files", "scipy": "signal processing"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: Literal["ok", "warn", "missing"]
    about: str
    mend: str = ""


def doctor(*, json: options.Json = False) -> None:
    """Check programs, packages, plugins and disk; say how to mend what is missing."""
    found = [*_programs(), *_packages(), *_plugins(), _disk()]
    if json:
        console.answer_json([asdict(finding) for finding in found])
    else:
        for finding in found:
            console.answer(f"{finding.state:>8}  {finding.name}: {finding.about}")
            if finding.mend:
                console.answer(f"          mend: {finding.mend}")
    if any(finding.state == "missing" for finding in found):
        raise typer.Exit(MissingProgramError.exit_code)


def _programs() -> list[Finding]:
    try:
        first = Finding("ffmpeg", "ok", ffmpeg.version())
    except FoleyError as error:
        first = Finding("ffmpeg", "missing", error.message, error.hint)
    here = shutil.which("rubberband")
    mend = "" if here else "apt install rubberband-cli, brew install rubberband"
    second = Finding("rubberband", "ok" if here else "missing", "time-stretching" if here else "not found", mend)
    return [Finding("python", "ok", platform.python_version()), first, second]


def _packages() -> list[Finding]:
    names = {"cv2": "opencv-python"}
    findings = []
    for module, use in PACKAGES.items():
        package = names.get(module, module)
        if importlib.util.find_spec(module) is not None:
            findings.append(Finding(package, "ok", f"{version(package)}, {use}"))
        elif module == "decord":  # has no wheel on every platform; PyAV reads in its place
            findings.append(Finding(package, "warn", f"not installed; {use} are read with av instead"))
        else:
            findings.append(Finding(package, "missing", f"not installed: {use}", f"pip install {package}"))
    return findings


def _plugins() -> list[Finding]:
    lacking: dict[str, tuple[str, ...]] = {}
    for name in plugins.names("generator"):
        lacking[f"generator {name}"] = plugins.build("generator", name).missing()
    for name in plugins.names("planner"):
        lacking[f"planner {name}"] = plugins.build("planner", name).missing(PlannerSettings())
    for name in plugins.names("encoder"):
        lacking[f"encoder {name}"] = plugins.build("encoder", name).missing()
    return [
        Finding(name, "warn" if missing else "ok", "not ready" if missing else "ready", "; ".join(missing))
        for name, missing in lacking.items()
    ]


def _disk() -> Finding:
    folder = api.default_workdir()
    here = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free_gb = shutil.disk_usage(here).free / 1e9
    about = f"{free_gb:.1f} GB free at {folder}"
    if free_gb < LOW_DISK_GB:
        return Finding("disk", "warn", about, "free some space, or name another folder with --workdir or FOLEY_CACHE")
    return Finding("disk", "ok", about)
