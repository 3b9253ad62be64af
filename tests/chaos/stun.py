"""STUN as somebody sends it who asks an ICE agent whether he is there (RFC 8445 7.2.4), with whatever password."""

import hashlib
import hmac
import struct
import zlib

COOKIE = 0x2112a442
USERNAME, INTEGRITY, PRIORITY, USE_CANDIDATE, CONTROLLING, FINGERPRINT = 6, 8, 0x24, 0x25, 0x802a, 0x8028


def attribute(kind, value):
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def request(ufrags, password, number, with_integrity=True):
    """A Binding request; ufrags: "theirs:ours"; number: of the transaction."""
    body = b"".join((attribute(USERNAME, ufrags.encode()), attribute(PRIORITY, struct.pack("!I", 0x6e7f00ff)),
                     attribute(CONTROLLING, struct.pack("!Q", 1)), attribute(USE_CANDIDATE, b"")))

    def head(size):
        return struct.pack("!HHI", 1, size, COOKIE) + number.to_bytes(12, "big")

    if with_integrity:
        mac = hmac.new(password.encode(), head(len(body) + 24) + body, hashlib.sha1).digest()
        body += attribute(INTEGRITY, mac)
    crc = zlib.crc32(head(len(body) + 8) + body) ^ 0x5354554e
    body += attribute(FINGERPRINT, struct.pack("!I", crc))
    return head(len(body)) + body
