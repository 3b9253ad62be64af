"""A worker alone: this process is its supervisor, and a subscriber of its bus."""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys

import bus_subscriber
from child import Child
from wait import PATIENCE_S, until

STREAM_ID, EPOCH = 7, 123456789012345
SUBSCRIBER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bus_subscriber.py")


class Worker(Child):
    """
    A worker program. port: where its source is; then it is given the connected socket. config: other fields of worker-config.
    """

    def __init__(self, directory, url, program="camhub-worker-av", port=None, **config):
        super().__init__(program, "worker", "door")
        self.bus = os.path.join(directory, f"door-{id(self) & 0xffffff:x}-{EPOCH:x}.sock")
        config = {"stream": "door", "stream_id": STREAM_ID, "epoch": EPOCH, "url": url,
                  "transport": "tcp", "bus": self.bus, "bus_mode": 0o600, "gop_cache_bytes": 16 << 20,
                  "open_timeout_ms": 10000, "stall_ms": 5000, "log_level": "info", "probe": False, **config}
        if port is None:
            self.send("worker-config", **config)
            return
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as source:
            source.setblocking(False)
            self.send("worker-config", [source.fileno()], **config)

    def stop(self):
        """
        The end of the channel means: leave now. Returns the exit code. Its bus is removed as the supervisor does:
        who is locked in removes no file.
        """
        if self.exit_code is None:
            self.leave()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.bus)
            assert self.exit_code != -signal.SIGSYS, f"killed for a forbidden system call: {self.last('violation')}"
        return self.exit_code


class Subscriber:
    """
    All that is published, decoded, payloads too: (header, payload) in .frames. In a process of its own,
    because nng is (bus_subscriber.py), and through a file, so that it need not wait for us.
    """

    def __init__(self, bus):
        path = f"{bus}.raw"
        with open(path, "wb"):
            pass
        self.process = subprocess.Popen([sys.executable, "-B", SUBSCRIBER, bus, "--raw", path, "--buffer", "8192"])
        self.file = open(path, "rb")
        self.pending = b""
        self.known = []

    @property
    def frames(self):
        self.pending += self.file.read()
        at = 0
        while len(self.pending) - at >= 4:
            size = struct.unpack_from("<I", self.pending, at)[0]
            if len(self.pending) - at - 4 < size:
                break
            self.known.append(bus_subscriber.decode(self.pending[at + 4:at + 4 + size]))
            at += 4 + size
        self.pending = self.pending[at:]
        return self.known

    def wait_status(self):
        """Until it is connected: the worker's pulse comes every second."""
        until(lambda: any(frame["kind"] == "status" for frame, _ in self.frames), "the bus's first status")

    def units(self, track, count=sys.maxsize):
        """
        [(header, payload)] of track 0 (video) or 1 (audio), the first so many, without configurations. None of
        them was lost on the bus; after them some may be, when the subscriber is too slow.
        """
        found, before = [], None
        for frame, payload in self.frames:
            if len(found) == count:
                break
            if frame["track"] != track or frame["kind"] == "status":
                continue
            assert before is None or frame["seq"] == before + 1, f"lost on the bus: {before} to {frame['seq']}"
            before = frame["seq"]
            if frame["kind"] != "config":
                found.append((frame, payload))
        return found

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.file.close()
