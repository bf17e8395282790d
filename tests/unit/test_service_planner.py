"""A planner behind an address: whatever the service does, there is a plan or a clear error."""

from __future__ import annotations

import base64
import itertools
import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import cv2
import numpy as np
import pytest

from foley import plugins
from foley.analysis.probe import probe
from foley.contracts import Case, Context, Planner, PlannerSettings
from foley.errors import OptionError, PlannerError
from foley.media import remote
from foley.model import Hints, KeyFrame, Proposal, Source
from foley.plan.dialogue import service
from foley.plan.propose import ProposeOptions, propose
from tests import media_maker as make
from tests.chat_server import GOOD, Asked, ChatServer, Say, Script, in_turn, serving, well
from tests.media_fixtures import MediaShelf
from tests.planning import case_of, impact, picture_of, prompt

KEY = "sk-very-secret"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BACK_OFF_S", 0.001)
    monkeypatch.setenv("FOLEY_API_KEY", KEY)
    monkeypatch.delenv("FOLEY_ENDPOINT", raising=False)


def smithy() -> Case:
    picture = picture_of(4.0, impacts=[impact(1.0), impact(2.0)])
    _, coded = cv2.imencode(".jpg", np.full((90, 160, 3), 128, np.uint8))
    frames = tuple(KeyFrame(at_s, 0, coded.tobytes()) for at_s in (0.5, 2.5))
    return case_of(replace(picture, key_frames=frames), Hints(()))


def planned(server: ChatServer, ctx: Context, case: Case | None = None, **more: Any) -> Proposal:
    planner: Planner = plugins.build("planner", "service")
    settings = PlannerSettings(**({"model": "m", "endpoint": server.endpoint, "closer_looks": 0} | more))
    return planner.plan(case or smithy(), settings, ctx)


def after(trouble: Say, *more: Say) -> Script:
    """Return a script that begins with trouble and then answers well."""
    return in_turn(trouble, *more, then=well())


def test_it_is_shown_small_pictures_after_their_times_and_asked_for_the_shape(ctx: Context) -> None:
    with serving(well()) as server:
        planned(server, ctx)
    first = server.asked[0]
    parts = first.body["messages"][0]["content"]
    shown = [number for number, part in enumerate(parts) if part["type"] == "image_url"]
    assert [parts[number - 1]["text"] for number in shown] == ["t=0.50s ", "t=2.50s "]
    head, _, coded = parts[shown[0]]["image_url"]["url"].partition(",")
    assert head == "data:image/jpeg;base64"
    assert base64.b64decode(coded) == smithy().picture.key_frames[0].jpeg
    assert first.path == "/v1/chat/completions"
    assert first.body["response_format"]["json_schema"]["schema"]["required"] == ["shots"]
    assert (first.body["temperature"], first.body["model"]) == (0, "m")
    assert first.headers["Authorization"] == f"Bearer {KEY}"


