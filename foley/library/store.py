"""The index on disk: what is known of files in SQLite, what was measured in one array that is mapped into memory.

Several processes may read while one writes: SQLite keeps a write-ahead log, writers wait for one another, and a row of
the array is written before the transaction that names it ends. Rows are never moved and never used again, so that a
file that is found at another place keeps what was measured.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from foley.errors import CannotWriteError, FoleyError
from foley.library.measure import FEATURES, Measured

FOLDER_VARIABLE = "FOLEY_LIBRARY"

SCHEMA = 1
"""Raised when what is kept, or how it is measured, changes: an older index is then built anew."""

WAIT_S = 60.0
"""A writer waits so long for another: indexing commits after every batch, which takes seconds."""

LOG_TRIES, LOG_WAIT_S = 50, 0.1
"""Switching the log on is the one thing that SQLite does not wait for by itself."""

WORD_COLUMNS = ("name", "tags", "place", "category", "related")
"""Stems of: the title; other metadata; the folders; the UCS class; its synonyms."""

_TABLES = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE folders (path BLOB PRIMARY KEY, licence TEXT NOT NULL);
CREATE TABLE sounds (id INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, onsets BLOB NOT NULL, loops BLOB NOT NULL,
    texts TEXT NOT NULL);
CREATE TABLE files (id INTEGER PRIMARY KEY, path BLOB UNIQUE NOT NULL, folder BLOB NOT NULL, size INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL, sound INTEGER NOT NULL, ucs TEXT NOT NULL, series TEXT NOT NULL,
    licence TEXT NOT NULL, title TEXT NOT NULL, digest INTEGER NOT NULL);
CREATE INDEX files_ucs ON files (ucs);
CREATE INDEX files_licence ON files (licence);
CREATE INDEX files_series ON files (series);
CREATE INDEX files_folder ON files (folder);
CREATE TABLE skipped (path BLOB PRIMARY KEY, folder BLOB NOT NULL, size INTEGER NOT NULL, modified_ns INTEGER NOT NULL,
    reason TEXT NOT NULL);
CREATE VIRTUAL TABLE words USING fts5 ({", ".join(WORD_COLUMNS)}, tokenize = "unicode61");
CREATE VIRTUAL TABLE terms USING fts5vocab (words, 'row');
"""

_MASK = (1 << 64) - 1


def location() -> Path:
    """Return the folder of the index: FOLEY_LIBRARY, else in the user's data."""
    given = os.environ.get(FOLDER_VARIABLE)
    if given:
        return Path(given).expanduser()
    from platformdirs import user_data_path

    return user_data_path("foley") / "library"


