"""Keep what stages make, by content: a killed run resumes, two runs may share one folder.

A record is a folder `NAME/KEY` with the value (`value.json`, `arrays.npz`) and its files. It is made under `tmp/` and
renamed when whole, so that it is there completely or not at all, whoever is killed.
"""

from __future__ import annotations

import errno
import json
import shutil
import threading
import uuid
import zipfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from foley.contracts import Context
from foley.errors import CannotWriteError
from foley.media.atomic import is_abandoned, owner, unwritable
from foley.pipeline import codec

T = TypeVar("T")
Progress = Callable[[float, str], None]

FORMAT = "1"
"""Raised when records are laid out anew: old ones are then simply not found."""

_MISSING = object()


class Cache:
    """A folder of records."""

    def __init__(self, root: Path) -> None:
        """Open the folder, making it where it is not there.

        Raises:
            CannotWriteError: where the folder cannot be made.
        """
        self.root = root.resolve()
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        try:
            (self.root / "tmp").mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            raise unwritable(self.root, cause) from cause
        self._sweep()

    def context(self, progress: Progress | None = None) -> RunContext:
        """Return a context whose scratch folder lives until `RunContext.close`."""
        return RunContext(self, self._temporary(), progress or (lambda done, what: None))

    def digest(self, *values: object) -> str:
        """Return the content key of values."""
        return codec.digest(values, self._name_path)

    def once(
        self, name: str, key: tuple[object, ...], make: Callable[[Context], T], progress: Progress
    ) -> tuple[T, bool]:
        """Return the record's value and whether it was there already; made and kept where it was not."""
        content = self.digest(FORMAT, name, key)
        folder = self.root / name / content[:2] / content
        with self._locks[f"{name}/{content}"]:
            value = self._load(folder)
            if value is not _MISSING:
                return value, True
            self._make(folder, make, progress)
            value = self._load(folder)
        if value is _MISSING:
            raise CannotWriteError(folder, "what was just written cannot be read back")
        return value, False

    def _make(self, folder: Path, make: Callable[[Context], Any], progress: Progress) -> None:
        context = RunContext(self, self._temporary(), progress)
        try:
            value = make(context)
            self._write(value, context.scratch)
            self._commit(context.scratch, folder)
        except OSError as cause:
            if not self._is_ours(cause):
                raise
            raise unwritable(folder, cause) from cause
        finally:
            context.close()

    def _is_ours(self, cause: OSError) -> bool:
        """Return whether it was the cache that could not be written, and not something that a stage opened or asked."""
        if cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO):
            return True
        return isinstance(cause.filename, str | Path) and Path(cause.filename).is_relative_to(self.root)

    def _write(self, value: object, scratch: Path) -> None:
        encoder = codec.Encoder(lambda path: self._name_path(path, scratch))
        tree = encoder.tree(value)
        if encoder.arrays:
            np.savez(scratch / "arrays.npz", **encoder.arrays)  # type: ignore[arg-type]
        files = {str(path.relative_to(scratch)): path.stat().st_size for path in scratch.rglob("*") if path.is_file()}
        (scratch / "value.json").write_text(json.dumps({"value": tree, "files": files}))

    def _commit(self, scratch: Path, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            scratch.rename(folder)
        except OSError as cause:
            if cause.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            if (
                self._load(folder) is _MISSING
            ):  # what stands there is broken; another run's whole record is as good as ours
                folder.rename(self._temporary() / "broken")
                scratch.rename(folder)

    def _load(self, folder: Path) -> Any:
        """Return the value, or `_MISSING` where it or a file that it names is not there whole."""
        try:
            record = json.loads((folder / "value.json").read_text())
            if any((folder / name).stat().st_size != size for name, size in record["files"].items()):
                return _MISSING
            arrays = {}
            if "arrays.npz" in record["files"]:
                # opened here: where it is broken, numpy would leave it open
                with (folder / "arrays.npz").open("rb") as file, np.load(file, allow_pickle=False) as stored:
                    arrays = dict(stored)
            return codec.decode(record["value"], arrays, lambda name: self._find_path(name, folder))
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
            return _MISSING

    def _name_path(self, path: Path, own: Path | None = None) -> str:
        if own is not None and path.is_relative_to(own):
            return f"own:{path.relative_to(own).as_posix()}"
        if path.is_relative_to(self.root):
            return f"cache:{path.relative_to(self.root).as_posix()}"
        return f"file:{path}"

    def _find_path(self, name: str, folder: Path) -> Path:
        base, _, rest = name.partition(":")
        path = {"own": folder, "cache": self.root}.get(base, Path()) / rest
        if base == "cache" and not path.exists():
            raise FileNotFoundError(path)
        return path

    def _temporary(self) -> Path:
        folder = self.root / "tmp" / f"{owner()}-{uuid.uuid4().hex}"
        try:
            folder.mkdir()
        except OSError as cause:
            raise unwritable(folder, cause) from cause
        return folder

    def _sweep(self) -> None:
        """Throw away what killed runs of this machine left half-made."""
        for folder in (self.root / "tmp").glob("*-*-*"):
            if is_abandoned(folder.name.rpartition("-")[0]):
                shutil.rmtree(folder, ignore_errors=True)


class RunContext:
    """The `Context` that stages are given."""

    def __init__(self, cache: Cache, scratch: Path, progress: Progress) -> None:
        self._cache = cache
        self.scratch = scratch
        self._progress = progress

    def rng(self, *key: object) -> np.random.Generator:
        """Return the random stream of `key`."""
        return np.random.default_rng(int(self._cache.digest(*key), 16))

    def digest(self, *values: object) -> str:
        """Return the content key of values."""
        return self._cache.digest(*values)

    def once(self, name: str, key: tuple[object, ...], make: Callable[[Context], T]) -> T:
        """Return what `make` makes, from the cache where it was made before."""
        return self._cache.once(name, key, make, self._progress)[0]

    def progress(self, done: float, what: str = "") -> None:
        """Say how much of the stage is done."""
        self._progress(done, what)

    def close(self) -> None:
        """Throw the scratch folder away."""
        shutil.rmtree(self.scratch, ignore_errors=True)
