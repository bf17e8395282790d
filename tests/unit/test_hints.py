"""What people and files say is heard."""

from __future__ import annotations

from pathlib import Path

import pytest

from foley.analysis.captions import sounds_of
from foley.analysis.hints import hints
from foley.analysis.prompt import prompt_hints
from foley.contracts import Context
from foley.errors import PlanError
from foley.media import ffmpeg
from foley.model import Brief, SubtitleTrack
from tests.planning import clip_of

SRT = "1\n00:00:01,000 --> 00:00:02,500\n{}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a dog barks", [("a dog barks", None, None)]),
        ("0:03 door slams; 0:05-0:08 footsteps", [("door slams", 3, None), ("footsteps", 5, 8)]),
        ("at 3.5s a door slams", [("a door slams", 3.5, None)]),
        ("at 3.5 a door slams", [("a door slams", 3.5, None)]),
        ("rain from 1:05 to 1:08", [("rain", 65, 68)]),
        ("between 3s and 5.5s a bell rings", [("a bell rings", 3, 5.5)]),
        ("3-5 s: rain\n7s glass breaks", [("rain", 3, 5), ("glass breaks", 7, None)]),
        ("rain, at 0:02 thunder", [("rain", None, None), ("thunder", 2, None)]),
        ("a man walks 0:02 \u2013 0:04, wind", [("a man walks", 2, 4), ("wind", None, None)]),
        ("Rain. Thunder at 0:02. Wind", [("Rain", None, None), ("Thunder", 2, None), ("Wind", None, None)]),
        ("shots at 0:01, 0:02 and 0:03.5", [("shots", 1, None), ("shots", 2, None), ("shots", 3.5, None)]),
        ("0:01, 0:02 knock", [("knock", 1, None), ("knock", 2, None)]),
        ("[0:03] door slams", [("door slams", 3, None)]),
        ("1:02:03,5 thunder", [("thunder", 3723.5, None)]),
        ("A dog barks. Then a door slams", [("A dog barks; Then a door slams", None, None)]),
        ("rain; wind\n0:02 thunder; fire", [("rain; wind", None, None), ("thunder", 2, None), ("fire", None, None)]),
        ("3 seconds of rain", [("3 seconds of rain", None, None)]),
        ("a 3 s long creak", [("a 3 s long creak", None, None)]),
        ("3 dogs bark", [("3 dogs bark", None, None)]),
        ("at 3 o'clock a bell tolls", [("at 3 o'clock a bell tolls", None, None)]),
        ("  ;; \n", []),
    ],
)
def test_times_in_prompts_are_read(text: str, expected: list[tuple[str, float | None, float | None]]) -> None:
    assert [(hint.text, hint.start_s, hint.end_s) for hint in prompt_hints(text)] == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("0:08-0:05 rain", "before it starts"),
        ("0:03", "not what is heard"),
        ("rain; 01:00:03:12 door slams", "'01:00:03:12' counts frames"),
        ("01:00:03;12 door slams", "'01:00:03;12' counts frames"),
    ],
)
def test_prompts_that_make_no_sense_are_refused(text: str, complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        prompt_hints(text)


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("[door slams]", ["door slams"]),
        ("(GUNSHOT)", ["gunshot"]),
        ("[thunder rumbles] JOHN: Run! [glass shatters]", ["thunder rumbles", "glass shatters"]),
        ("[glass\nshatters]", ["glass shatters"]),
        ("[John] Hello there", []),
        ("[MAN]: Hello", []),
        ("[woman 2 on radio] hey", []),
        ("[Gasps] No!", ["Gasps"]),
        ("[speaking French] [in Spanish] hola", []),
        ("[dramatic music playing] (upbeat song continues)", []),
        ("\u266a la la la \u266a", []),
        ("Who is there?", []),
        ("[]", []),
    ],
)
def test_only_sounds_are_taken_from_captions(caption: str, expected: list[str]) -> None:
    assert sounds_of(caption) == expected


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        ("srt", SRT.format("[door slams]")),
        ("vtt", "WEBVTT\n\n00:01.000 --> 00:02.500\n[door slams]\n"),
        (
            "ttml",
            '<tt xmlns="http://www.w3.org/ns/ttml"><body><div>'
            '<p begin="00:00:01.000" end="00:00:02.500">[door slams]</p></div></body></tt>',
        ),
        (
            "ass",
            "[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
            "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
            "Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,{\\i1}[door slams]\n",
        ),
    ],
)
def test_subtitles_beside_the_clip_are_read(suffix: str, text: str, tmp_path: Path, ctx: Context) -> None:
    (tmp_path / f"film.{suffix}").write_text(text)

    found = hints(clip_of(path=tmp_path / "film.mp4"), Brief(), ctx)

    assert [(hint.text, hint.start_s, hint.end_s, hint.source) for hint in found.items] == [
        ("door slams", 1.0, 2.5, "subtitle")
    ]


