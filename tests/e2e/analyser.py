"""A program that looks at cameras, written from docs/protocol.md alone and with plain sockets, so that it can also do
what no library would: flood, send garbage, hang. It reads frames from the bus and publishes results."""

import contextlib
import json
import os
import socket
import struct
import threading

from bus_subscriber import decode
from wait import DEADLINE_S, PATIENCE_S, Deadline, until

HELLO = struct.Struct(">4sHH")
PUB, SUB = 32, 33  # numbers of SP protocols
HEAD = struct.Struct(">BQ")


def hello(protocol):
    return HELLO.pack(b"\0SP\0", protocol, 0)


def exactly(sock, length):
    data = bytearray()
    while len(data) < length:
        more = sock.recv(length - len(data))
        if not more:
            raise EOFError
        data += more
    return bytes(data)


def message(data):
    """As it travels."""
    return HEAD.pack(1, len(data)) + data


class Analyser:
    """
    .streams (the latest tap-stream of each, by name), .frames (how many came), .fronts (sockets that listen to it).
    on_frame(frame, payload): each frame of the streams that it wants; returns a result without its frame, or None.
    """

    def __init__(self, hub, name, streams=("*",), on_frame=None):
        self.bus = os.path.join(hub.runtime, "bus")
        self.name, self.patterns, self.on_frame = name, list(streams), on_frame
        self.changed = threading.Condition()
        self.streams, self.fronts, self.frames, self.wanted = {}, [], 0, set()
        self._readers, self._open = {}, True
        self.file = f"analyser-{name}-{os.getpid()}.sock"
        self.path = os.path.join(self.bus, "results", self.file)
        until(lambda: os.path.exists(os.path.join(self.bus, "tap.sock")), "camhub listens to analysers")
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self._listener.listen(8)
        self.tap = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.tap.connect(os.path.join(self.bus, "tap.sock"))
        self._thread(self._accept)
        self.say("tap-hello", name=name, version="test", streams=self.patterns, results=self.file)
        self._thread(self._listen_to_supervisor)

    def _thread(self, target, *args):
        threading.Thread(target=target, args=args, daemon=True).start()

    def say(self, kind, **fields):
        self.tap.send(json.dumps({"type": kind, **fields}).encode())

    def wait(self, condition, what):
        with self.changed:
            if not Deadline(DEADLINE_S).wait(self.changed, condition):
                raise AssertionError(f"{self.name}: never {what}")

    def close(self):
        """As a crash: everything ends at once."""
        self._open = False
        for sock in [self.tap, self._listener, *self.fronts, *self._readers.values()]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()
        with contextlib.suppress(FileNotFoundError):  # the supervisor was sooner
            os.unlink(self.path)

    # Frames

    def _listen_to_supervisor(self):
        try:
            while True:
                data = self.tap.recv(65536)
                if not data:
                    return
                told = json.loads(data)
                with self.changed:
                    if told["type"] == "tap-stream":
                        self.streams[told["name"]] = told
                        self._follow(told["name"])
                    self.changed.notify_all()
        except OSError:
            return

    def want(self, name):
        self.wait(lambda: name in self.streams, f"told of {name}")
        with self.changed:
            self.wanted.add(name)
            self.say("tap-want", id=self.streams[name]["id"], on=True)
            self._follow(name)

    def _follow(self, name):
        endpoint = self.streams[name]["endpoint"]
        if name not in self.wanted or endpoint in self._readers or endpoint == "":
            return
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.connect(os.path.join(self.bus, endpoint))
        sock.sendall(hello(SUB))
        self._readers[endpoint] = sock
        self._thread(self._read, name, sock)

    def _read(self, name, sock):
        try:
            exactly(sock, HELLO.size)
            while True:
                _, length = HEAD.unpack(exactly(sock, HEAD.size))
                frame, payload = decode(exactly(sock, length))
                if frame["kind"] in ("video", "jpeg") and "replay" not in frame["flags"]:
                    self._look(name, frame, payload)
        except (EOFError, OSError):
            return

    def _look(self, name, frame, payload):
        found = self.on_frame(frame, payload) if self.on_frame else None
        with self.changed:
            self.frames += 1
            self.last = frame
            self.changed.notify_all()
        if found is not None:
            self.result(name, frame, **found)

    # Results

    def _accept(self):
        try:
            while True:
                sock, _ = self._listener.accept()
                sock.settimeout(PATIENCE_S)
                sock.sendall(hello(PUB))
                exactly(sock, HELLO.size)
                with self.changed:
                    self.fronts.append(sock)
                    self.changed.notify_all()
        except (EOFError, OSError):
            return

    def wait_front(self):
        self.wait(lambda: self.fronts, "listened to")

    def send(self, data):
        """These bytes to each front that listens; how many did."""
        with self.changed:
            fronts = list(self.fronts)
        for sock in fronts:
            try:
                sock.sendall(data)
            except OSError:
                with self.changed:
                    self.fronts.remove(sock)
                    self.changed.notify_all()
        return len(fronts)

    def publish(self, value):
        return self.send(message(value if isinstance(value, bytes) else json.dumps(value).encode()))

    def result(self, stream, frame, **fields):
        return self.publish({"stream": stream, "epoch": frame["epoch"], "seq": frame["seq"], **fields})
