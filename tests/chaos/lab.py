"""
What a fault is given: cameras, a camhub, watchers, a notebook for figures, and the words for promises. And the list of
all faults with their promises, goals and negative controls.
"""

import asyncio
import contextlib
import math
import os
import time
from typing import NamedTuple

import observer
from figures import Machine, summary
from house import House, merged, saboteur
from rtc_watcher import RtcWatcher
from source import Source
from wait import Deadline
from watcher import Watcher, fetch

POLL_S = 0.02
PATIENCE_S = float(os.environ.get("CAMHUB_TEST_DEADLINE", "30"))  # times the load
CONTROL_PATIENCE_S = 8  # what a control takes away is gone for much longer than this, or for good


class Broken(AssertionError):
    """A promise was not kept."""


class Skipped(Exception):
    """It cannot be tried here."""


class Fault(NamedTuple):
    """promise: for people. full, short: how often it happens in a long run and in make check (0: not there)."""

    name: str
    run: object
    promise: str
    full: int
    short: int
    goals: tuple
    controls: tuple


FAULTS = {}


def fault(name, promise, full, short=0, goals=(), controls=()):
    """Enters an `async def run(lab, n)` into the list."""
    def enter(run):
        assert name not in FAULTS, name
        FAULTS[name] = Fault(name, run, promise, full, short, tuple(goals), tuple(controls))
        return run
    return enter


# On a machine that stands still for seconds nobody is to be called hung who is not: what a fault is not about waits longer.
CALM = {"restart": {"hang_timeout": "30s", "start_timeout": "60s"}}
CALM_STALL = "30s"
CALM_LIMIT_S = 90
STOOD_STILL_S = 1


