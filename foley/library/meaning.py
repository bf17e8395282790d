"""Embeddings of recordings by a model that hears and reads, so that they are found by what they sound like."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foley.errors import FoleyError
from foley.library.indexing import Progress
from foley.library.measure import FEATURES
from foley.library.store import Store


def add_meaning(
    store: Store,
    identity: str,
    size: int,
    embed: Callable[[Path], npt.NDArray[np.float32]],
    *,
    progress: Progress | None = None,
) -> int:
    """Keep an embedding of every recording that has none by this model, and return how many were made.

    Args:
        store: The index.
        identity: Of the model, its revision included.
        size: Numbers of an embedding.
        embed: Gives the embedding of a recording, of length 1; raises FoleyError where it cannot be read.
        progress: Is told how far it is.

    Raises:
        FoleyError: where the index cannot be written.
    """
    if store.meta("meaning") != identity:
        with store.writing():
            store.widen(identity, size)
    lacking = np.flatnonzero(store.features()[:, FEATURES.index("has_meaning")] == 0.0) + 1
    done = 0
    for sound in lacking.tolist():
        row = store.rows.execute("SELECT path FROM files WHERE sound = ? ORDER BY path", (sound,)).fetchone()
        if row is None:
            continue
        path = Path(os.fsdecode(row[0]))
        try:
            embedding = embed(path)
        except FoleyError:
            continue  # what vanished is dropped by `check`
        with store.writing():
            store.keep_meaning(sound, embedding)
        done += 1
        if progress:
            progress(done, path.name)
    store.drop_old_arrays()
    return done
