"""What the clip's own sound holds is measured as other meters do, and speech is only where somebody speaks."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from foley.analysis.attacks import AttackFinder
from foley.analysis.listen import ListenOptions, listen
from foley.analysis.probe import probe
from foley.analysis.speech import SpeechFinder
from foley.analysis.speech_model import SpokenByModel, spans_of
from foley.contracts import Context
from foley.errors import MissingProgramError
from foley.model import Listening, Source, Span
from foley.neural import speech_model
from tests import media_maker as make
from tests.media_fixtures import MediaShelf

RATE_HZ = 48_000

NO_SPEECH = (
    *("anvil", "chopping", "dog_a", "dog_c", "engine", "fireworks_b", "guns", "pistol"),
    *("stick_bag", "train", "waterfall"),
)
"""Real clips in which nobody speaks: bangs, barks, motors, water."""

needs_network = pytest.mark.skipif(bool(speech_model.missing()), reason="; ".join(speech_model.missing()))
FINDERS = ["spectrum", pytest.param("silero", marks=needs_network)]
LIKE_A_VOICE = ("steady notes", "spluttering motor")
"""Made sounds with a voice's harmonics and pace: the network takes them for one for a second; of real motors, 1 %."""

NO_VOICE = ("noise", "clicks", "hum", "siren", "syllables without pitch", *LIKE_A_VOICE)

ATTACK_TOLERANCE_S = 0.005
"""A click of 2 ms has no later start than this."""


def heard(path: Path, ctx: Context, **options: object) -> Listening:
    return listen(probe(Source(path), ctx), ListenOptions(**options), ctx)


