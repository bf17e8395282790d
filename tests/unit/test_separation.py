from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from foley.analysis.probe import probe
from foley.analysis.separate import POOR, SeparateOptions, separate
from foley.contracts import Context
from foley.dsp.parting import spectrum_of, without_speech
from foley.errors import MediaError, MissingProgramError, OptionError
from foley.media import separation
from foley.model import Listening, Source, Span
from foley.model.dub import Conformed, Separation
from tests.arrangement_maker import saved
from tests.dub_maker import samples_of
from tests.media_maker import with_sound

RATE_HZ = 48_000
LENGTH = 6 * RATE_HZ
SPEECH = (Span(2.0, 4.0),)
T = np.arange(LENGTH) / RATE_HZ
BED = np.round(10 ** (-45 / 20) * np.random.default_rng(1).standard_normal((2, LENGTH)) * 2**23) / 2**23
VOICE = np.round(0.2 * np.sin(2 * np.pi * 220 * T) * ((T >= 2.0) & (T < 4.0)) * 2**23) / 2**23 * np.ones((2, 1))
HEARD = Listening(True, -20.0, SPEECH, np.zeros(60, np.float32), speech_by="spectrum")

SEPARATOR = """
import json, pathlib, sys, shutil
request = json.loads(pathlib.Path(sys.argv[1]).read_text())
assert request["schema"] == "foley.separate/1"
source = pathlib.Path(request["input"])
{body}
"""


def program(folder: Path, body: str) -> str:
    path = folder / "separator.py"
    path.write_text(SEPARATOR.format(body=body))
    return f"{sys.executable} '{path}' {{request}}"


def parted(
    folder: Path,
    ctx: Context,
    *,
    background: bool = False,
    dialogue: bool = False,
    listening: Listening = HEARD,
    separator: str = "",
) -> Separation:
    clip = probe(Source(with_sound(folder / "clip.mkv", BED + VOICE)), ctx=ctx)
    given = Conformed(
        saved(BED, folder / "bed.wav") if background else None,
        saved(VOICE, folder / "voice.wav") if dialogue else None,
        {},
        {},
        (),
    )
    return separate(clip, given, listening, SeparateOptions(separator), ctx)


def level_db(samples: np.ndarray, first_s: float, last_s: float) -> float:
    part = samples[:, round(first_s * RATE_HZ) : round(last_s * RATE_HZ)] / 2**23
    return float(10 * np.log10(np.mean(part**2) + 1e-12))


def test_given_parts_are_taken_as_they_are(tmp_path: Path, ctx: Context) -> None:
    done = parted(tmp_path, ctx, background=True, dialogue=True)
    assert (done.by, done.notes) == ("given", ())
    assert [(span.start_s, span.end_s) for span in done.speech] == [pytest.approx((2.0, 4.0), abs=0.1)]


def test_the_dialogue_is_the_clips_sound_less_a_background_of_the_same_mix(tmp_path: Path, ctx: Context) -> None:
    done = parted(tmp_path, ctx, background=True)
    assert done.dialogue is not None
    assert np.abs(samples_of(done.dialogue.path) - np.round(VOICE * 2**23)).max() <= 1
    assert [(span.start_s, span.end_s) for span in done.speech] == [pytest.approx((2.0, 4.0), abs=0.1)]


def test_the_background_is_the_clips_sound_less_its_dialogue(tmp_path: Path, ctx: Context) -> None:
    done = parted(tmp_path, ctx, dialogue=True)
    assert done.by == "difference"
    assert np.abs(samples_of(done.background.path) - np.round(BED * 2**23)).max() <= 1


def test_without_help_speech_is_taken_off_poorly_and_the_rest_stays_to_the_bit(tmp_path: Path, ctx: Context) -> None:
    done = parted(tmp_path, ctx)
    assert done.by == POOR
    assert "poor" in done.notes[0]
    made, whole = samples_of(done.background.path), np.round((BED + VOICE) * 2**23)
    assert level_db(whole, 2.2, 3.8) == pytest.approx(-17.0, abs=0.5)
    assert level_db(made, 2.2, 3.8) == pytest.approx(-46.0, abs=3.0)
    for outside in (slice(0, 2 * RATE_HZ), slice(4 * RATE_HZ, LENGTH)):
        assert np.array_equal(made[:, outside], whole[:, outside])


def test_a_clip_without_speech_is_all_background(tmp_path: Path, ctx: Context) -> None:
    done = parted(tmp_path, ctx, listening=Listening(True, -20.0, (), np.zeros(60, np.float32)))
    assert done.speech == ()
    assert np.array_equal(samples_of(done.background.path), np.round((BED + VOICE) * 2**23))


def test_what_a_program_separates_is_taken_also_without_a_dialogue(tmp_path: Path, ctx: Context) -> None:
    bed = saved(BED, tmp_path / "its-bed.wav").path
    body = f"to = source.parent / 'htdemucs'; to.mkdir(); shutil.copy({str(bed)!r}, to / 'no_vocals.wav')"
    command = program(tmp_path, body)
    done = parted(tmp_path, ctx, separator=command)
    assert done.by.startswith("python")
    assert np.array_equal(samples_of(done.background.path), np.round(BED * 2**23))
    assert done.dialogue is not None
    assert level_db(samples_of(done.dialogue.path), 2.2, 3.8) == pytest.approx(-17.0, abs=0.5)


@pytest.mark.parametrize(
    ("body", "said"),
    [("sys.exit('no model here')", "ended with code 1, saying: no model here"), ("pass", "left no background")],
)
def test_a_program_that_fails_is_told(body: str, said: str, tmp_path: Path) -> None:
    wav, folder = saved(BED[:, :4800], tmp_path / "in.wav").path, tmp_path / "work"
    folder.mkdir()
    with pytest.raises(MediaError, match=said):
        separation.separated(program(tmp_path, body), wav, folder, time_limit_s=20.0)


def test_a_program_that_hangs_or_is_not_there_is_told(tmp_path: Path) -> None:
    wav, folder = saved(BED[:, :4800], tmp_path / "in.wav").path, tmp_path / "work"
    folder.mkdir()
    with pytest.raises(MediaError, match=r"took longer than 0\.5 s"):
        separation.separated(program(tmp_path, "import time; time.sleep(60)"), wav, folder, time_limit_s=0.5)
    with pytest.raises(MissingProgramError, match="no-such-separator is not installed"):
        separation.separated("no-such-separator {input}", wav, folder, time_limit_s=1.0)


@pytest.mark.parametrize("wrong", ["'", "   ", "demucs --two-stems vocals"])
def test_a_command_that_cannot_work_is_refused_at_once(wrong: str) -> None:
    with pytest.raises(OptionError):
        SeparateOptions(separator=wrong)


def test_taking_off_nothing_changes_nothing() -> None:
    samples = BED.astype(np.float32)[:, :10_000]
    learned = spectrum_of([samples])
    assert learned is not None
    assert np.abs(without_speech(samples, 1e6 * learned) - samples).max() < 1e-6
