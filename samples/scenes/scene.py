"""Say what a sample clip is: its frames and the truth about what happens in it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from scenes.canvas import HEIGHT_PX, WIDTH_PX


@dataclass(frozen=True, slots=True)
class Onset:
    """A visible instant that sounds; exact, also between two frames."""

    t: float
    label: str
    shot: int
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """Something that sounds while it lasts: a span, or a bed under whole shots."""

    start: float
    end: float
    label: str


@dataclass(frozen=True, slots=True)
class Truth:
    """What happens in a clip."""

    fps: Fraction
    frames: int
    prompt: str
    """What a user would type."""
    onsets: tuple[Onset, ...]
    spans: tuple[Stretch, ...]
    beds: tuple[Stretch, ...]
    cut_frames: tuple[int, ...] = ()
    """First frames of the shots after the first."""

    @property
    def duration_s(self) -> float:
        """Return the length in seconds."""
        return float(self.frames / self.fps)

    def as_json(self) -> dict[str, Any]:
        """Return the truth as it stands in truth.json."""
        return {
            "prompt": self.prompt,
            "fps": f"{self.fps.numerator}/{self.fps.denominator}",
            "frames": self.frames,
            "duration": round(self.duration_s, 6),
            "size": [WIDTH_PX, HEIGHT_PX],
            "cuts_s": [round(float(frame / self.fps), 6) for frame in self.cut_frames],
            "onsets": [asdict(onset) for onset in self.onsets],
            "spans": [asdict(span) for span in self.spans],
            "beds": [asdict(bed) for bed in self.beds],
        }


class Scene(Protocol):
    """A clip that can be painted frame by frame, in any order."""

    def frame(self, number: int) -> npt.NDArray[np.uint8]:
        """Return a frame, shape (height, width, 3), RGB."""
        ...


def shutter(number: int, fps: Fraction, samples: int) -> list[float]:
    """Return the instants that a frame's exposure is averaged from: half a frame long, centred on the frame's time.

    Centred, so that what moves is seen where it is at the frame's own time.
    """
    offsets = (np.arange(samples) + 0.5) / samples - 0.5
    return [float((number + 0.5 * offset) / fps) for offset in offsets]


def ease(s: float) -> float:
    """Return 0 to 1 with no speed at both ends (smoothstep)."""
    s = min(max(s, 0.0), 1.0)
    return s * s * (3 - 2 * s)
