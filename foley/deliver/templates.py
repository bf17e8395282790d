"""Templates of pages, read once: reading one takes longer than filling it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2


@cache
def template(path: Path) -> jinja2.Template:
    """Return the template in a file; what it is filled with is escaped for HTML."""
    import jinja2

    files = jinja2.FileSystemLoader(path.parent)
    environment = jinja2.Environment(loader=files, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template(path.name)
