"""
H.264 made by hand, so that cameras cost the tests nothing: a grey key frame of 48x32, pictures that change nothing, and
before each of them words of the camera's own (an SEI with user data, H.264 D.1.6): which camera, which number, sent
when. So what a viewer got is compared with what a camera sent, whatever lies between them says.
"""

import struct
from typing import NamedTuple

WIDTH, HEIGHT = 48, 32
MARK = b"camhub-chaos-cam"  # the 16 bytes of the UUID; without zeros there is nothing to escape
STAMP = struct.Struct("!8s12s16s")
BENCH_MARK = b"camhub-bench-001"  # bench/stamp.h: the viewers by WebRTC are those of the benches, and read this one
PAYLOAD_MAX = 1400


class Stamp(NamedTuple):
    camera: str
    number: int
    sent_us: int  # CLOCK_MONOTONIC


class Bits:
    """A bit string, most significant bit first."""

    def __init__(self):
        self.bits = []

    def u(self, count, value):
        self.bits += [value >> shift & 1 for shift in range(count - 1, -1, -1)]
        return self

    def ue(self, *values):
        for value in values:
            length = (value + 1).bit_length()
            self.u(2 * length - 1, value + 1)
        return self

    def align(self):
        self.bits += [0] * (-len(self.bits) % 8)
        return self

    def end(self):
        """rbsp_trailing_bits, then the bytes."""
        self.bits.append(1)
        self.align()
        return bytes(int("".join(map(str, self.bits[at:at + 8])), 2) for at in range(0, len(self.bits), 8))


MACROBLOCKS = WIDTH // 16 * HEIGHT // 16
# Baseline, level 1, order of pictures as they come (type 2), one reference.
SPS = b"\x67" + Bits().u(8, 66).u(8, 0xc0).u(8, 10).ue(0, 0, 2, 1).u(1, 0).ue(WIDTH // 16 - 1, HEIGHT // 16 - 1).u(
    1, 1).u(1, 1).u(1, 0).u(1, 0).end()
PPS = b"\x68" + Bits().ue(0, 0).u(2, 0).ue(0, 0, 0).u(3, 0).ue(0, 0, 0).u(3, 0).end()


def _key_frame():
    """I_PCM throughout: every sample is 128."""
    bits = Bits().ue(0, 7, 0).u(4, 0).ue(0).u(2, 0).ue(0)
    for _ in range(MACROBLOCKS):
        bits.ue(25).align()
        for _ in range(384):
            bits.u(8, 128)
    return b"\x65" + bits.end()


def _still(index):
    """All macroblocks skipped; index: its place behind the key frame."""
    return b"\x61" + Bits().ue(0, 5, 0).u(4, index % 16).u(3, 0).ue(0, MACROBLOCKS).end()


KEY_FRAME = _key_frame()
STILLS = [_still(index) for index in range(16)]


def stamp_nal(stamp, padding=0):
    """The SEI; padding: how many bytes more, for a camera that sends much."""
    words = MARK + STAMP.pack(stamp.camera.ljust(8, "_").encode()[:8], b"%012d" % stamp.number,
                              b"%016d" % stamp.sent_us) + b"x" * padding
    size = len(words)
    return b"\x06\x05" + b"\xff" * (size // 255) + bytes([size % 255]) + words + b"\x80"


def bench_nal(stamp):
    words = BENCH_MARK + b"%020d%012d" % (1000 * stamp.sent_us, stamp.number)
    return b"\x06\x05" + bytes([len(words)]) + words + b"\x80"


def picture(stamp, index, padding=0):
    """NAL units of one picture; index: its place in the group, 0 is the key frame."""
    words = [bench_nal(stamp), stamp_nal(stamp, padding)]
    return [SPS, PPS, *words, KEY_FRAME] if index == 0 else [*words, STILLS[index % 16]]


def read_stamp(unit):
    """The Stamp in an access unit, in whatever container; None when there is none."""
    at = unit.find(MARK)
    if at < 0 or len(unit) < at + len(MARK) + STAMP.size:
        return None
    camera, number, sent_us = STAMP.unpack_from(unit, at + len(MARK))
    try:
        return Stamp(camera.decode().rstrip("_"), int(number), int(sent_us))
    except ValueError:
        return None


def payloads(nal):
    """RTP payloads of one NAL unit: whole, or FU-A (RFC 6184)."""
    if len(nal) <= PAYLOAD_MAX:
        return [nal]
    parts = [nal[at:at + PAYLOAD_MAX] for at in range(1, len(nal), PAYLOAD_MAX)]
    flags = [0x80] + [0] * (len(parts) - 2) + [0x40]
    return [bytes([nal[0] & 0xe0 | 28, flag | nal[0] & 31]) + part for flag, part in zip(flags, parts)]
