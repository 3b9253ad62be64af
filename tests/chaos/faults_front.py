"""What can happen to a front, and what people do to it."""

import asyncio
import contextlib
import itertools
import os
import random
import resource
import time

from figures import Goal, cpu_seconds, rss_kib
from house import Tamper
from lab import fault
from watcher import TEXT, Asker, Connector, Watcher, fetch, frame, handshake

import rig

SETTLE_S = 0.3
SETTLE_LOOKS = 20


def no_more(now, before):
    """Of nothing that is counted."""
    return all(count <= before.get(kind, 0) for kind, count in now.items())


async def settled(lab, look, what, most=None):
    """look() once it says the same twice in a row, and no more than `most` if that comes in time: who is busy closes late."""
    last, looks = [None], itertools.count()

    async def still():
        before, last[0] = last[0], look()
        await asyncio.sleep(SETTLE_S)
        return before == last[0] and (most is None or no_more(last[0], most) or next(looks) > SETTLE_LOOKS)

    await lab.until(still, lambda: f"{what} stand still: {last[0]}")
    return last[0]


@fault("front-killed", "The front is killed (SIGKILL) while somebody connects every 10 ms: nobody is refused, the next "
       "request is answered, viewers who come back see pictures at once, no worker is touched.", full=1000, short=3,
       goals=(Goal("next answer", "p99", 0.25), Goal("pictures again", "p95", 2)),
       controls=(Tamper("only the front has the listener", "refused", sabotage={"camhub-supervisor": "lets-go"}),))
async def front_killed(lab, n):
    await lab.add_house(("door", "yard"))
    viewer = await lab.add_watcher("door")
    connector, workers = Connector(lab.house), [lab.house.worker(name) for name in ("door", "yard")]
    lab.kills.update(door=0, yard=0)
    try:
        for _ in range(n):
            death = await lab.house.kill(lab.house.front())
            await answered_after(lab, death.at, connector)
            await lab.soon(lambda: viewer.closed, "the viewer's socket ends")
            await asyncio.wait_for(viewer.reopen(), lab.patience_s)
            before = viewer.cameras["door"].frames
            await lab.soon(lambda old=before: viewer.cameras["door"].frames > old, "pictures from the new front")
            lab.figure("pictures again", time.monotonic() - death.at)
            lab.demand(not connector.refused, lambda: f"refused: {connector.refused[:3]}")
    finally:
        await connector.stop()
    lab.note(f"{connector.connected} connections, {len(connector.refused)} refused")
    lab.demand(connector.connected > 10, "hardly anybody connected")
    lab.demand([lab.house.worker(name) for name in ("door", "yard")] == workers, "a worker was restarted")
    await lab.orderly()


async def answered_after(lab, since, connector):
    """How soon after `since` a request is answered, that is made at once and again when it is cut off."""
    async def answers():
        lab.demand(not connector.refused, lambda: f"refused: {connector.refused[:3]}")
        with contextlib.suppress(OSError):
            return (await fetch(lab.house, timeout_s=20))[0] == 200
        return False
    await lab.soon(answers, "an answer after the front's death")
    lab.figure("next answer", time.monotonic() - since)


@fault("viewer-churn", "Viewers come and go: memory, descriptors and the idle front are afterwards as before.", full=40000, short=0,
       goals=(Goal("front grew", "max", 5120, "KiB"), Goal("idle front, % of a core", "max", 1, "%")),
       controls=(Tamper("a descriptor is forgotten now and then", "descriptors", sabotage={"camhub-http": "leak"}, times=40),))
async def viewer_churn(lab, n):
    await lab.add_house(("door", "yard"))
    await come_and_go(lab, min(n, 40))  # what is allocated once is allocated now
    front = lab.house.front()
    before, memory = await settled(lab, lambda: rig.fds(front), "descriptors"), rss_kib(front)
    await come_and_go(lab, n)
    after = await settled(lab, lambda: rig.fds(front), "descriptors", before)
    lab.demand(no_more(after, before), f"the front's descriptors: {before} before, {after} after {n} viewers")
    lab.figure("front grew", max(0, rss_kib(front) - memory))
    began, cpu = time.monotonic(), cpu_seconds(front)
    await asyncio.sleep(2)  # an idle time is what is measured
    lab.figure("idle front, % of a core", 100 * (cpu_seconds(front) - cpu) / (time.monotonic() - began))
    lab.demand(lab.house.front() == front, "the front was restarted")
    await lab.orderly()


