"""The Universal Category System 8.2.1, by which sound libraries name their files: CatID_FXName_CreatorID_SourceID.

The list is in the public domain (CC0-1.0). Source: T. Nielsen and others, universalcategorysystem.com.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE_FILE = Path(__file__).with_name("ucs.tsv")


@dataclass(frozen=True, slots=True)
class Category:
    """One class of sounds."""

    id: str
    """CatID, e.g. "DOORWood"."""
    category: str
    subcategory: str
    words: tuple[str, ...]
    """That name such sounds, or go with them."""


@dataclass(frozen=True, slots=True)
class UcsName:
    """What a file's name says by the scheme."""

    category: str
    """CatID; "" where the name is not of the scheme."""
    title: str
    """What is heard: the FXName, or the whole name where it is not of the scheme."""
    group: str = ""
    """The user's own category, after a hyphen behind the CatID."""
    creator: str = ""
    source: str = ""


@cache
def categories() -> Mapping[str, Category]:
    """Return all classes by their CatIDs in small letters, as file names do not always keep the capitals."""
    found = {}
    for line in TABLE_FILE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            cat_id, category, subcategory, words = line.split("\t")
            found[cat_id.casefold()] = Category(cat_id, category, subcategory, tuple(words.split()))
    return found


def category(cat_id: str) -> Category | None:
    """Return the class of a CatID; None where there is none."""
    return categories().get(cat_id.strip().casefold())


def parse_name(stem: str) -> UcsName:
    """Return what a file's name without its suffix says.

    >>> parse_name("DOORWood-Heavy_Slam Cellar_ABC_Castle")
    UcsName(category='DOORWood', title='Slam Cellar', group='Heavy', creator='ABC', source='Castle')
    >>> parse_name("door_slam_02")
    UcsName(category='', title='door_slam_02', group='', creator='', source='')
    """
    head, *rest = stem.split("_")
    cat_id, _, group = head.partition("-")
    known = category(cat_id)
    if known is None or not rest:
        return UcsName("", stem)
    title, creator, source = (*rest, "", "")[:3]
    return UcsName(known.id, title, group, creator, source)