def tone(seconds: float, hz: float = 997.0, peak: float = 1.0) -> np.ndarray:
    return (peak * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def found_in(samples: np.ndarray, name: str) -> tuple[tuple[float, float], ...]:
    finder = SpeechFinder() if name == "spectrum" else SpokenByModel()
    for first in range(0, len(samples), RATE_HZ):
        finder.add(samples[first : first + RATE_HZ].astype(np.float32))
    return tuple((span.start_s, span.end_s) for span in finder.spans())


def test_a_clip_without_a_track_has_no_sound(media: MediaShelf, ctx: Context) -> None:
    listening = heard(media(make.moving), ctx)
    assert not listening.has_sound
    assert listening.loudness_lufs is None
    assert listening.speech == ()
    assert listening.level_db.shape == (0,)


def test_a_silent_track_is_no_sound(ctx: Context, tmp_path: Path) -> None:
    film = make.with_sound(tmp_path / "film.mkv", np.zeros((2, RATE_HZ), np.float32))
    assert not heard(film, ctx).has_sound


def test_loudness_is_that_of_the_standard(ctx: Context, tmp_path: Path) -> None:
    """A 997 Hz sine of -20 dBFS in one of two channels reads -23.01 LUFS (BS.1770-4)."""
    stereo = np.stack([tone(3.0, peak=0.1), np.zeros(3 * RATE_HZ, np.float32)])
    listening = heard(make.with_sound(tmp_path / "film.mkv", stereo), ctx)
    assert listening.loudness_lufs == pytest.approx(-23.01, abs=0.05)


def test_level_is_told_every_100_ms_from_the_first_frame_on(ctx: Context, tmp_path: Path) -> None:
    samples = np.zeros((2, 2 * RATE_HZ), np.float32)
    samples[:, RATE_HZ : RATE_HZ + 4800] = tone(0.1, hz=1000, peak=0.5)
    level_db = heard(make.with_sound(tmp_path / "film.mkv", samples), ctx).level_db
    assert level_db.shape == (20,)
    assert level_db.dtype == np.float32
    assert level_db[10] == pytest.approx(20 * np.log10(0.5) - 3.01, abs=0.05)
    assert np.delete(level_db, 10).max() < -100


def test_all_tracks_are_heard_together(ctx: Context, media: MediaShelf) -> None:
    listening = heard(media(make.rich, ".mkv"), ctx)  # two sines of 1/8 full scale, mono, at different pitches
    one_db = 20 * np.log10(1 / 8) - 3.01
    assert float(np.median(listening.level_db)) == pytest.approx(one_db + 3.01, abs=0.3)


@pytest.mark.parametrize("finder", FINDERS)
@pytest.mark.skipif(not make.can_speak(), reason="this ffmpeg has no speech synthesiser")
def test_spoken_words_are_found_where_they_are(ctx: Context, media: MediaShelf, finder: str) -> None:
    film = media(make.spoken, ".mkv", before_s=3.0, after_s=3.0)
    clip = probe(Source(film), ctx)
    spans = listen(clip, ListenOptions(speech=finder), ctx).speech
    ends_s = float(clip.duration_s) - 3.0
    assert len(spans) >= 1
    assert spans[0].start_s == pytest.approx(3.0, abs=0.5)
    assert spans[-1].end_s == pytest.approx(ends_s, abs=0.7)
    assert sum(span.end_s - span.start_s for span in spans) > 0.8 * (ends_s - 3.0)
    assert heard(film, ctx, speech="off").speech == ()


@pytest.mark.parametrize(
    ("kind", "finder"),
    [
        *((kind, "spectrum") for kind in NO_VOICE),
        *(pytest.param(kind, "silero", marks=needs_network) for kind in NO_VOICE if kind not in LIKE_A_VOICE),
    ],
)
def test_what_is_no_voice_is_no_speech(kind: str, finder: str) -> None:
    rng = np.random.default_rng(5)
    time_s = np.arange(8 * RATE_HZ) / RATE_HZ
    noise = rng.standard_normal(len(time_s)) * 0.1
    syllables = np.clip(np.sin(2 * np.pi * 4 * time_s), 0, 1)
    sounds = {
        "noise": noise,
        "clicks": noise * (np.sin(2 * np.pi * 5 * time_s) > 0.98),
        "hum": sum(0.1 * np.sin(2 * np.pi * 100 * n * time_s) for n in range(1, 6)),
        "steady notes": syllables * sum(0.1 * np.sin(2 * np.pi * 220 * n * time_s) for n in range(1, 6)),
        "siren": 0.3 * np.sin(2 * np.pi * 700 * time_s + 300 * np.sin(2 * np.pi * 0.5 * time_s)),
        "syllables without pitch": noise * syllables,
        "spluttering motor": sum(
            0.1 * np.sin(n * (2 * np.pi * 90 * time_s + 0.6 * np.sin(2 * np.pi * 3 * time_s))) for n in range(1, 12)
        ),
    }
    assert found_in(sounds[kind] + 1e-4 * rng.standard_normal(len(time_s)), finder) == ()


def test_speech_does_not_depend_on_how_the_sound_is_cut(ctx: Context) -> None:
    rng = np.random.default_rng(2)
    samples = np.cumsum(rng.standard_normal(4 * RATE_HZ)).astype(np.float32) * 1e-4
    whole, pieces = SpeechFinder(), SpeechFinder()
    whole.add(samples)
    for first in range(0, len(samples), 6000):
        pieces.add(samples[first : first + 6000])
    one, other = (np.concatenate([frame[1] for frame in finder._frames]) for finder in (whole, pieces))
    assert np.allclose(one, other, atol=1e-4)


@needs_network
def test_the_network_answers_the_same_however_the_sound_is_cut() -> None:
    samples = np.random.default_rng(3).standard_normal(3 * RATE_HZ).astype(np.float32) * 0.1
    whole, pieces = SpokenByModel(), SpokenByModel()
    whole.add(samples)
    for first in range(0, len(samples), 7001):
        pieces.add(samples[first : first + 7001])
    assert len(whole.likelihoods()) == 93  # 3 s of 32 ms
    assert np.allclose(whole.likelihoods(), pieces.likelihoods(), atol=1e-5)


@needs_network
def test_the_network_is_that_of_its_makers() -> None:
    """The same weights in the layers of the package's own program, run by torch, answer the same."""
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    folder = Path(str(speech_model._weights_file())).parent
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch would have its own programs exported anew
        theirs = torch.jit.load(folder / "silero_vad.jit").eval()
    layers = {"stft_conv.weight": "stft.forward_basis_buffer"}
    layers |= {
        f"conv{n + 1}.{part}": f"encoder.{n}.reparam_conv.{part}" for n in range(4) for part in ("weight", "bias")
    }
    layers |= {
        f"lstm_cell.{part}_{of}": f"decoder.rnn.{part}_{of}" for part in ("weight", "bias") for of in ("ih", "hh")
    }
    layers |= {f"final_conv.{part}": f"decoder.decoder.2.{part}" for part in ("weight", "bias")}
    state, weights = theirs.state_dict(), load_file(folder / "silero_vad_16k.safetensors")
    assert set(layers) == set(weights)
    time_s = np.arange(2 * speech_model.RATE_HZ) / speech_model.RATE_HZ
    voiced = sum(np.sin(2 * np.pi * n * 130 * time_s) / n for n in range(1, 20)) * np.sin(2 * np.pi * 2 * time_s) ** 2
    samples = (0.2 * voiced).astype(np.float32)
    with torch.no_grad():
        for ours, name in layers.items():
            state[f"_model.{name}"].copy_(weights[ours])
        windows = torch.from_numpy(samples[: len(samples) // 512 * 512]).reshape(-1, 1, 512)
        wanted = [theirs(window, 16_000).item() for window in windows]
    answers = speech_model.likelihoods(samples)
    assert max(wanted) - min(wanted) > 0.1, "the sound tells nothing"
    assert answers == pytest.approx(wanted, abs=1e-4)


def test_likelihoods_become_stretches_without_breaths_and_blips() -> None:
    likely = np.zeros(200, np.float32)
    likely[50:70] = 0.9  # 0.64 s of speech
    likely[60:64] = 0.4  # weak, but not over
    likely[80:100] = 0.9  # after a breath of 0.32 s
    likely[150:154] = 0.9  # 0.13 s: no word
    spans = spans_of(likely)
    assert [(span.start_s, span.end_s) for span in spans] == [pytest.approx((50 * 0.032 - 0.06, 100 * 0.032 + 0.06))]


def test_a_finder_that_is_not_installed_is_named_with_what_mends_it(
    monkeypatch: pytest.MonkeyPatch, ctx: Context, tmp_path: Path
) -> None:
    film = make.with_sound(tmp_path / "film.mkv", tone(1.0)[None])
    monkeypatch.setattr(speech_model, "missing", lambda: ("pip install it",))
    with pytest.raises(MissingProgramError, match="silero-vad") as raised:
        heard(film, ctx, speech="silero")
    assert raised.value.hint == "pip install it"
    assert heard(film, ctx).speech_by == "spectrum"


def test_nobody_is_asked_about_speech_where_there_is_no_track(
    monkeypatch: pytest.MonkeyPatch, ctx: Context, media: MediaShelf
) -> None:
    monkeypatch.setattr(speech_model, "missing", lambda: pytest.fail("asked"))
    assert heard(media(make.moving), ctx).speech_by == ""


def test_listening_loads_no_torch(media: MediaShelf, tmp_path: Path) -> None:
    film = make.with_sound(tmp_path / "film.mkv", tone(1.0)[None])
    program = (
        "import sys; from pathlib import Path; from foley.analysis.listen import ListenOptions, listen; "
        "from foley.analysis.probe import probe; from foley.model import Source; "
        "from foley.pipeline.cache import Cache; "
        f"ctx = Cache(Path({str(tmp_path / 'c')!r})).context(); "
        f"listen(probe(Source(Path({str(film)!r})), ctx), ListenOptions(), ctx); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def clicks(at_s: tuple[float, ...], length_s: float, noise: float = 1e-3) -> np.ndarray:
    rng = np.random.default_rng(4)
    samples = noise * rng.standard_normal(int(length_s * RATE_HZ))
    for time_s in at_s:
        first = round(time_s * RATE_HZ)
        ring = np.exp(-np.arange(RATE_HZ // 10) / (0.02 * RATE_HZ))
        samples[first : first + len(ring)] += 0.3 * ring * rng.standard_normal(len(ring))
    return samples.astype(np.float32)


@pytest.mark.parametrize("block", [RATE_HZ // 3, RATE_HZ, 10 * RATE_HZ])
def test_attacks_are_found_where_they_are_however_the_sound_is_cut(block: int) -> None:
    at_s = (0.5, 1.0, 1.999, 3.003, 9.99, 10.6)
    samples, finder = clicks(at_s, 12.0), AttackFinder()
    for first in range(0, len(samples), block):
        finder.add(samples[first : first + block])
    assert finder.times_s().tolist() == pytest.approx(at_s, abs=ATTACK_TOLERANCE_S)


def test_steady_noise_and_swells_have_no_attacks() -> None:
    rng = np.random.default_rng(6)
    noise = 0.1 * rng.standard_normal(6 * RATE_HZ)
    swell = noise * (1 + 0.8 * np.sin(np.linspace(0, 2 * np.pi, len(noise))))
    for samples in (noise, swell):
        finder = AttackFinder()
        finder.add(samples.astype(np.float32))
        assert finder.times_s().tolist() == []


def test_attacks_inside_speech_do_not_count() -> None:
    finder = AttackFinder()
    finder.add(clicks((1.0, 2.0, 3.0), 4.0))
    assert finder.times_s(outside=[Span(1.5, 2.5)]).tolist() == pytest.approx([1.0, 3.0], abs=ATTACK_TOLERANCE_S)


def test_what_is_asked_for_wrongly_is_refused() -> None:
    with pytest.raises(ValueError, match="silence_db"):
        ListenOptions(silence_db=1.0)
    with pytest.raises(ValueError, match="speech must be one of auto, silero, spectrum, off"):
        ListenOptions(speech="whisper")  # type: ignore[arg-type]


@pytest.mark.parametrize("finder", FINDERS)
def test_narration_is_found(ctx: Context, shared: Path, finder: str) -> None:
    spans = heard(shared / "clips" / "nasa.mp4", ctx, speech=finder).speech
    assert sum(span.end_s - span.start_s for span in spans) > 9.0


@needs_network
def test_voices_under_the_roar_of_rain_are_heard(ctx: Context, shared: Path) -> None:
    """Three times somebody says a few words: their harmonics and formants are in the spectrogram at these times."""
    spans = heard(shared / "clips" / "rain_windscreen.mp4", ctx, speech="silero").speech
    assert [round(span.start_s) for span in spans] == [1, 6, 8]
    assert heard(shared / "clips" / "rain_windscreen.mp4", ctx, speech="spectrum").speech == ()


@pytest.mark.parametrize("name", NO_SPEECH)
def test_effects_are_not_taken_for_speech(ctx: Context, shared: Path, name: str) -> None:
    assert heard(shared / "clips" / f"{name}.mp4", ctx, speech="spectrum").speech == ()


@needs_network
@pytest.mark.parametrize("name", ["chopping", "dog_c", "engine", "guns", "train"])
def test_the_network_does_not_take_effects_for_speech(ctx: Context, shared: Path, name: str) -> None:
    assert heard(shared / "clips" / f"{name}.mp4", ctx, speech="silero").speech == ()
