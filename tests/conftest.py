"""Fixtures that every test may use."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from foley.contracts import Context
from foley.pipeline.cache import Cache
from tests.real_media import REAL_MEDIA

# before anything loads torch: tests run beside each other, one on each core, and threads that spin take it from them
os.environ.setdefault("OMP_NUM_THREADS", "1")

# nobody's own recordings are heard in a test, nor is anything written into their index
os.environ["FOLEY_LIBRARY"] = str(Path(tempfile.gettempdir()) / "foley-tests-have-no-library")

# how long an example takes says nothing of the law it tests, on a machine that does other things besides
settings.register_profile("foley", deadline=None)
settings.load_profile("foley")

pytest_plugins = ["tests.media_fixtures"]

collect_ignore = ["editors/in_blender.py"]
"""Runs inside Blender, where `bpy` is."""


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    """A context with a cache of its own, as the runner would give a stage."""
    return Cache(tmp_path / "cache").context()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real clips and recordings; a test that needs it is skipped where it is absent."""
    if not (REAL_MEDIA / "clips" / "clips.json").is_file():
        pytest.skip("the real clips are not here: FOLEY_TEST_MEDIA names their folder")
    return REAL_MEDIA
