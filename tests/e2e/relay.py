"""
Between worker and camera: TCP in odd pieces, and the datagrams of RTP by a policy that drops, repeats
and reorders them by a seeded pattern. Nothing passes before open().
"""

import itertools
import random
import re
import selectors
import socket
import struct
import threading

from wait import PATIENCE_S, until


SO_RCVBUFFORCE = 33  # asm-generic/socket.h
TURNS = 16  # datagrams at once
ROOM = 64 << 10


class Pass:
    """All of it; what it saw is in .seen: [(sequence number, timestamp, whether it went on)]."""

    def __init__(self):
        self.seen = []

    def note(self, datagram, kept=True):
        self.seen.append((*struct.unpack_from(">HI", datagram, 2), kept))

    def __call__(self, datagram):
        self.note(datagram)
        return [datagram]

    @property
    def dropped(self):
        return sum(not kept for _, _, kept in self.seen)


class Drop(Pass):
    """One in `every` of the datagrams number `first` to `last`, sometimes a run of up to four."""

    def __init__(self, seed, every, first, last):
        super().__init__()
        self.random = random.Random(seed)
        self.every, self.first, self.last, self.run = every, first, last, 0

    def __call__(self, datagram):
        if self.run == 0 and self.random.randrange(self.every) == 0:
            self.run = self.random.choice((1, 1, 2, 4))
        kept = not (self.run > 0 and self.first <= len(self.seen) < self.last)
        self.run = max(0, self.run - 1)
        self.note(datagram, kept)
        return [datagram] if kept else []


class Shuffle(Pass):
    """Groups of up to five in another order, some datagrams twice. The first one stays the first."""

    def __init__(self, seed):
        super().__init__()
        self.random = random.Random(seed)
        self.waiting, self.want = [], 1

    def __call__(self, datagram):
        self.note(datagram)
        self.waiting.append(datagram)
        if len(self.waiting) < self.want:
            return []
        out, self.waiting = self.waiting, []
        self.want = self.random.randrange(1, 6)
        self.random.shuffle(out)
        if self.random.randrange(4) == 0:
            out.append(self.random.choice(out))
        return out


def make_room(one):
    """For what comes while this process has to wait for its turn; as much as it may have."""
    try:
        one.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    except PermissionError:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2 << 20)


def wait_for_room(port):
    """Until most of what was sent to a local port was read: a worker that waits for its turn loses none of it."""
    end = f":{port:04X} "
    until(lambda: all(int(line.split()[4].split(":")[1], 16) < ROOM for line in waiting_datagrams() if end in line),
          "the worker reads", poll_s=0.01)


def waiting_datagrams():
    with open("/proc/net/udp", encoding="ascii") as table:
        return table.readlines()[1:]


def udp_pair():
    """Two sockets on neighbouring ports, the first one even."""
    while True:
        first = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        first.bind(("127.0.0.1", 0))
        port = first.getsockname()[1]
        second = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            if port % 2 == 0:
                second.bind(("127.0.0.1", port + 1))
                for one in (first, second):
                    one.setblocking(False)
                    make_room(one)
                return first, second
        except OSError:
            pass
        first.close()
        second.close()


def ports(pair):
    return f"{pair[0].getsockname()[1]}-{pair[1].getsockname()[1]}"


class Track:
    """The ways of one track's datagrams: near is the worker's side, far the camera's."""

    def __init__(self, worker_ports, policy):
        self.worker_ports = worker_ports
        self.camera_ports = None
        self.near, self.far = udp_pair(), udp_pair()
        self.policy = policy

    def forward(self, side, channel):
        """Everything that is there on one socket. channel: 0 RTP, 1 RTCP."""
        out, to = (self.far, self.camera_ports) if side is self.near else (self.near, self.worker_ports)
        for turn in itertools.count(1):
            try:
                datagram = side[channel].recv(65536)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                continue
            is_media = side is self.far and channel == 0
            if is_media and turn % TURNS == 0:
                wait_for_room(int(to.split("-")[0]))
            for one in self.policy(datagram) if is_media else [datagram]:
                if to is not None:
                    out[channel].sendto(one, ("127.0.0.1", int(to.split("-")[channel])))


