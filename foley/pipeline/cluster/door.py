"""Open the way to Ray: imported when it is wanted, joined and left once, its errors told in plain words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from foley.errors import FoleyError, MissingProgramError, ServiceError

LOCAL = "local"
"""A cluster of this machine alone, for as long as the run lasts."""

MEND = "pip install 'foley-pipeline[cluster]'"


def ray() -> Any:
    """Return the package.

    Raises:
        MissingProgramError: where it is not installed.
    """
    # read when Ray is imported: nobody is counted, and no colours or repeats go into what workers say
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as cause:
        raise MissingProgramError("Ray", MEND) from cause
    return ray


@contextmanager
def joined(address: str) -> Iterator[Any]:
    """Join a cluster and give the package; the cluster is left again, unless it was joined before.

    Args:
        address: "auto" for the one that runs on this machine, ray://HOST:10001 for another, HOST:6379 from one of its
            own machines, "local" for one of this machine alone.

    Raises:
        MissingProgramError: where Ray is not installed.
        ServiceError: where no cluster answers.
    """
    package = ray()
    if package.is_initialized():
        yield package
        return
    try:
        package.init(
            address=address,  # "local" is Ray's own word too
            logging_level="ERROR",
            log_to_driver=False,
            include_dashboard=False if address == LOCAL else None,
        )
    except (ConnectionError, RuntimeError, ValueError, ImportError, OSError, TimeoutError) as cause:
        raise _unreachable(address, cause) from cause
    try:
        yield package
    finally:
        package.shutdown()


def told(cause: Exception, what: str) -> FoleyError:
    """Return what an error that came out of the cluster is to a user.

    Args:
        cause: As `ray.get` raised it.
        what: Which piece of work it was, in words.
    """
    inner = getattr(cause, "cause", None)  # what the work itself raised; Ray gives a copy of mixed class
    if isinstance(inner, FoleyError):
        return inner
    if isinstance(inner, Exception):
        return FoleyError(f"{what}: {type(inner).__name__}: {inner}")
    said = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    return ServiceError(f"{what} was lost on the cluster: {said}", hint="run the same command again; it goes on there")


def lost(cause: Exception) -> bool:
    """Return whether the machine or process was lost that did a piece of work, so that another may do it."""
    from ray import exceptions

    return isinstance(
        cause,
        exceptions.RayActorError
        | exceptions.WorkerCrashedError
        | exceptions.NodeDiedError
        | exceptions.ObjectLostError
        | exceptions.OutOfMemoryError,
    )


def _unreachable(address: str, cause: Exception) -> ServiceError:
    said = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    return ServiceError(
        f"no Ray cluster answers at {address}: {said}",
        hint="begin one with: ray start --head; or take this machine alone: --cluster local",
    )
