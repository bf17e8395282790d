"""Who is let in, what is refused and how, and the document that says so; without a worker."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest

from foley.errors import CannotWriteError, DiskFullError, ServiceError
from foley.service import doorman, limits, patience, retention
from foley.service.desk import Service
from foley.service.doorman import Door, Doorman
from foley.service.http_api import OPERATIONS
from foley.service.jobs import JobStore
from foley.service.logs import Log
from foley.service.messages import JobRequest, JobView, Result
from foley.service.openapi import document
from foley.service.places import Roots
from foley.service.readiness import Checks
from foley.service.server import application, read_or_make_token
from foley.service.supervisor import Supervisor
from foley.service.telemetry import Telemetry
from foley.service.uploads import Uploads
from foley.service.work import Rules

httpx = pytest.importorskip("httpx")
pytest.importorskip("starlette")

TOKEN = "a-token-for-tests-only"
PANEL = "https://panel.example"


WELL = {"queue": "ok", "workers": "ok", "disk": "ok", "open": "ok"}


@dataclass(frozen=True, slots=True)
class Free:
    """What a disk is said to have."""

    free: int


class Asked:
    """The application behind its doorman, asked without a network."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.said: list[str] = []
        hosts = frozenset({"127.0.0.1", "localhost", "::1"})
        self.app = Doorman(application(service), Door(TOKEN, hosts, frozenset({PANEL})), self.said.append)

    def __call__(self, method: str, path: str, *, token: str | None = TOKEN, **more: Any) -> Any:
        async def ask() -> Any:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8723") as client:
                headers = {"authorization": f"Bearer {token}"} if token is not None else {}
                return await client.request(method, path, headers=headers | more.pop("headers", {}), **more)

        return asyncio.run(ask())


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    (folder / "clip.mp4").write_bytes(b"a clip")
    (tmp_path / "secret.mp4").write_bytes(b"not yours")
    return folder


@pytest.fixture
def ask(tmp_path: Path, media: Path) -> Iterator[Asked]:
    work = tmp_path / "service"
    store, telemetry = JobStore(work), Telemetry(Log(lambda text: None))
    supervisor = Supervisor(store, lambda job: service.order(job), telemetry=telemetry, has_room=lambda: True)
    supervisor.mark(1, up=True)  # as if a worker were there
    service = Service(
        store,
        Uploads(work / "uploads", most_bytes=1 << 20),
        work / "jobs",
        Roots((media.resolve(),)),
        Rules(tmp_path / "cache"),
        most_queued=3,
        wake=lambda: None,
        is_ending=lambda: False,
        readiness=Checks(store, supervisor, (work,), limits.RESERVE_BYTES).readiness,
        telemetry=telemetry,
    )
    yield Asked(service)
    store.close()


def job(media: Path, **fields: Any) -> dict[str, Any]:
    return {"json": {"video": str(media / "clip.mp4"), "prompt": "rain", **fields}}


def refusal(answer: Any) -> tuple[int, str]:
    """Return status and kind; every refusal has the same three fields."""
    said = answer.json()
    assert set(said) == {"kind", "message", "hint"}
    assert "Traceback" not in answer.text
    return answer.status_code, said["kind"]


def test_health_and_the_document_need_no_token(ask: Asked) -> None:
    assert ask("GET", "/healthz", token=None).json()["status"] == "ok"
    assert ask("GET", "/openapi.json", token=None).json()["openapi"] == "3.1.0"


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN[:-1], TOKEN + "x", "ü"])
def test_nothing_is_done_without_the_token(ask: Asked, media: Path, token: str | None) -> None:
    headers = {"authorization": f"Bearer {token}".encode()} if token == "ü" else {}
    answer = ask("POST", "/v1/jobs", token=None if token == "ü" else token, headers=headers, **job(media))
    assert refusal(answer) == (401, "Unauthorised")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert ask.service.store.counts() == {}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8723", ""])
def test_a_name_that_was_pointed_here_is_refused(ask: Asked, host: str) -> None:
    assert refusal(ask("GET", "/v1/jobs", headers={"host": host})) == (421, "WrongHost")


@pytest.mark.parametrize("host", ["127.0.0.1:8723", "LOCALHOST", "[::1]:8723"])
def test_the_names_of_this_machine_are_taken(ask: Asked, host: str) -> None:
    assert ask("GET", "/v1/jobs", headers={"host": host}).status_code == 200


