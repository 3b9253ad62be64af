#!/usr/bin/python3 -B
"""
A subscriber of camhub's bus, written from docs/protocol.md ("The bus") alone, with nothing but
libnng.so.1 through ctypes. An example for analytics programs, and a test of the document.

    bus_subscriber.py PATH [--messages N] [--seconds S] [--video FILE] [--as ID] [--raw FILE] [--buffer N]

prints one JSON line for each message, and writes the video's access units to FILE. --as ID: also
take the replay meant for the subscriber of that id. --raw: no JSON, but the messages as they are
to FILE, each with its length before it (32 bits, little-endian). --buffer: how many messages wait for
this program at most, up to 8192; then the oldest are lost.
"""

import argparse
import ctypes
import json
import os
import struct
import sys
import time

HEADER = struct.Struct("<IIBBHHHQQIIqqIIqqHHIIIqII")
FIELDS = ("magic", "stream_id", "kind", "track", "flags", "header_len", "codec", "epoch", "seq",
          "gop_id", "gop_index", "pts_ns", "dts_ns", "duration_us", "config_version",
          "arrived_realtime_ns", "arrived_monotonic_ns", "width", "height", "payload_len", "crc32c",
          "reserved", "captured_realtime_ns", "for_subscriber", "reserved2")
MAGIC = int.from_bytes(b"CFB1", "little")
KINDS = {1: "video", 2: "audio", 3: "config", 4: "status", 5: "jpeg", 6: "end"}
CODECS = {0: "none", 1: "h264", 3: "h265", 4: "mjpeg", 5: "aac", 6: "opus", 7: "pcma", 8: "pcmu",
          9: "jpeg-rtp", 10: "g726", 11: "l16", 12: "flac"}
FLAGS = ("key", "discontinuity", "config-in-band", "disposable", "corrupt", "clock-unsynced", "replay")
PAYLOAD_MAX = 8 << 20

NNG_FLAG_ALLOC, NNG_FLAG_NONBLOCK = 1, 2
NNG_EAGAIN = 8


class Malformed(Exception):
    pass


def decode(message):
    """(header as a dict, payload) of one message, or Malformed."""
    if len(message) < HEADER.size:
        raise Malformed("shorter than a header")
    frame = dict(zip(FIELDS, HEADER.unpack_from(message)))
    if frame["magic"] != MAGIC:
        raise Malformed("wrong magic")
    if frame["header_len"] < HEADER.size or frame["payload_len"] > PAYLOAD_MAX or \
            frame["header_len"] + frame["payload_len"] != len(message):
        raise Malformed("lengths do not agree")
    if frame["kind"] not in KINDS or frame["codec"] not in CODECS:
        raise Malformed("unknown kind or codec")
    frame["kind"] = KINDS[frame["kind"]]
    frame["codec"] = CODECS[frame["codec"]]
    frame["flags"] = [name for bit, name in enumerate(FLAGS) if frame["flags"] >> bit & 1]
    return frame, message[frame["header_len"]:]


class Socket(ctypes.Structure):
    _fields_ = [("id", ctypes.c_uint32)]


class Bus:
    """One sub socket. It is never closed: close it only when the publisher is dead or silent."""

    def __init__(self, path, buffer=256):
        self.nng = ctypes.CDLL("libnng.so.1")
        self.nng.nng_strerror.restype = ctypes.c_char_p
        self.nng.nng_setopt.argtypes = [Socket, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t]
        self.nng.nng_setopt_int.argtypes = [Socket, ctypes.c_char_p, ctypes.c_int]
        self.nng.nng_setopt_size.argtypes = [Socket, ctypes.c_char_p, ctypes.c_size_t]
        self.nng.nng_dial.argtypes = [Socket, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int]
        self.nng.nng_recv.argtypes = [Socket, ctypes.POINTER(ctypes.c_void_p),
                                      ctypes.POINTER(ctypes.c_size_t), ctypes.c_int]
        self.nng.nng_free.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
        self.socket = Socket()
        self._check(self.nng.nng_sub0_open(ctypes.byref(self.socket)))
        self._check(self.nng.nng_setopt(self.socket, b"sub:subscribe", b"", 0))
        self._check(self.nng.nng_setopt_int(self.socket, b"recv-buffer", buffer))
        self._check(self.nng.nng_setopt_size(self.socket, b"recv-size-max", PAYLOAD_MAX + 65536))
        url = f"ipc://{path}".encode()
        self._check(self.nng.nng_dial(self.socket, url, None, NNG_FLAG_NONBLOCK))

    def _check(self, rv):
        if rv != 0:
            raise OSError(self.nng.nng_strerror(rv).decode())

    def recv(self, until):
        """The next message as bytes, or None when there is none before `until` (monotonic)."""
        data, size = ctypes.c_void_p(), ctypes.c_size_t()
        while True:
            rv = self.nng.nng_recv(self.socket, ctypes.byref(data), ctypes.byref(size),
                                   NNG_FLAG_ALLOC | NNG_FLAG_NONBLOCK)
            if rv == 0:
                break
            if rv != NNG_EAGAIN:
                self._check(rv)
            if time.monotonic() >= until:
                return None
            time.sleep(0.002)
        message = ctypes.string_at(data, size.value)
        self.nng.nng_free(data, size)
        return message


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    parser.add_argument("--messages", type=int, default=1 << 62)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--video")
    parser.add_argument("--as", dest="subscriber", type=int, default=0)
    parser.add_argument("--raw")
    parser.add_argument("--buffer", type=int, default=256)
    options = parser.parse_args()
    bus = Bus(options.path, options.buffer)
    video = open(options.video, "wb") if options.video else None
    raw = open(options.raw, "wb", buffering=0) if options.raw else None
    until = time.monotonic() + options.seconds
    for _ in range(options.messages):
        message = bus.recv(until)
        if message is None:
            break
        frame, payload = decode(message)
        if "replay" in frame["flags"] and frame["for_subscriber"] != options.subscriber:
            continue  # somebody else's: before anything else is looked at
        if frame["kind"] in ("video", "config", "jpeg") and video:
            video.write(payload)
            video.flush()
        if raw:
            raw.write(len(message).to_bytes(4, "little") + message)
            continue
        if frame["kind"] == "status":
            frame["status"] = json.loads(payload)
        print(json.dumps(frame), flush=True)
    # Neither nng_close nor exit handlers: under traffic they may hang.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
