"""What the clip's own sound holds is measured as other meters do, and speech is only where somebody speaks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foley.analysis.listen import ListenOptions, listen
from foley.analysis.probe import probe
from foley.analysis.speech import SpeechFinder
from foley.contracts import Context
from foley.model import Listening, Source
from tests import media_maker as make
from tests.media_fixtures import MediaShelf

RATE_HZ = 48_000

NO_SPEECH = (
    *("anvil", "chopping", "dog_a", "dog_c", "engine", "fireworks_b", "guns", "pistol", "rain_windscreen"),
    *("stick_bag", "train", "waterfall"),
)
"""Real clips in which nobody speaks: bangs, barks, motors, water."""


def heard(path: Path, ctx: Context, **options: object) -> Listening:
    return listen(probe(Source(path), ctx), ListenOptions(**options), ctx)


def tone(seconds: float, hz: float = 997.0, peak: float = 1.0) -> np.ndarray:
    return (peak * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def found_in(samples: np.ndarray) -> tuple[tuple[float, float], ...]:
    finder = SpeechFinder()
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


@pytest.mark.skipif(not make.can_speak(), reason="this ffmpeg has no speech synthesiser")
def test_spoken_words_are_found_where_they_are(ctx: Context, media: MediaShelf) -> None:
    film = media(make.spoken, ".mkv", before_s=3.0, after_s=3.0)
    clip = probe(Source(film), ctx)
    spans = listen(clip, ListenOptions(), ctx).speech
    ends_s = float(clip.duration_s) - 3.0
    assert len(spans) >= 1
    assert spans[0].start_s == pytest.approx(3.0, abs=0.5)
    assert spans[-1].end_s == pytest.approx(ends_s, abs=0.7)
    assert sum(span.end_s - span.start_s for span in spans) > 0.8 * (ends_s - 3.0)
    assert heard(film, ctx, find_speech=False).speech == ()


@pytest.mark.parametrize(
    "kind", ["noise", "clicks", "hum", "steady notes", "siren", "syllables without pitch", "spluttering motor"]
)
def test_what_is_no_voice_is_no_speech(kind: str) -> None:
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
    assert found_in(sounds[kind] + 1e-4 * rng.standard_normal(len(time_s))) == ()


def test_speech_does_not_depend_on_how_the_sound_is_cut(ctx: Context) -> None:
    rng = np.random.default_rng(2)
    samples = np.cumsum(rng.standard_normal(4 * RATE_HZ)).astype(np.float32) * 1e-4
    whole, pieces = SpeechFinder(), SpeechFinder()
    whole.add(samples)
    for first in range(0, len(samples), 6000):
        pieces.add(samples[first : first + 6000])
    one, other = (np.concatenate([frame[1] for frame in finder._frames]) for finder in (whole, pieces))
    assert np.allclose(one, other, atol=1e-4)


def test_silence_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="silence_db"):
        ListenOptions(silence_db=1.0)


def test_narration_is_found(ctx: Context, shared: Path) -> None:
    spans = heard(shared / "clips" / "nasa.mp4", ctx).speech
    assert sum(span.end_s - span.start_s for span in spans) > 9.0


@pytest.mark.parametrize("name", NO_SPEECH)
def test_effects_are_not_taken_for_speech(ctx: Context, shared: Path, name: str) -> None:
    assert heard(shared / "clips" / f"{name}.mp4", ctx).speech == ()
