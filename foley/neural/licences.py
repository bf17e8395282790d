"""What the licences of weights allow, and whether that is enough for what a sound is made for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from foley import yamls
from foley.errors import OptionError

LICENCES_FILE = Path(__file__).with_name("licences.yaml")

Policy = Literal["any", "research", "commercial"]
"""What the sound is made for: anything, with a notice; research, which every licence known here permits; a business."""

_EU_CODES = "ATBEBGCYCZDEDKEEESFIFRGRHRHUIEITLTLULVMTNLPLPTROSESISK"
EU = frozenset(_EU_CODES[start : start + 2] for start in range(0, len(_EU_CODES), 2))
"""ISO 3166 codes of the members of the European Union, since 2020."""


@dataclass(frozen=True, slots=True)
class Licence:
    """What one licence says."""

    id: str
    name: str
    commercial: bool | None
    """None where it is not known."""
    conditions: str
    """In one sentence; "" where there are none."""
    excluded: tuple[str, ...]
    """ISO 3166 codes, and "EU", of where it gives no rights."""
    url: str
    """Of its text, or of the card of a model that is under it."""
    checked: str | None
    """Month in which somebody read it, as 2026-11; None where nobody did."""


@cache
def licences() -> Mapping[str, Licence]:
    """Return all licences that foley knows, by id."""
    entries: dict[str, dict[str, Any]] = yamls.load(LICENCES_FILE.read_text(encoding="utf-8"))
    return {licence_id: _licence(licence_id, **entry) for licence_id, entry in entries.items()}


def licence(licence_id: str) -> Licence:
    """Return what is known of a licence; of one that nobody here knows, that nothing is."""
    unknown = Licence(licence_id, licence_id, None, "not known here: read it before use", (), "", None)
    return licences().get(licence_id, unknown)


def allows(licence_id: str, policy: str = "any", region: str = "") -> str | None:
    """Return why a licence does not allow a use, in words; None where it does.

    Args:
        licence_id: An id of `licences`, or any other, of which nothing is known.
        policy: any, research or commercial.
        region: ISO 3166 code of the country, or EU, where the sound is made or used; "" where that is not said.

    Raises:
        OptionError: where there is no such policy, or the region is no code.
    """
    if policy not in get_args(Policy):
        raise OptionError(f"no licence policy is called {policy!r}", hint=f"there are: {', '.join(get_args(Policy))}")
    wanted, known = countries(region), licence(licence_id)
    if wanted & countries(*known.excluded):
        return f"gives no rights in {region.upper()} (licence of the weights: {known.name})"
    if policy != "commercial" or known.commercial:
        return None
    if known.commercial is None:
        return f"may not be used commercially: its licence is not known ({licence_id})"
    return f"may not be used commercially (licence of the weights: {known.name})"


def countries(*regions: str) -> frozenset[str]:
    """Return the ISO 3166 codes that regions stand for: of the EU its members, of a country itself.

    >>> sorted(countries("uk", "KR"))
    ['GB', 'KR']

    Raises:
        OptionError: where one is no code of two letters.
    """
    return frozenset(code for region in regions for code in _codes(region.strip().upper()))


def _codes(region: str) -> Iterable[str]:
    if not region:
        return ()
    if len(region) != 2 or not region.isascii() or not region.isalpha():
        raise OptionError(f"{region!r} is no region", hint="give an ISO 3166 code of two letters, as US, or EU")
    return EU if region == "EU" else ("GB" if region == "UK" else region,)


def _licence(licence_id: str, *, excluded: Iterable[str], **fields: Any) -> Licence:
    return Licence(id=licence_id, excluded=tuple(excluded), **fields)
