"""A frame, and its picture: decoded when somebody asks, and only what has to be."""

from __future__ import annotations

import ctypes
import os
from collections import deque
from typing import TYPE_CHECKING, Any, Optional

from ._feed import Taken
from ._header import Codec, Flag, Header, Kind

if TYPE_CHECKING:
    import numpy

_DECODERS = {Codec.H264: "h264", Codec.H265: "hevc", Codec.MJPEG: "mjpeg", Codec.JPEG_RTP: "mjpeg"}
_PACKED = {"bgr24": 3, "rgb24": 3, "gray": 1}  # bytes of a pixel
# What glibc keeps for the next picture (mallopt(3)): larger ones than 32 MiB it always gives back.
_MMAP_THRESHOLD, _TRIM_THRESHOLD = (-3, 32 << 20), (-1, 128 << 20)
PENDING_BYTES = 64 << 20  # not decoded yet, of the group that runs


class NoPicture(Exception):
    """This frame cannot be decoded: damaged, of an unknown codec, or later than its turn (B-frames)."""


class Frame:
    """One picture as it came from the camera. Times are nanoseconds since 1970."""

    __slots__ = ("stream", "header", "data", "first", "behind", "_decoder")

    def __init__(self, stream: str, taken: Taken, behind: int, decoder: "Decoder") -> None:
        header = taken.unit.header
        self.stream = stream
        self.header: Header = header
        # What a decoder that begins here needs comes with it.
        joined = taken.unit.is_key and header.kind == Kind.VIDEO and not header.flags & Flag.CONFIG_IN_BAND
        self.data: bytes = taken.config + taken.unit.payload if joined else taken.unit.payload
        self.first = taken.is_first  # nothing before it is referred to
        self.behind = behind  # frames that wait behind it
        self._decoder = decoder

    def __repr__(self) -> str:
        return f"<camhub.Frame {self.stream} {self.seq}{' key' if self.key else ''} {len(self.data)} bytes>"

    @property
    def epoch(self) -> int:
        return self.header.epoch

    @property
    def seq(self) -> int:
        return self.header.seq

    @property
    def key(self) -> bool:
        return self.header.kind == Kind.JPEG or bool(self.header.flags & Flag.KEY)

    @property
    def corrupt(self) -> bool:
        return bool(self.header.flags & Flag.CORRUPT)

    @property
    def replay(self) -> bool:
        """An older frame, to begin decoding with."""
        return bool(self.header.flags & Flag.REPLAY)

    @property
    def codec(self) -> Codec:
        return self.header.codec

    @property
    def width(self) -> int:
        return self.header.width

    @property
    def height(self) -> int:
        return self.header.height

    @property
    def pts_ns(self) -> int:
        """The stream's own clock, anew with each epoch."""
        return self.header.pts_ns

    @property
    def arrived_ns(self) -> int:
        """When its last packet arrived at camhub."""
        return self.header.arrived_realtime_ns

    @property
    def arrived_monotonic_ns(self) -> int:
        """The same as time.monotonic_ns() of that machine."""
        return self.header.arrived_monotonic_ns

    @property
    def captured_ns(self) -> int:
        """When the camera took it, by its own clock; 0 unknown."""
        return self.header.captured_realtime_ns

    def to_av(self) -> Any:
        """The picture as an av.VideoFrame; NoPicture. ImportError without PyAV."""
        return self._decoder.picture_of(self)

    def to_ndarray(self, format: str = "bgr24") -> "numpy.ndarray":
        """The picture, (height, width, 3) of uint8 in OpenCV's order of colours unless format says otherwise."""
        return self._decoder.array_of(self, format)


def _view(picture: Any, depth: int) -> "numpy.ndarray":
    """The bytes of a packed picture without another copy, where its lines have no padding."""
    import numpy

    plane = picture.planes[0]
    lines = numpy.frombuffer(plane, numpy.uint8).reshape(-1, plane.line_size)[:picture.height, :picture.width * depth]
    shape = (picture.height, picture.width, depth) if depth > 1 else (picture.height, picture.width)
    return numpy.ascontiguousarray(lines).reshape(shape)


