"""The hub for programs that wait."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Iterator, Mapping, Optional, Sequence

from ._engine import ANSWER_S, Away, Channel, Engine, Stats, Stream, result_of
from ._frame import Frame


class Subscription:
    """Pictures of one stream; iterate, or call next() or newest()."""

    def __init__(self, hub: "Hub", channel: Channel) -> None:
        self._hub = hub
        self._channel = channel
        self.name = channel.name

    @property
    def stats(self) -> Stats:
        return self._channel.stats

    def next(self, timeout: Optional[float] = None) -> Optional[Frame]:
        """
        The next frame in decoding order; None when none came within timeout seconds (None: any time). Refused, when
        camhub sends this program away again and again.
        """
        return self._take(timeout, False)

    def newest(self, timeout: Optional[float] = None) -> Optional[Frame]:
        """
        The newest frame there is, waiting for one; all older ones are left out. Its picture can be decoded: what it refers
        to, back to its key frame or to the picture asked for last, is decoded on the way. Where key frames are rare that can
        be hundreds, at the beginning above all; meanwhile newer frames come. A program that must not lag asks again until
        frame.behind is 0 and little time has passed. Refused as next().
        """
        return self._take(timeout, True)

    def _take(self, timeout: Optional[float], newest: bool) -> Optional[Frame]:
        until = None if timeout is None else time.monotonic() + timeout
        engine = self._hub._engine
        engine.work()
        while (frame := self._channel.take(newest)) is None:
            engine.check()
            if until is not None and time.monotonic() >= until:
                break
            engine.work(float("inf") if until is None else until)
        return frame

    def __iter__(self) -> Iterator[Frame]:
        while True:
            frame = self.next()
            assert frame is not None
            yield frame

    def close(self) -> None:
        self._hub._engine.close_channel(self._channel)


class Hub:
    """
    A connection to camhub, open until close(). directory: camhub's bus or runtime directory, else
    $CAMHUB_DIR, else /run/camhub. name: shown in camhub's status. speaks_of: patterns of cameras, for
    results on streams that this hub does not subscribe to. Away, Refused.
    """

    def __init__(self, name: str = "python", directory: Optional[str] = None, speaks_of: Sequence[str] = ()) -> None:
        self._engine = Engine(name, directory, speaks_of)
        until = time.monotonic() + ANSWER_S
        try:
            while not self._engine.answered():
                if time.monotonic() >= until:
                    raise Away("camhub does not answer")
                self._engine.work(until)
        except BaseException:
            self._engine.close()
            raise

    def fileno(self) -> int:
        """For an event loop: readable when next() with timeout 0 has something to do; call it every second, too."""
        return self._engine.fileno()

    def streams(self) -> list[Stream]:
        """What there is now."""
        self._engine.work()
        return list(self._engine.streams.values())

    def subscribe(self, stream: str) -> Subscription:
        """NoSuchStream."""
        return Subscription(self, self._engine.open_channel(stream))

    def publish(self, frame: Frame, objects: Optional[Sequence[Mapping[str, Any]]] = None,
                counts: Optional[Mapping[str, int]] = None, note: Optional[str] = None) -> None:
        """
        What was found in that frame (docs/protocol.md, "Analysers"); objects like
        {"box": [x, y, width, height], "label": "person", "score": 0.9, "track": 7}, fractions of the
        picture. TooManyResults, ValueError.
        """
        self._engine.publish(result_of(frame, objects, counts, note))

    def close(self) -> None:
        self._engine.close()

    def __enter__(self) -> "Hub":
        return self

    def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException],
                 where: Optional[TracebackType]) -> None:
        self.close()
