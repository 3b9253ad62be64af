"""
A camera in the driver's own loop: RTSP over TCP, H.264 of pictures.py, ten pictures a second with a clock that goes on
whether somebody watches or not, so that whoever comes waits for the next key frame as with a real one. It can be
told to fall silent at any step, to drip, to refuse passwords, to lie in every byte.
"""

import asyncio
import random
import re
import time

import pictures

RTP_HZ = 90000
BACKLOG_MAX = 4 << 20  # of a viewer that does not read
STEPS = ("accept", "OPTIONS", "DESCRIBE", "SETUP", "PLAY", "media")


class Session(asyncio.Protocol):
    """One connection. Times are of CLOCK_MONOTONIC in seconds, None: not yet."""

    def __init__(self, source):
        self.source, self.transport = source, None
        self.accepted = self.asked = self.played = self.ended = None
        self.sent, self.dripped, self.buffer, self.channel = 0, 0, b"", 0
        self.sequence, self.ssrc = random.getrandbits(16), random.getrandbits(32)

    def connection_made(self, transport):
        self.transport, self.accepted = transport, time.monotonic()
        self.source.sessions.append(self)

    def connection_lost(self, exc):
        self.ended = time.monotonic()

    def data_received(self, data):
        if self.asked is None:
            self.asked = time.monotonic()
        self.buffer += data
        while self.source.silent_at != "accept" and self._take():
            pass

    def _take(self):
        """One interleaved packet or request; False when there is no whole one."""
        if self.buffer[:1] == b"$":
            size = 4 + int.from_bytes(self.buffer[2:4], "big")
            if len(self.buffer) < size:
                return False
            self.buffer = self.buffer[size:]
            return True
        head, end, rest = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        self.buffer = rest
        self._answer(head.decode("latin-1"))
        return True

    def _answer(self, head):
        method = head.split(" ", 1)[0]
        source = self.source
        if source.silent_at == method:
            return
        cseq = re.search(r"(?mi)^cseq:\s*(\d+)", head)
        lines, body, status = [f"CSeq: {cseq[1] if cseq else 0}"], "", "200 OK"
        if source.refuses and method != "OPTIONS":
            status = "401 Unauthorized"
            lines.append('WWW-Authenticate: Basic realm="camera"')
        elif method == "OPTIONS":
            lines.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER")
        elif method == "DESCRIBE":
            body = source.description()
            lines.append("Content-Type: application/sdp")
        elif method == "SETUP":
            channels = re.search(r"interleaved=(\d+)-(\d+)", head)
            self.channel = int(channels[1]) if channels else 0
            lines.append(f"Transport: RTP/AVP/TCP;unicast;interleaved={self.channel}-{self.channel + 1}")
        if method in ("SETUP", "PLAY"):
            lines.append("Session: 12345678;timeout=60")
        text = "\r\n".join([f"RTSP/1.0 {status}", *lines, f"Content-Length: {len(body)}", "", body])
        self.write(text.encode())
        if method == "PLAY" and not source.refuses:
            self.played = time.monotonic()

    def write(self, data):
        if self.source.mangle is not None:
            data = self.source.mangle(data)
        if self.transport.get_write_buffer_size() > BACKLOG_MAX:
            self.source.overrun += 1
            self.transport.abort()
        elif not self.transport.is_closing():
            self.transport.write(data)

    def drip(self):
        """One byte of a packet that would take nine hours."""
        self.write(b"$\x00\x7f\xff"[self.dripped:self.dripped + 1] or b"\0")
        self.dripped += 1

    def send_picture(self, nals, timestamp):
        packets, out = [payload for nal in nals for payload in pictures.payloads(nal)], bytearray()
        for at, payload in enumerate(packets):
            marker = 0x80 if at == len(packets) - 1 else 0
            self.sequence = self.sequence + 1 & 0xffff
            out += b"$" + bytes([self.channel]) + (12 + len(payload)).to_bytes(2, "big")
            out += bytes([0x80, 96 | marker]) + self.sequence.to_bytes(2, "big")
            out += (timestamp & 0xffffffff).to_bytes(4, "big") + self.ssrc.to_bytes(4, "big") + payload
        self.write(bytes(out))
        self.sent += 1


class Source:
    """
    silent_at: one of STEPS, or None. refuses: the password, whichever. mangle: what becomes of every byte that is
    sent. drips: a byte a second instead of pictures. number: of the next picture.
    """

    def __init__(self, name, fps=10, gop=10, padding=0):
        self.name, self.fps, self.gop, self.padding = name, fps, gop, padding
        self.silent_at, self.refuses, self.mangle, self.drips = None, False, None, False
        self.port, self.server, self.task = 0, None, None
        self.sessions, self.number, self.overrun = [], 0, 0
        self.began = time.monotonic()

    async def start(self):
        """Begin to listen, the second time on the same port."""
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(lambda: Session(self), "127.0.0.1", self.port, reuse_address=True)
        self.port = self.server.sockets[0].getsockname()[1]
        if self.task is None:
            self.task = asyncio.create_task(self._play())
        return self

    async def stop(self):
        """The camera is away: its port refuses. Its clock goes on."""
        if self.server is not None:
            self.server.close()
            self.server = None
        self.drop()

    async def close(self):
        await self.stop()
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    def drop(self):
        """Reset every connection."""
        for session in self.open_sessions():
            session.transport.abort()

    def open_sessions(self):
        return [session for session in self.sessions if session.ended is None]

    def playing(self):
        return [session for session in self.open_sessions() if session.played is not None]

    def url(self):
        return f"rtsp://127.0.0.1:{self.port}/h264"

    def flows(self):
        """Whether somebody gets pictures now."""
        return bool(self.playing()) and self.silent_at is None and not self.drips and self.mangle is None

    def description(self):
        return ("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=chaos\r\nt=0 0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\n"
                "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:video\r\n")

    async def _play(self):
        while True:
            due = self.began + self.number / self.fps
            late = time.monotonic() - due
            if late < 0:
                await asyncio.sleep(-late)
            elif late > 5:  # the driver stood still: what it missed is not made up for in one burst
                self.began += late
            self._step()

    def _step(self):
        number, self.number = self.number, self.number + 1
        listeners = self.playing()
        if self.drips:
            if number % self.fps == 0:
                for session in listeners:
                    session.drip()
        elif listeners and self.silent_at != "media":
            stamp = pictures.Stamp(self.name, number, time.monotonic_ns() // 1000)
            nals = pictures.picture(stamp, number % self.gop, self.padding)
            for session in listeners:
                session.send_picture(nals, number * RTP_HZ // self.fps)
