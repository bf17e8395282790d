"""The only door to decord and PyAV: the clip's frames, once, in order, small, each with its exact time.

decord decodes first. Its own times are 32-bit floats, half a millisecond coarse after two hours, so times are those of
the container's packets, and decord is taken only where it agrees with them on how many frames there are and when. It
fails on MPEG-TS and AV1, stops at the first damaged packet, is slow to shrink large pictures, reads the packets of a
whole film into memory where decoding is slower than reading, and has wheels for x86-64 alone: in all those cases, and
where it gives up in the middle, PyAV goes on, which skips what is damaged and says so.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from foley.errors import DamagedVideoError, EmptyVideoError
from foley.media.ahead import Ahead
from foley.media.ffmpeg import address
from foley.model import Clip, Span
from foley.units import clock

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream as CodedPicture

Image = npt.NDArray[np.uint8]
"""A picture as shown, shape (height, width, 3), RGB, contiguous."""

_DECORD_TOLERANCE = 2.0**-23
"""Relative error of decord's times: they are 32-bit floats."""

_NOT_FOR_DECORD = ("mpegts",)
"""It cannot find the end of a transport stream and tries for long."""

_LARGE_PX = 1280 * 720
"""Pictures with more pixels go to PyAV, which shrinks them for less: a minute of 1080p takes decord 17.4 to 18.5 s of
processor time, PyAV 15.0, and ffmpeg 13.1 without shrinking it at all; at 720p and below the two differ little."""

_LARGE_BYTES = 32 << 20
"""Larger files go to PyAV: decord pushes packets until a frame comes back, so that most of a file waits in memory
(190 MB of a film of 197 MB)."""

_PLACES_NAMED = 3
"""How many damaged places are named one by one; after that only their number is said."""

_UNSEEN_LEFT_OUT = {"skip_loop_filter": "bidir"}
"""Frames that are predicted from both sides are not deblocked: what that would smooth is gone in the small picture,
hardly any other is predicted from them, and decoding 1080p costs a seventh less."""

_SPARE_THREADS, _MOST_THREADS = 3, 16
"""More threads than cores decode: while a finished frame waits to be fetched, its thread does nothing."""

_LEAST_AHEAD, _MOST_AHEAD, _BYTES_AHEAD = 8, 128, 32 << 20
"""How many small frames may wait to be looked at, within so much memory: enough that neither a slow look nor an
observer that is still being imported holds up the decoder."""


class DecordGaveUpError(Exception):
    """decord cannot read this file, or not further; PyAV is to go on."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture and when it is shown."""

    time_s: float
    """From the first frame, exact to the container's clock."""
    image: Image


@dataclass(slots=True)
class _Damage:
    """What was found broken while decoding."""

    packets: int = 0
    frames: int = 0
    untimed: int = 0
    places_s: list[float] = field(default_factory=list)
    ended: str = ""

    def at(self, time_s: float) -> None:
        """Note a damaged place, once a second at most."""
        if not self.places_s or time_s - self.places_s[-1] >= 1.0:
            self.places_s.append(time_s)

    def words(self) -> Iterator[str]:
        """Yield what a person should know."""
        if self.packets or self.frames:
            named = ", ".join(clock(max(0.0, place)) for place in self.places_s[:_PLACES_NAMED])
            more = f" and {len(self.places_s) - _PLACES_NAMED} more places" * (len(self.places_s) > _PLACES_NAMED)
            yield (
                f"the picture is damaged near {named}{more}: "
                f"{self.packets} {'packet' if self.packets == 1 else 'packets'} could not be decoded, "
                f"{self.frames} {'frame is' if self.frames == 1 else 'frames are'} patched up"
            )
        if self.untimed:
            bears, was = ("frame bears", "was") if self.untimed == 1 else ("frames bear", "were")
            yield f"{self.untimed} {bears} no time, or one that does not rise, and {was} left out"
        if self.ended:
            yield self.ended


