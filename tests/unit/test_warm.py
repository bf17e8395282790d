"""What is imported ahead, in a thread beside the one that works."""

from __future__ import annotations

import subprocess
import sys

PROBE = """
import sys, threading
threading.Thread.start = lambda thread: None  # the moment at which both threads may begin to import
from foley.pipeline.warm import warm_up
assert "scipy" not in sys.modules, "else this shows nothing"
warm_up(sounding=True)
print("scipy" in sys.modules and not sys.modules["scipy"].__spec__._initializing)
"""


def test_two_threads_never_meet_in_a_package_that_is_half_imported() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "True"
