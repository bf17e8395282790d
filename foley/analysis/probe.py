"""What a clip is: its streams, when its first frame is shown and how long its picture lasts, exactly."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from foley.contracts import Context, stage
from foley.errors import DamagedVideoError, EmptyVideoError, MediaError, NotAMediaFileError, NoVideoStreamError
from foley.media import ffmpeg, packets
from foley.media.packets import Packet
from foley.model import Clip, SoundTrack, Source, SubtitleTrack, VideoStream

_NOT_MEDIA = {"tty", "txt", "bin", "data", "ffmetadata", "rawvideo", "psxstr"}
"""Demuxers that ffmpeg falls back to for files that are no media: it would show text as an ANSI film."""

_BARE = {"h264", "hevc", "mpegvideo", "m4v", "obu", "vc1"}
"""Demuxers of coded pictures without a container: nothing says when each is shown."""

_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"moof", b"pnot", b"uuid"}
"""What stands in bytes 4 to 8 of every MP4 and MOV file; ffmpeg goes by the file's name where they say nothing."""

_STILLS = ("attached_pic", "timed_thumbnails", "still_image")
"""Dispositions of streams that are pictures about the film, not the film."""

_TEXT_SUBTITLES = {
    "subrip",
    "ass",
    "ssa",
    "mov_text",
    "webvtt",
    "text",
    "srt",
    "eia_608",
    "ttml",
    "subviewer",
    "microdvd",
}

_HEAD_PACKETS = 64
"""How many packets tell where the picture begins and whether its rate varies."""

_HEAD_FRAMES = 8
"""How many packets are decoded to see which frame is the first: in the order of the file it is one of the first few."""

_REORDERED_PACKETS = 16
"""How far the order of the file may differ from that on the screen: the most that H.264 and HEVC allow."""

_TAIL_S = 12.0
"""How far before the end the last frames are looked for: longer than the usual GOP, so that one seek is enough."""

_FASTEST_HZ = 1000
"""A frame rate above this is the clock of a container that knows no rate."""

_EDGE_BYTES = 4 << 20
_SAMPLE_BYTES = 256 << 10
_SAMPLES = 32


@stage(version=2)
def probe(source: Source, ctx: Context) -> Clip:
    """Read what the container says of a clip; nothing but the first frames is decoded.

    Raises:
        NotAMediaFileError: where the file is missing, unreadable, empty, or no media.
        NoVideoStreamError: where it holds no moving picture.
        EmptyVideoError: where its picture lasts no time.
        DamagedVideoError: where the file ends before its index, or its picture cannot be understood.
    """
    path = source.path
    _refuse_unreadable(path)
    found = _probed(path)
    stream = _picture(found["streams"], path)
    with ThreadPoolExecutor(1, thread_name_prefix="probe") as beside:
        reading_key = beside.submit(content_key, path)
        head, start = packets.head(path, stream["index"], packets=_HEAD_PACKETS, decoded=_HEAD_FRAMES)
        tail = _tail(path, stream, found)
        key = reading_key.result()
    if start is None:
        start = min((packet.pts * Fraction(stream["time_base"]) for packet in head), default=None)
    if start is None or not tail:
        raise EmptyVideoError(path, "its video stream holds no frame")
    variable, rate = _rate(stream, head)
    end = _end(stream, tail, step=1 / rate)
    if end <= start:
        raise EmptyVideoError(path, "its last frame ends where the first begins")
    return Clip(
        path=path,
        key=key,
        container=found["format"]["format_name"],
        start_s=start,
        duration_s=end - start,
        video=_video(stream, rate, variable=variable),
        sound=tuple(_sound(s, start, end - start) for s in found["streams"] if s.get("codec_type") == "audio"),
        subtitles=tuple(_subtitle(s) for s in found["streams"] if s.get("codec_type") == "subtitle"),
        chapters=len(found.get("chapters", ())),
        timecode=_timecode(found, stream),
    )