class Frames:
    """The frames of a clip, to be gone through once; as a context it stops decoding where its block ends.

    Decoding begins at once, so that whoever is to look at the frames may get ready meanwhile.

    Raises:
        EmptyVideoError: while going through it, where there is no frame.
        DamagedVideoError: while going through it, where no frame can be decoded.
    """

    def __init__(self, clip: Clip, width_px: int) -> None:
        self._clip, self._size = clip, shown_size(clip, width_px)
        self._damage = _Damage()
        self._running = Ahead(self._read(), most=_frames_ahead(self._size))

    @property
    def faults(self) -> tuple[str, ...]:
        """Return what was wrong with the picture so far, in words for a person."""
        return tuple(self._damage.words())

    @property
    def size_px(self) -> tuple[int, int]:
        """Return width and height of the images."""
        return self._size

    def __iter__(self) -> Iterator[Frame]:
        return self._running

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def _read(self) -> Generator[Frame, None, None]:
        last_s = -math.inf
        try:
            for frame in _by_decord(self._clip, self._size):
                last_s = frame.time_s
                yield frame
        except DecordGaveUpError:
            for frame in _by_pyav(self._clip, self._size, last_s, damage=self._damage):
                last_s = frame.time_s
                yield frame
        if last_s == -math.inf:
            raise self._no_frame()
        step_s = float(1 / self._clip.video.frame_rate)
        length_s = float(self._clip.duration_s)
        if not self._clip.video.variable_rate and last_s + 2.5 * step_s < length_s:
            self._damage.ended = f"the picture ends at {clock(last_s + step_s)}, the file promises {clock(length_s)}"

    def _no_frame(self) -> EmptyVideoError | DamagedVideoError:
        if self._damage.packets:
            return DamagedVideoError(self._clip.path, "none of its pictures can be decoded")
        return EmptyVideoError(self._clip.path, "it holds no frame")


def read_frames(clip: Clip, *, width_px: int) -> Frames:
    """Return the clip's frames, at most `width_px` wide, made small while decoding; few are held at a time."""
    return Frames(clip, width_px)


def read_window(clip: Clip, window: Span, *, width_px: int) -> Iterator[Frame]:
    """Yield the frames shown within a window, for a second look; decoding begins at the key frame before it.

    Raises:
        DamagedVideoError: where the file cannot be opened.
    """
    size = shown_size(clip, width_px)
    frames = Ahead(_window(clip, window, size), most=_frames_ahead(size))
    try:
        yield from frames
    finally:
        frames.close()


