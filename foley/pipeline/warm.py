"""Get ready ahead what later stages need, while the first wait for other programs and Python has nothing to do."""

from __future__ import annotations

import threading
from contextlib import suppress
from importlib import import_module

SLOW = ("scenedetect", "scipy.signal", "scipy.ndimage", "foley.render.generators.procedural", "jinja2")
"""What most runs need and what takes longest to import: together well over a second. In the order of need."""


def warm_up() -> None:
    """Begin to import what is slow; whoever needs it meanwhile waits for it as for any import."""
    threading.Thread(target=_import_slow, daemon=True, name="warm-up").start()


def _import_slow() -> None:
    from foley.plan.vocabulary import vocabulary
    from foley.synth.recipe import recipes

    with suppress(Exception):  # what is wrong is raised where it is needed
        for name in SLOW:
            import_module(name)
        recipes()
        vocabulary()
