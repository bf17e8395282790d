"""How long a file's tracks last, by its container, through PyAV: asking a program would take a tenth of a second."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from foley.errors import NotAMediaFileError
from foley.media.ffmpeg import address
from foley.units import parse_clock


def sound_s(path: Path) -> float | None:
    """Return how long the first sound track lasts; 0 where there is none, None where the container does not say.

    Raises:
        NotAMediaFileError: where the file cannot be read.
    """
    import av

    try:
        with av.open(address(path)) as container:
            if not container.streams.audio:
                return 0.0
            track = container.streams.audio[0]
            tick = float(track.time_base or 0)
            if track.duration is not None and tick:
                return track.duration * tick
            ends = track.metadata.get("DURATION")  # Matroska: when it ends, by the file's own clock
            with suppress(ValueError):
                return parse_clock(ends) - (track.start_time or 0) * tick if ends else None
            return None
    except (av.FFmpegError, OSError) as cause:
        raise NotAMediaFileError(path, str(cause)) from cause
