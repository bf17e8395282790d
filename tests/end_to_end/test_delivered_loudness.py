"""Twelve mixes as different as can be, at every profile, by ffmpeg's meter; and `foley evaluate loudness`."""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from foley.cli import app
from foley.cli.evaluate import NOT_PASSED
from foley.contracts import Context
from foley.dsp.profiles import PROFILE_NAMES, PROFILES, ProfileName
from foley.media import sound
from foley.mix.master import MasterOptions, master
from foley.model import Audio, PreviousMaster
from foley.units import RATE_HZ, to_gain
from tests import media_maker as make
from tests.arrangement_maker import NOTHING_HEARD, arranged, hit_sound, hits, saved, silent_clip
from tests.media_fixtures import MediaShelf

METER_LU = 0.1
"""ffmpeg prints tenths, and EBU Tech 3341 allows meters to differ by as much."""
LANDED_LU = 0.3
"""0.2 LU that mastering allows itself, and a tenth that ffmpeg rounds to."""
Stereo = np.ndarray


def noise(rng: np.random.Generator, length_s: float) -> Stereo:
    return rng.standard_normal((2, round(length_s * RATE_HZ)))


def timeline(length_s: float) -> np.ndarray:
    return np.arange(round(length_s * RATE_HZ)) / RATE_HZ


def low_passed(samples: Stereo, hz: float) -> Stereo:
    spectrum = np.fft.rfft(samples, axis=1)
    spectrum[:, int(hz * samples.shape[1] / RATE_HZ) :] = 0
    return np.fft.irfft(spectrum, samples.shape[1], axis=1)


def struck(rng: np.random.Generator, length_s: float, *, each_s: float, ring_s: float) -> Stereo:
    samples = np.zeros((2, round(length_s * RATE_HZ)))
    for at_s in np.arange(0.2, length_s - 0.6, each_s):
        blow, first = hit_sound(rng, ring_s=ring_s), round(at_s * RATE_HZ)
        samples[:, first : first + blow.size] += blow * rng.uniform(0.3, 1.0, (2, 1))
    return samples


def sparse_impacts(rng: np.random.Generator) -> Stereo:
    return struck(rng, 8.0, each_s=2.1, ring_s=0.05) + 0.002 * noise(rng, 8.0)


def steady_noise(rng: np.random.Generator) -> Stereo:
    return 0.2 * noise(rng, 6.0)


def quarter_rate_tone(rng: np.random.Generator) -> Stereo:
    """Peaks lie 3 dB over all samples.

    It fades in: ffmpeg's meter mirrors what comes before the first sample, so that a tone that is cut hard there reads
    0.5 dB too high (interpolated without error it has the peak that foley reads).
    """
    tone = 0.9 * np.sin(np.pi / 2 * np.arange(6 * RATE_HZ) + np.pi / 4)
    return np.tile(tone * np.minimum(1.0, timeline(6.0) / 0.01), (2, 1))


def silence_with_one_click(rng: np.random.Generator) -> Stereo:
    samples = np.zeros((2, 6 * RATE_HZ))
    samples[:, 3 * RATE_HZ] = 0.5
    return samples


def very_quiet(rng: np.random.Generator) -> Stereo:
    return to_gain(-52.0) * noise(rng, 6.0)


def very_dense(rng: np.random.Generator) -> Stereo:
    return np.tanh(3.0 * struck(rng, 6.0, each_s=0.06, ring_s=0.2)) * 0.99


def one_second(rng: np.random.Generator) -> Stereo:
    return struck(rng, 1.0, each_s=0.3, ring_s=0.1)


def bass_heavy(rng: np.random.Generator) -> Stereo:
    rumble = low_passed(noise(rng, 8.0), 90.0)
    return 0.5 * rumble / np.abs(rumble).max() + 0.003 * noise(rng, 8.0)


def antiphase(rng: np.random.Generator) -> Stereo:
    one = struck(rng, 6.0, each_s=0.7, ring_s=0.15)[:1] + 0.05 * noise(rng, 6.0)[:1]
    return np.concatenate([one, -one])


def speech_like_bursts(rng: np.random.Generator) -> Stereo:
    t = timeline(10.0)
    voice = sum(np.sin(2 * np.pi * 130 * n * t + 2 * np.sin(2 * np.pi * 0.7 * t)) / n for n in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 4 * t), 0.0, 1.0) * (np.sin(2 * np.pi * 0.25 * t) > -0.3)
    return np.tile(0.1 * voice * syllables, (2, 1))


def long_fades(rng: np.random.Generator) -> Stereo:
    t = timeline(12.0)
    return noise(rng, 12.0) * 10 ** (-3.0 * np.abs(t - 6.0) / 6.0) * 0.3


