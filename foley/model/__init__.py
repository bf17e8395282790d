"""The types that stages hand each other, and nothing else: frozen data, unit in the name.

`media` is what a file holds, `picture` what was seen and heard in it, `plan` what is to be heard, `sound` what was
made of it, `report` what was measured. All are imported from here.
"""

from foley.model.media import Audio, AudioFile, Clip, SoundTrack, Source, SubtitleTrack, VideoStream
from foley.model.picture import Brief, Cue, Hint, Hints, Impact, KeyFrame, Listening, Motion, Picture, Shot, Span
from foley.model.plan import (
    PLAN_SCHEMA,
    Bus,
    ClipIdentity,
    CurvePoint,
    Hit,
    Kind,
    Proposal,
    ProposedSound,
    Reasoning,
    SoundEvent,
    SoundPlan,
)
from foley.model.report import Delivery, Destination, LoudnessFigures, Provenance, Report, SyncCheck
from foley.model.sound import Arrangement, FittedTakes, Master, Mixdown, Placement, PreviousMaster, Take, Takes

__all__ = [
    "PLAN_SCHEMA",
    "Arrangement",
    "Audio",
    "AudioFile",
    "Brief",
    "Bus",
    "Clip",
    "ClipIdentity",
    "Cue",
    "CurvePoint",
    "Delivery",
    "Destination",
    "FittedTakes",
    "Hint",
    "Hints",
    "Hit",
    "Impact",
    "KeyFrame",
    "Kind",
    "Listening",
    "LoudnessFigures",
    "Master",
    "Mixdown",
    "Motion",
    "Picture",
    "Placement",
    "PreviousMaster",
    "Proposal",
    "ProposedSound",
    "Provenance",
    "Reasoning",
    "Report",
    "Shot",
    "SoundEvent",
    "SoundPlan",
    "SoundTrack",
    "Source",
    "Span",
    "SubtitleTrack",
    "SyncCheck",
    "Take",
    "Takes",
    "VideoStream",
]
