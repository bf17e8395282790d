"""Localising: `foley me`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from foley import dubbing
from foley.cli import console, options
from foley.errors import OptionError
from foley.model import Brief
from foley.units import RATE_HZ, clock

MOST_NOTES = 16
"""That are printed; the report has all."""

Background = Annotated[Path | None, typer.Option(help="The video's sound without dialogue; separated where not given.")]
Dialogue = Annotated[Path | None, typer.Option(help="The video's dialogue alone: tells where effects were lost.")]
Dub = Annotated[
    list[str] | None,
    typer.Option(metavar="LANGUAGE=FILE", help="Dialogue in another language, as de=german.wav; may be repeated."),
]
Fill = Annotated[
    str | None,
    typer.Option(help="How deep: full (all, with room tone), augmented (near and strong), spot (named and strong)."),
]
Separator = Annotated[
    str | None,
    typer.Option(metavar="COMMAND", help='Program that separates: "demucs --two-stems=vocals -o {folder} {input}".'),
]
Layout = Annotated[
    str | None, typer.Option(help="Also write files as a tool looks for them: pyvideotrans, videolingo.")
]
TrimDubs = Annotated[bool, typer.Option("--trim-dubs", help="Cut a dub that is longer than the picture, with a fade.")]
DefaultLanguage = Annotated[str | None, typer.Option(help="The track that plays: a language, or original.")]
OriginalLanguage = Annotated[str | None, typer.Option(help="Of the video's own sound, where it does not say itself.")]
Duck = Annotated[float | None, typer.Option(metavar="DB", help="How far the M&E gives way in each mix (3).")]
PlanFile = Annotated[
    Path | None, typer.Option("--plan", help="Fill by this plan, edited or not; a new one is made else.")
]

_STAGES = {
    "separator": "separate.separator",
    "layout": "languages.layout",
    "trim_dubs": "conform.trim_dubs",
    "default_language": "languages.default_language",
    "original_language": "languages.original_language",
    "duck": "dub.duck_db",
    "fill": "refill.fill",
}
"""Options of the command that are one of a stage."""


def me(
    context: typer.Context,
    video: Annotated[Path, typer.Argument(help="The video to localise.", show_default=False)],
    prompt: options.Prompt = "",
    *,
    background: Background = None,
    dialogue: Dialogue = None,
    dub: Dub = None,
    fill: Fill = None,
    separator: Separator = None,
    plan: PlanFile = None,
    trim_dubs: TrimDubs = False,
    default_language: DefaultLanguage = None,
    original_language: OriginalLanguage = None,
    duck: Duck = None,
    layout: Layout = None,
    loudness: options.Loudness = None,
    subtitles: options.Subtitles = None,
    cue_sheet: options.CueSheet = None,
    seed: options.Seed = 0,
    generator: options.Generator = options.AUTO,
    licence: options.Licence = None,
    device: options.Device = None,
    output: options.Output = None,
    overwrite: options.Overwrite = False,
    workflow: options.WorkflowName = dubbing.WORKFLOW,
    set_option: options.SetOption = None,
    workdir: options.Workdir = None,
    json: options.Json = False,
) -> None:
    """Fill VIDEO's M&E where effects were lost under speech, mix each dub onto it, mux all languages."""
    given = dubbing.DubSettings(background, dialogue, dubs_of(dub or []), plan=plan, options=_chosen(context.params))
    brief = Brief(prompt, subtitles, cue_sheet, seed, generator)
    with console.progress() as show:
        settings = options.settings(context.params, show)
        result = dubbing.me(video, brief=brief, given=given, output=output, settings=settings)
    _answer(result, as_json=json)


def dubs_of(texts: list[str]) -> dict[str, Path]:
    """Return files by language from LANGUAGE=FILE.

    >>> dubs_of(["de=german.wav"])
    {'de': PosixPath('german.wav')}

    Raises:
        OptionError: where a text is none, or names a language twice.
    """
    dubs: dict[str, Path] = {}
    for text in texts:
        language, equals, file = text.partition("=")
        if not (language and equals and file):
            raise OptionError(f"--dub takes LANGUAGE=FILE, got {text!r}", hint="as in: --dub de=german.wav")
        if language in dubs:
            raise OptionError(f"--dub names {language} twice")
        dubs[language] = Path(file)
    return dubs


def _chosen(params: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the stage options that the command's own options stand for."""
    chosen: dict[str, dict[str, Any]] = {}
    for name, place in _STAGES.items():
        if params.get(name) not in (None, False):
            stage, _, option = place.partition(".")
            chosen.setdefault(stage, {})[option] = params[name]
    return chosen


def _answer(result: dubbing.DubResult, *, as_json: bool) -> None:
    done = result.delivery
    if as_json:
        console.answer_json(
            {
                "video": str(done.video),
                "folder": str(done.folder),
                "me": str(done.me),
                "mixes": {name: str(path) for name, path in done.mixes.items()},
                "places": len(done.places),
                "ratio_lu": done.ratio_lu,
                "notes": list(done.notes),
            }
        )
        return
    for place in done.places[:MOST_NOTES]:
        span = f"{clock(place.first_sample / RATE_HZ)} to {clock(place.last_sample / RATE_HZ)}"
        console.say(f"  filled {span}: {place.reason}")
    if not done.places:
        console.say("nothing was lost: the M&E is the background as it is")
    for note in done.notes[:MOST_NOTES]:
        console.say(f"  note: {note}")
    console.say(f"  M&E, mixes, plan and report: {done.folder}/")
    console.answer(str(done.video))
