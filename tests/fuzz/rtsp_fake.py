"""
A camera that speaks RTSP and makes mistakes: what it says follows from a number alone, so that a session
can be had again. Only bytes: rtsp_sessions.py has the sockets.
"""

import os
import random
import re
import struct

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "media")
PICTURES = 12
CRLF = b"\r\n"


def load(name):
    with open(os.path.join(DATA, name), "rb") as file:
        return file.read()


def nal_units(stream):
    """NAL units of an Annex B stream."""
    return [unit.rstrip(b"\0") for unit in re.split(b"\0\0\0?\1", stream) if unit]


def pictures(stream, is_slice, is_first):
    """Lists of NAL units, one for each picture."""
    units, found = [], []
    for unit in nal_units(stream):
        if is_slice(unit) and is_first(unit) and any(map(is_slice, units)):
            found.append(units)
            units = []
        elif not is_slice(unit) and any(map(is_slice, units)):
            found.append(units)
            units = []
        units.append(unit)
    return found + [units] if units else found


def h264_pictures():
    return pictures(load("baseline_360p.h264"), lambda u: u[0] & 31 in (1, 5), lambda u: u[1] & 0x80)


def h265_pictures():
    return pictures(load("main_360p.h265"), lambda u: u[0] >> 1 & 63 < 32, lambda u: u[2] & 0x80)


def h264_payloads(unit, size):
    if len(unit) <= size:
        return [unit]
    head, parts = bytes([unit[0] & 0xe0 | 28]), [unit[i:i + size] for i in range(1, len(unit), size)]
    flags = [0] * len(parts)
    flags[0] |= 0x80
    flags[-1] |= 0x40
    return [head + bytes([flag | unit[0] & 31]) + part for flag, part in zip(flags, parts)]


def h265_payloads(unit, size):
    if len(unit) <= size:
        return [unit]
    head, parts = bytes([unit[0] & 0x81 | 49 << 1, unit[1]]), [unit[i:i + size] for i in range(2, len(unit), size)]
    flags = [0] * len(parts)
    flags[0] |= 0x80
    flags[-1] |= 0x40
    return [head + bytes([flag | unit[0] >> 1 & 63]) + part for flag, part in zip(flags, parts)]


