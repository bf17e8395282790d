"""Options that several commands share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from foley.api import Settings
from foley.errors import OptionError
from foley.pipeline.runner import StageProgress

LOUDNESS = ("ebu-r128", "web", "off")

Prompt = Annotated[str, typer.Option(help='What is heard, in words; may be timed: "0:03 door slams; rain".')]
Subtitles = Annotated[Path | None, typer.Option(help="SDH subtitles whose [sounds] are hints.")]
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
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="STAGE.OPTION=VALUE", help="Set an option of a stage.")
]


def settings(
    *,
    workflow: str,
    workdir: Path | None,
    overwrite: bool = False,
    loudness: str | None = None,
    replace_audio: bool | None = None,
    chosen: list[str] | None = None,
    on_progress: Callable[[StageProgress], None] | None = None,
) -> Settings:
    """Return the settings that the options ask for.

    Raises:
        OptionError: where an option has no such value.
    """
    if loudness is not None and loudness not in LOUDNESS:
        raise OptionError(f"--loudness has no profile {loudness!r}", hint=f"there are: {', '.join(LOUDNESS)}")
    return Settings(
        workflow=workflow,
        workdir=workdir,
        overwrite=overwrite,
        loudness=loudness,  # type: ignore[arg-type]
        replace_audio=replace_audio,
        options=stage_options(chosen or []),
        on_progress=on_progress,
    )


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
