#!/usr/bin/python3 -B
"""
From the camera's encoder to an array in Python: a program on camhub's tap beside the same program that reads the camera
by RTSP through OpenCV and FFmpeg, in turns, and what each costs.

    make -C bench tap-bench                         5 runs of 12 s for each
    make -C bench tap-bench BENCH_FLAGS=--smoke     short, and it judges no speed

Camera and clock are those of glass-bench. `age` counts from the moment at which the camera had encoded that picture to
the moment at which the program has it as an array; `decode` is what the program spends in frame.to_ndarray() (H.264 to
BGR); `reader` is its CPU for each picture, `camhub` what worker and front take beside it (they serve everybody who watches).
Exit code 1 when no picture came, or, unless --smoke, when the p50 through camhub is more than 2 ms above
what decoding takes.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import unittest

import glass_rig
from glass_rig import median, ms, quantile
from machine import Machine, running_seconds

import rig

GOAL_MS = 2
FPS = 25  # of the camera
WAYS = ("camhub", "opencv", "opencv-low-delay")
HERE = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(rig.build_dir(), "python", ".venv")


def reader(way, where, seconds):
    environ = {**os.environ, "PYTHONPATH": os.path.join(rig.source_dir(), "python")}
    return subprocess.run([f"{VENV}/bin/python", "-B", os.path.join(HERE, "tap_reader.py"), way, where, str(seconds)],
                          env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                          timeout=seconds + 120)


def need_reader():
    """Exit 77, and why, where there is nothing to measure with."""
    made = subprocess.run([os.path.join(rig.source_dir(), "python", "venv.sh"), VENV], capture_output=True, text=True,
                          check=False)
    why = made.stderr if made.returncode else reader("camhub", "", 0).stderr
    if why.strip():
        print(f"SKIP: tap-bench: {why.strip().splitlines()[-1]}")
        sys.exit(77)


def camhub_cpu(hub):
    return sum(running_seconds(pid) for words, pid in hub.children().items()
               if words.startswith(("camhub-worker", "camhub-http")))


def run(way, hub, camera, seconds):
    machine = Machine()
    before, began = camhub_cpu(hub), time.monotonic()
    done = reader(way, hub.runtime if way == "camhub" else camera.url("h264"), seconds)
    if done.returncode != 0 or not done.stdout:
        raise LookupError(f"{way}: {done.stderr.strip()[-300:]}")
    told = json.loads(done.stdout)
    count = len(told["pictures"]) + told["bad"]
    return {"pictures": told["pictures"], "bad": told["bad"], "reader": 1000 * told["cpu_s"] / count if count else None,
            "camhub": 1000 * (camhub_cpu(hub) - before) / (time.monotonic() - began) / FPS if way == "camhub" else 0.0,
            "steal": machine.steal_percent()}


def add_figures(taken, encoded):
    """encoded: {number: ms from drawing to the end of its encoding}"""
    for runs in taken.values():
        for one in runs:
            ages = [age - encoded[number] for number, age, _ in one["pictures"] if number in encoded]
            decodes = [decode for _, _, decode in one["pictures"] if decode is not None]
            one.update(n=len(ages), p50=quantile(ages, 0.5), p95=quantile(ages, 0.95), decode=quantile(decodes, 0.5))


def print_row(way, runs):
    """Prints it; (p50, decode)."""
    middle = {key: median([one[key] for one in runs]) for key in ("p50", "p95", "decode", "reader", "camhub", "steal")}
    print(f"{way:17} {ms(middle['p50'])} {ms(middle['p95'])} {ms(middle['decode'])} {ms(middle['reader'], 9, 2)} "
          f"{ms(middle['camhub'], 9, 2)} {sum(one['n'] for one in runs):8d} {sum(one['bad'] for one in runs):5d} {len(runs):4d} "
          f"{middle['steal']:7.1f}", flush=True)
    return middle["p50"], middle["decode"]


def measure(options):
    camera = glass_rig.Camera(gop=50)
    taken = {way: [] for way in WAYS}
    try:
        with glass_rig.camhub_for(camera, "webcodecs") as hub:
            for turn in range(options.runs):
                for way in WAYS if turn % 2 == 0 else reversed(WAYS):
                    taken[way].append(run(way, hub, camera, options.seconds))
    finally:
        did = camera.stop()
    add_figures(taken, {number: one[0] for number, one in did["h264"].items()})
    return taken


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--runs", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    runs, seconds = (1, 2) if options.smoke else (5, 12)
    options.runs, options.seconds = options.runs or runs, options.seconds or seconds
    need_reader()
    machine, began = Machine(), time.monotonic()
    try:
        taken = measure(options)
    except unittest.SkipTest as why:
        print(f"SKIP: tap-bench: {why}")
        return 77
    print("1280x720 at 25 fps, H.264; encoder to array, each figure is the median of the runs\n"
          f"{'way':17} {'p50 ms':>7} {'p95':>7} {'decode':>7} {'reader ms':>9} {'camhub ms':>9} {'pictures':>8} {'bad':>5} "
          f"{'runs':>4} {'steal %':>7}")
    rows = {way: print_row(way, runs) for way, runs in taken.items()}
    print(f"\n{machine.said()}; {time.monotonic() - began:.0f} s")
    p50, decode = rows["camhub"]
    if p50 is None or any(row[0] is None for row in rows.values()):
        print("MISSED: no pictures")
        return 1
    if p50 > decode + GOAL_MS and not options.smoke:
        print(f"MISSED: {p50:.1f} ms through camhub, of which {decode:.1f} decoding: the goal is {GOAL_MS} more at most")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
