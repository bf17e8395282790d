"""Where real clips and recordings are, for the tests that want them."""

import os
from pathlib import Path

REAL_MEDIA = Path(os.environ.get("FOLEY_TEST_MEDIA", Path(__file__).parents[2] / "shared"))
"""`clips/clips.json` in it tells what is true of the clips."""
