#!/usr/bin/python3 -B
"""
First picture: from the navigation to camhub's page of a camera until a current picture is on the screen, that is
one at most 300 ms old by the clock in it; a key frame of long ago does not count.

    make -C bench first-picture-bench                          50 loads for each kind of stream
    make -C bench first-picture-bench BENCH_FLAGS=--smoke      a few, and it judges no speed
    make -C bench first-picture-bench BENCH_FLAGS=--in-page    from the moment at which a page that is there begins to play

The browser is warm (it has had the page before, and comes from another page of the same server). Loads begin at random moments of the group of pictures. Exit code
1 when a picture did not come or, unless --smoke, when a goal is missed.
"""

import argparse
import random
import sys
import time

import glass_rig
from glass_rig import ms, quantile
from machine import Machine

import browser

WARM_LOADS = 3
LIMIT_S = 60
FPS = 25
# seconds from key to key, CABAC, the goals for p50 and p95
KINDS = ((2, False, 120, 250), (2, True, 120, 250), (10, False, 250, 500), (10, True, 350, 650))
STEPS = ("player", "socket", "media", "picture")


def load(page, hub):
    """{"first": ms from the navigation to the first current picture, and when each of STEPS was reached}"""
    page.goto(hub.url("/healthz"))
    page.goto(hub.url("/door"))
    return page.evaluate("glass.whenFirst()", LIMIT_S)


def begin(page, pause_s):
    """The same from when the player of the page begins, which had left it for so long."""
    page.evaluate("glass.takeOut()")
    time.sleep(pause_s)
    return page.evaluate("glass.putBack()", LIMIT_S)


def loads(options, gop_s, has_cabac):
    """(what load() said, of that many; the transport); one camera of that kind."""
    camera = glass_rig.Camera(gop=gop_s * FPS, cabac=has_cabac)
    try:
        with glass_rig.camhub_for(camera, options.mode or "mse") as hub, browser.Browser() as chromium, \
                glass_rig.watched(chromium, modes=options.mode) as page:
            for _ in range(WARM_LOADS):
                load(page, hub)
            taken = []
            for _ in range(options.loads):
                pause_s = random.uniform(0, gop_s)  # any moment of the GOP
                if options.in_page:
                    taken.append(begin(page, 1 + pause_s))
                    continue
                time.sleep(pause_s)
                taken.append(load(page, hub))
            transport = page.evaluate("document.querySelector('camhub-player').stats.transport")
    finally:
        camera.stop()
    return taken, transport


def main():
    glass_rig.need_browser()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--loads", type=int)
    parser.add_argument("--mode", default="", help="webrtc, webcodecs, mse or mjpeg; default: what the player chooses")
    parser.add_argument("--gop", type=int, help="only streams with so many seconds from key to key")
    parser.add_argument("--in-page", action="store_true", help="without the page's own way to the browser")
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    options.loads = options.loads or (3 if options.smoke else 50)
    kinds = KINDS[:1] if options.smoke else [kind for kind in KINDS if options.gop in (None, kind[0])]
    machine, missed = Machine(), []
    print(f"{'stream, 720p25, 3 Mb/s':36} {'transport':10} {'p50 ms':>8} {'p95':>8} {'min':>8} {'max':>8} {'N':>4}   "
          "medians on the way: element there, socket open, first media, first picture (of any age)")
    for gop_s, has_cabac, p50_goal, p95_goal in kinds:
        ways, transport = loads(options, gop_s, has_cabac)
        name = f"GOP {gop_s} s, {'main with CABAC' if has_cabac else 'constrained baseline'}"
        taken = [way["first"] for way in ways]
        steps = " ".join(ms(quantile([way[step] for way in ways if step in way], 0.5), 6, 0) for step in STEPS)
        p50, p95 = quantile(taken, 0.5), quantile(taken, 0.95)
        print(f"{name:36} {transport:10} {ms(p50, 8)} {ms(p95, 8)} {ms(min(taken), 8)} {ms(max(taken), 8)} {len(taken):4d}   {steps}",
              flush=True)
        if p50 > p50_goal or p95 > p95_goal:
            missed.append(f"{name}: the goals are p50 {p50_goal} ms, p95 {p95_goal} ms")
    machine.end(missed)
    return 1 if missed and not options.smoke else 0


if __name__ == "__main__":
    sys.exit(main())
