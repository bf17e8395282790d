"""The command's root: which commands there are, and how it ends."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import traceback
from typing import Annotated, Any

import typer

from foley.errors import FoleyError
from foley.version import __version__

INTERRUPTED = 128 + signal.SIGINT
"""What shells call a program that was stopped with Ctrl-C."""

TERMINATED = 128 + signal.SIGTERM
"""What shells call a program that was told to end, as schedulers do."""

COMMANDS = {
    "run": "score:run",
    "plan": "score:plan",
    "render": "score:render",
    "sound": "audition:sound",
    "takes": "audition:takes",
    "export": "exchange:export",
    "import": "exchange:import_edits",
    "me": "dubbing:me",
    "batch": "batch:batch",
    "watch": "service:watch",
    "serve": "service:serve",
    "inspect": "inspect:inspect",
    "generators": "catalogue:generators",
    "planners": "catalogue:planners",
    "encoders": "catalogue:encoders",
    "exporters": "exchange:exporters",
    "workflows": "catalogue:workflows_command",
    "doctor": "doctor:doctor",
}
"""Where the function of each command stands: only that of the one that is wanted is imported."""

GROUPS = {
    "models": "models:app",
    "library": "library:app",
    "evaluate": "evaluate:app",
    "integrations": "integrations:app",
    "cache": "cache:app",
}
"""Where the commands that have commands of their own stand."""


def command_line(wanted: str = "") -> typer.Typer:
    """Return the command line with the one command that is wanted; with all of them where there is no such command."""
    app = typer.Typer(
        name="foley",
        help="Give a video its sound effects: planned, timed to the frame, editable, mixed and muxed.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(root)
    known = {wanted} if wanted in COMMANDS or wanted in GROUPS else {*COMMANDS, *GROUPS}
    for name in COMMANDS:
        if name in known:
            app.command(name)(_found(COMMANDS[name]))
    for name in GROUPS:
        if name in known:
            app.add_typer(_found(GROUPS[name]), name=name)
    return app


def _found(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(f"foley.cli.{module}"), name)


def _print_version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
) -> None:
    """Give a video its sound effects."""


def start(arguments: list[str]) -> int:
    """Run the command line and return its exit code."""
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    as_json = "--json" in arguments
    try:
        signal.signal(signal.SIGTERM, _terminate)
        command_line(next((word for word in arguments if not word.startswith("-")), ""))(arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
        return _interrupted(code) if code in (INTERRUPTED, TERMINATED) else code
    except KeyboardInterrupt:
        return _interrupted(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except FoleyError as error:
        return _told(error, debug=debug, as_json=as_json)
    except Exception as fault:  # noqa: BLE001 - the last door: nobody is shown a traceback who did not ask
        return _told(_unforeseen(fault), debug=debug, as_json=as_json)
    return 0


def _terminate(number: int, frame: object) -> None:
    """End as Ctrl-C does: programs stopped, half-written files removed."""
    raise SystemExit(128 + number)


def _interrupted(code: int) -> int:
    print("foley: interrupted; the same command goes on from here", file=sys.stderr)
    return code


def _told(error: FoleyError, *, debug: bool, as_json: bool) -> int:
    if debug:
        traceback.print_exception(error)
    if as_json:
        about = {
            "kind": type(error).__name__,
            "message": error.message,
            "hint": error.hint,
            "exit_code": error.exit_code,
        }
        print(json.dumps({"error": about}))
    print(f"foley: {error.message}", file=sys.stderr)
    if error.hint:
        print(f"  {error.hint}", file=sys.stderr)
    return error.exit_code


def _unforeseen(fault: Exception) -> FoleyError:
    error = FoleyError(
        f"this should not happen: {type(fault).__name__}: {fault}",
        hint="please report it with the output of: foley --debug ...",
    )
    error.__cause__ = fault
    return error