async def come_and_go(lab, n, at_once=10):
    async def one():
        watcher = await Watcher(lab.house, ["door"]).open()
        goal = random.choice((0, 1, 3))
        await lab.until(lambda: watcher.closed or watcher.cameras["door"].frames >= goal, "pictures for a passer-by")
        lab.demand(watcher.closed is None, f"a passer-by was closed: {watcher.closed}")
        await watcher.close()

    for done in range(0, n, at_once):
        await asyncio.gather(*(one() for _ in range(min(at_once, n - done))))


LAG = 2 << 20


@fault("viewers-slow", "Many viewers read a kilobyte a second: what waits for each of them stays below its bound, they skip "
       "or are closed, and viewers who read get every picture, hardly later.", full=1000, short=0,
       goals=(Goal("gap of a good viewer, times that before", "p99", 2, ""), Goal("front", "max", 600 << 10, "KiB")),
       controls=(Tamper("nobody skips", "waited for one viewer", extra={"limits": {"viewer_lag": "512MiB", "ring": "1GiB"}}, times=4),))
async def viewers_slow(lab, n):
    extra = {"limits": {"viewers": 4 * n + 100, "viewer_lag": "2MiB"}}
    # Who is behind by more than a second skips to the next key frame, whatever its bytes: a control has none for long.
    gop = 60 if lab.tamper else 10
    await lab.add_house(("door", "yard"), source={"padding": 60000, "gop": gop}, extra=extra)
    good = [await lab.add_watcher("door") for _ in range(10 if n > 100 else 2)]
    good[0].mark()
    await lab.sees(good[0], "before slow ones come", count=30)
    usual = good[0].cameras["door"].longest_s
    for watcher in good:
        watcher.mark()
    slow = [await SlowViewer(lab.house).open() for _ in range(n)]
    try:
        count = 150 if n > 100 or lab.tamper else 60
        for watcher in good:
            for _ in range(count // 30):
                await lab.sees(watcher, "beside slow viewers", count=30)
            lab.lost_nothing(watcher, "door")
            for gap in watcher.cameras["door"].gaps:
                lab.figure("gap of a good viewer, times that before", gap / max(usual, 0.001))
        camera = await lab.house.status_of("door")
        lab.note(f"{camera['skipped']} pictures skipped, at most {camera['lag_bytes_high']} bytes waited for one viewer")
        lab.demand(camera["lag_bytes_high"] <= LAG * 1.1, f"{camera['lag_bytes_high']} bytes waited for one viewer")
        lab.demand(camera["skipped"] > 0 or all(viewer.is_closed() for viewer in slow), "0 bytes: no viewer was slow, it "
                   "seems: nothing was skipped")
        lab.figure("front", rss_kib(lab.house.front()))
    finally:
        for viewer in slow:
            await viewer.close()
    await lab.orderly()


class SlowViewer:
    """Asks for pictures as everybody does, and reads a kilobyte a second."""

    def __init__(self, house):
        self.house, self.reader, self.writer, self.task = house, None, None, None

    async def open(self):
        self.reader, self.writer = await handshake(self.house, "/ws", read_bytes=4096)
        self.writer.write(frame(TEXT, b'{"type":"subscribe","id":1,"src":"door","forms":["unit"],"codecs":"avc1.42c00a"}'))
        self.task = asyncio.create_task(self._read())
        return self

    async def _read(self):
        with contextlib.suppress(OSError):
            while await self.reader.read(1024):
                await asyncio.sleep(1)

    def is_closed(self):
        return self.task.done()

    async def close(self):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.writer.close()


@fault("slow-loris", "Many connections send a byte of a request each second: each is closed by an absolute deadline, and "
       "whoever asks properly meanwhile is answered.", full=1000, short=6,
       goals=(Goal("closed after", "max", 5), Goal("good request meanwhile", "max", 1)),
       controls=(Tamper("ten minutes for a request", "still open", extra={"http": {"request_deadline": "600s"}}),))
async def slow_loris(lab, n):
    await lab.add_house(("door",), extra={"http": {"request_deadline": "2s"}} if lab.calm else {})
    asker = Asker(lab.house, every_s=0.2)
    text = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Patience: " + b"a" * 4096
    drips = await asyncio.gather(*(drip(lab, text[:random.randrange(1, 40)], text) for _ in range(n)))
    await asker.stop()
    lab.demand(not asker.refused and not asker.cut, f"good requests: {asker.refused[:2]}, {asker.cut} cut off")
    for seconds in drips:
        lab.figure("closed after", seconds)
    for seconds in asker.times:
        lab.figure("good request meanwhile", seconds)
    lab.note(f"{n} connections closed; {len(asker.times)} good requests answered")
    await lab.orderly()


async def drip(lab, begin, text):
    """Seconds from the connect to the close by the server."""
    reader, writer = await asyncio.open_connection(lab.house.host, lab.house.port)
    opened, sent = time.monotonic(), len(begin)
    writer.write(begin)
    end = asyncio.create_task(reader.read(-1))
    limit = lab.after_fault_s or lab.patience_s
    try:
        while not (await asyncio.wait({end}, timeout=1))[0]:
            lab.demand(time.monotonic() - opened < limit + 10, f"a connection that drips is still open after {limit + 10:.0f} s")
            writer.write(text[sent:sent + 1])
            sent += 1
        with contextlib.suppress(OSError):
            await end
        return time.monotonic() - opened
    finally:
        end.cancel()
        writer.close()


REQUESTS = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /api/streams?src=door HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n",
    b"GET /api/frame.jpeg?src=nobody HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /api/streams HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
)
WORDS = (b"\r\n", b"\0", b"\xff\xfe", b"%00", b"../", b"A" * 9000, b"HTTP/9.9", b" ", b"\r\nHost: b\r\n", b"Content-Length: -1\r\n",
         b"Transfer-Encoding: x, chunked\r\n", b"\x1b[31m", b"?src=" + b"d" * 300)


