"""
Viewers in the driver's loop, each a page on /ws that watches some cameras, and the askers of plain HTTP. A watcher knows
by the cameras' own numbers (pictures.py) what was lost on the way to it, and how long it waited between pictures.
"""

import asyncio
import base64
import contextlib
import json
import os
import random
import time

import pictures
from viewer import CODECS
from wall import HEADER

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
GAPS_KEPT = 4096


class Seen:
    """What came of one camera. gaps: (s, when it ended) of those that were longer than any before them since mark()."""

    def __init__(self):
        self.frames = self.lost = self.repeated = self.skipped = self.configs = 0
        self.last_number, self.first_number, self.last_at = None, None, None
        self.longest_s, self.gaps, self.state, self.delays = 0.0, [], None, []

    def on_frame(self, stamp, now):
        self.frames += 1
        if stamp is None:
            return
        if self.last_number is None:
            self.first_number = stamp.number
        elif stamp.number > self.last_number + 1:
            self.lost += stamp.number - self.last_number - 1
        elif stamp.number <= self.last_number:
            self.repeated += 1
            return
        self.last_number = stamp.number
        if self.last_at is not None:
            self.longest_s = max(self.longest_s, now - self.last_at)
            if len(self.gaps) < GAPS_KEPT:
                self.gaps.append(now - self.last_at)
        self.last_at = now

    def mark(self):
        """Begin to count anew; the line of numbers goes on."""
        self.lost = self.repeated = self.skipped = 0
        self.longest_s, self.gaps = 0.0, []


def frame(opcode, payload):
    """One WebSocket frame of a client: masked (RFC 6455 5.3), with a mask of zeros."""
    size = len(payload)
    if size < 126:
        head = bytes([0x80 | opcode, 0x80 | size])
    elif size < 65536:
        head = bytes([0x80 | opcode, 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | opcode, 0x80 | 127]) + size.to_bytes(8, "big")
    return head + bytes(4) + payload


ANSWER_S = 60


async def handshake(house, path, read_bytes=0, headers=()):
    """(reader, writer) of an open WebSocket; ConnectionError when the server would rather not."""
    try:
        return await asyncio.wait_for(_handshake(house, path, read_bytes, headers), ANSWER_S)
    except asyncio.TimeoutError as error:
        raise ConnectionError(f"no answer to the handshake of {path} in {ANSWER_S} s") from error


async def _handshake(house, path, read_bytes, headers):
    loop = asyncio.get_running_loop()
    sock = house.socket(read_bytes)
    try:
        await loop.sock_connect(sock, (house.host, house.port))
        reader, writer = await asyncio.open_connection(sock=sock, limit=read_bytes or 1 << 18)
    except BaseException:
        sock.close()
        raise
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write("\r\n".join([f"GET {path} HTTP/1.1", f"Host: {house.host}:{house.port}", "Upgrade: websocket",
                              "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13",
                              *headers, "", ""]).encode())
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        writer.close()
        raise ConnectionResetError("closed before an answer") from error
    if b" 101 " not in head.split(b"\r\n", 1)[0]:
        writer.close()
        raise ConnectionError(head.split(b"\r\n", 1)[0].decode("latin-1"))
    return reader, writer