class Store:
    """One open index; each thread and each process opens its own."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Open the index in a folder.

        Args:
            folder: Of the index.
            create: Make it where there is none; else that is an error.

        Raises:
            FoleyError: where there is none, or it is damaged.
            OutputError: where it cannot be made.
        """
        self.folder = folder
        path = folder / "index.sqlite"
        if not create and not path.is_file():
            raise FoleyError("no recordings are indexed", hint="foley library add DIR")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.rows = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
            self._set_up(create=create)
        except OSError as cause:
            raise CannotWriteError(folder, cause.strerror or str(cause)) from cause
        except sqlite3.Error as cause:
            raise damaged(path, cause) from cause

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if isinstance(error, sqlite3.Error):
            raise damaged(self.folder, error) from error

    def close(self) -> None:
        """Let the files go."""
        self.rows.close()

    def _set_up(self, *, create: bool) -> None:
        """Make the tables where there are none; an index of another schema is emptied where it may be made anew."""
        version = self.rows.execute("PRAGMA user_version").fetchone()[0]
        if version == SCHEMA:
            return
        if not create:
            raise FoleyError("the index of recordings is of another version", hint="foley library add DIR")
        self._keep_a_log()
        with self.writing():
            if self.rows.execute("PRAGMA user_version").fetchone()[0] == SCHEMA:
                return  # another process was faster
            for table in ("terms", "words", "skipped", "files", "sounds", "folders", "meta"):
                self.rows.execute(f"DROP TABLE IF EXISTS {table}")
            for statement in filter(str.strip, _TABLES.split(";")):
                self.rows.execute(statement)
            for name, value in {"version": "0", "array": "features-0.f32", "meaning": "", "meaning_size": "0"}.items():
                self.rows.execute("INSERT INTO meta VALUES (?, ?)", (name, value))
            (self.folder / "features-0.f32").unlink(missing_ok=True)
            self.rows.execute(f"PRAGMA user_version = {SCHEMA}")

    def _keep_a_log(self) -> None:
        """Have SQLite keep a write-ahead log; of processes that ask at once all but one are told that it is locked."""
        for _ in range(LOG_TRIES):
            try:
                self.rows.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as cause:
                if "locked" not in str(cause):
                    raise
                time.sleep(LOG_WAIT_S)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the index for writing: all of it is kept, or nothing.

        Raises:
            FoleyError: where it cannot be written, or another process holds it for too long.
        """
        try:
            self.rows.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as cause:
            raise damaged(self.folder, cause) from cause
        try:
            yield
            self.rows.execute("COMMIT")
        except BaseException as cause:
            if self.rows.in_transaction:
                self.rows.execute("ROLLBACK")
            if isinstance(cause, sqlite3.Error):
                raise damaged(self.folder, cause) from cause
            raise

    def meta(self, name: str) -> str:
        """Return one value of what is known of the whole."""
        return str(self.rows.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()[0])

    def set_meta(self, name: str, value: str) -> None:
        """Set one; only while writing."""
        self.rows.execute("UPDATE meta SET value = ? WHERE name = ?", (value, name))

    @property
    def version(self) -> str:
        """Return what tells this content from another: equal files with equal words and licences give it again."""
        return f"{SCHEMA}-{int(self.meta('version')):016x}{self.meta('meaning')}"

    def count(self) -> int:
        """Return the number of files."""
        return int(self.rows.execute("SELECT count(*) FROM files").fetchone()[0])

    def changed(self, digest: int, *, by: int) -> None:
        """Add a file's digest to the whole's, or take it away: a sum does not depend on the order of work."""
        self.set_meta("version", str((int(self.meta("version")) + by * digest) & _MASK))

    # what was measured

    @property
    def meaning_size(self) -> int:
        """Return the numbers of an embedding; 0 where there are none."""
        return int(self.meta("meaning_size"))

    def features(self) -> npt.NDArray[np.float32]:
        """Return all that was measured, mapped into memory, shape (rows, columns), by the sounds' ids less one.

        Columns are `FEATURES`, then the embedding, where there are any.
        """
        width = len(FEATURES) + self.meaning_size
        path = self.folder / self.meta("array")
        count = path.stat().st_size // (4 * width) if path.is_file() else 0
        if not count:
            return np.zeros((0, width), np.float32)
        return np.memmap(path, np.float32, "r", shape=(count, width))

    def keep_sound(self, key: str, measured: Measured, texts: str) -> int:
        """Keep what was measured of a content, and return its id; only while writing."""
        blobs = (measured.onsets_s.astype("<f4").tobytes(), measured.loops_s.astype("<f4").tobytes())
        made = self.rows.execute("INSERT INTO sounds VALUES (NULL, ?, ?, ?, ?)", (key, *blobs, texts))
        row = int(made.lastrowid or 0)
        self._write(row, 0, measured.features)
        return row

    def keep_meaning(self, sound: int, embedding: npt.NDArray[np.float32]) -> None:
        """Keep the embedding of a sound, shape (meaning_size,); only while writing."""
        self._write(sound, FEATURES.index("has_meaning"), np.concatenate([np.ones(1), embedding]).astype(np.float32))

    def _write(self, sound: int, column: int, values: npt.NDArray[np.float32]) -> None:
        width = len(FEATURES) + self.meaning_size
        path = self.folder / self.meta("array")
        with path.open("r+b" if path.exists() else "w+b") as file:
            # rows are whole: a reader counts them by the file's length
            file.truncate(max(path.stat().st_size, sound * width * 4))
            file.seek(((sound - 1) * width + column) * 4)
            file.write(values.astype("<f4").tobytes())

    def widen(self, meaning: str, size: int) -> None:
        """Give every row room for an embedding by another model; only while writing.

        The array is written anew under another name: who reads the old one keeps it.
        """
        old, before = self.features(), self.meta("array")
        name = f"features-{int(before.split('-')[1].split('.')[0]) + 1}.f32"
        with (self.folder / name).open("wb") as file:
            for first in range(0, len(old), 1024):
                part = old[first : first + 1024, : len(FEATURES)].copy()
                part[:, FEATURES.index("has_meaning")] = 0.0
                file.write(np.pad(part, ((0, 0), (0, size))).astype("<f4").tobytes())
        for item, value in {"array": name, "meaning": meaning, "meaning_size": str(size)}.items():
            self.set_meta(item, value)

    def drop_old_arrays(self) -> None:
        """Remove arrays that a wider one has replaced."""
        for path in self.folder.glob("features-*.f32"):
            if path.name != self.meta("array"):
                path.unlink(missing_ok=True)


def damaged(place: Path, cause: Exception) -> FoleyError:
    """Return the error for an index that cannot be used."""
    if "locked" in str(cause):
        return FoleyError(f"{place} is being written by another process", hint="try again when it has ended")
    return FoleyError(f"the index {place} cannot be used: {cause}", hint="delete it and add the folders again")


def digest_of(*values: object) -> int:
    """Return 63 bits that tell values from others: as many as SQLite keeps of a number that is not negative."""
    text = "\0".join(str(value) for value in values)
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "big") >> 1