class Session:
    """One connection of a worker and the one to the camera that belongs to it."""

    def __init__(self, relay, worker, camera):
        self.relay, self.worker, self.camera = relay, worker, camera
        self.pending = {worker: b"", camera: b""}
        self.tracks = []

    def other(self, end):
        return self.camera if end is self.worker else self.worker

    def on_bytes(self, end, data):
        if not self.relay.make_policy:
            self.relay.send(self.other(end), data)
            return
        self.pending[end] += data
        while b"\r\n\r\n" in self.pending[end]:
            head, rest = self.pending[end].split(b"\r\n\r\n", 1)
            length = re.search(rb"(?mi)^content-length: *(\d+)", head)
            length = int(length.group(1)) if length else 0
            if len(rest) < length:
                return
            head = (self.on_answer if end is self.camera else self.on_request)(head.decode())
            self.relay.send(self.other(end), head.encode() + b"\r\n\r\n" + rest[:length])
            self.pending[end] = rest[length:]

    def on_request(self, head):
        asked = re.search(r"client_port=(\d+-\d+)", head)
        if not asked:
            return head
        self.tracks.append(self.relay.add_track(asked.group(1)))
        return head.replace(asked.group(0), f"client_port={ports(self.tracks[-1].far)}")

    def on_answer(self, head):
        given = re.search(r"server_port=(\d+-\d+)", head)
        if not given:
            return head
        track = self.tracks[-1]
        track.camera_ports = given.group(1)
        head = re.sub(r"client_port=\d+-\d+", f"client_port={track.worker_ports}", head)
        return head.replace(given.group(0), f"server_port={ports(track.near)}")


class Relay:
    """
    make_policy(number of the track): for UDP; without it TCP passes in pieces cut at random.

    """

    def __init__(self, camera_port, make_policy=None, seed=1):
        self.camera_port, self.make_policy = camera_port, make_policy
        self.random = random.Random(seed)
        self.tracks, self.sockets = [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.opened, self.done = threading.Event(), threading.Event()
        self.selector = selectors.DefaultSelector()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def url(self, mount):
        return f"rtsp://127.0.0.1:{self.port}/{mount}"

    def open(self):
        self.opened.set()

    def stop(self):
        self.done.set()
        self.opened.set()
        self.thread.join(PATIENCE_S)
        for one in self.sockets + [self.listener]:
            one.close()

    def add_track(self, worker_ports):
        track = Track(worker_ports, self.make_policy(len(self.tracks)))
        self.tracks.append(track)
        for side in (track.near, track.far):
            for channel, one in enumerate(side):
                self.sockets.append(one)
                self.selector.register(one, selectors.EVENT_READ,
                                       lambda side=side, channel=channel: track.forward(side, channel))
        return track

    def send(self, end, data):
        """In pieces of any size, one byte too."""
        while data:
            size = len(data) if self.make_policy else self.random.choice((1, 3, 50, 400, 3000))
            end.sendall(data[:size])
            data = data[size:]

    def _accept(self):
        worker = self.listener.accept()[0]
        camera = socket.create_connection(("127.0.0.1", self.camera_port), PATIENCE_S)
        session = Session(self, worker, camera)
        for end in (worker, camera):
            self.sockets.append(end)
            end.settimeout(PATIENCE_S)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(end, selectors.EVENT_READ, lambda end=end: self._read(session, end))

    def _read(self, session, end):
        try:
            data = end.recv(65536)
            session.on_bytes(end, data)
        except OSError:
            data = b""
        if not data:
            for one in (session.worker, session.camera):
                self.selector.unregister(one)
                one.close()

    def _run(self):
        self.opened.wait()
        self.selector.register(self.listener, selectors.EVENT_READ, self._accept)
        while not self.done.is_set():
            for key, _ in self.selector.select(0.2):
                if key.fileobj.fileno() >= 0:
                    key.data()
