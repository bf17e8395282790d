"""From motion and light, frame by frame, to the instants at which something hits, starts or lights up.

Three cues are sought in every shot, because which of them sounds depends on what is being done: a hammer is heard when
it stops (strike), a gun and a dog when they start (burst), a firework when it lights up (flash).

Background: A. Davis and M. Agrawala, "Visual Rhythm and Beat", ACM TOG 37(4), 2018.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from foley.analysis.envelopes import SMOOTHING_S, Curve, Rhythm, evenly, level, peaks, rhythm, smooth, summit
from foley.model import Cue, Impact, Shot, Span

if TYPE_CHECKING:
    from foley.analysis.observers.flashes import Light
    from foley.analysis.observers.motion import Track

MOVING = ("loss", "loss_down", "gain", "burst", "settle")
"""What is read of a track."""

LIT = ("rise", "level")
"""What is read of the light."""

PLACES: dict[Cue, tuple[str, str]] = {
    "strike": ("loss_x", "loss_y"),
    "burst": ("burst_x", "burst_y"),
    "flash": ("x", "y"),
}
"""Where the place of a cue's impacts is read."""

MASK_FRAMES = 2
"""On either side of a cut, where frames of different shots are compared."""

STARTS = {"burst", "gain"}
"""What begins, before which something must have been seen: not in the clip's first frames."""

FEWEST_FRAMES = 6
"""What the masks of two cuts leave nothing of cannot show an impact."""

BLOCK_S = 10.0
"""Levels and rhythm are judged over so long at a time: what is strong depends on what is near."""

MARGIN_S = 1.5
"""How far a block looks beyond its ends."""

SURROUNDINGS_S = 10.0
"""How far on either side other shots count too."""

SURROUNDINGS_SHARE = 0.5
"""What is weaker than this share of the events around it, in whatever shot, is none beside them; unless it repeats
evenly: a walker seen from afar moves a fiftieth of the picture that one seen near does, and steps all the same."""

FLOORS = {"loss": 0.005, "loss_down": 0.003, "gain": 0.005, "burst": 0.15, "settle": 0.15, "rise": 1.5}
"""What can be an event at all. Speed: a hundredth of the picture that stops from, or starts to, half a length a second.
Change and light: grey levels of the whole picture, beyond what coding and a restless exposure make."""

FLASH_SHARE = 0.15
"""Flashes that brighten the picture by this share of its level outshine whatever moves."""

RHYTHMIC = 0.3
"""Likeness of a curve to itself one period on, above which it beats."""

LONGEST_BEAT_S = 0.9
"""Slower repetition is chance more often than beat."""

BEAT_TOLERANCE = 0.12
"""Share of the period by which hands are uneven."""

BEAT_DISTANCE = 0.55
"""Share of the period between two hits at least: what lies half-way is the lifting."""

UNSEEN_FALL_S = 0.15
"""Where blows are too fast to be seen falling, what stops so soon after a burst springs back from the blow: four frames
at 25 fps. A hammer is lifted again later."""

BEATEN = 1.5
"""How far above the middle of the beat around it, as a factor, a strike must stand: hands that beat pause, and the beat
alone is no evidence that they went on."""

STRIKE_DOWN = 0.6
"""Part that loss of speed on the way down has in a strike; loss in any direction has the rest."""

BURST_CHANGE = 0.5
"""Part that sudden change has in a burst; gain of speed has the rest, and says when. Each errs alone: change where
light flickers or a pan goes unevenly, gain where a dissolve makes up speeds."""

BURST_ALONE = 2.0
"""What changes counts up to so many times what gains speed: where nothing does, nothing bursts."""

TOP_PERCENTILE = 98.0
"""Of a curve: full strength."""

LEAST_TOP = 0.9
"""Full strength at least, for stretches in which next to nothing happens."""

NEAR_S, NEAR_PERCENTILE, NEAR_SMOOTHING_S = 3.0, 95.0, 0.3
"""What full strength is near a place: a soft passage has its hits too."""

NEAR_LEAST = 0.15
"""Yet no less than this share of what it is in all."""

LEAST_STRENGTH = 0.1
"""What is found at all is not silent."""


