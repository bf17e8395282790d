"""Files are called as the profile asks, no two alike, and keep their names when other events change."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foley.deliver import naming
from foley.deliver.naming import FileNames, file_names
from foley.library import ucs
from foley.model import SoundEvent

STEMS = ("foley", "effects", "backgrounds", "music", "mix", "track", "dialogue")
IDS = st.text(min_size=1, max_size=80).filter(
    lambda text: text == text.strip() and not set(text) & set('/\\:*?"<>|\0') and text[0] != "."
)
"""What a plan takes for an id."""


def event(event_id: str, label: str = "hammer on anvil", *, cat_id: str = "METLImpt", bus: str = "foley") -> SoundEvent:
    return SoundEvent(event_id, label, "hits", bus, 0.0, 1.0, "It is seen.", ucs=cat_id)  # type: ignore[arg-type]


def named(*events: SoundEvent, how: str = "ucs", clip: str = "Shot_010 (v2)", creator: str = "ABC") -> FileNames:
    return file_names(events, clip=clip, naming=how, creator=creator)  # type: ignore[arg-type]


def test_plain_names_are_the_plan_s_own() -> None:
    names = named(event("e01-hammer"), how="plain")
    assert names.takes == {"e01-hammer": "takes/e01-hammer"}
    assert [names.stem(stem) for stem in STEMS] == [f"stems/{stem}" for stem in STEMS]


def test_ucs_names_say_class_sound_creator_and_source() -> None:
    names = named(event("e01-hammer"))
    assert names.takes == {"e01-hammer": "takes/METLImpt_Hammer On Anvil_ABC_Shot 010 (v2)"}
    assert names.stem("foley") == "stems/MIX_Foley Stem_ABC_Shot 010 (v2)"
    assert names.stem("dialogue").startswith("stems/PROD_Dialogue_")


def test_a_ucs_name_is_read_as_one() -> None:
    stem = named(event("e01")).takes["e01"].removeprefix("takes/")
    read = ucs.parse_name(stem)
    assert (read.category, read.title, read.creator) == ("METLImpt", "Hammer On Anvil", "ABC")


@pytest.mark.parametrize(
    ("bus", "cat_id"),
    [("foley", "FOLYMisc"), ("effects", "OBJMisc"), ("backgrounds", "AMBMisc"), ("music", "MUSCMisc")],
)
def test_an_event_without_a_class_gets_one_of_its_bus(bus: str, cat_id: str) -> None:
    assert naming.cat_id(event("e", cat_id="", bus=bus)) == cat_id
    assert naming.cat_id(event("e", cat_id="NoSuchId", bus=bus)) == cat_id
    assert ucs.category(cat_id) is not None


def test_delivery_names_hold_what_deliveries_allow() -> None:
    names = named(event("e01-tür"), how="delivery", clip="Überfahrt Szene 3_final")
    assert names.takes["e01-tür"] == "takes/Uberfahrt-Szene-3-final_TAKE-e01-tur_48k24b"
    assert names.stem("effects") == "stems/Uberfahrt-Szene-3-final_FX_48k24b"
    assert names.stem("mix") == "stems/Uberfahrt-Szene-3-final_ME_48k24b"


@given(st.lists(IDS, min_size=1, max_size=6, unique=True), st.text(max_size=50), st.text(max_size=90))
def test_no_two_takes_share_a_name_and_all_are_allowed(ids: list[str], label: str, clip: str) -> None:
    events = [event(each, label) for each in ids]
    for how in ("plain", "ucs", "delivery"):
        names = named(*events, how=how, clip=clip)
        taken = [*names.takes.values(), *(names.stem(stem) for stem in STEMS)]
        assert len({name.casefold() for name in taken}) == len(taken)
        assert all("/" not in name.partition("/")[2] for name in taken)
        if how == "delivery":
            assert all(re.fullmatch(r"(takes|stems)/[a-zA-Z0-9._-]+", name) for name in taken)


@given(st.text(max_size=80))
def test_an_fx_name_is_short_and_has_no_separators(label: str) -> None:
    name = naming.fx_name(event("e", label))
    assert 0 < len(name) < naming.FX_NAME_CHARACTERS
    assert not set(name) & set('_-/\\:*?"<>|')


def test_an_event_keeps_its_name_when_another_is_muted_or_moved() -> None:
    events = [event("e01"), event("e02"), event("e03", "rain")]
    changed = [events[0], replace(events[1], muted=True, start_s=5.0), events[2]]
    assert named(*events).takes == named(*changed).takes
    assert named(*events).takes["e02"] == "takes/METLImpt_Hammer On Anvil_ABC_Shot 010 (v2)_e02"