def _keep_memory() -> None:
    """
    Left to itself, glibc returns the memory of each picture to the system and takes it again for the next, with a page
    fault for every 4 KiB: more work than the conversion. Who told glibc what to do is not overruled.
    """
    if any(name == "GLIBC_TUNABLES" or name.startswith("MALLOC_") for name in os.environ):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return  # another C library
    for parameter, value in (_MMAP_THRESHOLD, _TRIM_THRESHOLD):
        mallopt(parameter, value)


class Decoder:
    """Of one subscription. Frames that nobody asks for are decoded only when a later one refers to them."""

    def __init__(self) -> None:
        self._context: Any = None
        self._codec: Optional[Codec] = None
        self._pending: deque[Frame] = deque()
        self._bytes = 0
        self._started = False
        self._latest: tuple[int, int] = (0, -1)
        self._picture: Any = None
        self._reformatter: Any = None

    def push(self, frame: Frame) -> None:
        """Each frame in order, asked for or not."""
        if frame.key:
            # What waits before it is of no use any more.
            self._pending.clear()
            self._bytes = 0
        self._pending.append(frame)
        self._bytes += len(frame.data)
        if self._bytes > PENDING_BYTES:
            self._pending.clear()
            self._bytes = 0
            self._started = False

    def picture_of(self, frame: Frame) -> Any:
        if self._latest != (frame.epoch, frame.seq):
            self._decode_until(frame)
        if self._picture is None or self._latest != (frame.epoch, frame.seq):
            raise NoPicture(f"{frame!r} gave no picture")
        return self._picture

    def array_of(self, frame: Frame, format: str) -> "numpy.ndarray":
        picture = self.picture_of(frame)
        if self._reformatter is None:
            from av.video.reformatter import VideoReformatter

            # The one that PyAV makes for each picture spends more time on its tables than on the picture.
            self._reformatter = VideoReformatter()
            _keep_memory()
        converted = self._reformatter.reformat(picture, format=format)
        depth = _PACKED.get(format)
        return converted.to_ndarray() if depth is None else _view(converted, depth)

    def _begin(self, frame: Frame) -> None:
        import av

        name = _DECODERS.get(frame.codec)
        if name is None:
            raise NoPicture(f"codec {frame.codec.name} is not decoded")
        self._context = av.CodecContext.create(name, "r")
        # Each picture as soon as its last byte is here.
        self._context.options = {"flags": "low_delay", "threads": "1"}
        self._codec = frame.codec
        self._started = True

    def _decode_until(self, frame: Frame) -> None:
        while self._pending:
            unit = self._pending.popleft()
            self._bytes -= len(unit.data)
            is_asked = (unit.epoch, unit.seq) == (frame.epoch, frame.seq)
            try:
                self._decode_one(unit)
            except NoPicture:
                # What is damaged before it need not spoil it.
                if is_asked:
                    raise
            if is_asked:
                return
        # It was decoded before, or is of another time.
        if self._latest != (frame.epoch, frame.seq):
            raise NoPicture(f"{frame!r} is older than what was decoded last")

    def _decode_one(self, unit: Frame) -> None:
        import av

        if unit.first or not self._started or unit.codec != self._codec:
            if not unit.key:
                return
            self._begin(unit)
        self._latest = (unit.epoch, unit.seq)
        self._picture = None
        packet = av.Packet(unit.data)
        packet.pts = packet.dts = unit.seq
        try:
            pictures = self._context.decode(packet)
        except Exception as error:  # PyAV's own, whose names differ between versions
            raise NoPicture(f"{unit!r}: {error}") from error
        for picture in pictures:
            if picture.pts in (unit.seq, None):
                self._picture = picture
