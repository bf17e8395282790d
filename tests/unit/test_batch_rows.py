"""What a batch is given becomes its items: files, folders, patterns, lists, manifests."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foley.api import Settings, destination
from foley.batch.rows import Defaults, read_rows
from foley.errors import NotAMediaFileError, PlanError
from foley.model import Brief


def touched(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"video")


def manifest(to: Path, text: str) -> str:
    to.write_text(text)
    return str(to)


def test_a_folder_gives_its_videos_in_order_and_what_foley_made_is_left_out(tmp_path: Path) -> None:
    touched(tmp_path, "b.mp4", "a.MOV", "sub/c.mkv", "notes.txt", "a.foley.mov", "b.foley/stems/x.mp4", ".part.mp4")
    assert [item.video.name for item in read_rows([str(tmp_path)])] == ["a.MOV", "b.mp4", "c.mkv"]


def test_results_of_a_folder_lie_in_the_output_as_the_videos_lie_in_it(tmp_path: Path) -> None:
    touched(tmp_path, "in/a.mp4", "in/deep/er/b.mp4")
    items = read_rows([str(tmp_path / "in")], Defaults(output=tmp_path / "out.v2"))
    assert [item.output.relative_to(tmp_path / "out.v2").as_posix() for item in items] == [
        "a.foley.mp4",
        "deep/er/b.foley.mp4",
    ]


def test_a_pattern_is_expanded_here_where_no_shell_did(tmp_path: Path) -> None:
    touched(tmp_path, "a1.mp4", "a2.mp4", "b.mp4", "a1.foley.mp4")
    assert [item.video.name for item in read_rows([f"{tmp_path}/a*.mp4"])] == ["a1.mp4", "a2.mp4"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    touched(tmp_path, "take[1].mp4", "take1.mp4")
    assert [item.video.name for item in read_rows([f"{tmp_path}/take[1].mp4"])] == ["take[1].mp4"]


def test_a_list_on_standard_input_holds_paths_and_rows(tmp_path: Path) -> None:
    lines = 'a.mp4\n\n{"input": "b.mp4", "prompt": "rain"}\n'
    items = read_rows(["-"], stdin=io.StringIO(lines))
    assert [(item.video.name, item.brief.prompt) for item in items] == [("a.mp4", ""), ("b.mp4", "rain")]
    assert items[1].row == "standard input:3"


ROWS = [
    {"input": "a.mp4", "prompt": "rain, wind", "seed": 3, "loudness": "web", "original": "replace"},
    {"input": "b.mp4", "output": "made/b.mp4", "generator": "silence", "subtitles": "b.srt", "overwrite": True},
]
CSV = (
    "input,prompt,seed,loudness,original,output,generator,subtitles,overwrite\n"
    'a.mp4,"rain, wind",3,web,replace,,,,\n'
    "b.mp4,,,,,made/b.mp4,silence,b.srt,yes\n"
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("night.csv", CSV),
        ("night.csv", CSV.replace(",", ";").replace("rain; wind", "rain, wind")),
        ("night.jsonl", "\n".join(map(json.dumps, ROWS))),
        ("night.yaml", json.dumps(ROWS)),
        ("night.yml", json.dumps({"items": ROWS})),
    ],
)
def test_every_form_of_manifest_says_the_same(tmp_path: Path, name: str, text: str) -> None:
    first, second = read_rows([manifest(tmp_path / name, text)])
    assert (first.video, first.output) == (tmp_path / "a.mp4", tmp_path / "a.foley.mp4")
    assert (first.brief, first.settings.loudness) == (Brief("rain, wind", seed=3), "web")
    assert first.settings.replace_audio is True
    assert second.output == tmp_path / "made/b.mp4"
    assert second.brief == Brief(generator="silence", subtitles=tmp_path / "b.srt")
    assert second.settings.overwrite


def test_what_a_row_does_not_say_is_as_the_command_says_it(tmp_path: Path) -> None:
    text = "input,prompt,takes.retries\na.mp4,,5\nb.mp4,wind,\n"
    defaults = Defaults(Brief("rain", seed=7), Settings(loudness="web", options={"takes": {"candidates": 2}}))
    first, second = read_rows([manifest(tmp_path / "n.csv", text)], defaults)
    assert (first.brief.prompt, first.brief.seed, second.brief.prompt) == ("rain", 7, "wind")
    assert first.settings.options == {"takes": {"candidates": 2, "retries": 5}}
    assert second.settings.options == {"takes": {"candidates": 2}}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("n.csv", "input,promt\na.mp4,x\n", r"n\.csv:2: unknown field 'promt'"),
        ("n.csv", "input,seed\na.mp4,x\n", r"n\.csv:2: seed"),
        ("n.csv", "input,loudness\na.mp4,loud\n", r"n\.csv:2: loudness: must be one of"),
        ("n.csv", "prompt\nrain\n", r"n\.csv:2: a row needs `input`"),
        ("n.csv", "input,prompt\na.mp4,rain,wind\n", r"n\.csv:2: more cells than columns"),
        ("n.jsonl", '{"input": "a.mp4"}\n{"input": \n', r"n\.jsonl:2: no JSON"),
        ("n.jsonl", '{"input": 3}\n', r"n\.jsonl:1: a row needs `input`"),
        ("n.yaml", "a: [", r"n\.yaml is no YAML"),
        ("n.yaml", "prompt: x\n", r"a manifest is a list of rows"),
        ("n.yaml", "- {input: a.mp4, options: loud}\n", r"row 1: options must be"),
    ],
)
def test_a_manifest_that_is_wrong_is_refused_with_line_and_field(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    with pytest.raises(PlanError, match=said):
        read_rows([manifest(tmp_path / name, text)])


@pytest.mark.parametrize("empty", ["", "input,prompt\n"])
def test_a_manifest_without_rows_and_a_folder_without_videos_are_refused(tmp_path: Path, empty: str) -> None:
    with pytest.raises(NotAMediaFileError):
        read_rows([manifest(tmp_path / "n.csv", empty)])
    with pytest.raises(NotAMediaFileError, match="holds no video"):
        read_rows([str(tmp_path)])


def test_videos_of_one_name_get_results_of_their_own(tmp_path: Path) -> None:
    touched(tmp_path, "x/clip.mp4", "y/clip.mp4", "y/clip.mov")
    named = [str(tmp_path / name) for name in ("x/clip.mp4", "y/clip.mp4", "y/clip.mov", "x/clip.mp4")]
    items = read_rows(named, Defaults(output=tmp_path / "out"))
    assert [item.output.name for item in items] == [
        "clip.foley.mp4",
        "clip-2.foley.mp4",
        "clip-3.foley.mov",
        "clip.foley.mp4",  # the very same asked for twice is no other
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from([".mp4", ".mov"]), st.sampled_from(["", "rain"])), min_size=1
    )
)
def test_no_two_rows_that_ask_for_different_things_write_into_one_folder(rows: list[tuple[str, str, str]]) -> None:
    text = "".join(json.dumps({"input": stem + suffix, "prompt": prompt}) + "\n" for stem, suffix, prompt in rows)
    items = read_rows(["-"], stdin=io.StringIO(text))
    asked: dict[Path, tuple[Path, str]] = {}
    for item in items:
        folder = destination(item.video, item.output).folder
        assert asked.setdefault(folder, (item.video, item.brief.prompt)) == (item.video, item.brief.prompt)
