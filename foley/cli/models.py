"""`foley models`: which weights there are, what they allow, where they are, and how to get them."""

from __future__ import annotations

from typing import Annotated

import typer

from foley.cli import console, options
from foley.neural import weights

app = typer.Typer(
    help="List, fetch and find the weights of models; foley works without any.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Name = Annotated[
    str,
    typer.Argument(
        help="A name that `foley models list` knows, or an id of the hub, ORGANISATION/NAME.", show_default=False
    ),
]


@app.command("list")
def list_models(*, json: options.Json = False) -> None:
    """List the models that foley knows: what for, what their licences allow, and where they are here."""
    found = [weights.as_record(entry) for entry in weights.catalogue().values()]
    if json:
        console.answer_json(found)
        return
    for record in found:
        state = f"here: {record['here']}" if record["here"] else f"not here: {weights.mend(record['name'])}"
        console.answer(f"{record['name']} ({record['purpose']}): {record['about']}")
        console.answer(f"  {record['hub']}, {_size(record['size_mb'])}; {_licence(record)}")
        console.answer(f"  {state}")


@app.command()
def get(name: Name, *, json: options.Json = False) -> None:
    """Fetch the weights of a model from the Hugging Face hub, and print their folder."""
    wanted = weights.entry(name)
    if weights.find(name) is None:
        console.say(f"fetching {wanted.hub} ({_size(wanted.size_mb)}); weights licence: {wanted.weights_licence}")
    folder = weights.get(name)
    if json:
        console.answer_json({"name": name, "here": str(folder), "revision": weights.revision(folder)})
    else:
        console.answer(str(folder))


@app.command()
def where(name: Name, *, json: options.Json = False) -> None:
    """Print where the weights of a model are here; an error says how to get them."""
    place = weights.need(name)
    if json:
        console.answer_json({"name": name, "here": str(place), "revision": weights.revision(place)})
    else:
        console.answer(str(place))


def _size(size_mb: int | None) -> str:
    return "size unknown" if size_mb is None else f"{size_mb} MB"


def _licence(record: dict[str, object]) -> str:
    use = {True: "any use", False: "not for commercial use", None: "commercial use not checked"}
    return f"code {record['code_licence']}, weights {record['weights_licence']}: {use[record['commercial']]}"  # type: ignore[index]