def test_those_for_the_hard_of_hearing_are_taken_first(tmp_path: Path, ctx: Context) -> None:
    (tmp_path / "film.en.srt").write_text(SRT.format("[bell rings]"))
    (tmp_path / "film.en.sdh.srt").write_text(SRT.format("[door slams]"))

    found = hints(clip_of(path=tmp_path / "film.mp4"), Brief(), ctx)

    assert [hint.text for hint in found.items] == ["door slams"]


def test_a_subtitle_file_that_was_named_goes_before_its_neighbours(tmp_path: Path, ctx: Context) -> None:
    (tmp_path / "film.srt").write_text(SRT.format("[bell rings]"))
    named = tmp_path / "other.srt"
    named.write_bytes(SRT.format("[door slams \u2013 loudly]").encode("cp1252"))

    found = hints(clip_of(path=tmp_path / "film.mp4"), Brief(subtitles=named), ctx)

    assert [hint.text for hint in found.items] == ["door slams \u2013 loudly"]


def test_a_subtitle_file_that_is_not_there_is_named(tmp_path: Path, ctx: Context) -> None:
    with pytest.raises(PlanError, match=r"none\.srt: cannot be read"):
        hints(clip_of(), Brief(subtitles=tmp_path / "none.srt"), ctx)


def test_a_subtitle_file_without_subtitles_is_refused_where_it_was_named(tmp_path: Path, ctx: Context) -> None:
    (tmp_path / "no.srt").write_text("this is not a subtitle file")

    with pytest.raises(PlanError, match=r"no\.srt: holds no subtitles"):
        hints(clip_of(), Brief(subtitles=tmp_path / "no.srt"), ctx)


def test_subtitles_in_the_clip_are_read(tmp_path: Path, ctx: Context) -> None:
    captions = tmp_path / "captions.srt"
    captions.write_text(SRT.format("[door slams]"))
    video = tmp_path / "clip.mkv"
    ffmpeg.write(
        *("-f", "lavfi", "-i", "testsrc=size=64x64:rate=25:duration=4"),
        *("-i", captions, "-c:v", "mpeg4", "-c:s", "srt"),
        to=video,
    )
    captions.unlink()

    found = hints(clip_of(4, path=video, subtitles=(SubtitleTrack(1, "subrip", "eng", "", True),)), Brief(), ctx)

    assert [(hint.text, hint.start_s) for hint in found.items] == [("door slams", pytest.approx(1.0, abs=0.002))]


def test_captions_of_the_rest_of_the_film_are_left_out(tmp_path: Path, ctx: Context) -> None:
    (tmp_path / "film.srt").write_text(SRT.format("[door slams]") + "\n2\n00:30:00,000 --> 00:30:01,000\n[bang]\n")

    found = hints(clip_of(2, path=tmp_path / "film.mp4"), Brief(), ctx)

    assert [(hint.text, hint.end_s) for hint in found.items] == [("door slams", 2.0)]


