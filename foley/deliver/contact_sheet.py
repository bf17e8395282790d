"""The page on which takes of one event are compared: a spectrogram and a player for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from foley.deliver import pictures
from foley.deliver.templates import template
from foley.model import SoundEvent, Take

PAGE = Path(__file__).with_name("contact_sheet.html.j2")
SPECTROGRAM_PX = (480, 132)


def page(event: SoundEvent, takes: Sequence[tuple[int, Take]]) -> str:
    """Return the page's HTML; it lies beside the takes' files, 01.wav and on.

    Args:
        event: Whose takes they are; the first is the one that its plan has.
        takes: Seed and take of each.
    """
    cards = [
        {
            "number": number,
            "seed": seed,
            "generator": take.generator,
            "licence": take.weights_licence,
            "duration_s": take.audio.length / take.audio.rate_hz,
            "picture": _spectrogram(take),
            "file": f"{number:02d}.wav",
            "notes": take.notes,
        }
        for number, (seed, take) in enumerate(takes, start=1)
    ]
    return template(PAGE).render(event=event, cards=cards)


def _spectrogram(take: Take) -> str:
    width_px, height_px = SPECTROGRAM_PX
    return pictures.data_uri(pictures.spectrogram(take.audio, width_px=width_px, height_px=height_px), "image/png")
