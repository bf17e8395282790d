"""The plan file: what is written is read back, and what cannot be used is named by line and field."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foley.errors import CannotWriteError, PlanError
from foley.model import ClipIdentity, CurvePoint, Hit, PanPoint, Reasoning, Shot, SoundEvent, SoundPlan, Space
from foley.plan.events import json_schema, load, save
from foley.plan.rounding import rounded

CLIP = ClipIdentity("../clip.mp4", "0123abcd", Fraction(10), Fraction(30_000, 1001))
CROSSING = (PanPoint(1.0, -0.5), PanPoint(2.0, 0.5))
KNOCK = SoundEvent("e01-knock", "knock", "hits", "foley", 1.0, 2.1, "2 strikes are seen.", (Hit(1.0, 0.5), Hit(2.0)))
RAIN = SoundEvent(
    "e02-rain", "rain", "bed", "backgrounds", 0.0, 10.0, "it rains", curve=(CurvePoint(0.0, 0.5), CurvePoint(10.0, 1.0))
)
STEPS = replace(KNOCK, id="e03-steps", path=CROSSING, room="under_water", fade_in_s=0.25, fade_out_s=1.5)
PLAN = SoundPlan(
    CLIP,
    (Shot(0.0, 4.0, "start"), Shot(4.0, 10.0, "cut")),
    ("prompt: rain",),
    Reasoning("a", "b", "c", "d"),
    (KNOCK, RAIN, STEPS),
    spaces=(Space(0.0, 4.0, "large_interior", "The prompt says 'in a church'."), Space(4.0, 10.0, "none", "a studio")),
)

TEXT = """\
schema: foley.plan/1
clip: {path: clip.mp4, key: abc, duration_s: 10, frame_rate: 25}
shots: []
hints: []
reasoning: {semantic: a, temporal: b, aesthetic: c, spatial: d}
events:
- id: e01-knock
  label: knock
  kind: hits
  bus: foley
  start_s: 1.0
  end_s: 2.0
  because: it is seen
  hits:
  - {time_s: 1.0, strength: 0.5}
  - {time_s: 1.5, strength: 1.0}
- id: e02-rain
  label: rain
  kind: bed
  bus: backgrounds
  start_s: 0
  end_s: 10
  because: it rains
