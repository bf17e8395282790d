"""Animate `workshop.mp4`: a smith strikes glowing iron, sparks fly, the forge burns."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import numpy.typing as npt

from scenes import smithy
from scenes.canvas import (
    HEIGHT_PX,
    Colour,
    Film,
    Layer,
    Light,
    Points,
    blank,
    bloomed,
    disc,
    gradient,
    lay,
    limb,
    noise,
    over,
    patch,
    points,
    rect,
    rgb,
    shine,
    smooth,
    solid,
    turned,
    wrapped,
)
from scenes.scene import Onset, Stretch, Truth, ease, shutter

FPS = Fraction(25)
FRAMES = 250
BLOWS = (
    (0.931, 0.90),
    (1.846, 1.00),
    (2.717, 0.85),
    (3.629, 1.00),
    (5.273, 0.75),
    (6.118, 1.00),
    (7.042, 0.95),
    (7.867, 0.85),
    (8.913, 1.00),
)  # seconds and strength; the smith looks at his work before the fifth
TRUTH = Truth(
    fps=FPS,
    frames=FRAMES,
    prompt="a blacksmith hammers a glowing iron on an anvil, sparks fly, a forge fire burns",
    onsets=tuple(Onset(t, "hammer strikes iron on anvil", 0, strength) for t, strength in BLOWS),
    spans=(),
    beds=(Stretch(0.0, 10.0, "forge fire burning"),),
)

DOWN_S = 0.27  # a smith's down-stroke: a quarter of a second, fastest at its end
REST_S = 0.10  # the hammer lies still on the iron before it is lifted
LIFT_S = 0.62
CONTACT = np.array([456.0, 334.0])  # where the hammer's face meets the iron
NEARER = 1.6  # lights reach further to what stands before the wall
SPARKS = 120
GRAVITY_PX = 900.0  # px/s2: light scale, not stone, so it falls slower than the picture's scale says

HAMMER = points(
    (-21, -30),
    (19, -30),
    (22, -20),
    (15, -12),
    (15, 10),
    (23, 18),
    (23, 27),
    (-23, 27),
    (-23, 18),
    (-15, 10),
    (-15, -12),
    (-23, -20),
)
"""The hammer's head about its middle, handle to the right, face down."""


def raised(t: float) -> float:
    """Return how high the hammer is: 0 on the iron, 1 at the top of a full blow."""
    past = [blow for blow in BLOWS if blow[0] <= t]
    coming = [blow for blow in BLOWS if blow[0] > t]
    top = 0.72 + 0.28 * (coming[0][1] if coming else 0.3)
    if coming and t > coming[0][0] - DOWN_S:
        s = (t - coming[0][0] + DOWN_S) / DOWN_S
        return float(top * (1 - s**2.4))
    since = t - (past[-1][0] if past else -0.35)
    lift = ease((since - REST_S) / LIFT_S)
    return float(top * lift + 0.010 * np.sin(3 * since) * lift * ease((since - 0.8) / 0.4))


