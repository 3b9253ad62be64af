"""
What the benches share that look at pictures in a browser: the camera with a clock in its picture, the page of
the floor, camhub in front of the same camera, a page with the probe in it, and numbers made of what it saw.
"""

import contextlib
import functools
import http.server
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))

import browser  # noqa: E402
import rig  # noqa: E402

PAGES = os.path.join(HERE, "glass")
TICK = os.sysconf("SC_CLK_TCK")
NUMBERS = 1 << 16  # the number in a picture is counted modulo this
MODES = ("webrtc", "webcodecs", "mse", "mjpeg")
STREAMS = {"webrtc": "h264", "webcodecs": "h264", "mse": "h264", "mjpeg": "jpeg"}


class Camera:
    """One glass_camera process; options as its command line takes them."""

    def __init__(self, **options):
        program = os.path.join(rig.build_dir(), "bench", "glass_camera")
        self._log = tempfile.NamedTemporaryFile("r", prefix="glass-camera-")
        args = [program, f"--log={self._log.name}"]
        for name, value in options.items():
            if value is not None and value is not False:
                args.append(f"--{name}" if value is True else f"--{name}={value}")
        self.process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        words = self.process.stdout.readline().split()
        assert words and words[0] == "PORTS", f"glass_camera said {words}"
        self.rtsp_port, self.ws_port = int(words[1]), int(words[2])

    def url(self, stream):
        return f"rtsp://127.0.0.1:{self.rtsp_port}/{stream}"

    def stop(self):
        """Returns what it did: {stream: {number: (ms to encode, ms until it was sent, bytes, key)}}."""
        self.process.stdin.close()
        self.process.wait(10)
        did = {}
        with self._log as log:
            for line in log:
                stream, number, drawn, encoded, sent, size, key = line.split()
                did.setdefault(stream, {})[int(number) % NUMBERS] = (
                    (int(encoded) - int(drawn)) / 1000, (int(sent) - int(drawn)) / 1000, int(size), key == "1")
        return did


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


@contextlib.contextmanager
def floor_pages():
    """A server of the floor's page; yields its port."""
    handler = functools.partial(Silent, directory=PAGES)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


def camhub_for(camera, mode):
    """camhub with one camera, "door", for a player that takes that mode. The bench's camera encodes what is read and
    nothing else."""
    return rig.running_hub([{"name": "door", "url": camera.url(STREAMS[mode])}])


def probe(**options):
    """The script that looks."""
    parts = [f"globalThis.glassOptions = {json.dumps(options)};"]
    for name in ("barcode.js", "probe.js"):
        with open(os.path.join(PAGES, name), encoding="utf-8") as file:
            parts.append(file.read())
    return "\n".join(parts)


@contextlib.contextmanager
def watched(chromium, width=1280, height=720, **options):
    """A page in which the probe looks at whatever is opened."""
    page = chromium.page(width=width, height=height)
    try:
        page.call("Page.addScriptToEvaluateOnNewDocument", {"source": probe(**options)})
        yield page
    finally:
        page.close()


# --- numbers -----------------------------------------------------------------------------------


def quantile(values, share):
    """As the nearest rank; None of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def unwrapped(numbers):
    """Numbers of pictures, counted modulo NUMBERS, as they would be without end."""
    out = []
    for number in numbers:
        last = out[-1] if out else number
        out.append(last + (number - last + NUMBERS // 2) % NUMBERS - NUMBERS // 2)
    return out


def summary(result):
    """Of what a probe saw in one surface: the figures of one run."""
    frames = result["frames"]
    numbers = unwrapped([frame[0] for frame in frames])
    sent = numbers[-1] - numbers[0] + 1 if numbers else 0
    ages = [frame[1] for frame in frames]
    screen = [frame[2] for frame in frames if frame[2] is not None]
    return {
        "n": len(frames), "sent": sent, "decoded": decoded(result, numbers), "presented": len(set(numbers)), "bad": result["bad"],
        "p50": quantile(ages, 0.5), "p95": quantile(ages, 0.95), "max": max(ages, default=None),
        "screen_p50": quantile(screen, 0.5), "screen_p95": quantile(screen, 0.95),
        "transport": result["transport"], "delays": result["delays"], "numbers": numbers,
    }


def decoded(result, numbers):
    """How many of the pictures from the first to the last of numbers were given to a decoder: by the stamps in them, or counted.
    Nobody sees what WebRTC gives to its own: then those that were presented."""
    if not numbers:
        return 0
    if result["transport"] == "webrtc":
        return len(set(numbers))
    if result["given"]:
        given = {number % NUMBERS for number in result["given"]}
        return sum(1 for number in range(min(numbers), max(numbers) + 1) if number % NUMBERS in given)
    return result["frames"][-1][3] - result["frames"][0][3] + 1


def ms(value, width=7, digits=1):
    return f"{'-':>{width}}" if value is None else f"{value:{width}.{digits}f}"


# --- the machine -------------------------------------------------------------------------------


def cpu_seconds(pids):
    """User and system time of those that live."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="latin-1") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / TICK
    return total


class Cpu:
    """CPU of groups of processes, {"front": [pid, ...]}, in % of a core since the making of this."""

    def __init__(self, groups):
        self._groups = groups
        self._began = time.monotonic()
        self._before = {name: cpu_seconds(pids) for name, pids in groups.items()}

    def percent(self):
        elapsed = time.monotonic() - self._began
        return {name: 100 * (cpu_seconds(pids) - self._before[name]) / elapsed
                for name, pids in self._groups.items()}


def need_browser():
    """Ends the program, aloud, where there is none."""
    reason = browser.missing()
    if reason:
        sys.exit(f"SKIP: {reason}")