def mutate(rng, text):
    out = bytearray(text)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(out) + 1)
        kind = rng.randrange(4)
        if kind == 0 and at < len(out):
            out[at] = rng.randrange(256)
        elif kind == 1:
            out[at:at] = rng.choice(WORDS)
        elif kind == 2:
            del out[at:at + rng.randrange(1, 12)]
        else:
            out[at:at] = out[:rng.randrange(1, 60)]
    return bytes(out)


@fault("garbage", "Malformed requests and WebSocket frames: each is answered with 4xx, or closed; nothing crashes, memory "
       "and descriptors are afterwards as before, and viewers lose nothing.", full=10000, short=40,
       goals=(Goal("front grew", "max", 5120, "KiB"),),
       controls=(Tamper("a descriptor is forgotten now and then", "descriptors", sabotage={"camhub-http": "leak"}, times=40),))
async def garbage(lab, n):
    await lab.add_house(("door",))
    witness, front, rng = await lab.add_watcher("door"), lab.house.front(), random.Random(n)
    await throw_garbage(lab, rng, min(n, 60))
    before, memory = await settled(lab, lambda: rig.fds(front), "descriptors"), rss_kib(front)
    await throw_garbage(lab, rng, n)
    after = await settled(lab, lambda: rig.fds(front), "descriptors", before)
    lab.demand(lab.house.front() == front, "the front was restarted")
    lab.demand(no_more(after, before), f"the front's descriptors: {before} before, {after} after the garbage")
    lab.figure("front grew", max(0, rss_kib(front) - memory))
    lab.lost_nothing(witness, "door")
    await lab.orderly()


async def throw_garbage(lab, rng, n, at_once=20):
    for done in range(0, n, at_once):
        count = min(at_once, n - done)
        statuses = await asyncio.gather(*(send_garbage(lab, mutate(rng, rng.choice(REQUESTS))) for _ in range(count)),
                                        *(send_frames(lab, rng) for _ in range(count)))
        wrong = [status for status in statuses if status and not (status < 500 or status in (501, 503, 505))]
        lab.demand(not wrong, f"garbage was answered with {wrong}")


async def send_garbage(lab, text):
    """The status that came back, None for a close."""
    reader, writer = await asyncio.open_connection(lab.house.host, lab.house.port)
    try:
        writer.write(text)
        with contextlib.suppress(OSError):
            writer.write_eof()
        answer = await asyncio.wait_for(reader.read(64), lab.patience_s)
        return int(answer[9:12]) if answer[:5] == b"HTTP/" and answer[9:12].isdigit() else None
    except (ConnectionError, ValueError):
        return None
    finally:
        writer.close()


