"""Say how a run was made: the answer to "how was this made, and may we ship it?"."""

from __future__ import annotations

import dataclasses
import platform
from importlib import metadata

from foley.media import ffmpeg
from foley.model import Provenance
from foley.pipeline.workflow import Workflow

PACKAGES = (
    "av",
    "decord",
    "ffmpeg-python",
    "numpy",
    "opencv-python",
    "pyrubberband",
    "scenedetect",
    "scipy",
    "soundfile",
)
"""Those that the result's samples depend on."""


def provenance(workflow: Workflow) -> Provenance:
    """Return versions and all options, defaults included."""
    tools = {"foley": version("foley-pipeline"), "python": platform.python_version(), "ffmpeg": ffmpeg.version()}
    tools |= {name: version(name) for name in PACKAGES}
    options = {
        step.stage.name: dataclasses.asdict(step.options) if step.options is not None else {} for step in workflow.steps
    }
    return Provenance(tools, workflow.name, options)


def version(package: str) -> str:
    """Return a package's version, "none" where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"
