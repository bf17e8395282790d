"""Recordings and texts by their meaning, with CLAP: for a library that was indexed so, where its weights are here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from foley.neural.clap_meaning import ClapMeaning
from foley.render.recordings import loaded

HEARD_S = 30.0
"""Of a recording so much is heard: three of CLAP's windows; what comes later is seldom another thing."""

Floats = npt.NDArray[np.float32]


class Hearing:
    """Gives embeddings; loads nothing before it is asked for one."""

    def __init__(self, model: str = "", device: str = "auto") -> None:
        """Take in which model is asked.

        Args:
            model: Name, hub id or folder of a CLAP; "" for the usual one.
            device: Where it computes: auto, cpu, cuda or mps.
        """
        self._clap = ClapMeaning(model, device)

    def missing(self) -> tuple[str, ...]:
        """Return what must be installed or fetched first."""
        return self._clap.missing()

    def identity(self) -> str:
        """Return name, version and the weights' revision.

        Raises:
            MissingWeightsError: where the weights are not here.
        """
        return self._clap.identity()

    def recording(self, path: Path) -> Floats:
        """Return the embedding of a recording, of length 1.

        Raises:
            FoleyError: where it cannot be read, or the model cannot be used.
        """
        return np.asarray(self._clap.sounds([loaded(path, 0.0, HEARD_S)])[0], np.float32)

    def text(self, text: str) -> Floats:
        """Return the embedding of a text, of length 1.

        Raises:
            FoleyError: where the model cannot be used.
        """
        return np.asarray(self._clap.texts([text])[0], np.float32)


def hearing_of(identity: str) -> Hearing | None:
    """Return the model whose embeddings an index holds, by what it calls itself; None where it is not here.

    Args:
        identity: As `Hearing.identity` gave it: name and version, model, revision.
    """
    model = identity.partition(" ")[2].rpartition(" ")[0]
    hearing = Hearing(model)
    return hearing if not hearing.missing() and hearing.identity() == identity else None
