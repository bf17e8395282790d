"""Tell kinds of one sound apart by the words that name it: a shotgun from a rifle, a smartphone from a telephone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from foley.errors import PlanError
from foley.plan.vocabulary import SoundClass, vocabulary
from foley.plan.words import read_yaml, stems

VARIANTS_FILE = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True, slots=True)
class _Variant:
    words: tuple[frozenset[str], ...]
    """Stems of each phrase that names it."""
    differs: Mapping[str, Any]
    """Fields of the class, with what they are here."""


def varied(sound: SoundClass, words: Iterable[str]) -> SoundClass:
    """Return a class as the kind of it that words name; as it is, where they name none.

    Args:
        sound: A class of the vocabulary.
        words: Stems of the words that speak for it.
    """
    said = frozenset(words)
    best, most = sound, 0
    for variant in _variants().get(sound.id, ()):
        named = max((len(phrase) for phrase in variant.words if phrase <= said), default=0)
        if named > most:
            best, most = replace(sound, **variant.differs), named
    return best


def all_variants() -> Iterator[SoundClass]:
    """Yield every kind that words can name and that is not its class as it is."""
    for name, variants in _variants().items():
        kinds = (replace(vocabulary()[name], **variant.differs) for variant in variants)
        yield from (kind for kind in kinds if kind != vocabulary()[name])


@cache
def _variants() -> Mapping[str, tuple[_Variant, ...]]:
    """Return the variants of each class that has some.

    Raises:
        PlanError: where one is of no class, or has a field that classes do not have.
    """
    known = {field.name for field in fields(SoundClass)} - {"id", "parameters"}
    found: dict[str, tuple[_Variant, ...]] = {}
    for name, entries in read_yaml(VARIANTS_FILE).items():
        if name not in vocabulary():
            raise PlanError(f"{VARIANTS_FILE}: there is no class {name!r}")
        for entry in entries:
            if unknown := entry.keys() - known - {"words", "parameters"}:
                raise PlanError(f"{VARIANTS_FILE}: {name}: there is no field {sorted(unknown)[0]!r}")
        found[name] = tuple(_variant(vocabulary()[name], entry) for entry in entries)
    return found


def _variant(sound: SoundClass, entry: Mapping[str, Any]) -> _Variant:
    differs = {key: value for key, value in entry.items() if key != "words"}
    # another recipe has parameters of its own
    inherited = {} if "recipe" in entry else sound.parameters
    differs["parameters"] = {**inherited, **entry.get("parameters", {})}
    return _Variant(tuple(frozenset(stems(text)) for text in entry["words"]), differs)