class Lab:
    """
    One run of one fault. tamper: the defence that is taken away, None in the real run. calm: promises are what counts, not
    times. touchy: cameras whose silence is to be noticed as soon as ever.
    """

    def __init__(self, tamper=None, patience_s=None, calm=False):
        self.tamper, self.calm, self.touchy = tamper, calm, set()
        self.patience_s = patience_s or PATIENCE_S
        self.after_fault_s = CONTROL_PATIENCE_S if tamper else None
        self.figures, self.notes = {}, []
        self.house, self.sources, self.watchers, self.kills = None, {}, [], {}
        self.rtc_watchers = []
        self.extra_viewers = {}
        self.late, self.clock_task = [], None
        self.machine = Machine(time.monotonic())

    # --- setting up --------------------------------------------------------------------------

    async def open(self):
        self.clock_task = asyncio.create_task(self._watch_self())
        return self

    async def _watch_self(self):
        """How late the driver itself is: what it measures of others cannot be better."""
        while True:
            due = time.monotonic() + 0.1
            await asyncio.sleep(0.1)
            self.late.append(time.monotonic() - due)

    async def add_source(self, name, **options):
        self.sources[name] = await Source(name, **options).start()
        return self.sources[name]

    @contextlib.contextmanager
    def setting_up(self):
        """Before a fault a control is as patient as its run."""
        patience, self.after_fault_s = self.after_fault_s, None
        try:
            yield
        finally:
            self.after_fault_s = patience

    async def add_house(self, names=("door", "yard"), source=None, camera=None, **options):
        """A camhub with a camera of the driver's own for each name, all up. camera: more of each one's configuration,
        source: of each Source."""
        if options.get("sabotage") and saboteur() is None:
            raise Skipped("the library that does it is not built, or of no use in a sanitized build")
        for name in names:
            if name not in self.sources:
                await self.add_source(name, **(source or {}))
        options["extra"] = merged(CALM if self.calm else {}, options.get("extra") or {})
        self.house = House(self.cameras(**(camera or {})), tamper=self.tamper, **options)
        if self.house.manager is not None:
            self.house.port = self.house.manager.port
            self.house.manager.watch(self.house)
        await self.until(self.serves, "the pages are served")
        with self.setting_up():
            for name in names:
                await self.until_state(name, "up")
        return self.house

    def cameras(self, *but, **more):
        """The configuration of all sources."""
        return [{"name": name, "url": source.url(),
                 **({"stall_timeout": CALM_STALL} if self.calm and name not in self.touchy else {}), **more}
                for name, source in self.sources.items() if name not in but]

    async def serves(self):
        if self.house.process.poll() is not None and self.house.manager is None:
            raise Broken(f"the supervisor ended with {self.house.process.returncode}")
        with contextlib.suppress(OSError):
            return (await fetch(self.house, timeout_s=5))[0] == 200
        return False

    async def add_watcher(self, *names):
        """One that already sees pictures of all of them."""
        watcher = await Watcher(self.house, names).open()
        self.watchers.append(watcher)
        with self.setting_up():
            await self.sees(watcher, "the first pictures")
        return watcher

    async def add_rtc_watcher(self, name, clients=1, flags=()):
        """Viewers by WebRTC who all see pictures already. On a busy machine they do not say how fast pictures come: it is not
        the network that is thin."""
        watcher = await RtcWatcher(self.house, name, clients, (*flags, *(("--no-twcc",) if self.calm else ()))).open()
        self.rtc_watchers.append(watcher)
        await self.until(lambda: watcher.playing == clients, lambda: f"pictures by WebRTC: {watcher.told}")
        return watcher

    async def drop_rtc_watcher(self, watcher):
        self.rtc_watchers.remove(watcher)
        await watcher.close()

    async def drop_watcher(self, watcher):
        self.watchers.remove(watcher)
        await watcher.close()

    # --- promises ----------------------------------------------------------------------------

    def demand(self, condition, complaint):
        if not condition:
            raise Broken(complaint() if callable(complaint) else complaint)

    async def until(self, condition, what, patience_s=None):
        """Poll, plainly or awaiting, until it is true; returns that."""
        limit = patience_s or self.patience_s
        deadline = Deadline(limit)
        while True:
            value = condition()
            if asyncio.iscoroutine(value):
                value = await value
            if value:
                return value
            if deadline.is_over():
                raise Broken(f"not within {limit:.0f} s: {what() if callable(what) else what}")
            await asyncio.sleep(POLL_S)

    async def soon(self, condition, what):
        """until(), of what a fault must not prevent: a control does not wait long for it."""
        return await self.until(condition, what, self.after_fault_s)

    async def sees(self, watcher, what, *names, count=3):
        """`count` more pictures of each camera, in the same connection."""
        names = names or watcher.names
        goals = {name: watcher.cameras[name].frames + count for name in names}

        def there():
            self.demand(watcher.closed is None, lambda: f"{what}: the viewer was closed: {watcher.closed}")
            return all(watcher.cameras[name].frames >= goal for name, goal in goals.items())

        await self.soon(there, lambda: f"no pictures: {what}")

    async def sees_by_rtc(self, watcher, what, count=3):
        """`count` more pictures for each of them."""
        goal = watcher.frames + count * watcher.clients
        await self.soon(lambda: watcher.frames >= goal, lambda: f"no pictures by WebRTC: {what}: {watcher.told}")

    async def until_state(self, name, *states):
        last = {}

        async def there():
            with contextlib.suppress(OSError):
                last.clear()
                last.update(await self.house.status_of(name))
            return last.get("state") in states

        await self.soon(there, lambda: f"{name}: {' or '.join(states)}, but it is {last.get('state')}: "
                                       f"{last.get('reason')}")
        return last

    async def new_worker(self, name, old):
        """The pid of the next worker of that camera."""
        return await self.soon(lambda: (self.house.worker(name) or old) != old and self.house.worker(name),
                               f"a new worker of {name}")

    def lost_nothing(self, watcher, *names):
        for name in names:
            seen = watcher.cameras[name]
            self.demand(watcher.closed is None, f"{name}: its viewer was closed: {watcher.closed}")
            self.demand(seen.lost + seen.skipped == 0, f"{name}: {seen.lost} pictures were lost, {seen.skipped} left out")

    def lost_nothing_by_rtc(self, *watchers):
        for watcher in watchers:
            self.demand(not watcher.losses(), lambda bad=watcher: f"a viewer by WebRTC lost pictures: {bad.losses()}")

    def figure(self, name, value):
        self.figures.setdefault(name, []).append(value)

    def note(self, text):
        self.notes.append(text)

    # --- what status says ----------------------------------------------------------------------

    def watched(self):
        counts = dict(self.extra_viewers)
        for watcher in self.watchers:
            if watcher.closed is None:
                for name in watcher.names:
                    counts[name] = counts.get(name, 0) + 1
        for watcher in self.rtc_watchers:
            counts[watcher.name] = counts.get(watcher.name, 0) + watcher.playing
        return counts

    async def status_is_true(self):
        """The observer agrees with it, once both have had the time to look."""
        last = []

        async def agrees():
            last[:] = await observer.differences(self.house, self.sources, self.watched(), self.kills)
            return not last

        await self.soon(agrees, lambda: "status is not true: " + "; ".join(last))

    # --- the end -------------------------------------------------------------------------------

    async def orderly(self):
        """What every fault ends with: the truth, an orderly end, an orderly start, pictures, an orderly end."""
        await self.status_is_true()
        for watcher in list(self.watchers):
            await self.drop_watcher(watcher)
        for watcher in list(self.rtc_watchers):
            await self.drop_rtc_watcher(watcher)
        await self.end_house()
        if self.house.manager is not None:
            return
        self.house.start()
        await self.until(self.serves, "the pages are served after an orderly restart")
        for name, source in self.sources.items():
            if source.silent_at is None and not source.refuses:
                await self.until_state(name, "up")
        await self.end_house()

    async def end_house(self):
        try:
            await self.house.end()
        except AssertionError as error:
            raise Broken(f"no orderly end: {error}") from error

    async def close(self):
        """Takes everything back, whatever happened."""
        if self.clock_task is not None:
            self.clock_task.cancel()
        for watcher in [*self.watchers, *self.rtc_watchers]:
            await watcher.close()
        for source in self.sources.values():
            await source.close()
        if self.house is not None:
            self.house.destroy()

    def told(self):
        """Figures and circumstances, for the report."""
        return {"figures": {name: summary(values) for name, values in self.figures.items()}, "notes": self.notes,
                "machine": {**self.machine.tell(time.monotonic()), "driver_late": summary(self.late)}}


