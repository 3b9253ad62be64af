#!/usr/bin/python3 -B
"""
An hour of random faults: 16 cameras, 50 viewers, one fault every 5 s.

    make soak
    make soak SOAK_FLAGS="--minutes 5 --cameras 4 --viewers 8 --seed 7"

After each fault everything must come back while nobody else notices: viewers of the other cameras lose no picture, no process
but the victim is replaced, status is what an observer sees. At the end descriptors, threads and files are as they were in
the first minutes. Exit code 1 when a promise was broken; --seed plays the same faults again.
"""

import argparse
import asyncio
import collections
import os
import random
import signal
import sys
import time

import chaos  # noqa: F401: the way to the other modules
from faults_front import REQUESTS, mutate, send_frames, send_garbage, settled
from faults_supervisor import footprint
from figures import quantile, rss_kib, show
from lab import Broken, Lab
from watcher import Watcher

EVERY_S = 5
WARM_FAULTS = 20


class Soak:
    """One house for all the time. counts: {fault: times}; times: {fault: [s until all was well]}."""

    def __init__(self, lab, options):
        self.lab, self.options, self.random = lab, options, random.Random(options.seed)
        self.names = [f"cam{i}" for i in range(options.cameras)]
        self.times, self.broken = collections.defaultdict(list), []
        self.first = None

    async def set_up(self):
        lab = self.lab
        await lab.add_house(self.names)
        for number in range(self.options.viewers):
            await lab.add_watcher(self.names[number % len(self.names)])
        lab.kills.update({name: 0 for name in self.names})

    def viewers_of(self, name, others=False):
        return [watcher for watcher in self.lab.watchers if (watcher.names[0] == name) != others]

    # --- the faults: each returns the camera it was about, None for all ------------------------

    async def kill_worker(self):
        name = self.random.choice(self.names)
        await self.hit_worker(name, signal.SIGKILL)
        return name

    async def stop_worker(self):
        name = self.random.choice(self.names)
        await self.hit_worker(name, signal.SIGSTOP)
        return name

    async def hit_worker(self, name, signo):
        pid = self.lab.house.worker(name)
        if pid is not None:
            self.lab.kills[name] = None  # one that dies while it starts may be counted, or not
            await self.lab.house.kill(pid, signo, waits=False)
            await self.lab.new_worker(name, pid)

    async def silence_camera(self):
        name = self.random.choice(self.names)
        source = self.lab.sources[name]
        source.silent_at, self.lab.kills[name] = "media", None
        await self.lab.until_state(name, "stalled", "down", "connecting")
        source.silent_at = None
        return name

    async def lose_camera(self):
        name = self.random.choice(self.names)
        source = self.lab.sources[name]
        self.lab.kills[name] = None
        await source.stop()
        await self.lab.until_state(name, "down")
        await source.start()
        return name

    async def kill_front(self):
        lab = self.lab
        await lab.house.kill(lab.house.front())
        for watcher in lab.watchers:
            await lab.until(lambda one=watcher: one.closed, "a viewer's socket ends")
        await asyncio.gather(*(watcher.reopen(0.2) for watcher in lab.watchers))
        for watcher in lab.watchers:  # the new connection begins with a new line of pictures
            for seen in watcher.cameras.values():
                seen.last_number = seen.last_at = None

    async def throw_garbage(self):
        await asyncio.gather(*(send_garbage(self.lab, mutate(self.random, self.random.choice(REQUESTS))) for _ in range(20)),
                             *(send_frames(self.lab, self.random) for _ in range(10)))
        return ""

    async def come_and_go(self):
        passers = [await Watcher(self.lab.house, [self.random.choice(self.names)]).open() for _ in range(10)]
        for watcher in passers:
            await watcher.close()
        return ""

    async def reload(self):
        self.lab.house.configure([{**camera, "title": str(self.random.random())} for camera in self.lab.cameras()])
        if (await self.lab.house.request("reload"))[-1]["code"] != 0:
            raise Broken("a valid configuration was refused")
        return ""

    async def reload_nonsense(self):
        self.lab.house.write("camhub.yaml", "cameras: [ { name: Yard } ]\n")
        if (await self.lab.house.request("reload"))[-1]["code"] == 0:
            raise Broken("nonsense was taken")
        return await self.reload()  # status is not well for as long as the file is not

    FAULTS = (kill_worker, kill_worker, stop_worker, silence_camera, lose_camera, kill_front, throw_garbage, come_and_go, reload,
              reload_nonsense)

    async def one_fault(self):
        """Do one, and wait until all is well."""
        fault = self.random.choice(self.FAULTS)
        began, pids = time.monotonic(), self.lab.house.pids()
        print(f"{time.strftime('%H:%M:%S')} {fault.__name__}", flush=True)
        for watcher in self.lab.watchers:
            watcher.mark()
        victim = await fault(self)
        for watcher in self.lab.watchers:
            await self.lab.sees(watcher, f"after {fault.__name__}")
        if victim is not None:
            for watcher in self.viewers_of(victim, others=True):
                self.lab.lost_nothing(watcher, watcher.names[0])
            for words, pid in pids.items():
                if words != f"camhub-worker {victim}" and not words.startswith("camhub-transcode"):
                    self.lab.demand(self.lab.house.pids().get(words) == pid, f"{words} was restarted by {fault.__name__}")
        await self.lab.status_is_true()
        self.times[fault.__name__].append(time.monotonic() - began)

    async def run(self):
        end, done = time.monotonic() + 60 * self.options.minutes, 0
        while time.monotonic() < end:
            due = time.monotonic() + EVERY_S
            try:
                await self.one_fault()
            except (AssertionError, OSError) as error:
                self.broken.append(f"fault {done}: {error}")
                print(f"BROKEN: {self.broken[-1]}", flush=True)
                if len(self.broken) > 10:
                    return
            done += 1
            if done == WARM_FAULTS:
                self.first = await self.look()
            await asyncio.sleep(max(0, due - time.monotonic()))

    async def look(self):
        house = self.lab.house
        pid = house.process.pid
        return await settled(self.lab, lambda: footprint(house, pid), "descriptors"), rss_kib(pid)

    async def judge(self):
        if self.first is not None:
            last = await self.look()
            if last[0] != self.first[0]:
                self.broken.append(f"the supervisor had {self.first[0]}, and now {last[0]}")
            if last[1] > self.first[1] + 1024:
                self.broken.append(f"the supervisor grew from {self.first[1]} to {last[1]} KiB")
        await self.lab.orderly()

    def tell(self):
        print(f"\n{'fault':20} {'times':>6} {'p50 s':>8} {'p99 s':>8} {'max s':>8}")
        for name, times in sorted(self.times.items()):
            print(f"{name:20} {len(times):6d} " + " ".join(f"{show(quantile(times, at)):>8}" for at in (0.5, 0.99, 1)))
        machine = self.lab.told()["machine"]
        print(f"seed {self.options.seed}, {len(self.lab.watchers)} viewers, {len(self.names)} cameras, load {machine['load']}, "
              f"waited {machine['waited_percent']} %; {len(self.broken)} promises broken")


async def soak(options):
    lab = await Lab().open()
    chaos_run = Soak(lab, options)
    try:
        await chaos_run.set_up()
        await chaos_run.run()
        await chaos_run.judge()
    except AssertionError as error:
        chaos_run.broken.append(str(error))
    finally:
        chaos_run.tell()
        if chaos_run.broken and lab.house is not None:
            print("\n".join(lab.house.log().splitlines()[-100:]))
        await lab.close()
    for text in chaos_run.broken:
        print(f"BROKEN: {text}")
    return 1 if chaos_run.broken else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--cameras", type=int, default=16)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    options = parser.parse_args()
    chaos.become_parent()
    return asyncio.run(soak(options))


if __name__ == "__main__":
    sys.exit(main())
