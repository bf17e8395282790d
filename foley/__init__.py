"""foley gives a video its sound effects.

>>> import foley
>>> result = foley.run("clip.mp4", prompt="a knife chops cabbage on a wooden board")  # doctest: +SKIP
"""

# The phases' folders `foley.plan` and `foley.render` bear the names of two public functions. They are imported first:
# Python binds a folder's name in its package only once, so that the functions stay what `foley.plan` means to a caller.
import foley.plan
import foley.render  # noqa: F401
from foley.api import Analysis, PlanFile, Result, Settings, analyse, plan, render, run
from foley.auditions import sound
from foley.errors import FoleyError
from foley.model import Brief
from foley.version import __version__

__all__ = [
    "Analysis",
    "Brief",
    "FoleyError",
    "PlanFile",
    "Result",
    "Settings",
    "__version__",
    "analyse",
    "plan",
    "render",
    "run",
    "sound",
]
