#!/usr/bin/python3 -B
"""
Slow viewers beside good ones: one camera (720p25, 3 Mb/s, replayed), 10 viewers that read what comes, and a
thousand beside them that do not: most read at 800 kb/s, some stop reading at their first picture.

    make -C bench slow-bench
    make -C bench slow-bench BENCH_FLAGS=--smoke        a smoke test: small, and it judges no speed

What must hold: the good ones lose nothing, and their p99 is at most twice what it is without the slow ones;
whatever a slow one does not get it is told, and the front's counter says the same; who takes nothing is closed after
10 s; memory is bounded. Those who take nothing watch the camera under a second name: they cannot be told what they
miss, and the two counters are kept apart.
"""

import os
import re
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "e2e"))

import rig  # noqa: E402
from beside import finish, good_ones, judge_good, parser, print_good, print_heading  # noqa: E402
from fanout import Clients, raise_descriptors  # noqa: E402
from machine import Machine, memory_kib, tcp_kib  # noqa: E402
from replay import replayed  # noqa: E402

RING_KIB, VIEWER_KIB = 32 << 10, 64  # limits: ring; what a healthy viewer may cost
TIMES_BASELINE = 2
CLOSED_AFTER_S = 10


class Memory(threading.Thread):
    """The highest RSS of a process, and of the kernel's TCP buffers, looked at ten times a second."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid = pid
        self.rss_kib = self.tcp_kib = 0
        self.done = threading.Event()

    def run(self):
        while not self.done.wait(0.1):
            self.rss_kib = max(self.rss_kib, memory_kib(self.pid)[0])
            self.tcp_kib = max(self.tcp_kib, tcp_kib())


def skipped(hub, stream):
    """What the front has counted."""
    _, _, body = hub.get("/metrics")
    return int(re.search(rf'camhub_stream_skipped_total{{stream="{stream}"}} (\d+)', body.decode()).group(1))


def judge_speed(before, beside, failures):
    ratio = beside["delay_ms"]["p99"] / max(0.001, before["delay_ms"]["p99"])
    print(f"\nthe good ones' p99 is {ratio:.2f} times the baseline's (goal {TIMES_BASELINE})")
    if ratio > TIMES_BASELINE:
        failures.append(f"speed: the good viewers' p99 is {ratio:.2f} times their baseline, the goal is {TIMES_BASELINE}")


def judge_slow(slow, counted, options, failures):
    print(f"slow ones: {slow['clients']}, {slow['fragments']} frames read, {slow['skipped']} announced as skipped, "
          f"{counted} counted by the front, {slow['lost']} missing without a word, {slow['overannounced']} announced that "
          f"came, {slow['closed']} closed")
    if slow["left"] < slow["clients"]:
        failures.append(f"lost: {slow['clients'] - slow['left']} slow viewers did not catch up within {options.drain:g} s, so that "
                        "announcements are missing")
    elif slow["skipped"] != counted:
        failures.append(f"lost: {counted} frames were skipped and {slow['skipped']} announced")
    if slow["lost"] or slow["overannounced"]:
        failures.append(f"lost: {slow['lost']} frames of slow viewers in silence, {slow['overannounced']} too many announced")
    if slow["closed"] or slow["malformed"]:
        failures.append(f"lost: {slow['closed']} slow viewers, who do read, were closed; {slow['malformed']} broken messages")


def judge_stalled(stalled, failures):
    closed = stalled["closed_after_s"]
    print(f"stalled ones: {stalled['clients']}, {closed['n']} closed, {closed['min']} to {closed['max']} s after their "
          "last read")
    if closed["n"] < stalled["clients"]:
        failures.append(f"lost: {stalled['clients'] - closed['n']} viewers that take nothing were never closed")
    elif closed["min"] < CLOSED_AFTER_S - 1:  # the front's last byte may have waited to be read
        failures.append(f"lost: a viewer was closed after {closed['min']} s")


def judge_memory(memory, rss_kib, tcp_before, options, failures):
    viewers = options.slow + options.stalled
    bound = 2 * RING_KIB + VIEWER_KIB * viewers
    grown = memory.rss_kib - rss_kib
    print(f"memory: RSS {rss_kib / 1024:.1f} MiB before, at most {memory.rss_kib / 1024:.1f} MiB: {grown / viewers:.1f} KiB "
          f"for each slow one (bound of all: {bound / 1024:.0f} MiB); TCP buffers at most "
          f"{(memory.tcp_kib - tcp_before) / 1024:.0f} MiB more")
    if grown > bound:
        failures.append(f"lost: memory grew by {grown / 1024:.0f} MiB, the bound is {bound / 1024:.0f} MiB")


def crowd(hub, options, flags):
    """The slow ones, who read all at the end, and the stalled ones."""
    seconds = max(options.seconds + options.settle + 3, options.stalled and CLOSED_AFTER_S + 8)
    slow = Clients(hub.port, "cam", options.slow, "--settle=0.1", f"--seconds={seconds}", f"--kbps={options.kbps}",
                   f"--drain={options.drain}", *flags)
    stalled = Clients(hub.port, "other", options.stalled, "--settle=0.1", f"--seconds={seconds}", "--kbps=0", *flags)
    slow.wait_measuring()
    stalled.wait_measuring()
    return slow, stalled


def run(hub, options, failures):
    flags = ["--wall"] if options.wall else []
    print_heading(f"{options.good} good viewers of {'/ws' if options.wall else '/api/ws'}")
    before = good_ones(hub, options, flags)
    print_good("alone", before)
    pid = hub.child("camhub-http http")
    rss_kib, tcp_before, counted = memory_kib(pid)[0], tcp_kib(), skipped(hub, "cam")
    memory = Memory(pid)
    memory.start()
    slow, stalled = crowd(hub, options, flags)
    beside = good_ones(hub, options, flags)
    print_good(f"beside {options.slow} slow, {options.stalled} stalled", beside)
    slow, stalled = slow.result(), stalled.result()
    memory.done.set()
    judge_good(before, beside, 0.9 * before["delay_ms"]["n"], failures)
    judge_speed(before, beside, failures)
    judge_slow(slow, skipped(hub, "cam") - counted, options, failures)
    judge_stalled(stalled, failures)
    judge_memory(memory, rss_kib, tcp_before, options, failures)
    if hub.child("camhub-http http") != pid:
        failures.append("lost: the front was started again")


def main():
    asked = parser(__doc__.splitlines()[1], good=10, seconds=20)
    asked.add_argument("--slow", type=int, default=900)
    asked.add_argument("--stalled", type=int, default=100)
    asked.add_argument("--kbps", type=int, default=800)
    asked.add_argument("--drain", type=float, default=60, help="at most")
    asked.add_argument("--wall", action="store_true", help="/ws instead of /api/ws")
    options = asked.parse_args()
    if options.smoke:
        options.good, options.slow, options.stalled = 3, 10, 3
        options.seconds, options.settle = 4, 1
    raise_descriptors()
    failures, machine = [], Machine()
    limits = {"limits": {"viewers": options.good + options.slow + options.stalled + 10}}
    with replayed() as replay:
        cameras = [{"name": "cam", "url": replay.url()}, {"name": "other", "url": replay.url("other")}]
        with rig.running_hub(cameras, extra=limits) as hub:
            run(hub, options, failures)
    return finish(machine, failures, options)


if __name__ == "__main__":
    sys.exit(main())
