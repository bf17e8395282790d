"""The gain of an item over time, as corners that editors with keyframes can hold."""

from __future__ import annotations

from collections.abc import Sequence

from foley.model import TimelineItem


def factor(item: TimelineItem, sample: float) -> float:
    """Return how far the item's fades are open at an instant, 0 to 1; straight in amplitude.

    Args:
        item: The item; its fades do not reach over each other.
        sample: On the timeline.
    """
    inside = sample - item.first_sample
    rise = inside / item.fade_in if item.fade_in else 1.0
    fall = (item.length - inside) / item.fade_out if item.fade_out else 1.0
    return max(0.0, min(1.0, rise, fall))


def thinned(levels: Sequence[float], *, within: float) -> list[int]:
    """Return which values of a curve are kept so that straight lines between them stay within a distance of all.

    The longest reach is taken from each kept value (a greedy search: a few values more than the fewest possible).

    >>> thinned([0.0, 1.0, 2.0, 3.0, 3.0, 3.0], within=0.01)
    [0, 3, 5]
    """
    if not levels:
        return []
    kept, last = [0], len(levels) - 1
    while kept[-1] < last:
        here = kept[-1]
        lowest, highest = float("-inf"), float("inf")
        reach = here + 1
        for place in range(here + 1, last + 1):
            distance, rise = place - here, levels[place] - levels[here]
            if lowest <= rise / distance <= highest:
                reach = place
            # a line that ends later passes all values before within the distance only at slopes between these
            lowest = max(lowest, (rise - within) / distance)
            highest = min(highest, (rise + within) / distance)
            if lowest > highest:
                break
        kept.append(reach)
    return kept