class Workshop:
    """The forge scene, painted frame by frame."""

    def __init__(self) -> None:
        """Paint what stands still once for each light, so that the lights can flicker apart."""
        rng = np.random.default_rng(25)
        self.fire = Light(204, 262, 80, rgb("ff7a2a", 3.6), 200)
        self.iron = Light(455, 312, 60, rgb("ff8a2a", 3.0), 120)
        self.window = Light(520, 90, 150, rgb("7aa8e8", 0.85), 280)
        self.fill = Light(1010, -60, 320, rgb("6f9ad8", 0.55), 520)
        self.still = [
            self._still([lamp], cold) for lamp, cold in ((self.fire, 0.0), (self.iron, 0.0), (self.window, 1.0))
        ]
        self.film = Film(rng, exposure=1.12, vignette=0.55)
        self.flame = noise(rng, (256, 256), slope=1.25)
        self.coals = noise(rng, (256, 256), slope=0.9)
        self.haze = noise(rng, (256, 256), slope=1.7)
        self.flicker = noise(rng, (1, 512), slope=0.7)[0]
        self.sparks = [self._burst(rng, strength) for _, strength in BLOWS]
        self.embers = rng.uniform(0, 1, (46, 5))

    def _still(self, lights: list[Light], cold: float) -> Layer:
        rng = np.random.default_rng(7)
        ambient = rgb("54658a", 0.075 * cold)
        if cold:
            lights = [*lights, self.fill]
        layer = smithy.wall(rng, lights, ambient)
        if cold:
            smithy.window(layer, rgb("8ab4ec", 0.8))
        layer = smithy.focus(layer)
        lights = [_nearer(lamp, 1.0) for lamp in lights]
        smithy.smith(layer, lights, ambient)
        smithy.anvil(layer, lights, ambient, rng=rng)
        return layer

    @staticmethod
    def _burst(rng: np.random.Generator, strength: float) -> npt.NDArray[np.float64]:
        """Return one row for each spark: velocity x and y in px/s, life in s, brightness, delay in s."""
        count = int(SPARKS * strength**1.5)
        angle = np.where(rng.random(count) < 0.66, rng.normal(np.pi + 0.42, 0.36, count), rng.normal(-0.4, 0.4, count))
        speed = rng.gamma(3.0, 150.0, count) * (0.5 + 0.5 * strength) + 60
        life, bright = rng.uniform(0.22, 0.85, count), rng.uniform(0.35, 1.0, count)
        return np.stack([speed * np.cos(angle), speed * np.sin(angle), life, bright, rng.uniform(0, 0.03, count)], 1)

    def glow(self, t: float) -> float:
        """Return the light of the iron: it flares when it is struck."""
        since = min((t - blow for blow, _ in BLOWS if blow <= t), default=9.0)
        return float(0.9 + 0.34 * np.exp(-since / 0.11))

    def frame(self, number: int) -> npt.NDArray[np.uint8]:
        """Return a frame, shape (height, width, 3), RGB."""
        t = float(number / FPS)
        fire = 0.72 + 0.56 * float(np.interp(t * 18, np.arange(512), self.flicker))
        glow = self.glow(t)
        layer = self.still[0] * fire + self.still[1] * glow + self.still[2]
        layer[..., 3] = 1.0
        self._fire(layer, t, fire)
        lights = [_nearer(self.fire, fire), _nearer(self.iron, glow), _nearer(self.window, 1.0), self.fill]
        self._iron(layer, t, lights)
        quick = abs(raised(t + 0.01) - raised(t - 0.01)) > 0.02
        instants = shutter(number, FPS, 7 if quick else 1)
        arm = sum((self._arm(raised(at), lights) for at in instants), blank()) / np.float32(len(instants))
        over(layer, arm)
        for burst, blow in zip(self.sparks, BLOWS, strict=True):
            self._sparks(layer, burst, t - blow[0])
        return self.film.develop(bloomed(layer, gain=0.3))

    def _fire(self, layer: Layer, t: float, fire: float) -> None:
        left, right, top, bottom = smithy.MOUTH
        ys, xs = np.mgrid[top - 70 : bottom, left:right].astype(np.float32)
        up = (bottom - ys) / (bottom - top)
        across = (xs - (left + right) / 2) / (right - left)
        body = (
            wrapped(self.flame, xs * 1.1, ys * 0.75 + 330 * t)
            + 0.6 * wrapped(self.flame, xs * 2.3 + 90, ys * 1.5 + 560 * t)
            - 0.3
        )
        heat = body * 1.25 + 0.42 - 1.02 * up - 4.6 * across**2 + 0.3 * (fire - 1)
        ramp = [
            (0.05, smithy.NOTHING),
            (0.25, rgb("d03208", 0.5)),
            (0.5, rgb("ff6a10", 2.0)),
            (0.8, rgb("ffa838", 4.2)),
            (1.1, rgb("ffe08a", 7.0)),
        ]
        flames = cv2.GaussianBlur(gradient(ramp, heat), (0, 0), 1.6)
        fade = np.clip((ys - top + 4) / 14, 0, 1)[..., None]
        layer[top - 70 : bottom, left:right, :3] += flames * fade
        coal = wrapped(self.coals, xs[-26:] * 2, ys[-26:] * 2.4)
        pulse = 0.7 + 0.3 * wrapped(self.haze, xs[-26:] + 40 * t, ys[-26:] + 30 * t)
        layer[bottom - 26 : bottom, left:right, :3] += gradient(
            [(0.4, smithy.NOTHING), (0.62, rgb("e03808", 1.2)), (0.9, rgb("ffb040", 3.0))], coal * pulse
        ) * (1 - 2 * np.abs(across[-26:])[..., None])
        self._embers(layer, t)

    def _embers(self, layer: Layer, t: float) -> None:
        for start, place, speed, wobble, size in self.embers:
            age = (t / (1.6 + 2 * speed) + start) % 1.0
            x = 90 + 230 * place + 26 * np.sin(6 * age + 9 * wobble) + 50 * age
            y = smithy.HEARTH_Y - 10 - 330 * age
            shine(
                layer,
                patch(disc(x, y, 1.1 + 1.3 * size), blur_px=0.8),
                rgb("ff7a20"),
                gain=5.0 * (1 - age) ** 1.5 * min(1.0, 12 * age),
            )

    def _iron(self, layer: Layer, t: float, lights: list[Light]) -> None:
        glow = self.glow(t)
        shift = 7 * (ease((t - 3.9) / 0.6) - ease((t - 4.6) / 0.6))  # he turns the piece while he looks at it
        shadow = patch(rect(410, 344, 575, bottom=351), blur_px=2)
        shine(layer, shadow, rgb("ff6a18"), gain=1.2 * glow)
        bar = patch(
            smooth(points((404, 346), (407, 337), (424, 333), (560, 334), (567, 340), (560, 347), (430, 348)), steps=6)
            + np.array([shift, -0.6 * shift])
        )
        if bar is not None:
            xs, ys = bar.grid()
            ramp = [
                (400, rgb("ff9a30", 5.0)),
                (452, rgb("ffb048", 7.5)),
                (500, rgb("ff6a18", 3.8)),
                (545, rgb("d02808", 1.1)),
                (570, rgb("50201a", 0.2)),
            ]
            top = np.clip((348 - ys) / 10, 0.35, 1).astype(np.float32)[..., None]
            lay(layer, bar, gradient(ramp, xs) * (np.float32(glow) * top))
        self._tongs(layer, np.array([shift, -0.5 * shift]), lights)

    @staticmethod
    def _tongs(layer: Layer, hold: Points, lights: list[Light]) -> None:
        for bend in (-7.0, 7.0):
            jaw = smooth(
                points((548, 340), (590, 346 + bend), (622, 362), (660, 384 - 0.7 * bend), (704, 408 - 0.9 * bend)),
                closed=False,
            )
            solid(
                layer,
                limb(jaw + hold, np.linspace(4.2, 5.4, len(jaw)).tolist()),
                smithy.DARK_STEEL,
                lights=lights,
                round_px=5,
            )
        ambient = rgb("54658a", 0.06)
        solid(
            layer,
            limb(points((722, 414), (800, 432), (900, 400)) + hold, (21, 31, 42)),
            smithy.SHIRT,
            lights=lights,
            round_px=26,
            ambient=ambient,
        )
        glove = smooth(points((676, 392), (700, 382), (732, 394), (742, 420), (728, 436), (696, 430), (676, 414)))
        solid(layer, glove + hold, smithy.LEATHER * 0.9, lights=lights, round_px=16, ambient=ambient)

    def _arm(self, up: float, lights: list[Light]) -> Layer:
        """Return the working arm and hammer on a clear layer."""
        layer = blank()
        ambient = rgb("54658a", 0.075)
        shoulder = np.array([800.0, 196.0 - 12 * up])
        tilt = 0.92 * up**1.15  # the wrist follows the arm: it opens last and closes first
        hand = np.array([592 + 66 * up - 30 * up * (1 - up), 299 - 118 * up])
        elbow = _joint(shoulder, hand, (150, 142))
        head = hand + turned(points((-136, 7)), tilt)[0]
        grip = hand + turned(points((34, -2)), tilt)[0]
        solid(
            layer,
            limb(np.stack([grip, head]), (6.5, 5.5)),
            smithy.WOOD * 1.2,
            lights=lights,
            round_px=6,
            ambient=ambient,
        )
        solid(layer, turned(HAMMER, tilt) + head, smithy.STEEL, lights=lights, round_px=9, ambient=ambient)
        solid(layer, limb(np.stack([elbow, hand]), (31, 19)), smithy.SKIN, lights=lights, round_px=24, ambient=ambient)
        below = hand - elbow
        sleeve = (
            limb(np.stack([shoulder, elbow]), (46, 35)) + limb(np.stack([elbow, elbow + 0.36 * below]), (35, 29))[-1:]
        )
        solid(layer, sleeve, smithy.SHIRT, lights=lights, round_px=32, ambient=ambient)
        cuff = limb(np.stack([elbow + 0.3 * below, elbow + 0.39 * below]), (32, 31))[-1]
        solid(layer, cuff, smithy.SHIRT * 1.3, lights=lights, round_px=7, ambient=ambient)
        self._hand(layer, hand, tilt, lights=lights, ambient=ambient)
        return layer

    @staticmethod
    def _hand(layer: Layer, hand: Points, tilt: float, *, lights: list[Light], ambient: Colour) -> None:
        fist = smooth(points((-22, -14), (-6, -21), (16, -18), (24, 0), (16, 18), (-8, 19), (-24, 8)))
        solid(layer, turned(fist, tilt) + hand, smithy.SKIN, lights=lights, round_px=15, ambient=ambient)
        for k in range(4):
            finger = turned(points((-17 + 10.5 * k, -13), (-15 + 10.5 * k, 10)), tilt) + hand
            solid(layer, limb(finger, (6.2, 5.6)), smithy.SKIN * 1.05, lights=lights, round_px=5, ambient=ambient)

    def _sparks(self, layer: Layer, burst: npt.NDArray[np.float64], since: float) -> None:
        if not 0 <= since < 1.0:
            return
        flash = np.exp(-since / 0.05)
        shine(
            layer,
            patch(disc(CONTACT[0], CONTACT[1] + 2, 16 + 12 * flash, flat=0.55), blur_px=7),
            rgb("ffc060"),
            gain=4.5 * flash,
        )
        for vx, vy, life, bright, delay in burst:
            age = since - delay
            if not 0 <= age < life:
                continue
            ends = [_flight(vx, vy, max(0.0, age + d)) for d in (-0.014, 0.014)]
            heat = 1 - age / life
            colour = rgb("ff6a18", 3.0) + rgb("ffd080", 6.0) * np.float32(heat**2)
            shine(
                layer,
                patch(limb(np.stack(ends), (0.3, 0.55 + 0.75 * heat)), blur_px=0.4),
                colour,
                gain=bright * min(1.0, 2.5 * heat),
            )


