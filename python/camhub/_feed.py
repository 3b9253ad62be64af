"""
From messages of the bus to frames in order: begins with a key frame (live, or of a replay), goes on
while numbers have no hole, and bounds what waits.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple, Optional

from ._header import Flag, Header, Kind

READY_MAX = 256  # frames that wait for the program, replayed ones aside
PENDING_BYTES = 64 << 20  # of a replay and what comes meanwhile

# As plain numbers: an IntFlag makes an object for each look.
_KEY, _REPLAY = int(Flag.KEY), int(Flag.REPLAY)
_PICTURES = (Kind.VIDEO, Kind.JPEG)


class Unit:
    """A message, and what is asked of it again and again."""

    __slots__ = ("header", "payload", "is_picture", "is_key", "is_replayed")

    def __init__(self, header: Header, payload: bytes) -> None:
        self.header = header
        self.payload = payload
        self.is_picture = header.kind in _PICTURES
        self.is_key = header.kind == Kind.JPEG or (header.kind == Kind.VIDEO and bool(header.flags & _KEY))
        self.is_replayed = bool(header.flags & _REPLAY) or header.for_subscriber != 0


class Taken(NamedTuple):
    unit: Unit
    config: bytes
    is_first: bool  # it follows nothing that was given before


class Feed:
    def __init__(self) -> None:
        self.subscriber = 0
        self.epoch = 0
        self.flowing = False
        self.key_only = False  # too slow: a replay would only make it worse
        self.frames = self.skipped = self.gaps = 0
        self._last_seq = 0
        self._ready: deque[Unit] = deque()
        self._ready_live = 0
        self._replay: list[Unit] = []
        self._live: list[Unit] = []
        self._pending_bytes = 0
        self._config = b""
        self._taken = (0, 0)
        self._has_hole = True

    def begin(self, epoch: int) -> None:
        """Another publisher: what waits of the old one still comes. 0: there is none now."""
        self.epoch = epoch
        self._last_seq = 0
        self.flowing = self.key_only = False
        self._forget_pending()

    @property
    def wants_replay(self) -> bool:
        return self.epoch != 0 and not self.flowing and not self.key_only

    @property
    def waiting(self) -> int:
        return sum(unit.is_picture for unit in self._ready)

    def push(self, unit: Unit) -> None:
        header = unit.header
        if header.track != 0 or header.kind not in (Kind.VIDEO, Kind.JPEG, Kind.CONFIG, Kind.END) or \
                self.epoch == 0 or header.epoch != self.epoch:
            return
        if unit.is_replayed and (self.flowing or self.subscriber == 0 or header.for_subscriber != self.subscriber):
            return
        if not unit.is_replayed and header.seq <= self._last_seq:
            return
        if self.flowing:
            if header.seq == self._last_seq + 1:
                self._enqueue(unit)
                return
            self.gaps += 1
            self.flowing = False
            self._forget_pending()
        self._wait_with(unit)

    def replay_end(self) -> None:
        """The status that closes a replay of ours has come."""
        replay, self._replay = self._replay, []
        if self.flowing or not _is_whole(replay):
            return
        live = [unit for unit in self._live if unit.header.seq > replay[-1].header.seq]
        if live and live[0].header.seq != replay[-1].header.seq + 1:
            return
        self._flow([unit for unit in replay if unit.header.seq > self._last_seq])
        for unit in live:
            if self.flowing and unit.header.seq == self._last_seq + 1:
                self._enqueue(unit)
            elif self.flowing and unit.header.seq > self._last_seq:
                self.gaps += 1
                self.flowing = False
        self._forget_pending()

    def take(self) -> Optional[Taken]:
        """The next frame, None: none waits."""
        while self._ready:
            unit = self._leave_queue()
            if unit.is_picture:
                is_first, self._has_hole = self._has_hole, False
                self.frames += 1
                return Taken(unit, self._config, is_first)
        return None

    # The queue

    def _leave_queue(self) -> Unit:
        unit = self._ready.popleft()
        header = unit.header
        if (header.epoch, header.seq) != (self._taken[0], self._taken[1] + 1):
            self._has_hole = True
        self._taken = (header.epoch, header.seq)
        if header.kind == Kind.CONFIG:
            self._config = unit.payload
        self._ready_live -= unit.is_picture and not unit.is_replayed
        return unit

    def _drop_first(self) -> None:
        unit = self._leave_queue()
        if unit.is_picture:
            self.skipped += 1
            self._has_hole = True

    def _skip_to_key(self) -> bool:
        pictures = [i for i, unit in enumerate(self._ready) if unit.is_picture]
        keys = [i for i in pictures[1:] if self._ready[i].is_key]
        for _ in range(keys[-1] if keys else 0):
            self._drop_first()
        return bool(keys)

    def _enqueue(self, unit: Unit) -> None:
        self._last_seq = unit.header.seq
        self._ready.append(unit)
        if not unit.is_picture or unit.is_replayed:
            return
        self._ready_live += 1
        if self._ready_live > READY_MAX and not self._skip_to_key():
            while self._ready:
                self._drop_first()
            self.flowing = False
            self.key_only = True

    def _flow(self, units: list[Unit]) -> None:
        self.flowing = True
        self.key_only = False
        for unit in units:
            if self.flowing:
                self._enqueue(unit)

    # What waits for a beginning

    def _forget_pending(self) -> None:
        self._replay = []
        self._live = []
        self._pending_bytes = 0

    def _wait_with(self, unit: Unit) -> None:
        if self.key_only and unit.is_picture and not unit.is_key:
            self._forget_pending()
            return
        (self._replay if unit.is_replayed else self._live).append(unit)
        self._pending_bytes += len(unit.payload)
        if self._pending_bytes > PENDING_BYTES:
            self._forget_pending()
            self.key_only = True
        elif unit.is_key and not unit.is_replayed:
            start = len(self._live) - 1
            while start > 0 and self._live[start - 1].header.kind == Kind.CONFIG:
                start -= 1
            units = self._live[start:]
            self._forget_pending()
            self._flow(units)


def _is_whole(units: list[Unit]) -> bool:
    first = next((unit for unit in units if unit.is_picture), None)
    return first is not None and first.is_key and all(
        after.header.seq == before.header.seq + 1 for before, after in zip(units, units[1:]))
