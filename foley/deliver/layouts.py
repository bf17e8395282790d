"""Put an M&E where tools that dub look for a background, so that they take it instead of separating one themselves.

pyvideotrans takes `instrument.wav` and `vocal.wav` of its target folder; VideoLingo takes `background.mp3` and
`vocal.mp3` of its `output/audio`. Read in their code (4.03 of August 2026; March 2026), not run.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from foley.deliver import outputs
from foley.media import ffmpeg
from foley.model import AudioFile

Layout = Literal["none", "pyvideotrans", "videolingo"]

_FILES: Mapping[Layout, tuple[str, str]] = {
    "pyvideotrans": ("instrument.wav", "vocal.wav"),
    "videolingo": ("output/audio/background.mp3", "output/audio/vocal.mp3"),
}

MP3 = ("-c:a", "libmp3lame", "-b:a", "320k")
"""The best that the format has: the tool will code it once more."""


def lay_out(layout: Layout, effects: AudioFile, dialogue: AudioFile | None, folder: Path) -> list[str]:
    """Write the files that a tool looks for; return their names in the folder.

    Raises:
        OutputError: where they cannot be written.
    """
    written = []
    for name, audio in zip(_FILES.get(layout, ()), (effects, dialogue), strict=False):
        if audio is None:
            continue
        to = folder / layout / name
        if to.suffix == ".wav":
            outputs.place_copy(audio.path, to)
        else:
            outputs.make_folder(to.parent)
            ffmpeg.write("-i", audio.path, *MP3, to=to)
        written.append(f"{layout}/{name}")
    return written
