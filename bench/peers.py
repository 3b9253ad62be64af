"""Other servers beside camhub, where they are on PATH."""

import contextlib
import json
import subprocess
import time
import urllib.request

from ports import free_port


class Go2rtc:
    """go2rtc reading every camera (preload), in one process; its streams are c0, c1, ..."""

    def __init__(self, replay, count=1):
        self.port = free_port()
        config = {"api": {"listen": f"127.0.0.1:{self.port}"}, "rtsp": {"listen": ""}, "webrtc": {"listen": ""},
                  "streams": {f"c{i}": replay.url(f"go{i}") for i in range(count)},
                  "preload": {f"c{i}": "video" for i in range(count)}}
        self.process = subprocess.Popen(["go2rtc", "-config", json.dumps(config)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self.pid = self.process.pid

    def wait_reading(self):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/streams", timeout=2) as answer:
                    streams = json.load(answer)
                if all(any("receivers" in producer for producer in stream.get("producers") or [])
                       for stream in streams.values()):
                    return
            time.sleep(0.5)
        raise AssertionError("go2rtc does not read all cameras")

    def stop(self):
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def go2rtc(replay, count=1):
    server = Go2rtc(replay, count)
    try:
        server.wait_reading()
        yield server
    finally:
        server.stop()
