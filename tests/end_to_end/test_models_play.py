"""Every generator scores a film from the command line: tiny checkpoints in the published layouts, no network."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from foley.cli.app import start
from foley.neural import pool, runtime
from foley.plan import events
from foley.units import RATE_HZ, to_samples
from tests import tiny_audiogen, tiny_audioldm2, tiny_command, tiny_musicgen, tiny_stable_audio, tiny_text_to_audio
from tests.media_maker import moving
from tests.sound_service import serving, well

if needed := runtime.missing("transformers", "diffusers", "safetensors", "tokenizers"):
    pytest.skip("; ".join(needed), allow_module_level=True)

MAKERS: dict[tuple[str, str], Callable[[Path], Path]] = {
    ("audiogen", "published"): tiny_audiogen.make,
    ("musicgen", "mono"): tiny_musicgen.make,
    ("musicgen", "stereo"): lambda folder: tiny_musicgen.make(folder, kind="stereo"),
    ("musicgen", "melody"): lambda folder: tiny_musicgen.make(folder, kind="melody"),
    ("stable_audio", "small"): tiny_stable_audio.make,
    ("stable_audio", "medium"): lambda folder: tiny_stable_audio.make_three(folder, tiny_stable_audio.MEDIUM),
    ("stable_audio", "open"): tiny_stable_audio.make_open,
    ("audioldm2", "published"): tiny_audioldm2.make,
    ("text_to_audio", "audioldm"): tiny_text_to_audio.make,
    ("text_to_audio", "stereo"): tiny_text_to_audio.make_stereo,
    ("command", "program"): tiny_command.make,
}


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The network cannot be reached, nothing is kept from before, and torch uses one thread: the models are tiny."""

    def refused(_: socket.socket, address: Any) -> None:
        raise AssertionError(f"something reached for the network: {address}")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setenv("FOLEY_CACHE", str(tmp_path / "cache"))
    torch = runtime.torch()
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
    pool.clear()


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return moving(tmp_path_factory.mktemp("film") / "clip.mp4", duration_s=1.6)


def scored(video: Path, out: Path, name: str, *more: str | Path) -> dict[str, Any]:
    """Return the report of a film that a generator alone scored."""
    words = ["run", video, "--prompt", "rain", "--generator", name, "--device", "cpu", "-o", out, *more]
    assert start([*map(str, words), "--set", f"takes.fallback={name}"]) == 0
    report: dict[str, Any] = json.loads(next(out.rglob("report.json")).read_text())
    return report


def faults(out: Path) -> list[str]:
    """Return what is wrong with the takes: each event has one, as long as it should be, with sound in it."""
    found = []
    for event in events.load(next(out.rglob("plan.yaml"))).events:
        take, rate_hz = soundfile.read(next(out.rglob(f"takes/{event.id}.wav")))
        right = {
            "rate": rate_hz == RATE_HZ,
            "length": len(take) >= to_samples(event.duration_s, RATE_HZ),
            "numbers": bool(np.isfinite(take).all()),
            "sound": float(np.abs(take).max(initial=0.0)) > 0.1,
        }
        found += [f"{event.id}: {what}" for what, holds in right.items() if not holds]
    return found


@pytest.mark.parametrize(("name", "kind"), MAKERS)
def test_a_generator_scores_a_film_from_a_folder(name: str, kind: str, video: Path, tmp_path: Path) -> None:
    model = MAKERS[name, kind](tmp_path / "model")
    report = scored(video, tmp_path / "out", name, "--model", model)
    assert {event["generator"] for event in report["events"]} == {name}
    assert faults(tmp_path / "out") == []


def test_a_service_scores_a_film_and_the_report_says_what_it_cost(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # the service is on this machine
    monkeypatch.setenv("FOLEY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ELEVENLABS_API_KEY", "sk_it-is-a-secret")
    with serving(well) as service:
        report = scored(video, tmp_path / "out", "elevenlabs", "--model", service.endpoint)
    assert {event["generator"] for event in report["events"]} == {"elevenlabs"}
    assert faults(tmp_path / "out") == []
    assert "credits" in json.dumps(report)
    assert all("sk_it-is-a-secret" not in path.read_text() for path in (tmp_path / "out").rglob("*.json"))
