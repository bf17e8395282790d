"""The sound files of a dub as Broadcast Wave: where they belong, what is heard in them, and what of it was made."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from foley.deliver import marking, naming, origin, outputs
from foley.deliver.marking import Heard, Session
from foley.media import sound
from foley.model import Clip, FittedTakes, LoudnessFigures, SoundEvent
from foley.model.dub import DubJob, LanguageMix, LanguageMixes, MusicAndEffects, Refill

ME = "me.wav"
FILLS = "fills.wav"

_ROOM_TONE = "Room tone made by a computer after the background"
"""Of fills without a planned sound."""
_FILLED = f"The background; where it was filled: {_ROOM_TONE[0].lower()}{_ROOM_TONE[1:]}"
_AS_GIVEN = "Nothing in it was generated"


@dataclass(frozen=True, slots=True)
class DubSounds:
    """All sound files of a dub."""

    clip: Clip
    job: DubJob
    refill: Refill
    takes: FittedTakes
    effects: MusicAndEffects
    mixes: LanguageMixes

    @property
    def mark(self) -> str:
        """Return what the M&E says of its origin, to a person and to a program; "" where nothing was added to it."""
        if not self.effects.places:
            return ""
        kind = origin.source_type(self.takes.items, with_own_sound=True)
        told = origin.sentence(kind) if self.takes.items else _FILLED
        return origin.said(told, kind)

    def place(self, folder: Path) -> list[str]:
        """Write all into the folder; return their names. What is there already as it would be is left alone.

        Raises:
            OutputError: where they cannot be written.
        """
        outputs.make_folder(folder)
        session, placed = Session(self.clip), []
        for name, heard in self._heard():
            sound.save_with(heard.audio, folder / name, marking.stem_chunks(session, heard))
            placed.append(name)
        return placed

    def _heard(self) -> Iterator[tuple[str, Heard]]:
        takes, events = self.takes.items, self._events()
        told = _FILLED if self.effects.places else _AS_GIVEN
        added = _ROOM_TONE if self.effects.places else origin.sentence("")
        yield ME, Heard("mix", self.effects.audio, events, takes, own_sound=True, untouched=told)
        title = f"{naming.stem_title('mix')} Fills"
        yield (
            FILLS,
            Heard("fills", self.effects.fills, events, takes, own_sound=not takes, title=title, untouched=added),
        )
        titles = {dub.name: dub.title for dub in self.job.dubs}
        for mix in self.mixes.items:
            title = f"{titles.get(mix.name, mix.name)} Mix"
            heard = Heard(mix.name, mix.audio, events, takes, True, _figures(mix), title=title, untouched=told)
            yield f"{mix.name}.wav", heard

    def _events(self) -> tuple[SoundEvent, ...]:
        return marking.events_on(self.refill.plan.events, self.takes.items, None)


def _figures(mix: LanguageMix) -> LoudnessFigures:
    return LoudnessFigures(mix.integrated_lufs, mix.true_peak_dbtp, None, math.inf, True)  # measured, judged by nobody
