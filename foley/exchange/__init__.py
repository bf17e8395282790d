"""The way into editors and back: a rendered plan as timelines, and an edited timeline back into the plan."""

from foley.exchange.incoming import TakenBack, take_back
from foley.exchange.outgoing import Exported, export

__all__ = ["Exported", "TakenBack", "export", "take_back"]
