"""What runs inside editors: `foley integrations list`, `foley integrations install`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foley.cli import console, options
from foley.integrations import catalogue

app = typer.Typer(
    help="List and install what runs inside editors.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command("list")
def list_integrations(*, json: options.Json = False) -> None:
    """List what there is for which editor, and where it was tried."""
    if json:
        console.answer_json(
            [
                {"name": one.name, "about": one.about, "tried": one.tried, "files": list(one.files.values())}
                for one in catalogue.INTEGRATIONS
            ]
        )
        return
    for one in catalogue.INTEGRATIONS:
        console.answer(f"{one.name}: {one.about}")
        console.answer(f"  tried: {one.tried}")


@app.command()
def install(
    name: Annotated[str, typer.Argument(help="One that `foley integrations list` knows.", show_default=False)],
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="The folder; the editor's own when not given.")
    ] = None,
    *,
    json: options.Json = False,
) -> None:
    """Write the files of an integration to where its editor looks for them, and say what remains to be done."""
    one = catalogue.named(name)
    written = [str(path) for path in catalogue.install(one, to)]
    if json:
        console.answer_json({"name": one.name, "files": written, "then": one.then})
        return
    for path in written:
        console.answer(path)
    console.say(one.then)
