#!/usr/bin/python3 -B
"""
One camera (720p25, 3 Mb/s, replayed) and N viewers at once, each in its own connection: how old a frame
is when a viewer has read it, what it costs, and what is lost. Beside camhub's front, on the same machine and
in the same run: the floor (floor.c: one epoll loop, one sendmsg for each frame and viewer, the same bytes),
and go2rtc where it is on PATH.

    make -C bench fanout-bench
    make -C bench fanout-bench BENCH_FLAGS=--smoke                   a smoke test: it judges no speed
    make -C bench fanout-bench BENCH_FLAGS="--viewers 500 --rounds 3"

Delays count from the camera's send: to the read of the frame's last byte by the viewers' process, and to its
arrival in the kernel (the machine's cores are shared with camera and viewers). CPU is the server's own
process alone, also for each frame that a viewer got; memory for each viewer is what its RSS grows from one viewer to N, and what the kernel's TCP
buffers, of both ends, take beside it. Exit code 1 when a frame was lost, or, unless --smoke, when a goal is missed.
"""

import argparse
import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "e2e"))

import rig  # noqa: E402
from machine import Machine, memory_kib, running_seconds, tcp_kib  # noqa: E402
from peers import go2rtc  # noqa: E402
from replay import replayed  # noqa: E402

JUDGED = 500  # viewers
P99_MS, CPU_TIMES_FLOOR, CPU_PERCENT, VIEWER_KIB, GO2RTC_SHARE = 20, 1.5, 22, 64, 0.4


