"""foley behind Ray Serve: each replica does one clip at a time, replicas come and go with the load.

    pip install 'foley-pipeline[cluster]' 'ray[serve]'
    cd workflows/cluster
    serve run ray_serve_app:build roots=/media workdir=/media/.foley token_file=/media/.foley/token

A request is a job as `foley serve` takes it (docs/service.md); the answer is its result, when it is there:

    curl -H "Authorization: Bearer $(cat /media/.foley/token)" -H 'Content-Type: application/json' \
        -d '{"video": "/media/shot.mov", "output": "/media/shot.foley.mov", "prompt": "a door slams"}' \
        http://127.0.0.1:8000/

Clips, results and the cache lie on storage that all nodes see. Nothing is queued on a disk here: a client that loses
its answer, or gets 503, sends the same request again; what was finished is known and not made again. For jobs that
survive without their client, use `foley serve`; for thousands of files, `foley batch --cluster`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from foley import api
from foley.errors import FoleyError
from foley.pipeline.warm import warm_up
from foley.service import refusals, work
from foley.service.http_api import read_request
from foley.service.places import Roots
from foley.service.refusals import RefusedError
from foley.service.server import read_or_make_token


class Scorer:
    """Does one request after another, in a process that stays warm."""

    def __init__(self, roots: list[str], workdir: str, token_file: str) -> None:
        """Get ready.

        Args:
            roots: Folders whose files requests may name.
            workdir: The cache, and the notes of how far a request came.
            token_file: Holds the token that requests carry; made where it is not there.
        """
        self._roots = Roots(tuple(Path(root).resolve() for root in roots))
        self._workdir = Path(workdir)
        self._token = read_or_make_token(Path(token_file)).encode()
        self._rules = work.Rules(self._workdir)
        warm_up(sounding=True)

    async def __call__(self, request: Request) -> Response:
        """Answer with what a clip became, or with what is wrong."""
        try:
            self._refuse_stranger(request.headers.get("authorization", ""))
            if request.method != "POST":
                raise RefusedError(405, "WrongMethod", "a job is sent with POST")
            order = self._order(await request.body())
            # beside the loop, which goes on answering Serve's own questions after the replica's health
            return JSONResponse(asdict(await asyncio.to_thread(work.perform, order, lambda now: None)))
        except FoleyError as error:
            return refusals.answer(error)

    def check_health(self) -> None:
        """Fail, so that Serve replaces the replica, where its storage is gone."""
        if not self._workdir.is_dir():
            raise RuntimeError(f"{self._workdir} is gone")

    def _refuse_stranger(self, authorization: str) -> None:
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token):
            raise RefusedError(401, "Unauthorised", "the token is missing or wrong")

    def _order(self, body: bytes) -> work.Order:
        """Return what is asked for, checked as `foley serve` does.

        Raises:
            RefusedError: where it cannot be done.
        """
        asked = read_request(body)
        if asked.upload or not asked.output:
            raise RefusedError(422, "BadRequest", "name the clip with video, and where the result goes with output")
        for field in ("subtitles", "cue_sheet"):
            if value := getattr(asked, field):
                self._roots.existing(field, value)
        work.check(asked, self._rules)
        video = self._roots.existing("video", asked.video)
        to = api.destination(video, self._roots.inside("output", asked.output))
        for place in (to.video, to.folder):  # either may be a link that leads out
            self._roots.inside("output", str(place))
        same = hashlib.blake2b(json.dumps(asdict(asked), sort_keys=True).encode(), digest_size=16).hexdigest()
        return work.Order(asked, video, to.video, self._workdir / "requests" / same, self._rules, asked.task)


def build(given: dict[str, Any]) -> serve.Application:
    """Return the application, as `serve run` and Serve's config files build it.

    Args:
        given: roots, with commas between them; workdir; token_file; replicas, the most that there may be (4); cpus (1)
            and gpus (0), which may be a fraction, of each replica.
    """
    replica = serve.deployment(
        Scorer,
        name="foley",
        max_ongoing_requests=1,
        max_queued_requests=int(given.get("queued", 100)),
        autoscaling_config={
            "min_replicas": 1,
            "max_replicas": int(given.get("replicas", 4)),
            "target_ongoing_requests": 1,
        },
        ray_actor_options={"num_cpus": float(given.get("cpus", 1)), "num_gpus": float(given.get("gpus", 0))},
    )
    return replica.bind(given["roots"].split(","), given["workdir"], given["token_file"])