async def send_frames(lab, rng):
    """A WebSocket that is opened well and then fed with what is no frame, or an odd one."""
    with contextlib.suppress(OSError):
        reader, writer = await handshake(lab.house, rng.choice(("/ws", "/api/ws?src=door")))
        try:
            writer.write(rng.choice((os.urandom(rng.randrange(1, 200)),
                                     frame(TEXT, mutate(rng, b'{"type":"subscribe","id":1,"src":"door","forms":["unit"]}')),
                                     frame(TEXT, b"[" * rng.randrange(1, 5000)),
                                     bytes([0x8f, 0xff]) + b"\x7f" * 8, frame(9, b"x" * 125) * 50,
                                     frame(TEXT, os.urandom(300)), bytes([1, 0x80]) + bytes(4), b"\x81\x05hello")))
            writer.write(frame(8, b"\x03\xe8"))
            await asyncio.wait_for(reader.read(4096), lab.patience_s)
        finally:
            writer.close()
    return None


@fault("descriptors-exhausted", "The front has no descriptor left: who watches goes on watching, the front does not spin, "
       "and new ones are served as soon as there are descriptors again.", full=20, short=1,
       goals=(Goal("front, % of a core", "max", 30, "%"), Goal("served again", "max", 1)),
       controls=(Tamper("accepting is not paused", "the front spins", sabotage={"camhub-http": "no-pause"}),))
async def descriptors_exhausted(lab, n):
    await lab.add_house(("door",))
    witness, front = await lab.add_watcher("door"), lab.house.front()
    for _ in range(n):
        async with no_descriptors(lab, front, lab.house.port, "front"):
            await lab.sees(witness, "while the front has no descriptors", count=30)
        lab.lost_nothing(witness, "door")
        began = time.monotonic()
        await lab.soon(lab.serves, "requests are answered when there are descriptors again")
        lab.figure("served again", time.monotonic() - began)
    lab.demand(lab.house.front() == front, "the front was restarted")
    await lab.orderly()


@contextlib.asynccontextmanager
async def no_descriptors(lab, pid, port, name):
    """A front that has none left while 40 connect to it, and how busy it is with them."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    highest = max(int(number) for number in os.listdir(f"/proc/{pid}/fd"))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + 4, hard))
    socks, loop = [lab.house.socket() for _ in range(40)], asyncio.get_running_loop()
    try:
        await asyncio.gather(*(loop.sock_connect(sock, (lab.house.host, port)) for sock in socks))
        began, cpu = time.monotonic(), cpu_seconds(pid)
        yield
        used = 100 * (cpu_seconds(pid) - cpu) / (time.monotonic() - began)
        lab.figure(f"{name}, % of a core", used)
        lab.demand(used < 60 or not lab.tamper, f"the {name} spins: {used:.0f} % of a core")
    finally:
        for sock in socks:
            sock.close()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


@fault("front-replaced", "A front is replaced (camctl restart http) under viewers and requests: nobody is refused or cut "
       "off, and no viewer is closed.", full=20, short=0, goals=(Goal("requests during it", "p99", 0.25),),
       controls=(Tamper("the old front leaves at once", "was closed", sabotage={"camhub-http": "no-drain"}),))
async def front_replaced(lab, n):
    await lab.add_house(("door", "yard"))
    viewers = [await lab.add_watcher("door", "yard") for _ in range(5)]
    for _ in range(n):
        asker, old = Asker(lab.house, every_s=0.005), lab.house.front()
        try:
            code, out, err = await lab.house.run_camctl("restart", "http")
            lab.demand(code == 0, f"camctl restart http: {code} {out} {err}")
            await lab.soon(lambda before=old: lab.house.fronts() - {before}, "a new front")
            for viewer in viewers:
                await lab.sees(viewer, "while the front is replaced", count=10)
                lab.lost_nothing(viewer, "door", "yard")
        finally:
            await asker.stop()
        lab.demand(not asker.refused and not asker.cut and not asker.failed,
                   f"requests: {asker.refused[:2]} {asker.cut} cut off, {asker.failed[:3]}")
        for seconds in asker.times:
            lab.figure("requests during it", seconds)
        fresh = [await lab.add_watcher("door", "yard") for _ in viewers]
        for viewer in viewers:
            await lab.drop_watcher(viewer)
        viewers = fresh
        await lab.soon(lambda before=old: before not in lab.house.fronts(), "the old front leaves when nobody watches through it")
    await lab.orderly()
