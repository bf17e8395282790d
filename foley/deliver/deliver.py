"""The stage that hands the result back: takes, stems, report, manifest, and the video last of all."""

from __future__ import annotations

import json
import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from foley.contracts import Context, Later, stage
from foley.deliver import outputs, record, report_page
from foley.deliver.finished import Finished
from foley.media import ffmpeg, writer
from foley.media.atomic import written_whole
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

REPORTS = (outputs.MASTER, "report.json", "report.html")

LISTEN_S = 180
"""The longest sound that the page carries itself: about 10 MB; a longer one is played from its file."""


@dataclass(frozen=True, slots=True)
class DeliverOptions:
    """How the result is handed back."""

    title: str = "Foley"
    """Of the new sound track."""
    language: str = "zxx"
    """Of the new sound track, ISO 639-2; zxx says that nobody speaks in it."""


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
    report = replace(report, notes=(*picture.faults, *looks.notes, *takes.notes, *report.notes))
    done = Finished(clip, picture, looks, plan, takes, mixdown, report)
    outputs.clear_parts(to)
    ctx.progress(0.0, "writing the video")
    # ffmpeg works beside Python: what the page needs of the video comes when all else of it is drawn
    with written_whole(to.video) as part, ThreadPoolExecutor(2, thread_name_prefix="mux") as beside:
        muxing = beside.submit(_mux, done, coded, part, opts)
        listen = beside.submit(_listen, done, coded, ctx)
        files = _place_sound(takes, mixdown, to.folder)
        outputs.save_master(mixdown.master, to.folder)
        prints = {name: outputs.fingerprint(to.folder / name) for name in files}
        ctx.progress(0.3, "writing the report")
        _write_report(done, listen, to, ctx)
        muxing.result()
        _write_manifest(record.manifest(done, provenance), prints, part, to)
    return Delivery(to.video, to.folder, report)


def _mux(done: Finished, coded: Later[CodedTrack], part: Path, opts: DeliverOptions) -> None:
    track, own_left_out = coded.result().path or done.mixdown.track.path, done.mixdown.replaces_original
    writer.mux(done.clip, track, part, title=opts.title, language=opts.language, replace=own_left_out)


def _place_sound(takes: FittedTakes, mixdown: Mixdown, folder: Path) -> list[str]:
    """Copy takes and stems into the folder; return their names in it."""
    sources = {f"takes/{take.event_id}.wav": take.audio for take in takes.items}
    sources |= {f"stems/{bus}.wav": stem for bus, stem in mixdown.stems.items()}
    sources["stems/mix.wav"] = mixdown.mix
    if mixdown.track.path != mixdown.mix.path:
        sources["stems/track.wav"] = mixdown.track
    for name, audio in sources.items():
        outputs.place_copy(audio.path, folder / name)
    return list(sources)


def _write_report(done: Finished, listen: Future[bytes | None], to: Destination, ctx: Context) -> None:
    outputs.write_text(to.folder / "report.json", json.dumps(record.report_record(done), indent=2) + "\n")
    page = report_page.page(done, listen=listen, video=_seen_from(to.folder, to.video), ctx=ctx)
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
