"""`foley serve`: the HTTP API on this machine, until somebody ends it."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from foley.deliver import outputs
from foley.errors import FoleyError, MissingProgramError, ServiceError
from foley.media.atomic import unwritable
from foley.service import limits, logs, traces
from foley.service.desk import Service
from foley.service.doorman import OPEN_PATHS, Door, Doorman
from foley.service.health_api import METRICS_PATH
from foley.service.http_api import OPERATIONS
from foley.service.jobs import JobStore
from foley.service.logs import Log, Logging
from foley.service.metrics import Metrics
from foley.service.patience import Patience
from foley.service.places import Roots
from foley.service.readiness import Checks
from foley.service.refusals import RefusedError, answer
from foley.service.retention import Janitor
from foley.service.supervisor import Supervisor
from foley.service.telemetry import Telemetry
from foley.service.uploads import Uploads
from foley.service.work import Rules

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

DEFAULT_PORT = 8723
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")

KEEP_ALIVE_S = 15
"""How long a connection without a request is kept."""

FAREWELL_S = 3
"""For answers that are on their way when the service ends."""

MOST_CONNECTIONS = 200
"""At once; more are told to come again: each listener to events holds one."""

HEAD_BYTES = 32_768
"""Of a request's head: tokens, ids and names are short."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen, and to whom."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    """0 for any that is free."""
    token_file: Path | None = None
    """`token` in the service's folder where None."""
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    metrics_open: bool = False
    """The figures need no token."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much is done, taken and kept; what one job may use stands in the rules."""

    workers: int = 1
    most_queued: int = 1000
    most_upload_bytes: int = 20_000 << 20
    reserve_bytes: int = limits.RESERVE_BYTES
    """Of the disk, which are left free."""
    keep_days: float | None = None
    """How long a job that has ended is kept; for ever where None."""
    drain_s: float = 0.0
    """How long jobs that run are waited for when the service is told to end; then they go back into the queue."""


@dataclass(frozen=True, slots=True)
class Serving:
    """How to serve."""

    rules: Rules
    folder: Path
    """Holds the queue, uploads, the jobs' own folders and the token."""
    roots: tuple[Path, ...] = ()
    listening: Listening = field(default_factory=Listening)
    capacity: Capacity = field(default_factory=Capacity)
    logging: Logging = field(default_factory=Logging)
    debug: bool = False


