#!/usr/bin/python3 -B
"""
One camera (720p25, 3 Mb/s, replayed) and N viewers by WebRTC, each with a socket of its own (rtc_client): how old a
frame is when a viewer has it, what camhub-rtc takes for it, and what is lost.

    make -C bench rtc-bench
    make -C bench rtc-bench BENCH_FLAGS=--smoke                   a smoke test: it judges no speed
    make -C bench rtc-bench BENCH_FLAGS="--viewers 1 100 400"

Ages count from the camera's send to the viewer's last packet of the frame (the machine's cores are shared with
camera and viewers). CPU is camhub-rtc's own process alone; "a core has room for" is what one core would do at that
cost. Memory for each viewer is what its RSS grows from one viewer to N. Exit code 1 when a frame was missed, or, unless
--smoke, when a goal is.
"""

import argparse
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "e2e"))

import rig  # noqa: E402
from fanout import raise_descriptors  # noqa: E402
from machine import Machine, memory_kib, running_seconds  # noqa: E402
from replay import replayed  # noqa: E402

JUDGED = 200  # viewers
ROOM, VIEWER_KIB = 600, 64


class Clients:
    """One rtc_client process."""

    def __init__(self, port, stream, viewers, *flags, prefix=(), host="127.0.0.1"):
        program = os.path.join(rig.build_dir(), "bench", "rtc_client")
        self.process = subprocess.Popen([*prefix, program, f"--host={host}", f"--port={port}", f"--clients={viewers}", *flags,
                                         f"/{stream}/whep"], stdout=subprocess.PIPE, text=True)

    def wait_measuring(self):
        line = self.process.stdout.readline()
        assert line == "MEASURING\n", f"rtc_client said {line!r}"

    def result(self):
        out, _ = self.process.communicate(timeout=rig.PATIENCE_S)
        return json.loads(out)


def measure(pid, port, viewers, options):
    clients = Clients(port, "cam", viewers, f"--seconds={options.seconds}", f"--settle={options.settle + viewers / 10}")
    clients.wait_measuring()
    cpu, machine, began = running_seconds(pid), Machine(), time.monotonic()
    time.sleep(options.seconds * 0.95)
    row = {"cpu": 100 * (running_seconds(pid) - cpu) / (time.monotonic() - began), "steal": machine.steal_percent(),
           "load": os.getloadavg()[0]}
    row["rss_kib"], _, row["pss_kib"] = memory_kib(pid)
    row.update(clients.result())
    return row


HEAD = (f"{'viewers':>7} {'playing':>7} {'frames':>7} {'missed':>6} {'age p50':>8} {'p95':>7} {'p99':>7} {'first p50':>9} {'up p50':>7} "
        f"{'CPU %':>6} {'a core has room for':>19} {'RSS MiB':>8} {'KiB/viewer':>10} {'load':>5} {'steal %':>7}")


def print_row(viewers, row, one_kib):
    age = row["age_ms"]
    row["room"] = 100 * row["playing"] / max(row["cpu"], 0.01)
    row["viewer_kib"] = (row["rss_kib"] - one_kib) / (viewers - 1) if viewers > 1 else None
    each = f"{row['viewer_kib']:.1f}" if row["viewer_kib"] is not None else ""
    print(f"{viewers:7d} {row['playing']:7d} {row['frames']:7d} {row['missed']:6d} {age['p50']:8.2f} {age['p95']:7.2f} {age['p99']:7.2f} "
          f"{row['first_ms']['p50']:9.1f} {row['up_ms']['p50']:7.1f} {row['cpu']:6.1f} {row['room']:19.0f} {row['rss_kib'] / 1024:8.1f} "
          f"{each:>10} {row['load']:5.1f} {row['steal']:7.1f}", flush=True)


def judge(viewers, row):
    """What is missing, in words."""
    bad = []
    if row["playing"] < viewers or row["closed"] or row["missed"]:
        bad.append(f"lost: {viewers - row['playing']} do not play, {row['closed']} were closed, {row['missed']} frames missed")
    if viewers == JUDGED and row["room"] < ROOM:
        bad.append(f"a core has room for {row['room']:.0f} viewers, the goal is {ROOM}")
    if viewers == JUDGED and row["viewer_kib"] is not None and row["viewer_kib"] > VIEWER_KIB:
        bad.append(f"{row['viewer_kib']:.1f} KiB for a viewer, the goal is {VIEWER_KIB}")
    return [f"{viewers} viewers: {what}" for what in bad]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 50, JUDGED])
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--settle", type=float, default=5)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    if options.smoke:
        options.viewers, options.seconds = [1, 10], 2
    raise_descriptors()
    failures, machine, one_kib = [], Machine(), 0
    limits = {"limits": {"viewers": max(options.viewers) + 10}, "rtc": {"max_per_address": 0}}
    with replayed() as replay, rig.running_hub([{"name": "cam", "url": replay.url()}], extra=limits) as hub:
        print(HEAD)
        for viewers in options.viewers:
            row = measure(hub.child("camhub-rtc rtc"), hub.port, viewers, options)
            one_kib = one_kib or row["rss_kib"]
            print_row(viewers, row, one_kib)
            failures += judge(viewers, row)
    machine.end(failures)
    if options.smoke:
        return 1 if any("lost" in failure for failure in failures) else 0
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
