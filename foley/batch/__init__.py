"""Many videos: rows of a manifest, done side by side, resumed by content, judged, and told on one page."""

from foley.batch.conduct import Listener, Options, run
from foley.batch.items import Batch, Item, Outcome, Problem
from foley.batch.rows import Defaults, read_rows

__all__ = ["Batch", "Defaults", "Item", "Listener", "Options", "Outcome", "Problem", "read_rows", "run"]
