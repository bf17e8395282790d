"""Put files where the user finds them: whole or not at all, and never over what foley did not write."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from foley.errors import CannotWriteError
from foley.media import writer
from foley.media.atomic import sweep, unwritable, written_whole
from foley.model import Destination, Master
from foley.model.sound import Chain

MANIFEST = "manifest.json"
MASTER = "stems/master.npz"
SAMPLED_BYTES = 4 << 20
"""Of a video, from its start and its end, to know it again: enough to tell two muxes apart, at once for a film."""


def destination_beside(folder: Path, video: Path) -> Destination:
    """Return where the plan in `folder` was rendered to: as its manifest says, else CLIP.foley.EXT beside it."""
    named = _noted(folder, "path")
    suffix = writer.suffix_like(video)
    fresh = folder.resolve().with_name(f"{folder.resolve().name.removesuffix('.foley')}.foley{suffix}")
    return Destination((folder / named).resolve() if named else fresh, folder)


def is_ours(to: Destination) -> bool:
    """Return whether the video is the one that foley wrote, by the manifest beside it."""
    return _noted(to.folder, "fingerprint") == fingerprint(to.video)


def refuse_unwritable(to: Destination) -> None:
    """Refuse, before any work, a place that cannot be written to; nothing is made there yet.

    Raises:
        CannotWriteError: where that is so.
    """
    try:
        str(to.video.absolute()).encode()
    except UnicodeEncodeError as cause:
        raise CannotWriteError(to.video, "its name is not UTF-8, as plans and reports are") from cause
    for place in (to.video.parent, to.folder):
        here = next(folder for folder in (place, *place.absolute().parents) if folder.exists())
        if not here.is_dir():
            raise CannotWriteError(place, f"{here} is a file, not a folder")
        if not os.access(here, os.W_OK | os.X_OK):
            raise CannotWriteError(place, f"{here} may not be written to")


def refuse_input(to: Destination, *inputs: Path) -> None:
    """Refuse an output that would replace what it is made from, by whatever name or link.

    Raises:
        CannotWriteError: where that is so.
    """
    for path in inputs:
        if path.exists() and to.video.exists() and to.video.samefile(path):
            raise CannotWriteError(to.video, f"it is the input {path}, which foley never replaces")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of an earlier render; empty where there is none that can be read."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _noted(folder: Path, field: str) -> str | None:
    """Return what the manifest of an earlier render says of its video."""
    video = read_manifest(folder).get("video")
    noted = video.get(field) if isinstance(video, dict) else None
    return noted if isinstance(noted, str) else None


def fingerprint(path: Path) -> str:
    """Return a key of a file's size, start and end."""
    size = path.stat().st_size
    total = hashlib.blake2b(str(size).encode(), digest_size=16)
    with path.open("rb") as file:
        total.update(file.read(SAMPLED_BYTES))
        file.seek(max(0, size - SAMPLED_BYTES))
        total.update(file.read(SAMPLED_BYTES))
    return total.hexdigest()


@dataclass(frozen=True, slots=True)
class KnownPrints:
    """Fingerprints of the files of an earlier render, for those that are left alone now."""

    prints: Mapping[tuple[int, int, int], str]
    """By inode, size and time of change: a file that is written anew has another inode."""

    def of(self, path: Path) -> str:
        """Return the fingerprint of a file, taken only where it is not known."""
        return self.prints.get(_state(path)) or fingerprint(path)


def known_prints(folder: Path) -> KnownPrints:
    """Return what the manifest says of the files that lie in the folder as they did when it was written."""
    files = read_manifest(folder).get("files")
    if not isinstance(files, dict):
        return KnownPrints({})
    written_ns = (folder / MANIFEST).stat().st_mtime_ns
    present = [(folder / name, print_) for name, print_ in files.items() if (folder / name).is_file()]
    # what is younger than the manifest comes from a run that was killed before it wrote its own
    known = {_state(path): print_ for path, print_ in present if path.stat().st_ctime_ns <= written_ns}
    return KnownPrints(known)


def _state(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def make_folder(folder: Path) -> None:
    """Make a folder to write into.

    Raises:
        CannotWriteError: where that is not possible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise unwritable(folder, cause) from cause


def clear_parts(to: Destination) -> None:
    """Remove what an earlier run was killed over while writing it."""
    for folder in (to.video.parent, to.folder, to.folder / "takes", to.folder / "stems"):
        sweep(folder)


def place_copy(source: Path, to: Path) -> None:
    """Copy a file; a copy of it that is there already is left alone."""
    present = to.stat() if to.exists() else None
    wanted = source.stat()
    if present and (present.st_size, present.st_mtime_ns) == (wanted.st_size, wanted.st_mtime_ns):
        return
    make_folder(to.parent)
    with written_whole(to) as part:
        shutil.copy2(source, part)


def write_text(to: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    make_folder(to.parent)
    with written_whole(to) as part:
        part.write_text(text, encoding="utf-8")


def save_master(master: Master, folder: Path) -> None:
    """Keep the master beside the stems, so that a later edit can keep it."""
    arrays: dict[str, Any] = {f"limiter/{bus}": curve for bus, curve in master.limiter.items()}
    arrays |= {f"compressor/{bus}": curve for bus, curve in master.compressor.items()}
    about = json.dumps(
        {
            "gain_db": master.gain_db,
            "target_lufs": master.target_lufs,
            "bus_keys": dict(master.bus_keys),
            "chain": master.chain,
        }
    )
    make_folder((folder / MASTER).parent)
    with written_whole(folder / MASTER) as part:
        np.savez_compressed(part, about=np.frombuffer(about.encode(), np.uint8), **arrays)


def forget_master(folder: Path) -> None:
    """Remove the master of the last render: a plan that was made anew owes its balance nothing."""
    (folder / MASTER).unlink(missing_ok=True)


def load_master(folder: Path) -> Master | None:
    """Return the master of the last render into the folder; None where there is none that can be read."""
    try:
        # opened here: where it is broken, numpy would leave it open
        with (folder / MASTER).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            about = json.loads(stored["about"].tobytes())
            limiter, compressor = (_curves(stored, kind) for kind in ("limiter", "compressor"))
        chain: Chain = "designed" if about.get("chain") == "designed" else "off"
        return Master(float(about["gain_db"]), about["target_lufs"], limiter, about["bus_keys"], chain, compressor)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _curves(stored: Any, kind: str) -> dict[Any, Any]:
    """Return the gain curves of one kind, by bus."""
    return {name.partition("/")[2]: stored[name] for name in stored.files if name.startswith(f"{kind}/")}


def clear_stale(folder: Path, keep: Mapping[str, object]) -> None:
    """Remove what an earlier render wrote into the folder and this one did not; anything else is left alone."""
    files = read_manifest(folder).get("files")
    for name in files if isinstance(files, dict) else ():
        stale = folder / name
        if name not in keep and stale.is_file() and stale.resolve().is_relative_to(folder.resolve()):
            stale.unlink()
            _remove_empty(stale.parent.resolve(), within=folder.resolve())


def _remove_empty(folder: Path, *, within: Path) -> None:
    """Remove folders that nothing lies in any more, up to the one they are in."""
    while folder != within and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
