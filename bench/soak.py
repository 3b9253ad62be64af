#!/usr/bin/python3 -B
"""
A wall left alone: does it get later, does anything grow?

    make -C bench soak-bench                                       an hour, 4 cameras
    make -C bench soak-bench BENCH_FLAGS="--minutes 600 --tiles 9"

Each minute: the glass delay of every tile, the memory of each of camhub's processes, and the page's heap (after a
collection), its nodes and listeners. All the while ffprobe reads one camera's stream.mp4 and must not complain.
What the last sixth of the time shows is compared with what the second tenth showed, when all was warm. Exit code 1
when the delay drifted, something grew, a tile stood still for a minute, or ffprobe complained.
"""

import argparse
import subprocess
import sys
import tempfile
import time

import glass_rig
from glass_rig import median, ms, quantile
from machine import Machine

import browser
import rig

EVERY = 5
DRIFT_GOAL_MS = 20
PROCESS_GROWTH = (1.10, 2048)  # at most so many times as much, and KiB
HEAP_GROWTH = (1.30, 2048)
COUNT_GROWTH = (1.10, 20)  # nodes and listeners
HEAP = {"heap KiB": ("JSHeapUsedSize", 1024), "nodes": ("Nodes", 1), "listeners": ("JSEventListeners", 1)}


def rss_kib(pid):
    with open(f"/proc/{pid}/status", encoding="latin-1") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def processes(hub):
    """{"camhub-worker cam0": pid, ...}, and the supervisor."""
    return {"camhub-supervisor": hub.process.pid, **hub.children()}


def page_figures(page):
    page.call("HeapProfiler.collectGarbage")
    metrics = {metric["name"]: metric["value"] for metric in page.call("Performance.getMetrics")["metrics"]}
    return {name: metrics[metric] / unit for name, (metric, unit) in HEAP.items()}


class Ffprobe:
    """Reads a stream without an end, until stop()."""

    def __init__(self, url):
        self.complaints = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            ["ffprobe", "-v", "error", "-show_entries", "packet=pts_time", "-of", "csv=p=0", url],
            stdout=subprocess.DEVNULL, stderr=self.complaints, stdin=subprocess.DEVNULL)

    def stop(self):
        """What it complained of; that it ended before it was told to is a complaint too."""
        early = self.process.poll() is not None
        self.process.terminate()
        self.process.wait()
        self.complaints.seek(0)
        return self.complaints.read() + (f"ended by itself: {self.process.returncode}" if early else "")


def sample(page, hub, tiles):
    """One minute: figures by name, and how many tiles moved in it."""
    page.evaluate("glass.reset()")
    time.sleep(60)  # a minute is what is measured
    results = [result for result in page.evaluate("glass.results()") if result["frames"]]
    ages = [frame[1] for result in results for frame in result["frames"]]
    figures = {"p50 ms": quantile(ages, 0.5), "p95 ms": quantile(ages, 0.95), **page_figures(page)}
    for words, pid in processes(hub).items():
        figures[f"{words} KiB"] = rss_kib(pid)
    print(f"{len(results):2d} of {tiles} tiles: p50 {ms(figures['p50 ms'], 0)} ms, p95 {ms(figures['p95 ms'], 0)}; "
          f"heap {figures['heap KiB']:.0f} KiB, {figures['nodes']:.0f} nodes; front "
          f"{figures['camhub-http http KiB']} KiB, supervisor {figures['camhub-supervisor KiB']} KiB", flush=True)
    return figures, len(results)


def limit_of(name, before):
    factor, more = PROCESS_GROWTH if name.startswith("camhub") else HEAP_GROWTH if name.startswith("heap") else COUNT_GROWTH
    return before * factor + more


def judge(taken):
    """Prints what became of each figure; returns what was missed."""
    n, missed = len(taken), []
    tenth, sixth = max(1, n // 10), max(1, n // 6)
    early, late = taken[tenth:2 * tenth] or taken[:1], taken[-sixth:]
    for name in taken[-1]:
        before, after = (median([figures.get(name) for figures in part]) for part in (early, late))
        if before is None or after is None:
            missed.append(f"{name}: there was none at one end")
            continue
        print(f"{name:32} {before:10.1f} {after:10.1f} {after - before:+9.1f}")
        if name == "p50 ms" and abs(after - before) > DRIFT_GOAL_MS:
            missed.append(f"the delay drifted by {after - before:+.1f} ms, the goal is 0 +- {DRIFT_GOAL_MS}")
        elif not name.endswith("ms") and after > limit_of(name, before):
            missed.append(f"{name} grew from {before:.0f} to {after:.0f}")
    return missed


def soak(options, hub, page):
    """Returns what was missed."""
    page.call("Performance.enable")
    page.goto(hub.url("/"))
    page.wait_for(f"globalThis.glass?.results().length >= {options.tiles}", 90, f"{options.tiles} moving tiles")
    reader = Ffprobe(hub.url("/api/stream.mp4?src=cam0"))
    taken, missed, began = [], [], processes(hub)
    for minute in range(1, options.minutes + 1):
        print(f"minute {minute:4d}: ", end="")
        figures, moving = sample(page, hub, options.tiles)
        taken.append(figures)
        if moving < options.tiles:
            missed.append(f"minute {minute}: {options.tiles - moving} tiles stood still")
        now = processes(hub)
        missed += [f"minute {minute}: {words} was started again" for words in began if now.get(words) != began[words]]
        began = now
    complaints = reader.stop()
    if complaints:
        missed.append(f"ffprobe: {complaints[:500]}")
    print(f"\n{'':32} {'early':>10} {'late':>10} {'change':>9}")
    return missed + judge(taken)


def main():
    glass_rig.need_browser()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--tiles", type=int, default=4)
    parser.add_argument("--modes", default="", help="of the players; default: what they choose")
    options = parser.parse_args()
    camera, machine = glass_rig.Camera(), Machine()
    cameras = [{"name": f"cam{i}", "url": camera.url(f"h264-{i}"), "sub": camera.url(f"sub-{i}")} for i in range(options.tiles)]
    try:
        with rig.running_hub(cameras) as hub, browser.Browser() as chromium, \
                glass_rig.watched(chromium, modes=options.modes, every=EVERY) as page:
            missed = soak(options, hub, page)
    finally:
        camera.stop()
    print(f"\n{options.minutes} minutes, {machine.said()}")
    for text in missed:
        print(f"MISSED: {text}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