def raise_descriptors():
    """For this process and all that it starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


FPS = 25
# What ws_clients counts of viewers that are not there.
GONE = {"closed": "closed", "refused": "refused", "without_picture": "without a picture", "malformed": "malformed messages"}


class Clients:
    """One ws_clients process."""

    def __init__(self, port, stream, viewers, *flags):
        program = os.path.join(rig.build_dir(), "bench", "ws_clients")
        self.process = subprocess.Popen([program, f"--port={port}", f"--clients={viewers}", *flags, stream],
                                        stdout=subprocess.PIPE, text=True)

    def wait_measuring(self):
        line = self.process.stdout.readline()
        assert line == "MEASURING\n", f"ws_clients said {line!r}"

    def result(self):
        out, _ = self.process.communicate(timeout=rig.PATIENCE_S)
        return json.loads(out)


@contextlib.contextmanager
def floor(replay):
    """(pid, port)"""
    program = os.path.join(rig.build_dir(), "bench", "floor")
    child = subprocess.Popen([program, str(replay.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield child.pid, int(child.stdout.readline().split()[1])
    finally:
        child.stdin.close()
        child.wait(10)


@contextlib.contextmanager
def front(hub):
    yield hub.child("camhub-http http"), hub.port


@contextlib.contextmanager
def rival(replay):
    with go2rtc(replay) as server:
        yield server.pid, server.port


def measure(pid, port, stream, viewers, options, *flags):
    """One row: what the viewers saw, and what the server took meanwhile."""
    idle_tcp = tcp_kib()
    clients = Clients(port, stream, viewers, f"--settle={options.settle}", f"--seconds={options.seconds}", *flags)
    clients.wait_measuring()
    cpu, machine, began = running_seconds(pid), Machine(), time.monotonic()
    time.sleep(options.seconds * 0.95)
    elapsed = time.monotonic() - began
    row = {"cpu": 100 * (running_seconds(pid) - cpu) / elapsed, "steal": machine.steal_percent(),
           "load": os.getloadavg()[0], "tcp_kib": max(0, tcp_kib() - idle_tcp)}
    row["seconds"] = options.seconds
    row["rss_kib"], _, row["pss_kib"] = memory_kib(pid)
    row.update(clients.result())
    return row


HEAD = (f"{'viewers':>7}  {'server':16} {'frames':>7} {'lost':>5} {'p50 ms':>7} {'p99':>7} {'max':>7} {'kernel p99':>10} "
        f"{'CPU %':>6} {'us/frame':>8} {'x floor':>7} {'RSS MiB':>8} {'PSS':>6} {'KiB/viewer':>10} {'kernel KiB':>10} {'load':>5} "
        f"{'steal %':>7}")


def print_row(viewers, name, row, base, one_kib):
    delay, each = row["delay_ms"], ""
    if viewers > 1 and one_kib is not None:
        row["viewer_kib"] = (row["rss_kib"] - one_kib) / (viewers - 1)
        each = f"{row['viewer_kib']:.1f}"
    # For each frame that came: who is kept waiting by the machine sends less, and seems cheap.
    row["frame_us"] = row["cpu"] / 100 * row["seconds"] * 1e6 / max(1, delay["n"])
    row["times_floor"] = row["frame_us"] / base["frame_us"] if base else 1
    print(f"{viewers:7d}  {name:16} {delay['n']:7d} {row['lost']:5d} {delay['p50']:7.2f} {delay['p99']:7.2f} "
          f"{delay['max']:7.1f} {row['kernel_ms']['p99']:10.2f} {row['cpu']:6.1f} "
          f"{row['frame_us']:8.1f} {row['times_floor']:7.2f} "
          f"{row['rss_kib'] / 1024:8.1f} {row['pss_kib'] / 1024:6.1f} {each:>10} {row['tcp_kib'] / viewers:10.1f} "
          f"{row['load']:5.1f} {row['steal']:7.1f}", flush=True)


def run_all(replay, hub, options):
    """{(viewers, server): [row of each round]}"""
    servers = [("floor", lambda: floor(replay), "cam", ()),
               ("camhub /api/ws", lambda: front(hub), "cam", ())]
    if not options.no_wall:
        servers.append(("camhub /ws", lambda: front(hub), "cam", ("--wall",)))
    if shutil.which("go2rtc"):
        servers.append(("go2rtc /api/ws", lambda: rival(replay), "c0", ()))
    else:
        print("go2rtc is not on PATH: left out")
    print(HEAD)
    rows, one_kib = {}, {}
    for viewers in options.viewers:
        for _ in range(options.rounds if viewers == JUDGED else 1):
            base = None
            for name, start, stream, flags in servers:
                with start() as (pid, port):
                    row = measure(pid, port, stream, viewers, options, *flags)
                if viewers == 1:
                    one_kib[name] = row["rss_kib"]
                print_row(viewers, name, row, base, one_kib.get(name))
                base = base or row
                rows.setdefault((viewers, name), []).append(row)
    return rows


def missing_viewers(row, expected):
    """In words, which viewers did not see all that was measured; "" when all did."""
    bad = [f"lost: {row[key]} {words}" for key, words in GONE.items() if row[key]]
    if row["delay_ms"]["n"] < expected:
        bad.append(f"{row['delay_ms']['n']} frames measured of {expected:.0f} at least")
    return ", ".join(bad)


def median(rows, key):
    return statistics.median(key(row) for row in rows)


def judge(rows, failures):
    """Against the goals, at 500 viewers: the median of the rounds."""
    for (viewers, name), all_rounds in rows.items():
        if not name.startswith("camhub"):
            continue
        for row in all_rounds:
            bad = missing_viewers(row, 0.9 * viewers * row["seconds"] * FPS)
            if bad:
                failures.append(f"{name}, {viewers} viewers: {bad}")
        lost = sum(row["lost"] + row["skipped"] for row in all_rounds)
        if lost:
            failures.append(f"{name}, {viewers} viewers: {lost} frames lost or skipped")
        if viewers != JUDGED:
            continue
        found = {"p99 ms": (median(all_rounds, lambda row: row["delay_ms"]["p99"]), P99_MS),
                 "CPU %": (median(all_rounds, lambda row: row["cpu"]), CPU_PERCENT),
                 "CPU for a frame as a multiple of the floor's": (median(all_rounds, lambda row: row["times_floor"]),
                                                      CPU_TIMES_FLOOR)}
        if all("viewer_kib" in row for row in all_rounds):
            found["KiB for a viewer"] = (median(all_rounds, lambda row: row["viewer_kib"]), VIEWER_KIB)
        else:
            failures.append(f"{name}: the memory of a viewer was not measured: --viewers without 1")
        peer = rows.get((viewers, "go2rtc /api/ws"))
        if peer:
            found["CPU as a share of go2rtc's"] = (found["CPU %"][0] / median(peer, lambda row: row["cpu"]), GO2RTC_SHARE)
        print(f"{name}, {viewers} viewers, median of {len(all_rounds)}: "
              + ", ".join(f"{what} {value:.2f} (goal {goal})" for what, (value, goal) in found.items()))
        failures += [f"{name}, {viewers} viewers: {what} is {value:.2f}, the goal is {goal}"
                     for what, (value, goal) in found.items() if value > goal]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 50, 200, 500, 1000])
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--settle", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3, help=f"with {JUDGED} viewers")
    parser.add_argument("--no-wall", action="store_true", help="without /ws")
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    if options.smoke:
        options.viewers, options.seconds, options.settle = [1, 20], 2, 1
    raise_descriptors()
    failures, machine = [], Machine()
    limits = {"limits": {"viewers": max(options.viewers) + 10}}
    with replayed() as replay, rig.running_hub([{"name": "cam", "url": replay.url()}], extra=limits) as hub:
        rows = run_all(replay, hub, options)
    judge(rows, failures)
    machine.end(failures)
    if options.smoke:
        return 1 if any("lost" in failure for failure in failures) or \
            any(row["fragments"] == 0 for rounds in rows.values() for row in rounds) else 0
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
