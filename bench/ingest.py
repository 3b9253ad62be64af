#!/usr/bin/python3 -B
"""
Ingest: delay from the camera's socket to the message on the bus, CPU and memory of the workers.

    make -C bench ingest-bench                          everything
    make -C bench ingest-bench BENCH_FLAGS=--smoke      short, and it judges no speed

The native worker, and libavformat's beside it in the same run; with many cameras also FFmpeg's own
program and go2rtc when they are on PATH. Exit code 1 when a frame was lost (over TCP) or, unless
--smoke, when a goal is missed.
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "e2e"))

import rig  # noqa: E402
from machine import Machine, cpu_seconds, memory_kib  # noqa: E402
from peers import go2rtc  # noqa: E402
from replay import replayed  # noqa: E402

NATIVE, AV = "camhub-worker", "camhub-worker-av"


def measure(replay, worker, count=1, seconds=10.0, **options):
    """What bench/ingest prints, with the start-up times in ms and the share of stolen time added."""
    machine = Machine()
    with tempfile.TemporaryDirectory(prefix="camhub-ingest-") as directory:
        args = [os.path.join(rig.build_dir(), "bench", "ingest"),
                f"--worker={os.path.join(rig.build_dir(), 'worker', worker)}",
                f"--url={replay.url()}", f"--count={count}",
                f"--seconds={seconds}", f"--dir={directory}"]
        args += [f"--{name.replace('_', '-')}" + ("" if value is True else f"={value}")
                 for name, value in options.items()]
        result = json.loads(subprocess.run(args, check=True, stdout=subprocess.PIPE,
                                           timeout=seconds + 120).stdout)
    result["steal_percent"] = machine.steal_percent()
    first = replay.first_bytes()
    result["start_ms"] = [(first[one["port"]] - one["exec_ns"]) / 1e6
                          for one in result["started"] if one["port"] in first]
    return result


def cost_of(pids, count, seconds):
    """(% of a core for each camera, RSS in MiB for each camera)"""
    time.sleep(3)
    before, began = sum(map(cpu_seconds, pids)), time.monotonic()
    time.sleep(seconds)
    elapsed = time.monotonic() - began
    return (100 * (sum(map(cpu_seconds, pids)) - before) / elapsed / count,
            sum(memory_kib(pid)[0] for pid in pids) / 1024 / count)


@contextlib.contextmanager
def ffmpegs(replay, count):
    """FFmpeg's program, one process for each camera, packets thrown away."""
    children = [subprocess.Popen(
        ["ffmpeg", "-v", "error", "-nostdin", "-rtsp_transport", "tcp",
         "-i", replay.url(f"ff{i}"), "-map", "0", "-c", "copy", "-f", "null", "-"])
        for i in range(count)]
    try:
        yield [child.pid for child in children]
    finally:
        for child in children:
            child.kill()
            child.wait()


@contextlib.contextmanager
def go2rtcs(replay, count):
    with go2rtc(replay, count) as server:
        yield [server.pid]


def row(name, result):
    delay = result["delay_ms"]
    print(f"{name:34} {delay['n']:6d} {result['lost']:5d} {delay['p50']:8.3f} {delay['p95']:8.3f} "
          f"{delay['p99']:8.3f} {delay['max']:8.3f} {result['load']:6.2f} {result['steal_percent']:7.0f}", flush=True)


def delays(replay, options, failures):
    print(f"{'socket -> bus, 720p25, 3 Mb/s':34} {'frames':>6} {'lost':>5} {'p50 ms':>8} {'p95':>8} {'p99':>8} "
          f"{'max':>8} {'load':>6} {'steal %':>7}")
    results = {}
    for transport in ("tcp", "udp"):
        for worker in (NATIVE, AV):
            result = measure(replay, worker, seconds=options.seconds, transport=transport)
            row(f"{worker}, {transport}", result)
            results[worker, transport] = result
            if transport == "tcp" and result["lost"]:
                failures.append(f"{worker} lost {result['lost']} frames over TCP")
    native, av = (results[worker, "tcp"]["delay_ms"] for worker in (NATIVE, AV))
    ratio = av["p50"] / native["p50"]
    print(f"\nlibavformat's p50 is {ratio:.0f} times the native one's (TCP)\n")
    if native["p50"] > 1 or native["p99"] > 5 or ratio < 20:
        failures.append("delay: the goals are p50 <= 1 ms, p99 <= 5 ms, 20 times better than libavformat")


def small(replay, options, failures):
    """One worker: memory, and how soon it speaks."""
    starts = [measure(replay, NATIVE, seconds=0.2, gop_cache=0)["start_ms"][0]
              for _ in range(3 if options.smoke else 11)]
    one = measure(replay, NATIVE, seconds=options.seconds, gop_cache=0)
    print(f"one {NATIVE} without its cached GOP: {one['rss_kib_each'] / 1024:.1f} MiB RSS, "
          f"{one['private_kib_each'] / 1024:.1f} MiB private; exec to first RTSP byte "
          f"{statistics.median(starts):.1f} ms (median of {len(starts)}, at most {max(starts):.1f})\n")
    if one["rss_kib_each"] > 8 * 1024 or one["private_kib_each"] > 3 * 1024 or statistics.median(starts) > 15:
        failures.append("one worker: the goals are 8 MiB RSS, 3 MiB private, 15 ms")


def many(replay, options, failures):
    """CPU with many cameras at once; nobody watches."""
    count = options.cameras
    costs = {}
    for worker in (NATIVE, AV):
        result = measure(replay, worker, count=count, seconds=options.seconds, unwatched=True)
        costs[worker] = (result["cpu_percent_each"], result["rss_kib_each"] / 1024)
    for name, start in (("ffmpeg", ffmpegs), ("go2rtc", go2rtcs)):
        if shutil.which(name) is None:
            print(f"{name} is not on PATH: left out")
            continue
        with start(replay, count) as pids:
            costs[name] = cost_of(pids, count, options.seconds)
    print(f"{count} cameras at once{'':12} {'% of a core each':>18} {'RSS MiB each':>14}")
    for name, (cpu, rss) in costs.items():
        print(f"{name:30} {cpu:18.2f} {rss:14.1f}")
    if costs[NATIVE][0] > 0.5 or costs[NATIVE][0] >= min(cpu for name, (cpu, _) in costs.items() if name != NATIVE):
        failures.append("CPU: the goal is 0.5 % of a core for each camera, and less than the others'")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--cameras", type=int, default=64)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    if options.smoke:
        options.seconds, options.cameras = 3, 4
    failures, machine = [], Machine()
    with replayed() as replay:
        delays(replay, options, failures)
        small(replay, options, failures)
        many(replay, options, failures)
    machine.end(failures)
    lost = [failure for failure in failures if "lost" in failure]
    return 1 if lost or (failures and not options.smoke) else 0


if __name__ == "__main__":
    sys.exit(main())
