"""The stage that codes the new track: it takes a processor as long as the checks do that run beside it."""

from __future__ import annotations

from foley.contracts import Context, stage
from foley.media import writer
from foley.model import CodedTrack, Destination, Mixdown

VERSION = 1
"""Raised when the same track is coded otherwise."""


@stage(version=VERSION, cached=False, beside=True)  # kept below: by the track and its coding, wherever the video lies
def code(mixdown: Mixdown, to: Destination, ctx: Context) -> CodedTrack:
    """Code the track for the video's container, once for the same track.

    Raises:
        OutputError: where it cannot be written.
    """
    coding = writer.coding_for(to.video)
    if coding is None:
        return CodedTrack(None)
    key = (VERSION, mixdown.track, coding)
    return ctx.once("coded", key, lambda making: CodedTrack(writer.coded_track(mixdown.track, coding, making.scratch)))
