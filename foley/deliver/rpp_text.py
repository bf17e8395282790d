"""REAPER's project text: lines of words, and blocks between `<NAME` and `>`. Positions are seconds.

Source for what the fields mean: "State Chunk Definitions", Cockos wiki.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_WORD = re.compile(r'"([^"]*)"|\'([^\']*)\'|`([^`]*)`|(\S+)')
_DEPTH = 200
"""Of blocks in blocks: REAPER's own files reach about ten."""


@dataclass(slots=True)
class Block:
    """One block: its own words, its lines in words, and the blocks in it, in their order."""

    words: list[str]
    inside: list[Block | list[str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return what kind of block it is."""
        return self.words[0] if self.words else ""

    def blocks(self, name: str) -> Iterator[Block]:
        """Yield the blocks of a kind that stand in this one."""
        return (one for one in self.inside if isinstance(one, Block) and one.name == name)

    def line(self, name: str) -> Sequence[str]:
        """Return the words after a name, of the first such line; empty where there is none."""
        return next((one[1:] for one in self.inside if isinstance(one, list) and one and one[0] == name), [])


def parse(text: str) -> Block:
    """Return a project's outermost block.

    Raises:
        ValueError: where the text is no REAPER project.
    """
    root = Block([])
    open_blocks = [root]
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("<"):
            block = Block(_words(stripped[1:]))
            open_blocks[-1].inside.append(block)
            open_blocks.append(block)
            if len(open_blocks) > _DEPTH:
                raise ValueError("its blocks stand in each other without end")
        elif stripped == ">":
            if len(open_blocks) > 1:
                open_blocks.pop()
        elif stripped and not stripped.startswith("|"):  # lines of notes
            open_blocks[-1].inside.append(_words(stripped))
    project = next(root.blocks("REAPER_PROJECT"), None)
    if project is None:
        raise ValueError("it holds no REAPER_PROJECT")
    return project


def quoted(text: str) -> str:
    """Return a text as one word, in the kind of quotes that it does not hold itself.

    >>> print(quoted('a "b" c'), quoted("it's"))
    'a "b" c' "it's"
    """
    mark = next((one for one in ('"', "'", "`") if one not in text), "`")
    return f"{mark}{text.replace('`', chr(39)) if mark == '`' else text}{mark}"


def _words(line: str) -> list[str]:
    return ["".join(part for part in found if part) for found in _WORD.findall(line)]
