"""Say what the sounds of the vocabulary look like, for those who look at pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from foley.contracts import Context, stage
from foley.errors import PlanError
from foley.model import Sight, Sights
from foley.plan.vocabulary import vocabulary
from foley.plan.words import read_yaml

SIGHTS_FILE = Path(__file__).with_name("sights.yaml")


@stage(version=2, cached=False)
def sights(ctx: Context) -> Sights:
    """Return what every class of sounds that can be seen looks like when it is made.

    A class that the file does not name is described by its own label, so that a new class is still one entry.

    Raises:
        PlanError: where the file names what the vocabulary does not have.
    """
    written = descriptions()
    seen = {name: written.get(name, (sound.label,)) for name, sound in vocabulary().items()}
    return Sights(tuple(Sight(name, vocabulary()[name].label, texts) for name, texts in seen.items() if texts))


@cache
def descriptions() -> Mapping[str, tuple[str, ...]]:
    """Return what is seen when each class sounds; nothing for what does not show.

    Raises:
        PlanError: listing everything that is wrong.
    """
    return read_descriptions(SIGHTS_FILE)


def read_descriptions(path: Path) -> Mapping[str, tuple[str, ...]]:
    """Return the descriptions of a file, checked against the vocabulary.

    Raises:
        PlanError: listing everything that is wrong.
    """
    entries = read_yaml(path)
    faults = [fault for name, texts in entries.items() for fault in _faults(name, texts)]
    if faults:
        raise PlanError(f"{path.name} cannot be used:\n" + "\n".join(faults))
    return {name: tuple(texts) for name, texts in entries.items()}


def _faults(name: str, texts: object) -> Iterator[str]:
    if name not in vocabulary():
        yield f"{name}: the vocabulary has no such class"
    if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
        yield f"{name}: must be a list of descriptions"
    elif len(set(texts)) < len(texts):
        yield f"{name}: a description is there twice"