TROUBLES: dict[str, Script] = {
    "well": well(),
    "prose around": lambda body: replace(well()(body), text=f"Sure! {well()(body).text}\nAnything else?"),
    "fenced": lambda body: replace(well()(body), text=f"```json\n{well()(body).text}\n```"),
    "invalid JSON, then well": after(Say('{"shots": [{"shot": 0,')),
    "wrong shape twice, then well": after(Say('{"shots": 3}'), Say('{"shots": [{"shot": 9, "seen": ""}]}')),
    "nothing said, then well": after(Say(raw=b'{"choices": [{"message": {"content": null}}]}')),
    "busy, then well": after(Say("slow down", 429, headers={"Retry-After": "0"}), Say("overloaded", 503)),
    "hangs up, then well": after(Say(hang_up=True)),
    "half a reply, then well": after(Say(raw=b"{", headers={"Content-Length": "99"})),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_where_an_answer_comes_in_the_end_there_is_a_plan(trouble: str, ctx: Context) -> None:
    with serving(TROUBLES[trouble]) as server:
        proposal = planned(server, ctx)
    assert [sound.label for sound in proposal.sounds] == ["hammer on anvil", "fire"]
    assert [step.name for step in proposal.reasoning.steps if "repair" not in step.name] == [
        "seen",
        "sounds",
        "times",
        "character",
        "avoid",
    ]


FAILURES: dict[str, tuple[Script, str]] = {
    "always prose": (in_turn(Say("I am afraid I cannot do that.")), "step 'seen' after 2 repairs: .*no JSON object"),
    "always the wrong shape": (in_turn(Say('{"shots": 3}')), "answer.shots must be a list"),
    "always busy": (in_turn(Say("overloaded", 500)), "answers 500: overloaded; given up after 4 tries"),
    "always hangs up": (in_turn(Say(hang_up=True)), "cannot be reached.*given up after 4 tries"),
    "asks to wait long": (in_turn(Say("quota", 429, headers={"Retry-After": "3600"})), "asks to wait 3600 s"),
    "no key": (in_turn(Say(f"{KEY} is not valid", 401)), r"answers 401: \*\*\* is not valid"),
    "no such model": (in_turn(Say("no model m", 404)), "answers 404: no model m"),
    "refuses everything": (in_turn(Say("too long", 400)), "answers 400: too long"),
    "redirects": (in_turn(Say("", 302, headers={"Location": "http://127.0.0.1:9/"})), "answers 302"),
    "a page, not an answer": (in_turn(Say(raw=b"<html>hello</html>")), "not with a chat completion"),
    "nested without end": (in_turn(Say(raw=b"[" * 100_000)), "not with a chat completion"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_where_no_answer_comes_the_error_says_why(failure: str, ctx: Context) -> None:
    script, told = FAILURES[failure]
    with serving(script) as server, pytest.raises(PlannerError, match=told) as caught:
        planned(server, ctx)
    assert KEY not in f"{caught.value.message} {caught.value.hint} {caught.value.__cause__}"
    assert caught.value.exit_code == 9


def test_a_service_that_takes_too_long_is_not_waited_for(ctx: Context) -> None:
    with (
        serving(in_turn(Say("late", after_s=30))) as server,
        pytest.raises(PlannerError, match=r"within 0\.2 s") as caught,
    ):
        planned(server, ctx, timeout_s=0.2)
    assert "timeout_s" in caught.value.hint
    assert len(server.asked) == 1, "what is slow is not asked to do it again"


def test_a_service_that_drips_is_not_waited_for_either(ctx: Context) -> None:
    with serving(in_turn(Say("x" * 400, drip_s=0.02))) as server, pytest.raises(PlannerError, match=r"within 0\.3 s"):
        planned(server, ctx, timeout_s=0.3)


def test_a_service_that_is_not_there_is_named(ctx: Context) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
    planner: Planner = plugins.build("planner", "service")
    with pytest.raises(PlannerError, match=f"{endpoint}/chat/completions cannot be reached: .*refused"):
        planner.plan(smithy(), PlannerSettings(model="m", endpoint=endpoint), ctx)


def refusing(*names: str) -> Script:
    """Return a script of a service that does not know some fields, and says so as such services do."""

    def script(body: dict[str, Any]) -> Say:
        form = body.get("response_format", {}).get("type")
        unknown = next((name for name in names if name in body or name == form), None)
        return Say(f"Unsupported parameter: '{unknown}'", 400) if unknown else well()(body)

    return script


@pytest.mark.parametrize(
    ("names", "left"),
    [
        (("json_schema",), {"response_format": {"type": "json_object"}}),
        (("response_format",), {}),
        (("temperature", "seed", "json_schema", "json_object"), {}),
        (("max_tokens",), {"max_completion_tokens": service.MOST_TOKENS}),
    ],
)
def test_what_a_service_does_not_know_is_left_out_once_and_for_all(
    names: tuple[str, ...], left: dict[str, Any], ctx: Context
) -> None:
    with serving(refusing(*names)) as server:
        assert planned(server, ctx).sounds
    last = server.asked[-1].body
    assert not set(names) & last.keys()
    assert {name: last.get(name) for name in left} == left
    assert len(server.asked) == 5 + len(names) + ("response_format" in names), "each is refused once"


@pytest.mark.parametrize(
    "endpoint",
    ["localhost:8000", "ftp://x/v1", "http://", "http://me:pw@x/v1", "http://x/v1?key=1", "file:///etc", "http://[x"],
)
def test_what_is_no_address_is_refused_without_repeating_it(endpoint: str, ctx: Context) -> None:
    planner: Planner = plugins.build("planner", "service")
    with pytest.raises(OptionError, match="endpoint") as caught:
        planner.plan(smithy(), PlannerSettings(model="m", endpoint=endpoint), ctx)
    assert "pw" not in caught.value.message


def test_a_key_that_cannot_be_sent_is_not_shown(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLEY_API_KEY", "one\ntwo")
    with serving(well()) as server, pytest.raises(PlannerError, match="FOLEY_API_KEY") as caught:
        planned(server, ctx)
    assert "two" not in str(caught.value)
    assert server.asked == []


def test_the_time_to_wait_is_understood_as_seconds_and_as_a_date() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert remote.retry_after_s("7") == 7.0
    assert remote.retry_after_s(at) == pytest.approx(90, abs=5)
    assert remote.retry_after_s("soon") is None


def seeing() -> Script:
    """Return a script of a model that really looks: in a closer look the flash is where a frame is bright."""

    def script(body: dict[str, Any]) -> Say:
        parts = body["messages"][-1]["content"]
        if isinstance(parts, str) or not any("slowed down" in part.get("text", "") for part in parts):
            return well(believing(1.4))(body)
        lit = [time_s for time_s, picture in shown(parts) if picture.mean() > 100]
        happens = [{"sound": 0, "start_s": lit[0], "end_s": lit[0]}] if lit else []
        return Say(json.dumps({"seen": "a flash" if lit else "nothing", "happens": happens}))

    return script


def shown(parts: list[dict[str, Any]]) -> Iterator[tuple[float, np.ndarray]]:
    for before, part in itertools.pairwise(parts):
        if part["type"] == "image_url":
            data = base64.b64decode(part["image_url"]["url"].partition(",")[2])
            picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            assert picture is not None
            yield float(before["text"].strip("t=s ")), picture


def believing(*at_s: float) -> dict[str, dict[str, Any]]:
    """Return answers of a model that believes in shots at some times."""
    sounds = GOOD['{"sounds": [{"because"']["sounds"]
    shot = sounds[0] | {"sound": "gunshot", "shows": "light jumps", "repeats": "once"}
    times = {"times": [{"sound": 0, "hits": list(at_s), "spans": []}]}
    return {'{"sounds": [{"because"': {"sounds": [shot]}, '{"times": [': times}


def flash_case(media: MediaShelf, ctx: Context) -> Case:
    clip = probe(Source(media(make.flash_and_tone, at_s=(1.0,), duration_s=3.0)), ctx)
    return replace(case_of(picture_of(3.0), Hints(())), clip=clip)


def test_a_closer_look_moves_a_believed_time_onto_the_frame(media: MediaShelf, ctx: Context) -> None:
    with serving(seeing()) as server:
        proposal = planned(server, ctx, flash_case(media, ctx), closer_looks=2)
    (shot,) = [sound for sound in proposal.sounds if sound.kind == "hits"]
    assert shot.start_s == pytest.approx(1.0, abs=0.11), "frames of a closer look lie a tenth of a second apart"
    assert [step.name for step in proposal.reasoning.steps][-1] == "closer look at 0:00.800"
    assert len(list(shown(server.asked[-1].body["messages"][0]["content"]))) == 12


def test_what_a_closer_look_does_not_show_is_not_heard(media: MediaShelf, ctx: Context) -> None:
    script = seeing()
    believed = well(believing(2.3))

    def wrong(body: dict[str, Any]) -> Say:
        return believed(body) if "slowed down" not in json.dumps(body["messages"][-1]) else script(body)

    with serving(wrong) as server:
        proposal = planned(server, ctx, flash_case(media, ctx), closer_looks=1)
    assert [sound.kind for sound in proposal.sounds] == ["bed"]
    assert "not seen: gunshot" in proposal.reasoning.semantic


def test_no_more_windows_are_looked_at_than_allowed(media: MediaShelf, ctx: Context) -> None:
    answers = believing(0.2, 1.5, 2.8) | {'{"seen"': {"seen": "nothing", "happens": []}}
    with serving(well(answers)) as server:
        planned(server, ctx, flash_case(media, ctx), closer_looks=2)
    looks = [asked for asked in server.asked if "slowed down" in asked.question]
    assert len(looks) == 2


def test_a_closer_look_that_tells_nothing_changes_nothing(media: MediaShelf, ctx: Context) -> None:
    believed = well(believing(1.4))

    def mute(body: dict[str, Any]) -> Say:
        return Say("?") if "slowed down" in json.dumps(body["messages"][0]) else believed(body)

    with serving(mute) as server:
        proposal = planned(server, ctx, flash_case(media, ctx), closer_looks=1)
    assert [sound.start_s for sound in proposal.sounds if sound.kind == "hits"] == [1.4]
    assert [step.answer for step in proposal.reasoning.steps[-3:]] == ["?"] * 3


def test_answers_are_kept_and_not_asked_for_twice(ctx: Context) -> None:
    case = smithy()
    parts = (case.clip, case.picture, case.looks, case.listening, case.hints)
    with serving(well()) as server:
        opts = ProposeOptions("service", model="m", endpoint=server.endpoint, closer_looks=0)
        first = propose(*parts, opts, ctx)
        asked = len(server.asked)
        again = propose(*parts, opts, ctx)
        propose(*parts, replace(opts, model="other"), ctx)
    assert first == again
    assert (asked, len(server.asked)) == (5, 10)


def test_a_service_that_only_reads_refines_what_the_rules_propose(ctx: Context) -> None:
    case = replace(smithy(), hints=prompt("footsteps on gravel"))
    parts = (case.clip, case.picture, case.looks, case.listening, case.hints)
    add = {"thoughts": "it rains", "drop": [0], "change": [], "describe": []}
    add["add"] = [{"because": "wet", "class": "rain"}]
    with serving(well({'{"thoughts"': add})) as server:
        proposal = propose(*parts, ProposeOptions("rules+text", model="m", endpoint=server.endpoint), ctx)
    assert proposal.planner == "rules+text"
    assert "footsteps" in proposal.sounds[0].label
    assert any(sound.recipe == "rain" for sound in proposal.sounds)
    assert isinstance(server.asked[0], Asked)
    assert '"fixed": "said by the user"' in server.asked[0].question


def test_its_identity_names_address_and_model_but_never_the_key() -> None:
    planner: Planner = plugins.build("planner", "service")
    one, other = (planner.identity(PlannerSettings(model=model, endpoint="http://x/v1")) for model in "ab")
    assert one != other
    assert "http://x/v1" in one
    assert KEY not in one
