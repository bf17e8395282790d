"""`foley serve` as editors use it: a real server, its worker, its client; killed and ended in the middle."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from foley.service.client import Client, JobFailed, ServiceRefused
from tests.service_maker import PROMPT, Gate, Served, content, is_alive, tiny_clip

pytest.importorskip("uvicorn")
pytest.importorskip("starlette")
pytest.importorskip("prometheus_client")

JOBS = 2
TIME_LIMIT_MIN = 0.02
"""A second and a bit: no job that waits at a gate ends by then."""

CHECKS = ("queue", "workers", "disk", "open")

LONGEST_MIN = 0.05
"""Three seconds: longer than every clip here but one."""


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    tiny_clip(folder / "clip.mp4")
    tiny_clip(folder / "long.mp4", duration_s=4)
    (folder / "broken.mp4").write_text("these are my notes\n")
    return folder


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, media: Path) -> Served:
    """A service with two workers, that is not ended before the last test."""
    folder = tmp_path_factory.mktemp("served")
    limits = ("--max-clip-minutes", str(LONGEST_MIN))
    with Served(
        folder / "work", "--root", media, "--workers", "2", "--allow-models", *limits, "--log-file", folder / "log"
    ) as served:
        yield served  # type: ignore[misc]


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path / "gate")


def until_stage(client: Client, job_id: str, stage: str = "takes") -> None:
    """Wait until a job is in the middle of its work."""
    for job in client.events(job_id):
        assert job["state"] in ("queued", "running"), job
        if job["progress"] and job["progress"]["stage"] == stage:
            return


def lines(served: Served, job_id: str) -> list[dict[str, Any]]:
    """Return what was logged of a job."""
    found = (served.folder.parents[1] / "log").read_text().splitlines()
    return [line for line in map(json.loads, found) if line.get("job") == job_id]


def figures(served: Served) -> dict[str, float]:
    """Return the service's figures, by name and labels."""
    asked = urllib.request.Request(served.url + "/metrics", headers={"Authorization": "Bearer " + served.token})
    with urllib.request.urlopen(asked, timeout=20) as answer:
        text = answer.read().decode()
    return {name: float(value) for name, value in re.findall(r"^(foley_\S+) (\S+)$", text, re.MULTILINE)}


def test_a_clip_is_submitted_watched_and_fetched(served: Served, media: Path, tmp_path: Path) -> None:
    client = served.client
    job = client.submit(str(media / "clip.mp4"), prompt=PROMPT)
    seen: list[dict[str, object]] = []
    done = client.wait(job["id"], on_change=seen.append)
    assert [one["revision"] for one in seen] == sorted({one["revision"] for one in seen})
    assert any(one["progress"] for one in seen)
    assert done["result"]["events"] >= 1
    assert Path(done["result"]["video"]).is_file()
    files = client.download(job["id"], tmp_path)
    assert (tmp_path / "clip.foley.mp4") in files
    assert content(tmp_path / "clip.foley.mp4") == content(Path(done["result"]["video"]))
    assert (tmp_path / "clip.foley" / "stems" / "mix.wav").is_file()
    client.delete(job["id"])
    assert not Path(done["result"]["video"]).exists()
    assert (media / "clip.mp4").is_file()


def test_a_clip_is_sent_and_only_planned(served: Served, media: Path) -> None:
    client = served.client
    job = client.submit(upload=client.upload(media / "clip.mp4"), prompt=PROMPT, task="plan")
    done = client.wait(job["id"])
    assert (done["result"]["video"], done["result"]["events"] >= 1) == ("", True)
    names = [file["name"] for file in client.files(job["id"])]
    assert "clip.foley/plan.yaml" in names


def test_the_result_goes_where_it_is_asked_to(served: Served, media: Path) -> None:
    client, output = served.client, media / "scored.mp4"
    job = client.submit(str(media / "clip.mp4"), prompt=PROMPT, output=str(output), exports=["rpp"])
    assert client.wait(job["id"])["result"]["video"] == str(output)
    assert any(file["name"].startswith("scored.foley/export/rpp/") for file in client.files(job["id"]))
    with pytest.raises(ServiceRefused) as refused:
        client.submit(str(media / "clip.mp4"), prompt=PROMPT, output=str(output))
    assert (refused.value.status, refused.value.kind) == (409, "OutputExistsError")
    client.delete(job["id"])
    assert output.is_file()  # it is not the service's


def test_a_clip_that_cannot_be_used_fails_with_its_reason(served: Served, media: Path) -> None:
    job = served.client.submit(str(media / "broken.mp4"))
    with pytest.raises(JobFailed) as failed:
        served.client.wait(job["id"])
    assert failed.value.kind == "NotAMediaFileError"
    assert "broken.mp4" in failed.value.message