async def in_time(run, limit_s):
    """TimeoutError after so long on an idle machine."""
    task, deadline = asyncio.ensure_future(run), Deadline(limit_s)
    try:
        while not (await asyncio.wait({task}, timeout=1))[0]:
            if deadline.is_over():
                raise asyncio.TimeoutError
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})


async def play(chosen, n, tamper=None, calm=False):
    """One run. {"status": "held", "broken" or "skipped", "reason", "n", "seconds", ...}"""
    lab, began, result = await Lab(tamper, calm=calm).open(), time.monotonic(), {"status": "held", "reason": ""}
    try:
        await in_time(chosen.run(lab, n), CALM_LIMIT_S if calm else math.inf)
    except asyncio.TimeoutError:
        result = {"status": "broken", "reason": "it never came to its end"}
    except Skipped as skipped:
        result = {"status": "skipped", "reason": str(skipped)}
    except AssertionError as error:
        result = {"status": "broken", "reason": str(error)}
    except (OSError, EOFError, ValueError, KeyError) as error:
        result = {"status": "broken", "reason": f"{type(error).__name__}: {error}"}
    finally:
        log = ""
        with contextlib.suppress(OSError, AttributeError):
            log = lab.house.log()
        await lab.close()
    return {**result, "n": n, "seconds": round(time.monotonic() - began, 1), "raw": lab.figures, **lab.told(),
            "log": log.splitlines()[-60:]}


async def play_calmly(chosen, n, tries=3):
    """play() for machines that are busy with other things: a run in which the driver itself stood still, cameras and
    viewers with it, proves nothing when it breaks, and is played again."""
    for left in range(tries, 0, -1):
        result = await play(chosen, n, calm=True)
        late = result["machine"]["driver_late"]["max"] or 0
        if result["status"] != "broken" or late < STOOD_STILL_S or left == 1:
            return result
        print(f"{chosen.name}: once more, for the driver stood still for {late:.1f} s: {result['reason']}", flush=True)
    return None


async def play_control(chosen, tamper, calm=False):
    """A run without the defence: "found" when the fault complains of just that, "missed" when it does not."""
    if tamper.sabotage and saboteur() is None:
        return {"status": "skipped", "reason": "the saboteur is not built, or of no use in a sanitized build"}
    result = await play(chosen, min(chosen.full, tamper.times), tamper, calm)
    if result["status"] == "broken" and tamper.finds in result["reason"]:
        result["status"] = "found"
    elif result["status"] != "skipped":
        result["reason"] = f"expected a complaint of \"{tamper.finds}\", got: {result['status']} {result['reason']}"
        result["status"] = "missed"
    return result