def single_bed(rng: np.random.Generator) -> Stereo:
    return 0.02 * low_passed(noise(rng, 12.0), 3000.0)


MIXES: tuple[Callable[[np.random.Generator], Stereo], ...] = (
    *(sparse_impacts, steady_noise, quarter_rate_tone, silence_with_one_click, very_quiet, very_dense),
    *(one_second, bass_heavy, antiphase, speech_like_bursts, long_fades, single_bed),
)
OUT_OF_REACH = {(sparse_impacts, "web"), (speech_like_bursts, "web")}
OUT_OF_REACH |= {(silence_with_one_click, name) for name in PROFILE_NAMES}
"""Mostly silence: their peaks would need more than 12 dB of limiting, which is not done but said."""


def judged(paths: list[Path]) -> list[tuple[float, float]]:
    """Integrated loudness and true peak of files, by one run of ffmpeg's ebur128."""
    inputs = [word for path in paths for word in ("-i", str(path))]
    graph = ";".join(f"[{n}:a]ebur128=peak=true:framelog=verbose[o{n}]" for n in range(len(paths)))
    outputs = [word for n in range(len(paths)) for word in ("-map", f"[o{n}]", "-f", "null", "-")]
    command = ["ffmpeg", "-hide_banner", "-nostats", "-nostdin", *inputs, "-filter_complex", graph, *outputs]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = {}
    for part in re.split(r"\[Parsed_ebur128_(?=\d+ @ \w+\] Summary)", done.stderr)[1:]:
        loudness, peak = (re.search(rf"{name}:\s+(-?[\d.]+|-inf)", part) for name in ("I", "Peak"))
        assert loudness is not None
        assert peak is not None
        found[int(part.split(" ", 1)[0])] = float(loudness[1]), float(peak[1])
    return [found[n] for n in range(len(paths))]


@pytest.mark.parametrize("made", MIXES, ids=lambda made: made.__name__)
def test_every_mix_lands_at_every_profile_or_says_why_not(
    made: Callable[[np.random.Generator], Stereo], tmp_path: Path, ctx: Context
) -> None:
    samples = made(np.random.default_rng(7))
    take = sound.save(Audio(samples.astype(np.float32), RATE_HZ), tmp_path / "mix.wav", subtype="FLOAT")
    arrangement = arranged(hits(take, [0.0], bus="effects", gain=1.0), samples.shape[1])
    mixdowns = {
        name: master(
            arrangement, silent_clip(arrangement), NOTHING_HEARD, PreviousMaster(), MasterOptions(loudness=name), ctx
        )
        for name in PROFILE_NAMES
    }
    figures = judged([mixdown.mix.path for mixdown in mixdowns.values()])
    for (name, mixdown), (lufs, peak_dbtp) in zip(mixdowns.items(), figures, strict=True):
        profile = PROFILES[name]
        assert peak_dbtp <= profile.ceiling_dbtp, name
        if profile.target_lufs is None:
            continue
        assert lufs <= profile.target_lufs + LANDED_LU, name
        short = [note for note in mixdown.notes if "cannot be reached without" in note]
        assert bool(short) == ((made, name) in OUT_OF_REACH), (name, lufs, mixdown.notes)
        assert short or lufs == pytest.approx(profile.target_lufs, abs=LANDED_LU), name


def test_a_silent_mix_meets_no_target_and_is_let_alone(tmp_path: Path, ctx: Context) -> None:
    take = saved(np.zeros((2, RATE_HZ)), tmp_path / "silence.wav")
    arrangement = arranged(hits(take, [0.0]), RATE_HZ)
    opts = MasterOptions(loudness="netflix")
    mixdown = master(arrangement, silent_clip(arrangement), NOTHING_HEARD, PreviousMaster(), opts, ctx)
    assert not sound.load(mixdown.mix).samples.any()
    assert loudness(mixdown.mix.path, "--profile", "ebu-r128")[0] == NOT_PASSED


