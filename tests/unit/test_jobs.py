"""The queue: what holds of it whoever is killed when."""

from __future__ import annotations

import multiprocessing
import sqlite3
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foley.errors import ServiceError
from foley.service import leases
from foley.service.jobs import MOST_CRASHES, TRIED_OFTEN, Job, JobStore, QueueFullError, UploadTakenError
from foley.service.messages import Problem, Progress, Result

RESULT = Result("a.mp4", "a.foley", "a.foley/plan.yaml", 1, -23.0, -3.0, ("a note",))
ERROR = Problem("MediaError", "it is broken", "mend it")


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path)


def submitted(store: JobStore, **about: str) -> Job:
    return store.submit({"prompt": "rain"}, **about)[0]


def claimed(store: JobStore, by: str = "me") -> Job:
    job = store.claim(service=by, worker=by)
    assert job is not None
    return job


def now(store: JobStore, job: Job) -> Job:
    found = store.get(job.id)
    assert found is not None
    return found


def test_jobs_are_begun_in_the_order_they_came(store: JobStore) -> None:
    jobs = [submitted(store) for _ in range(3)]
    assert [claimed(store, leases.live(store.alive).name).id for _ in jobs] == [job.id for job in jobs]


def test_a_running_job_is_nobody_elses(store: JobStore) -> None:
    lease = leases.live(store.alive)
    submitted(store)
    claimed(store, lease.name)
    assert store.claim(service="other", worker="other") is None
    lease.end(remove=True)
    assert store.claim(service="other", worker="other") is not None


def test_a_job_whose_worker_lives_on_is_not_begun_again(store: JobStore) -> None:
    worker = leases.live(store.alive)
    submitted(store)
    assert store.claim(service="dead", worker=worker.name) is not None
    assert store.claim(service="other", worker="other") is None
    worker.end(remove=True)
    assert store.claim(service="other", worker="other") is not None


def test_who_lost_a_job_cannot_end_it(store: JobStore) -> None:
    submitted(store)
    lost, taken = claimed(store, "gone"), claimed(store, "next")
    assert lost.id == taken.id
    store.finish(lost, RESULT)
    assert now(store, taken).state == "running"
    store.finish(taken, RESULT)
    assert (now(store, taken).state, now(store, taken).result, now(store, taken).attempts) == ("done", RESULT, 2)


def test_the_same_key_is_the_same_job(store: JobStore) -> None:
    first, new = store.submit({"prompt": "rain"}, key="shot 7")
    assert new
    again, new = store.submit({"prompt": "snow"}, key="shot 7")
    assert (again.id, again.request, new) == (first.id, {"prompt": "rain"}, False)
    assert store.has_key("shot 7")
    assert not store.has_key("shot 8")


def test_an_upload_belongs_to_one_job(store: JobStore) -> None:
    submitted(store, upload="u1")
    with pytest.raises(UploadTakenError):
        submitted(store, upload="u1")
    assert store.has_upload("u1")


def test_no_more_jobs_wait_than_may(store: JobStore) -> None:
    store.submit({}, most_queued=1)
    with pytest.raises(QueueFullError):
        store.submit({}, most_queued=1)
    claimed(store, leases.live(store.alive).name)
    store.submit({}, most_queued=1)


def test_a_released_attempt_does_not_count(store: JobStore) -> None:
    submitted(store)
    store.release(claimed(store))
    assert claimed(store).attempts == 1


def test_a_crash_is_forgiven_but_not_for_ever(store: JobStore) -> None:
    submitted(store)
    states = []
    for _ in range(MOST_CRASHES):
        job = claimed(store)
        states.append(store.crash(job, ERROR))
    assert states == [*["queued"] * (MOST_CRASHES - 1), "failed"]
    assert (now(store, job).state, now(store, job).error) == ("failed", ERROR)


def test_a_job_that_ends_the_service_again_and_again_lets_the_others_go_first(store: JobStore) -> None:
    poisoned = submitted(store)
    for _ in range(TRIED_OFTEN):
        assert claimed(store, "killed").id == poisoned.id
    harmless = submitted(store)
    assert claimed(store, "killed").id == harmless.id


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_is_asked_to_end(store: JobStore) -> None:
    lease = leases.live(store.alive)
    running, waiting = submitted(store), submitted(store)
    running = claimed(store, lease.name)
    assert store.cancel(waiting.id).state == "cancelled"
    assert store.cancel(running.id).state == "running"
    assert store.is_cancelled(running)
    store.end_cancelled(running)
    assert now(store, running).state == "cancelled"
    assert store.cancel("nobody") is None


def test_a_cancelled_job_is_not_begun_again_by_the_next_service(store: JobStore) -> None:
    submitted(store)
    job = claimed(store, "killed")
    store.cancel(job.id)
    assert store.claim(service="next", worker="next") is None
    assert now(store, job).state == "cancelled"


