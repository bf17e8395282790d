"""Fixtures for media with a known truth: made once a session, kept, never to be written to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


class MediaShelf:
    """Files by maker and arguments; each is made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[object, ...], Path] = {}

    def __call__(self, make: Callable[..., Path], suffix: str = ".mp4", **arguments: Any) -> Path:
        """Return the file that `make` makes with these arguments, in the container that the suffix names."""
        key = (make, suffix, *sorted((name, str(value)) for name, value in arguments.items()))
        if key not in self._made:
            folder = self._folder / f"{make.__name__}-{len(self._made)}"
            folder.mkdir()
            self._made[key] = make(folder / f"clip{suffix}", **arguments)
        return self._made[key]


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> MediaShelf:
    """The shelf of made media: `media(flash_and_tone, at_s=(1.0,))` is a path."""
    return MediaShelf(tmp_path_factory.mktemp("media"))
