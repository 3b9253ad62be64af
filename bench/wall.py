#!/usr/bin/python3 -B
"""
A wall of cameras in one page: pictures presented, their glass delay, and what it costs.

    make -C bench wall-bench                                       4 and 16 tiles, 20 s each
    make -C bench wall-bench BENCH_FLAGS="--tiles 9 --modes mse"
    make -C bench wall-bench BENCH_FLAGS=--smoke                   short, and it judges nothing

Each camera has a main stream (1280x720 at 25 fps, 3 Mb/s) and a second one (640x360 at 15 fps, 500 kb/s), read by
workers of their own; the wall chooses. The clock is read in one of five pictures, all are counted. Exit code 1
when a tile stayed without pictures or, unless --smoke, when too few were presented.
"""

import argparse
import sys
import time

import glass_rig
from glass_rig import ms, quantile, unwrapped
from machine import Machine

import browser
import rig

EVERY = 5
FPS_MIN = 15  # of the smaller stream
STEADY = 0.9  # of what was sent must lie between the first and the last picture that were seen
SETTLE_S = 4
PRESENTED_GOAL = 0.995


def tile_figures(result):
    """Of one tile: (pictures sent, presented, ages) between the first and the last whose clock was read."""
    frames = result["frames"]
    numbers = unwrapped([frame[0] for frame in frames])
    if not numbers:
        return 0, 0, []
    return numbers[-1] - numbers[0] + 1, EVERY * (len(frames) + result["bad"] - 1) + 1, [frame[1] for frame in frames]


def look(page, url, tiles, seconds, groups):
    """(what the probe saw in each tile, CPU of the groups in % of a core)"""
    page.goto(url)
    page.wait_for(f"globalThis.glass?.results().length >= {tiles}", 90, f"{tiles} moving tiles")
    time.sleep(SETTLE_S)  # not the burst at the join
    page.evaluate("glass.reset()")
    cpu = glass_rig.Cpu(groups)
    time.sleep(seconds)  # what is measured is what happens in this time
    percent = cpu.percent()
    return page.evaluate("glass.results()"), percent


def processes(hub, chromium, camera):
    children = hub.children()
    return {
        "chromium": chromium.processes(),
        "front": [pid for words, pid in children.items() if words.startswith("camhub-http")],
        "workers": [pid for words, pid in children.items() if words.startswith("camhub-worker")],
        "camera": [camera.process.pid],
    }


def measure(options, tiles, mode):
    """Prints one row; returns what was missed."""
    camera = glass_rig.Camera()
    cameras = [{"name": f"cam{i}", "url": camera.url(f"h264-{i}"), "sub": camera.url(f"sub-{i}")} for i in range(tiles)]
    machine = Machine()
    try:
        with rig.running_hub(cameras) as hub, browser.Browser() as chromium, \
                glass_rig.watched(chromium, options.width, options.height, modes=mode, every=EVERY) as page:
            results, cpu = look(page, hub.url("/"), tiles, options.seconds, processes(hub, chromium, camera))
    finally:
        camera.stop()
    figures = [tile_figures(result) for result in results]
    sent, presented = (sum(one[i] for one in figures) for i in (0, 1))
    ages = [age for one in figures for age in one[2]]
    worst = min((one[1] / one[0] for one in figures if one[0]), default=0)
    transports = "+".join(sorted({result["transport"] or "?" for result in results}))
    print(f"{tiles:5d} {transports:10} {sent:7d} {presented:9d} {100 * worst:10.1f} {ms(quantile(ages, 0.5))} {ms(quantile(ages, 0.95))} "
          f"{ms(cpu['chromium'], 9)} {ms(cpu['front'])} {ms(cpu['workers'], 8)} {ms(cpu['camera'])} {machine.steal_percent():7.1f}",
          flush=True)
    moving = sum(1 for one in figures if one[1] > 1)
    steady = sum(1 for one in figures if one[0] > STEADY * FPS_MIN * options.seconds)
    if moving < tiles:
        return [f"only {moving} of {tiles} tiles had pictures"]
    if steady < tiles:
        return [f"{tiles} tiles: {tiles - steady} stood still at the end"]
    return [f"{tiles} tiles: {100 * worst:.1f} % presented in the worst tile"] if worst < PRESENTED_GOAL else []


def main():
    glass_rig.need_browser()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--tiles", default="4,16")
    parser.add_argument("--modes", default="", help="webcodecs, mse or both with a comma; default: what the player chooses")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    if options.smoke:
        options.tiles, options.seconds = "4", 3
    machine, missed = Machine(), []
    print(f"{'tiles':>5} {'transport':10} {'sent':>7} {'presented':>9} {'worst tile':>10} {'p50 ms':>7} {'p95':>7} {'chromium':>9} "
          f"{'front':>7} {'workers':>8} {'camera':>7} {'steal %':>7}   (% presented; % of a core)")
    for mode in options.modes.split(","):
        for tiles in map(int, options.tiles.split(",")):
            missed += measure(options, tiles, mode)
    machine.end(missed)
    without = any("had pictures" in text for text in missed)
    return 1 if without or (missed and not options.smoke) else 0


if __name__ == "__main__":
    sys.exit(main())
