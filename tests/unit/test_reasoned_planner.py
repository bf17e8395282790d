"""A model that runs here: loaded as published, offline, held to the shape of every answer while it writes."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from foley import plugins
from foley.analysis.probe import probe
from foley.contracts import Case, Context, Planner, PlannerSettings, Refiner
from foley.errors import MissingWeightsError, PlannerError
from foley.model import Hints, KeyFrame, Source, Span
from foley.neural import runtime
from foley.plan.dialogue import local, questions
from foley.plan.dialogue.local import LocalChat
from foley.plan.dialogue.shapes import Choice, Listed, Record, Text, record
from foley.plan.dialogue.talk import Message, Shown, parsed
from foley.plan.ground import GroundOptions, ground
from foley.plan.propose import ProposeOptions, propose
from tests import media_maker as make
from tests import tiny_vlm
from tests.media_fixtures import MediaShelf
from tests.planning import case_of, impact, picture_of, prompt

if needed := runtime.missing(*local.PACKAGES):
    pytest.skip("; ".join(needed), allow_module_level=True)

Shelf = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: Any, **more: Any) -> None:
        raise AssertionError("nothing may be asked of the network")

    monkeypatch.setattr(socket.socket, "connect", refused)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Threads cost more than they save where matrices are this small."""
    torch = runtime.torch()
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Tiny models by family, written when first asked for."""
    root, made = tmp_path_factory.mktemp("models"), dict[str, Path]()

    def of(family: str) -> Path:
        if family not in made:
            makers = tiny_vlm.FAMILIES | {"qwen3_text": tiny_vlm.qwen3_text}
            made[family] = makers[family](root / family)
        return made[family]

    return of


def frame(level: int) -> bytes:
    _, coded = cv2.imencode(".jpg", np.full((72, 128, 3), level, np.uint8))
    return coded.tobytes()


def filmed(media: MediaShelf, ctx: Context) -> Case:
    clip = probe(Source(media(make.flash_and_tone, at_s=(1.0,), duration_s=3.0)), ctx)
    picture = picture_of(3.0, impacts=[impact(1.0)], cuts_s=[2])
    frames = (KeyFrame(0.5, 0, frame(30)), KeyFrame(2.5, 1, frame(200)))
    return replace(case_of(replace(picture, key_frames=frames), prompt("a dog barks")), clip=clip)


@pytest.mark.parametrize("family", tiny_vlm.FAMILIES)
def test_each_family_plans_from_end_to_end(
    family: str, tiny: Shelf, media: MediaShelf, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "sounds_shape", _one_or_two)
    planner: Planner = plugins.build("planner", "reasoned")
    settings = PlannerSettings(model=str(tiny(family)), device="cpu", closer_looks=1)
    case = filmed(media, ctx)

    assert planner.missing(settings) == ()
    proposal = planner.plan(case, settings, ctx)
    plan = ground(case.clip, case.picture, case.looks, case.listening, proposal, case.hints, GroundOptions(), ctx)

    names = [step.name for step in proposal.reasoning.steps]
    assert names[:5] == ["seen", "sounds", "times", "character", "avoid"], "held to its shape, none needs a repair"
    assert parsed(proposal.reasoning.steps[0].answer, questions.seen_shape([0, 1]))
    assert [sound.label for sound in proposal.sounds if "the prompt says" in sound.because] == ["dog barks"]
    assert any("the model hears" in sound.because for sound in proposal.sounds)
    assert all(0 <= event.start_s <= event.end_s <= 3.0 for event in plan.events)


ALL_SOUNDS = questions.sounds_shape


def _one_or_two(shots: Sequence[int]) -> Record:
    """Return the shape of sounds, of which there must be one: a random model may well find silence the best answer."""
    ((name, sounds),) = ALL_SOUNDS(shots).fields
    assert isinstance(sounds, Listed)
    return Record(((name, replace(sounds, most=2, least=1)),))


QUESTION = [Message("user", ("What is seen?\nt=0.0s ", Shown(0.0, frame(30)), "t=0.5s ", Shown(0.5, frame(220))))]
ANSWER = record(seen=Listed(record(shot=Choice((0, 1, 12)), text=Text(12)), most=3, least=1))


def test_the_same_question_has_the_same_answer(tiny: Shelf) -> None:
    first, second = (LocalChat("reasoned", str(tiny("qwen3_vl")), "cpu").answer(QUESTION, ANSWER) for _ in range(2))
    assert first == second
    assert parsed(first, ANSWER)


def test_the_pictures_are_looked_at(tiny: Shelf) -> None:
    chat = LocalChat("reasoned", str(tiny("qwen3_vl")), "cpu")
    torch = runtime.torch()
    chat.answer(QUESTION, ANSWER)
    assert chat._loaded is not None
    model, processor = chat._loaded
    dark = chat._asked(processor, QUESTION)
    bright = chat._asked(processor, [Message("user", tuple(_brighter(part) for part in QUESTION[0].parts))])
    assert dark["input_ids"].tolist() == bright["input_ids"].tolist()
    with torch.inference_mode():
        scores = [model(**asked).logits[0, -1] for asked in (dark, bright)]
    assert not torch.equal(*scores)


def _brighter(part: str | Shown) -> str | Shown:
    return part if isinstance(part, str) else replace(part, jpeg=frame(120))


def test_an_answer_that_does_not_end_is_ended_after_a_whole_entry(tiny: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    long = record(seen=Listed(record(shot=Choice((0, 1))), most=10_000, least=200))
    monkeypatch.setattr(local, "MOST_TOKENS", 100)
    text = LocalChat("reasoned", str(tiny("qwen3_text")), "cpu", pictures=False).answer(QUESTION, long)
    with pytest.raises(ValueError, match="lacks"):
        parsed(text, long)
    short = record(seen=Listed(record(shot=Choice((0, 1))), most=10_000))
    monkeypatch.setattr(local.Held, "_read", _never_ending(local.Held._read))
    text = LocalChat("reasoned", str(tiny("qwen3_text")), "cpu", pictures=False).answer(QUESTION, short)
    assert len(parsed(text, short)["seen"]) > 3


def _never_ending(read: Callable[[Any, int], str]) -> Callable[[Any, int], str]:
    """Return a reading in which no token ends a list."""

    def reading(held: Any, token: int) -> str:
        text = read(held, token)
        return "" if "]" in text else text

    return reading


def test_an_answer_that_takes_too_long_is_given_up(tiny: Shelf) -> None:
    chat = LocalChat("reasoned", str(tiny("qwen3_text")), "cpu", timeout_s=1e-6, pictures=False)
    with pytest.raises(PlannerError, match="no whole answer within"):
        chat.answer(QUESTION, ANSWER)


def test_a_question_that_is_too_long_is_refused(tiny: Shelf, tmp_path: Path) -> None:
    narrow = shutil.copytree(tiny("qwen3_text"), tmp_path / "narrow")
    config = json.loads((narrow / "config.json").read_text())
    (narrow / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 300}))
    chat = LocalChat("reasoned", str(narrow), "cpu", pictures=False)
    with pytest.raises(PlannerError, match="too long for"):
        chat.answer([Message("user", ("footsteps " * 200,))], ANSWER)


@pytest.mark.parametrize("name", ["no-such/model", "no-such-folder"])
def test_weights_that_are_not_here_are_named_with_what_mends_it(name: str, tmp_path: Path, ctx: Context) -> None:
    planner: Planner = plugins.build("planner", "reasoned")
    settings = PlannerSettings(model=name if "/" in name else str(tmp_path / name))
    assert planner.missing(settings)
    with pytest.raises(MissingWeightsError) as caught:
        planner.plan(case_of(picture_of(1.0), Hints(())), settings, ctx)
    assert caught.value.hint


def test_weights_with_parts_missing_are_refused(tiny: Shelf, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    broken = shutil.copytree(tiny("qwen3_text"), tmp_path / "broken")
    tensors = load_file(broken / "model.safetensors")
    del tensors["model.norm.weight"]
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(MissingWeightsError, match=r"1 of its parts are missing, as model\.norm\.weight"):
        LocalChat("reasoned", str(broken), "cpu", pictures=False).answer(QUESTION, ANSWER)


def test_its_identity_is_that_of_the_weights(tiny: Shelf, tmp_path: Path) -> None:
    planner: Planner = plugins.build("planner", "reasoned")
    other = shutil.copytree(tiny("qwen3_text"), tmp_path / "other")
    weights = (other / "model.safetensors").read_bytes()
    (other / "model.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    one, two = (planner.identity(PlannerSettings(model=str(folder))) for folder in (tiny("qwen3_text"), other))
    assert one.rpartition("@")[2] != two.rpartition("@")[2]


def test_a_model_that_only_reads_refines_what_the_rules_propose(tiny: Shelf, ctx: Context) -> None:
    case = case_of(picture_of(impacts=[impact(1.0)]), prompt("footsteps on gravel"))
    parts = (case.clip, case.picture, case.looks, case.listening, case.hints)
    opts = ProposeOptions("rules+text", model=str(tiny("qwen3_text")), device="cpu")

    proposal = propose(*parts, opts, ctx)

    assert proposal.planner == "rules+text"
    assert "footsteps" in proposal.sounds[0].label
    assert [step.name for step in proposal.reasoning.steps] == ["refine"]


def test_alone_a_reader_goes_over_the_rules(tiny: Shelf, ctx: Context) -> None:
    planner: Refiner = plugins.build("planner", "text")
    case = case_of(picture_of(impacts=[impact(1.0)]), prompt("footsteps on gravel"))
    proposal = planner.plan(case, PlannerSettings(model=str(tiny("qwen3_text")), device="cpu"), ctx)
    assert (proposal.planner, proposal.hints) == ("text", ("prompt: footsteps on gravel",))


def test_times_of_a_question_can_be_written_whatever_the_clip(tiny: Shelf) -> None:
    chat = LocalChat("reasoned", str(tiny("qwen3_text")), "cpu", pictures=False)
    shape = questions.times_shape(1, Span(7199.99666, 7199.999))
    assert parsed(chat.answer(QUESTION, shape), shape)["times"] is not None
