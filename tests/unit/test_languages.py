from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from foley.analysis.probe import probe
from foley.contracts import Context
from foley.deliver.languages import LanguagesOptions, default_track
from foley.errors import MediaError, MuxError, NotAMediaFileError, OptionError
from foley.media import conform, ffmpeg
from foley.media.language_names import language, same
from foley.media.languages import NewTrack, mux_languages, refuse_unfit, suffix_for
from foley.model import Clip, Source
from foley.model.dub import DubFile, DubJob
from tests.arrangement_maker import saved
from tests.dub_maker import samples_of
from tests.media_fixtures import MediaShelf
from tests.media_maker import ffmpeg as make
from tests.media_maker import flash_and_tone, moving, rich

RATE_HZ = 48_000


@pytest.mark.parametrize(
    ("named", "code", "title"),
    [
        ("de", "deu", "German"),
        ("GER", "deu", "German"),
        ("pt-BR", "por", "Portuguese (BR)"),
        ("zh_Hant_TW", "zho", "Chinese (Hant, TW)"),
        ("es-419", "spa", "Spanish (419)"),
        ("gsw", "gsw", "gsw"),
    ],
)
def test_a_language_is_known_by_any_of_its_names(named: str, code: str, title: str) -> None:
    assert tuple(language(named)) == (code, title)


@pytest.mark.parametrize("wrong", ["", "d", "german", "q1", "xx", "de-", "../de"])
def test_what_is_no_language_is_refused(wrong: str) -> None:
    with pytest.raises(OptionError):
        language(wrong)


def test_both_codes_of_a_language_are_the_same() -> None:
    assert same("ger", "deu")
    assert same("fre", "fra")
    assert not same("deu", "nld")


def test_the_default_track_is_found_by_any_name_of_its_language() -> None:
    dubs = tuple(DubFile(language(name).code, name, name, Source(Path("x"))) for name in ("de", "pt-BR"))
    job = DubJob(dubs=dubs)
    assert [default_track(job, wanted) for wanted in ("", "ger", "por", "original")] == ["de", "de", "pt-BR", ""]
    with pytest.raises(OptionError, match="no track is in the language 'fr'"):
        default_track(job, "fr")
    with pytest.raises(ValueError, match="layout"):
        LanguagesOptions(layout="other")  # type: ignore[arg-type]


def test_containers_that_lose_languages_are_not_written() -> None:
    assert [suffix_for(Path(f"a{suffix}")) for suffix in (".mp4", ".MKV", ".mov", ".avi")] == [
        ".mp4",
        ".MKV",
        ".mkv",
        ".mkv",
    ]
    refuse_unfit(Path("a.mkv"))
    for suffix in (".mov", ".avi", ""):
        with pytest.raises(MuxError, match=r"loses the languages|is not written"):
            refuse_unfit(Path(f"a{suffix}"))


def look(path: Path, ctx: Context) -> Clip:
    return probe(Source(path), ctx=ctx)


def new_tracks(folder: Path, length: int) -> list[NewTrack]:
    sounds = {
        name: saved(np.full((2, length), level), folder / f"{name}.wav") for name, level in (("de", 0.1), ("me", 0.01))
    }
    return [
        NewTrack(sounds["de"], "deu", "Deutsch @home", "dub", default=False),
        NewTrack(sounds["me"], "zxx", "Music and effects", "effects"),
    ]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_the_original_can_stay_the_default_and_keeps_all_else_of_the_file(
    suffix: str, media: MediaShelf, tmp_path: Path, ctx: Context
) -> None:
    clip = look(media(rich, suffix), ctx)
    to = tmp_path / f"out{suffix}"
    assert mux_languages(clip, new_tracks(tmp_path, 2 * RATE_HZ), to) == ()
    found = ffmpeg.probe(to)
    audio = [stream for stream in found["streams"] if stream["codec_type"] == "audio"]
    assert [stream["disposition"]["default"] for stream in audio] == [0, 1, 0, 0]
    assert [language(stream["tags"]["language"]).code for stream in audio] == ["deu", "eng", "deu", "zxx"]
    subtitles = [stream for stream in found["streams"] if stream["codec_type"] == "subtitle"]
    assert len(subtitles) == 2
    assert len(found["chapters"]) == 2
    assert "Shot on a Tuesday" in found["format"]["tags"].get("comment", found["format"]["tags"].get("COMMENT", ""))
    assert ffmpeg.video_hash(to) == ffmpeg.video_hash(clip.path)


def test_an_own_track_that_mp4_cannot_hold_is_coded_and_told(media: MediaShelf, tmp_path: Path, ctx: Context) -> None:
    clip = look(media(flash_and_tone, ".mkv", more=("-c:a", "pcm_s16le")), ctx)
    notes = mux_languages(clip, new_tracks(tmp_path, 2 * RATE_HZ), tmp_path / "out.mp4", original_language="eng")
    assert notes == ("the clip's own pcm_s16le track is coded anew: a .mp4 file cannot hold it",)
    audio = ffmpeg.probe(tmp_path / "out.mp4", select_streams="a")["streams"]
    assert [stream["tags"]["language"] for stream in audio] == ["deu", "eng", "zxx"]
    assert Fraction(audio[0]["duration"]) == 2


def test_given_sound_is_kept_to_the_bit_and_filled_or_cut_to_the_picture(tmp_path: Path) -> None:
    mono = np.round(np.random.default_rng(0).uniform(-0.5, 0.5, RATE_HZ) * 2**23) / 2**23
    given = saved(mono, tmp_path / "mono.wav").path
    longer, own = conform.conformed(given, RATE_HZ + 500, tmp_path / "longer.wav")
    assert own == RATE_HZ
    kept = samples_of(longer.path)
    assert np.array_equal(kept[0, :RATE_HZ], np.round(mono * 2**23))
    assert np.array_equal(kept[0], kept[1])
    assert not kept[:, RATE_HZ:].any()
    cut, own = conform.conformed(given, 40_000, tmp_path / "cut.wav", fade_samples=1000)
    ended = samples_of(cut.path)[0]
    assert (own, len(ended)) == (RATE_HZ, 40_000)
    assert np.array_equal(ended[:39_000], kept[0, :39_000])
    assert ended[-1] == 0


@pytest.mark.parametrize("suffix", [".mp3", ".m4a", ".flac"])
def test_sound_at_another_rate_in_another_coding_stays_in_place(suffix: str, tmp_path: Path) -> None:
    t = np.arange(44_100) / 44_100
    burst = 0.5 * np.sin(2 * np.pi * 1000 * t) * ((t >= 0.5) & (t < 0.6))
    saved_wav = tmp_path / "burst.wav"
    import soundfile

    soundfile.write(saved_wav, burst, 44_100)
    make("-i", saved_wav, tmp_path / f"burst{suffix}")
    file, own = conform.conformed(tmp_path / f"burst{suffix}", RATE_HZ, tmp_path / "made.wav")
    heard = np.abs(samples_of(file.path)[0]) > 0.2 * 2**23
    assert np.flatnonzero(heard)[0] / RATE_HZ == pytest.approx(0.5, abs=0.002)
    assert own == pytest.approx(RATE_HZ, abs=3000)


def test_what_holds_no_sound_is_refused(media: MediaShelf, tmp_path: Path) -> None:
    (tmp_path / "words.wav").write_text("no sound")
    with pytest.raises(NotAMediaFileError, match="does not exist"):
        conform.look_at(tmp_path / "none.wav")
    with pytest.raises(NotAMediaFileError):
        conform.look_at(tmp_path / "words.wav")
    with pytest.raises(MediaError, match="has no sound"):
        conform.look_at(media(moving))
