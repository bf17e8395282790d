"""Take a folder of recordings into the index, or out of it: what has not changed since is not read again."""

from __future__ import annotations

import fnmatch
import json
import os
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from foley.errors import FoleyError
from foley.library import tags, ucs, words
from foley.library.reading import WORKERS, Found, Outcome, Read, files_of, read, shown
from foley.library.store import Store, digest_of

UNKNOWN = "unknown"
"""The licence of a recording of which nobody said one."""

BATCH = 256
"""Files between two commits: a run that is stopped loses no more, and others may write in between."""

Progress = Callable[[int, str], None]
"""Is told how many files are done, and the last one's name."""

Licences = Callable[[Path], str]
"""Gives the licence of a file by its place in the folder; "" where nothing is said of it."""


def add(
    store: Store, folder: Path, *, licence: str = "", licences: Licences | None = None, progress: Progress | None = None
) -> Outcome:
    """Index a folder and all in it.

    Args:
        store: The index.
        folder: Of recordings.
        licence: Of all of them of which `licences` says nothing; "" keeps what was said of the folder before.
        licences: Of single files.
        progress: Is told how far it is.

    Raises:
        FoleyError: where the folder is none, or the index cannot be written.
    """
    folder = _absolute(folder)
    if not folder.is_dir():
        raise FoleyError(f"{shown(folder)} is no folder", hint="name a folder of recordings")
    licence = _said_of(store, folder, licence)
    outcome, done = Outcome(), 0
    files = files_of(folder, outcome)
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="recording") as pool:
        while batch := list(islice(files, BATCH)):
            reads = read(store, batch, pool)
            with store.writing():
                for one in reads:
                    _keep(
                        store,
                        folder,
                        one,
                        licence=_licence_of(one.found.path, folder, licence, licences),
                        outcome=outcome,
                    )
            done += len(batch)
            if progress:
                progress(done, batch[-1].path.name)
    store.drop_old_arrays()
    return outcome


def check(store: Store) -> Outcome:
    """Drop files that are not there any more; what was measured of them is kept, in case they come back elsewhere."""
    outcome = Outcome()
    gone = [row for row in store.rows.execute("SELECT id, path FROM files").fetchall() if not _is_there(row[1])]
    with store.writing():
        for number, _ in gone:
            _forget(store, number)
        for (path,) in store.rows.execute("SELECT path FROM skipped").fetchall():
            if not _is_there(path):
                store.rows.execute("DELETE FROM skipped WHERE path = ?", (path,))
    outcome.dropped, outcome.unchanged = len(gone), store.count()
    return outcome


def remove(store: Store, folder: Path) -> Outcome:
    """Take a folder out of the index; the recordings themselves stay where they are.

    Raises:
        FoleyError: where it was never added.
    """
    place = os.fsencode(_absolute(folder))
    rows = store.rows.execute("SELECT id FROM files WHERE folder = ?", (place,)).fetchall()
    known = store.rows.execute("SELECT 1 FROM folders WHERE path = ?", (place,)).fetchone()
    if known is None:
        raise FoleyError(f"{shown(folder)} is not indexed", hint="see: foley library list")
    with store.writing():
        for (number,) in rows:
            _forget(store, number)
        store.rows.execute("DELETE FROM folders WHERE path = ?", (place,))
        store.rows.execute("DELETE FROM skipped WHERE folder = ?", (place,))
    return Outcome(dropped=len(rows))


