"""Cue sheets, edit decision lists and lists of markers: times by the clip's own time code, reasons in plain text."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import pytest

from foley import plugins
from foley.model import Timeline, TimelineMarker
from foley.units import RATE_HZ
from tests.timeline_maker import Sounding, scene, timeline

NTSC = Fraction(30_000, 1001)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def export(name: str, built: Timeline, folder: Path) -> tuple[Path, ...]:
    return tuple(plugins.build("exporter", name).export(built, folder))


def test_a_cue_sheet_says_when_what_how_loud_and_why(tmp_path: Path) -> None:
    built = scene(tmp_path)
    (path,) = export("csv", built, tmp_path)
    rows = table(path)
    assert [row["id"] for row in rows] == [item.event_id for item in built.items]
    steps = rows[1]
    assert (steps["timecode_in"], steps["timecode_out"]) == ("01:00:00:24", "01:00:02:07")
    assert (steps["first_sample"], steps["last_sample"]) == ("47387", "108000")
    assert (steps["start"], steps["end"]) == ("0.987", "2.250")
    assert (steps["ucs"], steps["track"], steps["gain_db"]) == ("FEETMisc", "foley", "-4.50")
    assert (steps["description"], steps["reason"]) == ("footsteps", "a foot lands: the motion stops")
    assert steps["hits"].split() == ["1.0000", "1.5000", "2.0128"]


def test_foley_reads_its_own_cue_sheet(tmp_path: Path) -> None:
    from foley.analysis.cue_sheet import cue_hints

    (path,) = export("csv", scene(tmp_path), tmp_path)
    hints = cue_hints(path)
    assert [hint.text for hint in hints] == ["quiet room", "footsteps", "whoosh", "glass breaks"]
    assert [hint.start_s for hint in hints] == [0.0, 0.987, 2.5, 3.0]


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    risky = Sounding("e01", 0, 9600, name="=1+1", note='@SUM(A1)\nx,"y"', ucs="-X")
    (row,) = table(export("csv", timeline(tmp_path, [risky], length=48_000), tmp_path)[0])
    assert (row["description"], row["reason"], row["ucs"]) == ("'=1+1", '\'@SUM(A1) x,"y"', "'-X")


@pytest.mark.parametrize(
    ("rate", "drop", "start", "at", "code"),
    [
        # 1800 frames of 29.97 are a minute of drop-frame time code, whose first two numbers are left out
        (NTSC, True, 0, 1800, "00:01:00;02"),
        (NTSC, False, 0, 1800, "00:01:00:00"),
        (NTSC, True, 107_892, 17_982, "01:10:00;00"),
        (Fraction(60_000, 1001), True, 0, 3600, "00:01:00;04"),
        (Fraction(24_000, 1001), False, 86_400, 24, "01:00:01:00"),
    ],
)
def test_time_codes_are_exact(tmp_path: Path, rate: Fraction, drop: bool, start: int, at: int, code: str) -> None:
    first = -(-at * RATE_HZ * rate.denominator // rate.numerator)
    built = timeline(
        tmp_path, [Sounding("e01", first, 4800)], length=first + 48_000, frame_rate=rate, start_frame=start,
        drop_frame=drop, write_sums=False,
    )  # fmt: skip
    (row,) = table(export("csv", built, tmp_path)[0])
    assert row["timecode_in"] == code
    assert code in export("edl", built, tmp_path)[0].read_text()
    assert all(code in path.read_text() for path in export("markers", built, tmp_path)[:2])


def test_an_edit_list_holds_one_track_each(tmp_path: Path) -> None:
    built = scene(tmp_path)
    paths = export("edl", built, tmp_path)
    assert [path.name for path in paths] == [
        *("clip.FOLEY.edl", "clip.EFFECTS.edl", "clip.EFFECTS_2.edl", "clip.BACKGROUNDS.edl"),
    ]
    title, mode, _, event, file, comment = paths[0].read_text().splitlines()
    assert (title, mode) == ("TITLE: clip", "FCM: NON-DROP FRAME")
    # its file begins on a frame: two frames before the one in which the item begins
    assert event.split() == ["001", "AX", "AA", "C", "00:00:00:02", "00:00:01:10", "01:00:00:24", "01:00:02:07"]
    assert file == "* FROM CLIP NAME: e02-steps.wav"
    assert comment == "* COMMENT: e02-steps footsteps: a foot lands: the motion stops (-4.5 dB)"


def test_marker_lists_hold_the_reasons(tmp_path: Path) -> None:
    region = TimelineMarker(48_000, 24_000, "chase", "they | run\nfast")
    built = timeline(tmp_path, [], length=96_000, start_frame=90_000, markers=[region])
    avid, resolve, reaper = export("markers", built, tmp_path)
    assert avid.read_text() == "foley\t01:00:01:00\tA1\tgreen\tchase: they | run fast\t13\n"
    event, remark = resolve.read_text().splitlines()[3:5]
    assert event.split()[4:] == ["01:00:01:00", "01:00:01:01"] * 2
    assert remark == "they / run fast |C:ResolveColorGreen |M:chase |D:13"
    assert table(reaper) == [
        {"#": "R1", "Name": "chase: they | run fast", "Start": "0:01.000", "End": "0:01.500", "Length": "0:00.500"}
    ]


@pytest.mark.parametrize("name", ["csv", "edl", "markers"])
def test_a_timeline_without_items_makes_empty_lists(tmp_path: Path, name: str) -> None:
    paths = export(name, timeline(tmp_path, [], length=48_000), tmp_path)
    assert paths
    assert not any("e0" in path.read_text() for path in paths)


@pytest.mark.parametrize("name", ["csv", "edl", "markers"])
def test_equal_timelines_make_equal_files(tmp_path: Path, name: str) -> None:
    built = scene(tmp_path)
    before = [path.read_bytes() for path in export(name, built, tmp_path)]
    assert [path.read_bytes() for path in export(name, built, tmp_path)] == before
