"""A batch's parts: what is done next, what is known to be done, takes made together, the page, the estimate."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from foley import api
from foley.api import Settings
from foley.batch import models, notes, page, thumbnails, work
from foley.batch.items import Batch, Item, Outcome, Problem
from foley.batch.prefetch import Prefetcher, prefetch
from foley.batch.quality import Check, Quality
from foley.batch.rows import read_rows
from foley.batch.schedule import TOGETHER, Schedule
from foley.batch.summary import record
from foley.errors import NotAMediaFileError
from foley.model import Brief
from foley.render import generators
from tests.batch_maker import content, tiny_clip
from tests.media_fixtures import MediaShelf
from tests.media_maker import moving
from tests.plugins import saboteur
from tests.plugins.saboteur import ASKED, BATCHES

SABOTEURS = Path(saboteur.__file__).parent / "generators"


def item(number: int, **changed: object) -> Item:
    made = Item(number, Path(f"{number}.mp4"), Path(f"{number}.foley.mp4"))
    return replace(made, **changed)  # type: ignore[arg-type]


def outcome(number: int, state: str = "done", **changed: object) -> Outcome:
    return replace(Outcome(number, state, f"{number}.foley.mp4", f"{number}.foley"), **changed)  # type: ignore[arg-type]


def schedule(*items: Item, models: bool = False) -> Schedule:
    return Schedule(items, uses_models=lambda _: models)


class TestSchedule:
    def test_items_are_begun_in_their_order(self) -> None:
        plan = schedule(item(1), item(2))
        begun = [plan.next(busy=0), plan.next(busy=1), plan.next(busy=2)]
        assert [job and job.items[0].number for job in begun] == [1, 2, None]

    def test_the_very_same_is_made_once_and_the_others_follow(self) -> None:
        plan = schedule(item(1, request="x"), item(2, request="x"), item(3, request="y"))
        assert [job.items[0].number for job in (plan.next(busy=0), plan.next(busy=1)) if job] == [1, 3]
        assert plan.next(busy=2) is None
        assert plan.ended(item(1), outcome(1)) == []
        follower = plan.next(busy=0)
        assert follower is not None
        assert follower.items[0].number == 2

    def test_a_row_that_stands_there_twice_is_told_as_the_first(self) -> None:
        first, twin = item(1, request="x"), item(2, request="x", output=Path("1.foley.mp4"))
        plan = schedule(first, twin)
        plan.next(busy=0)
        ((other, same),) = plan.ended(first, outcome(1))
        assert (other.number, same.number, same.state, same.same_as) == (2, 2, "known", 1)
        assert len(plan) == 0

    def test_another_tries_what_the_first_failed_at(self) -> None:
        first = item(1, request="x")
        plan = schedule(first, item(2, request="x"), item(3, request="x"))
        plan.next(busy=0)
        plan.ended(first, outcome(1, "failed"))
        job = plan.next(busy=0)
        assert job is not None
        assert job.items[0].number == 2
        assert plan.next(busy=0) is None
        assert [left.number for left in plan.left()] == [3]

    def test_what_may_have_taken_too_much_memory_runs_alone(self) -> None:
        plan = schedule(item(1), item(2))
        victim = plan.next(busy=0)
        assert victim is not None
        plan.again(victim.items[0], alone=True)
        assert plan.next(busy=0).items[0].number == 2  # type: ignore[union-attr]
        assert plan.next(busy=1) is None
        assert plan.next(busy=0).items[0].number == 1  # type: ignore[union-attr]
        assert plan.attempts[1] == 2

    def test_plans_come_first_then_takes_together_then_each_video(self) -> None:
        items = [item(n) for n in range(1, 4)]
        plan = schedule(*items, models=True)
        jobs = [plan.next(busy=n) for n in range(4)]
        assert [job.kind if job else None for job in jobs] == ["plan", "plan", "plan", None]
        for each in items:
            assert plan.next_takes() is None
            plan.planned(each, well=True)
        together = plan.next_takes()
        assert together is not None
        assert [each.number for each in together.items] == [1, 2, 3]
        assert plan.next_takes() is None
        plan.takes_made(together.items, unmade=[2])
        assert [plan.next(busy=0).items[0].number for _ in range(3)] == [1, 3, 2]  # type: ignore[union-attr]

    def test_plans_run_only_so_far_ahead_of_the_models(self) -> None:
        plan = schedule(*(item(n) for n in range(1, 10 * TOGETHER)), models=True)
        begun = 0
        while (job := plan.next(busy=begun)) is not None:
            begun += 1
            plan.planned(job.items[0], well=True)
            if begun > 5 * TOGETHER:
                break
        assert begun == 2 * TOGETHER


@pytest.fixture
def clip(tmp_path: Path, media: MediaShelf) -> Path:
    return Path(shutil.copy(media(tiny_clip), tmp_path / "clip.mp4"))


def asked(clip: Path, **changed: object) -> Item:
    settings = Settings(workdir=clip.parent / "cache")
    return replace(Item(1, clip, clip.parent / "clip.foley.mp4", Brief("rain"), settings), **changed)  # type: ignore[arg-type]


class TestKnowing:
    def test_the_same_request_has_the_same_key_whatever_its_file_is_called(self, clip: Path, tmp_path: Path) -> None:
        copy = Path(shutil.copy(clip, tmp_path / "copy.mp4"))
        key = notes.identified(asked(clip)).request
        assert notes.identified(asked(copy, number=7)).request == key
        faster = Settings(options={"takes": {"workers": 1}})
        assert notes.identified(asked(clip, settings=faster)).request == key

    def test_another_request_has_another_key(self, clip: Path, tmp_path: Path) -> None:
        plain = notes.identified(asked(clip)).request
        sheet = tmp_path / "cues.csv"
        sheet.write_text("start,end,description\n0,,knock\n")
        others = [
            asked(clip, brief=Brief("wind")),
            asked(clip, brief=Brief("rain", seed=1)),
            asked(clip, brief=Brief("rain", cue_sheet=sheet)),
            asked(clip, settings=Settings(loudness="web")),
            asked(clip, exports=("otio",)),
        ]
        keys = {plain, *(notes.identified(other).request for other in others)}
        assert len(keys) == 1 + len(others)

    def test_subtitles_beside_a_clip_belong_to_what_is_asked(self, clip: Path) -> None:
        plain = notes.identified(asked(clip)).request
        clip.with_suffix(".srt").write_text("1\n00:00:00,100 --> 00:00:00,300\n[knock]\n")
        notes._subtitles_in.cache_clear()
        assert notes.identified(asked(clip)).request != plain

    def test_a_video_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(NotAMediaFileError, match=r"gone\.mp4: no such file"):
            notes.identified(asked(tmp_path / "gone.mp4"))

    def test_what_is_done_is_known_and_not_done_again(self, clip: Path) -> None:
        first = work.run_item(asked(clip))
        assert (first.state, first.problem) == ("done", None)
        written = Path(first.video).stat().st_mtime_ns
        assert work.run_item(asked(clip)).state == "known"
        assert Path(first.video).stat().st_mtime_ns == written
        assert work.known(notes.identified(asked(clip))) is not None

    def test_a_run_that_was_killed_after_its_video_was_there_is_known(self, clip: Path) -> None:
        one = notes.identified(asked(clip))
        to = api.destination(one.video, one.output)
        notes.begin(one, to)
        api.run(clip, prompt="rain", settings=one.settings)  # and killed before it could note so
        assert notes.is_made(one, to)
        assert work.run_item(one).state == "known"

    def test_another_request_does_not_replace_what_is_there_and_leaves_its_note(self, clip: Path) -> None:
        assert work.run_item(asked(clip)).good
        other = work.run_item(asked(clip, brief=Brief("wind")))
        assert other.problem is not None
        assert other.problem.kind == "OutputExistsError"
        assert work.run_item(asked(clip)).state == "known"

    def test_a_result_that_was_changed_since_is_not_known(self, clip: Path) -> None:
        done = work.run_item(asked(clip))
        with Path(done.video).open("ab") as file:
            file.write(b"edited")
        assert work.known(notes.identified(asked(clip))) is None

    def test_what_fails_leaves_nothing_behind(self, tmp_path: Path) -> None:
        (tmp_path / "bad.mp4").write_bytes(b"no video at all" * 100)
        failed = work.run_item(asked(tmp_path / "bad.mp4", output=tmp_path / "bad.foley.mp4"))
        assert failed.problem is not None
        assert "bad.mp4" in failed.problem.message
        assert not (tmp_path / "bad.foley").exists()


@pytest.fixture
def saboteurs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(generators, "__path__", [str(SABOTEURS), *generators.__path__])
    monkeypatch.setattr("foley.neural.memory.free_mb", lambda device: 16_000)
    ASKED.clear()
    BATCHES.clear()
    yield
    ASKED.clear()
    BATCHES.clear()


PROMPTS = ("0:00.1 knock; rain", "0:00.2 knock; wind", "0:00.05 knock; fire")


def to_models(media: MediaShelf, folder: Path, generator: str = "heavy_batcher") -> list[Item]:
    items = []
    for number, prompt in enumerate(PROMPTS, start=1):
        video = Path(shutil.copy(media(moving, duration_s=0.3 + 0.1 * number), folder / f"{number}.mp4"))
        settings = Settings(workdir=folder / "cache")
        to = folder / f"{number}.foley.mp4"
        items.append(Item(number, video, to, Brief(prompt, generator=generator), settings))
    return items


def finished(items: list[Item]) -> dict[int, str]:
    done = [work.run_item(each) for each in items]
    assert all(one.good for one in done), [one.problem for one in done]
    return {one.number: content(Path(one.folder) / "stems" / "mix.wav") for one in done}


@pytest.mark.usefixtures("saboteurs")
class TestPrefetch:
    def test_takes_of_several_videos_are_made_in_batches_and_come_out_the_same(
        self, media: MediaShelf, tmp_path: Path
    ) -> None:
        alone, together = tmp_path / "alone", tmp_path / "together"
        alone.mkdir()
        together.mkdir()
        wanted = finished(to_models(media, alone))
        requests, largest_alone = len(ASKED), max(map(len, BATCHES))
        ASKED.clear()
        BATCHES.clear()
        items = to_models(media, together)
        for each in items:
            assert work.plan_item(each).problem is None
        assert ASKED == []
        made = prefetch(items)
        assert made.unmade == ()
        assert len(ASKED) == requests
        assert max(map(len, BATCHES)) > largest_alone  # one batch spans videos
        ASKED.clear()
        assert finished(items) == wanted
        assert ASKED == []  # all were found in the cache

    def test_sounds_of_like_length_share_a_batch(self, media: MediaShelf, tmp_path: Path) -> None:
        items = to_models(media, tmp_path)
        for each in items:
            work.plan_item(each)
        with Prefetcher() as prefetcher:
            prefetcher.fetch(items)
        assert all(min(lengths) >= 0.5 * max(lengths) for lengths in BATCHES)

    def test_what_cannot_be_made_is_left_to_its_own_video(
        self, media: MediaShelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise RuntimeError("broken")

        items = to_models(media, tmp_path)
        for each in items:
            work.plan_item(each)
        monkeypatch.setattr(saboteur.Saboteur, "generate", fail)
        assert prefetch(items).unmade == (1, 2, 3)

    def test_an_item_without_a_plan_is_left_alone_and_the_others_are_made(
        self, media: MediaShelf, tmp_path: Path
    ) -> None:
        items = to_models(media, tmp_path)
        for each in items[1:]:
            work.plan_item(each)
        made = prefetch(items)
        assert made.unmade == (1,)
        assert made.takes > 0

    def test_only_items_that_may_go_to_a_model_are_planned_ahead(self) -> None:
        models_here = models.Models()
        assert models_here.may_be_asked(item(1, brief=Brief(generator="heavy_batcher")))
        assert not models_here.may_be_asked(item(2, brief=Brief(generator="procedural")))
        assert not models_here.may_be_asked(item(3, brief=Brief(generator="nobody")))


def test_the_exit_code_tells_a_farm_what_became_of_the_batch() -> None:
    items = (item(1), item(2))

    def code(*outcomes: Outcome, strict: bool = False) -> int:
        return Batch(items, outcomes, 1.0, strict).exit_code

    assert code(outcome(1), outcome(2, "known")) == 0
    assert code(outcome(1), outcome(2, "failed")) == 12
    assert code(outcome(1, "skipped"), outcome(2, "failed")) == 13
    bad = Quality((Check("loudness", "fail", -30.0, "LUFS", "too quiet"),))
    assert code(outcome(1, quality=bad), outcome(2)) == 0
    assert code(outcome(1, quality=bad), outcome(2), strict=True) == 12


def test_the_page_holds_every_clip_names_as_text_and_nothing_from_elsewhere(tmp_path: Path) -> None:
    odd = item(1, video=Path("<b>&'\udcff.mp4"), brief=Brief("<script>alert(1)</script>" + "x" * 100_000))
    bad = Problem("NotAMediaFileError", "2.mp4: no such file", "check its name", 3)
    judged = Quality(
        (Check("sync", "warn", 41.0, "ms", "worst +41.0 ms"), Check("clipping", "pass", 0.0, "runs", "none"))
    )
    outcomes = (outcome(1, quality=judged, thumbnail="data:image/jpeg;base64,AAAA"), outcome(2, "failed", problem=bad))
    text = page.page(Batch((odd, item(2)), outcomes, 3.0), tmp_path)
    assert "&lt;b&gt;" in text
    assert "<script>alert" not in text
    assert "no such file" in text
    assert "+41.0 ms" in text
    assert "http" not in text.replace("http-equiv", "")
    assert len(text) < 40_000
    text.encode()


def test_the_summary_is_json_whatever_names_are_like() -> None:
    odd = item(1, video=Path("a\udcff.mp4"))
    told = json.loads(json.dumps(record(Batch((odd,), (outcome(1),), 1.0))))
    assert told["counts"]["done"] == 1
    assert told["items"][0]["state"] == "done"


def test_a_thumbnail_is_a_frame_of_the_clip(clip: Path, tmp_path: Path) -> None:
    done = work.run_item(asked(clip))
    assert done.thumbnail.startswith("data:image/jpeg;base64,/9j/")
    assert thumbnails.thumbnail(tmp_path) == ""


def test_rows_from_a_list_are_numbered_from_one() -> None:
    assert [each.number for each in read_rows(["-"], stdin=io.StringIO("a.mp4\nb.mp4\n"))] == [1, 2]
