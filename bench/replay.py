"""The benches' camera: rtsp_replay (see there), and the clip that it plays."""

import contextlib
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "e2e"))

import rig  # noqa: E402
from camera import make_clip  # noqa: E402


class Replay:
    """One rtsp_replay process."""

    def __init__(self, clip):
        program = os.path.join(rig.build_dir(), "bench", "rtsp_replay")
        self.log = tempfile.NamedTemporaryFile("r")
        with open(self.log.name, "wb") as out:
            self.process = subprocess.Popen([program, clip], stdin=subprocess.PIPE, stdout=out)
        self.port = 0
        while not self.port:
            for line in self._lines("PORT"):
                self.port = int(line[0])
            assert self.process.poll() is None, "rtsp_replay ended"

    def url(self, path="cam"):
        return f"rtsp://127.0.0.1:{self.port}/{path}"

    def _lines(self, word):
        self.log.seek(0)
        return [line.split()[1:] for line in self.log.read().splitlines() if line.startswith(word)]

    def first_bytes(self):
        """{client port: ns of its first byte}"""
        return {int(port): int(ns) for port, ns in self._lines("FIRST")}

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


@contextlib.contextmanager
def replayed():
    """A camera of 1280x720, 25 fps, 3 Mb/s."""
    with tempfile.TemporaryDirectory(prefix="camhub-bench-") as directory:
        clip = os.path.join(directory, "clip.h264")
        make_clip(clip, seconds=10)
        replay = Replay(clip)
        try:
            yield replay
        finally:
            replay.stop()
