#!/usr/bin/python3 -B
"""
An attacker's requests against a camhub of its own: malformed, oversized, smuggled, for other names, from other pages,
with tricks in paths and queries, too slow, too many. Each must be refused with a clear 4xx (or, where nothing was
asked, with silence), and change nothing for anybody else. Runs in `make check`; by hand: attack.py -v
"""

import os
import socket
import ssl
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import rig  # noqa: E402
from wait import DEADLINE_S, until  # noqa: E402

HOST = b"Host: 127.0.0.1\r\n"
ROUTES = ("/", "/door", "/api", "/api/streams", "/api/ws?src=door", "/api/stream.mp4?src=door",
          "/api/stream.mjpeg?src=door", "/api/frame.jpeg?src=door", "/ws", "/healthz", "/metrics",
          "/api/analysers")
VIEWS = ("/api/stream.mp4", "/api/stream.mjpeg", "/api/frame.jpeg")
UPGRADE = (b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")


def get(path, lines=b"", host=HOST, method=b"GET"):
    path = path if isinstance(path, bytes) else path.encode()
    return method + b" " + path + b" HTTP/1.1\r\n" + host + lines + b"\r\n"


def malformed():
    """Not HTTP/1.1 as RFC 9112 has it, although some parsers would take it."""
    yield from (
        b"GET / HTTP/1.1\n" + HOST + b"\r\n", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\n\r\n", b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/0.9\r\n\r\n", b"GET / HTTP/1.2\r\n" + HOST + b"\r\n",
        b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / XTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1 \r\n" + HOST + b"\r\n", b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n", b"GET\t/\tHTTP/1.1\r\n" + HOST + b"\r\n",
        b" GET / HTTP/1.1\r\n" + HOST + b"\r\n", b"\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n", b"get / HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET * HTTP/1.1\r\n" + HOST + b"\r\n", b"GET http://127.0.0.1/ HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET http://evil.com/ HTTP/1.1\r\n" + HOST + b"\r\n", b"GET door HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /#frag HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /\x7f HTTP/1.1\r\n" + HOST + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"{\"type\":\"mse\"}\r\n\r\n",
        b"\x80\x80\x80\x80\r\n\r\n", b"DESCRIBE rtsp://127.0.0.1/ RTSP/1.0\r\nCSeq: 1\r\n\r\n")
    for line in (b"X y: z", b"X : y", b": y", b"X", b"X: a\x00b", b"X: a\x0bb", b"X: a\x1bb", b"X: a\rb", b"X\xe9: a", b"X(: a",
                 b"X: a\r\n folded", b"X: a\r\n\tfolded", b" X: a"):
        yield get("/healthz", line + b"\r\n")
        yield get("/api/ws?src=door", UPGRADE + line + b"\r\n")
    for name in (b"Host", b"Origin", b"Authorization", b"Content-Length", b"Upgrade-X: y\r\nHost"):
        yield get("/healthz", name + b": 0\r\n" + name.split(b" ")[-1].split(b"\n")[-1] + b": 0\r\n")


def methods():
    for method in (b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT", b"PROPFIND", b"GETX", b"DEBUG"):
        for path in ROUTES:
            yield get(path, method=method)


def smuggled():
    """Two readers of these could see the end of the first request in different places."""
    hidden = get("/metrics")
    for length in (b"5", b"0, 5", b"5, 0", b"+0", b"-1", b"0x5", b"5 ", b"05", b" 5", b"\t5", b"1e1", b"", b"99999999999999999999",
                   b"4294967296", b"18446744073709551616"):
        yield get("/healthz", b"Content-Length: " + length + b"\r\n") + hidden
    yield get("/healthz", b"Content-Length: 0\r\nContent-Length: 5\r\n") + hidden
    yield get("/healthz", b"Content-Length: 5\r\ncontent-length: 5\r\n") + hidden
    for coding in (b"chunked", b"Chunked", b" chunked", b"\tchunked", b"chunked, identity", b"identity", b"x", b"chunked\r\n ", b"",
                   b"xchunked", b"gzip, chunked", b"\"chunked\""):
        yield get("/healthz", b"Transfer-Encoding: " + coding + b"\r\n") + b"0\r\n\r\n" + hidden
        yield get("/healthz", b"Content-Length: 5\r\nTransfer-Encoding: " + coding + b"\r\n") + b"0\r\n\r\n" + hidden
    for name in (b"Transfer-Encoding ", b"Transfer_Encoding\t", b"Transfer-Encoding\x0b", b"\x00Transfer-Encoding", b"Content-Length "):
        yield get("/healthz", name + b": chunked\r\n") + b"0\r\n\r\n" + hidden
    yield get("/healthz", b"Expect: 100-continue\r\n")
    yield get("/healthz", b"Trailer: X\r\nTransfer-Encoding: chunked\r\n") + b"0\r\nX: y\r\n\r\n"


def oversized():
    for n in (4097, 5000, 20000, 100000):
        yield b"GET /" + b"a" * n + b" HTTP/1.1\r\n" + HOST + b"\r\n"
        yield get("/healthz", b"X: " + b"a" * (n * 2) + b"\r\n")
        yield get("/healthz", b"a" * (n * 2) + b": x\r\n")
        yield get("/healthz", b"Cookie: " + b"a=b; " * (n // 2) + b"\r\n")
    yield get("/healthz", b"X: y\r\n" * 65)
    yield get("/healthz", b"X:\r\n" * 5000)
    yield b"A" * 100000
    yield b"GET" + b" " * 100000
    yield get("/login", b"Content-Length: 4097\r\n", method=b"POST") + b"a" * 4097
    yield get("/login", b"Content-Length: 2000000000\r\n", method=b"POST")


def names():
    """DNS rebinding: the page's own name leads here."""
    for host in (b"evil.com", b"evil.com:80", b"EVIL.com", b"127.0.0.1.evil.com", b"127.0.0.1.nip.io", b"localhost.evil.com",
                 b"camhub.local.evil.com", b"evil.com.", b"evil.com:99999x", b"", b":80", b"[::1", b"[evil.com]", b"evil.com@127.0.0.1",
                 b"127.0.0.1@evil.com", b"evil.com/127.0.0.1", b"evil.com\\.local", b"evil.com%00.local", b"x.com, 127.0.0.1",
                 b"xn--e1afmkfd.com", b"1.2.3.4.5", b"a..b.com", b"169.254.169.254.sslip.io", b"a" * 300 + b".local",
                 b"camhub", b"camhub.local", b"camhub.lan", b"192.168.1.5", b"0.0.0.0", b"[::]", b"[::ffff:127.0.0.1]"):
        for path in ("/", "/api/frame.jpeg?src=door"):
            yield get(path, host=b"Host: " + host + b"\r\n")
        yield get("/ws", UPGRADE, host=b"Host: " + host + b"\r\n")


def pages(port):
    """Pages of others that open WebSockets (which same-origin rules do not stop)."""
    own = f"127.0.0.1:{port}"
    host = f"Host: {own}\r\n".encode()
    for origin in ("http://evil.com", "https://evil.com", "null", "http://127.0.0.1", "http://127.0.0.1:1", f"http://{own}.evil.com", f"https://{own}",
                   f"http://evil.com/{own}", f"http://evil.com#{own}", f"http://{own}@evil.com", f"ftp://{own}", own, "",
                   f"http://localhost:{port}", f"http://[::1]:{port}", "file://", "http://", "chrome-extension://abc",
                   f"http://{own}, http://evil.com", f"http://{own} "[:-1] + "/"):
        for path in ("/ws", "/api/ws?src=door"):
            yield get(path, UPGRADE + b"Origin: " + origin.encode() + b"\r\n", host=host)
    yield get("/ws", UPGRADE + f"Origin: http://{own}\r\nOrigin: http://evil.com\r\n".encode(), host=host)


def handshakes():
    for change in ((b"13", b"12"), (b"13", b""), (b"websocket", b"h2c"), (b"websocket", b"websocketx"), (b"Connection: Upgrade", b"Connection: close"),
                   (b"dGhlIHNhbXBsZSBub25jZQ==", b"x"), (b"dGhlIHNhbXBsZSBub25jZQ==", b"dGhlIHNhbXBsZSBub25jZQ=A"), (b"Sec-WebSocket-Key", b"X-Key"),
                   (b"dGhlIHNhbXBsZSBub25jZQ==", b"A" * 5000)):
        for path in ("/ws", "/api/ws?src=door"):
            yield get(path, UPGRADE.replace(*change))


def paths():
    for path in ("/..", "/../", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%2e%2e%5cetc", "//etc/passwd",
                 "/./door", "/door/", "/door/..", "/door/../door", "/DOOR", "/door%00", "/door%0d%0aX:y", "/door;x=y", "/%64oor", "/door%20", "/door.",
                 "/door.html", "/%c0%ae%c0%ae/etc/passwd", "/%e0%80%ae/", "/%u002e", "/%", "/%zz", "/%2", "/\\..\\", "/~root", "/.git/config", "/.env",
                 "/wp-login.php", "/api/", "/api/..", "/api/config", "/api/exec", "/api/streams/door", "/api//streams", "/api/streams/", "/API/streams",
                 "/api/stream", "/api/stream.mp4/", "/api/ws/", "/ws/", "/metrics/", "/healthz/x", "/web/", "/wall.js/..", "/camhub.yaml",
                 "/proc/self/environ", "/etc/passwd", "/a" * 200, "/" + "%41" * 500, "/:door", "/door:80", "/@door", "/*", "/(door)", "/door,yard"):
        yield get(path)
    for src in ("", "../door", "%2e%2e%2fdoor", "door%00", "door%0a", "door/", "/door", "DOOR", "door ", "door%20", "door;yard", "door,yard", "d*", "%2a",
                "door.", "door..sub", "door.sub.sub", ".", "..", "-", "_door", "x" * 33, "x" * 1000, "%ff", "%c3%a9", "door&src=yard", "%3Cscript%3E",
                "file:///etc/passwd", "rtsp://127.0.0.1/", "exec:id", "door%26", "${jndi:x}", "' or 1=1"):
        for path in VIEWS:
            yield get(f"{path}?src={src}".replace(" ", "+"))


def whole(answer):
    """A head, and the body that it announces."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return end and len(body) >= (int(length[0]) if length else 0)


def good(port):
    """What nobody may refuse: without it a server that refuses everything would pass."""
    host = f"Host: 127.0.0.1:{port}\r\n".encode()
    yield get("/healthz"), 200
    yield get("/healthz", method=b"HEAD"), 200
    yield b"GET /healthz HTTP/1.0\r\n\r\n", 200
    yield get("/", host=b"Host: localhost\r\n"), 200
    yield get("/healthz", b"Content-Length: 0\r\n"), 200
    yield get("/healthz?" + "a" * 3900), 200
    yield get("/healthz", b"X:y\r\n" * 60), 200
    yield get("/ws", UPGRADE + f"Origin: http://127.0.0.1:{port}\r\n".encode(), host=host), 101
    yield get("/api/ws?src=door", UPGRADE, host=host), 101


SDP = b"Content-Type: application/sdp\r\n"
GOOD_OFFER = (b"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n"
              b"a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 " + b":".join([b"AB"] * 32) + b"\r\n"
              b"a=setup:actpass\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:96 H264/90000\r\n")


def post(path, body, lines=SDP):
    return get(path, lines + b"Content-Length: %d\r\n" % len(body), method=b"POST") + body


def offers():
    """(request, the status that refuses it): offers of WebRTC that are none, or that nobody can play."""
    for old, new, status in (
            (b"v=0", b"v=1", 400), (b"v=0\r\n", b"", 400), (b"m=video", b"x=video", 400), (b"m=video 9", b"m=video 99999999999", 400),
            (b"s=-", b"subject=-", 400), (b"s=-", b"s=\0", 400), (b"s=-", b"s=\x1b[31m", 400), (b"t=0 0", b"tt=0 0", 400),
            (b"ufrag:abcd", b"ufrag:abc", 400), (b"ufrag:abcd", b"ufrag:" + b"a" * 257, 400), (b"ufrag:abcd", b"ufrag:ab cd", 400),
            (b"ufrag:abcd", b"ufrag:ab\"cd", 400), (b"a=ice-ufrag:abcd\r\n", b"", 422), (b"pwd:abcdefghijklmnopqrstuvwx", b"pwd:abc", 400),
            (b"pwd:abcdefghijklmnopqrstuvwx", b"pwd:" + b"a" * 300, 400), (b"AB:AB", b"AB:XY", 400), (b"AB:AB", b"AB:AB:AB", 400),
            (b"AB:AB:", b"AB:", 400), (b"sha-256", b"sha-1", 422), (b"sha-256", b"md5", 422), (b"actpass", b"passive", 422), (b"actpass", b"holdconn", 422),
            (b"a=mid:0", b"a=mid:" + b"0" * 300, 400), (b"a=mid:0", b"a=mid:(0)", 400), (b"a=recvonly", b"a=ice-lite", 422),
            (b"a=mid:0", b"a=mid:0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0", 400)):
        yield post("/door/whep", GOOD_OFFER.replace(old, new, 1)), status
    for body, status in ((b"\n" * 19000, 400), (b"v=0\r\n" + b"m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" * 500, 413), (GOOD_OFFER + b"a=" + b"x" * 20000, 413),
                         (os.urandom(3000), 400), (b"{" * 9000, 400)):
        yield post("/door/whep", body), status
    for kind in (b"text/plain", b"application/sdp-x", b"multipart/form-data", b"application/json"):
        yield post("/door/whep", GOOD_OFFER, b"Content-Type: " + kind + b"\r\n"), 415
    for name, status in (("nobody", 404), ("..", 400), ("%2e%2e", 400), ("door%00", 400), ("a" * 300, 400)):
        yield post(f"/{name}/whep", GOOD_OFFER), status


class Attack(unittest.TestCase):
    """One camhub for all; it must be as well afterwards as before."""

    maxDiff = None

    CAMERAS = ({"name": "door", "url": "rtsp://127.0.0.1:9/", "on_demand": True},)

    @classmethod
    def setUpClass(cls):
        cls.camhub = rig.Camhub(cls.CAMERAS, extra={"http": {"max_per_address": 20},
                                                        "restart": {"hang_timeout": "20s"}})
        rig.hubs.append(cls.camhub)  # its log is shown when something fails
        cls.camhub.wait_serving()
        cls.front = cls.camhub.child("camhub-http http")
        cls.before = rig.fds(cls.front)

    @classmethod
    def tearDownClass(cls):
        rig.finish_hub(cls.camhub)

    def tearDown(self):
        self.assertEqual(self.camhub.child("camhub-http http"), self.front, "the front was another one")
        self.assertEqual(self.camhub.get("/healthz")[0], 200)
        # Less is possible: of what was just ending when they were counted.
        until(lambda: all(n <= self.before.get(kind, 0) for kind, n in self.descriptors().items()),
              lambda: f"{self.before}, but {self.descriptors()}")

    def descriptors(self):
        return rig.fds(self.front)

    def connect(self, source=None):
        return socket.create_connection((self.camhub.host, self.camhub.port), timeout=DEADLINE_S,
                                        source_address=(source, 0) if source else None)

    def answers(self, data, to_the_end):
        """What comes back: one answer, or all until the other end closes. None: a reset came instead."""
        received = b""
        with self.connect() as peer:
            try:
                peer.sendall(data)
            except OSError:
                pass  # it had heard enough, and may have said so
            try:
                while not whole(received) or (to_the_end and received.startswith(b"HTTP/1.1 4")):
                    piece = peer.recv(65536)
                    if not piece:
                        break
                    received += piece
            except OSError:
                return received or None
        return received

    def refused(self, cases, at_least, to_the_end=False):
        wrong, n = [], 0
        for data in cases:
            n += 1
            answer = self.answers(data, to_the_end)
            first = (answer or b"").split(b"\r\n")[0]
            count = (answer or b"").count(b"HTTP/1.")
            # A reset may overtake the answer when the peer goes on sending; then there is none at all.
            lost = answer is None and len(data) > 16384
            if not lost and (not first.startswith(b"HTTP/1.1 4") or count != 1):
                wrong.append((data[:90], answer[:60] if answer else answer))
        self.assertEqual(wrong, [])
        self.assertGreaterEqual(n, at_least)

    def test_malformed(self):
        self.refused(malformed(), 55, to_the_end=True)

    def test_in_pieces(self):
        """Nobody else has begun to read a head before all of it is known to be good: the answer is ours, not the parser's."""
        for data in (get("/healthz", b"X : y\r\n"), get("/healthz", b"X: y\r\n" * 65), get("/healthz", b"Content-Length: 5\r\n"),
                     get("/healthz", b"X: " + b"a" * 9000 + b"\r\n")):
            with self.connect() as peer:
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                peer.sendall(data[:30])
                # The front has read that much when it has answered somebody else who came later.
                self.assertEqual(self.camhub.get("/healthz")[0], 200)
                peer.sendall(data[30:])
                answer = peer.recv(65536)
            self.assertTrue(answer.startswith(b"HTTP/1.1 4"), answer)
            self.assertIn(b"application/json", answer)

    def test_methods(self):
        self.refused(methods(), 100, to_the_end=True)

    def test_smuggled(self):
        self.refused(smuggled(), 45, to_the_end=True)

    def test_oversized(self):
        self.refused(oversized(), 20, to_the_end=True)

    def test_names(self):
        self.refused(names(), 70, to_the_end=True)

    def test_pages(self):
        self.refused(pages(self.camhub.port), 35)

    def test_handshakes(self):
        self.refused(handshakes(), 18)

    def test_offers(self):
        """Each for its own reason, none for there being too many; and a good one goes past all of that."""
        def status(data):
            answer = self.answers(data, False) or b""
            return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else answer

        until(lambda: status(post("/door/whep", b"v=1")) == 400, "camhub-rtc is there")
        wrong = [(data[-200:], wanted, got) for data, wanted in offers() for got in (status(data),) if got != wanted]
        self.assertEqual(wrong, [])
        self.assertEqual(status(post("/door/whep", GOOD_OFFER)), 503, "the camera is away")

    def test_paths(self):
        self.refused(paths(), 140)

    def test_good_ones_pass(self):
        for data, status in good(self.camhub.port):
            with self.connect() as peer:
                peer.sendall(data)
                head = b""
                while b"\r\n" not in head:
                    piece = peer.recv(4096)
                    self.assertTrue(piece, data)
                    head += piece
                self.assertEqual(int(head.split()[1]), status, data)

    def test_too_many_of_one_address(self):
        """The 21st is told so, the 41st not even that; another address does not notice."""
        held = [self.connect("127.0.0.2") for _ in range(20)]
        told = self.connect("127.0.0.2")
        told.sendall(get("/healthz"))
        self.assertIn(b" 429 ", told.recv(4096).split(b"\r\n")[0])
        told.close()
        more = [self.connect("127.0.0.2") for _ in range(20)]
        last = self.connect("127.0.0.2")
        try:
            self.assertEqual(last.recv(1), b"")
        except OSError:
            pass
        with self.connect("127.0.0.3") as other:
            other.sendall(get("/healthz"))
            self.assertIn(b" 200 ", other.recv(4096).split(b"\r\n")[0])
        for peer in held + more + [last]:
            peer.close()

        def again():
            with self.connect("127.0.0.2") as peer:
                peer.sendall(get("/healthz"))
                return b" 200 " in peer.recv(4096).split(b"\r\n")[0]

        until(again, "those that went leave room")

    def test_slow_ones_are_cut(self):
        """A byte now and then does not keep a connection: 4 s after accept it is over, as delivered."""
        slow = [self.connect() for _ in range(50)]
        since = time.monotonic()
        open_ones = set(slow)

        def drip():
            for peer in list(open_ones):
                try:
                    peer.setblocking(False)
                    peer.send(b"G" if time.monotonic() - since < 0.1 else b"a")
                    if peer.recv(4096) == b"":
                        open_ones.discard(peer)
                except BlockingIOError:
                    pass
                except OSError:
                    open_ones.discard(peer)
            return not open_ones

        for peer in slow:
            peer.send(b"GET /")
        self.assertEqual(self.camhub.get("/healthz")[0], 200)
        until(drip, lambda: f"{len(open_ones)} are still open", poll_s=0.2)
        for peer in slow:
            peer.close()


class AttackAccess(unittest.TestCase):
    """Two cameras, users, and somebody who is none of them but has a link to one camera."""

    CAMERAS = ({"name": "door", "url": "rtsp://127.0.0.1:9/", "on_demand": True},
               {"name": "yard", "url": "rtsp://127.0.0.1:9/", "on_demand": True})
    answers, connect, refused = Attack.answers, Attack.connect, Attack.refused
    maxDiff = None

    def setUp(self):
        state = rig.tempfile.mkdtemp(prefix="camhub-e2e-state-")
        self.addCleanup(rig.shutil.rmtree, state, True)
        users = [{"name": "ann", "role": "viewer", "cameras": ["door"]}]
        self.camhub = rig.Camhub(self.CAMERAS, extra={"access": {"users": users}, "restart": {"hang_timeout": "20s"}},
                                 environ={"STATE_DIRECTORY": state})
        rig.hubs.append(self.camhub)
        self.addCleanup(rig.finish_hub, self.camhub)
        self.camhub.wait_serving()

    def link(self, *words):
        code, out, err = self.camhub.camctl("link", *words)
        self.assertEqual(code, 0, err)
        return out.strip().partition("token=")[2], err.strip().rpartition(" ")[2]

    def test_without_anything(self):
        def cases():
            for path in ROUTES:
                if path == "/healthz":
                    continue
                for lines in (b"", b"Authorization: Basic\r\n", b"Authorization: Bearer \r\n", b"Authorization: Digest username=ann\r\n",
                              b"Authorization: Bearer v1.e30.\r\n", b"Authorization: Basic YW5uOg==\r\n", b"Cookie: camhub=v1.e30.e30\r\n",
                              b"X-Forwarded-For: 127.0.0.1\r\nX-Remote-User: ann\r\n", b"X-Forwarded-User: ann\r\nRemote-User: ann\r\n"):
                    yield get(path, lines + (UPGRADE if "ws" in path else b""))
            for path in ("/logout", "/api/ticket", "/api/ticket?src=door"):
                yield get(path, b"Content-Length: 0\r\nOrigin: http://evil.com\r\n", method=b"POST")
            for method, path in ((b"POST", "/door/whep"), (b"POST", "/api/webrtc?src=door"), (b"OPTIONS", "/door/whep"),
                                 (b"PATCH", "/door/whep/" + "A" * 22), (b"DELETE", "/door/whep/" + "A" * 22)):
                body = b"v=0\r\n" if method in (b"POST", b"PATCH") else b""
                yield get(path, b"Content-Type: application/sdp\r\nContent-Length: %d\r\n" % len(body), method=method) + body
            yield get("/login", b"Content-Type: application/x-www-form-urlencoded\r\nOrigin: http://evil.com\r\n"
                      b"Content-Length: 19\r\n", method=b"POST") + b"user=ann&password=x"

        def is_refusal(answer):
            # A browser that asks for a page is sent to the one where people log in.
            head = answer.split(b"\r\n\r\n")[0]
            return head.startswith(b"HTTP/1.1 4") or (head.startswith(b"HTTP/1.1 303") and b"\r\nLocation: /login" in head)

        wrong = [(data[:90], answer[:200]) for data, answer in ((data, self.answers(data, False) or b"") for data in cases())
                 if not is_refusal(answer)]
        self.assertEqual(wrong, [])

    def test_a_link_is_for_its_camera(self):
        token, name = self.link("door")
        other, _ = self.link("yard")
        good = f"/api/frame.jpeg?src=door&token={token}"
        self.assertNotIn(self.answers(get(good), False)[9:10], (b"4", b""), "the link itself works")
        body, payload, mark = token.split(".")
        _, other_payload, other_mark = other.split(".")

        def forged():
            for path in VIEWS:
                yield f"{path}?src=yard&token={token}"
            for wrong in (f"{body}.{other_payload}.{mark}", f"{body}.{payload}.{other_mark}", f"v2.{payload}.{mark}", f"{payload}.{mark}",
                          f"{body}.{payload}.", f"{body}.{payload}", f"{body}.{payload}.{mark}.{mark}", f"{body}.{payload}.{mark}=",
                          f"{body}.{payload}.{mark[:-1]}", f"none.{payload}.", token.upper(), token * 2, token + "A", "A" * 3000):
                yield f"/api/frame.jpeg?src=door&token={wrong}"
            for at in range(0, len(token), max(len(token) // 60, 1)):
                yield f"/api/frame.jpeg?src=door&token={token[:at]}{'B' if token[at] != 'B' else 'C'}{token[at + 1:]}"
            for path in ("/metrics", "/api/analysers", "/api/streams?src=yard", "/ws"):
                yield f"{path}{'&' if '?' in path else '?'}token={wrong}"

        self.refused((get(path, UPGRADE if "/ws" in path else b"") for path in forged()), 75)
        self.assertEqual(self.camhub.camctl("revoke", name)[0], 0)
        until(lambda: self.answers(get(good), False)[9:10] == b"4", "a link that was revoked is refused")
        self.assertNotIn(token, self.camhub.log())
        self.assertNotIn(mark, self.camhub.log())


class AttackTls(unittest.TestCase):
    """The same door, locked."""

    def setUp(self):
        self.camhub = None
        self.directory = rig.tempfile.mkdtemp(prefix="camhub-e2e-tls-")
        self.addCleanup(rig.shutil.rmtree, self.directory, True)
        self.make("first.lan")
        extra = {"tls": {"certificate": f"{self.directory}/camhub.crt", "key": f"{self.directory}/camhub.key"},
                 "http": {"hosts": ["first.lan"]}}
        self.camhub = rig.Camhub(Attack.CAMERAS, extra=extra)
        rig.hubs.append(self.camhub)
        self.addCleanup(rig.finish_hub, self.camhub)
        until(self.answers, lambda: f"no answer over TLS:\n{self.camhub.log()}")

    def make(self, name):
        done = rig.subprocess.run([rig.program("camhub-certificate", "http"), "--name", name, self.directory],
                                  capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(os.stat(f"{self.directory}/camhub.key").st_mode & 0o777, 0o600)
        return done.stdout

    def connect(self, **options):
        context = ssl.create_default_context(cafile=f"{self.directory}/camhub.crt")
        for name, value in options.items():
            setattr(context, name, value)
        raw = socket.create_connection((self.camhub.host, self.camhub.port), timeout=DEADLINE_S)
        try:
            return context.wrap_socket(raw, server_hostname=self.name)
        except BaseException:
            raw.close()
            raise

    name = "first.lan"

    def answers(self):
        try:
            with self.connect() as peer:
                peer.sendall(get("/healthz", host=b"Host: first.lan\r\n"))
                return b" 200 " in peer.recv(4096)
        except OSError:
            return False

    def test_reload_keeps_viewers(self):
        viewer = self.connect()
        viewer.sendall(get("/api/ws?src=door", UPGRADE, host=b"Host: first.lan\r\n"))
        self.assertIn(b" 101 ", viewer.recv(4096).split(b"\r\n")[0])
        front = self.camhub.child("camhub-http http")
        self.make("second.lan")
        self.name = "second.lan"
        self.assertEqual(self.camhub.reload()[0], 0)
        until(self.answers, "the new certificate")
        self.assertIn("certificate of second.lan", self.camhub.camctl("status")[1])
        # A pair that does not fit is refused; nobody notices.
        with open(f"{self.directory}/camhub.crt", "r+", encoding="ascii") as file:
            pem = file.read()
            self.make("third.lan")
            file.seek(0)
        key = open(f"{self.directory}/camhub.key", "rb").read()
        with open(f"{self.directory}/camhub.crt", "w", encoding="ascii") as file:
            file.write(pem)
        self.assertEqual(self.camhub.reload()[0], 0)
        until(lambda: "is not used" in self.camhub.camctl("status")[1], "status says so")
        self.assertTrue(self.answers())
        # Unreadable ones are refused as a whole.
        os.unlink(f"{self.directory}/camhub.key")
        self.assertNotEqual(self.camhub.reload()[0], 0)
        self.assertTrue(self.answers())
        self.assertEqual(self.camhub.child("camhub-http http"), front)
        viewer.sendall(b"\x89\x80\0\0\0\0")
        until(lambda: viewer.recv(4096).startswith(b"\x8a") or None, "the viewer from before has an answer to its ping")
        viewer.close()
        self.assertNotIn(key.decode().splitlines()[1], self.camhub.log())

    def test_plain_and_old(self):
        with socket.create_connection((self.camhub.host, self.camhub.port), timeout=DEADLINE_S) as peer:
            peer.sendall(get("/healthz"))
            self.assertIn(b" 400 ", peer.recv(4096).split(b"\r\n")[0])
        with self.assertRaises(OSError):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.maximum_version = ssl.TLSVersion.TLSv1_1
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            with socket.create_connection((self.camhub.host, self.camhub.port), timeout=DEADLINE_S) as raw:
                context.wrap_socket(raw)
        for junk in (b"\x16\x03\x01" + b"\xff" * 500, b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", b"\x00" * 1000, b"\x80\x2e\x01\x00\x02" + b"a" * 44):
            with socket.create_connection((self.camhub.host, self.camhub.port), timeout=DEADLINE_S) as peer:
                peer.sendall(junk)
                try:
                    while peer.recv(4096):
                        pass
                except OSError:
                    pass
        self.assertTrue(self.answers())


if __name__ == "__main__":
    rig.main()
