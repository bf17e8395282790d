"""What weights' licences allow: the data is whole and strict, the policy refuses in words, a region counts."""

from __future__ import annotations

import re

import pytest
import yaml

from foley.errors import OptionError
from foley.neural import licences

FIELDS = {"name": str, "conditions": str, "url": str, "excluded": list, "commercial": bool, "checked": str}
MAY_BE_NULL = {"commercial", "checked"}


class _NoDuplicates(yaml.SafeLoader):
    """Refuses a key that stands twice: the second would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = [self.construct_object(key) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"twice: {keys}"
        return super().construct_mapping(node, deep)


@pytest.fixture(scope="module")
def raw() -> dict:
    return yaml.load(licences.LICENCES_FILE.read_text(encoding="utf-8"), _NoDuplicates)


def test_every_entry_has_just_the_fields_each_of_its_kind(raw: dict) -> None:
    for licence_id, entry in raw.items():
        assert entry.keys() == FIELDS.keys(), licence_id
        for field, kind in FIELDS.items():
            assert isinstance(entry[field], kind) or (field in MAY_BE_NULL and entry[field] is None), (
                licence_id,
                field,
            )


def test_every_licence_of_weights_has_a_link_and_an_honest_date(raw: dict) -> None:
    for licence_id, entry in raw.items():
        assert entry["url"].startswith("https://") or licence_id == "none"
        assert entry["checked"] is None or re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", entry["checked"])
        assert "\n" not in entry["conditions"]
        assert all(re.fullmatch("[A-Z]{2}", code) for code in entry["excluded"])


def test_the_licences_of_all_models_that_foley_plays_are_known() -> None:
    assert licences.licences().keys() >= {
        "none",
        "CC-BY-NC-4.0",
        "CC-BY-NC-SA-4.0",
        "CC-BY-4.0",
        "MIT",
        "Apache-2.0",
        "stability-ai-community",
        "gemma-terms",
        "tencent-hunyuan-community",
        "elevenlabs-terms",
        "qwen-research",
    }


@pytest.mark.parametrize("policy", ["any", "research"])
@pytest.mark.parametrize("licence_id", ["none", "CC-BY-NC-4.0", "qwen-research", "stability-ai-community", "a-new-one"])
def test_research_and_any_refuse_nothing(licence_id: str, policy: str) -> None:
    assert licences.allows(licence_id, policy) is None


@pytest.mark.parametrize("licence_id", ["none", "MIT", "Apache-2.0", "stability-ai-community", "elevenlabs-terms"])
def test_commercial_takes_what_allows_it(licence_id: str) -> None:
    assert licences.allows(licence_id, "commercial") is None


@pytest.mark.parametrize("licence_id", ["CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "qwen-research", "thinksound-research"])
def test_commercial_refuses_what_forbids_it_and_names_the_licence(licence_id: str) -> None:
    reason = licences.allows(licence_id, "commercial")
    assert reason is not None
    assert reason.startswith("may not be used commercially")
    assert licences.licence(licence_id).name in reason


def test_commercial_refuses_a_licence_that_nobody_knows() -> None:
    assert "its licence is not known" in (licences.allows("a-new-one", "commercial") or "")
    assert licences.licence("a-new-one").commercial is None


@pytest.mark.parametrize("policy", ["any", "research", "commercial"])
@pytest.mark.parametrize("region", ["EU", "eu", "DE", "fr", "GB", "UK", "KR"])
def test_where_a_licence_gives_no_rights_every_policy_refuses(region: str, policy: str) -> None:
    reason = licences.allows("tencent-hunyuan-community", policy, region)
    assert reason is not None
    assert f"no rights in {region.upper()}" in reason


@pytest.mark.parametrize("region", ["", "US", "CH", "NO", "JP"])
def test_elsewhere_it_does_not(region: str) -> None:
    assert licences.allows("tencent-hunyuan-community", "any", region) is None


def test_a_licence_without_regions_holds_everywhere() -> None:
    assert all(licences.allows("MIT", "commercial", country) is None for country in licences.EU)
    assert len(licences.EU) == 27


@pytest.mark.parametrize("region", ["Germany", "D", "12", "ÄÖ"])
def test_what_is_no_region_is_refused(region: str) -> None:
    with pytest.raises(OptionError, match="no region"):
        licences.allows("MIT", "any", region)


def test_what_is_no_policy_is_refused() -> None:
    with pytest.raises(OptionError, match="'selling'") as caught:
        licences.allows("MIT", "selling")
    assert "commercial" in caught.value.hint