def licences_from(text: str) -> Licences:
    """Return what a licence file says: lines of PATTERN: LICENCE, as "*.ogg: CC0-1.0"; the first that fits holds.

    >>> said = licences_from("doors/*: CC-BY-4.0" + chr(10) + "*: CC0-1.0")
    >>> said(Path("doors/slam.wav")), said(Path("rain.wav"))
    ('CC-BY-4.0', 'CC0-1.0')

    Raises:
        FoleyError: where a line is none.
    """
    rules: list[tuple[str, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        plain = line.partition("#")[0].strip()
        pattern, colon, licence = plain.rpartition(":")
        if plain and not (colon and pattern.strip() and licence.strip()):
            raise FoleyError(f"line {number} of the licence file is not PATTERN: LICENCE: {line!r}")
        if plain:
            rules.append((pattern.strip().strip("'\""), licence.strip()))
    return lambda path: next((said for pattern, said in rules if fnmatch.fnmatch(path.as_posix(), pattern)), "")


def series_of(path: Path) -> str:
    """Return what the numbered recordings of one thing have in common: the folder, and the name without its number.

    Numbers of four digits and more are those of a catalogue, whose neighbours have nothing to do with one another.

    >>> series_of(Path("steps/walk_gravel_03.wav")) == series_of(Path("steps/walk_gravel_12.wav"))
    True
    >>> series_of(Path("DOORWood_Slam 1_ABC_Castle.wav")) == series_of(Path("DOORWood_Slam 2_ABC_Castle.wav"))
    True
    >>> series_of(Path("1-30226-A.wav")) == series_of(Path("1-30344-A.wav"))
    False
    """
    named = ucs.parse_name(path.stem)
    plain = re.sub(r"(?<!\d)[\s_.#-]*(?<!\d)\d{1,3}[a-z]?$", "", named.title, flags=re.IGNORECASE)
    return shown(path.parent / "_".join((f"{named.category}-{named.group}", plain, named.creator, named.source)))


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - resolve() would follow links, which users chose


def _is_there(path: bytes) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - a path of bytes


def _said_of(store: Store, folder: Path, licence: str) -> str:
    """Return the licence of a folder, and keep it."""
    place = os.fsencode(folder)
    row = store.rows.execute("SELECT licence FROM folders WHERE path = ?", (place,)).fetchone()
    licence = licence or (str(row[0]) if row else "")
    with store.writing():
        store.rows.execute("INSERT OR REPLACE INTO folders VALUES (?, ?)", (place, licence))
    return licence


def _licence_of(path: Path, folder: Path, licence: str, licences: Licences | None) -> str:
    return (licences(path.relative_to(folder)) if licences else "") or licence


def _keep(store: Store, folder: Path, one: Read, *, licence: str, outcome: Outcome) -> None:
    """Write what was found out about one file."""
    found, place = one.found, os.fsencode(one.found.path)
    row = store.rows.execute("SELECT id, sound, licence FROM files WHERE path = ?", (place,)).fetchone()
    if one.reason:
        outcome.skip(found.path, one.reason)
        if row:
            _forget(store, row[0])
        values = (place, os.fsencode(folder), found.size, found.modified_ns, one.reason)
        store.rows.execute("INSERT OR REPLACE INTO skipped VALUES (?, ?, ?, ?, ?)", values)
        return
    if not one.key and row and (not licence or licence == row[2]):
        outcome.unchanged += 1
        return
    sound = int(row[1]) if not one.key else _sound(store, one, outcome)
    if row:
        _forget(store, row[0])
    outcome.added, outcome.changed = outcome.added + (not row), outcome.changed + bool(row)
    store.rows.execute("DELETE FROM skipped WHERE path = ?", (place,))
    _describe(store, folder, found, sound=sound, licence=licence)


def _sound(store: Store, one: Read, outcome: Outcome) -> int:
    """Return the id of a content, kept now unless it is known."""
    row = store.rows.execute("SELECT id FROM sounds WHERE key = ?", (one.key,)).fetchone()
    if row:
        outcome.known += 1
        return int(row[0])
    if one.measured is None:
        raise FoleyError(f"{shown(one.found.path)} changed while it was read", hint="add the folder again")
    return store.keep_sound(one.key, one.measured, json.dumps(dict(one.measured.texts)))


def _describe(store: Store, folder: Path, found: Found, *, sound: int, licence: str) -> None:
    """Write a file's own row, and the words it is found by."""
    texts: Mapping[str, str] = json.loads(
        store.rows.execute("SELECT texts FROM sounds WHERE id = ?", (sound,)).fetchone()[0]
    )
    said, named = tags.read(found.path, texts), ucs.parse_name(shown(found.path.stem))
    category = ucs.category(named.category or said.category)
    columns = _words(said, named, category, shown(found.path.parent.relative_to(folder.parent)))
    licence = licence or said.licence or UNKNOWN
    title, cat_id = said.title or named.title, category.id if category else ""
    place, series = os.fsencode(found.path), series_of(found.path)
    key = store.rows.execute("SELECT key FROM sounds WHERE id = ?", (sound,)).fetchone()[0]
    digest = digest_of(shown(place), key, cat_id, licence, *columns)
    values = (place, os.fsencode(folder), found.size, found.modified_ns, sound, cat_id, series, licence, title, digest)
    made = store.rows.execute(f"INSERT INTO files VALUES (NULL, {', '.join('?' * len(values))})", values)  # noqa: S608
    store.rows.execute(
        "INSERT INTO words (rowid, name, tags, place, category, related) VALUES (?, ?, ?, ?, ?, ?)",
        (made.lastrowid, *columns),
    )
    store.changed(digest, by=1)


def _words(said: tags.Tags, named: ucs.UcsName, category: ucs.Category | None, place: str) -> tuple[str, ...]:
    """Return the stems of each column of `WORD_COLUMNS`."""
    texts = (
        f"{named.title} {named.group} {said.title}",
        said.words,
        place,
        f"{category.category} {category.subcategory}" if category else "",
        " ".join(category.words) if category else "",
    )
    return tuple(" ".join(dict.fromkeys(words.telling(words.stems(text)))) for text in texts)


def _forget(store: Store, number: int) -> None:
    """Drop a file; its content stays."""
    digest = store.rows.execute("SELECT digest FROM files WHERE id = ?", (number,)).fetchone()
    if digest:
        store.changed(int(digest[0]), by=-1)
        store.rows.execute("DELETE FROM files WHERE id = ?", (number,))
        store.rows.execute("DELETE FROM words WHERE rowid = ?", (number,))