def _frames_ahead(size: tuple[int, int]) -> int:
    return min(_MOST_AHEAD, max(_LEAST_AHEAD, _BYTES_AHEAD // (3 * size[0] * size[1])))


def _window(clip: Clip, window: Span, size: tuple[int, int]) -> Generator[Frame, None, None]:
    just_before_s = window.start_s - 0.5 * float(clip.video.time_base)
    for frame in _by_pyav(clip, size, just_before_s, damage=_Damage()):
        if frame.time_s >= window.end_s:
            return
        yield frame


def shown_size(clip: Clip, width_px: int) -> tuple[int, int]:
    """Return the even width and height of the clip's picture as shown, at most `width_px` wide, never enlarged."""
    width = max(2, min(width_px, clip.video.width_px) // 2 * 2)
    height = max(2, round(width * clip.video.height_px / clip.video.width_px / 2) * 2)
    return width, height


def _by_decord(clip: Clip, size: tuple[int, int]) -> Iterator[Frame]:
    """Yield the frames by decord.

    Raises:
        DecordGaveUpError: where it cannot, or not further.
    """
    if clip.container in _NOT_FOR_DECORD or clip.video.width_px * clip.video.height_px > _LARGE_PX:
        raise DecordGaveUpError
    try:
        from decord import DECORDError, DECORDLimitReachedError
    except (ImportError, OSError) as cause:  # no wheel for this machine, or a library it needs is missing
        raise DecordGaveUpError from cause
    reader, times_s = _agreed_reader(clip, size)
    width, height = size
    for time_s in times_s:
        try:
            image = reader.next().asnumpy()
        except (StopIteration, DECORDError, DECORDLimitReachedError) as cause:
            raise DecordGaveUpError from cause
        if image.shape != (height, width, 3):
            raise DecordGaveUpError
        yield Frame(time_s, image)


def _agreed_reader(clip: Clip, size: tuple[int, int]) -> tuple[Any, list[float]]:
    """Return decord's reader and the exact times of its frames, where both agree on them."""
    import decord

    times_s = _packet_times_s(clip)
    decord.logging.set_level(decord.logging.QUIET)
    try:
        # fault_tol: by default it hands out a neighbour in place of a frame that it could not decode, and says nothing
        reader = decord.VideoReader(address(clip.path), ctx=decord.cpu(0), width=size[0], height=size[1], fault_tol=1)
        count = len(reader)
        stamps = reader.get_frame_timestamp(np.arange(count))[:, 0].astype(np.float64) if count else np.zeros(0)
    except (RuntimeError, decord.DECORDError) as cause:
        raise DecordGaveUpError from cause
    if count == 0 or count != len(times_s):
        raise DecordGaveUpError
    exact = np.asarray(times_s)
    apart = np.abs((stamps - stamps[0]) - exact)
    coarse = 0.5e-3 + 4 * _DECORD_TOLERANCE * np.abs(stamps).max()
    if not np.all(apart < coarse):  # also where a time is no number
        raise DecordGaveUpError
    return reader, times_s


def _packet_times_s(clip: Clip) -> list[float]:
    """Return when each frame is shown, by the container's packets, rising from 0; nothing is decoded.

    Raises:
        DecordGaveUpError: where the packets do not tell, or not what the clip's first frame does.
    """
    import av

    ticks: list[int] = []
    try:
        if clip.path.stat().st_size > _LARGE_BYTES:
            raise DecordGaveUpError
        with av.open(address(clip.path)) as container:
            if len(container.streams.video) > 1:  # decord takes the one that it likes best
                raise DecordGaveUpError
            for packet in container.demux(container.streams[clip.video.index]):
                if packet.size and not packet.is_discard:
                    if packet.pts is None or packet.is_corrupt:
                        raise DecordGaveUpError
                    ticks.append(packet.pts)
            base = Fraction(container.streams[clip.video.index].time_base or clip.video.time_base)
    except (av.FFmpegError, OSError, IndexError) as cause:
        raise DecordGaveUpError from cause
    ticks.sort()
    if not ticks or ticks[0] * base != clip.start_s or len(set(ticks)) != len(ticks):
        raise DecordGaveUpError
    return [float((tick - ticks[0]) * base) for tick in ticks]


def _by_pyav(clip: Clip, size: tuple[int, int], after_s: float, *, damage: _Damage) -> Iterator[Frame]:
    """Yield the frames later than `after_s` by PyAV; damaged packets are skipped and noted.

    Raises:
        DamagedVideoError: where the file cannot be opened at all.
    """
    import av

    try:
        container = av.open(address(clip.path))
    except (av.FFmpegError, OSError) as cause:
        raise DamagedVideoError(clip.path, str(cause)) from cause
    with container:
        coded = container.streams[clip.video.index]
        assert isinstance(coded, av.VideoStream)
        coded.thread_type = "AUTO"
        coded.codec_context.thread_count = min(_MOST_THREADS, (os.cpu_count() or 1) + _SPARE_THREADS)
        coded.codec_context.options = _UNSEEN_LEFT_OUT
        if after_s > 1.0:  # decord got so far: begin at the key frame before that
            container.seek(int((clip.start_s + Fraction(after_s)) / clip.video.time_base), stream=coded)
        shrink, when = _shrinker(clip, size), _clock(clip)
        last_s = after_s
        for coded_frame in _decoded(container, coded, clip, after_s, damage=damage):
            if coded_frame.pts is None:
                damage.untimed += 1
                continue
            time_s = when(coded_frame.pts)
            if time_s <= after_s or time_s < 0.0:
                continue
            if time_s <= last_s:
                damage.untimed += 1
                continue
            last_s = time_s
            if coded_frame.is_corrupt:
                damage.frames += 1
                damage.at(time_s)
            yield Frame(time_s, shrink(coded_frame))


def _decoded(
    container: InputContainer, coded: CodedPicture, clip: Clip, after_s: float, *, damage: _Damage
) -> Iterator[VideoFrame]:
    """Yield what can be decoded; packets that cannot be are counted, reading that fails ends it.

    Of what comes by `after_s` only what later frames are predicted from is decoded.
    """
    import av

    packets, when = container.demux(coded), _clock(clip)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except (av.FFmpegError, OSError) as cause:
            damage.ended = f"the file cannot be read to its end: {cause.strerror or cause}"
            return
        early = packet.pts is not None and when(packet.pts) < after_s
        coded.codec_context.skip_frame = "NONREF" if early else "DEFAULT"
        try:
            yield from coded.codec_context.decode(packet)
        except av.FFmpegError:
            damage.packets += 1
            if packet.pts is not None:
                damage.at(when(packet.pts))


def _clock(clip: Clip) -> Callable[[int], float]:
    """Return what makes a tick of the container's a time from the first frame, in seconds.

    As exact as fractions, which cost as much as the rest of handling a frame: whole numbers are divided once.
    """
    base, start = clip.video.time_base, clip.start_s
    each, first = base.numerator * start.denominator, start.numerator * base.denominator
    parts = base.denominator * start.denominator
    return lambda tick: (tick * each - first) / parts


def _shrinker(clip: Clip, size: tuple[int, int]) -> Callable[[VideoFrame], Image]:
    """Return what makes a decoded frame an image of this size as shown; by averaging: fine texture must not flicker."""
    from av.video.reformatter import Interpolation, VideoReformatter

    shrinking, colouring = VideoReformatter(), VideoReformatter()
    quarters = -clip.video.rotation_deg // 90  # rot90 turns counterclockwise
    width, height = size if quarters % 2 == 0 else (size[1], size[0])

    def shrink(frame: VideoFrame) -> Image:
        # colours are mixed when it is small: in one step they would be at the full size of the picture
        small = shrinking.reformat(frame, width, height, "yuv420p", interpolation=Interpolation.AREA)
        shown = colouring.reformat(small, width, height, "rgb24", interpolation=Interpolation.POINT)
        image = shown.to_ndarray()
        return np.ascontiguousarray(np.rot90(image, quarters) if quarters % 4 else image)

    return shrink
