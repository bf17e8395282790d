"""The stage that hands the result back: takes, stems, report, manifest, and the video last of all."""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from foley.contracts import Context, Later, stage
from foley.deliver import marking, origin, outputs, record, report_page, signing, sounds
from foley.deliver.credits import credited, credits_text
from foley.deliver.finished import Finished
from foley.deliver.naming import Naming
from foley.deliver.signing import Algorithm, Signature
from foley.deliver.sounds import SoundFile, Sounds
from foley.media import ffmpeg, writer
from foley.media.atomic import written_whole
from foley.media.coded import FORMS
from foley.model import (
    Clip,
    CodedTrack,
    Delivery,
    Destination,
    FittedTakes,
    Looks,
    Mixdown,
    Picture,
    Provenance,
    Report,
    SoundPlan,
)

REPORTS = (outputs.MASTER, "report.json", "report.html", "credits.txt")

LISTEN_S = 180
"""The longest sound that the page carries itself: about 10 MB; a longer one is played from its file."""


@dataclass(frozen=True, slots=True)
class DeliverOptions:
    """How the result is handed back."""

    title: str = "Foley"
    """Of the new sound track."""
    language: str = "zxx"
    """Of the new sound track, ISO 639-2; zxx says that nobody speaks in it."""
    naming: Naming = "plain"
    """What sound files are called: plain (stems/foley.wav, takes/ID.wav), ucs, or delivery (letters, digits, . _ -)."""
    creator: str = "FOLEY"
    """CreatorID of UCS, in names and in what files say of themselves."""
    date: str = ""
    """Day, or day and time (2026-11-21T09:30:00), that files say they were made; "" leaves it out, so that the same run
    gives the same bytes."""
    dialogue: bool = False
    """Also writes the clip's own sound as a file of its own."""
    formats: str = ""
    """Forms in which stems, mix, track and dialogue are written beside WAV: of flac, mp3, ogg, aac, with commas."""
    c2pa_certificate: str = ""
    """PEM file with the chain that signs the video's content credentials (C2PA); "" for none."""
    c2pa_key: str = ""
    """PEM file with its private key."""
    c2pa_algorithm: Algorithm = "es256"
    """How the key signs."""
    c2pa_timestamps: str = ""
    """Address of a time stamp authority; "" for none, and no network."""

    def __post_init__(self) -> None:
        if self.naming not in get_args(Naming):
            raise ValueError(f"naming must be one of {', '.join(get_args(Naming))}, got {self.naming!r}")
        if unknown := [form for form in self.forms() if form not in FORMS]:
            raise ValueError(f"formats must be of {', '.join(FORMS)}, got {', '.join(unknown)}")
        if not self.creator.strip() or "_" in self.creator:
            raise ValueError(f"creator must be a word without underscores, got {self.creator!r}")
        if self.date:
            _check_date(self.date)
        if self.c2pa_algorithm not in get_args(Algorithm):
            raise ValueError(f"c2pa_algorithm must be one of {', '.join(get_args(Algorithm))}")
        if self.c2pa_certificate or self.c2pa_key:
            _check_signature(self.c2pa_certificate, self.c2pa_key)

    def forms(self) -> tuple[str, ...]:
        """Return the forms beside WAV."""
        return tuple(dict.fromkeys(part.strip() for part in self.formats.split(",") if part.strip()))

    def signature(self) -> Signature | None:
        """Return who signs the video; None where nobody does."""
        if not self.c2pa_key:
            return None
        return Signature(Path(self.c2pa_certificate), Path(self.c2pa_key), self.c2pa_algorithm, self.c2pa_timestamps)


def _check_date(date: str) -> None:
    datetime.fromisoformat(date)  # a day that there is
    if not re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?", date):
        raise ValueError(f"date must be written as 2026-11-21 or 2026-11-21T09:30:00, got {date!r}")


def _check_signature(certificate: str, key: str) -> None:
    for name, named in (("c2pa_certificate", certificate), ("c2pa_key", key)):
        if not named:
            raise ValueError(f"{name} must be given too")
        if not Path(named).is_file():
            raise ValueError(f"{name}: there is no file {named}")
    if not signing.installed():
        raise ValueError(f"c2pa_certificate needs a package that is not installed: {signing.INSTALL}")