class Watcher:
    """cameras: {name: Seen}. closed: why the socket ended, None while it is open."""

    def __init__(self, house, names):
        self.house, self.names = house, list(names)
        self.cameras = {name: Seen() for name in self.names}
        self.closed, self.task, self.writer, self.opened = None, None, None, 0
        self.errors = []

    async def open(self):
        reader, self.writer = await handshake(self.house, "/ws")
        for number, name in enumerate(self.names, 1):
            self.say(type="subscribe", id=number, src=name, forms=["unit"], codecs=CODECS)
        self.closed, self.opened = None, self.opened + 1
        self.task = asyncio.create_task(self._read(reader))
        return self

    async def reopen(self, jitter_s=0.05):
        """As the pages do: again and again, a little later each time, until somebody answers."""
        wait_s = jitter_s
        while True:
            try:
                return await self.open()
            except OSError:
                await asyncio.sleep(wait_s * random.uniform(0.5, 1.5))
                wait_s = min(2 * wait_s, 1)

    def say(self, **fields):
        self.writer.write(frame(TEXT, json.dumps(fields).encode()))

    async def _read(self, reader):
        try:
            while True:
                first, second = await reader.readexactly(2)
                size = second & 127
                if size >= 126:
                    size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
                self._on_frame(first & 15, await reader.readexactly(size))
        except (asyncio.IncompleteReadError, OSError, ValueError, KeyError) as error:
            self.closed = repr(error)
        finally:
            self.writer.close()

    def _on_frame(self, opcode, data):
        if opcode == BINARY:
            number = HEADER.unpack_from(data)[2]
            self.cameras[self.names[number - 1]].on_frame(pictures.read_stamp(data), time.monotonic())
        elif opcode == TEXT:
            self._on_text(json.loads(data))
        elif opcode == PING:
            self.writer.write(frame(PONG, data))
        elif opcode == CLOSE:
            raise ConnectionResetError(f"closed by the server: {data[:80]!r}")

    def _on_text(self, message):
        seen = self.cameras[self.names[message["id"] - 1]] if message.get("id") else None
        if message["type"] == "error" or seen is None:
            self.errors.append(message)
        elif message["type"] == "config":
            seen.configs += 1
        elif message["type"] == "skipped":
            seen.skipped += message["frames"]
        elif message["type"] == "state":
            seen.state = message["state"]

    def mark(self):
        for seen in self.cameras.values():
            seen.mark()

    def lost(self, *names):
        """Pictures that the camera sent and that did not come, or that the server left out."""
        return sum(self.cameras[name].lost + self.cameras[name].skipped for name in names or self.names)

    async def close(self):
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        if self.writer is not None:
            self.writer.close()


async def fetch(house, path="/healthz", timeout_s=ANSWER_S, headers=(), method="GET", body=b"", source=None):
    """(status, body) of one request on a connection of its own, from the address `source`. OSError when it was refused or
    cut off."""
    async def talk():
        reader, writer = await asyncio.open_connection(house.host, house.port, local_addr=(source, 0) if source else None)
        try:
            lines = [*headers, f"Content-Length: {len(body)}"] if body else headers
            writer.write("\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {house.host}:{house.port}",
                                      "Connection: close", *lines, "", ""]).encode() + body)
            answer = await reader.read(-1)
        finally:
            writer.close()
        if not answer.startswith(b"HTTP/1."):
            raise ConnectionResetError("closed without an answer")
        head, _, content = answer.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), content

    try:
        return await asyncio.wait_for(talk(), timeout_s)
    except asyncio.TimeoutError as error:
        raise OSError(f"no answer to {path} in {timeout_s} s") from error


class Connector:
    """Connects every `every_s`; .refused: what the kernel said to those that did not come through."""

    def __init__(self, house, every_s=0.01):
        self.house, self.every_s = house, every_s
        self.connected, self.refused, self.done = 0, [], False
        self.task = asyncio.create_task(self._run())

    async def _run(self):
        loop = asyncio.get_running_loop()
        while not self.done:
            sock = self.house.socket()
            try:
                await asyncio.wait_for(loop.sock_connect(sock, (self.house.host, self.house.port)), 60)
                self.connected += 1
            except (OSError, asyncio.TimeoutError) as error:
                self.refused.append(repr(error))
            finally:
                sock.close()
            await asyncio.sleep(self.every_s)

    async def stop(self):
        self.done = True  # wait_for() of Python 3.11 may swallow a cancellation
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


class Asker:
    """Asks /healthz over and over; .times of the answers, .refused as the Connector's. A connection that was accepted by a
    process that then died is cut off: counted in .cut, and no refusal."""

    def __init__(self, house, every_s=0.05, path="/healthz"):
        self.house, self.every_s, self.path = house, every_s, path
        self.times, self.refused, self.cut, self.failed, self.done = [], [], 0, [], False
        self.task = asyncio.create_task(self._run())

    async def _run(self):
        while not self.done:
            began = time.monotonic()
            try:
                status, _ = await fetch(self.house, self.path)
                self.times.append(time.monotonic() - began)
                if status >= 500:
                    self.failed.append(status)
            except ConnectionRefusedError as error:
                self.refused.append(repr(error))
            except OSError:
                self.cut += 1
            await asyncio.sleep(self.every_s)

    async def stop(self):
        self.done = True  # wait_for() of Python 3.11 may swallow a cancellation
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task
