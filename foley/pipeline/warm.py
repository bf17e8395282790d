"""Get ready ahead what later stages need, while the first wait for other programs and Python has nothing to do."""

from __future__ import annotations

import threading
from contextlib import suppress
from importlib import import_module

from foley import plugins
from foley.media import ffmpeg

LOOKING = ("scenedetect", "scipy.ndimage")
"""What looking at a clip needs and what takes long to import, in the order of need."""

SOUNDING = ("scipy.signal", "jinja2")
"""What planning, rendering and reporting need besides; and all generators, among which routing chooses."""


def warm_up(*, sounding: bool) -> None:
    """Begin to import what is slow; whoever needs it meanwhile waits for it as for any import.

    For a part of a package nobody waits until the package itself is whole: two threads that then import two parts of
    scipy each find the other's half done, and fail. So the package, which takes 20 ms, is imported first.

    Args:
        sounding: Whether sound is to be planned or made too.
    """
    import_module("scipy")
    threading.Thread(target=_import_slow, args=[sounding], daemon=True, name="warm-up").start()


def _import_slow(sounding: bool) -> None:
    from foley.plan.vocabulary import vocabulary
    from foley.synth.recipe import recipes

    with suppress(Exception):  # what is wrong is raised where it is needed
        if sounding:
            ffmpeg.begin_version()
        for name in LOOKING + SOUNDING * sounding:
            import_module(name)
        if sounding:
            recipes()
            for name in plugins.names("generator"):
                plugins.build("generator", name)
        vocabulary()
