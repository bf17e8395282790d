"""What every exporter promises, found by its file: it writes whole timelines, says why it cannot, and reads back."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from foley import plugins
from foley.contracts import Exporter
from foley.errors import ExportError
from foley.media import sound
from foley.model import EditedItem, Timeline, TimelineMarker
from foley.units import RATE_HZ
from tests.media_maker import moving
from tests.timeline_maker import SCENE, Sounding, scene, timeline

EXPORTERS = plugins.names("exporter")

RATES = [Fraction(text) for text in ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001")]

GAIN_TOLERANCE_DB = 0.01
"""Forms write factors to six digits and more."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return moving(tmp_path_factory.mktemp("film") / "clip.mp4", duration_s=4.0)


@pytest.fixture(params=EXPORTERS)
def exporter(request: pytest.FixtureRequest) -> Exporter:
    made: Exporter = plugins.build("exporter", request.param)
    if missing := made.missing():
        pytest.skip("; ".join(missing))
    return made


@pytest.fixture(params=[name for name in EXPORTERS if plugins.build("exporter", name).suffixes])
def reader(request: pytest.FixtureRequest) -> Exporter:
    made: Exporter = plugins.build("exporter", request.param)
    if missing := made.missing():
        pytest.skip("; ".join(missing))
    return made


def written(exporter: Exporter, given: Timeline, folder: Path) -> tuple[Path, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    return exporter.export(given, folder)


def read_back(exporter: Exporter, files: tuple[Path, ...]) -> dict[str, EditedItem]:
    first = next(path for path in files if path.suffix in exporter.suffixes)
    found = exporter.read(first)
    assert len({item.event_id for item in found}) == len(found)
    return {item.event_id: item for item in found}


@pytest.mark.parametrize("name", EXPORTERS)
def test_it_says_what_it_is(name: str) -> None:
    made = plugins.build("exporter", name)
    assert made.about
    assert isinstance(made.missing(), tuple)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in made.suffixes)


def test_listing_them_loads_no_library() -> None:
    script = (
        "import sys\nfrom foley import plugins\n"
        "[plugins.build('exporter', name).missing() for name in plugins.names('exporter')]\n"
        "print([name for name in ('opentimelineio', 'aaf2', 'pysubs2', 'scipy') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_writes_files_into_the_folder(exporter: Exporter, film: Path, tmp_path: Path) -> None:
    files = written(exporter, scene(tmp_path, video=film), tmp_path / "out")
    assert files
    assert all(path.is_relative_to(tmp_path / "out") and path.stat().st_size > 0 for path in files)
    assert list((tmp_path / "out").rglob(".*")) == []  # nothing half-written is left


def test_the_same_timeline_gives_the_same_bytes_and_replaces_what_is_there(
    exporter: Exporter, film: Path, tmp_path: Path
) -> None:
    given = scene(tmp_path, video=film)
    first = {path: path.read_bytes() for path in written(exporter, given, tmp_path / "out")}
    second = {path: path.read_bytes() for path in written(exporter, given, tmp_path / "out")}
    assert first == second


def test_a_clip_without_events_is_written_too(exporter: Exporter, film: Path, tmp_path: Path) -> None:
    files = written(exporter, timeline(tmp_path, (), length=192_000, video=film), tmp_path / "out")
    assert files


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_what_was_written_reads_back_as_it_was(reader: Exporter, rate: Fraction, film: Path, tmp_path: Path) -> None:
    given = scene(tmp_path, video=film, frame_rate=rate, start_frame=0)
    found = read_back(reader, written(reader, given, tmp_path / "out"))
    frame_s = float(1 / rate)
    assert found.keys() == {item.event_id for item in given.items}
    for item in given.items:
        back, begins_s = found[item.event_id], item.first_sample / RATE_HZ
        ends_s = begins_s + item.length / RATE_HZ
        # on the frame at or before it, up to the frame at or after its end; exactly, where the form knows samples
        assert -frame_s < back.start_s - begins_s < 1e-4
        assert -1e-4 < back.start_s + back.duration_s - ends_s < frame_s
        assert back.gain_db == pytest.approx(item.gain_db, abs=GAIN_TOLERANCE_DB)
        assert back.fade_in_s == pytest.approx(item.fade_in / RATE_HZ, abs=frame_s)
        assert back.fade_out_s == pytest.approx(item.fade_out / RATE_HZ, abs=frame_s)
        assert not back.muted


def test_a_sound_whose_file_begins_with_a_frame_is_placed_to_the_sample(
    reader: Exporter, film: Path, tmp_path: Path
) -> None:
    given = scene(tmp_path, video=film, frame_rate=Fraction(30000, 1001))
    item = next(item for item in given.items if item.event_id == "e02-steps")
    # a file that begins 1.0 s before a whole fifth frame: 8008 samples each
    whole = sound.describe(item.audio.path)
    aligned = replace(item, first_sample=8008 * 6 + 137, source_first=137 + 4000, length=40_000, audio=whole)
    files = written(reader, replace(given, items=(aligned,)), tmp_path / "out")
    back = read_back(reader, files)["e02-steps"]
    assert abs((back.start_s - back.source_start_s) * RATE_HZ % 1) in (
        pytest.approx(0, abs=1e-3),
        pytest.approx(1, abs=1e-3),
    )


def test_odd_names_and_notes_do_no_harm(exporter: Exporter, film: Path, tmp_path: Path) -> None:
    odd = replace(
        SCENE[1],
        event_id="e02 füße #1 (50%) & 'so'",
        name='a "step" <on> grass & co; 走る',
        note="line\nbreak\t— | `x`",
    )
    marker = TimelineMarker(96_000, 4800, 'mark "2" & <b>', "why\nnot")
    given = timeline(tmp_path, [SCENE[0], odd], length=192_000, video=film, name='reel 1: "A" & <B>', markers=[marker])
    files = written(exporter, given, tmp_path / "out")
    assert files
    if exporter.suffixes:
        assert odd.event_id in read_back(exporter, files)


def test_a_film_of_two_hours_reads_back(reader: Exporter, film: Path, tmp_path: Path) -> None:
    rate, hours = Fraction(30000, 1001), 2 * 3600 * RATE_HZ
    late = Sounding("e09-last", hours - 60_000, 48_000, hz=300.0)
    given = timeline(
        tmp_path, [SCENE[1], late], length=hours, frame_rate=rate, start_frame=107_892, drop_frame=True, video=film,
        write_sums=False,
    )  # fmt: skip
    if reader.suffixes == (".otioz",):
        given = replace(given, stems={})
    back = read_back(reader, written(reader, given, tmp_path / "out"))["e09-last"]
    assert -float(1 / rate) < back.start_s - (hours - 60_000) / RATE_HZ < 1e-4


def test_a_file_of_something_else_is_refused(reader: Exporter, tmp_path: Path) -> None:
    for number, content in enumerate((b"", b"\x00\xff\x00rubbish" * 40, b"{}", b"<a></a>", b"[1, 2]")):
        path = tmp_path / f"other{number}{reader.suffixes[0]}"
        path.write_bytes(content)
        with pytest.raises(ExportError):
            reader.read(path)
    with pytest.raises(ExportError):
        reader.read(tmp_path / f"none{reader.suffixes[0]}")


@pytest.mark.parametrize("name", [name for name in EXPORTERS if not plugins.build("exporter", name).suffixes])
def test_a_form_without_a_way_back_says_so(name: str, tmp_path: Path) -> None:
    with pytest.raises(ExportError):
        plugins.build("exporter", name).read(tmp_path / "any")
