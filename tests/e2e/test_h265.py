#!/usr/bin/python3 -B
"""A camera that sends H.265, for those who cannot decode it: door.h264, made while somebody watches."""

import ctypes.util
import glob
import json
import os
import signal
import subprocess
import sys
import unittest

import picture
import rig
from wait import PATIENCE_S, until

TRANSCODER = "camhub-transcode door h264"
TIMES = ("arrived_realtime_ns", "arrived_monotonic_ns", "captured_realtime_ns")


def has_x265():
    return subprocess.run(["gst-inspect-1.0", "x265enc"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


class H265(rig.Case):
    @classmethod
    def setUpClass(cls):
        rig.need("ffmpeg", "ffprobe", "gst-inspect-1.0")
        if not has_x265():
            raise unittest.SkipTest("GStreamer has no x265enc")
        # Twenty seconds to a key frame: what waits for one is seen.
        cls.server = cls.shared_rtsp(gop=300)
        cls.camhub = cls.shared_hub([{"name": "door", "title": "Front door", "url": cls.server.url("h265")}],
                                    extra={"limits": {"linger": "1s"}})
        cls.camhub.wait_state("door", "up")
        cls.camhub.wait_state("door.h264", "off")

    def tearDown(self):
        until(lambda: TRANSCODER not in self.camhub.children(), "the end of the transcoder")

    def test_it_is_listed_and_marked(self):
        streams = self.camhub.get_json("/api/streams")
        self.assertEqual(set(streams), {"door", "door.h264"})
        self.assertEqual([streams[name]["transcoded"] for name in ("door", "door.h264")], [False, True])
        self.assertEqual((streams["door.h264"]["camera"], streams["door.h264"]["title"]), ("door", "Front door"))
        code, text, _ = self.camhub.camctl("status")
        self.assertEqual(code, 0)
        self.assertRegex(text, r"(?m)^door +up .*\ndoor\.h264 +off ")

    def test_mp4(self):
        url = self.camhub.url("/api/stream.mp4?src=door.h264")
        done = subprocess.run(["ffprobe", "-v", "error", "-read_intervals", "%+3", "-show_entries",
                               "stream=codec_name:packet=flags", "-of", "json", url],
                              capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        self.assertEqual(done.stderr, "")
        found = json.loads(done.stdout)
        self.assertEqual(found["streams"][0]["codec_name"], "h264")
        keys = [packet["flags"].startswith("K") for packet in found["packets"]]
        self.assertTrue(keys[0])
        # Key frames of its own: the camera's next one is far away.
        self.assertGreaterEqual(sum(keys), 2)
        self.assertEqual(picture.complaints(url, seconds=2), "")

    def test_a_viewer_and_what_status_says(self):
        viewer = self.viewer(self.camhub, "door.h264")
        viewer.wait_more(30)
        self.assertRegex(viewer.wait_text("mse")["value"], 'video/mp4; codecs="avc1')
        self.camhub.wait_state("door.h264", "up", program="camhub-transcode", codec="h264", viewers=1)
        # One for all.
        second = self.viewer(self.camhub, "door.h264")
        second.wait_more(10)
        self.assertEqual(sum(TRANSCODER == child for child in self.camhub.children()), 1)
        # On a machine that is too slow pictures are left out: no more than it says.
        missing = sum(round((after - before) / duration) - 1 for _, before, duration, after, _ in viewer.holes())
        until(lambda: self.camhub.camera("door.h264").get("left_out", 0) >= missing,
              lambda: f"{missing} left out: {self.camhub.camera('door.h264')}")
        second.close()
        viewer.close()

    def test_it_is_killed_and_comes_back(self):
        viewer = self.viewer(self.camhub, "door.h264")
        viewer.wait_more(10)
        os.kill(self.camhub.child(TRANSCODER), signal.SIGKILL)
        viewer.wait(lambda v: len(v.inits) > 1, "a new init segment")
        viewer.wait_more(10)
        viewer.close()

    def subscribe(self, stream):
        """Lines of JSON on stdout."""
        path = until(lambda: glob.glob(os.path.join(self.camhub.runtime, "bus", f"{stream}-*.sock")),
                     f"a bus of {stream}")[0]
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bus_subscriber.py")
        return subprocess.Popen([sys.executable, "-B", script, path, "--messages", "150"], stdout=subprocess.PIPE,
                                text=True)

    @unittest.skipUnless(ctypes.util.find_library("nng"), "libnng is not installed")
    def test_each_picture_keeps_the_times_of_its_source(self):
        viewer = self.viewer(self.camhub, "door.h264")
        viewer.wait_more(5)
        processes = [self.subscribe("door"), self.subscribe("door.h264")]
        frames = []
        for process in processes:
            text = process.communicate(timeout=PATIENCE_S)[0]
            lines = [json.loads(line) for line in text.splitlines()]
            frames.append({line["pts_ns"]: line for line in lines if line["kind"] == "video"})
        viewer.close()
        source, made = frames
        both = sorted(set(source) & set(made))
        self.assertGreater(len(both), 20, (len(source), len(made)))
        for pts in both:
            self.assertEqual([made[pts][name] for name in TIMES], [source[pts][name] for name in TIMES])
            self.assertEqual((source[pts]["codec"], made[pts]["codec"]), ("h265", "h264"))
        # Nothing is made of nothing, but for what came before or after.
        inside = [pts for pts in made if min(source) <= pts <= max(source)]
        self.assertEqual(sorted(inside), [pts for pts in both if pts in made])

    def test_the_camera_goes_and_comes_back(self):
        viewer = self.viewer(self.camhub, "door.h264")
        viewer.wait_more(10)
        os.kill(self.camhub.child("camhub-worker door"), signal.SIGKILL)
        viewer.wait(lambda v: len(v.inits) > 1, "a new init segment")
        viewer.wait_more(10)
        viewer.close()


if __name__ == "__main__":
    rig.main()
