"""What the licence of a recording allows, as far as its name says it; of any other nothing is assumed."""

from __future__ import annotations

import re

_OPEN = re.compile(
    r"(cc-?0|cc-?zero|publicdomain/zero|public-domain|pd\b|own\b|royalty-free|commercial\b|mit\b|apache|unlicense|wtfpl"
    r"|cc-by(-sa)?\b(?!-n)|licenses/by(-sa)?/)"
)
"""Names that allow a sound effect to be used in what is sold. CC BY-SA does, too: its conditions are told beside it."""

_CLOSED = re.compile(r"\bnc\b|non-?commercial|all-rights-reserved|sampling\+|/by-nc|/by-nd|-nd\b|unknown")


def commercial(licence: str) -> bool:
    """Return whether a recording under a licence may be used commercially; False where that is not known.

    >>> [commercial(one) for one in ("CC0-1.0", "CC BY 4.0", "cc-by-nc-4.0", "unknown", "(c) 2019 Somebody", "own")]
    [True, True, False, False, False, True]
    """
    plain = re.sub(r"[\s_]+", "-", licence.strip().casefold())
    return bool(_OPEN.match(re.sub(r"^https?://creativecommons\.org/", "", plain))) and not _CLOSED.search(plain)
