"""Options that several commands share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from foley import plugins
from foley.api import Settings
from foley.dsp.profiles import PROFILE_NAMES, ProfileName
from foley.errors import OptionError
from foley.pipeline.runner import StageProgress

AUTO = "auto"
"""No generator is named."""

LOUDNESS = PROFILE_NAMES

Prompt = Annotated[str, typer.Option(help='What is heard, in words; may be timed: "0:03 door slams; rain".')]
Subtitles = Annotated[Path | None, typer.Option(help="SDH subtitles: the sounds in their brackets are hints.")]
CueSheet = Annotated[Path | None, typer.Option(help="CSV with start, end, description.")]
Seed = Annotated[int, typer.Option(help="Another seed, other takes.")]
Generator = Annotated[str, typer.Option(help="What makes the sound; see: foley generators.")]
WorkflowName = Annotated[str, typer.Option("--workflow", help="Name or file; see: foley workflows.")]
Workdir = Annotated[Path | None, typer.Option(help="Cache folder; FOLEY_CACHE or the user's cache when not given.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="The finished video, or a folder for it.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result for programs.")]
Loudness = Annotated[str | None, typer.Option(help=f"Profile of the mix: {', '.join(LOUDNESS)}.")]
ReplaceAudio = Annotated[
    bool | None,
    typer.Option("--replace-audio/--keep-original", help="Leave out, or keep, the clip's own sound tracks (kept)."),
]
Encoder = Annotated[
    str | None, typer.Option(help="Who looks at the picture: auto, none, required, or a name; see: foley encoders.")
]
EncoderModel = Annotated[str | None, typer.Option(help="Its model: a name, hub id, local-dir:FOLDER or file.")]
Planner = Annotated[
    str | None, typer.Option(help="Who plans; one after another with +, as rules+text; see: foley planners.")
]
PlannerModel = Annotated[str | None, typer.Option(help="The planner's model: a name, hub id or folder.")]
Endpoint = Annotated[str | None, typer.Option(help="Chat service of a planner, as http://localhost:8000/v1.")]
Device = Annotated[str | None, typer.Option(help="Where models run: auto, cpu, cuda or mps.")]
Model = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[NAME=]MODEL",
        help="Model of the generator NAME, or of the one that --generator names: name, hub id, folder.",
    ),
]
Licence = Annotated[
    str | None, typer.Option(help="What the sound is used for: any (default), research, or commercial.")
]
Region = Annotated[
    str | None, typer.Option(help="Where it is used: an ISO 3166 code or EU; some licences leave it out.")
]
MaxVram = Annotated[int | None, typer.Option(metavar="MB", help="The most memory of the device that models may use.")]
Quantise = Annotated[
    str | None, typer.Option(metavar="BITS", help="Weights in fewer bits, where model and device can: 8bit or 4bit.")
]
Steps = Annotated[
    int | None, typer.Option(help="Steps of a diffusion model; as many as it is meant for when not given.")
]
Compile = Annotated[bool, typer.Option("--compile", help="Compile diffusion models: pays where many sounds are made.")]
Candidates = Annotated[int | None, typer.Option(help="How many takes a model makes of each event; the best is kept.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="STAGE.OPTION=VALUE", help="Set an option of a stage.")
]


STAGES = {
    "encoder": "looks.encoder",
    "encoder_model": "looks.model",
    "planner": "propose.planner",
    "planner_model": "propose.model",
    "endpoint": "propose.endpoint",
    "remaster": "master.remaster",
    "licence": "takes.licence",
    "region": "takes.region",
    "max_vram": "takes.max_vram_mb",
    "quantise": "takes.quantise",
    "steps": "takes.steps",
    "compiled": "takes.compile",
    "candidates": "takes.candidates",
}
"""Options of the command line that are one of a stage."""


def settings(params: Mapping[str, Any], on_progress: Callable[[StageProgress], None] | None = None) -> Settings:
    """Return the settings that a command's options ask for.

    Args:
        params: The values of the command's options, by the names of its parameters.
        on_progress: Told how far the run is.

    Raises:
        OptionError: where an option has no such value.
    """
    loudness = params.get("loudness")
    if loudness is not None:
        loudness = profile(loudness, "--loudness")
    options = {name: {**values} for name, values in stage_options(list(params.get("set_option") or ())).items()}
    named = [(option, params[name]) for name, option in STAGES.items() if params.get(name)]
    if device := params.get("device"):
        named += [(f"{stage}.device", device) for stage in ("looks", "propose", "takes")]
    if models := params.get("model"):
        named += [("takes.models", tuple(_for_generator(text, params.get("generator", AUTO)) for text in models))]
    for option, value in named:
        stage, _, field = option.partition(".")
        options.setdefault(stage, {}).setdefault(field, value)
    return Settings(
        workflow=params["workflow"],
        workdir=params["workdir"],
        overwrite=params.get("overwrite", False),
        loudness=loudness,
        replace_audio=params.get("replace_audio"),
        options=options,
        on_progress=on_progress,
    )


def profile(name: str, option: str) -> ProfileName:
    """Return the loudness profile of that name.

    Raises:
        OptionError: where there is none.
    """
    for known in LOUDNESS:
        if name == known:
            return known
    raise OptionError(f"{option} has no profile {name!r}", hint=f"there are: {', '.join(LOUDNESS)}")


def _for_generator(text: str, named: str) -> str:
    """Return NAME=MODEL; where only a model is given, it is for the generator that is named.

    >>> _for_generator("models/audiogen", "audiogen")
    'audiogen=models/audiogen'
    """
    if text.partition("=")[0] in plugins.names("generator"):
        return text
    if named == AUTO:
        raise OptionError(f"--model {text}: it is not said whose", hint="name it with --generator, or give NAME=MODEL")
    return f"{named}={text}"


def stage_options(chosen: list[str]) -> dict[str, dict[str, Any]]:
    """Return stage options from STAGE.OPTION=VALUE.

    >>> stage_options(["watch.width_px=320", "propose.planner=rules"])
    {'watch': {'width_px': 320}, 'propose': {'planner': 'rules'}}
    """
    options: dict[str, dict[str, Any]] = {}
    for text in chosen:
        name, equals, value = text.partition("=")
        stage, dot, option = name.partition(".")
        if not (equals and dot and stage and option):
            raise OptionError(f"--set takes STAGE.OPTION=VALUE, got {text!r}")
        options.setdefault(stage, {})[option] = _plain(value)
    return options


def _plain(text: str) -> Any:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return {"true": True, "false": False, "null": None}.get(text, text)
