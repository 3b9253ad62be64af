"""A page at /ws in a thread: speaks docs/protocol.md, keeps what it saw of each subscription."""

import base64
import json
import struct
import threading
import time

from viewer import CODECS
from wait import DEADLINE_S, PATIENCE_S, Deadline
from websocket import BINARY, WebSocket

HEADER = struct.Struct("<BBHHHIIqqq")
KEY, DAMAGED, BEHIND = 1, 2, 4


class Frame:
    def __init__(self, data):
        (self.header, self.track, self.id, self.flags, self.version, self.seq, self.duration_us, self.pts_us,
         self.arrived_us, self.captured_us) = HEADER.unpack_from(data)
        self.payload = data[HEADER.size:]
        self.seen_us = int(time.time() * 1e6)


class Wall(threading.Thread):
    """
    .texts (parsed messages), .frames (per id), .configs (per id), .closed (why the socket ended).
    """

    def __init__(self, hub, **options):
        super().__init__(daemon=True)
        self.changed = threading.Condition()
        self.texts, self.frames, self.configs = [], {}, {}
        self.closed = None
        self.socket = WebSocket(hub.host, hub.port, "/ws", **options)
        self.start()

    def run(self):
        try:
            while True:
                opcode, data = self.socket.recv()
                with self.changed:
                    if opcode == BINARY:
                        frame = Frame(data)
                        self.frames.setdefault(frame.id, []).append(frame)
                    else:
                        self._on_text(json.loads(data))
                    self.changed.notify_all()
        except (EOFError, OSError, ValueError) as error:
            with self.changed:
                self.closed = error
                self.changed.notify_all()

    def _on_text(self, message):
        self.texts.append(message)
        if message["type"] == "config":
            self.configs.setdefault(message["id"], []).append(message)

    def say(self, kind, **fields):
        self.socket.send_text(json.dumps({"type": kind, **fields}))

    def subscribe(self, number, src, forms=("unit", "jpeg"), codecs=CODECS, **fields):
        self.say("subscribe", id=number, src=src, forms=list(forms), codecs=codecs, **fields)

    def wait(self, condition, what, deadline_s=DEADLINE_S):
        """Until condition() is true; fails at once when the socket has ended."""
        with self.changed:
            Deadline(deadline_s).wait(self.changed, lambda: condition() or self.closed is not None)
            if not condition():
                raise AssertionError(f"never {what} ({self.summary()})")

    def wait_frames(self, number, count):
        """count more frames than there are now; returns all of that id."""
        goal = len(self.frames.get(number, [])) + count
        self.wait(lambda: len(self.frames.get(number, [])) >= goal, f"{count} more frames of {number}")
        return list(self.frames[number])

    def wait_text(self, kind, **fields):
        """The first message with these fields."""
        def found():
            return [text for text in self.texts if text["type"] == kind and fields.items() <= text.items()]
        self.wait(lambda: found(), f"{kind} {fields}")
        return found()[0]

    def record(self, number):
        """The newest decoder configuration record, or init segment."""
        config = self.configs[number][-1]
        return base64.b64decode(config.get("description") or config["init"])

    def summary(self):
        counts = {number: len(frames) for number, frames in self.frames.items()}
        return f"frames {counts}, texts {self.texts[-4:]}, closed: {self.closed!r}"

    def close(self):
        self.socket.close()
        self.join(PATIENCE_S)


def annexb(record, frames):
    """An H.264 byte stream of units as in MP4 samples, the parameter sets of their avcC before them."""
    out, pos = bytearray(), 6
    for count in (record[5] & 31, None):
        if count is None:
            count, pos = record[pos], pos + 1
        for _ in range(count):
            length = struct.unpack_from("!H", record, pos)[0]
            out += b"\0\0\0\1" + record[pos + 2:pos + 2 + length]
            pos += 2 + length
    for frame in frames:
        pos = 0
        while pos < len(frame.payload):
            length = struct.unpack_from("!I", frame.payload, pos)[0]
            out += b"\0\0\0\1" + frame.payload[pos + 4:pos + 4 + length]
            pos += 4 + length
    return bytes(out)
