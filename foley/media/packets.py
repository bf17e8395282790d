"""When the coded pictures at the start and the end of a clip are shown, by its container, read through PyAV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


_TIMES_ALONE = {"skip_loop_filter": "all", "skip_idct": "all"}
"""Of what a decoder does to a picture nothing is wanted where only its time is."""


class Packet(NamedTuple):
    """A coded picture: when it is shown and how long, in ticks; the duration is 0 where the file does not say."""

    pts: int
    duration: int


def head(path: Path, index: int, *, packets: int, decoded: int) -> tuple[list[Packet], Fraction | None]:
    """Return how the picture begins.

    Args:
        path: The file.
        index: Of the stream.
        packets: How many are read.
        decoded: How many of them are decoded, at most, to see which frame is the first.

    Returns:
        Those of the packets that are shown, none where they cannot be read; and when the first frame is shown that can
        be decoded, None where none can.
    """
    shown: list[Packet] = []
    first_s: Fraction | None = None
    with _damage_passed_over(), _opened(path, index) as (container, coded):
        held = []
        for packet, _ in zip(_held(container, coded), range(packets), strict=False):
            held.append(packet)
            shown += _shown(packet)
        first_s = _first_s(coded, held[:decoded])
    return shown, first_s


def _first_s(coded: CodedPicture, packets: Sequence[CodedPacket]) -> Fraction | None:
    """Return when the first frame is shown: a decoder hands frames out in the order in which they are shown."""
    coded.codec_context.options = _TIMES_ALONE
    for packet in (*packets, None):
        with _damage_passed_over():
            for frame in coded.codec_context.decode(packet):
                if frame.pts is not None and coded.time_base:
                    return frame.pts * Fraction(coded.time_base)
    return None


def tail(path: Path, index: int, from_s: float) -> list[Packet]:
    """Return the packets from the key frame before `from_s` to the end; none where they cannot be read."""
    packets: list[Packet] = []
    with _damage_passed_over(), _opened(path, index) as (container, coded):
        if from_s > 0:
            container.seek(round(from_s * 1_000_000))
        for packet in _held(container, coded):
            packets += _shown(packet)
    return packets


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
