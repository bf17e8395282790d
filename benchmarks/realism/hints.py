"""What the measure hears differently: figures of our sounds beside those of recordings, in words and units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from benchmarks.realism.descriptors import (
    EVENT_BANDS,
    HIGHEST_HZ,
    LOWEST_EVENT_HZ,
    MODULATION_HZ,
    SLICES_S,
    TEXTURE_BANDS,
    Kind,
    Numbers,
    blocks,
    borders_hz,
)

SHOWN_SLICES = (0, 1, 3, 5)
"""Of one-shots: the contact, the body, the ring, the tail."""


def hints(kind: Kind, real: Numbers, ours: Numbers) -> Iterator[str]:
    """Yield lines that compare medians (and the middle half of recordings, where it helps).

    Args:
        kind: Of the class.
        real: Descriptors of its recordings, shape (recordings, descriptors).
        ours: Descriptors of our sounds.
    """
    parts = _parts(kind, real), _parts(kind, ours)
    yield from _event(*parts) if kind == "event" else _texture(*parts)


def _parts(kind: Kind, numbers: Numbers) -> Mapping[str, Numbers]:
    ends = np.cumsum(list(blocks(kind).values()))
    return dict(zip(blocks(kind), np.split(numbers, ends[:-1], axis=1), strict=True))


def _event(real: Mapping[str, Numbers], ours: Mapping[str, Numbers]) -> Iterator[str]:
    names = ("attack ms", "T5 ms", "T10 ms", "T20 ms", "T30 ms", "roughness", "peaks", "mean dB/10", "90% dB/10")
    for column, name in enumerate(names):
        low, middle, high = np.percentile(real["envelope"][:, column], (25, 50, 75))
        mine = float(np.median(ours["envelope"][:, column]))
        values = [10.0**value if column < 5 else value for value in (mine, low, middle, high)]
        shape = "{:.0f}" if column < 5 else "{:.2f}"
        yield (f"  {name:11s} ours {shape}, real {shape} .. {shape} .. {shape}").format(*values)
    centres = borders_hz(LOWEST_EVENT_HZ, HIGHEST_HZ, EVENT_BANDS)[1:-1]
    cells = [np.median(each["levels"], 0).reshape(7, EVENT_BANDS) for each in (real, ours)]
    yield "  band Hz          " + " ".join(f"{hz:5.0f}" for hz in centres[::2])
    for cut in SHOWN_SLICES:
        label = f"{1000 * SLICES_S[cut]:.0f}..{1000 * SLICES_S[cut + 1]:.0f} ms"
        for who, table in (("real", cells[0]), ("ours", cells[1])):
            yield f"  {label:11s} {who} " + " ".join(f"{level:5.0f}" for level in table[cut, ::2])
    yield from _lines("tonality", "(100-400-1k-2.5k-5k-10k Hz, early then late)", real, ours)
    yield from _lines("grain", "(8 groups of bands, low to high)", real, ours)


def _texture(real: Mapping[str, Numbers], ours: Mapping[str, Numbers]) -> Iterator[str]:
    centres = borders_hz(50.0, HIGHEST_HZ, TEXTURE_BANDS)[1:-1]
    yield "  band Hz         " + " ".join(f"{hz:5.0f}" for hz in centres[::2])
    for block in ("levels", "spread", "skew", "kurtosis"):
        for who, each in (("real", real), ("ours", ours)):
            yield f"  {block:9s} {who}  " + " ".join(f"{value:5.1f}" for value in np.median(each[block], 0)[::2])
    yield "  modulation Hz   " + " ".join(f"{low:g}-{high:g}" for low, high in MODULATION_HZ)
    for who, each in (("real", real), ("ours", ours)):
        table = np.median(each["modulation"], 0).reshape(len(MODULATION_HZ), -1)
        yield f"  dB of all {who}  " + " ".join(f"{value:5.1f}" for value in table.mean(1))
    yield from _lines("tonality", "(dB of the strongest line in ten regions, 100 Hz to 9 kHz)", real, ours)
    step = np.split(np.arange(real["correlation"].shape[1]), np.cumsum([29, 28, 27, 25, 22, 18, 13]))
    for who, each in (("real", real), ("ours", ours)):
        middle = np.median(each["correlation"], 0)
        yield f"  correlation {who} at 1 2 3 5 8 12 17 23 bands: " + " ".join(
            f"{middle[part].mean():.2f}" for part in step
        )


def _lines(block: str, about: str, real: Mapping[str, Numbers], ours: Mapping[str, Numbers]) -> Iterator[str]:
    yield f"  {block} {about}"
    for who, each in (("real", real), ("ours", ours)):
        yield f"    {who} " + " ".join(f"{value:5.2f}" for value in np.median(each[block], 0))
