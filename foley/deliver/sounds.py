"""The sound files of a finished clip: which there are, what they are called, and how they come into the folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from foley.contracts import Context
from foley.deliver import marking, origin, outputs
from foley.deliver.finished import Finished
from foley.deliver.marking import Heard, Session
from foley.deliver.naming import FileNames, Naming, file_names, stem_title
from foley.media import coded, sound
from foley.media.bwf import Chunks
from foley.media.coded import FORMS
from foley.media.sound import WavWriter
from foley.model import AudioFile, Clip
from foley.units import RATE_HZ

_OWN_SOUND_VERSION = 2
"""Raised when the clip's own sound is read or written otherwise."""
_CODED_VERSION = 1
"""Raised when the same sound is coded otherwise."""


@dataclass(frozen=True, slots=True)
class SoundFile:
    """One sound file that is handed back."""

    name: str
    """In the folder, with its suffix, parted by slashes."""
    holds: str
    """take, or a bus, or mix, track or dialogue."""
    audio: AudioFile
    """Its samples, without chunks."""
    title: str
    mark: str
    """What a person is told of its origin."""
    source_type: origin.SourceType
    event: str = ""
    """Id of the event that a take is of."""
    form: str = "wav"


@dataclass(frozen=True)
class Sounds:
    """All sound files of a clip."""

    done: Finished
    session: Session
    naming: Naming = "plain"
    dialogue: AudioFile | None = None
    """The clip's own sound, where it is asked for."""

    @cached_property
    def names(self) -> FileNames:
        """Return what they are called."""
        return file_names(
            self.done.plan.events, clip=self.session.project, naming=self.naming, creator=self.session.creator
        )

    def heard(self) -> Iterator[Heard]:
        """Yield what is as long as the picture: stems, mix, track, dialogue."""
        mixdown, report, takes = self.done.mixdown, self.done.report, self.done.takes.items
        events = self.done.plan.events
        buses = {event.id: event.bus for event in events}
        for bus, stem in mixdown.stems.items():
            on_bus = tuple(take for take in takes if buses[take.event_id] == bus)
            yield Heard(bus, stem, marking.events_on(events, takes, bus), on_bus)
        everything = marking.events_on(events, takes, None)
        yield Heard("mix", mixdown.mix, everything, takes, figures=report.mix)
        if mixdown.track.path != mixdown.mix.path:
            own = mixdown.has_original
            yield Heard("track", mixdown.track, everything, takes, own_sound=own, figures=report.track)
        if self.dialogue is not None:
            yield Heard("dialogue", self.dialogue, own_sound=True)

    def place(self, folder: Path) -> list[SoundFile]:
        """Write all as Broadcast Wave into the folder; what is there already as it would be is left alone.

        Raises:
            OutputError: where they cannot be written.
        """
        placed = []
        for file, chunks in (*self._takes(), *self._stems()):
            outputs.make_folder((folder / file.name).parent)
            sound.save_with(file.audio, folder / file.name, chunks)
            placed.append(file)
        return placed

    def _takes(self) -> Iterator[tuple[SoundFile, Chunks]]:
        events = {event.id: event for event in self.done.plan.events}
        for take in self.done.takes.items:
            event, kind = events[take.event_id], origin.source_type([take])
            name = f"{self.names.takes[event.id]}.wav"
            mark = origin.sentence(kind)
            file = SoundFile(name, "take", take.audio, event.label, mark, kind, event.id)
            yield file, marking.take_chunks(self.session, take, event)

    def _stems(self) -> Iterator[tuple[SoundFile, Chunks]]:
        for heard in self.heard():
            name, title = f"{self.names.stem(heard.holds)}.wav", stem_title(heard.holds)
            file = SoundFile(name, heard.holds, heard.audio, title, heard.mark, heard.source_type)
            yield file, marking.stem_chunks(self.session, heard)


def own_sound(clip: Clip, ctx: Context) -> AudioFile | None:
    """Return the clip's own sound, the track that players choose, exactly as long as the picture; None without one.

    At 48 kHz and 24 bit, with the channels that it has; its level and everything else stay as they are.

    Raises:
        MediaError: where the track cannot be decoded.
    """
    if not clip.sound:
        return None
    track = clip.sound[0]

    def write(making: Context) -> AudioFile:
        with WavWriter(making.scratch / "dialogue.wav", rate_hz=RATE_HZ, channels=track.channels) as writer:
            for block in sound.read_track(clip, track, rate_hz=RATE_HZ, channels=track.channels):
                writer.append(block)
        return writer.file

    return ctx.once("dialogue", (_OWN_SOUND_VERSION, clip.key, track, clip.start_s, clip.duration_s), write)


def place_coded(files: list[SoundFile], forms: tuple[str, ...], *, folder: Path, ctx: Context) -> list[SoundFile]:
    """Write stems, mix, track and dialogue in other forms, too; what was coded before is not coded again.

    Raises:
        OutputError: where they cannot be written.
    """
    placed = []
    for file in files:
        for form in forms if file.holds != "take" else ():
            made = SoundFile(
                file.name.removesuffix(".wav") + FORMS[form].suffix,
                file.holds,
                file.audio,
                file.title,
                file.mark,
                file.source_type,
                form=form,
            )
            outputs.place_copy(_coded(made, ctx), folder / made.name)
            placed.append(made)
    return placed


def _coded(file: SoundFile, ctx: Context) -> Path:
    form = FORMS[file.form]
    tags = {"title": file.title, "comment": origin.said(file.mark, file.source_type), "genre": "Sound effects"}

    def write(making: Context) -> Path:
        to = making.scratch / f"coded{form.suffix}"
        coded.save_coded(file.audio, form, tags=tags, to=to)
        return to

    return ctx.once("coded-sound", (_CODED_VERSION, file.form, file.audio, tuple(tags.items())), write)
