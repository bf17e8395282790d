"""Combustion engines: irregular firings through an exhaust line, breath, ticking valves, whining belts.

Even pulses through combs sound like a rotor. What an ear knows an engine by is what is uneven about it: cylinders
differ, cycles differ (the pressure of one cylinder varies from cycle to cycle by 2 to 5 % under load and by 10 to 20 %
at idle), the governor hunts; and between engine and microphone lie a silencer, panels and a yard, which smear pulses
until their bands are nearly Gaussian (envelopes of recorded engines: kurtosis 2.9, bands hardly correlated).

Sources: S. Baldan, H. Lachambre, S. Delle Monache, P. Boussard, "Physically informed car engine sound synthesis for
virtual and augmented environments", IEEE SIVE 2015; A. Farnell, "Designing Sound", 2010; J. Heywood, "Internal
Combustion Engine Fundamentals", 1988 (cyclic dispersion).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foley.products import energy
from foley.synth.chain import mixed
from foley.synth.excitation import Signal, decay, high_passed, length_samples, low_passed, noise_burst
from foley.synth.moving import Layer, frame_times_s, layered, slow_frames
from foley.synth.resonators import comb, ring_modes
from foley.synth.rotation import PERIOD_SAMPLES, Rotation, harmonics, period, played, rotating, wander
from foley.synth.textures import CONTROL_SAMPLES, combed, control_times_s, scatter, spectrum, tinted
from foley.units import RATE_HZ

SPEED_OF_SOUND_M_S = 343.0

SETTLE_NODES = 120
"""Milliseconds made and thrown away before the first sample: pipes ring from the start."""


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine and what it breathes through."""

    cylinders: int
    idle_rpm: float
    full_rpm: float
    muffler_hz: float
    """Corner of the exhaust line's low-pass."""
    bass_hz: float
    """Corner below which outlet and panels are too small to radiate."""
    pipes_m: tuple[float, ...]
    """Lengths of exhaust line and chambers."""
    clatter: float
    """RMS of valves, injectors and gears re the exhaust."""
    air: float
    """RMS of intake and flow noise re the exhaust."""
    whine: float
    """RMS of belts, alternator and gears re the exhaust."""
    roughness: float = 0.5
    """How unlike cylinders and cycles are, 0 to 1."""
    strokes: int = 4
    exhaust_gain: float = 1.0
    """What brings the exhaust to RMS 1 at full speed, measured."""


ENGINES = {
    "car": Engine(4, 800, 4800, 1500, 150, (1.1, 1.9, 0.62), 0.06, 0.35, 0.13, 0.7, exhaust_gain=13.46),
    "v8": Engine(8, 650, 5600, 1300, 85, (1.5, 2.3, 0.7), 0.05, 0.40, 0.08, 0.7, exhaust_gain=9.98),
    "truck": Engine(6, 550, 2300, 1100, 60, (1.6, 2.6, 0.8), 0.20, 0.55, 0.12, 0.6, exhaust_gain=15.19),
    "tractor": Engine(3, 700, 2200, 1400, 70, (1.2, 1.7, 0.5), 0.18, 0.35, 0.06, 0.8, exhaust_gain=23.79),
    "motorcycle": Engine(2, 1100, 7500, 3000, 90, (0.7, 1.1, 0.35), 0.08, 0.28, 0.04, 0.7, exhaust_gain=17.05),
    "scooter": Engine(1, 1700, 7800, 2600, 140, (0.55, 0.8, 0.2), 0.12, 0.40, 0.05, 0.6, strokes=2, exhaust_gain=15.52),
    "mower": Engine(1, 1700, 3000, 2100, 75, (0.3, 0.5, 0.15), 0.16, 0.50, 0.02, 0.5, exhaust_gain=38.78),
    "boat": Engine(4, 700, 3600, 900, 60, (1.4, 2.1, 0.9), 0.05, 0.40, 0.06, exhaust_gain=17.24),
    "aircraft": Engine(4, 700, 2700, 2200, 70, (0.4, 0.6, 0.25), 0.05, 0.30, 0.03, 0.5, exhaust_gain=20.03),
}

INTAKE = spectrum({60: -19, 130: -5, 230: 0, 400: -2, 800: -7, 1500: -12, 4000: -22, 10000: -34})
FLOW = spectrum({60: -20, 150: -10, 250: -6, 500: -4, 1000: 0, 2500: -6, 6000: -11, 12000: -19})

PULSES = 0.72
"""Share of the exhaust that is the same pulse again; the rest is its turbulence, which comes with the flow. Bands of
recorded engines between 100 and 800 Hz go together by 0.05 to 0.1; pulses alone give 0.25."""

FEEDBACK = (0.45, -0.40, 0.35)
"""Of the pipes: open ends turn a pressure wave over, chambers do not."""