def test_pages_of_other_origins_are_refused_even_with_the_token(ask: Asked) -> None:
    assert refusal(ask("GET", "/v1/jobs", headers={"origin": "https://evil.example"})) == (403, "OriginRefused")
    assert refusal(ask("GET", "/v1/jobs", headers={"origin": "null"})) == (403, "OriginRefused")


def test_an_allowed_origin_is_told_so(ask: Asked) -> None:
    asked = {"origin": PANEL, "access-control-request-method": "POST"}
    preflight = ask("OPTIONS", "/v1/jobs", token=None, headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == PANEL
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    answer = ask("GET", "/v1/jobs", headers={"origin": PANEL})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, PANEL)
    assert "access-control-allow-origin" not in ask("GET", "/v1/jobs").headers


def test_a_job_is_queued_and_told(ask: Asked, media: Path) -> None:
    made = ask("POST", "/v1/jobs", **job(media, seed=7, options={"master": {"loudness": "web"}}))
    assert made.status_code == 201
    assert (made.json()["state"], made.json()["prompt"]) == ("queued", "rain")
    assert ask("GET", f"/v1/jobs/{made.json()['id']}").json() == made.json()
    assert ask("GET", "/v1/jobs").json() == {"jobs": [made.json()], "more": False}
    assert ask.service.store.newest()[0].request["options"] == {"master": {"loudness": "web"}}


