"""Who makes an event: what was named, what may be used, and what nobody would want to be surprised by."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from foley.contracts import Capabilities, GeneratorSettings
from foley.errors import GenerationError, LicenceError, UnknownPluginError
from foley.model import SoundEvent
from foley.render import generators, routing
from foley.render.routing import Roster, Route, models_by_generator
from tests.plugins import saboteur
from tests.plugins.saboteur import FAITHFUL, HEAVY, Saboteur

SABOTEURS = Path(saboteur.__file__).parent / "generators"

RAIN = SoundEvent(
    id="e2",
    label="rain",
    kind="bed",
    bus="backgrounds",
    start_s=0.0,
    end_s=2.0,
    because="it rains",
    prompt="rain",
)


@pytest.fixture(autouse=True)
def saboteurs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generators, "__path__", [str(SABOTEURS)])


def only(monkeypatch: pytest.MonkeyPatch, **found: Capabilities) -> None:
    """Let there be only these generators."""
    monkeypatch.setattr("foley.plugins.names", lambda kind: tuple(found))
    monkeypatch.setattr("foley.plugins.build", lambda kind, name, settings: Saboteur(name, found[name]))


def names(route: Route) -> list[str]:
    found = []
    while (studio := route.studio(len(found))) is not None:
        found.append(studio.name)
    return found


def test_who_costs_leaves_the_machine_or_looks_is_only_asked_by_name() -> None:
    automatic = names(Roster().route(RAIN))
    assert "faithful" in automatic
    assert not {"far_away", "watcher"} & set(automatic)
    assert names(Roster("far_away").route(RAIN))[0] == "far_away"
    assert "watcher" in names(Roster(fallback=("watcher",)).route(RAIN))


def test_what_holds_a_model_comes_after_what_needs_none_unless_that_is_poor(monkeypatch: pytest.MonkeyPatch) -> None:
    model = replace(HEAVY, weights_licence="MIT", rank=20)
    only(monkeypatch, procedural=replace(FAITHFUL, rank=100), model=model, library=replace(FAITHFUL, rank=50))
    assert names(Roster().route(RAIN)) == ["library", "procedural", "model"]
    assert names(Roster().route(replace(RAIN, placeholder=True))) == ["model", "library", "procedural"]


def test_what_needs_a_gpu_is_left_alone_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, procedural=FAITHFUL, large=replace(HEAVY, needs_gpu=True, rank=1))
    poor = replace(RAIN, placeholder=True)
    monkeypatch.setattr(routing, "_has_gpu", lambda device: False)
    assert names(Roster().route(poor)) == ["procedural"]
    assert names(Roster("large").route(poor))[0] == "large"
    monkeypatch.setattr(routing, "_has_gpu", lambda device: True)
    assert names(Roster().route(poor)) == ["large", "procedural"]


def test_whether_there_is_a_gpu_is_only_asked_where_the_first_choice_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, procedural=FAITHFUL, large=replace(HEAVY, needs_gpu=True, weights_licence="MIT"))
    asked: list[str] = []
    monkeypatch.setattr(routing, "_has_gpu", lambda device: bool(asked.append(device)))
    route = Roster().route(RAIN)
    assert not asked
    assert route.studio(1) is None
    assert asked == ["auto"]


@pytest.mark.parametrize(
    ("policy", "region", "made_by"),
    [
        ("any", "", ["restricted", "foreign"]),
        ("research", "", ["restricted", "foreign"]),
        ("commercial", "", ["foreign"]),
        ("any", "EU", ["restricted"]),
        ("any", "de", ["restricted"]),
        ("any", "US", ["restricted", "foreign"]),
    ],
)
def test_the_licence_policy_and_the_region_are_kept(
    monkeypatch: pytest.MonkeyPatch, policy: routing.Licence, region: str, made_by: list[str]
) -> None:
    only(
        monkeypatch,
        restricted=replace(HEAVY, weights_licence="CC-BY-NC-4.0", commercial=False, rank=1),
        foreign=replace(HEAVY, weights_licence="MIT", rank=2, excluded_regions=("EU", "KR")),
    )
    assert names(Roster(licence=policy, region=region).route(RAIN)) == made_by


class Borrower(Saboteur):
    """Makes its sounds out of those of a generator that may not be used commercially."""

    def made_with(self, event: SoundEvent) -> tuple[Saboteur, ...]:
        lender = replace(HEAVY, weights_licence="CC-BY-NC-4.0", commercial=False)
        return (Saboteur("lender", lender),) if "blend" in event.parameters else ()


def test_the_licence_of_whose_sound_has_a_part_in_a_sound_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, borrower=FAITHFUL)
    monkeypatch.setattr("foley.plugins.build", lambda kind, name, settings: Borrower(name, FAITHFUL))
    blended = replace(RAIN, parameters={"blend": 0.5})
    assert names(Roster(licence="commercial").route(RAIN)) == ["borrower"]
    with pytest.raises(LicenceError, match=r"borrower.*CC-BY-NC-4\.0"):
        Roster(licence="commercial").route(blended)
    studio = Roster().studio("borrower")
    assert studio.terms_for(RAIN) == ("none", True)
    assert studio.terms_for(blended) == ("CC-BY-NC-4.0", False)
    assert studio.identity_for(RAIN) == studio.identity
    assert "lender" in studio.identity_for(blended)


def test_a_licence_that_forbids_it_is_kept_whatever_the_generator_says(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, careless=replace(HEAVY, weights_licence="CC-BY-NC-4.0", commercial=True))
    with pytest.raises(LicenceError, match="careless"):
        Roster(licence="commercial").route(RAIN)


def test_where_only_the_policy_stands_in_the_way_it_is_a_licence_error(monkeypatch: pytest.MonkeyPatch) -> None:
    restricted = replace(HEAVY, weights_licence="CC-BY-NC-4.0", commercial=False)
    only(monkeypatch, restricted=restricted)
    with pytest.raises(LicenceError, match=r"restricted.*CC-BY-NC-4\.0"):
        Roster(licence="commercial").route(RAIN)
    only(monkeypatch, restricted=restricted, service=replace(FAITHFUL, remote=True))
    with pytest.raises(LicenceError, match="service is a service"):
        Roster(licence="commercial").route(RAIN)
    only(monkeypatch, restricted=restricted, procedural=FAITHFUL)
    assert names(Roster(licence="commercial").route(RAIN)) == ["procedural"]


def test_where_nobody_can_it_is_no_licence_error(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, service=replace(FAITHFUL, remote=True))
    with pytest.raises(GenerationError, match="only asked where it is named") as caught:
        Roster().route(RAIN)
    assert not isinstance(caught.value, LicenceError)


def test_a_fallback_that_is_nobodys_name_is_said_at_once() -> None:
    with pytest.raises(UnknownPluginError):
        Roster(fallback=("faithful", "nobody")).route(RAIN)


def test_each_generator_gets_its_own_model_and_the_same_device(monkeypatch: pytest.MonkeyPatch) -> None:
    built: dict[str, GeneratorSettings] = {}

    def build(kind: str, name: str, settings: GeneratorSettings) -> Saboteur:
        built[name] = settings
        return Saboteur(name)

    monkeypatch.setattr("foley.plugins.build", build)
    roster = Roster("one", ("two", "three"), settings=GeneratorSettings(device="cpu", models={"one": "a", "two": "b"}))
    roster.route(RAIN)
    assert {name: (said.model, said.device) for name, said in built.items()} == {
        "one": ("a", "cpu"),
        "two": ("b", "cpu"),
        "three": ("", "cpu"),
    }


@pytest.mark.parametrize(
    ("given", "generator", "found"),
    [
        (["audiogen=my/model"], "auto", {"audiogen": "my/model"}),
        (["my/model"], "audiogen", {"audiogen": "my/model"}),
        (["/a/run=3/model"], "audiogen", {"audiogen": "/a/run=3/model"}),
        (["one=x", "two=y=z"], "auto", {"one": "x", "two": "y=z"}),
        ([], "auto", {}),
    ],
)
def test_models_are_given_to_whom_they_are_for(given: list[str], generator: str, found: dict[str, str]) -> None:
    assert models_by_generator(given, generator) == found


@pytest.mark.parametrize(("given", "generator"), [(["my/model"], "auto"), (["audiogen="], "audiogen")])
def test_a_model_that_is_nobodys_is_refused(given: list[str], generator: str) -> None:
    with pytest.raises(ValueError, match="NAME=MODEL"):
        models_by_generator(given, generator)


def test_routing_an_event_of_the_embedded_generator_loads_no_torch() -> None:
    code = (
        "import sys\n"
        "from dataclasses import replace\n"
        "from foley.render.routing import Roster\n"
        "from tests.unit.test_routing import RAIN\n"
        "route = Roster().route(replace(RAIN, recipe='rain'))\n"
        "print(route.studio(0).name, 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["procedural", "False"], done.stderr
