"""The hub for asyncio."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Any, AsyncIterator, Mapping, Optional, Sequence

from ._engine import ANSWER_S, Away, Channel, Engine, Stats, Stream, result_of
from ._frame import Frame


class AsyncSubscription:
    """Pictures of one stream: `async for`, or await next() or newest()."""

    def __init__(self, hub: "AsyncHub", channel: Channel) -> None:
        self._hub = hub
        self._channel = channel
        self.name = channel.name

    @property
    def stats(self) -> Stats:
        return self._channel.stats

    async def next(self) -> Frame:
        """The next frame in decoding order; Refused as Subscription.next()."""
        return await self._take(False)

    async def newest(self) -> Frame:
        """The newest frame there is; all older ones are left out. Its picture can be decoded, as Subscription.newest() says."""
        return await self._take(True)

    async def _take(self, newest: bool) -> Frame:
        while True:
            self._hub._engine.work()
            frame = self._channel.take(newest)
            if frame is not None:
                return frame
            self._hub._engine.check()
            await self._hub._news()

    async def __aiter__(self) -> AsyncIterator[Frame]:
        while True:
            yield await self.next()

    def close(self) -> None:
        self._hub._engine.close_channel(self._channel)


class AsyncHub:
    """As Hub, in an `async with`; of one event loop."""

    def __init__(self, name: str = "python", directory: Optional[str] = None, speaks_of: Sequence[str] = ()) -> None:
        self._arguments = (name, directory, speaks_of)
        self._waiters: set[asyncio.Future[None]] = set()
        self._is_watching = False

    async def __aenter__(self) -> "AsyncHub":
        self._engine = Engine(*self._arguments)
        self._loop = asyncio.get_running_loop()
        try:
            await asyncio.wait_for(self._answer(), ANSWER_S)
        except asyncio.TimeoutError:
            self.close()
            raise Away("camhub does not answer") from None
        except BaseException:
            self.close()
            raise
        return self

    async def __aexit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException],
                        where: Optional[TracebackType]) -> None:
        self.close()

    async def _answer(self) -> None:
        while not self._engine.answered():
            await self._news()
            self._engine.work()

    async def _news(self) -> None:
        """Until there may be something to do. The descriptor is watched only while somebody waits: it is
        readable until it was worked on."""
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiters.add(waiter)
        if not self._is_watching:
            self._loop.add_reader(self._engine.fileno(), self._wake)
            self._is_watching = True
        delay = self._engine.due - time.monotonic()
        timer = self._loop.call_later(max(0.0, delay), self._wake) if delay != float("inf") else None
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._is_watching:
            self._loop.remove_reader(self._engine.fileno())
            self._is_watching = False
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def streams(self) -> list[Stream]:
        """What there is now."""
        self._engine.work()
        return list(self._engine.streams.values())

    def subscribe(self, stream: str) -> AsyncSubscription:
        """NoSuchStream."""
        return AsyncSubscription(self, self._engine.open_channel(stream))

    def publish(self, frame: Frame, objects: Optional[Sequence[Mapping[str, Any]]] = None,
                counts: Optional[Mapping[str, int]] = None, note: Optional[str] = None) -> None:
        """As Hub.publish(); never waits."""
        self._engine.publish(result_of(frame, objects, counts, note))

    def close(self) -> None:
        self._wake()
        self._engine.close()