def jpeg_payloads(jpeg, size):
    scan = jpeg[jpeg.index(b"\xff\xda"):]
    scan = scan[2 + struct.unpack(">H", scan[2:4])[0]:-2]
    return [struct.pack(">IBBBB", at, 1, 50, 160 // 8, 96 // 8) + scan[at:at + size]
            for at in range(0, len(scan), size)]


VIDEO = {
    "H264": ("a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=1"),
    "H265": ("a=rtpmap:96 H265/90000",),
    "JPEG": ("a=rtpmap:26 JPEG/90000",),
}
AUDIO = {
    "PCMU": (0, 8000, "a=rtpmap:0 PCMU/8000"),
    "PCMA": (8, 8000, ""),
    "G726-32": (97, 8000, "a=rtpmap:97 G726-32/8000"),
    "L16": (97, 16000, "a=rtpmap:97 L16/16000"),
    "opus": (97, 48000, "a=rtpmap:97 opus/48000/2"),
    "AAC": (97, 16000, "a=rtpmap:97 mpeg4-generic/16000/1\r\na=fmtp:97 streamtype=5;mode=AAC-hbr;config=1408;"
                       "sizelength=13;indexlength=3;indexdeltalength=3"),
}


class Camera:
    """faults: how many kinds of mistakes it makes."""

    def __init__(self, seed, faults):
        self.rng = random.Random(seed)
        rng = self.rng
        self.codec = rng.choice(("H264", "H264", "H265", "JPEG"))
        self.audio = rng.choice((None, None) + tuple(AUDIO))
        self.payload_size = rng.choice((60, 300, 1200, 1400))
        self.refuses_tcp = rng.random() < 0.15
        self.wants_password = rng.random() < 0.3
        self.answered = 0
        self.setups = 0
        self.channels, self.ports = [], []
        self.is_closing = False
        kinds = (self.spoil_bytes, self.spoil_text, self.spoil_sdp, self.spoil_packets, self.spoil_end)
        self.faults = set(rng.sample(kinds, min(faults, len(kinds))))
        self.when = rng.randrange(7)  # which answer is spoilt

    # Answers.

    def answer(self, request, udp_ports=None):
        """What is said to one request, spoilt as it may be. udp_ports() opens a pair of ports."""
        method = request.split(b" ", 1)[0].decode("latin1")
        fields = dict(re.findall(rb"(?mi)^([a-z-]+):[ \t]*([^\r\n]*)", request))
        headers, body, status = [b"CSeq: " + fields.get(b"CSeq", b"0")], b"", b"200 OK"
        if self.wants_password and method != "OPTIONS" and b"Authorization" not in fields:
            status = b"401 Unauthorized"
            headers.append(self.challenge())
        elif method == "OPTIONS":
            headers.append(b"Public: OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, TEARDOWN")
        elif method == "DESCRIBE":
            body = self.describe()
            headers += [b"Content-Type: application/sdp", b"Content-Base: rtsp://127.0.0.1/a/",
                        b"Content-Length: %d" % len(body)]
        elif method == "SETUP":
            status = self.set_up(fields.get(b"Transport", b""), headers, udp_ports)
        elif method == "PLAY":
            headers += [b"Session: 1234", b"RTP-Info: url=rtsp://127.0.0.1/a/track0;seq=1;rtptime=0"]
        reply = b"RTSP/1.0 " + status + CRLF + CRLF.join(headers) + CRLF + CRLF + body
        self.answered += 1
        if self.spoil_text in self.faults and self.answered > self.when:
            reply = self.spoil_text(reply)
        if self.spoil_end in self.faults and self.answered > self.when:
            reply = self.spoil_end(reply)
        return reply

    def challenge(self):
        return b"WWW-Authenticate: " + self.rng.choice((
            b'Digest realm="cam", nonce="%d"' % self.rng.randrange(10),
            b'Digest realm="cam", nonce="1", qop="auth", algorithm=SHA-256, Basic realm="cam"',
            b'Basic realm="cam"'))

    def describe(self):
        video_type = 26 if self.codec == "JPEG" else 96
        lines = ["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=-", "c=IN IP4 0.0.0.0", "t=0 0", "a=control:*",
                 "m=video 0 RTP/AVP %d" % video_type, *VIDEO[self.codec], "a=control:track0"]
        if self.audio is not None:
            number, _, text = AUDIO[self.audio]
            lines += ["m=audio 0 RTP/AVP %d" % number, *filter(None, [text]), "a=control:track1"]
        sdp = "\r\n".join(lines).encode() + CRLF
        return self.spoil_sdp(sdp) if self.spoil_sdp in self.faults else sdp

    def set_up(self, asked, headers, udp_ports):
        if b"/TCP" in asked:
            if self.refuses_tcp:
                return b"461 Unsupported Transport"
            channels = re.search(rb"interleaved=(\d+)-(\d+)", asked)
            self.channels.append(int(channels.group(1)))
        else:
            ports = re.search(rb"client_port=(\d+)-(\d+)", asked)
            mine = udp_ports(int(ports.group(1)))
            self.ports.append(mine)
            asked += b";server_port=%d-%d" % (mine, mine + 1)
        headers += [b"Session: 1234;timeout=4", b"Transport: " + asked + b";ssrc=00000001"]
        return b"200 OK"

    # Pictures and sound.

    def units(self):
        if self.codec == "JPEG":
            return [jpeg_payloads(load("libjpeg_160x96_q50.jpg"), self.payload_size)] * PICTURES
        make = h264_payloads if self.codec == "H264" else h265_payloads
        found = h264_pictures() if self.codec == "H264" else h265_pictures()
        return [[payload for unit in units for payload in make(unit, self.payload_size)] for units in found]

    def packets(self):
        """(track, is_rtcp, bytes), in order; spoilt as they may be."""
        sequence, sent = 1, []
        for number, payloads in enumerate(self.units()):
            for index, payload in enumerate(payloads):
                marker = 0x80 if index == len(payloads) - 1 else 0
                kind = 26 if self.codec == "JPEG" else 96
                sent.append((0, False, struct.pack(">BBHII", 0x80, marker | kind, sequence & 0xffff,
                                                   number * 3600, 1) + payload))
                sequence += 1
            if self.audio is not None:
                kind, rate, _ = AUDIO[self.audio]
                sound = b"\0\x10\0\x20" + bytes(4) if self.audio == "AAC" else bytes(160)
                sent.append((1, False, struct.pack(">BBHII", 0x80, 0x80 | kind, number,
                                                   number * rate // 25, 2) + sound))
            if number % 5 == 0:
                sent.append((0, True, struct.pack(">BBHIQIII", 0x80, 200, 6, 1, (3900000000 + number // 25) << 32,
                                                  number * 3600, sequence, sequence * 1000)))
        return self.spoil_packets(sent) if self.spoil_packets in self.faults else sent

    def frame(self, track, is_rtcp, packet):
        channel = self.channels[track % len(self.channels)] + is_rtcp
        return struct.pack(">cBH", b"$", channel & 255, len(packet) & 0xffff) + packet

    # Mistakes.

    def wire(self, data):
        """The last word on what goes over TCP."""
        if self.spoil_bytes not in self.faults or self.rng.random() < 0.6:
            return data
        return self.spoil_bytes(data)

    def spoil_bytes(self, data):
        data = bytearray(data)
        for _ in range(self.rng.choice((1, 1, 2, 10))):
            at = self.rng.randrange(len(data) + 1)
            what = self.rng.randrange(5)
            if what == 0:
                data[at:at] = self.rng.randbytes(self.rng.choice((1, 4, 100)))
            elif what == 1:
                del data[at:at + self.rng.choice((1, 4, 100))]
            elif what == 2:
                data[at:at] = data[at // 2:at]
            elif at < len(data):
                data[at] = self.rng.choice((0, 255, 36, 10, data[at] ^ 1 << self.rng.randrange(8)))
        return bytes(data)

    def spoil_text(self, reply):
        rng = self.rng
        head, _, body = reply.partition(CRLF + CRLF)
        lines = head.split(CRLF)
        at = rng.randrange(len(lines))
        what = rng.choice((
            lambda: lines.pop(at),
            lambda: lines.insert(at, lines[at]),
            lambda: lines.__setitem__(0, b"RTSP/1.0 " + rng.choice((
                b"100 Continue", b"302 Moved", b"401 Unauthorized", b"403 No", b"404 Not Found", b"454 No Session",
                b"461 Unsupported Transport", b"500 Error", b"503", b"200", b"999 x"))),
            lambda: lines.__setitem__(0, rng.choice((b"HTTP/1.0 200 OK", b"RTSP/9.9 200 OK", b"220 ftp ready", b"",
                                                     b"OPTIONS * RTSP/1.0", b"ANNOUNCE rtsp://h/ RTSP/1.0"))),
            lambda: lines.insert(1, b"CSeq: " + rng.choice((b"0", b"-1", b"99999999999999999999", b"x"))),
            lambda: lines.insert(1, b"Content-Length: " + rng.choice((b"0", b"-1", b"1", b"70000", b"4000000000", b""))),
            lambda: lines.insert(1, b"Location: " + rng.choice((
                b"rtsp://127.0.0.1:1/b", b"/c", b"http://x/", b"rtsp://u:p@127.0.0.1/", b"", b"a" * 5000))),
            lambda: lines.insert(1, b"Session: " + rng.choice((b"", b"a b", b"1;timeout=0", b"2;timeout=1", b"x" * 5000))),
            lambda: lines.insert(1, b"Transport: " + rng.choice((
                b"RTP/AVP;unicast", b"RTP/AVP/TCP;interleaved=200-200", b"RTP/AVP/TCP;interleaved=300-301",
                b"RTP/AVP;multicast;destination=239.0.0.1", b"RAW/RAW/UDP", b"RTP/AVP;server_port=0-0"))),
            lambda: lines.insert(1, b"Content-Base: " + rng.choice((b"http://x/", b"rtsp://", b"\x01", b"a" * 5000))),
            lambda: lines.insert(1, b"X: " + b"y" * rng.choice((1000, 20000))),
            lambda: lines.extend([b"X: y"] * 100),
            lambda: lines.insert(1, b" folded"),
            lambda: lines.insert(at, b"$\0\0\4\x80\x60\0\0".rstrip(CRLF)),
            lambda: lines.insert(at, rng.randbytes(rng.choice((1, 10, 100)))),
        ))
        what()
        reply = CRLF.join(lines) + CRLF + CRLF + body
        return rng.choice((reply, reply, reply.replace(CRLF, b"\n"), reply + reply, reply + rng.randbytes(9),
                           b"OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 7\r\n\r\n" + reply, b"\0" + reply, reply + b"\0"))

    def spoil_end(self, reply):
        """Cut, and silent or gone."""
        self.is_closing = self.rng.random() < 0.5
        return reply[:self.rng.randrange(len(reply) + 1)]

    def spoil_sdp(self, sdp):
        rng = self.rng
        lines = sdp.split(CRLF)[:-1]
        for _ in range(rng.choice((1, 2, 5))):
            at = rng.randrange(len(lines))
            what = rng.randrange(7)
            if what == 0 and len(lines) > 1:
                lines.pop(at)
            elif what == 1:
                lines.insert(rng.randrange(len(lines)), lines[at])
            elif what == 2:
                lines[at] = self.spoil_bytes(lines[at])
            elif what == 3:
                lines[at] = re.sub(rb"\d+", rng.choice((b"0", b"-1", b"4294967296", b"127", b"x")), lines[at])
            elif what == 4:
                lines[at] += rng.choice((b" ", b";", b"," * 1000, b";sprop-parameter-sets=Z0IA,aM4=", b"\0"))
            elif what == 5:
                lines[at:at] = [lines[at]] * rng.choice((10, 300))
            else:
                rng.shuffle(lines)
        return rng.choice((CRLF, CRLF, b"\n")).join(lines) + CRLF

    def spoil_packets(self, sent):
        rng = self.rng
        spoilt = []
        rate = rng.choice((0.01, 0.1, 0.5))
        what = rng.sample(range(10), rng.choice((1, 2, 4)))
        jump = rng.choice((1, 3000, 40000))
        for track, is_rtcp, packet in sent:
            fault = rng.choice(what) if rng.random() < rate else None
            packet = bytearray(packet)
            if fault == 0:
                continue
            if fault == 1:
                spoilt.append((track, is_rtcp, bytes(packet)))
            elif fault == 2:
                packet[rng.randrange(len(packet))] = rng.randrange(256)
            elif fault == 3:
                packet[rng.randrange(min(len(packet), 20))] ^= 1 << rng.randrange(8)
            elif fault == 4:
                packet = packet[:rng.randrange(len(packet) + 1)]
            elif fault == 5 and spoilt:
                spoilt.insert(max(0, len(spoilt) - rng.randrange(1, 9)), (track, is_rtcp, bytes(packet)))
                continue
            elif fault == 6:
                packet[2:4] = struct.pack(">H", (packet[2] << 8 | packet[3]) + jump & 0xffff)
            elif fault == 7:
                packet[4:8] = rng.randbytes(4)
            elif fault == 8:
                packet[1:2] = bytes([packet[1] ^ 0x80])
            elif fault == 9:
                track, is_rtcp = rng.choice(((0, True), (1, False), (7, False)))
            spoilt.append((track, is_rtcp, bytes(packet)))
        return spoilt