def loudness(*words: str | Path) -> tuple[int, str, str]:
    """Run `foley evaluate loudness`; return its exit code, its answer and what it said."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = app.start(["evaluate", "loudness", *(str(word) for word in words)])
    assert "should not happen" not in err.getvalue()
    return code, out.getvalue(), err.getvalue()


def tone_file(to: Path, *, level_db: float, seconds: float = 4.0) -> Path:
    """A stereo sine of 1 kHz whose loudness in LUFS is its peak level in dBFS (EBU Tech 3341, case 1)."""
    return saved(np.tile(to_gain(level_db) * np.sin(2 * np.pi * 1000 * timeline(seconds)), (2, 1)), to).path


@pytest.mark.parametrize("profile", [name for name in PROFILE_NAMES if name not in ("off", "netflix")])
@pytest.mark.parametrize(("off_by", "expected"), [(-0.8, 0), (0.8, 0), (-1.2, NOT_PASSED), (1.2, NOT_PASSED)])
def test_the_tolerance_is_the_profiles_own(profile: ProfileName, off_by: float, expected: int, tmp_path: Path) -> None:
    asked = PROFILES[profile]
    assert asked.target_lufs is not None
    file = tone_file(tmp_path / "tone.wav", level_db=asked.target_lufs + off_by * asked.tolerance_lu)
    code, answer, _ = loudness(file, "--profile", profile)
    assert code == expected
    assert ("FAIL  loudness of the programme" in answer) == bool(expected)
    assert asked.source in answer


def test_a_peak_over_the_ceiling_fails_even_where_nothing_is_asked_of_the_loudness(tmp_path: Path) -> None:
    file = tone_file(tmp_path / "loud.wav", level_db=-0.5)
    code, answer, _ = loudness(file, "--profile", "off", "--json")
    record = json.loads(answer)
    assert code == NOT_PASSED
    assert not record["passed"]
    assert [(asked["name"], asked["met"]) for asked in record["requirements"]] == [("true peak", False)]
    assert record["true_peak_dbtp"] == pytest.approx(-0.5, abs=0.05)


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".mkv"])
def test_any_media_file_is_measured_as_ffmpeg_does(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"work{suffix}"
    noisy = "anoisesrc=c=pink:a=0.3:d=8:seed=3:r=44100,volume='0.2+0.1*t':eval=frame"
    make.ffmpeg("-f", "lavfi", "-i", noisy, "-ac", "2", file)
    record = json.loads(loudness(file, "--json")[1])
    ((lufs, peak_dbtp),) = judged([file])
    assert record["integrated_lufs"] == pytest.approx(lufs, abs=METER_LU)
    assert record["true_peak_dbtp"] == pytest.approx(peak_dbtp, abs=2 * METER_LU)


def test_another_track_is_measured_where_it_is_named(media: MediaShelf) -> None:
    film = media(make.rich, ".mkv")
    assert json.loads(loudness(film, "--track", "2", "--json")[1])["track"] == 2
    code, _, said = loudness(film, "--track", "3")
    assert code == 3
    assert "--track: 1 to 2" in said


def test_what_cannot_be_measured_is_refused_in_words(media: MediaShelf, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no media")
    tone = tone_file(tmp_path / "tone.wav", level_db=-23.0)
    for words, expected, part in [
        ((media(make.moving),), 3, "has no sound track"),
        ((tmp_path / "notes.txt",), 3, "notes.txt"),
        ((tmp_path / "none.wav",), 3, "none.wav"),
        ((tone, "--profile", "loud"), 7, "atsc-a85"),
        ((tone, "--profile", "netflix", "--speech", "ear"), 7, "silero"),
    ]:
        code, answer, said = loudness(*words)
        assert (code, part in said, answer) == (expected, True, ""), (words, code, said)


def test_netflix_is_not_met_where_nobody_looked_for_speech(tmp_path: Path) -> None:
    file = tone_file(tmp_path / "tone.wav", level_db=-24.0)
    code, answer, _ = loudness(file, "--profile", "netflix", "--speech", "off")
    assert code == NOT_PASSED
    assert "FAIL  dialogue none, asked: to be looked for" in answer
    code, answer, _ = loudness(file, "--profile", "netflix", "--speech", "spectrum")
    assert code == 0
    assert "judged by the loudness of the programme: 0 % of it is speech, found by spectrum; 15 % are needed" in answer


@pytest.mark.skipif(not make.can_speak(), reason="this ffmpeg has no speech synthesiser")
def test_where_enough_is_spoken_netflix_is_about_the_dialogue(media: MediaShelf) -> None:
    film = media(make.spoken, ".mkv", before_s=3.0, after_s=3.0)
    _, answer, _ = loudness(film, "--profile", "netflix", "--speech", "spectrum", "--json")
    record = json.loads(answer)
    assert record["measure"] == "dialogue"
    assert (record["target_lufs"], record["tolerance_lu"], record["ceiling_dbtp"]) == (-27.0, 2.0, -2.0)
    assert record["dialogue_share"] > 0.15
    assert record["dialogue_lufs"] > record["integrated_lufs"] - 0.5  # what is around the words is quieter
    assert json.loads(loudness(film, "--json")[1])["dialogue_lufs"] is None