"""


def written(plan: SoundPlan, tmp_path: Path) -> str:
    save(plan, tmp_path / "plan.yaml")
    return (tmp_path / "plan.yaml").read_text(encoding="utf-8")


def faults(text: str, tmp_path: Path) -> list[str]:
    path = tmp_path / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PlanError) as caught:
        load(path)
    return [line.removeprefix(str(tmp_path) + "/") for line in str(caught.value).splitlines()]


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    save(PLAN, tmp_path / "plan.yaml")

    assert load(tmp_path / "plan.yaml") == PLAN


def test_the_file_is_made_for_people(tmp_path: Path) -> None:
    text = written(PLAN, tmp_path)

    assert text.startswith("# yaml-language-server: $schema=plan.schema.json\n")
    assert "- {time_s: 1.0, strength: 0.5}\n" in text
    assert "frame_rate: 30000/1001\n" in text
    assert "muted" not in text.split("schema: foley.plan/1")[1], "fields with their usual value are left out"


def test_rooms_stand_before_the_events_and_a_way_on_one_line_a_point(tmp_path: Path) -> None:
    text = written(PLAN, tmp_path)

    assert text.index("\nspaces:\n- start_s: 0.0\n") < text.index("\nevents:\n")
    assert "  path:\n  - {time_s: 1.0, pan: -0.5}\n" in text
    assert text.count("fade_out_s: 1.5") == 1, "what has the usual value is left out"


def test_a_plan_of_before_there_were_rooms_and_ways_is_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(TEXT)

    plan = load(path)

    assert plan.spaces == ()
    assert {(event.room, event.path, event.fade_in_s, event.fade_out_s) for event in plan.events} == {
        ("auto", (), 0.0, 0.0)
    }


def test_times_are_written_to_a_tenth_of_a_millisecond(tmp_path: Path) -> None:
    exact = replace(PLAN, events=(replace(KNOCK, hits=(Hit(1.00004), Hit(1.33333333))),))

    text = written(exact, tmp_path)

    assert "time_s: 1.3333," in text
    assert load(tmp_path / "plan.yaml") == rounded(exact)


def test_saving_twice_writes_the_same(tmp_path: Path) -> None:
    first = written(PLAN, tmp_path)

    assert written(load(tmp_path / "plan.yaml"), tmp_path) == first


texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\x85\u2028\u2029"), max_size=30)
shares = st.integers(0, 1000).map(lambda share: share / 1000)
levels = st.integers(-8000, 2000).map(lambda level: level / 100)


@st.composite
def spaces(draw: st.DrawFn) -> tuple[Space, ...]:
    bounds = sorted(draw(st.sets(st.integers(0, 100_000), max_size=6)))
    pairs = zip(bounds[::2], bounds[1::2], strict=False)
    rooms = st.sampled_from(["none", "large_interior", "exterior", "under_water"])
    return tuple(Space(start / 10_000, end / 10_000, draw(rooms), draw(texts)) for start, end in pairs)


@st.composite
def events(draw: st.DrawFn) -> SoundEvent:
    bounds = sorted(draw(st.lists(st.integers(0, 100_000), min_size=2, max_size=6)))
    times = [bound / 10_000 for bound in bounds]
    kind = draw(st.sampled_from(["hits", "span", "bed"]))
    return SoundEvent(
        id=draw(st.uuids()).hex,
        label=draw(texts),
        kind=kind,
        bus=draw(st.sampled_from(["foley", "effects", "backgrounds"])),
        start_s=times[0],
        end_s=times[-1],
        because=draw(texts),
        hits=tuple(Hit(time, draw(shares)) for time in times) if kind == "hits" else (),
        curve=tuple(CurvePoint(time, draw(shares)) for time in times) if kind == "span" else (),
        prompt=draw(texts),
        avoid=draw(texts),
        recipe=draw(texts),
        parameters=draw(st.dictionaries(texts, st.floats(-1e6, 1e6) | texts, max_size=3)),
        seed=draw(st.integers(0, 2**63)),
        level_db=draw(levels),
        gain_db=draw(levels),
        pan=2 * draw(shares) - 1,
        path=tuple(PanPoint(time, 2 * draw(shares) - 1) for time in times) if draw(st.booleans()) else (),
        room=draw(st.sampled_from(["auto", "none", "small_interior", "exterior"])),
        fade_in_s=draw(shares),
        fade_out_s=draw(shares),
        distance_m=draw(shares) + 0.01,
        confidence=draw(shares),
        muted=draw(st.booleans()),
    )


plans = st.builds(
    SoundPlan,
    clip=st.builds(
        ClipIdentity,
        path=texts,
        key=texts,
        duration_s=st.fractions(10, 20, max_denominator=90_000),
        frame_rate=st.fractions(1, 120, max_denominator=1001),
    ),
    shots=st.just(PLAN.shots),
    hints=st.lists(texts, max_size=3).map(tuple),
    reasoning=st.builds(Reasoning, texts, texts, texts, texts),
    events=st.lists(events(), max_size=3).map(tuple),
    planner=texts,
    spaces=spaces(),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(plan=plans)
def test_every_plan_comes_back_as_it_was_saved(plan: SoundPlan, tmp_path: Path) -> None:
    save(plan, tmp_path / "plan.yaml")

    assert load(tmp_path / "plan.yaml") == rounded(plan)


def test_an_edited_plan_may_write_times_as_on_a_clock(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(TEXT.replace("time_s: 1.5", "time_s: 0:01.25"))

    assert load(path).events[0].hits[1].time_s == 1.25


def test_the_text_used_here_is_a_good_plan(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(TEXT)

    assert [event.label for event in load(path).events] == ["knock", "rain"]


@pytest.mark.parametrize(
    ("good", "bad", "complaint"),
    [
        ("kind: hits", "kind: hit", "plan.yaml:9: events[0].kind: must be hits, span or bed"),
        ("bus: foley", "bus: [foley]", "plan.yaml:10: events[0].bus: must be foley, effects"),
        ("label: knock", "lable: knock", "plan.yaml:8: events[0].lable: there is no such field, did you mean label?"),
        ("  label: knock\n", "", "plan.yaml:7: events[0].label: is missing"),
        ("start_s: 1.0", "start_s: soon", "plan.yaml:11: events[0].start_s: must be a number, not 'soon'"),
        ("start_s: 1.0", "start_s: .nan", "plan.yaml:11: events[0].start_s: must be a number, not '.nan'"),
        ("start_s: 1.0", "start_s: nan", "plan.yaml:11: events[0].start_s: must be a number, not 'nan'"),
        ("start_s: 1.0", "start_s: inf", "plan.yaml:11: events[0].start_s: must be a number, not 'inf'"),
        ("start_s: 1.0", "start_s: -1", "plan.yaml:11: events[0].start_s: must be 0 or more"),
        ("end_s: 2.0", "end_s: 0.5", "plan.yaml:12: events[0].end_s: lies before start_s (0:01.000)"),
        ("end_s: 10\n", "end_s: 11\n", "plan.yaml:22: events[1].end_s: lies past the clip's end (0:10.000)"),
        ("time_s: 1.5", "time_s: 2.5", "plan.yaml:16: events[0].hits[1].time_s: lies outside the event (1 to 2)"),
        (
            "time_s: 1.0, strength: 0.5",
            "time_s: 1.6",
            "plan.yaml:16: events[0].hits[1].time_s: lies before the hit above it",
        ),
        ("strength: 0.5", "strength: 1.5", "plan.yaml:15: events[0].hits[0].strength: must be 0 to 1, is 1.5"),
        ("  kind: bed", "  kind: hits", "plan.yaml:17: events[1].hits: an event of kind hits needs at least one"),
        ("id: e02-rain", "id: e01-knock", "plan.yaml:17: events[1].id: 'e01-knock' is the id of another event too"),
        ("id: e02-rain", "id: ../rain", "plan.yaml:17: events[1].id: must be a name that a file can bear"),
        ("label: rain", "label: rain\n  label: hail", "plan.yaml:19: events[1].label: is there twice"),
        ("label: rain", "muted: maybe", "plan.yaml:18: events[1].muted: must be true or false"),
        ("label: rain", "seed: 1.5", "plan.yaml:18: events[1].seed: must be a whole number, not '1.5'"),
        ("label: rain", "pan: 3\n  label: rain", "plan.yaml:18: events[1].pan: must be -1 to 1, is 3"),
        (
            "label: rain",
            "label: rain\n  parameters: 3",
            "events[1].parameters: must be a mapping of names to numbers or texts",
        ),
        ("  because: it rains", "  because: it rains\n  hits: 3", "plan.yaml:24: events[1].hits: must be a list"),
        (
            "  because: it rains",
            "  because: it rains\n  hits: [{time_s: 1}]",
            "events[1].hits: only events of kind hits have hits",
        ),
        (
            "schema: foley.plan/1",
            "schema: foley.plan/9",
            "plan.yaml:1: schema: must be foley.plan/1: this foley reads no other",
        ),
        ("schema: foley.plan/1\n", "", "plan.yaml:1: schema: is missing; must be foley.plan/1"),
        ("frame_rate: 25", "frame_rate: 25/0", "plan.yaml:2: clip.frame_rate: must be a number or a fraction"),
        ("duration_s: 10", "duration_s: 0", "plan.yaml:2: clip.duration_s: must be more than 0"),
        (
            "shots: []",
            "shots: [{start_s: 5, end_s: 4, opening: cut}]",
            "plan.yaml:3: shots[0].end_s: a shot must start before",
        ),
        ("shots: []", "shots: [", "is not YAML"),
        ("seen\n", "seen\n  fade_in_s: -1\n", "plan.yaml:14: events[0].fade_in_s: must be 0 or more"),
        ("seen\n", "seen\n  fade_out_s: long\n", "plan.yaml:14: events[0].fade_out_s: must be a number, not 'long'"),
        ("seen\n", "seen\n  room: kitchen\n", "plan.yaml:14: events[0].room: must be auto, none, small_interior"),
        ("seen\n", "seen\n  path: [{time_s: 1, pan: -2}]\n", "14: events[0].path[0].pan: must be -1 to 1, is -2"),
        ("seen\n", "seen\n  path: [{time_s: 3, pan: 0}]\n", "14: events[0].path[0].time_s: lies outside the event"),
        (
            "seen\n",
            "seen\n  path:\n  - {time_s: 1.5, pan: 0}\n  - {time_s: 1.2, pan: 1}\n",
            "plan.yaml:16: events[0].path[1].time_s: lies before the point above it",
        ),
        (
            "shots: []",
            "shots: []\nspaces: [{start_s: 5, end_s: 11, room: exterior, because: it is}]",
            "plan.yaml:4: spaces[0].end_s: a space must start before it ends, inside the clip",
        ),
        (
            "shots: []",
            "shots: []\nspaces:\n- {start_s: 0, end_s: 5, room: exterior, because: a}\n"
            "- {start_s: 0:04, end_s: 6, room: none, because: b}",
            "plan.yaml:6: spaces[1].start_s: begins before the space above it ends (0:05.000)",
        ),
        (
            "shots: []",
            "shots: []\nspaces: [{start_s: 0, end_s: 5, room: auto, because: a}]",
            "plan.yaml:4: spaces[0].room: must be none, small_interior",
        ),
        ("- id: e01-knock", "- e01\n- id: e01-knock", "plan.yaml:7: events[0]: must be a mapping of fields"),
    ],
)
def test_a_fault_is_named_by_line_and_field(good: str, bad: str, complaint: str, tmp_path: Path) -> None:
    assert good in TEXT

    found = faults(TEXT.replace(good, bad, 1), tmp_path)

    assert any(complaint in line for line in found), found


@pytest.mark.parametrize(
    ("text", "complaint"), [("", "is empty"), ("- 1\n", "must be a mapping"), ("a: &a [*a]\n", "a")]
)
def test_what_is_no_plan_at_all_is_refused(text: str, complaint: str, tmp_path: Path) -> None:
    assert any(complaint in line for line in faults(text, tmp_path))


def test_all_faults_are_listed_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = TEXT.replace("kind: hits", "kind: hit").replace("end_s: 10", "end_s: x").replace("label: rain", "lbl: rain")

    lines = [int(line.split(":")[1]) for line in faults(text, tmp_path)]

    assert lines == sorted(lines)
    assert {9, 18, 22} <= set(lines)


def test_python_objects_in_yaml_are_not_made(tmp_path: Path) -> None:
    text = TEXT.replace("label: knock", "label: !!python/object/apply:os.system [touch here]")

    assert "events[0].label: must be text" in faults(text, tmp_path)[0]


def test_a_plan_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"none\.yaml: cannot be read"):
        load(tmp_path / "none.yaml")


def test_a_plan_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_bytes(b"\xff\xfe\x00\xd8")

    with pytest.raises(PlanError, match="is not UTF-8 text"):
        load(tmp_path / "plan.yaml")


def test_a_plan_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plan.yaml"
    save(PLAN, path)
    before = path.read_text()

    def full(self: Path, *args: object, **kwargs: object) -> int:
        raise OSError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(CannotWriteError):
        save(replace(PLAN, planner="other"), path)

    assert path.read_bytes().decode() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plan.schema.json", "plan.yaml"]


def test_the_schema_lies_beside_the_plan_and_tells_every_field(tmp_path: Path) -> None:
    save(PLAN, tmp_path / "plan.yaml")

    schema = json.loads((tmp_path / "plan.schema.json").read_text())

    event = schema["$defs"]["SoundEvent"]
    assert set(event["properties"]) == {field.name for field in fields(SoundEvent)}
    assert event["properties"]["kind"] == {"enum": ["hits", "span", "bed"]}
    assert event["properties"]["gain_db"]["description"] == "An editor's trim on top."
    assert event["additionalProperties"] is False
    assert "gain_db" not in event["required"]


def test_a_saved_plan_has_only_fields_of_the_schema(tmp_path: Path) -> None:
    document = yaml.safe_load(written(PLAN, tmp_path))
    schema = json_schema()

    assert set(document) <= set(schema["properties"])
    assert set(schema["required"]) <= set(document)
    for event in document["events"]:
        assert set(schema["$defs"]["SoundEvent"]["required"]) <= set(event)
