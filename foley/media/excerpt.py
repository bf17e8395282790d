"""A part of a film's picture as a file of its own, for programs that are to look at it."""

from __future__ import annotations

import math
from pathlib import Path

from foley.errors import NotAMediaFileError
from foley.media import ffmpeg

RATE_FPS = 25
"""What models that look at video sample it at, or more than that; constant, so that frame n is seen at n / 25 s."""

TALLEST_PX = 480
"""Such models look at 224 to 512 pixels: a larger picture would cost more to write and read than the model to run."""

_APPROACH_S = 1.0
"""How much before the part decoding begins: the picture that stands when it starts may be older than its start."""


def cut(film: Path, start_s: float, duration_s: float, *, to: Path) -> None:
    """Write what a film shows from a time on as an MP4 without sound, as long as asked for in whole frames.

    Each frame shows what a viewer sees at its time. Before the film's first frame stands that one, after its last the
    last.

    Args:
        film: The film.
        start_s: From its first frame; may be negative.
        duration_s: Of the part.
        to: The file to write.

    Raises:
        MediaError: where the film cannot be read.
        OutputError: where the part cannot be written.
    """
    wanted_s = start_s + _first_frame_s(film)
    begin_s = max(0.0, wanted_s - _APPROACH_S)
    frames = max(1, math.ceil(duration_s * RATE_FPS - 1e-6))
    shown = ",".join(
        (
            # rounding up: a picture is seen from its own time on, never before it
            f"fps={RATE_FPS}:start_time={wanted_s - begin_s:.6f}:round=up",
            "setpts=PTS-STARTPTS",
            f"tpad=stop=-1:stop_mode=clone,scale=-2:'trunc(min(ih,{TALLEST_PX})/2)*2'",
        )
    )
    ffmpeg.write(
        *("-ss", f"{begin_s:.6f}", "-i", film, "-map", "0:V:0", "-an", "-sn", "-dn", "-map_metadata", "-1"),
        *("-vf", shown, "-frames:v", str(frames)),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p", "-f", "mp4"),
        to=to,
    )


def _first_frame_s(film: Path) -> float:
    """Return when the first frame is seen by the clock that seeking uses: 0 is the earliest of all streams."""
    try:
        found = ffmpeg.probe(film, select_streams="V:0", show_entries="stream=start_time:format=start_time")
        return float(found["streams"][0]["start_time"]) - float(found["format"]["start_time"])
    except ffmpeg.ProbeError as cause:
        raise NotAMediaFileError(film, str(cause)) from cause
    except (LookupError, ValueError):  # formats without a clock begin with their first frame
        return 0.0