SPECTRUM_SAMPLES = 16_384

LINE_S = 0.09
"""How long the answer of exhaust line, panels and yard is kept."""


def firing_hz(rpm: float, cylinders: int, strokes: int = 4) -> float:
    """Return how often an engine fires: a four-stroke cylinder fires every second turn.

    >>> firing_hz(3000, 4)
    100.0
    """
    return rpm / 60.0 * cylinders * 2.0 / strokes


def exhaust(
    rng: np.random.Generator, build: np.random.Generator, engine: Engine, *, rpm: Signal, samples: int
) -> Signal:
    """Return what a running engine sounds like outside, RMS about 1 at full speed.

    Args:
        rng: Chance from firing to firing.
        build: Chance that made this engine.
        engine: Its type.
        rpm: On the grid of `control_times_s(samples)`.
        samples: Length of the sound.
    """
    from scipy.signal import oaconvolve

    extra = SETTLE_NODES * CONTROL_SAMPLES
    count = samples + extra
    steady = np.concatenate([np.full(SETTLE_NODES, rpm[0]), rpm])
    pace = steady / engine.full_rpm
    # at idle the governor hunts, at speed the flywheel holds
    hunting = engine.roughness * (0.009 + 0.02 * (1.0 - np.clip(pace, 0.0, 1.0)) ** 2)
    turning_hz = steady / 60.0 * (1.0 + hunting * wander(rng, count, 1.5, 6))
    cycle = rotating(turning_hz * 2.0 / engine.strokes, count, start=rng.random())
    at, levels = _firings(rng, build, engine, cycle=cycle)
    line = _line(build, engine)
    pulses = scatter(count, at, levels, grains=[_pulse(rng) for _ in range(16)], which=rng.integers(0, 16, len(at)))
    sound = oaconvolve(pulses.astype(np.float32), line.astype(np.float32))[:count]
    sound *= np.float32(PULSES * engine.exhaust_gain)
    sound += _breath(rng, build, engine, cycle=cycle, pace=pace)
    ticks = [noise_burst(rng, 0.006, low_hz=1200.0, high_hz=5000.0) for _ in range(8)]
    late = at + rng.integers(0, length_samples(0.004), len(at))
    knocks = 2.2 * engine.clatter * np.abs(levels) * np.exp(0.4 * rng.standard_normal(len(at)))
    sound += scatter(count, late, knocks, grains=ticks, which=rng.integers(0, 8, len(at)))
    sound += _whine(rng, build, engine, cycle=cycle, pace=pace)
    return np.asarray(sound[extra:], np.float64)


def _firings(
    rng: np.random.Generator, build: np.random.Generator, engine: Engine, *, cycle: Rotation
) -> tuple[npt.NDArray[np.int64], Signal]:
    """Return where the exhaust valves open, and how strong each pulse is.

    Cylinders differ by a fifth in strength and 0.6 % in timing, which gives the half orders. A strong burn leaves much
    exhaust gas to the next cycle, which burns weakly: neighbours of one cylinder alternate.
    """
    rough = engine.roughness
    gains = 1 + 0.4 * rough * build.standard_normal(engine.cylinders)
    early = 0.012 * rough * build.standard_normal(engine.cylinders)
    numbers = np.arange(np.floor(cycle.turns[0]) - 1, np.ceil(cycle.turns[-1]) + 1)
    at: list[npt.NDArray[np.int64]] = []
    levels: list[Signal] = []
    for cylinder in range(engine.cylinders):
        burn = rng.standard_normal(len(numbers) + 1)
        dispersion = 0.5 * rough * (burn[1:] - 0.5 * burn[:-1])
        when = numbers + cylinder / engine.cylinders + early[cylinder] + 0.014 * rough * burn[1:]
        at.append(cycle.when(when))
        levels.append(gains[cylinder] * np.maximum(0.1, 1.0 + dispersion))
    return np.concatenate(at), np.concatenate(levels)


def _line(build: np.random.Generator, engine: Engine) -> Signal:
    """Return the answer of exhaust line, panels and yard: a train of pulses through it has the power of lone ones."""
    length = length_samples(LINE_S)
    pipe = np.zeros(length)
    pipe[0] = 1.0
    for length_m, feedback in zip(engine.pipes_m, FEEDBACK, strict=True):
        delay_samples = round(2 * length_m * build.uniform(0.85, 1.15) / SPEED_OF_SOUND_M_S * RATE_HZ)
        pipe = low_passed(comb(pipe, delay_samples, feedback), engine.muffler_hz, 1)
    panels_hz = np.exp(build.uniform(np.log(engine.bass_hz), np.log(900.0), 18))
    panels = ring_modes(panels_hz, 0.06 * (panels_hz / 200.0) ** -0.5, build.normal(0.0, 1.0, 18), length)
    yard = low_passed(build.standard_normal(length) * decay(length, 0.10), engine.muffler_hz, 1)
    parts = [part / np.sqrt(energy(part)) for part in (pipe, panels, yard)]
    answer = high_passed(mixed(1.0 * parts[0], 0.8 * parts[1], 0.8 * parts[2]), engine.bass_hz, 2)
    answer *= np.minimum(1.0, np.linspace(8.0, 0.0, length))
    return answer / float(np.sqrt(_power_when_running(np.convolve(answer, _blow_down()), engine)))


