"""
What the blocking and the asyncio hub share: the connection to the tap, the sockets of the bus, the
times at which something is due. It never waits.
"""

from __future__ import annotations

import json
import os
import random
import selectors
import socket
import time
from dataclasses import dataclass
from typing import Any, Mapping, Optional, Sequence

import pynng

from ._feed import Feed, Unit
from ._frame import Decoder, Frame
from ._header import PAYLOAD_MAX, Kind, Malformed, parse

MESSAGE_MAX = 65536
RESULTS_PER_S = 60
CONNECT_S = 0.25  # between tries; doubles up to the next
CONNECT_MAX_S = 5.0  # while camhub ends connections that did not last so long:
STEADY_S = 5.0
REFUSALS = 3  # in a row: the program is told
ANSWER_S = 2.0  # for its first words
DEAF_S, SILENT_S = 3.0, 15.0  # an endpoint without a first message; without another one
REPLAY_S = 1.1  # a subscriber is served once a second
POLL_S, POLL_MAX_S = 0.002, 0.05  # whether a pipe is there; doubles
READ_PER_TURN = 256


class CamhubError(Exception):
    """Any error of camhub."""


class Away(CamhubError):
    """camhub does not run there, or does not answer."""


class Refused(CamhubError):
    """camhub does not want this program; why."""


class NoSuchStream(CamhubError, KeyError):
    """There is no stream of that name."""


class TooManyResults(CamhubError):
    """More than 60 of a stream in a second: this one was not sent."""


@dataclass(frozen=True)
class Stream:
    """What there is to see. Empty and 0: not known (yet)."""

    id: int
    name: str
    camera: str
    title: str
    group: str
    state: str
    since_ms: int
    epoch: int
    endpoint: str
    codec: str
    codec_string: str
    width: int
    height: int
    fps: float
    audio: str


@dataclass
class Stats:
    frames: int = 0  # given to the program
    skipped: int = 0  # left out, because it was slow
    gaps: int = 0  # how often frames were lost on the way here
    replays: int = 0  # groups of pictures asked for
    epochs: int = 0  # incarnations of the worker
    malformed: int = 0  # messages that were not what they should be


_TYPES: dict[str, type] = {"id": int, "since_ms": int, "epoch": int, "width": int, "height": int, "fps": float}


def _stream_of(message: Mapping[str, Any]) -> Optional[Stream]:
    values: dict[str, Any] = {}
    for name in Stream.__dataclass_fields__:
        kind = _TYPES.get(name, str)
        value = message.get(name, kind())
        if kind is float and isinstance(value, int):
            value = float(value)
        values[name] = value if isinstance(value, kind) else kind()
    # It goes into a path.
    if "/" in values["endpoint"] or values["endpoint"].startswith("."):
        values["endpoint"] = ""
    return Stream(**values) if values["id"] > 0 and values["name"] else None


def find_directory(directory: Optional[str]) -> str:
    directory = directory or os.environ.get("CAMHUB_DIR") or "/run/camhub"
    below = os.path.join(directory, "bus")
    if not os.path.exists(os.path.join(directory, "tap.sock")) and os.path.isdir(below):
        directory = below
    return os.path.realpath(directory)


