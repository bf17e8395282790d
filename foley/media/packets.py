"""When the coded pictures at the start and the end of a clip are shown, by its container, read through PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from foley.media.ffmpeg import address

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet as AnyPacket
    from av.video.stream import VideoStream as CodedPicture

    CodedPacket = AnyPacket[CodedPicture]


class Packet(NamedTuple):
    """A coded picture: when it is shown and how long, in ticks; the duration is 0 where the file does not say."""

    pts: int
    duration: int


def head(path: Path, index: int, count: int) -> list[Packet]:
    """Return those of the first `count` packets of a stream that are shown; none where they cannot be read."""
    packets: list[Packet] = []
    with _damage_passed_over(), _opened(path, index) as (container, coded):
        for packet, _ in zip(_held(container, coded), range(count), strict=False):
            packets += _shown(packet)
    return packets


def tail(path: Path, index: int, from_s: float) -> list[Packet]:
    """Return the packets from the key frame before `from_s` to the end; none where they cannot be read."""
    packets: list[Packet] = []
    with _damage_passed_over(), _opened(path, index) as (container, coded):
        if from_s > 0:
            container.seek(round(from_s * 1_000_000))
        for packet in _held(container, coded):
            packets += _shown(packet)
    return packets


def first_shown_s(path: Path, index: int, count: int) -> Fraction | None:
    """Return when the first frame is shown that can be decoded from the first `count` packets; None where none can."""
    ticks: list[int] = []
    with _damage_passed_over(), _opened(path, index) as (container, coded):
        packets = [packet for packet, _ in zip(_held(container, coded), range(count), strict=False)]
        for packet in (*packets, None):
            with _damage_passed_over():
                ticks += [frame.pts for frame in coded.codec_context.decode(packet) if frame.pts is not None]
        return min(ticks) * Fraction(coded.time_base) if ticks and coded.time_base else None
    return None


@contextmanager
def _damage_passed_over() -> Iterator[None]:
    """Go on where a file cannot be read or decoded further."""
    import av

    with suppress(av.FFmpegError, OSError, IndexError):
        yield


@contextmanager
def _opened(path: Path, index: int) -> Iterator[tuple[InputContainer, CodedPicture]]:
    import av

    with av.open(address(path)) as container:
        coded = container.streams[index]
        assert isinstance(coded, av.VideoStream)
        yield container, coded


def _held(container: InputContainer, coded: CodedPicture) -> Iterator[CodedPacket]:
    """Yield what the file holds of a stream; PyAV puts an empty packet behind it."""
    return (packet for packet in container.demux(coded) if packet.size)


def _shown(packet: CodedPacket) -> Iterator[Packet]:
    """Yield the packet, unless the edit list cuts it off and it is there only to decode others."""
    tick = packet.dts if packet.pts is None else packet.pts  # AVI holds no time of showing
    if tick is not None and not packet.is_discard:
        yield Packet(tick, packet.duration or 0)
