"""The sound-generation service: what is sent, what comes back, and what becomes of everything that goes wrong."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import numpy as np
import pytest

from foley import plugins
from foley.contracts import GeneratorSettings, SoundRequest
from foley.errors import GenerationError
from foley.media import remote
from foley.media.remote import Gate, Patience
from foley.model import Audio, SoundEvent
from foley.render.generators import elevenlabs
from foley.units import to_samples
from tests.sound_service import RATE_HZ, Answer, Asked, Script, in_turn, mp3, pitch_hz, refusal, serving, tone, well

KEY = "sk_it-is-a-secret"
RAIN = SoundEvent(
    id="e1",
    label="rain",
    kind="bed",
    bus="backgrounds",
    start_s=0.0,
    end_s=2.0,
    because="it rains",
    prompt='heavy rain on "tin", $(echo roof)\nat night',
)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is set, and nobody waits for long."""
    monkeypatch.setenv("ELEVENLABS_API_KEY", KEY)
    monkeypatch.delenv("FOLEY_ELEVENLABS_ENDPOINT", raising=False)
    monkeypatch.setattr(elevenlabs, "PATIENCE", Patience(tries=4, back_off_s=0.001, most_wait_s=0.05))
    monkeypatch.setattr(elevenlabs, "GATE", Gate(elevenlabs.AT_ONCE, apart_s=0.0))


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited before each further try; nobody waits for real."""
    waited: list[float] = []
    monkeypatch.setattr(remote.time, "sleep", lambda wait_s: waited.append(wait_s) if wait_s else None)
    return waited


def request(duration_s: float = 1.0, event: SoundEvent = RAIN) -> SoundRequest:
    return SoundRequest(event, 0.0, duration_s, np.random.default_rng(1))


def made(script: Script | Answer, *requests: SoundRequest, time_limit_s: float = 30.0) -> list[Audio]:
    with serving(script) as service:
        settings = GeneratorSettings(model=service.endpoint, time_limit_s=time_limit_s)
        return list(plugins.build("generator", "elevenlabs", settings).generate(requests or [request()]))


def failure(script: Script | Answer, *, duration_s: float = 1.0, time_limit_s: float = 30.0) -> str:
    with pytest.raises(GenerationError) as caught:
        made(script, request(duration_s), time_limit_s=time_limit_s)
    assert KEY not in f"{caught.value} {caught.value.__cause__} {caught.value.hint}"
    return str(caught.value)


def heard_hz(audio: Audio) -> float:
    spectrum = np.abs(np.fft.rfft(audio.samples[0]))
    return float(np.argmax(spectrum) / audio.duration_s)


def test_a_sound_is_asked_for_in_the_words_of_the_event_and_comes_in_its_length() -> None:
    with serving(well) as service:
        settings = GeneratorSettings(model=service.endpoint)
        (audio,) = plugins.build("generator", "elevenlabs", settings).generate([request(1.2345678)])
    (asked,) = service.asked
    assert asked.path == "/v1/sound-generation"
    assert asked.form == "pcm_44100"
    assert asked.headers["xi-api-key"] == KEY
    assert asked.body["text"] == RAIN.prompt
    assert asked.body["duration_seconds"] == pytest.approx(1.2345678, abs=0.001)
    assert 0.0 <= asked.body["prompt_influence"] <= 1.0
    assert asked.body["model_id"] == "eleven_text_to_sound_v2"
    assert audio.length == to_samples(1.2345678, RATE_HZ)
    assert (audio.channels, audio.rate_hz, audio.samples.dtype) == (2, RATE_HZ, np.float32)
    assert heard_hz(audio) == pytest.approx(pitch_hz(RAIN.prompt), abs=1.0)
    assert np.abs(audio.samples).max() == pytest.approx(0.5, abs=0.01)


def test_what_it_cost_is_noted() -> None:
    (audio,) = made(well)
    assert audio.notes == ("elevenlabs charged 40 credits",)


def test_a_service_that_does_not_say_what_it_costs_leaves_no_note() -> None:
    assert made(Answer(tone(1.0)))[0].notes == ()
    assert made(Answer(tone(1.0), headers={"character-cost": "much\u00b2"}))[0].notes == ()


def test_less_than_the_service_makes_is_cut_out_of_its_shortest() -> None:
    with serving(well) as service:
        settings = GeneratorSettings(model=service.endpoint)
        (audio,) = plugins.build("generator", "elevenlabs", settings).generate([request(0.1)])
    assert service.asked[0].body["duration_seconds"] == 0.5
    assert audio.length == to_samples(0.1, RATE_HZ)
    assert abs(float(audio.samples[0, -1])) < 0.01


@pytest.mark.parametrize("channels", [1, 2])
def test_raw_sound_may_have_one_channel_or_two(channels: int) -> None:
    (audio,) = made(Answer(tone(1.0, hz=500.0, channels=channels)))
    assert audio.channels == 2
    assert heard_hz(audio) == pytest.approx(500.0, abs=1.0)


def test_an_account_that_may_not_have_the_best_format_gets_the_next() -> None:
    def script(asked: Asked) -> Answer:
        if asked.form != "mp3_44100_128":
            return refusal(403, "output_format_not_allowed", f"your plan does not allow {asked.form}")
        return Answer(mp3(tone(asked.body["duration_seconds"], hz=800.0)))

    with serving(script) as service:
        generator = plugins.build("generator", "elevenlabs", GeneratorSettings(model=service.endpoint))
        first, again = (generator.generate([request()])[0] for _ in range(2))
    forms = [asked.form for asked in service.asked]
    assert forms == ["pcm_44100", "mp3_44100_192", "mp3_44100_128", "mp3_44100_128"]
    assert first.length == again.length == RATE_HZ
    assert heard_hz(first) == pytest.approx(800.0, abs=1.0)


def test_the_sounds_of_a_batch_are_made_at_the_same_time_and_come_in_order() -> None:
    meeting = threading.Barrier(elevenlabs.AT_ONCE)

    def script(asked: Asked) -> Answer:
        meeting.wait(timeout=10.0)  # breaks, and fails the test, where only one is asked for at once
        return well(asked)

    events = [replace(RAIN, prompt="x" * count) for count in range(1, 2 * elevenlabs.AT_ONCE + 1)]
    with serving(script) as service:
        settings = GeneratorSettings(model=service.endpoint)
        sounds = plugins.build("generator", "elevenlabs", settings).generate([request(event=one) for one in events])
    assert service.most_at_once == elevenlabs.AT_ONCE
    assert [round(heard_hz(audio)) for audio in sounds] == [round(pitch_hz(one.prompt)) for one in events]


def test_after_a_failure_no_further_sound_is_paid_for() -> None:
    with serving(refusal(401, "invalid_api_key", "Invalid API key")) as service:
        generator = plugins.build("generator", "elevenlabs", GeneratorSettings(model=service.endpoint))
        with pytest.raises(GenerationError):
            generator.generate([request() for _ in range(40)])
    assert len(service.asked) < 40


def test_what_was_paid_for_before_another_failed_is_not_paid_for_again() -> None:
    """Whoever asks for a batch asks for its parts when one sound of it fails."""
    events = [replace(RAIN, prompt=words) for words in ("rain", "hail", "snow")]
    failed = threading.Event()

    def script(asked: Asked) -> Answer:
        if asked.body["text"] == "snow" and not failed.is_set():
            failed.set()
            return refusal(400, "bad", "not today")
        return well(asked)

    with serving(script) as service:
        generator = plugins.build("generator", "elevenlabs", GeneratorSettings(model=service.endpoint))
        with pytest.raises(GenerationError, match="not today"):
            generator.generate([request(event=event) for event in events])
        sounds = [generator.generate([request(event=event)])[0] for event in events]
        once = [asked.body["text"] for asked in service.asked]
        generator.generate([request(event=events[0])])
    assert [round(heard_hz(audio)) for audio in sounds] == [round(pitch_hz(event.prompt)) for event in events]
    assert sorted(once) == ["hail", "rain", "snow", "snow"]
    assert len(service.asked) == len(once) + 1  # what was handed out is not kept


def test_a_busy_service_is_asked_again_after_the_time_it_names(pauses: list[float]) -> None:
    busy = refusal(429, "too_many_concurrent_requests", "wait", Retry_After="0.04")
    assert made(in_turn(busy, well))[0].length == RATE_HZ
    assert pauses == [0.04]


def test_a_failing_service_is_asked_again_ever_more_patiently(pauses: list[float]) -> None:
    assert made(in_turn(*[Answer(b"oops", 500)] * 3, well))[0].length == RATE_HZ
    assert pauses == [0.001, 0.002, 0.004]


def test_a_service_that_goes_on_failing_is_given_up() -> None:
    with serving(Answer(b"oops", 503)) as service:
        generator = plugins.build("generator", "elevenlabs", GeneratorSettings(model=service.endpoint))
        with pytest.raises(GenerationError, match="answers 503: oops; given up after 4 tries"):
            generator.generate([request()])
    assert len(service.asked) == 4


def test_a_pause_that_is_too_long_is_not_waited_for() -> None:
    said = failure(refusal(429, "rate_limited", "slow down", Retry_After="3600"))
    assert "3.6e+03 s away" in said
    assert "slow down" in said


def test_a_date_to_wait_for_is_understood() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert remote.retry_after_s(at) == pytest.approx(90, abs=5)


def test_a_connection_that_closes_is_tried_again() -> None:
    assert made(in_turn(Answer(hang_up=True), well))[0].length == RATE_HZ
    assert "cannot be reached" in failure(Answer(hang_up=True))


def test_a_sound_that_breaks_off_on_the_way_is_asked_for_again() -> None:
    whole = tone(1.0)
    broken = Answer(whole[:1000], promised=len(whole))
    assert made(in_turn(broken, well))[0].length == RATE_HZ
    assert "broke off" in failure(broken)


def test_a_service_that_hangs_is_given_up_in_time() -> None:
    assert "no answer within" in failure(Answer(held=True), time_limit_s=0.2)


@pytest.mark.parametrize(
    ("status", "code", "message", "told"),
    [
        (401, "invalid_api_key", "Invalid API key", "ELEVENLABS_API_KEY"),
        (401, "quota_exceeded", "This request exceeds your quota", "credits"),
        (422, "invalid", "text must not be empty", "text must not be empty"),
        (404, "model_not_found", "no such model", "no such model"),
        (302, "moved", "elsewhere", "302"),
    ],
)
def test_a_refusal_is_told_and_not_repeated(status: int, code: str, message: str, told: str) -> None:
    with serving(refusal(status, code, message)) as service:
        generator = plugins.build("generator", "elevenlabs", GeneratorSettings(model=service.endpoint))
        with pytest.raises(GenerationError, match="e1: elevenlabs: ") as caught:
            generator.generate([request()])
    assert told in str(caught.value)
    assert message in str(caught.value)
    assert len(service.asked) == 1


def test_a_list_of_faults_is_told_by_its_first() -> None:
    body = b'{"detail": [{"loc": ["body", "text"], "msg": "field required", "type": "missing"}]}'
    assert failure(Answer(body, 422)).endswith("the service answers 422: field required")


def test_a_key_that_the_service_repeats_is_struck_out() -> None:
    assert "no such key: ***" in failure(refusal(401, "invalid_api_key", f"no such key: {KEY}"))


def only_mp3(body: Callable[[float], bytes]) -> Script:
    """Return a script of a service that gives no raw sound, and this as MP3."""

    def script(asked: Asked) -> Answer:
        if asked.form.startswith("pcm"):
            return refusal(403, "output_format_not_allowed", "not in your plan")
        return Answer(body(asked.body["duration_seconds"]))

    return script


def test_garbage_is_no_sound() -> None:
    assert "no sound that can be read" in failure(only_mp3(lambda _: b"<html>it works</html>" * 50))


def test_a_list_of_other_files_is_not_followed() -> None:
    listed = b"ffconcat version 1.0\nfile /etc/passwd\n"
    assert "no sound that can be read" in failure(only_mp3(lambda _: listed))


def test_a_sound_cut_short_is_refused() -> None:
    said = failure(only_mp3(lambda duration_s: mp3(tone(duration_s))[:4000]), duration_s=2.0)
    assert "where 2.00 s were asked for" in said


@pytest.mark.parametrize("given_s", [0.5, 1.3, 5.0])
def test_another_length_than_asked_for_is_refused(given_s: float) -> None:
    assert "where 1.00 s were asked for" in failure(only_mp3(lambda _: mp3(tone(given_s))))


@pytest.mark.parametrize("given_s", [0.95, 1.05])
def test_a_little_more_or_less_is_brought_to_length(given_s: float) -> None:
    (audio,) = made(only_mp3(lambda _: mp3(tone(given_s))))
    assert audio.length == RATE_HZ
    assert abs(float(audio.samples[0, -1])) < 0.01


def test_silence_is_refused() -> None:
    assert "gave silence" in failure(Answer(bytes(RATE_HZ * 2)))


def test_nothing_at_all_is_refused() -> None:
    assert "gave 0.00 s" in failure(Answer(b""))


def test_without_a_key_it_says_what_to_do_and_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ELEVENLABS_API_KEY")
    (told,) = plugins.build("generator", "elevenlabs").missing()
    assert "ELEVENLABS_API_KEY" in told
    with serving(well) as service, pytest.raises(GenerationError, match="ELEVENLABS_API_KEY"):
        plugins.build("generator", "elevenlabs", GeneratorSettings(model=service.endpoint)).generate([request()])
    assert service.asked == []


def test_a_key_that_cannot_be_sent_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELEVENLABS_API_KEY", "one\ntwo")
    (told,) = plugins.build("generator", "elevenlabs").missing()
    assert "two" not in told
    with serving(well) as service, pytest.raises(GenerationError) as caught:
        plugins.build("generator", "elevenlabs", GeneratorSettings(model=service.endpoint)).generate([request()])
    assert "two" not in str(caught.value)


@pytest.mark.parametrize("address", ["ftp://host", "https://", "https://me:s3cr3t@host", "https://host?key=s3cr3t"])
def test_an_address_that_is_none_or_holds_a_secret_is_refused_unshown(address: str) -> None:
    generator = plugins.build("generator", "elevenlabs", GeneratorSettings(model=address))
    assert "FOLEY_ELEVENLABS_ENDPOINT" in generator.missing()[0]
    assert "s3cr3t" not in generator.missing()[0] + generator.identity()
    with pytest.raises(GenerationError, match="address") as caught:
        generator.generate([request()])
    assert "s3cr3t" not in str(caught.value)


def test_the_address_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(well) as service:
        monkeypatch.setenv("FOLEY_ELEVENLABS_ENDPOINT", f"{service.endpoint}/")
        generator = plugins.build("generator", "elevenlabs", GeneratorSettings(model="another_model"))
        generator.generate([request()])
    assert service.asked[0].body["model_id"] == "another_model"
    assert "another_model" in generator.identity()
    assert service.endpoint in generator.identity()


def test_it_says_of_itself_that_it_is_far_away_and_under_which_terms() -> None:
    generator = plugins.build("generator", "elevenlabs")
    assert generator.capabilities.remote
    assert generator.capabilities.weights_licence == "elevenlabs-terms"
    assert generator.missing() == ()
    assert KEY not in generator.identity()


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        made(in_turn(Answer(b"", 500), well))
    assert KEY not in caplog.text


def test_a_gate_lets_nobody_through_sooner_than_it_should(pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote.time, "monotonic", lambda: 100.0)
    gate = Gate(2, apart_s=0.5)
    for _ in range(3):
        with gate:
            pass
    assert pauses == [0.5, 1.0]
