"""Move and paint a person who walks: feet that land where and when they are told, and a body that follows them.

Lengths are metres (x along the way, z up), so that one gait serves close and wide shots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scenes.canvas import Colour, Layer, Light, Points, blank, disc, limb, points, rgb, smooth, solid, turned
from scenes.scene import ease

THIGH_M, SHIN_M = 0.43, 0.42
ANKLE = np.array([0.05, 0.095])  # from the heel's lowest point, foot flat
BALL = np.array([0.18, 0.0])
LANDING_PITCH = 0.24  # toes up when the heel lands
PUSH_PITCH = -0.85  # heel up when the toes leave
SLAP_S = 0.05  # from heel to flat foot
DOUBLE_SUPPORT_S = 0.10  # both feet on the ground after each landing
PUSH_S = 0.20  # the heel rises this long before the other foot lands

COAT = smooth(
    points(
        (-0.15, -0.26),
        (-0.165, 0.05),
        (-0.155, 0.36),
        (-0.10, 0.53),
        (0.04, 0.56),
        (0.135, 0.46),
        (0.15, 0.2),
        (0.145, -0.02),
        (0.175, -0.27),
    )
)
"""Outlines in metres from the hip."""
HAIR = smooth(
    points(
        (0.15, 0.80),
        (0.07, 0.85),
        (-0.03, 0.81),
        (-0.06, 0.72),
        (-0.03, 0.64),
        (0.03, 0.66),
        (0.05, 0.75),
        (0.11, 0.78),
    )
)


@dataclass(frozen=True, slots=True)
class Look:
    """What the person wears."""

    trousers: Colour
    boots: Colour
    coat: Colour
    scarf: Colour
    skin: Colour
    hair: Colour


CLOTHES = Look(rgb("3d5274"), rgb("7a4526"), rgb("b8862e"), rgb("b23a2e"), rgb("d8a07c"), rgb("3a2418"))


@dataclass(frozen=True, slots=True)
class Foot:
    """Where a foot is: its ankle, and how far its toes point up."""

    ankle: Points
    pitch: float
    toe_pitch: float


@dataclass(frozen=True, slots=True)
class View:
    """How a shot shows metres: where x = 0 and the ground are on the screen."""

    left_px: float
    ground_px: float
    scale_px: float
    """Pixels in a metre."""

    def screen(self, place: Points) -> Points:
        """Return pixels of one place or of many in metres."""
        return np.asarray(
            np.array([self.left_px, self.ground_px]) + np.asarray(place) * (self.scale_px, -self.scale_px)
        )


def _from_heel(heel_m: float, pitch: float) -> Points:
    """Return the ankle of a foot that turns on its heel (toes up) or on its ball (heel up)."""
    pivot = np.zeros(2) if pitch >= 0 else BALL
    return np.asarray(turned((ANKLE - pivot)[None], pitch)[0] + pivot + (heel_m, 0.0))


@dataclass(frozen=True, slots=True)
class Gait:
    """A walk: footfalls in order, the feet taking turns."""

    times_s: tuple[float, ...]
    heels_m: tuple[float, ...]

    def foot(self, side: int, t: float) -> Foot:
        """Return a foot at a time; it stands still from landing until its heel is lifted."""
        landed = max((i for i, at in enumerate(self.times_s) if at <= t and i % 2 == side), default=side)
        if landed + 2 >= len(self.times_s):
            return Foot(_from_heel(self.heels_m[landed], 0.0), 0.0, 0.0)
        off = self.times_s[landed + 1] + DOUBLE_SUPPORT_S
        if t < off:
            return self._standing(landed, t, off)
        return self._swinging(landed, (t - off) / (self.times_s[landed + 2] - off), self.times_s[landed + 2] - off)

    def _standing(self, landed: int, t: float, off: float) -> Foot:
        slap = LANDING_PITCH * max(0.0, 1 - (t - self.times_s[landed]) / SLAP_S)
        push_from = self.times_s[landed + 1] - PUSH_S
        push = PUSH_PITCH * max(0.0, (t - push_from) / (off - push_from)) ** 2
        pitch = slap if slap > 0 else push
        return Foot(_from_heel(self.heels_m[landed], pitch), pitch, max(pitch, 0.0))

    def _swinging(self, landed: int, s: float, swing_s: float) -> Foot:
        start = _from_heel(self.heels_m[landed], PUSH_PITCH)
        end = _from_heel(self.heels_m[landed + 2], LANDING_PITCH)
        # m/s: it leaves as fast as the push has made it, without a jerk, and lands moving, then stops
        leave, land = np.array([0.95, 0.15]) * swing_s, np.array([1.3, -1.4]) * swing_s
        ankle = (2 * s**3 - 3 * s**2 + 1) * start + (s**3 - 2 * s**2 + s) * leave
        ankle = ankle + (3 * s**2 - 2 * s**3) * end + (s**3 - s**2) * land + (0.0, 0.02 * np.sin(np.pi * s))
        pitch = PUSH_PITCH + (LANDING_PITCH - PUSH_PITCH) * ease(1.15 * s)
        return Foot(ankle, pitch, 0.3 * ease(2 * s) * pitch if pitch < 0 else pitch)

    def hip(self, t: float) -> Points:
        """Return the hip joint: lowest when both feet are down, and midway between them."""
        at = np.array(self.times_s)
        x = np.interp(t, at, np.array(self.heels_m)) - 0.5 * (self.heels_m[1] - self.heels_m[0]) + 0.10
        phase = np.interp(t, at, np.arange(len(at)))
        return np.array([x, 0.905 - 0.018 * np.cos(2 * np.pi * (phase - 0.06))])


def _knee(hip: Points, ankle: Points) -> Points:
    """Return the knee before the line from hip to ankle."""
    reach = min(float(np.hypot(*(ankle - hip))), THIGH_M + SHIN_M - 0.004)
    along = (THIGH_M**2 - SHIN_M**2 + reach**2) / (2 * reach)
    aside = np.sqrt(max(0.0, THIGH_M**2 - along**2))
    unit = (ankle - hip) / (np.hypot(*(ankle - hip)) + 1e-9)
    return np.asarray(hip + unit * along + np.array([-unit[1], unit[0]]) * aside)


class Person:
    """Paints the walker in one view, under one light."""

    def __init__(self, gait: Gait, look: Look, lights: Sequence[Light], *, ambient: Colour) -> None:
        """Keep what does not change during a shot."""
        self.gait, self.look, self.lights, self.ambient = gait, look, lights, ambient

    def paint(self, t: float, view: View) -> Layer:
        """Return the person on a clear layer: far side first."""
        layer = blank()
        self._arm(layer, t, view, side=0)
        self._leg(layer, t, view, side=1)
        self._leg(layer, t, view, side=0)
        self._body(layer, t, view)
        self._arm(layer, t, view, side=1)
        return layer

    def _part(
        self, layer: Layer, view: View, joints: Points, *, radii_m: Sequence[float], albedo: Colour, flat: float = 0.75
    ) -> None:
        radii = [r * view.scale_px for r in radii_m]
        solid(
            layer,
            limb(view.screen(joints), radii),
            albedo,
            lights=self.lights,
            round_px=max(2.0, flat * max(radii)),
            ambient=self.ambient,
        )

    def _leg(self, layer: Layer, t: float, view: View, *, side: int) -> None:
        shade = 1.0 if side == 0 else 0.7
        hip, foot = self.gait.hip(t), self.gait.foot(side, t)
        knee = _knee(hip, foot.ankle)
        self._boot(layer, view, foot, knee=knee, shade=shade)
        cuff = foot.ankle + 0.22 * (knee - foot.ankle)
        thigh = limb(view.screen(np.stack([hip, knee])), [r * view.scale_px for r in (0.105, 0.072)])
        shin = limb(view.screen(np.stack([knee, cuff])), [r * view.scale_px for r in (0.072, 0.062)])[-1:]
        hem = limb(
            view.screen(np.stack([cuff, cuff + 0.09 * (knee - cuff)])), [r * view.scale_px for r in (0.064, 0.066)]
        )[-1:]
        trousers = self.look.trousers * np.float32(shade)
        solid(layer, thigh + shin, trousers, lights=self.lights, round_px=0.07 * view.scale_px, ambient=self.ambient)
        solid(
            layer,
            hem,
            trousers * np.float32(1.5),
            lights=self.lights,
            round_px=0.03 * view.scale_px,
            ambient=self.ambient,
        )

    def _boot(self, layer: Layer, view: View, foot: Foot, *, knee: Points, shade: float) -> None:
        base = foot.ankle - turned(ANKLE[None], foot.pitch)[0]
        heel, ball = turned(points((0.0, 0.042), (0.185, 0.036)), foot.pitch) + base
        toe = ball + turned(points((0.075, -0.003)), foot.toe_pitch)[0]
        shaft = foot.ankle + 0.3 * (knee - foot.ankle)
        colour = self.look.boots * shade
        self._part(
            layer, view, np.stack([foot.ankle - np.array([0.005, 0.0]), shaft]), radii_m=(0.054, 0.056), albedo=colour
        )
        self._part(layer, view, np.stack([heel, ball, toe]), radii_m=(0.045, 0.040, 0.036), albedo=colour)
        instep = foot.ankle + turned(points((0.012, -0.012)), foot.pitch)[0]
        self._part(layer, view, np.stack([instep, ball + np.array([0.0, 0.008])]), radii_m=(0.05, 0.03), albedo=colour)
        drop = [turned(points((0, -0.033)), pitch)[0] for pitch in (foot.pitch, foot.pitch, foot.toe_pitch)]
        sole = np.stack([heel, ball, toe]) + np.stack(drop)
        self._part(layer, view, sole, radii_m=(0.015, 0.012, 0.011), albedo=rgb("2a1c14") * shade)

    def _body(self, layer: Layer, t: float, view: View) -> None:
        hip = self.gait.hip(t)
        coat = COAT.copy()
        swing = 0.05 * (self.gait.foot(0, t).ankle[0] - self.gait.foot(1, t).ankle[0])
        coat[:, 0] += np.where(coat[:, 1] < 0.1, swing * (0.1 - coat[:, 1]) * 3, 0.02)
        solid(
            layer,
            view.screen(coat + hip),
            self.look.coat,
            lights=self.lights,
            round_px=0.12 * view.scale_px,
            ambient=self.ambient,
        )
        self._part(layer, view, points((0.03, 0.56), (0.055, 0.66)) + hip, radii_m=(0.055, 0.05), albedo=self.look.skin)
        self._part(layer, view, points((0.065, 0.735)) + hip, radii_m=(0.098,), albedo=self.look.skin)
        self._part(
            layer, view, points((0.145, 0.735), (0.162, 0.715)) + hip, radii_m=(0.014, 0.012), albedo=self.look.skin
        )
        solid(
            layer,
            view.screen(HAIR + hip),
            self.look.hair,
            lights=self.lights,
            round_px=0.05 * view.scale_px,
            ambient=self.ambient,
        )
        self._part(
            layer,
            view,
            points((-0.02, 0.57), (0.05, 0.555), (0.11, 0.575)) + hip,
            radii_m=(0.05, 0.052, 0.045),
            albedo=self.look.scarf,
        )
        tail = points((-0.03, 0.57), (-0.12, 0.5 + 0.02 * np.sin(5 * t)), (-0.2, 0.46 + 0.035 * np.sin(5 * t - 1)))
        self._part(layer, view, tail + hip, radii_m=(0.03, 0.032, 0.034), albedo=self.look.scarf)

    def _arm(self, layer: Layer, t: float, view: View, *, side: int) -> None:
        hip = self.gait.hip(t)
        reach = float(self.gait.foot(side, t).ankle[0] - hip[0])
        shade = 1.0 if side == 1 else 0.6
        swing = float(np.clip(1.1 * reach, -0.5, 0.5))
        shoulder = hip + np.array([0.0, 0.47])
        elbow = shoulder + 0.29 * np.array([np.sin(swing), -np.cos(swing)])
        bent = swing + 0.28 + 0.25 * max(0.0, swing)
        hand = elbow + 0.26 * np.array([np.sin(bent), -np.cos(bent)])
        self._part(
            layer, view, (hand + 0.04 * (hand - elbow) / 0.26)[None], radii_m=(0.042,), albedo=self.look.skin * shade
        )
        self._part(
            layer,
            view,
            np.stack([shoulder, elbow, hand]),
            radii_m=(0.075, 0.06, 0.05),
            albedo=self.look.coat * 0.9 * shade,
        )


def pebbles_kicked(rng: np.random.Generator, count: int = 9) -> Points:
    """Return velocities in m/s of what flies up where a boot lands."""
    angle = rng.normal(np.pi / 2, 0.75, count)
    return np.asarray(np.stack([np.cos(angle), np.sin(angle)], 1) * rng.gamma(4.0, 0.17, (count, 1)))


def stone(x: float, y: float, radius_px: float) -> Points:
    """Return a small flying stone."""
    return disc(x, y, radius_px, flat=0.8)
