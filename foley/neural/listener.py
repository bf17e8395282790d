"""What models that say how well sounds fit something have in common: who they are, and what they still need."""

from __future__ import annotations

import threading
from typing import ClassVar

from foley.errors import FoleyError
from foley.neural import runtime, weights


class Listener:
    """A model that is light to build, is loaded when first asked, and is kept warm beside the generators."""

    name: ClassVar[str]
    version: ClassVar[str]
    """Raised when the same sounds get other scores."""
    default: ClassVar[str]
    """The model that is used when none is named."""
    packages: ClassVar[tuple[str, ...]]
    """What must be installed for it besides torch."""

    def __init__(self, model: str = "", device: str = "auto", *, max_vram_mb: int = 0) -> None:
        self._name = model or self.default
        self._wanted_device = device
        self._max_vram_mb = max_vram_mb
        self._busy = threading.Lock()

    def identity(self) -> str:
        """Return name, version and the weights' revision: part of the cache key of what is chosen by it.

        Raises:
            MissingWeightsError: where the weights are not here.
        """
        return f"{self.name}/{self.version} {self._name} {weights.revision(weights.need(self._name))}"

    def missing(self) -> tuple[str, ...]:
        """Return what must be installed or fetched; empty where it can score."""
        if needed := runtime.missing(*self.packages):
            return needed
        try:
            found = weights.find(self._name)
        except FoleyError as error:
            return (error.hint or error.message,)
        return () if found else (weights.mend(self._name),)