RUNNING = (0.55, 0.65, 0.75, 0.85, 0.95, 1.0)
"""Shares of full speed at which engines of a type are made equally loud: their pipes favour different ones."""


def _power_when_running(pulse: Signal, engine: Engine) -> float:
    """Return the energy that a pulse has in a train of its kind, where only harmonics of the firing are left of it."""
    density = np.abs(np.fft.rfft(pulse, SPECTRUM_SAMPLES)) ** 2
    powers = []
    for share in RUNNING:
        fires_hz = firing_hz(share * engine.full_rpm, engine.cylinders, engine.strokes)
        at = np.arange(1, int(6000.0 / fires_hz) + 1) * (fires_hz * SPECTRUM_SAMPLES / RATE_HZ)
        powers.append(2.0 * fires_hz / RATE_HZ * float(density[at.astype(np.intp)].sum()))
    return float(np.mean(powers))


BLOW_DOWN_S = 0.0045


def _blow_down() -> Signal:
    """Return the pressure as a valve opens: 2 ms above, then its rebound."""
    t_s = np.arange(length_samples(BLOW_DOWN_S)) / RATE_HZ
    return np.asarray(np.exp(-t_s / 0.0012) * (1 - t_s / 0.0022), np.float64)


def _pulse(rng: np.random.Generator) -> Signal:
    """Return one blow-down with its turbulence."""
    smooth = _blow_down()
    turbulence = rng.standard_normal(len(smooth)) * np.exp(np.arange(len(smooth)) / (-0.002 * RATE_HZ))
    return smooth + 0.25 * turbulence


BREATHING = np.asarray(
    0.85 + 0.3 * np.maximum(0.0, np.cos(2 * np.pi * np.arange(PERIOD_SAMPLES) / PERIOD_SAMPLES)) ** 2
)
"""How flow noise swells with each firing, in one firing's time."""


CYCLES = np.hanning(19) / np.hanning(19).sum()
"""What smooths a curve of frames to what is slower than some 3 Hz."""


def _uneven(rng: np.random.Generator, count: int) -> Signal:
    """Return how the flow differs from cycle to cycle, for each frame.

    Recorded engines' treble varies by 3 to 25 Hz; slower swells are left out, for they would be the governor's.
    """
    quick = slow_frames(rng, count, 14.0)
    middle = len(CYCLES) // 2
    slow = np.convolve(quick, CYCLES)[middle : middle + len(quick)]
    return np.asarray(10 ** (0.07 * (quick - slow)), np.float64)


def _breath(
    rng: np.random.Generator, build: np.random.Generator, engine: Engine, *, cycle: Rotation, pace: Signal
) -> Signal:
    """Return intake and exhaust flow: noise that grows with speed and swells with each firing."""
    count = cycle.samples
    paces = np.interp(frame_times_s(count), control_times_s(count), pace)
    flow = engine.air * np.sqrt(0.04 + np.clip(paces, 0.0, 1.2) ** 2)
    intake, jet = (_uneven(rng, count) for _ in range(2))
    layers = [
        # uneven as bonnet, pipes and ground make it
        Layer(combed(tinted(INTAKE, build, 2.0), build, 4.5), 1.6 * flow * intake),
        Layer(combed(tinted(FLOW, build, 3.0), build, 5.0), 0.45 * flow * jet),
    ]
    swell = played(cycle, BREATHING.astype(np.float32), ratio=engine.cylinders)
    swell *= layered(rng, count, layers)
    return swell


def _whine(
    rng: np.random.Generator, build: np.random.Generator, engine: Engine, *, cycle: Rotation, pace: Signal
) -> Signal:
    """Return what turns with the crank by belt, chain or gear: alternator, pumps, timing."""
    turns = engine.strokes / 2.0
    level = engine.whine * np.sqrt(np.clip(pace, 0.0, 1.2)) * 10 ** (0.15 * wander(rng, cycle.samples, 2.0, 2))
    alternator = period(harmonics(4, 5.0, step=6), build)
    sound = played(cycle, alternator, ratio=turns * build.uniform(2.2, 2.9), level=0.5 * level)
    gears = period({1: 0.2, 19: 0.5, 38: 0.5, 57: 0.35, 95: 0.25, 133: 0.2}, build)
    sound += played(cycle, gears, ratio=turns, level=0.7 * level)
    return sound