@dataclass(frozen=True, slots=True)
class CueTuning:
    """How the curve of one cue is read."""

    threshold: float
    """Height above the mean around it, as a share of the level."""
    distance_s: float
    """Between two impacts at least."""
    offset_frames: float
    """From the peak of the curve to the instant."""


TUNING: dict[Cue, CueTuning] = {
    "strike": CueTuning(threshold=0.20, distance_s=0.12, offset_frames=0.0),
    "burst": CueTuning(threshold=0.35, distance_s=0.16, offset_frames=0.3),
    "flash": CueTuning(threshold=0.15, distance_s=0.08, offset_frames=0.2),
}


@dataclass(frozen=True, slots=True, eq=False)
class _Stretch:
    """A part of one shot, its curves evenly sampled; blind places are at zero."""

    start_s: float
    step_s: float
    curves: Mapping[str, Curve]
    floors: Mapping[str, float]
    """What each curve must reach to show events."""

    def level(self, name: str) -> float:
        """Return how high a curve's strongest peaks stand."""
        return level(self.curves[name], self.step_s)

    def levelled(self, name: str) -> Curve:
        """Return a curve with its strongest peaks at 1, or at less where they are under the floor."""
        curve = smooth(self.curves[name], SMOOTHING_S, self.step_s)
        return curve / max(self.floors[name], level(curve, self.step_s))

    def beat(self) -> Rhythm | None:
        """Return the rhythm of what stops on its way down, None where it has none."""
        found = rhythm(self.curves["loss_down"], self.step_s)
        return found if found.strength >= RHYTHMIC and found.period_s <= LONGEST_BEAT_S else None


@dataclass(frozen=True, slots=True)
class _Found:
    """An impact without its place."""

    cue: Cue
    time_s: float
    strength: float


def find_impacts(
    track: Track, light: Light, shots: Sequence[Shot], *, blind: Sequence[Span]
) -> tuple[tuple[Impact, ...], tuple[Cue | None, ...]]:
    """Return the impacts of all cues by time, and for each shot the cue that it speaks for by itself.

    Args:
        track: How things moved.
        light: How bright it was.
        shots: Touching, in order.
        blind: Cuts (of no length) and fades: what changes there is no event.
    """
    moving, lit = _seeing(track, MOVING, blind), _seeing(light, LIT, blind)
    found: list[_Found] = []
    shot_cues: list[Cue | None] = []
    for shot in shots:
        votes: Counter[Cue | None] = Counter()
        for core in _blocks(shot):
            motion, flash = _stretch(track.time_s, moving, shot, core), _stretch(light.time_s, lit, shot, core)
            cue = _cue(motion, flash) if motion and flash else None
            here = _in_stretch(motion, flash, cue) if motion and flash else []
            found += (each for each in here if core.start_s <= each.time_s < core.end_s)
            votes[cue] += 1
        shot_cues.append(votes.most_common(1)[0][0])
    found.sort(key=lambda each: each.time_s)
    return tuple(_placed(each, track, light) for each in found), tuple(shot_cues)


def _in_stretch(motion: _Stretch, flash: _Stretch, cue: Cue | None) -> list[_Found]:
    """Return the impacts of all cues in a stretch that speaks for `cue`."""
    bursts, strikes = list(_bursts(motion)), list(_strikes(motion))
    if cue == "burst":
        strikes = _where_they_burst(strikes, bursts)
    return [*_flashes(flash), *bursts, *strikes]


def _where_they_burst(strikes: Sequence[_Found], bursts: Sequence[_Found]) -> list[_Found]:
    """Return strikes moved to the burst shortly before them, where there is one.

    Where motion begins more suddenly than it ends, a blow falls between two frames: the hammer is not there in one and
    has struck in the next. What is seen to stop is its springing back.
    """
    moved: dict[float, _Found] = {}
    for strike in strikes:
        before = [burst.time_s for burst in bursts if 0 < strike.time_s - burst.time_s <= UNSEEN_FALL_S]
        at_s = max(before, default=strike.time_s)
        if at_s not in moved or moved[at_s].strength < strike.strength:
            moved[at_s] = replace(strike, time_s=at_s)
    return list(moved.values())