def serve(serving: Serving, *, say: Callable[[str], None], tell_address: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; jobs that still run when that was waited for go back into the queue.

    Args:
        serving: How.
        say: Told what people should know.
        tell_address: Told the address when requests are taken.

    Raises:
        ServiceError: where it cannot start.
    """
    _refuse_lacking()
    limits.refuse_unseen(serving.rules.limits)
    wanted = serving.listening
    token_file = wanted.token_file or serving.folder / "token"
    token = read_or_make_token(token_file)
    with ExitStack() as stack:
        log = stack.enter_context(logs.opened(serving.logging, say))
        listening = stack.enter_context(_listen(wanted.host, wanted.port))
        service, supervisor = stack.enter_context(_supervised(serving, log))
        server = _server(Doorman(application(service), _door(serving, token), log.say))
        log.say(f"the token lies in {token_file}")
        if wanted.host not in LOCAL_HOSTS:
            log.say(
                f"{wanted.host} can be reached from other machines, and nothing is encrypted: put a proxy before it"
            )
        address = _address(wanted.host, listening)
        log.event("service_started", f"requests are taken at {address}", workers=serving.capacity.workers)
        tell_address(address)
        _run(server, listening, supervisor, serving.capacity.drain_s)


def _refuse_lacking() -> None:
    """Refuse to start where a package is not there: missed now, not with the first request."""
    try:
        import prometheus_client  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as cause:
        raise MissingProgramError(cause.name or "uvicorn", "pip install 'foley-pipeline[review]'") from cause


def _server(app: Doorman) -> Any:
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=type("PatientProtocol", (Patience, H11Protocol), {}),
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=FAREWELL_S,
            h11_max_incomplete_event_size=HEAD_BYTES,
        )
    )


def application(service: Service) -> Starlette:
    """Return the application: one route for each operation."""
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.routing import Route

    routes = [Route(one.path, one.handler, methods=[one.method]) for one in OPERATIONS]
    handlers: Any = {FoleyError: _told, HTTPException: _not_routed, Exception: _told}
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    app.state.service = service
    return app


async def _told(request: Request, error: Exception) -> Response:
    return answer(error)


async def _not_routed(request: Request, error: Any) -> Response:
    kind = {404: "NotFound", 405: "WrongMethod"}.get(error.status_code, "BadRequest")
    message = f"{request.method} {request.url.path[:200]}: {str(error.detail).lower()}"
    return answer(RefusedError(error.status_code, kind, message, hint="GET /openapi.json lists what there is"))


def read_or_make_token(path: Path) -> str:
    """Return the token of a file; it is made, for its owner's eyes only, where there is none.

    Raises:
        ServiceError: where others can read it, or it holds none.
        OutputError: where it cannot be made.
    """
    outputs.make_folder(path.parent)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_token(path)
    except OSError as cause:
        raise unwritable(path, cause) from cause
    with os.fdopen(file, "w", encoding="ascii") as made:
        token = secrets.token_urlsafe(32)
        made.write(token + "\n")
    return token


def _read_token(path: Path) -> str:
    try:
        token = path.read_text(encoding="ascii").strip()
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as cause:
        raise ServiceError(f"the token file {path} cannot be read: {getattr(cause, 'strerror', cause)}") from cause
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise ServiceError(f"others can read the token file {path}", hint=f"chmod 600 {path}")
    if len(token) < 16 or not token.isprintable() or " " in token:
        raise ServiceError(f"{path} holds no token of 16 characters or more", hint="remove it: another is made")
    return token


def _door(serving: Serving, token: str) -> Door:
    wanted = serving.listening
    named = (*LOCAL_HOSTS, wanted.host, *wanted.allowed_hosts)
    return Door(
        token,
        frozenset(name.lower() for name in named),
        frozenset(wanted.allowed_origins),
        (*OPEN_PATHS, METRICS_PATH) if wanted.metrics_open else OPEN_PATHS,
        serving.debug,
    )


@contextmanager
def _supervised(serving: Serving, log: Log) -> Iterator[tuple[Service, Supervisor]]:
    """Give the service, whose jobs get done while the block lasts."""
    roots = Roots(tuple(_root(folder) for folder in serving.roots))
    capacity, folder = serving.capacity, serving.folder
    outputs.make_folder(folder)
    if os.name == "posix":
        folder.chmod(0o700)  # prompts, uploads and results are nobody else's
    store = JobStore(folder)
    metrics = Metrics(
        jobs=lambda: checks.jobs(), checks=lambda: checks.flags(), oldest_s=lambda: checks.oldest_wait_s(time.time())
    )
    telemetry = Telemetry(log, metrics=metrics, traces=traces.configured())
    supervisor = Supervisor(
        store,
        lambda job: service.order(job),
        telemetry=telemetry,
        has_room=lambda: checks.has_room(),
        workers=capacity.workers,
        debug=serving.debug,
    )
    checks = Checks(store, supervisor, (folder, serving.rules.workdir), capacity.reserve_bytes)
    service = Service(
        store=store,
        uploads=Uploads(
            folder / "uploads", most_bytes=capacity.most_upload_bytes, reserve_bytes=capacity.reserve_bytes
        ),
        folder=folder / "jobs",
        roots=roots,
        rules=serving.rules,
        most_queued=capacity.most_queued,
        wake=supervisor.wake.set,
        is_ending=lambda: supervisor.is_ending,
        readiness=checks.readiness,
        telemetry=telemetry,
    )
    with _at_work(service, supervisor, Janitor(service, capacity.keep_days)):
        yield service, supervisor


@contextmanager
def _at_work(service: Service, supervisor: Supervisor, janitor: Janitor) -> Iterator[None]:
    """Do jobs and clear up while the block lasts."""
    janitor.start()
    supervisor.start()
    try:
        yield
    finally:
        supervisor.end()
        janitor.end()
        waiting = service.store.counts().get("queued", 0)
        service.telemetry.log.say(f"ended; {waiting} jobs wait for the next start" if waiting else "ended")
        service.telemetry.close()
        service.store.close()


def _root(folder: Path) -> Path:
    if not folder.is_dir():
        raise ServiceError(f"--root {folder} is no folder")
    return folder.resolve()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as cause:
        reason = (getattr(cause, "strerror", None) or str(cause)).lower()
        hint = "is it running already? another port: --port 0 takes any that is free"
        raise ServiceError(f"cannot listen on {host} port {port}: {reason}", hint=hint) from cause


def _address(host: str, listening: socket.socket) -> str:
    port = listening.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _run(server: Any, listening: socket.socket, supervisor: Supervisor, drain_s: float) -> None:
    """Run the server until a signal; requests are still answered while jobs that run are waited for."""

    def end() -> None:
        supervisor.begin_to_end()  # listeners to events are let go first, or they would be waited for
        server.should_exit = True

    def drain() -> None:
        supervisor.drain(drain_s)
        end()

    def leave(number: int, frame: FrameType | None) -> None:
        if supervisor.is_draining or drain_s <= 0.0:  # told twice: at once
            end()
        else:
            threading.Thread(target=drain, name="drain", daemon=True).start()

    # uvicorn would send itself the signal again at the end, and the service would not end as it should
    server.capture_signals = _nothing_captured
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, leave)
    asyncio.run(server.serve(sockets=[listening]))


@contextmanager
def _nothing_captured() -> Iterator[None]:
    yield