class Channel:
    """One subscription's side of the bus."""

    def __init__(self, engine: "Engine", name: str) -> None:
        self.engine = engine
        self.name = name
        self.feed = Feed()
        self.decoder = Decoder()
        self.replays = self.epochs = self.malformed = 0
        self.wanted_id = 0
        self._epoch = 0
        self._bus: Optional[pynng.Sub0] = None
        self._fd = -1
        self._pulse_at = self._replay_at = float("inf")
        self._poll_s = POLL_S

    @property
    def stats(self) -> Stats:
        return Stats(self.feed.frames, self.feed.skipped, self.feed.gaps, self.replays, self.epochs, self.malformed)

    def take(self, newest: bool) -> Optional[Frame]:
        frame: Optional[Frame] = None
        waiting = self.feed.waiting
        while waiting > 0:
            taken = self.feed.take()
            if taken is None:
                break
            waiting -= 1
            if frame is not None:
                self.feed.frames -= 1
                self.feed.skipped += 1
            frame = Frame(self.name, taken, waiting, self.decoder)
            self.decoder.push(frame)
            if not newest:
                break
        return frame

    def review(self) -> None:
        """What is known of streams has changed."""
        engine = self.engine
        stream = engine.find(self.name)
        if stream is None or engine.subscriber == 0:
            if engine.synced:
                self.hang_up()
                self.wanted_id = 0
            return
        self.feed.subscriber = engine.subscriber
        if self.wanted_id != stream.id:
            self.wanted_id = stream.id
            engine.send({"type": "tap-want", "id": stream.id, "on": True})
        if stream.epoch != self._epoch or not stream.endpoint:
            self.hang_up()
            self._epoch = stream.epoch
            self.feed.begin(stream.epoch)
            if stream.endpoint:
                self.epochs += 1
                self._dial(stream.endpoint)
        self._plan_replay()

    def forget_connection(self) -> None:
        self.wanted_id = 0
        self.feed.subscriber = 0
        self._replay_at = float("inf")

    def hang_up(self) -> None:
        if self._bus is not None:
            self.engine.selector.unregister(self._fd)
            self._bus.close()
        self._bus = None
        self._pulse_at = self._replay_at = float("inf")

    def _dial(self, endpoint: str) -> None:
        self._pulse_at = time.monotonic() + DEAF_S
        self._replay_at = float("inf")
        self._bus = pynng.Sub0(recv_buffer_size=256, recv_max_size=PAYLOAD_MAX + 65536, reconnect_time_min=250)
        self._bus.subscribe(b"")
        self._bus.dial("ipc://" + os.path.join(self.engine.directory, endpoint), block=False)
        self._fd = self._bus.recv_fd
        self.engine.selector.register(self._fd, selectors.EVENT_READ, self.read)
        self._plan_replay()

    def _plan_replay(self) -> None:
        if self._bus is not None and self.wanted_id and self._replay_at == float("inf") and self.feed.wants_replay:
            self._poll_s = POLL_S
            self._replay_at = time.monotonic()

    def _receive(self, now: float) -> bool:
        bus = self._bus
        assert bus is not None
        try:
            message = bus.recv(block=False)
        except pynng.TryAgain:
            return False
        except RuntimeError:
            message = b""  # pynng does not know that a message may be empty
        try:
            header, payload = parse(message)
        except Malformed:
            # Not to be believed until the worker is a new one.
            self.malformed += 1
            self.feed.begin(0)
            self._pulse_at = float("inf")
            return True
        if self.feed.epoch == 0:
            return True
        self._pulse_at = now + SILENT_S
        if header.kind != Kind.STATUS:
            self.feed.push(Unit(header, payload))
        elif header.for_subscriber and header.for_subscriber == self.feed.subscriber and b'"replay_end"' in payload:
            self.feed.replay_end()
        return True

    def _ask_for_replay(self, now: float) -> None:
        self._replay_at = float("inf")
        if self._bus is None or not self.wanted_id or not self.feed.wants_replay:
            return
        # The publisher has to have noticed us.
        if not self._bus.pipes:
            self._replay_at = now + self._poll_s
            self._poll_s = min(2 * self._poll_s, POLL_MAX_S)
            return
        self.replays += 1
        self._replay_at = now + REPLAY_S
        self.engine.send({"type": "tap-replay", "id": self.wanted_id})

    def _dial_again(self) -> None:
        stream = self.engine.find(self.name)
        self.hang_up()
        if stream is not None and stream.endpoint and stream.epoch == self._epoch:
            self.feed.begin(self._epoch)
            self._dial(stream.endpoint)

    def read(self, now: float) -> None:
        """All that is there; a bounded number of messages."""
        for _ in range(READ_PER_TURN):
            if self._bus is None or not self._receive(now):
                break
        self._plan_replay()

    def work(self, now: float) -> None:
        """What is due."""
        if now >= self._pulse_at:
            self._dial_again()
        self._plan_replay()
        if now >= self._replay_at:
            self._ask_for_replay(now)

    @property
    def due(self) -> float:
        return min(self._pulse_at, self._replay_at)


