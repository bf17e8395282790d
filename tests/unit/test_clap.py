"""CLAP and PE-AV load from their published layouts and score sounds the same, however they are asked."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from foley.errors import MissingWeightsError
from foley.model import Audio
from foley.neural import pool, runtime
from foley.neural.clap import RATE_HZ, WINDOW, Clap, windows_of
from foley.neural.pe_av import PeAv
from tests import tiny_clap

MISSING = runtime.missing("transformers", "torchvision", "timm")

pytestmark = pytest.mark.skipif(bool(MISSING), reason="; ".join(MISSING))

TEXTS = ["footsteps on wet gravel", "rain"]

SAME = 1e-5
"""Of cosines: what adding up in another order changes."""


def sound(seconds: float, seed: int = 0) -> Audio:
    """Return noise that grows and whose colour changes: no two parts of it are alike."""
    count = int(seconds * RATE_HZ)
    rng = np.random.default_rng(seed)
    time_s = np.arange(count) / RATE_HZ
    wave = rng.standard_normal(count) * np.linspace(0.05, 1.0, count) + np.sin(2 * np.pi * (200 + 40 * time_s) * time_s)
    return Audio((0.1 * wave[None]).astype(np.float32), RATE_HZ)


@pytest.fixture(scope="module")
def clap(tmp_path_factory: pytest.TempPathFactory) -> Clap:
    return Clap(str(tiny_clap.make(tmp_path_factory.mktemp("clap") / "model")), "cpu")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        pytest.fail("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


def test_a_score_is_a_cosine_for_every_text_and_sound(clap: Clap) -> None:
    scores = clap.scores(TEXTS, [sound(0.3), sound(2.0), sound(3.0)])
    assert scores.shape == (2, 3)
    assert np.abs(scores).max() <= 1.0 + SAME
    assert np.ptp(scores, axis=0).min() > SAME, "the texts make no difference"
    assert np.ptp(scores, axis=1).min() > SAME, "the sounds make no difference"
    assert clap.scores([], [sound(1.0)]).shape == (0, 1)


@pytest.mark.parametrize("fused", [False, True], ids=["unfused", "fused"])
def test_the_same_is_heard_alone_and_among_others_and_again(fused: bool, tmp_path: Path) -> None:
    """The library draws parts of long sounds, and with fusion one of a batch, by chance: it must not matter."""
    clap = Clap(str(tiny_clap.make(tmp_path / "model", fused=fused)), "cpu")
    sounds = [sound(0.3, 1), sound(11.0, 2)]
    together = clap.scores(TEXTS, sounds)
    alone = np.concatenate([clap.scores(TEXTS, [one]) for one in sounds], axis=1)
    assert alone == pytest.approx(together, abs=SAME)


def test_a_long_sound_scores_as_its_windows_on_average(clap: Clap) -> None:
    long = sound(25.0)
    windows = windows_of(long)
    assert [len(one) for one in windows] == [WINDOW] * 3
    assert np.array_equal(windows[-1], long.samples[0, -WINDOW:])
    of_windows = clap.scores(TEXTS, [Audio(one[None], RATE_HZ) for one in windows])
    assert clap.scores(TEXTS, [long])[:, 0] == pytest.approx(of_windows.mean(axis=1), abs=SAME)
    assert np.ptp(of_windows, axis=1).max() > SAME, "the windows are all alike"


def test_windows_leave_nothing_out() -> None:
    for seconds in (0.1, 9.99, 10.0, 10.01, 31.0):
        length = sound(seconds).length
        ramp = Audio(np.arange(length, dtype=np.float32)[None], RATE_HZ)
        covered = np.unique(np.concatenate(windows_of(ramp)))
        assert len(covered) == length


def test_sound_that_it_cannot_hear_is_refused(clap: Clap) -> None:
    with pytest.raises(ValueError, match="48000 Hz"):
        clap.scores(TEXTS, [Audio(np.zeros((1, 100), np.float32), 44_100)])
    with pytest.raises(ValueError, match="48000 Hz"):
        clap.scores(TEXTS, [Audio(np.zeros((1, 0), np.float32), RATE_HZ)])


def test_it_is_loaded_once(clap: Clap) -> None:
    clap.scores(TEXTS, [sound(0.2)])
    before = set(pool.held())
    Clap(clap._name, "cpu").scores(TEXTS, [sound(0.2)])
    assert set(pool.held()) == before


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    import torch

    folder = tiny_clap.make(tmp_path / "model")
    state = torch.load(folder / "pytorch_model.bin", weights_only=True)
    state["a_stranger.weight"] = torch.zeros(3)
    del state["text_projection.linear1.weight"]
    torch.save(state, folder / "pytorch_model.bin")
    with pytest.raises(MissingWeightsError, match="a_stranger"):
        Clap(str(folder), "cpu").scores(TEXTS, [sound(0.2)])


def test_weights_that_are_not_here_are_named_with_what_gets_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLEY_MODELS", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    for scorer in (Clap("laion/no-such-clap"), PeAv("facebook/no-such-pe-av")):
        assert "foley models get" in scorer.missing()[0]
        with pytest.raises(MissingWeightsError):
            scorer.identity()


def test_asking_what_is_missing_loads_no_torch() -> None:
    program = (
        "import sys; from foley.neural.clap import Clap; from foley.neural.pe_av import PeAv; "
        "from foley.render.selection import Chooser; Clap().missing(); PeAv().missing(); Chooser().identity(); "
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.fixture(scope="module")
def pe_av(tmp_path_factory: pytest.TempPathFactory) -> PeAv:
    return PeAv(str(tiny_clap.make_pe_av(tmp_path_factory.mktemp("pe_av") / "model")), "cpu")


def pictures(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (5, 40, 48, 3), dtype=np.uint8)


def test_sounds_are_scored_against_pictures(pe_av: PeAv, capsys: pytest.CaptureFixture[str]) -> None:
    sounds = [sound(1.0, 1), sound(1.5, 2), sound(1.0, 3)]
    scores = pe_av.scores(pictures(1), sounds)
    assert scores.shape == (3,)
    assert np.isfinite(scores).all()
    assert np.ptp(scores) > 1e-4, "the sounds make no difference"
    assert np.abs(pe_av.scores(pictures(2), sounds) - scores).max() > 1e-4, "the pictures make no difference"
    assert pe_av.scores(pictures(1), sounds[1:2])[0] == pytest.approx(scores[1], abs=1e-5)
    assert capsys.readouterr().out == "", "standard output is for results"


def test_pictures_that_are_none_are_refused(pe_av: PeAv) -> None:
    with pytest.raises(ValueError, match="frames must have the shape"):
        pe_av.scores(np.zeros((4, 4, 3), np.uint8), [sound(1.0)])
    with pytest.raises(ValueError, match="48000 Hz"):
        pe_av.scores(pictures(1), [Audio(np.zeros((1, 100), np.float32), 16_000)])