def test_a_clip_that_is_longer_than_may_be_fails_with_that(served: Served, media: Path) -> None:
    job = served.client.submit(str(media / "long.mp4"))
    with pytest.raises(JobFailed, match="minutes long") as failed:
        served.client.wait(job["id"])
    assert failed.value.kind == "ClipTooLongError"
    assert figures(served)['foley_failures_total{kind="ClipTooLongError"}'] >= 1


def test_two_workers_do_two_jobs_at_once(served: Served, media: Path, gate: Gate) -> None:
    client = served.client
    jobs = [client.submit(str(media / "clip.mp4"), prompt=PROMPT, seed=40 + n, **gate.asked)["id"] for n in range(2)]
    for job in jobs:
        until_stage(client, job)
    assert [client.job(job)["state"] for job in jobs] == ["running", "running"]
    assert figures(served)['foley_jobs{state="running"}'] == 2
    gate.open()
    assert [client.wait(job)["state"] for job in jobs] == ["done", "done"]
    assert {line["worker"] for job in jobs for line in lines(served, job) if line["event"] == "job_started"} == {1, 2}


def test_a_job_is_told_in_lines_and_figures_from_its_submission_to_its_end(served: Served, media: Path) -> None:
    client, before = served.client, figures(served)
    job = client.submit(str(media / "clip.mp4"), prompt=PROMPT, seed=77)["id"]
    client.wait(job)
    told = lines(served, job)
    assert [line["event"] for line in told][:2] == ["job_queued", "job_started"]
    assert (told[-1]["event"], told[-1]["state"]) == ("job_ended", "done")
    stages = {line["stage"]: line for line in told if line["event"] == "stage_ended"}
    assert {"watch", "propose", "takes", "master", "deliver"} <= set(stages)
    assert stages["takes"]["cached"] is False
    assert stages["takes"]["seconds"] > 0
    started = [line["stage"] for line in told if line["event"] == "stage_started"]
    assert sorted(started) == sorted(line["stage"] for line in told if line["event"] == "stage_ended")
    log = (served.folder.parents[1] / "log").read_text()
    assert served.token not in log
    assert "anvil" not in log
    now = figures(served)
    assert now['foley_job_seconds_count{state="done"}'] == before.get('foley_job_seconds_count{state="done"}', 0) + 1
    made = 'foley_stage_seconds_count{stage="takes"}'
    assert now[made] == before.get(made, 0) + 1
    again = client.submit(str(media / "clip.mp4"), prompt=PROMPT, seed=77)["id"]
    client.wait(again)
    assert next(line["cached"] for line in lines(served, again) if line["event"] == "stage_ended") is True
    hits = 'foley_cache_total{outcome="hit",stage="watch"}'
    assert figures(served)[hits] == now.get(hits, 0) + 1
    assert now['foley_ready{check="workers"}'] == 1


def test_the_figures_are_for_who_has_the_token(served: Served) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(served.url + "/metrics", timeout=20)
    with refused.value as answer:
        assert answer.code == 401


def test_a_job_is_cancelled_in_the_middle_and_the_next_is_done(served: Served, media: Path, gate: Gate) -> None:
    client = served.client
    job = client.submit(str(media / "clip.mp4"), prompt=PROMPT, seed=1, **gate.asked)
    until_stage(client, job["id"])
    pids = {worker.pid for worker in served.workers()}
    client.cancel(job["id"])
    with pytest.raises(JobFailed) as failed:
        client.wait(job["id"])
    assert failed.value.kind == "Cancelled"
    assert sum(is_alive(pid) for pid in pids) == 1
    again = client.submit(str(media / "clip.mp4"), prompt=PROMPT, seed=5)
    assert client.wait(again["id"])["state"] == "done"


def test_a_worker_that_dies_is_replaced_and_its_job_done(served: Served, media: Path, gate: Gate) -> None:
    client = served.client
    job = client.submit(str(media / "clip.mp4"), prompt=PROMPT, seed=2, **gate.asked)
    until_stage(client, job["id"])
    number = next(line["worker"] for line in lines(served, job["id"]) if line["event"] == "job_started")
    log = map(json.loads, (served.folder.parents[1] / "log").read_text().splitlines())
    pids = [line["pid"] for line in log if line["event"] == "worker_started" and line["worker"] == number]
    os.kill(pids[-1], signal.SIGKILL)
    gate.open()
    done = client.wait(job["id"])
    assert (done["state"], done["attempts"]) == ("done", 2)
    assert figures(served)['foley_worker_restarts_total{reason="crash"}'] >= 1