class Engine:
    def __init__(self, name: str, directory: Optional[str], speaks_of: Sequence[str]) -> None:
        self.name = name
        self.directory = find_directory(directory)
        self.speaks_of = list(speaks_of)
        self.selector = selectors.EpollSelector()
        self.subscriber = 0
        self.synced = False
        self.refused: Optional[str] = None
        self.streams: dict[int, Stream] = {}
        self.channels: list[Channel] = []
        self._tap: Optional[socket.socket] = None
        self._connect_at = self._connected_at = 0.0
        self._wait_s = CONNECT_S  # when this connection ends
        self._refusals = 0  # in a row
        self._news: Optional[str] = None  # of refusals, for the program
        self._results: Optional[pynng.Pub0] = None
        self._listener: Any = None
        self._results_file: Optional[str] = None
        self._told_results = False  # on this connection
        self._rates: dict[str, tuple[float, int]] = {}
        self._closed = False
        self.connect()

    def fileno(self) -> int:
        return self.selector.fileno()

    # The connection

    def connect(self) -> None:
        tap = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            tap.setblocking(False)
            tap.connect(os.path.join(self.directory, "tap.sock"))
        except OSError as error:
            tap.close()
            raise Away(f"{self.directory}: camhub does not run there: {error.strerror}") from error
        self.refused = None
        self._tap = tap
        self._connected_at = time.monotonic()
        self.selector.register(tap, selectors.EVENT_READ, self._read_tap)
        self.hello()

    def hello(self) -> None:
        message: dict[str, Any] = {"type": "tap-hello", "name": self.name, "version": "0.1.0",
                                   "streams": self.speaks_of}
        if self._told_results and self._results_file is not None:
            message["results"] = os.path.basename(self._results_file)
        self.send(message)

    def send(self, message: Mapping[str, Any]) -> None:
        if self._tap is None:
            return
        try:
            self._tap.send(json.dumps(message).encode())
        except OSError:
            self.disconnect()

    def disconnect(self) -> None:
        if self._tap is not None:
            self.selector.unregister(self._tap)
            self._tap.close()
        self._tap = None
        # Who is sent away at once must not come as often as who only lost camhub.
        wait_s = CONNECT_S if self._was_steady() else self._wait_s
        self._wait_s = min(2 * wait_s, CONNECT_MAX_S)
        self._connect_at = time.monotonic() + wait_s
        self.subscriber = 0
        self.synced = self._told_results = False
        for channel in self.channels:
            channel.forget_connection()

    def _was_steady(self) -> bool:
        return self.synced and time.monotonic() - self._connected_at >= STEADY_S

    def _read_tap(self, _now: float) -> None:
        news = False
        while self._tap is not None:
            try:
                data = self._tap.recv(MESSAGE_MAX)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self.disconnect()
                break
            news = True
            self._handle(data)
        if news:
            for channel in self.channels:
                channel.review()

    def _handle(self, data: bytes) -> None:
        """What a later version of camhub says in addition is passed over."""
        try:
            message = json.loads(data)
        except ValueError:
            return
        kind = message.get("type") if isinstance(message, dict) else None
        if kind == "tap-welcome" and isinstance(message.get("subscriber"), int):
            self.subscriber = message["subscriber"]
            self.streams = {}
            self._tell_results()
        elif kind == "tap-stream":
            stream = _stream_of(message)
            if stream is not None:
                self.streams[stream.id] = stream
        elif kind == "tap-gone" and isinstance(message.get("id"), int):
            self.streams.pop(message["id"], None)
        elif kind == "tap-synced":
            self.synced = True
        elif kind == "tap-refused":
            self.refused = str(message.get("text"))
            self._refusals = 1 if self._was_steady() else self._refusals + 1
            if self._refusals >= REFUSALS:
                self._news = self.refused

    def find(self, name: str) -> Optional[Stream]:
        return next((stream for stream in self.streams.values() if stream.name == name), None)

    # Work

    def work(self, until: float = 0.0) -> None:
        """What came, and what is due; waits for that until then, in time.monotonic(): not at all unless told to."""
        if self._closed:
            raise CamhubError("the hub is closed")
        wait: Optional[float] = 0.0
        if until > 0:
            end = min(until, self.due)
            wait = None if end == float("inf") else max(0.0, end - time.monotonic())
        ready = self.selector.select(wait)
        now = time.monotonic()
        for key, _ in ready:
            key.data(now)
        if self._tap is None and now >= self._connect_at:
            self._connect_again(now)
        if now >= self.due:
            for channel in self.channels:
                channel.work(now)

    def _connect_again(self, now: float) -> None:
        try:
            self.connect()
        except Away:
            self._connect_at = now + CONNECT_S

    def check(self) -> None:
        """Refused, once for each time from the third in a row on."""
        news, self._news = self._news, None
        if news is not None:
            raise Refused(news)

    @property
    def due(self) -> float:
        """When something has to be done though nothing comes, in time.monotonic()."""
        times = [channel.due for channel in self.channels]
        if self._tap is None:
            times.append(self._connect_at)
        return min(times, default=float("inf"))

    def answered(self) -> bool:
        """Whether the first words have come; raises what they were."""
        if self.refused is not None:
            raise Refused(self.refused)
        if self._tap is None:
            raise Away("camhub hung up")
        return self.synced

    def open_channel(self, name: str) -> Channel:
        self.work()
        if self.synced and self.find(name) is None:
            raise NoSuchStream(name)
        channel = Channel(self, name)
        self.channels.append(channel)
        channel.review()
        return channel

    def close_channel(self, channel: Channel) -> None:
        if channel in self.channels:
            self.channels.remove(channel)
            if channel.wanted_id:
                self.send({"type": "tap-want", "id": channel.wanted_id, "on": False})
            channel.hang_up()

    def close(self) -> None:
        self._closed = True
        for channel in list(self.channels):
            self.close_channel(channel)
        self.disconnect()
        if self._results is not None:
            self._results.close()
            self._results = None
        if self._results_file is not None and os.path.exists(self._results_file):
            os.unlink(self._results_file)
        self.selector.close()

    # Results

    def _listen_for_results(self) -> None:
        """At a new path; the old one, if there was one, is left. OSError or an exception of pynng."""
        # The number is drawn: process ids of containers are all the same.
        name = f"analyser-{self.name}-{random.SystemRandom().randrange(1, 1 << 32)}.sock"
        path = os.path.join(self.directory, "results", name)
        if self._results is None:
            self._results = pynng.Pub0()
        listener = self._results.listen("ipc://" + path)
        old, self._listener, self._results_file = self._listener, listener, path
        if old is not None:
            old.close()
        # The directory lets in whom it should.
        os.chmod(path, 0o666)

    def _tell_results(self) -> None:
        """camhub has answered: where results are; elsewhere if the last connection's end removed it."""
        if self._results_file is None or self._told_results or self.subscriber == 0:
            return
        try:
            if not os.path.exists(self._results_file):
                self._listen_for_results()
        except (OSError, pynng.NNGException):
            # camhub goes away again: the next publish() or the next connection tries again.
            return
        self._told_results = True
        self.hello()

    def publish(self, message: Mapping[str, Any]) -> None:
        text = json.dumps(message, separators=(",", ":"), allow_nan=False).encode()
        if len(text) > MESSAGE_MAX:
            raise ValueError(f"{len(text)} bytes are more than {MESSAGE_MAX}")
        if self._results_file is None:
            try:
                self._listen_for_results()
            except (OSError, pynng.NNGException) as error:
                raise CamhubError(f"{self.directory}/results: no endpoint can be made: {error}") from error
        self.work()
        self._tell_results()
        now = time.monotonic()
        stream = str(message.get("stream"))
        since, count = self._rates.get(stream, (0.0, 0))
        if now - since >= 1:
            since, count = now, 0
        if count >= RESULTS_PER_S:
            raise TooManyResults(f"more than {RESULTS_PER_S} results of {stream} in a second")
        self._rates[stream] = (since, count + 1)
        assert self._results is not None
        self._results.send(text)


def result_of(frame: Frame, objects: Optional[Sequence[Mapping[str, Any]]], counts: Optional[Mapping[str, int]],
              note: Optional[str]) -> dict[str, Any]:
    message: dict[str, Any] = {"stream": frame.stream, "epoch": frame.epoch, "seq": frame.seq}
    if objects is not None:
        message["objects"] = [dict(item) for item in objects]
    if counts is not None:
        message["counts"] = dict(counts)
    if note is not None:
        message["note"] = note
    return message