def test_only_a_job_that_has_ended_is_deleted(store: JobStore) -> None:
    job = submitted(store)
    assert not store.delete(job.id)
    store.cancel(job.id)
    assert store.delete(job.id)
    assert store.get(job.id) is None


def test_each_change_is_a_new_revision(store: JobStore) -> None:
    revisions = [submitted(store).revision]
    job = claimed(store)
    revisions.append(job.revision)
    store.advance(job, Progress("takes", "making sounds", 9, 15, 0.5))
    revisions.append(now(store, job).revision)
    assert now(store, job).progress == Progress("takes", "making sounds", 9, 15, 0.5)
    store.fail(job, ERROR)
    revisions.append(now(store, job).revision)
    assert revisions == [0, 1, 2, 3]


def test_lists_are_newest_first_and_go_on_where_they_ended(store: JobStore) -> None:
    jobs = [submitted(store) for _ in range(5)]
    page = store.newest(limit=2)
    assert [job.id for job in page] == [jobs[4].id, jobs[3].id]
    assert [job.id for job in store.newest(before=page[-1].number)] == [job.id for job in jobs[2::-1]]
    store.cancel(jobs[1].id)
    assert [job.id for job in store.newest(state="cancelled")] == [jobs[1].id]
    assert store.counts() == {"queued": 4, "cancelled": 1}


def test_the_longest_wait_and_what_ended_are_known_by_time(store: JobStore) -> None:
    assert store.oldest_s() is None
    first, second = submitted(store), submitted(store)
    assert store.oldest_s() == pytest.approx(first.created_s)
    store.cancel(first.id)
    assert store.oldest_s() == pytest.approx(second.created_s)
    ended_s = now(store, first).ended_s
    assert ended_s is not None
    assert [job.id for job in store.ended_before(ended_s + 0.001)] == [first.id]
    assert store.ended_before(ended_s) == []


def test_another_process_finds_what_was_queued(store: JobStore, tmp_path: Path) -> None:
    job = submitted(store)
    store.close()
    assert JobStore(tmp_path).get(job.id) == job


def test_a_queue_of_another_version_and_a_broken_one_are_refused(tmp_path: Path) -> None:
    JobStore(tmp_path / "new").close()
    with sqlite3.connect(tmp_path / "new" / "jobs.sqlite") as base:
        base.execute("PRAGMA user_version = 99")
    base.close()
    with pytest.raises(ServiceError, match="another version"):
        JobStore(tmp_path / "new")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "jobs.sqlite").write_text("these are my notes, and no database\n" * 50)
    with pytest.raises(ServiceError, match="cannot be used"):
        JobStore(tmp_path / "broken")


def hold(folder: Path, talk: object) -> None:
    talk.send(leases.live(folder).name)  # type: ignore[attr-defined]
    time.sleep(60)


def test_a_lease_lives_as_long_as_its_process(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=hold, args=(tmp_path, there))
    process.start()
    name = here.recv()
    assert leases.is_live(tmp_path, name)
    process.kill()
    process.join()
    assert not leases.is_live(tmp_path, name)
    assert not (tmp_path / name).exists()


OPERATIONS = ("submit", "claim", "finish", "fail", "release", "crash", "cancel", "kill")


@settings(max_examples=25)
@given(steps=st.lists(st.sampled_from(OPERATIONS), max_size=25))
def test_no_job_is_lost_and_none_is_ended_twice(steps: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("jobs")
    store, made = JobStore(folder), []
    lease, running = leases.live(store.alive), None
    for step in [*steps, "kill", *["claim", "finish"] * (len(steps) * 2 + 1)]:
        before = {job.id for job in store.newest(limit=100) if job.state in ("done", "failed", "cancelled")}
        if step == "submit":
            made.append(submitted(store).id)
        elif step == "kill":
            store.close()
            lease.end()
            store, running = JobStore(folder), None
            lease = leases.live(store.alive)
        elif step == "claim":
            running = running or store.claim(service=lease.name, worker=lease.name)
        elif running is not None:
            if step == "cancel":
                store.cancel(running.id)
                store.end_cancelled(running)
            else:
                more = {"finish": (RESULT,), "fail": (ERROR,), "crash": (ERROR,), "release": ()}[step]
                getattr(store, step)(running, *more)
            running = None
        assert before <= {job.id for job in store.newest(limit=100) if job.state in ("done", "failed", "cancelled")}
    assert {job.id for job in store.newest(limit=100)} == set(made)
    assert {job.state for job in store.newest(limit=100)} <= {"done", "failed", "cancelled"}
    store.close()
    lease.end()