def _blocks(shot: Shot) -> Iterator[Span]:
    """Yield touching parts of a shot, none much longer than `BLOCK_S`."""
    count = max(1, round((shot.end_s - shot.start_s) / BLOCK_S))
    edges = np.linspace(shot.start_s, shot.end_s, count + 1)
    for start_s, end_s in itertools.pairwise(edges):
        yield Span(float(start_s), float(end_s))


def _seeing(seen: Track | Light, names: Sequence[str], blind: Sequence[Span]) -> dict[str, Curve]:
    """Return the curves with everything around cuts and fades at zero."""
    curves = {name: np.array(getattr(seen, name), np.float64) for name in names}
    for span in blind:
        first = max(0, int(np.searchsorted(seen.time_s, span.start_s - 1e-6)) - MASK_FRAMES)
        last = int(np.searchsorted(seen.time_s, span.end_s + 1e-6)) + MASK_FRAMES
        for curve in curves.values():
            curve[first:last] = 0
    for name in STARTS & curves.keys():
        curves[name][: MASK_FRAMES + 1] = 0
    return curves


def _stretch(times_s: Curve, curves: Mapping[str, Curve], shot: Shot, core: Span) -> _Stretch | None:
    """Return the part of a shot around `core`; None where it holds too few frames to judge."""
    start_s, end_s = max(shot.start_s, core.start_s - MARGIN_S), min(shot.end_s, core.end_s + MARGIN_S)
    first, last = np.searchsorted(times_s, [start_s - 1e-6, end_s - 1e-6])
    if last - first < FEWEST_FRAMES:
        return None
    within = times_s[first:last]
    step_s = float(np.median(np.diff(within)))
    evened = {name: evenly(within, curve[first:last], step_s) for name, curve in curves.items()}
    repeats = "loss_down" in evened and rhythm(evened["loss_down"], step_s).strength >= RHYTHMIC
    wide = slice(*np.searchsorted(times_s, [core.start_s - SURROUNDINGS_S, core.end_s + SURROUNDINGS_S]))
    floors = {}
    for name in evened.keys() & FLOORS.keys():
        around = evened[name] if repeats else evenly(times_s[wide], curves[name][wide], step_s)
        floors[name] = max(FLOORS[name], SURROUNDINGS_SHARE * level(around, step_s))
    return _Stretch(float(within[0]), step_s, evened, floors)


def _strikes(motion: _Stretch) -> Iterator[_Found]:
    """Yield where something stops, above all on its way down; an even beat lends its hits strength."""
    share = STRIKE_DOWN
    curve = share * motion.levelled("loss_down") + (1 - share) * motion.levelled("loss")
    curve = curve / _running_level(curve, motion.step_s)
    beat = motion.beat()
    if beat is None:
        yield from _peaks("strike", curve, motion)
    else:
        supported = _supported(curve, beat, motion.step_s)
        shown = _shown(curve, beat, motion.step_s)
        for found in _peaks("strike", curve, motion, supported, distance_s=BEAT_DISTANCE * beat.period_s):
            if shown[min(len(shown) - 1, round((found.time_s - motion.start_s) / motion.step_s))]:
                yield found


def _bursts(motion: _Stretch) -> Iterator[_Found]:
    """Yield where something starts at once."""
    share, gain = BURST_CHANGE, motion.levelled("gain")
    curve = share * np.minimum(motion.levelled("burst"), BURST_ALONE * gain) + (1 - share) * gain
    yield from _peaks("burst", curve / _top(curve), motion, timing=gain)


def _flashes(flash: _Stretch) -> Iterator[_Found]:
    """Yield where it lights up."""
    curve = flash.levelled("rise")
    yield from _peaks("flash", curve / _top(curve), flash)


def _top(curve: Curve) -> float:
    """Return the height that counts as full strength."""
    return max(LEAST_TOP, float(np.percentile(curve, TOP_PERCENTILE)))


def _running_level(curve: Curve, step_s: float) -> Curve:
    """Return full strength from place to place: half what it is in all, half what it is near."""
    from scipy.ndimage import percentile_filter

    top = _top(curve)
    near = percentile_filter(curve, NEAR_PERCENTILE, size=int(NEAR_S / step_s) | 1)
    return (top + np.maximum(smooth(near, NEAR_SMOOTHING_S, step_s), NEAR_LEAST * top)) / 2


