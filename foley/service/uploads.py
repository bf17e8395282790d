"""Clips that are sent: straight to the disk, under a name that can do no harm."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from foley.deliver import outputs
from foley.errors import DiskFullError
from foley.media.atomic import unwritable
from foley.service.limits import RESERVE_BYTES
from foley.service.messages import UploadView
from foley.service.refusals import RefusedError

BLOCK_BYTES = 1 << 20
"""What is written at once: few switches between threads, little memory."""

NAME_BYTES = 150
"""Of a file name; file systems take 255, and outputs are named after it."""

KEPT_S = 86_400.0
"""How long an upload without a job is kept."""

IDS = re.compile(r"[0-9a-f]{16}")
UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
"""What some file system or program takes for something else."""


class Uploads:
    """The folder of uploads: `ID/NAME`."""

    def __init__(self, folder: Path, *, most_bytes: int, reserve_bytes: int = RESERVE_BYTES) -> None:
        """Open the folder.

        Args:
            folder: Made where it is not there.
            most_bytes: Of one upload.
            reserve_bytes: Of the disk, which are left free.
        """
        self.folder, self.most_bytes, self.reserve_bytes = folder, most_bytes, reserve_bytes
        outputs.make_folder(folder)

    async def receive(self, name: str, announced_bytes: int | None, blocks: AsyncIterator[bytes]) -> UploadView:
        """Write what is sent; there is an upload when all of it has come.

        Args:
            name: Of the file, as the client calls it.
            announced_bytes: Its length, where the client says it.
            blocks: Its content.

        Raises:
            RefusedError: where it is too long, empty, or badly named.
            DiskFullError: where there is no room.
        """
        name = plain_name(name)
        self._refuse_length(announced_bytes or 0)
        upload_id = secrets.token_hex(8)
        part = self.folder / f"{upload_id}.part"
        try:
            size = await self._write(part, blocks)
            (self.folder / upload_id).mkdir()
            part.rename(self.folder / upload_id / name)
        except OSError as cause:
            raise unwritable(self.folder / name, cause) from cause
        finally:
            part.unlink(missing_ok=True)
        return UploadView(upload_id, name, size)

    async def _write(self, part: Path, blocks: AsyncIterator[bytes]) -> int:
        from starlette.concurrency import run_in_threadpool

        size, held = 0, bytearray()
        with part.open("wb") as file:
            async for block in blocks:
                held += block
                size += len(block)
                if len(held) >= BLOCK_BYTES:
                    self._refuse_length(size, ahead=False)
                    await run_in_threadpool(file.write, held)
                    held = bytearray()
            self._refuse_length(size, ahead=False)
            await run_in_threadpool(file.write, held)
        if not size:
            raise RefusedError(422, "EmptyUpload", "the upload is empty")
        return size

    def _refuse_length(self, size: int, *, ahead: bool = True) -> None:
        if size > self.most_bytes:
            hint = "send less, or start the service with a larger --max-upload-mb"
            raise RefusedError(413, "TooLarge", f"an upload may have {self.most_bytes >> 20} MB", hint=hint)
        needed = self.reserve_bytes + (size if ahead else 0)
        if shutil.disk_usage(self.folder).free < needed:
            raise DiskFullError(self.folder, needed / 1e6)

    def find(self, upload_id: str) -> Path:
        """Return the file of an upload.

        Raises:
            RefusedError: where there is none.
        """
        if IDS.fullmatch(upload_id):
            with suppress(OSError):
                return next((self.folder / upload_id).iterdir())
        raise RefusedError(404, "NotFound", f"there is no upload {upload_id!r}")

    def remove(self, upload_id: str) -> None:
        """Remove an upload; nothing where there is none."""
        if IDS.fullmatch(upload_id):
            shutil.rmtree(self.folder / upload_id, ignore_errors=True)

    def forgotten(self) -> list[str]:
        """Return the uploads that are so old that who sent them has forgotten them; remove parts of such."""
        before_s = time.time() - KEPT_S
        found = []
        for path in self.folder.iterdir():
            with suppress(OSError):  # gone meanwhile
                if path.stat().st_mtime < before_s:
                    if path.suffix == ".part":
                        path.unlink()
                    else:
                        found.append(path.name)
        return found


def plain_name(name: str) -> str:
    """Return the name of a file without folders, as every system takes it.

    Raises:
        RefusedError: where nothing is left, or it has no suffix.

    >>> plain_name("../Exports/Reel 1: final?.mov")
    'Reel 1_ final_.mov'
    """
    last = PurePosixPath(UNSAFE.sub("_", name.replace("\\", "/").rpartition("/")[2]).strip(" ."))
    stem, suffix = last.stem, last.suffix
    while stem and len((stem + suffix).encode("utf-8", "replace")) > NAME_BYTES:
        stem = stem[:-1]
    if not stem or not suffix or not (stem + suffix).isprintable():
        raise RefusedError(422, "BadName", f"{name[:100]!r} is no name for a clip", hint="send ?name=clip.mov")
    return stem + suffix