@stage(version=1, cached=False)
def deliver(
    clip: Clip,
    picture: Picture,
    looks: Looks,
    plan: SoundPlan,
    takes: FittedTakes,
    mixdown: Mixdown,
    coded: Later[CodedTrack],
    report: Report,
    to: Destination,
    provenance: Provenance,
    opts: DeliverOptions,
    ctx: Context,
) -> Delivery:
    """Write everything; the video comes last, so that it is there only when all else is."""
    if opts.signature():
        signing.refuse_unsignable(to.video)
    notes = (*picture.faults, *looks.notes, *takes.notes, *report.notes, *_notes(clip, opts))
    done = Finished(clip, picture, looks, plan, takes, mixdown, replace(report, notes=notes))
    outputs.clear_parts(to)
    ctx.progress(0.0, "writing the video")
    # ffmpeg works beside Python: what the page needs of the video comes when all else of it is drawn
    with written_whole(to.video) as part, ThreadPoolExecutor(2, thread_name_prefix="mux") as beside:
        muxing = beside.submit(_mux, done, coded, part, opts)
        listen = beside.submit(_listen, done, coded, ctx)
        known = outputs.known_prints(to.folder)
        files = _place_sound(done, to.folder, opts, ctx)
        outputs.save_master(mixdown.master, to.folder)
        prints = {file.name: known.of(to.folder / file.name) for file in files}
        ctx.progress(0.3, "writing the report")
        outputs.write_text(to.folder / "credits.txt", credits_text(credited(done), version=provenance.tools["foley"]))
        _write_report(done, listen, to, mix=next(file.name for file in files if file.holds == "mix"), ctx=ctx)
        muxing.result()
        _sign(done, part, to, provenance=provenance, by=opts.signature())
        _write_manifest(record.manifest(done, provenance, files), prints, part, to)
    return Delivery(to.video, to.folder, done.report)


def _notes(clip: Clip, opts: DeliverOptions) -> tuple[str, ...]:
    """Return what a person should know of the files."""
    silent = "the clip has no sound of its own: there is no dialogue file" if opts.dialogue and not clip.sound else ""
    return tuple(filter(None, (marking.start_sample(clip)[1], silent)))


def _mux(done: Finished, coded: Later[CodedTrack], part: Path, opts: DeliverOptions) -> None:
    track, own_left_out = coded.result().path or done.mixdown.track.path, done.mixdown.replaces_original
    kind = origin.source_type(done.takes.items, with_own_sound=done.mixdown.has_original)
    mark = f"{writer.GENERATED_MARK}: {origin.said(origin.sentence(kind), kind)}"
    writer.mux(done.clip, track, part, title=opts.title, language=opts.language, replace=own_left_out, mark=mark)


def _sign(done: Finished, video: Path, to: Destination, *, provenance: Provenance, by: Signature | None) -> None:
    """Sign the finished video where a certificate is given."""
    if by is None:
        return
    kind = origin.source_type(done.takes.items, with_own_sound=done.mixdown.has_original)
    made_by = sorted({take.generator for take in done.takes.items})
    claim = signing.claim(to.video.name, kind, version=provenance.tools["foley"], generators=made_by)
    signing.sign(video, done.clip.path, claim, by=by)


def _place_sound(done: Finished, folder: Path, opts: DeliverOptions, ctx: Context) -> list[SoundFile]:
    """Write takes and stems into the folder, with what they say of themselves."""
    dialogue = sounds.own_sound(done.clip, ctx) if opts.dialogue else None
    session = marking.Session(done.clip, opts.creator, opts.date)
    files = Sounds(done, session, opts.naming, dialogue).place(folder)
    return [*files, *sounds.place_coded(files, opts.forms(), folder=folder, ctx=ctx)]


def _write_report(done: Finished, listen: Future[bytes | None], to: Destination, *, mix: str, ctx: Context) -> None:
    outputs.write_text(to.folder / "report.json", json.dumps(record.report_record(done), indent=2) + "\n")
    page = report_page.page(done, listen=listen, video=_seen_from(to.folder, to.video), mix=mix, ctx=ctx)
    outputs.write_text(to.folder / "report.html", page)


def _listen(done: Finished, coded: Later[CodedTrack], ctx: Context) -> bytes | None:
    """Return the new track for the page's player: as the video holds it where a browser plays that, else coded anew."""
    if done.clip.duration_s > LISTEN_S:
        return None
    track = coded.result().path
    if track is not None:
        return track.read_bytes()
    heard = ctx.scratch / "listen.m4a"
    ffmpeg.write("-i", done.mixdown.track.path, "-c:a", "aac", "-b:a", "128k", to=heard)
    return heard.read_bytes()


def _write_manifest(manifest: dict[str, Any], prints: dict[str, str], video: Path, to: Destination) -> None:
    manifest["files"] = prints | {name: outputs.fingerprint(to.folder / name) for name in REPORTS}
    place = _seen_from(to.folder, to.video).as_posix()
    manifest["video"] = {"path": place, "fingerprint": outputs.fingerprint(video)}
    outputs.clear_stale(to.folder, manifest["files"])
    outputs.write_text(to.folder / outputs.MANIFEST, json.dumps(manifest, indent=2) + "\n")


def _seen_from(folder: Path, path: Path) -> Path:
    return Path(os.path.relpath(path.resolve(), folder.resolve()))