def test_a_wrong_token_is_refused_by_the_real_thing(served: Served) -> None:
    with pytest.raises(ServiceRefused) as refused:
        Client("wrong", served.url).jobs()
    assert (refused.value.status, refused.value.kind) == (401, "Unauthorised")
    assert served.folder.stat().st_mode & 0o077 == 0  # what is asked and made is nobody else's
    with pytest.raises(ServiceRefused, match="no answer"):
        Client(served.token, "http://127.0.0.1:1").jobs()


def test_the_client_is_one_file_that_needs_nothing(served: Served, tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "foley" / "service" / "client.py"
    (tmp_path / "foley_client.py").write_text(source.read_text())
    script = "import sys, foley_client; print(len(foley_client.Client(sys.argv[1], sys.argv[2]).jobs(limit=1)))"
    command = [sys.executable, "-S", "-c", script, served.token, served.url]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ""})
    assert (done.returncode, done.stderr) == (0, "")


def test_a_second_service_on_the_same_port_says_so(served: Served, tmp_path: Path) -> None:
    port = served.url.rpartition(":")[2]
    command = [sys.executable, "-m", "foley", "serve", "--port", port, "--workdir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 10
    assert "cannot listen" in done.stderr
    assert "Traceback" not in done.stderr


@dataclass
class Story:
    """A queue whose service is killed, ended, killed just before a result was noted, and started again each time."""

    wanted: list[str] = field(default_factory=list)
    """Contents of the videos that a service makes which nobody ends."""
    ids: list[str] = field(default_factory=list)
    same_key: str = ""
    """The job that a request sent again after the kill is."""
    survivors: int = 0
    """Workers that outlived their service."""
    log: str = ""
    finished: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The files of jobs that were done before the kill, the termination, and the end."""
    done: list[dict[str, Any]] = field(default_factory=list)
    after: dict[str, tuple[int, int]] = field(default_factory=dict)
    again: list[dict[str, Any]] = field(default_factory=list)
    """The jobs after the kill that came before their results were noted."""
    after_again: dict[str, tuple[int, int]] = field(default_factory=dict)
    overdue: dict[str, Any] = field(default_factory=dict)
    """A job that took longer than it may."""
    draining: dict[str, Any] = field(default_factory=dict)
    """What /readyz says of a service that was told to end and waits for a job."""
    open_figures: str = ""
    """What it tells to who has no token, where that is allowed."""
    drained: dict[str, Any] = field(default_factory=dict)
    waiting: dict[str, Any] = field(default_factory=dict)
    """The job after the one that was waited for."""
    last_log: str = ""


@pytest.fixture(scope="module")
def story(served: Served, media: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    with ExitStack() as stack:  # where something is wrong, no service stays
        return told(served, media, tmp_path_factory.mktemp("story"), stack)


def told(served: Served, media: Path, folder: Path, stack: ExitStack) -> Story:
    found = Story()
    clip = str(media / "clip.mp4")
    killed, ended = Gate(folder / "killed"), Gate(folder / "ended")
    asked = [{"prompt": PROMPT, "seed": seed} for seed in range(JOBS)]
    calm = [served.client.submit(clip, **one)["id"] for one in asked]
    found.wanted = [content(Path(served.client.wait(job)["result"]["video"])) for job in calm]
    options = ("--root", media, "--allow-models")
    first = stack.enter_context(Served(folder / "work", *options))
    jobs = [{"prompt": PROMPT, **killed.asked}, *asked, {"prompt": PROMPT, **ended.asked}]
    jobs[:2] = jobs[1::-1]  # one is done, the next runs when the service is killed
    found.ids = [first.client.submit(clip, key=f"job {n}", **one)["id"] for n, one in enumerate(jobs)]
    until_stage(first.client, found.ids[1])
    found.finished |= finished(first.client)
    first.kill()
    killed.open()
    second = stack.enter_context(Served(folder / "work", *options))
    found.same_key = second.client.submit(clip, key="job 0", **asked[0])["id"]
    until_stage(second.client, found.ids[-1])  # all others are done
    found.finished |= finished(second.client)
    workers = second.workers()
    assert second.terminate() == 0
    found.survivors = sum(is_alive(worker.pid) for worker in workers)
    found.log = (folder / "work.log").read_text()
    ended.open()
    third = stack.enter_context(Served(folder / "work", *options, "--drain-s", "60", "--metrics-open"))
    found.done = [third.client.wait(job) for job in found.ids]
    found.after = finished(third.client)
    tell_of_draining(found, third, clip, Gate(folder / "draining"))
    found.last_log = (folder / "work.log").read_text()
    unnote(third.folder / "jobs.sqlite")
    fourth = stack.enter_context(Served(folder / "work", *options, "--max-job-minutes", str(TIME_LIMIT_MIN)))
    found.again = [fourth.client.wait(job) for job in found.ids]
    found.after_again = finished(fourth.client)
    overdue = fourth.client.submit(clip, prompt=PROMPT, **Gate(folder / "closed").asked)["id"]
    with pytest.raises(JobFailed):
        fourth.client.wait(overdue)
    found.overdue = fourth.client.job(overdue)
    return found


def tell_of_draining(found: Story, service: Served, clip: str, gate: Gate) -> None:
    """Tell a service to end while a job runs and another waits."""
    runs = service.client.submit(clip, prompt=PROMPT, seed=50, **gate.asked)["id"]
    until_stage(service.client, runs)
    found.waiting = service.client.submit(clip, prompt=PROMPT, seed=51)
    service.process.terminate()
    found.draining = until_ready(service, 503)
    with urllib.request.urlopen(service.url + "/metrics", timeout=20) as answer:
        found.open_figures = answer.read().decode()
    heard = service.client.events(runs)
    next(heard)
    gate.open()
    *_, found.drained = heard
    assert service.wait() == 0


def finished(client: Client) -> dict[str, tuple[int, int]]:
    """Return which file each job that is done has made: written again, it would be another one."""
    found = {job["id"]: Path(job["result"]["video"]).stat() for job in client.jobs(state="done")}
    return {job: (file.st_ino, file.st_mtime_ns) for job, file in found.items()}


def unnote(queue: Path) -> None:
    """Make it as if the kill had come after the videos were there and before the queue knew."""
    import sqlite3

    base = sqlite3.connect(queue)
    with base:
        base.execute(
            "UPDATE jobs SET state = 'running', result = NULL, service = 'gone', worker = 'gone' WHERE result != ''"
        )
    base.close()


def test_killed_and_ended_in_the_middle_no_job_is_lost_and_none_done_twice(story: Story) -> None:
    assert [one["state"] for one in story.done] == ["done"] * (JOBS + 2)
    made = [content(Path(one["result"]["video"])) for one in story.done]
    assert [made[0], *made[2:-1]] == story.wanted
    assert len(story.finished) == JOBS + 1
    assert story.finished.items() <= story.after.items()
    assert [one["attempts"] for one in story.done] == [1, 2, *[1] * JOBS]
    assert story.same_key == story.ids[0]


def test_ended_in_the_middle_the_job_goes_back_and_is_done_at_the_next_start(story: Story) -> None:
    assert story.survivors == 0
    assert "1 jobs wait" in story.log
    assert (story.done[-1]["state"], story.done[-1]["attempts"]) == ("done", 1)


def test_a_result_that_was_finished_just_before_the_kill_is_known_again(story: Story) -> None:
    assert [one["state"] for one in story.again] == ["done"] * (JOBS + 2)
    assert story.after.items() <= story.after_again.items()


def test_a_job_that_takes_longer_than_it_may_is_ended_and_that_is_said(story: Story) -> None:
    assert (story.overdue["state"], story.overdue["error"]["kind"]) == ("failed", "TimeLimit")
    assert "longer than 0.02 minutes" in story.overdue["error"]["message"]
    assert "--max-job-minutes" in story.overdue["error"]["hint"]


def test_told_to_end_it_waits_for_the_job_that_runs_and_begins_no_other(story: Story) -> None:
    assert story.draining["checks"] == dict.fromkeys(CHECKS, "ok") | {"open": "the service is ending"}
    assert (story.drained["state"], story.waiting["state"]) == ("done", "queued")
    assert 'foley_ready{check="open"} 0.0' in story.open_figures
    assert story.last_log.count("1 jobs wait") == 2


def until_ready(served: Served, status: int) -> dict[str, Any]:
    """Return what /readyz says once it answers with a status."""
    until_s = time.monotonic() + 30
    while time.monotonic() < until_s:
        try:
            with urllib.request.urlopen(served.url + "/readyz", timeout=20) as answer:
                told, found = json.load(answer), answer.status
        except urllib.error.HTTPError as refused:
            with refused:
                told, found = json.load(refused), refused.code
        if found == status:
            return dict(told)
        time.sleep(0.1)
    raise AssertionError(f"/readyz never answered {status}")


def test_ready_means_that_a_worker_is_up(served: Served) -> None:
    assert until_ready(served, 200) == {"ready": True, "checks": dict.fromkeys(CHECKS, "ok")}


def test_help_tells_what_is_taken() -> None:
    done = subprocess.run([sys.executable, "-m", "foley", "serve", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert all(option in done.stdout for option in ("--root", "--token-file", "--allow-origin", "--max-queued"))


def test_an_answer_is_json_also_to_who_does_not_ask_for_it(served: Served) -> None:
    with urllib.request.urlopen(served.url + "/healthz", timeout=20) as answer:
        assert json.load(answer)["status"] == "ok"
