"""What a bus goes through before it is mastered: filters, width, compressor. The table is data, and conservative.

The figures are customs of the trade, no standard: rumble goes, ambience leaves room where speech lies and stands wider
than what happens in the picture, and a hand on the fader takes a little off what sticks out. Nothing is boosted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from foley.dsp.compressor import Dynamics
from foley.dsp.filters import Cascade, Section, bell, high_pass, high_shelf
from foley.model import Bus
from foley.model.sound import Chain
from foley.units import RATE_HZ


@dataclass(frozen=True, slots=True)
class BusChain:
    """What one kind of bus goes through, in this order."""

    high_pass_hz: float | None = None
    """12 dB an octave; what lies below is rumble there."""
    bells: tuple[tuple[float, float, float], ...] = ()
    """Frequency, dB, q."""
    high_shelf: tuple[float, float] | None = None
    """Frequency, dB."""
    width: float = 1.0
    """Factor of the difference between the sides; their sum, which mono hears, stays."""
    dynamics: Dynamics | None = None
    reason: str = ""


CHAINS: Mapping[Bus, BusChain] = MappingProxyType(
    {
        "foley": BusChain(
            high_pass_hz=50.0,
            bells=((300.0, -1.0, 0.9),),
            dynamics=Dynamics(threshold_db=-22.0, ratio=2.0),
            reason="steps and props were near a microphone: less rumble and box, and an even hand",
        ),
        "effects": BusChain(
            high_pass_hz=25.0,
            dynamics=Dynamics(threshold_db=-16.0, ratio=1.5),
            reason="blows and blasts keep their bottom and their punch; only what no speaker plays goes",
        ),
        "backgrounds": BusChain(
            high_pass_hz=40.0,
            bells=((2500.0, -1.5, 0.6),),
            width=1.2,
            reason="ambience lies under the rest: a little room where speech is understood, and wider than the picture",
        ),
        "music": BusChain(reason="music comes mixed: it is left as it is"),
    }
)
_NOTHING = BusChain()


def chain_of(chain: Chain, bus: Bus) -> BusChain:
    """Return what a bus goes through."""
    return CHAINS[bus] if chain == "designed" else _NOTHING


@cache
def cascade_of(design: BusChain) -> Cascade | None:
    """Return the filters of a bus; None where it has none."""
    sections: list[Section] = []
    if design.high_pass_hz is not None:
        sections.append(high_pass(design.high_pass_hz, RATE_HZ))
    sections += [bell(centre_hz, gain_db, RATE_HZ, q=q) for centre_hz, gain_db, q in design.bells]
    if design.high_shelf is not None:
        sections.append(high_shelf(*design.high_shelf, RATE_HZ))
    return Cascade(tuple(sections)) if sections else None
