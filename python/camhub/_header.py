"""The header of a message on the bus, as docs/protocol.md has it ("The header")."""

from __future__ import annotations

import enum
import struct
from typing import NamedTuple

HEADER_BYTES = 112
PAYLOAD_MAX = 8 << 20
MAGIC = b"CFB1"
_LAYOUT = struct.Struct("<4sIBBHHHQQIIqqIIqqHHIIIqII")


class Malformed(ValueError):
    """A message that is none."""


class Kind(enum.IntEnum):
    VIDEO = 1
    AUDIO = 2
    CONFIG = 3
    STATUS = 4
    JPEG = 5
    END = 6


class Codec(enum.IntEnum):
    NONE = 0
    H264 = 1
    H265 = 3
    MJPEG = 4
    AAC = 5
    OPUS = 6
    PCMA = 7
    PCMU = 8
    JPEG_RTP = 9
    G726 = 10
    L16 = 11
    FLAC = 12


class Flag(enum.IntFlag):
    KEY = 1
    DISCONTINUITY = 2
    CONFIG_IN_BAND = 4
    DISPOSABLE = 8
    CORRUPT = 16
    CLOCK_UNSYNCED = 32
    REPLAY = 64


_KINDS = {int(kind): kind for kind in Kind}
_CODECS = {int(codec): codec for codec in Codec}


class Header(NamedTuple):
    stream_id: int
    kind: Kind
    track: int
    flags: int
    codec: Codec
    epoch: int
    seq: int
    gop_id: int
    gop_index: int
    pts_ns: int
    dts_ns: int
    duration_us: int
    config_version: int
    arrived_realtime_ns: int
    arrived_monotonic_ns: int
    width: int
    height: int
    captured_realtime_ns: int
    for_subscriber: int


def parse(message: bytes) -> tuple[Header, bytes]:
    """Header and payload of one message; Malformed."""
    if len(message) < HEADER_BYTES:
        raise Malformed("shorter than a header")
    (magic, stream_id, kind, track, flags, header_len, codec, epoch, seq, gop_id, gop_index, pts_ns, dts_ns,
     duration_us, config_version, arrived_realtime_ns, arrived_monotonic_ns, width, height, payload_len, _crc,
     _reserved, captured_realtime_ns, for_subscriber, _reserved2) = _LAYOUT.unpack_from(message)
    if magic != MAGIC:
        raise Malformed("wrong magic")
    if header_len < HEADER_BYTES or payload_len > PAYLOAD_MAX or header_len + payload_len != len(message):
        raise Malformed("lengths do not agree")
    if kind not in _KINDS or codec not in _CODECS or track > 1:
        raise Malformed("unknown kind, track or codec")
    header = Header(stream_id, _KINDS[kind], track, flags, _CODECS[codec], epoch, seq, gop_id, gop_index, pts_ns,
                    dts_ns, duration_us, config_version, arrived_realtime_ns, arrived_monotonic_ns, width, height,
                    captured_realtime_ns, for_subscriber)
    return header, message[header_len:]
