"""Reads what the front writes: fragmented MP4 (ISO/IEC 14496-12), as far as the tests look."""

import struct
from dataclasses import dataclass


@dataclass
class Fragment:
    sequence: int   # mfhd
    track: int
    time: int       # tfdt, in the track's timescale
    duration: int   # sum of its samples
    samples: int
    key: bool       # the first sample is a sync sample
    size: int       # of mdat


def boxes(data):
    """(type, payload) of each box; raises ValueError when they do not fill data exactly."""
    pos = 0
    while pos < len(data):
        if pos + 8 > len(data):
            raise ValueError("cut box header")
        size, name = struct.unpack_from("!I4s", data, pos)
        header = 8
        if size == 1:
            size, header = struct.unpack_from("!Q", data, pos + 8)[0], 16
        if size < header or pos + size > len(data):
            raise ValueError(f"box {name!r} of {size} bytes does not fit")
        yield name.decode("latin-1"), data[pos + header:pos + size]
        pos += size


def find(data, *path):
    for name, payload in boxes(data):
        if name == path[0]:
            return payload if len(path) == 1 else find(payload, *path[1:])
    raise ValueError(f"no {path[0]} box")


def timescale(init):
    """Of the first track in an init segment (ftyp + moov)."""
    mdhd = find(init, "moov", "trak", "mdia", "mdhd")
    return struct.unpack_from("!I", mdhd, 20 if mdhd[0] == 1 else 12)[0]


def _defaults(tfhd):
    flags = struct.unpack_from("!I", tfhd)[0] & 0xFFFFFF
    pos, found = 8, {"duration": 0, "flags": 0}
    for bit, size, name in ((1, 8, "base"), (2, 4, "index"), (8, 4, "duration"), (16, 4, "size"),
                            (32, 4, "flags")):
        if flags & bit:
            found[name] = int.from_bytes(tfhd[pos:pos + size], "big")
            pos += size
    return found


def _samples(trun, default):
    flags, count = struct.unpack_from("!II", trun)
    flags &= 0xFFFFFF
    pos = 8 + (4 if flags & 1 else 0)
    first = None
    if flags & 4:
        first, pos = struct.unpack_from("!I", trun, pos)[0], pos + 4
    total = 0
    for i in range(count):
        sample = dict(default)
        for bit, name in ((0x100, "duration"), (0x200, "size"), (0x400, "flags"), (0x800, "offset")):
            if flags & bit:
                sample[name] = struct.unpack_from("!I", trun, pos)[0]
                pos += 4
        total += sample["duration"]
        if i == 0 and first is None:
            first = sample["flags"]
    return count, total, first


def fragments(data):
    """Each moof with its mdat in one piece of a stream (a WebSocket message, or more)."""
    moof = None
    for name, payload in boxes(data):
        if name == "moof":
            moof = payload
        elif name == "mdat":
            if moof is None:
                raise ValueError("mdat without moof")
            traf = find(moof, "traf")
            tfhd = find(traf, "tfhd")
            tfdt = find(traf, "tfdt")
            time = struct.unpack_from("!Q" if tfdt[0] == 1 else "!I", tfdt, 4)[0]
            count, duration, flags = _samples(find(traf, "trun"), _defaults(tfhd))
            yield Fragment(struct.unpack_from("!I", find(moof, "mfhd"), 4)[0],
                           struct.unpack_from("!I", tfhd, 4)[0], time, duration, count,
                           not flags & 0x10000, len(payload))
            moof = None


def is_init(data):
    return data[4:8] == b"ftyp"
