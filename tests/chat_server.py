"""A real chat service on this machine that answers by script: well, badly, slowly, or not at all."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Say:
    """One reply of the service."""

    text: str = ""
    """What the model says; where `raw` is given that is sent in its place."""
    status: int = 200
    raw: bytes | None = None
    after_s: float = 0.0
    drip_s: float = 0.0
    """Pause between the bytes of the body."""
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False
    """Close the connection without a word."""

    @property
    def body(self) -> bytes:
        """Return what is sent."""
        if self.raw is not None:
            return self.raw
        if self.status != 200:
            return json.dumps({"error": {"message": self.text}}).encode()
        message = {"role": "assistant", "content": self.text}
        return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()


Script = Callable[[dict[str, Any]], Say]
"""What the service replies to a request's body."""


@dataclass
class Asked:
    """What the service was sent."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def question(self) -> str:
        """Return the words of the last message."""
        return words_of(self.body["messages"][-1])


def words_of(message: dict[str, Any]) -> str:
    """Return the text of a message."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


class ChatServer:
    """The service, and what it was asked."""

    def __init__(self, script: Script) -> None:
        self.asked: list[Asked] = []
        self._script = script
        self._closing = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def endpoint(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> ChatServer:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked.append(Asked(self.path, dict(self.headers), body))
                say = server._script(body)
                if say.after_s:
                    server._closing.wait(say.after_s)
                if say.hang_up:
                    self.close_connection = True
                    return
                with contextlib.suppress(ConnectionError):  # whoever asked may have stopped waiting
                    self._send(say)

            def _send(self, say: Say) -> None:
                self.send_response(say.status)
                for name, value in {"Content-Type": "application/json", **say.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(say.body)))
                self.end_headers()
                for piece in [say.body] if not say.drip_s else [bytes([byte]) for byte in say.body]:
                    self.wfile.write(piece)
                    server._closing.wait(say.drip_s)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        return Handler


def in_turn(*says: Say, then: Script | None = None) -> Script:
    """Return a script that gives these replies one after another, then follows another one, else repeats the last."""
    left = list(says)

    def script(body: dict[str, Any]) -> Say:
        if left and (then is not None or len(left) > 1):
            return left.pop(0)
        return then(body) if then is not None else left[0]

    return script


GOOD: dict[str, dict[str, Any]] = {
    '{"shots": [': {"shots": [{"shot": 0, "seen": "a smith beats a glowing bar with a hammer on an anvil"}]},
    '{"sounds": [{"because"': {
        "sounds": [
            {
                "because": "the hammer meets the anvil",
                "sound": "hammer on anvil",
                "kind": "hits",
                "shots": [0],
                "shows": "motion stops",
                "where": "middle",
                "repeats": "evenly",
            },
            {
                "because": "the forge burns in the background",
                "sound": "fire crackling",
                "kind": "bed",
                "shots": [0],
                "shows": "not seen",
                "where": "everywhere",
                "repeats": "once",
            },
        ]
    },
    '{"times": [': {"times": [{"sound": 0, "hits": [1.1, 2.1], "spans": []}]},
    '{"room"': {
        "room": "a small stone smithy",
        "sounds": [{"sound": 0, "material": "heavy steel", "how": "bright and ringing", "distance_m": 3}],
    },
    '{"because": "...", "avoid"': {"because": "nobody speaks", "avoid": ["voices"]},
    '{"seen"': {
        "seen": "the hammer lands",
        "happens": [{"sound": 0, "start_s": 1.0, "end_s": 1.0}, {"sound": 0, "start_s": 2.0, "end_s": 2.0}],
    },
    '{"thoughts"': {"thoughts": "it is right", "drop": [], "change": [], "add": [], "describe": []},
}
"""Good answers about one shot of a smith, by the form that the question shows."""


def form_of(body: dict[str, Any]) -> str:
    """Return which question is asked last, by its form."""
    questions = [words_of(message) for message in body["messages"] if message["role"] == "user"]
    return next(form for text in reversed(questions) for form in GOOD if form in text)


def well(answers: dict[str, dict[str, Any]] | None = None) -> Script:
    """Return a script that answers every question well, or as given for its form."""
    known = GOOD | (answers or {})
    return lambda body: Say(json.dumps(known[form_of(body)]))


def by_schema(body: dict[str, Any]) -> Say:
    """Answer anything with what its schema allows, whether it makes sense or not."""
    return Say(json.dumps(filled(body["response_format"]["json_schema"]["schema"])))


def filled(schema: dict[str, Any]) -> Any:
    """Return a value of a schema: lists of one, the middle choice, the largest number."""
    if "enum" in schema:
        return schema["enum"][len(schema["enum"]) // 2]
    if schema["type"] == "object":
        return {name: filled(field) for name, field in schema["properties"].items()}
    if schema["type"] == "array":
        return [filled(schema["items"])]
    return schema["maximum"] if schema["type"] == "number" else "a dog barks"


@contextlib.contextmanager
def serving(script: Script) -> Iterator[ChatServer]:
    """Yield a service that follows a script."""
    with ChatServer(script) as server:
        yield server
