"""
People at camhub-rtc's port who have nothing to do there: datagrams and connections of all kinds, with books on how many
bytes went and how many came back. And an offer, as it is made by a page.
"""

import asyncio
import contextlib
import os
import re
import socket
import struct
from typing import NamedTuple

import rig
import stun
from watcher import fetch

TRANSIENT = (BlockingIOError, ConnectionRefusedError)


class Session(NamedTuple):
    """What an answer says of the other side."""

    ufrag: str
    password: str

    def check(self, number, password=None, **options):
        return stun.request(f"{self.ufrag}:theirs", self.password if password is None else password, number, **options)


def offer_text():
    path = os.path.join(rig.source_dir(), "tests", "data", "rtc", "chromium.sdp")
    with open(path, encoding="ascii", newline="") as file:
        return ("\r\n".join(file.read().splitlines()) + "\r\n").encode()


async def offer(house, name, source=None):
    """(status, the Session that was made or None). OSError as fetch() has it."""
    status, body = await fetch(house, f"/{name}/whep", method="POST", headers=["Content-Type: application/sdp"],
                               body=offer_text(), source=source)
    if status != 201:
        return status, None
    found = [re.search(rb"a=ice-%s:(\S+)" % word, body)[1].decode() for word in (b"ufrag", b"pwd")]
    return status, Session(*found)


class Stranger:
    """A UDP socket and its books: bytes sent, received."""

    def __init__(self, house, address="127.0.0.1"):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.sock.bind((address, 0))
        self.sock.connect((house.host, house.rtc_port))
        self.sent = self.received = 0

    def send(self, data):
        with contextlib.suppress(*TRANSIENT):
            self.sent += self.sock.send(data)

    def look(self):
        """Bytes that have come back up to now."""
        with contextlib.suppress(*TRANSIENT):
            while True:
                self.received += len(self.sock.recv(65536))
        return self.received

    def close(self):
        self.sock.close()


class Forger:
    """Sends with another one's port as its own, who then has no answer but his. PermissionError where that is not allowed."""

    def __init__(self, house):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.IPPROTO_UDP)
        self.house = house

    def send(self, port, data):
        with contextlib.suppress(*TRANSIENT):
            head = struct.pack("!HHHH", port, self.house.rtc_port, 8 + len(data), 0)
            self.sock.sendto(head + data, (self.house.host, 0))

    def close(self):
        self.sock.close()


def udp_ports_of(pid, peer_port):
    """Own ports of a process's UDP sockets that are connected to that port."""
    inodes = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            inodes.add(os.readlink(f"/proc/{pid}/fd/{name}"))
    with open("/proc/net/udp", encoding="ascii") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return [int(row[1].split(":")[1], 16) for row in rows
            if int(row[2].split(":")[1], 16) == peer_port and f"socket:[{row[9]}]" in inodes]


def junk(rng, session):
    """One datagram that is not worth an answer to somebody whom nobody knows. session: of ours, whose password he does not have."""
    def noise(first, second=None):
        body = bytearray(rng.randbytes(rng.choice((1, 2, 12, 13, 28, 100, 1200, 1400, 2100))))
        body[0] = first
        if second is not None and len(body) > 1:
            body[1] = second
        return bytes(body)

    def mutant():
        whole = session.check(rng.getrandbits(90))
        out = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(out))
            out[at] ^= 1 << rng.randrange(8)
        return bytes(out[:rng.randrange(20, len(out) + 1)]) if rng.randrange(3) == 0 or bytes(out) == whole else bytes(out)

    def record():
        body = rng.randbytes(rng.randrange(0, 300))
        return struct.pack("!BHHHIH", rng.randrange(20, 26), rng.choice((0xfeff, 0xfefd, 0x0303)), rng.randrange(2), 0,
                           rng.getrandbits(8), rng.choice((len(body), 0, 0xffff))) + body

    return rng.choice((
        lambda: noise(rng.randrange(256)), mutant, mutant, record,
        lambda: session.check(rng.getrandbits(90), with_integrity=False),
        lambda: session.check(rng.getrandbits(90), password="A" * 24),
        lambda: Session("A" * 8, "B" * 24).check(rng.getrandbits(90)),
        lambda: noise(0x80 | rng.randrange(64), rng.randrange(256)),  # SRTP
        lambda: noise(0x80 | rng.randrange(32), rng.randrange(200, 208)),  # SRTCP
        lambda: noise(rng.randrange(20, 64))))()


def frames(rng, session):
    """What is sent on a connection: RFC 4571 frames, of junk or of more than anybody may send, or hardly one."""
    def framed(data):
        return struct.pack("!H", len(data)) + data

    return rng.choice((
        lambda: b"\xff\xff" + rng.randbytes(20000),
        lambda: struct.pack("!H", 2049) + rng.randbytes(2049),
        lambda: bytes(5000), lambda: b"\x00",
        lambda: b"".join(framed(junk(rng, session)[:2048]) for _ in range(20)),
        lambda: framed(junk(rng, session)[:2048])[:-1],
        lambda: b"GET / HTTP/1.1\r\nHost: camhub\r\n\r\n"))()


async def connect(house, address):
    """A connection to the port from that address; OSError."""
    return await asyncio.open_connection(house.host, house.rtc_port, local_addr=(address, 0))