@pytest.mark.parametrize(
    "sheet",
    [
        "start,end,description\n0:01,0:02.5,door slams\n,,\n3,,a bell rings\n",
        "In;Out;Sound\n1;2,5;door slams\n3;;a bell rings\n",
        "time\tend\tnotes\n1 s\t2.5\tdoor slams\n3\t\ta bell rings\n",
        "0:01,0:02.5,door slams\n3,,a bell rings\n",
        "\ufeffdescription,start,end\ndoor slams,1,2.5\na bell rings,3,\n",
        "start,end,description\r0:01,0:02.5,door slams\r3,,a bell rings\r",
    ],
)
def test_cue_sheets_of_many_programs_are_read(sheet: str, tmp_path: Path, ctx: Context) -> None:
    path = tmp_path / "cues.csv"
    path.write_text(sheet, encoding="utf-8", newline="")

    found = hints(clip_of(), Brief(cue_sheet=path), ctx)

    assert [(hint.text, hint.start_s, hint.end_s) for hint in found.items] == [
        ("door slams", 1.0, 2.5),
        ("a bell rings", 3.0, None),
    ]


def test_everything_wrong_in_a_cue_sheet_is_named_with_line_and_column(tmp_path: Path, ctx: Context) -> None:
    path = tmp_path / "cues.csv"
    path.write_text("start,end,description\nsoon,,bang\n2,1,bang\n3,,\n01:00:00:12,,bang\n,4,bang\n")

    with pytest.raises(PlanError) as caught:
        hints(clip_of(), Brief(cue_sheet=path), ctx)

    assert [line.removeprefix(str(path)) for line in str(caught.value).splitlines()] == [
        ":2: start: 'soon' is not a time",
        ":3: end: '1' lies before start '2'",
        ":4: description: is empty",
        ":5: start: '01:00:00:12' counts frames; write seconds or clock time (1:02:03.5)",
        ":6: start: is empty",
    ]


def test_a_file_that_is_no_cue_sheet_is_refused(tmp_path: Path, ctx: Context) -> None:
    path = tmp_path / "cues.csv"
    path.write_text("start,end,description\n1,2," + 200_000 * "x")  # csv reads no cell that long

    with pytest.raises(PlanError, match=r"cues\.csv: is no CSV"):
        hints(clip_of(), Brief(cue_sheet=path), ctx)


def test_a_cue_sheet_without_its_columns_is_refused(tmp_path: Path, ctx: Context) -> None:
    path = tmp_path / "cues.csv"
    path.write_text("start,end\n1,2\n")

    with pytest.raises(PlanError, match=r"cues\.csv:1: has no column description"):
        hints(clip_of(), Brief(cue_sheet=path), ctx)


def test_times_past_the_clips_end_are_named(ctx: Context) -> None:
    with pytest.raises(PlanError) as caught:
        hints(clip_of(10), Brief("0:12 door slams; 0:05-0:20 rain"), ctx)

    assert "'door slams' is at 0:12.000, the clip ends at 0:10.000" in str(caught.value)
    assert "'rain' lasts to 0:20.000" in str(caught.value)


def test_an_end_that_was_rounded_up_is_cut_to_the_clip(ctx: Context) -> None:
    (hint,) = hints(clip_of(9.5), Brief("0:05-0:10 rain"), ctx).items

    assert hint.end_s == 9.5


def test_hints_come_in_order_with_the_briefs_seed(ctx: Context) -> None:
    found = hints(clip_of(), Brief("0:05 thunder; rain; 0:02 a bell", seed=7, generator="procedural"), ctx)

    assert [hint.text for hint in found.items] == ["rain", "a bell", "thunder"]
    assert (found.seed, found.generator) == (7, "procedural")


def test_no_brief_gives_no_hints(ctx: Context) -> None:
    assert hints(clip_of(), Brief(), ctx).items == ()