def test_a_request_that_is_sent_again_is_the_same_job(ask: Asked, media: Path) -> None:
    first = ask("POST", "/v1/jobs", **job(media, key="shot 7"))
    again = ask("POST", "/v1/jobs", **job(media, key="shot 7"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]


BAD_JOBS = {
    "unknown fields": ({"promt": "x", "sede": 1}, 422, "'promt', did you mean 'prompt'"),
    "wrong type": ({"seed": "3"}, 422, "seed"),
    "seed too small": ({"seed": -1}, 422, "seed must be 0 or more"),
    "unknown task": ({"task": "destroy"}, 422, "task"),
    "unknown loudness": ({"loudness": "loudest"}, 422, "loudness"),
    "unknown stage": ({"options": {"mastre": {"loudness": "web"}}}, 422, "mastre"),
    "unknown option": ({"options": {"master": {"loudnes": "web"}}}, 422, "loudnes"),
    "unknown generator": ({"generator": "theremin"}, 422, "theremin"),
    "unknown workflow": ({"workflow": "postprod"}, 422, "postprod"),
    "workflow of a file": ({"workflow": "/etc/passwd.yaml"}, 422, "/etc/passwd.yaml"),
    "unknown exporter": ({"exports": ["otoi"]}, 422, "otoi"),
    "a program to run": ({"options": {"takes": {"models": ["command=rm"]}}}, 422, "takes.models"),
    "a separator to run": (
        {"workflow": "dubbing", "options": {"separate": {"separator": "rm {input}"}}},
        422,
        "separate.separator",
    ),
    "a certificate to read": ({"options": {"deliver": {"c2pa_certificate": "/etc/passwd"}}}, 422, "c2pa_certificate"),
    "a key to read": ({"options": {"deliver": {"c2pa_key": "/etc/shadow"}}}, 422, "deliver.c2pa_key"),
    "an address to be stamped by": ({"options": {"deliver": {"c2pa_timestamps": "http://evil"}}}, 422, "timestamps"),
    "an address to call": ({"options": {"propose": {"endpoint": "http://evil"}}}, 422, "propose.endpoint"),
    "upload and video": ({"upload": "0" * 16}, 422, "either"),
    "missing file": ({"video": "{media}/gone.mp4"}, 422, "not there"),
    "a folder": ({"video": "{media}"}, 422, "no file"),
    "relative path": ({"video": "clip.mp4"}, 422, "absolute"),
    "outside": ({"video": "/etc/passwd"}, 403, "outside the roots"),
    "dots": ({"video": "{media}/../secret.mp4"}, 403, "outside the roots"),
    "dots that lead nowhere": ({"video": "{media}/../gone.mp4"}, 403, "outside the roots"),
    "a link out": ({"video": "{media}/link.mp4"}, 403, "outside the roots"),
    "a linked folder out": ({"video": "{media}/up/secret.mp4"}, 403, "outside the roots"),
    "a null byte": ({"video": "{media}/clip\0.mp4"}, 422, "no path"),
    "output outside": ({"output": "/tmp/out.mp4"}, 403, "outside the roots"),
    "output through a link": ({"output": "{media}/up/out.mp4"}, 403, "outside the roots"),
    "subtitles outside": ({"subtitles": "/etc/passwd"}, 403, "outside the roots"),
    "output exists": ({"output": "{media}/clip.mp4"}, 409, "exists already"),
    "a long key": ({"key": "x" * 201}, 422, "200 characters"),
    "a very long prompt": ({"prompt": "x" * 200_001}, 422, "200000 characters"),
}


@pytest.mark.parametrize("case", BAD_JOBS)
def test_a_job_that_cannot_be_is_refused_with_its_reason(ask: Asked, media: Path, case: str) -> None:
    (media / "link.mp4").symlink_to(media.parent / "secret.mp4")
    (media / "up").symlink_to(media.parent)
    fields, status, says = BAD_JOBS[case]
    named = {
        name: value.replace("{media}", str(media)) if isinstance(value, str) else value
        for name, value in fields.items()
    }
    answer = ask("POST", "/v1/jobs", **job(media, **named))
    assert refusal(answer)[0] == status
    assert says in answer.json()["message"]
    assert ask.service.store.counts() == {}


BAD_BODIES = {
    "no json": (b"prompt=rain", 400),
    "cut off": (b'{"prompt": "ra', 400),
    "half a character": (b'{"prompt": "\\ud800", "video": "/a"}', 400),
    "not UTF-8": (b'{"prompt": "\xff"}', 400),
    "deep": (b'{"options": ' + b"[" * 100_000, 400),
    "a list": (b"[]", 422),
    "nothing": (b"", 400),
    "no clip": (b"{}", 422),
    "a huge number": (b'{"seed": ' + b"9" * 5000 + b', "video": "/a"}', 400),
}


@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_body_that_is_no_job_is_refused(ask: Asked, case: str) -> None:
    body, status = BAD_BODIES[case]
    answer = ask("POST", "/v1/jobs", content=body, headers={"content-type": "application/json"})
    assert refusal(answer)[0] == status
    assert len(answer.text) < 2000


def test_a_form_of_a_web_page_is_no_job(ask: Asked, media: Path) -> None:
    body = json.dumps(job(media)["json"])
    answer = ask("POST", "/v1/jobs", content=body, headers={"content-type": "text/plain"})
    assert refusal(answer) == (415, "NotJson")


def test_a_huge_body_is_refused_announced_or_not(ask: Asked) -> None:
    async def endless() -> Any:
        for _ in range(100):
            yield b" " * 100_000

    headers = {"content-type": "application/json"}
    for content in (b" " * (doorman.MOST_BODY_BYTES + 1), endless()):
        answer = ask("POST", "/v1/jobs", content=content, headers=headers)
        assert refusal(answer) == (413, "TooLarge")


def test_no_more_jobs_wait_than_may(ask: Asked, media: Path) -> None:
    statuses = [ask("POST", "/v1/jobs", **job(media)).status_code for _ in range(4)]
    assert statuses == [201, 201, 201, 429]


def test_what_is_not_there_is_not_found(ask: Asked) -> None:
    for method, path in (
        *(("GET", "/v1/jobs/nobody"), ("DELETE", "/v1/jobs/nobody"), ("POST", "/v1/jobs/nobody/cancel")),
        *(("GET", "/v1/jobs/nobody/events"), ("GET", "/v1/jobs/nobody/files"), ("GET", "/v1/jobs/nobody/files/a.wav")),
        *(("DELETE", "/v1/uploads/../../etc"), ("DELETE", "/v1/uploads/nobody"), ("GET", "/"), ("GET", "/v1/jobs/")),
        ("GET", "/v1/jobs?before=nobody"),
    ):
        assert refusal(ask(method, path)) == (404, "NotFound"), path
    assert refusal(ask("PUT", "/v1/jobs")) == (405, "WrongMethod")


@pytest.mark.parametrize("query", ["state=asleep", "limit=0", "limit=101", "limit=many", "limit=99999999999999999999"])
def test_a_list_that_cannot_be_is_refused(ask: Asked, query: str) -> None:
    assert refusal(ask("GET", f"/v1/jobs?{query}")) == (422, "BadRequest")


def test_long_lists_come_in_pages(ask: Asked, media: Path) -> None:
    made = [ask("POST", "/v1/jobs", **job(media)).json()["id"] for _ in range(3)]
    page = ask("GET", "/v1/jobs?limit=2").json()
    assert ([one["id"] for one in page["jobs"]], page["more"]) == ([made[2], made[1]], True)
    rest = ask("GET", f"/v1/jobs?limit=2&before={made[1]}").json()
    assert ([one["id"] for one in rest["jobs"]], rest["more"]) == ([made[0]], False)


def test_cancel_and_delete(ask: Asked, media: Path) -> None:
    made = ask("POST", "/v1/jobs", **job(media)).json()["id"]
    assert refusal(ask("DELETE", f"/v1/jobs/{made}")) == (409, "NotEnded")
    assert refusal(ask("GET", f"/v1/jobs/{made}/files")) == (409, "NoFiles")
    cancelled = ask("POST", f"/v1/jobs/{made}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (202, "cancelled")
    assert ask("DELETE", f"/v1/jobs/{made}").json() == {"id": made}
    assert ask("GET", f"/v1/jobs/{made}").status_code == 404


def done_job(ask: Asked, media: Path) -> tuple[str, Path]:
    """Return a job that is done, and its own folder with a few files."""
    made = ask("POST", "/v1/jobs", **job(media)).json()["id"]
    own = ask.service.own(made)
    (own / "clip.foley" / "stems").mkdir(parents=True)
    (own / "clip.foley.mp4").write_bytes(bytes(range(100)))
    (own / "clip.foley" / "stems" / "mix.wav").write_bytes(b"RIFF")
    (own / "clip.foley" / "secret.mp4").symlink_to(media.parent / "secret.mp4")
    (own / "other.txt").write_text("not of this job")
    running = ask.service.store.claim(service="x", worker="x")
    assert running is not None
    folder = own / "clip.foley"
    ask.service.store.finish(running, Result(str(own / "clip.foley.mp4"), str(folder), "", 1, None, None, ()))
    return made, own


def test_the_files_of_a_job_and_no_others_are_given(ask: Asked, media: Path) -> None:
    made, own = done_job(ask, media)
    names = [file["name"] for file in ask("GET", f"/v1/jobs/{made}/files").json()["files"]]
    assert names == ["clip.foley.mp4", "clip.foley/stems/mix.wav"]
    part = ask("GET", f"/v1/jobs/{made}/files/clip.foley.mp4", headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
    assert ask("GET", f"/v1/jobs/{made}/files/clip.foley/stems/mix.wav").content == b"RIFF"
    for name in ("clip.foley/secret.mp4", "other.txt", "../jobs.sqlite", "%2e%2e/jobs.sqlite", "/etc/passwd", ""):
        assert ask("GET", f"/v1/jobs/{made}/files/{name}").status_code in (404, 405), name
    assert ask("DELETE", f"/v1/jobs/{made}").status_code == 200
    assert not own.exists()


def test_an_upload_becomes_a_job_and_goes_with_it(ask: Asked) -> None:
    sent = ask("POST", "/v1/uploads?name=Reel%201.mov", content=b"a clip")
    assert sent.status_code == 201
    upload = sent.json()
    assert (upload["name"], upload["size_bytes"]) == ("Reel 1.mov", 6)
    assert ask.service.uploads.find(upload["id"]).read_bytes() == b"a clip"
    made = ask("POST", "/v1/jobs", json={"upload": upload["id"]})
    assert made.status_code == 201
    assert refusal(ask("POST", "/v1/jobs", json={"upload": upload["id"]})) == (409, "UploadTaken")
    assert refusal(ask("DELETE", f"/v1/uploads/{upload['id']}")) == (409, "UploadTaken")
    ask("POST", f"/v1/jobs/{made.json()['id']}/cancel")
    ask("DELETE", f"/v1/jobs/{made.json()['id']}")
    assert list(ask.service.uploads.folder.iterdir()) == []


@pytest.mark.parametrize("name", ["", "clip", "..", "../..", ".mov", "%00", "a/", "\u202e.mov"])
def test_an_upload_without_a_proper_name_is_refused(ask: Asked, name: str) -> None:
    assert refusal(ask("POST", f"/v1/uploads?name={name}", content=b"x")) == (422, "BadName")
    assert list(ask.service.uploads.folder.iterdir()) == []


def test_uploads_that_are_empty_or_too_long_leave_nothing(ask: Asked) -> None:
    async def endless() -> Any:
        for _ in range(40):
            yield b"x" * 100_000

    assert refusal(ask("POST", "/v1/uploads?name=a.mov", content=b"")) == (422, "EmptyUpload")
    assert refusal(ask("POST", "/v1/uploads?name=a.mov", content=b"x" * 2_000_000)) == (413, "TooLarge")
    assert refusal(ask("POST", "/v1/uploads?name=a.mov", content=endless())) == (413, "TooLarge")
    assert list(ask.service.uploads.folder.iterdir()) == []


def test_a_full_disk_is_met_before_anything_is_written(ask: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask("GET", "/readyz", token=None).json()["checks"]["disk"] == "ok"
    monkeypatch.setattr("shutil.disk_usage", lambda folder: Free(limits.RESERVE_BYTES - 1))
    assert refusal(ask("POST", "/v1/uploads?name=a.mov", content=b"x")) == (507, "DiskFullError")
    ready = ask("GET", "/readyz", token=None)
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
    assert ready.json()["checks"] == {**WELL, "disk": "less than 512 MB are free"}
    assert list(ask.service.uploads.folder.iterdir()) == []


def test_what_should_not_happen_is_told_without_a_traceback(ask: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobStore, "newest", lambda *_, **__: 1 // 0)
    assert refusal(ask("GET", "/v1/jobs")) == (500, "Unforeseen")
    assert any("ZeroDivisionError" in text for text in ask.said)


def test_a_queue_that_cannot_be_read_is_told_and_the_service_still_lives(ask: Asked) -> None:
    ask.service.store.close()
    ready = ask("GET", "/readyz", token=None)
    assert (ready.status_code, ready.json()["checks"]) == (503, {**WELL, "queue": "the queue cannot be read"})
    assert ask("GET", "/healthz", token=None).status_code == 200


def test_a_service_without_figures_says_so(ask: Asked) -> None:
    assert refusal(ask("GET", "/metrics")) == (404, "NotFound")
    assert refusal(ask("GET", "/metrics", token=None)) == (401, "Unauthorised")


def test_jobs_that_ended_long_ago_are_forgotten_with_their_files(ask: Asked, media: Path) -> None:
    made, own = done_job(ask, media)
    waits = ask("POST", "/v1/jobs", **job(media)).json()["id"]
    retention.clear_up(ask.service, keep_days=1.0)
    assert ask("GET", f"/v1/jobs/{made}").status_code == 200
    retention.clear_up(ask.service, keep_days=None)
    assert own.is_dir()
    time.sleep(0.01)
    retention.clear_up(ask.service, keep_days=0.0)
    assert ask("GET", f"/v1/jobs/{made}").status_code == 404
    assert not own.exists()
    assert ask("GET", f"/v1/jobs/{waits}").json()["state"] == "queued"
    assert (media / "clip.mp4").is_file()


def test_events_tell_each_change_and_end_with_the_job(ask: Asked, media: Path) -> None:
    made = ask("POST", "/v1/jobs", **job(media)).json()["id"]
    ask("POST", f"/v1/jobs/{made}/cancel")
    stream = ask("GET", f"/v1/jobs/{made}/events")
    assert stream.headers["content-type"].startswith("text/event-stream")
    (event,) = [line for line in stream.text.splitlines() if line.startswith("data: ")]
    assert json.loads(event[6:])["state"] == "cancelled"
    number = re.search(r"^id: (\d+)$", stream.text, re.MULTILINE)
    assert number
    assert ask("GET", f"/v1/jobs/{made}/events", headers={"last-event-id": number[1]}).text == ""


def test_events_of_a_service_that_ends_tell_the_last_change(ask: Asked, media: Path) -> None:
    made = ask("POST", "/v1/jobs", **job(media)).json()["id"]
    ending = Asked(replace(ask.service, is_ending=lambda: True))
    stream = ending("GET", f"/v1/jobs/{made}/events")
    (event,) = [line for line in stream.text.splitlines() if line.startswith("data: ")]
    assert json.loads(event[6:])["state"] == "queued"


# the document


def references(tree: Any) -> Iterator[str]:
    for name, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        if name == "$ref":
            yield value
        yield from references(value)


def test_the_document_holds_every_route_and_no_other(ask: Asked) -> None:
    told = {(method.upper(), path) for path, methods in document(OPERATIONS)["paths"].items() for method in methods}
    starlette = ask.app.app
    routed = {
        (method, route.path.replace(":path}", "}"))
        for route in starlette.routes  # type: ignore[attr-defined]
        for method in route.methods - {"HEAD"}
    }
    assert told == routed


def test_the_document_holds_together() -> None:
    told = document(OPERATIONS)
    assert json.loads(json.dumps(told)) == told
    schemas = told["components"]["schemas"]
    assert set(references(told)) == {f"#/components/schemas/{name}" for name in schemas}
    names = [one["operationId"] for methods in told["paths"].values() for one in methods.values()]
    assert len(names) == len(set(names))
    for path, methods in told["paths"].items():
        for one in methods.values():
            inside = {parameter["name"] for parameter in one.get("parameters", ()) if parameter["in"] == "path"}
            assert inside == set(re.findall(r"{(\w+)}", path))
            assert any(status.startswith("2") for status in one["responses"])
            assert ("401" in one["responses"]) is (one.get("security") != [])


def test_the_document_describes_every_field_and_forbids_others() -> None:
    schemas = document(OPERATIONS)["components"]["schemas"]
    assert schemas["JobRequest"]["additionalProperties"] is False
    assert set(schemas["JobRequest"]["properties"]) == {field.name for field in fields(JobRequest)}
    assert set(schemas["JobView"]["required"]) == {field.name for field in fields(JobView)}
    untold = [name for name, field in schemas["JobRequest"]["properties"].items() if not field.get("description")]
    assert untold == []


# the token


def test_the_token_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    token = read_or_make_token(tmp_path / "deep" / "token")
    assert len(token) >= 32
    assert read_or_make_token(tmp_path / "deep" / "token") == token
    assert (tmp_path / "deep" / "token").stat().st_mode & 0o777 == 0o600


def test_a_token_that_others_can_read_or_guess_is_refused(tmp_path: Path) -> None:
    read_or_make_token(tmp_path / "open")
    (tmp_path / "open").chmod(0o644)
    with pytest.raises(ServiceError, match="others can read"):
        read_or_make_token(tmp_path / "open")
    for name, text in {"short": "abc", "empty": "", "spaced": "a token of several words"}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
        with pytest.raises(ServiceError, match="holds no token"):
            read_or_make_token(tmp_path / name)
    (tmp_path / "file").touch()
    with pytest.raises(CannotWriteError):
        read_or_make_token(tmp_path / "file" / "token")


def test_a_full_disk_is_no_refusal_of_the_clients_fault() -> None:
    from foley.service.refusals import status_of

    assert status_of(DiskFullError(Path("/"))) == 507


# slow clients, over a real connection


@pytest.fixture
def port(ask: Asked, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    uvicorn = pytest.importorskip("uvicorn")
    from uvicorn.protocols.http.h11_impl import H11Protocol

    monkeypatch.setattr(patience, "HEAD_S", 0.3)
    monkeypatch.setattr(doorman, "BODY_S", 0.3)
    listening = socket.create_server(("127.0.0.1", 0))
    protocol = type("PatientProtocol", (patience.Patience, H11Protocol), {})
    config = uvicorn.Config(ask.app, http=protocol, ws="none", lifespan="off", log_config=None, log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=asyncio.run, args=(server.serve(sockets=[listening]),))
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()
    listening.close()


def told(port: int, *pieces: bytes, pause_s: float = 0.0) -> bytes:
    """Return what the service answers to pieces of a request, until it hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as talk:
        answer = b""
        try:
            for piece in pieces:
                talk.sendall(piece)
                time.sleep(pause_s)
            while block := talk.recv(65536):
                answer += block
        except ConnectionError:
            pass
        return answer


HEAD = b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
LET_IN = HEAD + b"Authorization: Bearer " + TOKEN.encode() + b"\r\n"


def test_who_says_nothing_or_half_a_head_is_hung_up_on(port: int) -> None:
    assert told(port) == b""
    assert told(port, HEAD) == b""
    assert told(port, *[b"X-More: 1\r\n"] * 20, pause_s=0.1) == b""


def test_who_sends_half_a_body_is_told_so(port: int) -> None:
    answer = told(port, LET_IN + b"Content-Length: 100\r\n\r\n", b'{"prompt":')
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"TooSlow" in answer
    assert b"connection: close" in answer


def test_a_huge_body_is_refused_before_it_comes(port: int) -> None:
    answer = told(port, LET_IN + b"Content-Length: 99999999999\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer


def test_what_is_no_http_is_hung_up_on(port: int) -> None:
    assert told(port, b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert told(port, b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000 + b"\r\n\r\n")[:12] in (b"HTTP/1.1 400", b"")
    assert b"WrongHost" in told(port, b"GET /v1/jobs HTTP/1.0\r\n\r\n")


def test_a_connection_is_kept_for_the_next_request_while_one_is_in_time(port: int) -> None:
    get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = get.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert told(port, get, get, last, pause_s=0.1).count(b'"status":"ok"') == 3
