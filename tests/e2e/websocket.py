"""A WebSocket client (RFC 6455) as small as the tests need: one connection, one thread."""

import base64
import hashlib
import os
import socket
import struct

from wait import PATIENCE_S

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Refused(Exception):
    """The server answered the handshake with something else than 101."""

    def __init__(self, status, body):
        super().__init__(f"{status} {body!r}")
        self.status = status
        self.body = body


class WebSocket:
    def __init__(self, host, port, path, timeout_s=PATIENCE_S, headers=(), tls=None):
        """tls: an ssl.SSLContext, None: in clear."""
        self.sock = socket.create_connection((host, port), timeout_s)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self.sock = tls.wrap_socket(self.sock, server_hostname=host)
        self.buffer = b""
        key = base64.b64encode(os.urandom(16))
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket",
                 "Connection: Upgrade", f"Sec-WebSocket-Key: {key.decode()}",
                 "Sec-WebSocket-Version: 13", *headers]
        self.sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        self._handshake(key)

    def _handshake(self, key):
        while b"\r\n\r\n" not in self.buffer:
            self._fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        status = int(head.split(b" ", 2)[1])
        if status != 101:
            self.sock.settimeout(2)
            try:
                while True:
                    self._fill()
            except (OSError, EOFError):
                pass
            raise Refused(status, self.buffer)
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        if b"sec-websocket-accept: " + accept.lower() not in head.lower():
            raise Refused(status, head)

    def _fill(self):
        data = self.sock.recv(1 << 18)
        if not data:
            raise EOFError("the server closed the connection")
        self.buffer += data

    def _take(self, count):
        while len(self.buffer) < count:
            self._fill()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def send(self, opcode, payload):
        mask = os.urandom(4)
        masked = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
        if len(payload) < 126:
            head = struct.pack("!BB", 0x80 | opcode, 0x80 | len(payload))
        else:
            head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, len(payload))
        self.sock.sendall(head + mask + masked)

    def send_text(self, text):
        self.send(TEXT, text.encode())

    def recv(self):
        """The next message as (opcode, payload); pings are answered here. EOFError at the end."""
        parts, kind = [], None
        while True:
            first, second = self._take(2)
            length = second & 0x7F
            if second & 0x80:
                raise AssertionError("a server must not mask")
            if length == 126:
                length = struct.unpack("!H", self._take(2))[0]
            elif length == 127:
                length = struct.unpack("!Q", self._take(8))[0]
            payload, opcode = self._take(length), first & 0x0F
            if opcode == PING:
                self.send(PONG, payload)
            elif opcode == CLOSE:
                raise EOFError(f"closed: {payload!r}")
            elif opcode in (0, TEXT, BINARY):
                kind = kind or opcode
                parts.append(payload)
                if first & 0x80:
                    return kind, b"".join(parts)

    def close(self):
        """Also wakes a thread that waits in recv()."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
