"""The stage that hands a dub back: M&E, language mixes, report, manifest, and the video with all tracks last of all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from foley.contracts import Context, stage
from foley.deliver import layouts, me_report, outputs
from foley.deliver.credits import Credited, credits_text
from foley.deliver.dub_sounds import ME, DubSounds
from foley.deliver.layouts import Layout
from foley.errors import OptionError
from foley.media import languages as muxing
from foley.media.atomic import sweep, written_whole
from foley.media.language_names import NO_SPEECH, language
from foley.media.languages import NewTrack
from foley.media.writer import GENERATED_MARK
from foley.model import Clip, FittedTakes, Provenance
from foley.model.dub import (
    DubDelivery,
    DubDestination,
    DubJob,
    LanguageMixes,
    MusicAndEffects,
    Refill,
    Separation,
)

ORIGINAL = "original"
"""As a default language: the clip's own."""

REPORT = "me-report.json"
CREDITS = "credits.txt"


@dataclass(frozen=True, slots=True)
class LanguagesOptions:
    """How the tracks are named, and which one plays."""

    default_language: str = ""
    """The track that players choose: a dub's language, or "original"; "" for the first dub."""
    original_language: str = ""
    """Of the clip's own first track, where it does not say itself."""
    me_title: str = "Music and effects"
    """Of the M&E's track."""
    layout: Layout = "none"
    """Files besides, as another tool looks for them: pyvideotrans or videolingo."""

    def __post_init__(self) -> None:
        if self.layout not in get_args(Layout):
            raise ValueError(f"layout must be one of {', '.join(get_args(Layout))}, got {self.layout!r}")
        if self.original_language:
            language(self.original_language)


@stage(version=1, cached=False)
def languages(
    clip: Clip,
    job: DubJob,
    separation: Separation,
    refill: Refill,
    takes: FittedTakes,
    effects: MusicAndEffects,
    mixes: LanguageMixes,
    to: DubDestination,
    provenance: Provenance,
    opts: LanguagesOptions,
    ctx: Context,
) -> DubDelivery:
    """Write everything; the video comes last, so that it is there only when all else is."""
    tracks, sounds = _tracks(clip, job, effects, mixes, opts), DubSounds(clip, job, refill, takes, effects, mixes)
    for folder in (to.video.parent, to.folder):
        sweep(folder)
    ctx.progress(0.0, "writing the video")
    with written_whole(to.video) as part:
        own = language(opts.original_language).code if opts.original_language else ""
        told = muxing.mux_languages(clip, tracks, part, original_language=own, mark=_mark(sounds))
        notes = (*effects.notes, *(note for mix in mixes.items for note in mix.notes), *takes.notes, *told)
        files = sounds.place(to.folder)
        files += layouts.lay_out(opts.layout, effects.audio, separation.dialogue, to.folder)
        done = me_report.Dubbed(clip, job, separation, refill, takes, effects, mixes, tuple(tracks), notes)
        outputs.write_text(to.folder / REPORT, json.dumps(me_report.record(done, provenance), indent=2) + "\n")
        outputs.write_text(to.folder / CREDITS, _credits(sounds, version=provenance.tools["foley"]))
        _write_manifest({name: outputs.fingerprint(to.folder / name) for name in (*files, REPORT, CREDITS)}, part, to)
    named = {mix.name: to.folder / f"{mix.name}.wav" for mix in mixes.items}
    return DubDelivery(to.video, to.folder, to.folder / ME, named, effects.places, mixes.ratio_lu, notes)


def default_track(job: DubJob, wanted: str) -> str:
    """Return the name of the dub that players choose; "" for the clip's own sound.

    Raises:
        OptionError: where no track is in that language.
    """
    if not wanted:
        return job.dubs[0].name if job.dubs else ""
    if wanted == ORIGINAL:
        return ""
    found = [dub.name for dub in job.dubs if wanted in (dub.name, dub.language)]
    found = found or [dub.name for dub in job.dubs if dub.language == language(wanted).code]
    if not found:
        there = ", ".join((*(dub.name for dub in job.dubs), ORIGINAL))
        raise OptionError(f"no track is in the language {wanted!r}", hint=f"there are: {there}")
    return found[0]


def _tracks(
    clip: Clip, job: DubJob, effects: MusicAndEffects, mixes: LanguageMixes, opts: LanguagesOptions
) -> list[NewTrack]:
    chosen = default_track(job, opts.default_language)
    mixed = {mix.name: mix.audio for mix in mixes.items}
    tracks = [NewTrack(mixed[dub.name], dub.language, dub.title, "dub", dub.name == chosen) for dub in job.dubs]
    alone = not chosen and not clip.sound
    return [*tracks, NewTrack(effects.audio, NO_SPEECH, opts.me_title, "effects", alone)]


def _mark(sounds: DubSounds) -> str:
    """Return what the video's comments say of the new tracks; "" where nothing in them was generated."""
    return f"{GENERATED_MARK}: {sounds.mark}" if sounds.mark else ""


def _credits(sounds: DubSounds, *, version: str) -> str:
    beside = "It fills the M&E; the rest of that is the background as it was given or separated."
    made = Credited(sounds.clip.path.name, sounds.refill.plan.events, sounds.takes.items, beside)
    return credits_text(made, version=version)


def _write_manifest(files: Mapping[str, str], video: Path, to: DubDestination) -> None:
    """Note what was written, so that another run knows what it may replace."""
    place = Path(os.path.relpath(to.video.resolve(), to.folder.resolve())).as_posix()
    noted = {"files": dict(files), "video": {"path": place, "fingerprint": outputs.fingerprint(video)}}
    outputs.clear_stale(to.folder, files)
    outputs.write_text(to.folder / outputs.MANIFEST, json.dumps(noted, indent=2) + "\n")