def content_key(path: Path) -> str:
    """Return the content key of a file: BLAKE2b over its size, its first and last 4 MiB and 32 samples of 256 KiB.

    The samples lie evenly between the ends. Reading at most 16 MiB makes the key of a two-hour film as quick as that of
    a short one; a file that was edited or encoded anew differs in its index, which lies at one of the ends.
    """
    size = path.stat().st_size
    digest = hashlib.blake2b(size.to_bytes(8, "little"), digest_size=16)
    with path.open("rb") as file:
        if size <= 2 * _EDGE_BYTES + _SAMPLES * _SAMPLE_BYTES:
            while block := file.read(_EDGE_BYTES):
                digest.update(block)
            return digest.hexdigest()
        inner = size - 2 * _EDGE_BYTES - _SAMPLE_BYTES
        places = [_EDGE_BYTES + inner * i // (_SAMPLES - 1) for i in range(_SAMPLES)]
        for place, length in [
            (0, _EDGE_BYTES),
            *((p, _SAMPLE_BYTES) for p in places),
            (size - _EDGE_BYTES, _EDGE_BYTES),
        ]:
            file.seek(place)
            digest.update(file.read(length))
    return digest.hexdigest()


def _refuse_unreadable(path: Path) -> None:
    """Raise what is wrong with a path before ffmpeg is asked."""
    try:
        str(path).encode()
    except UnicodeEncodeError as cause:
        raise NotAMediaFileError(path, "its name is not UTF-8, as plans and reports are", hint="rename it") from cause
    try:
        if path.is_dir():
            raise NotAMediaFileError(path, "is a folder, not a video")
        with path.open("rb") as file:
            if not file.read(1):
                raise NotAMediaFileError(path, "is empty (0 bytes)")
    except FileNotFoundError as cause:
        raise NotAMediaFileError(path, "does not exist") from cause
    except PermissionError as cause:
        raise NotAMediaFileError(path, "may not be read (permission denied)") from cause
    except OSError as cause:
        raise NotAMediaFileError(path, f"cannot be read ({cause.strerror})") from cause


def _probed(path: Path) -> dict[str, Any]:
    try:
        found = ffmpeg.probe(path)
    except ffmpeg.ProbeError as cause:
        raise _unreadable(path, str(cause)) from cause
    container = found["format"]["format_name"]
    if container in _NOT_MEDIA:
        raise NotAMediaFileError(path, "is text, not a video")
    if container == "image2" or container.endswith("_pipe"):
        raise NotAMediaFileError(path, "is a still picture, not a video")
    if container in _BARE:
        wrap = f"put it into a container at its frame rate: ffmpeg -r 25 -i {path.name} -c copy wrapped.mkv"
        raise NotAMediaFileError(
            path, f"is a bare {container} stream: nothing says when its frames are shown", hint=wrap
        )
    if not {"video", "audio"} & {s.get("codec_type") for s in found["streams"]}:
        raise NotAMediaFileError(path, "holds neither pictures nor sound")
    return found


def _unreadable(path: Path, reason: str) -> MediaError:
    if "moov atom not found" in reason and _begins_with_a_box(path):
        return DamagedVideoError(
            path,
            "it ends before its index (moov): a recording or copy that was broken off",
            hint="copy it again; a broken recording can be mended with untrunc and a whole clip of the same camera",
        )
    if "moov atom not found" in reason:
        return NotAMediaFileError(path, "is no video, whatever its name says")
    return NotAMediaFileError(path, f"is no media file ({reason.rstrip('.').lower()})")


def _begins_with_a_box(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8)[4:] in _BOXES


def _picture(streams: Sequence[Mapping[str, Any]], path: Path) -> Mapping[str, Any]:
    """Return the stream that is the film: not a cover; of several the default one, then the largest."""
    films = [s for s in streams if s.get("codec_type") == "video" and not any(s["disposition"].get(d) for d in _STILLS)]
    if not films:
        raise NoVideoStreamError(path)
    best = max(films, key=lambda s: (s["disposition"].get("default", 0), s.get("width", 0) * s.get("height", 0)))
    if not best.get("width") or not best.get("height"):
        raise DamagedVideoError(path, "nothing tells the size of its picture")
    return best


def _tail(path: Path, stream: Mapping[str, Any], found: Mapping[str, Any]) -> list[Packet]:
    """Return the last packets of the picture; sound that is longer does not count."""
    whole_s = float(found["format"].get("duration") or 0) + float(found["format"].get("start_time") or 0)
    last = packets.tail(path, stream["index"], whole_s - _TAIL_S) if whole_s > _TAIL_S else []
    # none: short, or the picture ends long before the sound
    return last or packets.tail(path, stream["index"], 0.0)


def _end(stream: Mapping[str, Any], tail: Sequence[Packet], *, step: Fraction) -> Fraction:
    """Return when the last frame stops being shown."""
    base = Fraction(stream["time_base"])
    last = max(tail, key=lambda p: p.pts)
    return last.pts * base + (last.duration * base or step)


def _rate(stream: Mapping[str, Any], head: Sequence[Packet]) -> tuple[bool, Fraction]:
    """Return whether the frame rate varies, and the average rate."""
    base = Fraction(stream["time_base"])
    nominal = _fraction(stream.get("r_frame_rate"))
    shown = sorted(p.pts for p in head)
    if len(shown) > 2 * _REORDERED_PACKETS:  # between the last ones some are missing that the file holds later
        shown = shown[:-_REORDERED_PACKETS]
    gaps = [(b - a) * base for a, b in pairwise(shown) if b > a]
    average = _average_rate(stream, nominal, gaps)
    # a container that counts in milliseconds shows even frames up to one tick early or late
    uneven = bool(gaps) and max(gaps) - min(gaps) > max(2 * base, Fraction(1, 1000))
    drifts = nominal is not None and abs(average / nominal - 1) > Fraction(1, 200)
    if uneven or drifts:
        return True, average
    return False, nominal or average


def _average_rate(stream: Mapping[str, Any], nominal: Fraction | None, gaps: Sequence[Fraction]) -> Fraction:
    """Return the average frame rate by the container, else the nominal one, else that of the first frames."""
    for rate in (_fraction(stream.get("avg_frame_rate")), nominal):
        if rate is not None and rate <= _FASTEST_HZ:
            return rate
    return len(gaps) / sum(gaps, Fraction(0)) if gaps else Fraction(25)


def _fraction(text: str | None) -> Fraction | None:
    numerator, _, denominator = (text or "0/0").partition("/")
    if int(numerator) <= 0 or int(denominator or 1) <= 0:
        return None
    return Fraction(int(numerator), int(denominator or 1))


def _video(stream: Mapping[str, Any], rate: Fraction, *, variable: bool) -> VideoStream:
    rotation = _rotation_deg(stream)
    shape = _fraction(str(stream.get("sample_aspect_ratio", "1:1")).replace(":", "/")) or Fraction(1)
    width, height = max(1, round(stream["width"] * shape)), int(stream["height"])
    if rotation in (90, 270):
        width, height = height, width
    return VideoStream(
        index=int(stream["index"]),
        codec=str(stream.get("codec_name", "unknown")),
        width_px=width,
        height_px=height,
        rotation_deg=rotation,
        frame_rate=rate,
        time_base=Fraction(stream["time_base"]),
        variable_rate=variable,
        pixel_format=str(stream.get("pix_fmt", "unknown")),
    )


def _rotation_deg(stream: Mapping[str, Any]) -> int:
    """Return the clockwise turn that a player makes, of the display matrix or of the tag of older files."""
    for side in stream.get("side_data_list", ()):
        if "rotation" in side:
            return round(-float(side["rotation"]) / 90) * 90 % 360  # ffmpeg counts counterclockwise
    return round(float(stream.get("tags", {}).get("rotate", 0)) / 90) * 90 % 360


def _sound(stream: Mapping[str, Any], start: Fraction, length: Fraction) -> SoundTrack:
    base = Fraction(stream["time_base"])
    tags = stream.get("tags", {})
    begins = int(stream.get("start_pts", 0)) * base - start
    lasts = float(int(stream["duration_ts"]) * base) if "duration_ts" in stream else float(length - begins)
    return SoundTrack(
        index=int(stream["index"]),
        codec=str(stream.get("codec_name", "unknown")),
        rate_hz=int(stream.get("sample_rate", 0)),
        channels=int(stream.get("channels", 0)),
        language=tags.get("language", "und"),
        title=_title(tags),
        start_s=begins,
        duration_s=max(0.0, lasts) if math.isfinite(lasts) else 0.0,
    )


def _subtitle(stream: Mapping[str, Any]) -> SubtitleTrack:
    tags = stream.get("tags", {})
    codec = str(stream.get("codec_name", "unknown"))
    return SubtitleTrack(
        index=int(stream["index"]),
        codec=codec,
        language=tags.get("language", "und"),
        title=_title(tags),
        text=codec in _TEXT_SUBTITLES,
    )


def _title(tags: Mapping[str, str]) -> str:
    """Return a track's title; MP4 keeps it where most programs only write which of them handles the track."""
    handler = tags.get("handler_name", "")
    if any(word in handler.lower() for word in ("handler", "media", "alis")):
        handler = ""
    return tags.get("title") or tags.get("name") or handler


def _timecode(found: Mapping[str, Any], stream: Mapping[str, Any]) -> str | None:
    """Return the SMPTE time code of the picture, else of its time code track, else of the file."""
    places = (stream, *found["streams"], found["format"])
    codes = (place.get("tags", {}).get("timecode") for place in places)
    return next((code for code in codes if code), None)
