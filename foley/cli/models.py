"""`foley models`: which weights there are, what they allow, where they are, how to get them, what they would take."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from typing import Annotated, Any

import typer

from foley import api
from foley.cli import console, options
from foley.errors import MissingWeightsError, PlanError
from foley.neural import layouts, weights
from foley.plan import events

app = typer.Typer(
    help="List, fetch, convert and find the weights of models; foley works without any.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

CONVERTERS = {"audiocraft": "foley.neural.convert_audiogen", "stable-audio-tools": "foley.neural.convert_stable_audio"}
"""By the layout that each reads. Loaded by name: the command line does not hang on torch."""

FORECAST = "foley.render.forecast"
"""Loaded by name too: it asks generators, which may hang on torch."""

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
        played = f"; generator {record['generator']}" if record["generator"] else ""
        console.answer(f"{record['name']} ({record['purpose']}{played}): {record['about']}")
        console.answer(f"  {record['hub']}, {_size(record['size_mb'])}; {_licence(record)}")
        if record["conditions"]:
            console.answer(f"  {record['conditions']}")
        console.answer(f"  {_state(record)}")


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
    if layouts.layout_of(folder) in CONVERTERS:
        console.say(f"it is converted when first used, or now: foley models convert {name}")


@app.command()
def where(name: Name, *, json: options.Json = False) -> None:
    """Print where the weights of a model are here; an error says how to get them."""
    place = weights.need(name)
    if json:
        console.answer_json({"name": name, "here": str(place), "revision": weights.revision(place)})
    else:
        console.answer(str(place))


@app.command()
def convert(
    source: Annotated[
        str, typer.Argument(metavar="FOLDER", help="The model as published: a folder, or its name.", show_default=False)
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The folder to make; where foley looks by itself when not given."),
    ] = None,
    codec: Annotated[
        str, typer.Option(help="Name or folder of EnCodec, for finetunes of AudioGen that come without it.")
    ] = "",
    text_encoder: Annotated[
        str, typer.Option(help="Name or folder of the T5 or T5Gemma that reads the prompts; found when it is here.")
    ] = "",
    json: options.Json = False,
) -> None:
    """Convert a model of audiocraft or stable-audio-tools into the form that foley loads, and print the folder made.

    Without it foley converts such a model into its cache when it is first used.
    """
    is_folder = Path(source).expanduser().is_dir()
    folder = Path(source).expanduser() if is_folder else weights.need(source, published=True)
    beside = folder.with_name(f"{folder.name}-converted")
    target = output or (beside if is_folder else weights.converted_folder(weights.entry(source).name))
    layout = _convertible(source, folder)
    converter: Any = importlib.import_module(CONVERTERS[layout])
    given = {"codec": codec} if layout == "audiocraft" else {}
    made = converter.convert(folder, target, text_encoder=text_encoder, **given)
    if json:
        console.answer_json({"name": source, "here": str(made), "revision": weights.revision(made)})
    else:
        console.answer(str(made))


@app.command()
def plan(
    plan_file: Annotated[
        Path, typer.Argument(metavar="PLAN", help="A plan.yaml, or a video that has one.", show_default=False)
    ],
    *,
    generator: options.Generator = options.AUTO,
    model: options.Model = None,
    licence: options.Licence = None,
    region: options.Region = None,
    device: options.Device = None,
    max_vram: options.MaxVram = None,
    quantise: options.Quantise = None,
    json: options.Json = False,
) -> None:
    """Say what rendering PLAN would take, before anything is loaded: who makes each sound, where, how long."""
    path = _plan_of(plan_file)
    forecast: Any = importlib.import_module(FORECAST)
    roster = forecast.roster_of(
        generator,
        models=model or (),
        licence=licence or "any",
        region=region or "",
        device=device or "auto",
        max_vram_mb=max_vram or 0,
        quantise=quantise or "",
    )
    found = forecast.forecasts(events.load(path).events, roster)
    if json:
        console.answer_json([dataclasses.asdict(one) for one in found])
        return
    for one in found:
        console.answer(_expectation(one))
    for line in forecast.summary(found):
        console.answer(line)


def _convertible(source: str, folder: Path) -> str:
    """Return the layout of a folder as published; an error says what was expected."""
    marks = {"audiocraft": "state_dict.bin", "stable-audio-tools": "model_config.json"}
    layout = next((layout for layout, mark in marks.items() if (folder / mark).is_file()), None)
    if layout is None:
        wanted = "; or ".join(f"{name}: {layouts.EXPECTED[name]}" for name in CONVERTERS)
        reason = f"{folder} is in no layout that is converted: {wanted}"
        raise MissingWeightsError(
            source, reason, "models in transformers' and diffusers' layouts are loaded as they are"
        )
    return layout


def _plan_of(path: Path) -> Path:
    """Return the plan: the file itself, or the one that was made for a video."""
    if path.suffix.lower() in (".yaml", ".yml"):
        return path
    made = path / "plan.yaml" if path.is_dir() else api.destination(path, None).folder / "plan.yaml"
    if not made.is_file():
        raise PlanError(f"{path} has no plan yet", hint=f"make one first: foley plan {path}")
    return made


def _expectation(one: Any) -> str:
    """Return what is expected of one event, in a line."""
    if not one.generator:
        return f"{one.event} {one.label}: nobody makes it: {'; '.join(one.notes)}"
    model = f" ({one.model}, {one.licence})" if one.model else ""
    notes = "".join(f"\n  note: {note}" for note in one.notes)
    took = "time unknown" if one.time_s is None else f"about {one.time_s:.1f} s (estimate)"
    return (
        f"{one.event} {one.label}: {one.generator}{model} on {one.device}, {one.sound_s:.1f} s of sound, {took}{notes}"
    )


def _state(record: dict[str, Any]) -> str:
    if record["here"]:
        return f"here: {record['here']}"
    if record["purpose"] == weights.EXTERNAL:
        return "played by its own program: generator command"
    return f"not here: {weights.mend(record['name'])}"


def _size(size_mb: int | None) -> str:
    return "size unknown" if size_mb is None else f"{size_mb} MB"


def _licence(record: dict[str, Any]) -> str:
    said = {True: "commercial use too", False: "not for commercial use", None: "commercial use not checked"}
    use = said[record["commercial"]]
    if record["excluded_regions"]:
        use += f", not in {', '.join(record['excluded_regions'])}"
    return f"code {record['code_licence']}, weights {record['weights_licence']}: {use}"
