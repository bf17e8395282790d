"""What a batch would take: compared with what real work writes, and with what is done already."""

from __future__ import annotations

import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from foley.api import Settings
from foley.batch import estimate, work
from foley.batch.items import Item
from foley.model import Brief
from tests.batch_maker import tiny_clip
from tests.media_fixtures import MediaShelf
from tests.media_maker import moving

SPARSE, DENSE = 0.7, 1.8
"""Between these parts of what is written the estimate must lie: how many takes there are, the plan decides."""

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def clip(media: MediaShelf, tmp_path: Path) -> Path:
    return Path(shutil.copy(media(tiny_clip), tmp_path / "clip.mp4"))


def asked(clip: Path, number: int = 1, **changed: object) -> Item:
    item = Item(number, clip, clip.with_name("out") / f"{clip.stem}.foley.mp4", Brief("rain"))
    return replace(item, settings=Settings(workdir=clip.with_name("cache")), **changed)  # type: ignore[arg-type]


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_what_cannot_be_done_is_named_and_the_rest_is_counted(clip: Path) -> None:
    (clip.parent / "bad.mp4").write_bytes(b"nothing")
    (clip.parent / "file").write_text("no folder")
    items = [
        asked(clip),
        asked(clip.parent / "bad.mp4", 2),
        asked(clip.parent / "missing.mp4", 3),
        asked(clip, 4, output=clip.parent / "file" / "x.mp4"),
        asked(clip, 5, brief=Brief("wind")),
    ]
    found = estimate.estimated(items, jobs=1)
    kinds = {bad.number: problem.kind for bad, problem in found.unusable}
    wanted = {2: "NotAMediaFileError", 3: "NotAMediaFileError", 4: "CannotWriteError", 5: "OutputExistsError"}
    assert kinds == wanted  # the last: its place is that of the first, which asks for something else
    assert found.film_s == pytest.approx(0.4)
    assert (found.cost, found.models) == ("", ())


def test_starting_counts_for_each_worker_and_work_is_shared_among_them(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "cores", lambda: 2)
    items = [asked(clip, n, output=clip.with_name(f"{n}.foley.mp4"), brief=Brief("rain", seed=n)) for n in (1, 2)]
    one, two = estimate.estimated(items, jobs=1), estimate.estimated(items, jobs=2)
    assert two.work_s - one.work_s == pytest.approx(estimate.WARM_S)
    assert one.wall_s == pytest.approx(one.work_s)
    assert two.wall_s == pytest.approx(estimate.BEGIN_S + (two.work_s - estimate.BEGIN_S) / 2)
    assert estimate.estimated(items[:1], jobs=8).jobs == 1


def test_a_larger_picture_and_a_longer_one_take_more(tmp_path: Path) -> None:
    small = moving(tmp_path / "small.mp4", duration_s=1.0, size="320x180")
    large = moving(tmp_path / "large.mp4", duration_s=1.0, size="1280x720")
    long = moving(tmp_path / "long.mp4", duration_s=2.0, size="320x180")
    works = [estimate.estimated([asked(path)], jobs=1).work_s for path in (small, large, long)]
    pixels_s = (1280 * 720 - 320 * 180) * 25
    assert works[1] - works[0] == pytest.approx(estimate.PICTURE_S * pixels_s / estimate.PIXELS_S)
    assert works[2] - works[0] == pytest.approx(estimate.SOUND_S, rel=0.2)


def test_the_room_that_is_foretold_is_about_what_is_written(tmp_path: Path) -> None:
    item = asked(moving(tmp_path / "clip.mp4", duration_s=4.0, size="640x360"))
    item = replace(item, brief=Brief("0:01 a hammer strikes an anvil; rain; wind"))
    found = estimate.estimated([item], jobs=1)
    assert work.run_item(item).good
    for foretold_mb, folder in ((found.output_mb, "out"), (found.cache_mb, "cache")):
        assert SPARSE < foretold_mb * 1e6 / size_of(tmp_path / folder) < DENSE


def test_what_was_done_before_counts_for_nothing(clip: Path) -> None:
    items = [asked(clip), asked(clip, 2, output=clip.with_name("more.foley.mp4"), brief=Brief("wind"))]
    before = estimate.estimated(items, jobs=1)
    assert work.run_item(items[0]).good
    now = estimate.estimated(items, jobs=1)
    assert (before.known, now.known, now.unusable) == (0, 1, ())
    assert now.film_s == pytest.approx(before.film_s / 2)
    assert now.work_s < before.work_s


def test_what_is_asked_for_twice_is_made_once(clip: Path) -> None:
    once = estimate.estimated([asked(clip)], jobs=1)
    again = asked(clip, 2, output=clip.with_name("again.foley.mp4"))
    twice = estimate.estimated([asked(clip), again], jobs=1)
    assert twice.work_s - once.work_s == pytest.approx(estimate.FIXED_S)  # its files are written all the same
    assert twice.cache_mb == once.cache_mb
    assert twice.output_mb == pytest.approx(2 * once.output_mb, abs=1)


def test_another_result_that_lies_at_its_place_is_named(clip: Path) -> None:
    item = asked(clip)
    item.output.parent.mkdir()
    item.output.write_bytes(b"a colour grade that took a week")
    ((_, problem),) = estimate.estimated([item], jobs=1).unusable
    assert problem.kind == "OutputExistsError"
    allowed = replace(item, settings=replace(item.settings, overwrite=True))
    assert estimate.estimated([allowed], jobs=1).unusable == ()


def test_a_disk_that_cannot_hold_it_is_told(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert estimate.estimated([asked(clip)], jobs=1).missing_mb == 0
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(10**12, 0, 10**6))
    found = estimate.estimated([asked(clip)], jobs=1)
    assert found.missing_mb > 0
    assert found.free_mb == 1
