"""A real sound-generation service on this machine that answers by script: well, badly, slowly, or not at all."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

RATE_HZ = 44_100


@dataclass(frozen=True)
class Answer:
    """One reply of the service."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    promised: int | None = None
    """The length that is promised, where it is not that of the body."""
    held: bool = False
    """Given only when the service closes: whoever asked has stopped waiting by then."""
    hang_up: bool = False
    """Close the connection without a word."""


@dataclass(frozen=True)
class Asked:
    """What the service was sent."""

    path: str
    form: str
    headers: dict[str, str]
    """By name in small letters."""
    body: dict[str, Any]


Script = Callable[[Asked], Answer]


class SoundService:
    """The service, what it was asked, and how many at once."""

    def __init__(self, script: Script) -> None:
        self.asked: list[Asked] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._script = script
        self._closing = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def endpoint(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> SoundService:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _answer(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return self._script(asked)
        finally:
            with self._lock:
                self._at_once -= 1

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                parts = urlsplit(self.path)
                form = parse_qs(parts.query)["output_format"][0]
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = service._answer(Asked(parts.path, form, headers, body))
                if answer.held:
                    service._closing.wait()
                if answer.hang_up or answer.held:
                    self.close_connection = True
                    return
                with contextlib.suppress(ConnectionError):  # whoever asked may have stopped waiting
                    self._send(answer)

            def _send(self, answer: Answer) -> None:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                promised = len(answer.body) if answer.promised is None else answer.promised
                self.send_header("Content-Length", str(promised))
                self.end_headers()
                self.wfile.write(answer.body)
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        return Handler


def in_turn(*scripts: Script | Answer) -> Script:
    """Return a script that follows these one after another and then stays with the last."""
    left = list(scripts)

    def script(asked: Asked) -> Answer:
        now = left.pop(0) if len(left) > 1 else left[0]
        return now if isinstance(now, Answer) else now(asked)

    return script


def refusal(status: int, code: str, message: str, **headers: str) -> Answer:
    """Return an error as the service words it."""
    body = json.dumps({"detail": {"status": code, "message": message}}).encode()
    return Answer(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def tone(duration_s: float, *, hz: float = 1000.0, channels: int = 1) -> bytes:
    """Return a tone as raw 16-bit sound."""
    times_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    wave = (0.5 * np.sin(2 * np.pi * hz * times_s) * 2**15).astype("<i2")
    return np.repeat(wave[:, np.newaxis], channels, axis=1).tobytes()


def well(asked: Asked) -> Answer:
    """Answer with a tone as long as asked for, in the format asked for: its pitch is told by the prompt's length."""
    raw = tone(asked.body["duration_seconds"], hz=pitch_hz(asked.body["text"]))
    return Answer(raw if asked.form.startswith("pcm") else mp3(raw), headers={"character-cost": "40"})


def pitch_hz(prompt: str) -> float:
    """Return the pitch that `well` gives a prompt."""
    return 200.0 + 50.0 * len(prompt)


def mp3(raw: bytes) -> bytes:
    """Return raw 16-bit sound of one channel as MP3."""
    given = ["-f", "s16le", "-ar", str(RATE_HZ), "-ac", "1", "-i", "-"]
    command = ["ffmpeg", "-v", "error", *given, "-b:a", "128k", "-f", "mp3", "-"]
    return subprocess.run(command, input=raw, capture_output=True, check=True).stdout


@contextlib.contextmanager
def serving(script: Script | Answer) -> Iterator[SoundService]:
    """Yield a service that follows a script, or always gives one answer."""
    with SoundService(in_turn(script)) as service:
        yield service
