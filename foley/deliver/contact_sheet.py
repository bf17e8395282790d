"""The page on which takes of one event are compared: a spectrogram and a player for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from foley.deliver import pictures
from foley.model import SoundEvent, Take

SPECTROGRAM_PX = (480, 132)


def page(event: SoundEvent, takes: Sequence[tuple[int, Take]]) -> str:
    """Return the page's HTML; it lies beside the takes' files, 01.wav and on.

    Args:
        event: Whose takes they are; the first is the one that its plan has.
        takes: Seed and take of each.
    """
    import jinja2

    templates = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=templates, autoescape=True, trim_blocks=True, lstrip_blocks=True)
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
    return environment.get_template("contact_sheet.html.j2").render(event=event, cards=cards)


def _spectrogram(take: Take) -> str:
    width_px, height_px = SPECTROGRAM_PX
    return pictures.data_uri(pictures.spectrogram(take.audio, width_px=width_px, height_px=height_px), "image/png")
