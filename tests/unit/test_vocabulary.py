"""The sound classes, and what is said where one is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from foley.errors import PlanError
from foley.plan.clauses import clauses
from foley.plan.variants import all_variants
from foley.plan.vocabulary import FOLDER, SoundClass, read_folder, vocabulary
from foley.plan.words import language, manner, stem
from foley.synth.recipe import HitRecipe, TextureRecipe, recipes

FEWEST = 90
"""Sound classes that everyday Foley takes."""

GOOD = """
knock:
  label: knock
  ucs: WOODImpt
  kind: hits
  bus: foley
  level_db: -12
  prompt: a knock
"""


def test_there_are_enough_classes_for_everyday_foley() -> None:
    assert len(vocabulary()) >= FEWEST


@pytest.mark.parametrize("sound", vocabulary().values(), ids=lambda sound: sound.id)
def test_a_class_can_be_made_by_the_recipe_that_it_names(sound: SoundClass) -> None:
    if not sound.recipe:
        assert sound.placeholder, "without a recipe it must prefer other generators"
        return
    recipe = recipes()[sound.recipe]

    assert isinstance(recipe, HitRecipe if sound.kind == "hits" else TextureRecipe)
    assert set(sound.parameters) <= set(recipe.parameters)


@pytest.mark.parametrize("sound", vocabulary().values(), ids=lambda sound: sound.id)
def test_a_class_is_complete(sound: SoundClass) -> None:
    assert sound.prompt
    assert "music" in sound.avoid or sound.bus == "foley"
    assert -60 <= sound.level_db <= 0
    assert sound.distance_m > 0
    assert (sound.cue is None) == (sound.kind != "hits"), "hits show somehow, what lasts has no instants"
    assert not (sound.once and sound.periodic)


def test_every_category_is_one_of_ucs(shared: Path) -> None:
    known = {one["CatID"] for one in json.loads((shared / "ucs" / "ucs-8.2.1.json").read_text())["categories"]}

    assert {sound.ucs for sound in [*vocabulary().values(), *all_variants()]} <= known


@pytest.mark.parametrize("sound", tuple(all_variants()), ids=lambda sound: f"{sound.id}-{sound.label}")
def test_a_kind_that_words_can_name_is_one_that_its_recipe_makes(sound: SoundClass) -> None:
    recipe, rng = recipes()[sound.recipe], np.random.default_rng(0)

    assert isinstance(recipe, HitRecipe if sound.kind == "hits" else TextureRecipe)
    assert (sound.cue is None) == (sound.kind != "hits")
    if isinstance(recipe, HitRecipe):
        take = recipe.make(rng, 1.0, **sound.parameters)
    else:
        take = recipe.make(rng, np.ones(24_000), **sound.parameters)

    assert np.max(np.abs(take)) > 0.0
    assert sound.label != vocabulary()[sound.id].label


def test_no_file_holds_an_entry_twice() -> None:
    for path in FOLDER.glob("*.yaml"):
        heads = [
            line for line in path.read_text().splitlines() if line.endswith(":") and not line.startswith((" ", "#"))
        ]
        assert len(heads) == len(set(heads)), path.name


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("  colour: red", "a.yaml: knock: colour: no such field"),
        ("  promt: x", "did you mean prompt?"),
        ("  cue: bang", "cue: 'bang' is not one of strike, burst, flash"),
        ("  nouns: door", "nouns: 'door' is not a list of texts"),
        ("  distance_m: far", "distance_m: 'far' is not a number"),
        ("  verbs: ['@nobody']", "verbs: no group is called '@nobody'"),
        ("  backgrounds: [moon]", "backgrounds: no bed is called 'moon'"),
        ("  ground: moon", "ground: there is no 'moon'"),
        ("  parameters: {size: [1]}", "parameters: {'size': [1]} is not a mapping of numbers and texts"),
    ],
)
def test_a_wrong_entry_is_named(change: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD + change + "\n")

    with pytest.raises(PlanError) as caught:
        read_folder(tmp_path)

    assert complaint in str(caught.value)


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD.replace("  ucs: WOODImpt\n", ""))

    with pytest.raises(PlanError, match="knock: ucs is missing"):
        read_folder(tmp_path)


def test_a_good_entry_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD + "  nouns: ['@person', bell]\n")

    assert read_folder(tmp_path)["knock"].nouns == (*language().groups["person"], "bell")


@pytest.mark.parametrize(
    "forms",
    [
        ("hammer", "hammers", "hammering", "hammered"),
        ("chop", "chops", "chopping", "chopped"),
        ("slice", "slices", "slicing", "sliced"),
        ("fall", "falls", "falling", "fell", "fallen"),
        ("glass", "glasses"),
        ("buzz", "buzzes", "buzzing", "buzzed"),
        ("knife", "knives"),
        ("puppy", "puppies"),
        ("snow", "snowy"),
        ("ice", "icy"),
        ("windscreen", "windshields"),
        ("tear", "tears", "tore", "torn"),
        ("stride", "strides", "strode"),
        ("bite", "bites", "bit", "bitten"),
        ("tread", "treads", "trod", "trodden"),
        ("fight", "fights", "fought"),
        ("hoof", "hooves"),
        ("shelf", "shelves"),
        ("harbor", "harbour"),
        ("tire", "tyres"),
    ],
)
def test_forms_of_a_word_have_one_stem(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("one", "other"), [("wood", "wooden"), ("bed", "be"), ("ring", "r"), ("bus", "bu"), ("door", "drawer")]
)
def test_different_words_keep_different_stems(one: str, other: str) -> None:
    assert stem(one) != stem(other)


@pytest.mark.parametrize(("adverb", "word"), [("softly", "soft"), ("loudly", "loud"), ("distantly", "distant")])
def test_an_adverb_is_the_manner_of_its_word(adverb: str, word: str) -> None:
    assert manner(adverb) is manner(word) is not None


def test_every_gait_is_a_parameter_of_the_footsteps_that_take_it() -> None:
    known = {key for name, recipe in recipes().items() if name.startswith("step_") for key in recipe.parameters}

    assert {key for gait in language().gaits.values() for key in gait} <= known


def test_a_class_proposes_itself_as_it_is() -> None:
    sound = vocabulary()["anvil"]

    made = sound.proposed("somebody says so")

    assert (made.label, made.recipe, made.cue, made.ucs) == (sound.label, "anvil", "strike", sound.ucs)
    assert (made.because, made.shots, made.start_s, made.count) == ("somebody says so", (), None, None)


def test_clauses_know_what_is_denied_and_what_comes_later() -> None:
    found = [(clause.text, clause.denied, clause.step) for clause in clauses("He walks, no rain or wind, then a bell")]

    assert found == [("he walks", False, 0), ("no rain", True, 0), ("wind", True, 0), ("a bell", False, 1)]