def _nearer(lamp: Light, gain: float) -> Light:
    """Return a light as it falls on what stands before the wall, with its flicker."""
    return replace(lamp, colour=lamp.colour * np.float32(gain), reach_px=NEARER * lamp.reach_px)


def _joint(root: Points, end: Points, lengths: tuple[float, float]) -> Points:
    """Return the elbow below the line from shoulder to hand (law of cosines)."""
    reach = min(float(np.hypot(*(end - root))), sum(lengths) - 1.0)
    along = (lengths[0] ** 2 - lengths[1] ** 2 + reach**2) / (2 * reach)
    aside = np.sqrt(max(0.0, lengths[0] ** 2 - along**2))
    unit = (end - root) / reach
    return np.asarray(root + unit * along + np.array([unit[1], -unit[0]]) * aside)


def _flight(vx: float, vy: float, age: float) -> Points:
    """Return where a spark is: drag takes its speed away, and it bounces once off the floor."""
    drag = 1.7
    x = CONTACT[0] + vx * (1 - np.exp(-drag * age)) / drag
    y = CONTACT[1] + vy * (1 - np.exp(-drag * age)) / drag + 0.5 * GRAVITY_PX * age**2
    floor = HEIGHT_PX - 22 + 0.02 * (x % 37)
    return np.array([x, y if y < floor else floor - 0.3 * (y - floor)])
