#!/usr/bin/python3 -B
"""
Sixteen RTSP cameras (a recorded 1280x720 clip, 25 fps, 3 Mb/s, replayed) and 64 WebSocket viewers on
one camhub: frames lost, the high-water marks of every queue, memory and CPU of each process.

    make -C bench bench                                 ten minutes
    make -C bench bench BENCH_FLAGS=--smoke             a smoke test: small, and it judges no speed

Exit code 0 when no viewer lost a frame; of the smoke test when pictures came and every frame that a
viewer did not get was announced to it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "e2e"))

import rig  # noqa: E402
from camera import make_clip  # noqa: E402
from machine import count_threads, cpu_seconds, machine_busy, memory_kib  # noqa: E402

def print_processes(pids, before, seconds):
    print(f"\n{'process':28} {'CPU %':>6} {'RSS MiB':>8} {'peak':>6} {'PSS':>6} {'threads':>7}")
    for name, pid in sorted(pids.items()):
        now = cpu_seconds(pid)
        if now is None:
            print(f"{name:28} is gone")
            continue
        rss, peak, pss = memory_kib(pid)
        print(f"{name:28} {100 * (now - before[name]) / seconds:6.1f} {rss / 1024:8.1f} "
              f"{peak / 1024:6.1f} {pss / 1024:6.1f} {count_threads(pid):7d}")


def print_queues(hub):
    """What the supervisor tells of each stream's queues; returns how many holes the front saw."""
    answer = hub.ask("status")
    print(f"\n{'camera':10} {'state':10} {'fps':>6} {'kb/s':>7} {'frames':>8} {'restarts':>8} {'viewers':>7} "
          f"{'holes':>5} {'skipped':>7} {'ring high KiB':>13} {'lag high KiB':>12}")
    holes = 0
    for camera in (message for message in answer if message["type"] == "camera"):
        holes += camera["holes"]
        print(f"{camera['name']:10} {camera['state']:10} {camera['fps']:6.1f} "
              f"{camera['bitrate_bps'] / 1000:7.0f} {camera['frames']:8d} {camera['restarts']:8d} "
              f"{camera['viewers']:7d} {camera['holes']:5d} {camera['skipped']:7d} "
              f"{camera['ring_bytes_high'] / 1024:13.0f} {camera['lag_bytes_high'] / 1024:12.0f}")
    return holes


def measure(hub, server, options):
    """Viewers for the given time; (what ws_clients says, its exit code)."""
    names = [f"cam{i}" for i in range(options.cameras)]
    program = os.path.join(rig.build_dir(), "bench", "ws_clients")
    pids = dict(hub.children())
    pids["camhub-supervisor"] = hub.process.pid
    pids["(cameras: rtsp_camera)"] = server.process.pid
    clients = subprocess.Popen(
        [program, f"--port={hub.port}", f"--clients={options.viewers}",
         f"--seconds={options.seconds}", "--fps=25", *names], stdout=subprocess.PIPE, text=True)
    pids["(viewers: ws_clients)"] = clients.pid
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    busy = machine_busy()
    # While the viewers still watch: a process that has ended tells nothing about its memory.
    try:
        clients.wait(options.seconds - 1)
    except subprocess.TimeoutExpired:
        pass
    print_processes(pids, before, options.seconds - 1)
    print(f"\nmachine: {100 * (machine_busy() - busy) / (options.seconds - 1):.0f} % of one core busy, "
          f"{os.cpu_count()} cores, load {os.getloadavg()}")
    holes = print_queues(hub)
    out, _ = clients.communicate(timeout=rig.PATIENCE_S)
    return json.loads(out), clients.returncode, holes


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--cameras", type=int, default=16)
    parser.add_argument("--viewers", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    if options.smoke:
        options.cameras, options.viewers, options.seconds = 4, 16, 15
    with tempfile.TemporaryDirectory(prefix="camhub-bench-") as directory:
        clip = os.path.join(directory, "clip.h264")
        make_clip(clip, seconds=10)
        server = rig.rtsp_camera(clip=clip, fps=25)
        cameras = [{"name": f"cam{i}", "url": server.url("clip")} for i in range(options.cameras)]
        try:
            with rig.running_hub(cameras) as hub:
                viewers, code, holes = measure(hub, server, options)
        finally:
            server.stop()
    print(f"\nviewers: {json.dumps(viewers)}")
    expected = viewers["clients"] * (options.seconds - 2) * 25
    short = viewers["fragments"] < 0.9 * expected
    print(f"\n{viewers['lost'] + viewers['skipped']} frames lost of {viewers['fragments']}, {holes} holes on the bus"
          f"{', FEWER PICTURES THAN THE CAMERAS SENT' if short else ''}")
    if options.smoke:
        return 1 if viewers["lost"] or holes or not viewers["fragments"] else 0
    return 1 if code or holes or short else 0


if __name__ == "__main__":
    sys.exit(main())
