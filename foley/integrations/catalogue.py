"""What there is for which editor, and how it is got out of the package to where the editor looks for it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from foley.errors import OptionError
from foley.media.atomic import unwritable, written_whole

HERE = Path(__file__).parent
IMPORT = re.compile(r"(?m)^from foley\.([\w.]+) import .*\n")
"""A line in whose place the module itself stands in what is installed: editors have a Python of their own, and want one
file."""

MAIN = '\nif __name__ == "__main__":'


@dataclass(frozen=True, slots=True)
class Integration:
    """What is made for one editor."""

    name: str
    about: str
    files: Mapping[str, str] = field(default_factory=dict)
    """Where each file goes, relative to the folder, by where it lies here; none where nothing is copied."""
    places: Mapping[str, str] = field(default_factory=dict)
    """The editor's own folder by platform, as `sys.platform` says it; empty where it has none."""
    then: str = ""
    """What remains to be done by hand."""
    tried: str = ""
    """In which versions it was run."""


_RESOLVE = "Blackmagic Design/DaVinci Resolve"

INTEGRATIONS = (
    Integration(
        "blender",
        "add-on for the video sequencer of Blender 3.4 and later: score the strip under the playhead",
        {"blender/foley_vse.py": "foley_vse.py"},
        then="Blender: Preferences > Add-ons > Install from Disk (Install before 4.2): foley_vse.py, then switch it on",
        tried="Blender 3.4.1 and 5.0.1",
    ),
    Integration(
        "otio",
        "plugin of OpenTimelineIO: attaches stems and markers where a program writes a timeline with Python's OTIO",
        then="nothing to copy: it is found where foley is installed; ask for it with FOLEY_OTIO=1, or: otioconvert -H "
        "foley=True",
        tried="OpenTimelineIO 0.18.1",
    ),
    Integration(
        "premiere",
        "panel for Premiere 25.6 and later: sends a clip to foley serve, brings sounds and markers back",
        {f"premiere/{name}": f"foley-panel/{name}" for name in ("manifest.json", "index.html", "index.js")},
        then="UXP Developer Tool: Add Plugin, foley-panel/manifest.json, Load",
        tried="not run in Premiere",
    ),
    Integration(
        "resolve",
        "scripts for DaVinci Resolve 18.5 and later: score the clip under the playhead, or what was just rendered",
        {
            "resolve/foley_resolve.py": "Utility/Foley - score the clip.py",
            "resolve/foley_resolve_deliver.py": "Deliver/Foley - score the render.py",
        },
        places={
            "darwin": f"~/Library/Application Support/{_RESOLVE}/Fusion/Scripts",
            "win32": f"$APPDATA/{_RESOLVE}/Support/Fusion/Scripts",
            "linux": "~/.local/share/DaVinciResolve/Fusion/Scripts",
        },
        then="Resolve: Workspace > Scripts",
        tried="not run in Resolve",
    ),
)


def named(name: str) -> Integration:
    """Return an integration.

    Raises:
        OptionError: where there is none of that name.
    """
    for one in INTEGRATIONS:
        if one.name == name:
            return one
    raise OptionError(f"there is no integration {name!r}", hint=f"known: {', '.join(one.name for one in INTEGRATIONS)}")


def install(one: Integration, folder: Path | None = None) -> tuple[Path, ...]:
    """Write an integration's files; what lies there of an earlier version is replaced.

    Args:
        one: The integration.
        folder: Where to; the editor's own folder where None.

    Raises:
        OptionError: where no folder is given and the editor has none.
        OutputError: where the files cannot be written.
    """
    if not one.files:
        return ()
    to = folder or _own_folder(one)
    written = []
    for source, target in one.files.items():
        path = to / target
        _write(path, content(source))
        written.append(path)
    return tuple(written)


def content(source: str) -> str:
    """Return what is installed for a file of this package: the same, with the modules in it that it imports of us."""
    text = (HERE / source).read_text(encoding="utf-8")
    return _whole(text, set()) if source.endswith(".py") else text


def _whole(text: str, inside: set[str]) -> str:
    """Return a program in which each of our modules stands where it is first imported."""
    return IMPORT.sub(lambda found: _module(found[1], inside), text)


def _module(name: str, inside: set[str]) -> str:
    """Return a module without what belongs to a program alone: its first lines and its last; "" where it is there."""
    if name in inside:
        return ""
    inside.add(name)
    text = HERE.parent.joinpath(*name.split(".")).with_suffix(".py").read_text(encoding="utf-8")
    future = "from __future__ import annotations\n"
    return _whole(text[text.index(future) + len(future) :].partition(MAIN)[0], inside)


def _own_folder(one: Integration) -> Path:
    place = one.places.get(sys.platform)
    if place is None:
        raise OptionError(f"{one.name} has no folder of its own here", hint="name one: --to DIR")
    return Path(os.path.expandvars(place)).expanduser()


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise unwritable(path, cause) from cause
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")
