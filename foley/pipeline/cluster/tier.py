"""Records that machines share which have no folder in common: a second cache behind each machine's own.

A record lies there as one archive, `NAME/KEY.tar`, under the key of its content, so whoever made it made the same. It
is written under another name and moved when whole. The storage is any that fsspec reaches: file:///mnt/share,
s3://bucket/foley, gs://bucket/foley, memory://. The only door to fsspec.
"""

from __future__ import annotations

import json
import shutil
import tarfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from foley.errors import MissingProgramError, ServiceError
from foley.pipeline.cache import _MISSING, FORMAT, Cache

MEND = "pip install 'foley-pipeline[cluster]'"

DRIVERS = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "abfs": "adlfs",
    "az": "adlfs",
    "sftp": "paramiko",
}
"""Packages that fsspec asks for where an address names their storage."""


class Tier:
    """A storage of archives by key."""

    def __init__(self, address: str) -> None:
        """Open the storage; nothing is read yet.

        Raises:
            MissingProgramError: where fsspec, or its driver for such an address, is not installed.
            ServiceError: where the address is none.
        """
        self.address = address
        try:
            fsspec = import_module("fsspec")
        except ImportError as cause:
            raise MissingProgramError("fsspec", MEND) from cause
        try:
            self._files, self._root = fsspec.core.url_to_fs(address)
        except ImportError as cause:
            driver = DRIVERS.get(address.partition(":")[0], "the driver of this storage")
            raise MissingProgramError(driver, f"pip install {driver}") from cause
        except ValueError as cause:
            raise ServiceError(f"{address} is no storage that can be shared: {cause}") from cause

    def has(self, key: str) -> bool:
        """Return whether an archive is there.

        Raises:
            ServiceError: where the storage does not answer.
        """
        try:
            return bool(self._files.exists(self._place(key)))
        except OSError as cause:
            raise self._broken(cause) from cause

    def push(self, key: str, folder: Path, scratch: Path) -> None:
        """Put a folder there; what is there already is left alone, as it is the same.

        Args:
            key: The archive's name.
            folder: What to put there.
            scratch: An empty folder to pack it in.

        Raises:
            ServiceError: where the storage cannot be written to.
        """
        if self.has(key):
            return
        packed = scratch / "packed.tar"
        with tarfile.open(packed, "w") as archive:  # sound and noise do not shrink: packing them would only take time
            for path in sorted(folder.iterdir()):
                archive.add(path, path.name)
        place = self._place(key)
        part = f"{place}.{uuid.uuid4().hex}.part"
        try:
            self._files.makedirs(place.rpartition("/")[0], exist_ok=True)
            self._files.put_file(str(packed), part)
            self._files.mv(part, place)
        except OSError as cause:
            raise self._broken(cause) from cause
        finally:
            packed.unlink(missing_ok=True)

    def pull(self, key: str, folder: Path, scratch: Path) -> bool:
        """Unpack an archive into a folder; return whether it was there.

        Raises:
            ServiceError: where the storage cannot be read, or what it holds is no archive.
        """
        packed = scratch / "packed.tar"
        try:
            self._files.get_file(self._place(key), str(packed))
            with tarfile.open(packed) as archive:
                archive.extractall(folder, filter="data")
        except FileNotFoundError:
            return False
        except (OSError, tarfile.TarError) as cause:
            raise self._broken(cause) from cause
        finally:
            packed.unlink(missing_ok=True)
        return True

    def _place(self, key: str) -> str:
        return f"{self._root.rstrip('/')}/{key}.tar"

    def _broken(self, cause: Exception) -> ServiceError:
        return ServiceError(
            f"the shared storage {self.address} cannot be used: {cause}",
            hint="check the address and that this machine may read and write there",
        )


class TieredCache(Cache):
    """A machine's own cache, with the shared records behind it: what others made is fetched, what is made is given."""

    def __init__(self, root: Path, tier: Tier) -> None:
        """Take both.

        Args:
            root: The machine's own folder.
            tier: What all share.
        """
        super().__init__(root)
        self._tier = tier

    def fetch(self, record: str) -> bool:
        """Return whether a record, by the name that `record_of` gave it, is here, fetched where it was not."""
        return self._load(self.root / record) is not _MISSING

    def _load(self, folder: Path) -> Any:
        value = super()._load(folder)
        if value is _MISSING and self._fetched(folder):
            value = super()._load(folder)
        return value

    def _commit(self, scratch: Path, folder: Path) -> None:
        super()._commit(scratch, folder)
        packing = self._temporary()
        try:
            self._tier.push(self._key(folder), folder, packing)
        finally:
            shutil.rmtree(packing, ignore_errors=True)

    def _fetched(self, folder: Path) -> bool:
        """Fetch a record, and before it those whose files its value names."""
        unpacked, packing = self._temporary(), self._temporary()
        try:
            if not self._tier.pull(self._key(folder), unpacked, packing):
                return False
            if not all(self.fetch(record) for record in _named_in(unpacked / "value.json")):
                return False
            super()._commit(unpacked, folder)
        finally:
            for one in (unpacked, packing):
                shutil.rmtree(one, ignore_errors=True)
        return True

    def _key(self, folder: Path) -> str:
        return f"{FORMAT}/{folder.relative_to(self.root).as_posix()}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where records are kept while a cluster works."""

    workdir: Path
    """The machine's cache folder; one that all machines see needs no `shared`."""
    shared: str = ""
    """Address of storage that all machines reach, for fsspec; "" where they share the folder."""

    def cache(self) -> Cache:
        """Return the cache of the machine that asks.

        Raises:
            CannotWriteError: where the folder cannot be made.
            ServiceError: where the storage is none.
        """
        storage = self.storage()
        return TieredCache(self.workdir, storage) if storage is not None else Cache(self.workdir)

    def storage(self) -> Tier | None:
        """Return what all machines reach; None where they share the folder.

        Raises:
            MissingProgramError: where what reaches it is not installed.
            ServiceError: where the storage is none.
        """
        return Tier(self.shared) if self.shared else None


def record_of(cache: Cache, name: str, key: tuple[object, ...]) -> str:
    """Return where in a cache's folder the record lies that `once` keeps under a name and a key."""
    content = cache.digest(FORMAT, name, key)
    return f"{name}/{content[:2]}/{content}"


def _named_in(value: Path) -> set[str]:
    """Return the records whose files a record names."""
    try:
        tree = json.loads(value.read_text())
    except (OSError, ValueError):
        return set()
    return {"/".join(path.split("/")[:3]) for path in _cached_paths(tree)}


def _cached_paths(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        path = tree.get("$path")
        if isinstance(path, str) and path.startswith("cache:"):
            yield path.removeprefix("cache:")
    for branch in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _cached_paths(branch)
