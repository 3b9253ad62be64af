#!/usr/bin/python3 -B
"""
A viewer by WebRTC behind a bad network: packets are lost, late, out of order, or too many for the link. rtc_client makes it
itself, between its socket and what it understands, both ways, so that it needs neither root nor a kernel with netem; it
asks again for what is missing as browsers do, and reports what it got with transport-wide feedback.

    make -C bench rtc-loss-bench
    make -C bench rtc-loss-bench BENCH_FLAGS="--cases loss3 thin --seconds 40"
    make -C bench rtc-loss-bench BENCH_FLAGS=--smoke

The network turns bad when the viewer plays. Ages count from the camera's send (720p25, 3 Mb/s) to the frame's last packet. A
freeze is 200 ms without a frame; "wait" is the age of a
frame's first packet, which is what queues on the way add. With "thin" the link carries 1 Mb/s and queues 2 s: frames are left out until it fits, so that it
is judged by what waits, not by the number of frames. Exit code 1 when a goal is missed (with --smoke: when there is no picture).
"""

import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "e2e"))

import rig  # noqa: E402
from machine import Machine  # noqa: E402
from replay import replayed  # noqa: E402
from rtc import Clients  # noqa: E402

# name: what rtc_client does, and what must be so: (figure, its limit)
CASES = {
    "good": ((), {"missed": 0, "freezes": 0}),
    "loss3": (("--drop=3",), {"missed": 0, "freezes": 0, "more p95": 20}),
    "loss10": (("--drop=10",), {"missed": 0, "freezes": 0}),
    "loss25": (("--drop=25",), {}),
    "jitter": (("--jitter=30",), {"missed": 0, "p50": 45}),
    "shuffle": (("--jitter=30", "--shuffle"), {"missed": 0, "p50": 75}),
    "thin": (("--kbps=1000",), {"wait max": 500}),
}


def measure(hub, flags, options):
    clients = Clients(hub.port, "cam", 1, f"--seconds={options.seconds}", "--late", *flags)
    clients.wait_measuring()
    return clients.result()


def judge(name, row, goals, good):
    found = {"missed": row["missed"], "freezes": row["freezes"], "p50": row["age_ms"]["p50"], "wait max": row["wait_ms"]["max"],
             "more p95": row["age_ms"]["p95"] - (good["age_ms"]["p95"] if good else 0)}
    bad = [f"{name}: {what} is {found[what]:.1f}, the goal is {goal}"
           for what, goal in goals.items() if what in found and found[what] > goal]
    if not row["age_ms"]["n"]:
        bad.append(f"{name}: no picture")
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    if options.smoke:
        options.seconds = 4
    failures, machine, good = [], Machine(), None
    print(f"{'case':8} {'frames':>7} {'missed':>6} {'freezes':>7} {'age p50':>8} {'p95':>7} {'p99':>7} {'max':>7} {'wait max':>8} {'gap max':>8} "
          f"{'asked again':>11} {'came again':>10} {'PLI':>4}")
    with replayed() as replay, rig.running_hub([{"name": "cam", "url": replay.url()}]) as hub:
        for name in options.cases:
            flags, goals = CASES[name]
            row = measure(hub, flags, options)
            age = row["age_ms"]
            print(f"{name:8} {age['n']:7d} {row['missed']:6d} {row['freezes']:7d} {age['p50']:8.2f} {age['p95']:7.2f} {age['p99']:7.2f} "
                  f"{age['max']:7.1f} {row['wait_ms']['max']:8.1f} {row['gap_ms']['max']:8.1f} {row['nacks']:11d} {row['recovered']:10d} {row['plis']:4d}", flush=True)
            good = row if name == "good" else good
            failures += judge(name, row, goals, good)
    machine.end(failures)
    if options.smoke:
        return 1 if any("no picture" in failure for failure in failures) else 0
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
