"""What every generator found promises: `contracts.Generator`, held."""

import importlib
import importlib.util
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from foley import plugins
from foley.contracts import GeneratorSettings, SoundRequest
from foley.model import CurvePoint, Hit, SoundEvent
from foley.units import to_samples

GENERATORS = plugins.names("generator")

HAMMER = SoundEvent(
    id="e01-hammer",
    label="hammer on a nail",
    kind="hits",
    bus="effects",
    start_s=1.0,
    end_s=2.25,
    because="a test",
    hits=(Hit(1.0), Hit(1.5, 0.6), Hit(2.25, 0.8)),
    recipe="hammer_nail",
)
CLOTH = SoundEvent(
    id="e02-cloth",
    label="clothes",
    kind="span",
    bus="foley",
    start_s=1.0,
    end_s=40.0,
    because="a test",
    curve=(CurvePoint(1.0, 0.0), CurvePoint(1.2, 1.0), CurvePoint(40.0, 0.5)),
    recipe="cloth_move",
)
ROOM = replace(CLOTH, id="e03-paper", kind="bed", bus="backgrounds", curve=(), recipe="paper_crumple")
TYPING = replace(CLOTH, id="e04-typing", end_s=4.0, curve=(), recipe="key_press")

EVENTS = {"hits": HAMMER, "span": CLOTH, "bed": ROOM, "series": TYPING}


SETTINGS: dict[str, GeneratorSettings] = {}
"""By generator: the tiny model that it is given here; `tests/tiny_NAME.py` makes it in the published format."""

SHORT_S = 2.0
"""The longest sound asked of a model: its laws are the same for longer ones, which take minutes on a processor."""

LIKE = 1e-4
"""How far a model's sample may be off in another batch: sums of another shape are added up in another order."""


def built(name: str) -> Any:
    return plugins.build("generator", name, SETTINGS.get(name, GeneratorSettings()))


def holds_model(name: str) -> bool:
    return name in SETTINGS


def made(name: str, event: SoundEvent, duration_s: float = 1.5, *, seed: int = 7) -> np.ndarray:
    generator = built(name)
    generator.prepare()
    (audio,) = generator.generate([SoundRequest(event, event.start_s, duration_s, np.random.default_rng(seed))])
    assert audio.rate_hz == generator.capabilities.rate_hz
    assert audio.channels == generator.capabilities.channels
    return np.asarray(audio.samples)


@pytest.fixture(params=GENERATORS)
def name(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Every generator, those that hold a model with a tiny one."""
    found = str(request.param)
    maker = f"tests.tiny_{found}"
    if found not in SETTINGS and importlib.util.find_spec(maker):
        SETTINGS[found] = GeneratorSettings(str(importlib.import_module(maker).make(tmp_path_factory.mktemp(found))))
    lacking = built(found).missing()
    if lacking:
        pytest.skip(f"{found} needs what is not here: {lacking}")
    return found


def event_for(name: str, kind: str) -> SoundEvent:
    event = replace(EVENTS[kind], generator=name)
    if not built(name).suits(event):
        pytest.skip(f"{name} makes no {kind}")
    return event


def test_the_embedded_generator_is_found() -> None:
    assert {"procedural", "silence"} <= set(GENERATORS)


def test_listing_and_building_generators_loads_nothing_heavy() -> None:
    code = (
        "import sys; from foley import plugins\n"
        "for name in plugins.names('generator'): plugins.build('generator', name).identity()\n"
        "heavy = {'scipy', 'torch', 'transformers', 'diffusers', 'cv2', 'librosa', 'soundfile'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_generator_is_honest_about_itself(name: str) -> None:
    generator = built(name)
    said = generator.capabilities
    assert name in generator.identity()
    assert said.kinds <= {"hits", "span", "bed"}
    assert said.rate_hz > 0
    assert said.channels in (1, 2)
    assert said.max_duration_s > 0.0
    assert said.code_licence
    assert said.weights_licence


def test_no_requests_give_no_sounds(name: str) -> None:
    assert built(name).generate([]) == []


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize("duration_s", [0.02, 0.1234567, 30.0])
def test_a_sound_is_as_long_as_asked_to_the_sample(name: str, kind: str, duration_s: float) -> None:
    event = event_for(name, kind)
    longest = min(duration_s, built(name).capabilities.max_duration_s, SHORT_S if holds_model(name) else duration_s)
    sound = made(name, event, longest)
    assert sound.shape[1] == to_samples(longest, built(name).capabilities.rate_hz)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 1.0


@pytest.mark.parametrize("kind", EVENTS)
def test_the_same_chance_makes_the_same_sound_and_another_another(name: str, kind: str) -> None:
    event = event_for(name, kind)
    first, again, other = made(name, event), made(name, event), made(name, event, seed=8)
    assert np.array_equal(first, again)
    if name != "silence":
        assert first.any()
        assert not np.array_equal(first, other)


@pytest.mark.parametrize("kind", EVENTS)
def test_margins_are_not_negative(name: str, kind: str) -> None:
    before_s, after_s = built(name).margins_s(event_for(name, kind))
    assert before_s >= 0.0
    assert after_s >= 0.0


def test_a_batch_gives_each_request_its_own_sound(name: str) -> None:
    events = [event_for(name, kind) for kind in ("hits", "span")]
    generator = built(name)
    generator.prepare()
    requests = [SoundRequest(event, event.start_s, 1.5, np.random.default_rng(7)) for event in events]
    together = generator.generate(requests)
    assert len(together) == 2
    for audio, event in zip(together, events, strict=True):
        alone = made(name, event)
        assert np.abs(audio.samples - alone).max() <= (LIKE if holds_model(name) else 0.0)