def _supported(curve: Curve, beat: Rhythm, step_s: float) -> Curve:
    """Return the curve with what stands one period before and after added, as far as the beat is even."""
    from scipy.ndimage import maximum_filter1d

    around = maximum_filter1d(curve, _uneven_frames(beat, step_s))
    places, period = np.arange(len(curve)), beat.period_s / step_s
    before = np.interp(places - period, places, around, left=0, right=0)
    after = np.interp(places + period, places, around, left=0, right=0)
    return np.asarray(curve + beat.strength * (before + after), np.float64)


def _shown(curve: Curve, beat: Rhythm, step_s: float) -> npt.NDArray[np.bool_]:
    """Return where the picture itself shows a hit, within the unevenness of the beat."""
    from scipy.ndimage import maximum_filter1d, median_filter

    near = maximum_filter1d(curve, _uneven_frames(beat, step_s))
    usual = median_filter(curve, round(beat.period_s / step_s) | 1)
    return np.asarray(near >= np.maximum(LEAST_STRENGTH, BEATEN * usual), np.bool_)


def _uneven_frames(beat: Rhythm, step_s: float) -> int:
    """Return over how many frames the hits of a beat scatter."""
    return 2 * round(BEAT_TOLERANCE * beat.period_s / step_s) + 1


def _peaks(
    cue: Cue,
    strength: Curve,
    stretch: _Stretch,
    evidence: Curve | None = None,
    *,
    timing: Curve | None = None,
    distance_s: float | None = None,
) -> Iterator[_Found]:
    """Yield the peaks of the evidence (the strength itself, where none else is given).

    Args:
        cue: Whose they are.
        strength: How strong they are.
        stretch: Where.
        evidence: What tells that they are.
        timing: What tells when, where it does so better than the evidence.
        distance_s: Between two of them at least; the cue's own where it is None.
    """
    tuning, places = TUNING[cue], np.arange(len(strength))
    curve = strength if evidence is None else evidence
    distance_s = distance_s or tuning.distance_s
    for peak in peaks(curve, threshold=tuning.threshold, distance_s=distance_s, step_s=stretch.step_s):
        position = peak.position if timing is None else summit(timing, round(peak.position))
        time_s = stretch.start_s + (position + tuning.offset_frames) * stretch.step_s
        height = float(np.interp(peak.position, places, strength))
        yield _Found(cue, float(max(stretch.start_s, time_s)), min(1.0, max(LEAST_STRENGTH, height)))


def _cue(motion: _Stretch, flash: _Stretch) -> Cue | None:
    """Return which cue a stretch speaks for, None where nothing happens in it.

    Light outshines motion. A beat is struck. Else what ends more suddenly than it begins is struck, and what begins
    more suddenly bursts.
    """
    rise = flash.level("rise")
    if rise > max(flash.floors["rise"], FLASH_SHARE * float(np.median(flash.curves["level"]))):
        return "flash"
    levels = {name: motion.level(name) for name in motion.floors}
    speaking = {name for name, height in levels.items() if height >= motion.floors[name]}
    if speaking.isdisjoint(("loss", "gain")) or speaking.isdisjoint(("burst", "settle")):
        return None
    loss, gain, burst, settle = (levels[name] + 1e-9 for name in ("loss", "gain", "burst", "settle"))
    lopsided = np.log(gain / loss) + np.log(burst / settle)
    return "strike" if motion.beat() is not None or lopsided <= 0 else "burst"


def _placed(found: _Found, track: Track, light: Light) -> Impact:
    """Return the impact with where in the picture its cause is centred."""
    seen: Track | Light = light if found.cue == "flash" else track
    at = min(int(np.searchsorted(seen.time_s, found.time_s)), len(seen.time_s) - 1)
    if at > 0 and found.time_s - seen.time_s[at - 1] < seen.time_s[at] - found.time_s:
        at -= 1
    x, y = (float(getattr(seen, name)[at]) for name in PLACES[found.cue])
    return Impact(found.time_s, found.strength, x, y, found.cue)
