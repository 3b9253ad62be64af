#!/usr/bin/python3 -B
"""
The bus as docs/protocol.md describes it: a subscriber that was written from the document reads a real
worker, whose supervisor is this test.
"""

import ctypes.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import picture
import rig
from wait import PATIENCE_S
from worker import EPOCH, STREAM_ID, Worker

class Bus(unittest.TestCase):
    def setUp(self):
        if ctypes.util.find_library("nng") is None:
            self.skipTest("libnng is not installed")
        rig.need("ffmpeg")
        self.directory = tempfile.mkdtemp(prefix="camhub-bus-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def worker(self, url):
        worker = Worker(self.directory, url)
        self.addCleanup(worker.stop)
        worker.wait_message("ready")
        worker.wait_message("input", state="up")
        return worker

    def subscribe(self, worker, *arguments):
        """bus_subscriber.py as a process of its own, because nng is: lines of JSON on stdout."""
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bus_subscriber.py")
        process = subprocess.Popen([sys.executable, "-B", script, worker.bus, *arguments],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()

    def read_frames(self, process):
        frames = [json.loads(line) for line in process.stdout]
        self.assertEqual(process.wait(PATIENCE_S), 0)
        return frames

    def check_track(self, frames):
        """Numbers without a hole, groups that count, times that grow."""
        for frame in frames:
            self.assertEqual((frame["stream_id"], frame["epoch"]), (STREAM_ID, EPOCH))
        numbers = [frame["seq"] for frame in frames]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
        pictures = [frame for frame in frames if frame["kind"] in ("video", "jpeg")]
        times = [frame["dts_ns"] for frame in pictures]
        self.assertEqual(times, sorted(set(times)))
        for before, after in zip(pictures, pictures[1:]):
            if "key" in after["flags"]:
                self.assertEqual((after["gop_id"], after["gop_index"]), (before["gop_id"] + 1, 0))
            else:
                self.assertEqual((after["gop_id"], after["gop_index"]),
                                 (before["gop_id"], before["gop_index"] + 1))
        return pictures

    def test_h264(self):
        worker = self.worker("test:clock?size=320x180&fps=25&gop=10")
        video = os.path.join(self.directory, "video.h264")
        subscriber = self.subscribe(worker, "--messages=80", "--video", video)
        # Only the pulse, until somebody watches.
        first = json.loads(subscriber.stdout.readline())
        self.assertEqual((first["kind"], first["seq"], first["status"]["paused"]), ("status", 0, True))
        worker.send("demand", on=True)
        worker.wait_message("demand-done", on=True)
        frames = self.read_frames(subscriber)
        statuses = [frame for frame in frames if frame["kind"] == "status"]
        media = [frame for frame in frames if frame["kind"] != "status"]
        pictures = self.check_track(media)
        self.assertGreater(len(pictures), 50)
        self.assertTrue(all(f["codec"] == "h264" and f["track"] == 0 for f in media))
        self.assertTrue(all((f["width"], f["height"]) == (320, 180) for f in pictures))
        # Whatever it starts with, after a configuration and a key frame everything is there.
        start = next(i for i, f in enumerate(media) if f["kind"] == "config")
        self.assertIn("key", media[start + 1]["flags"])
        self.assertEqual(media[start + 1]["config_version"], media[start]["config_version"])
        self.assertTrue(all(f["status"]["last_video_seq"] >= 1 for f in statuses))
        with open(video, "rb") as file:
            data = file.read()
        skip = sum(f["payload_len"] for f in media[:start])
        self.assertEqual(picture.complaints(data[skip:], kind="h264"), "")
        self.assertEqual(worker.stop(), 0)
        self.assertEqual(os.listdir(self.directory), ["video.h264"], "the socket is left")

    def test_stamps(self):
        """A frame's arrival is now, on this machine's clocks."""
        worker = self.worker("test:clock?size=320x180&fps=25&gop=10")
        worker.send("demand", on=True)
        subscriber = self.subscribe(worker, "--messages=30")
        for line in subscriber.stdout:
            now, monotonic = time.time_ns(), time.monotonic_ns()
            frame = json.loads(line)
            if frame["kind"] != "video":
                continue
            self.assertLess(abs(now - frame["arrived_realtime_ns"]), 10e9)
            self.assertLess(0, monotonic - frame["arrived_monotonic_ns"])
            self.assertLess(monotonic - frame["arrived_monotonic_ns"], 10e9)

    def test_mjpeg(self):
        worker = self.worker("test:clock?size=320x180&fps=10&codec=mjpeg")
        worker.send("demand", on=True)
        video = os.path.join(self.directory, "video.mjpeg")
        frames = self.read_frames(self.subscribe(worker, "--messages=20", "--video", video))
        pictures = self.check_track([f for f in frames if f["kind"] != "status"])
        self.assertTrue(all(f["kind"] == "jpeg" and "key" in f["flags"] for f in pictures))
        with open(video, "rb") as file:
            self.assertEqual(picture.complaints(file.read(), kind="mjpeg"), "")

    def test_replay(self):
        """Who comes late gets the group from its key frame; everybody else sees nothing of it."""
        worker = self.worker("test:clock?size=320x180&fps=25&gop=1000")
        worker.send("demand", on=True)
        video = os.path.join(self.directory, "video.h264")
        late = self.subscribe(worker, "--messages=100000", "--video", video, "--as=5")
        other = self.subscribe(worker, "--messages=30")
        for process in (late, other):
            process.first = json.loads(process.stdout.readline())
        worker.send("replay", subscriber=5)
        frames = [late.first]
        # Up to a picture behind its end: how many there are depends on how fast all this is.
        for line in late.stdout:
            frames.append(json.loads(line))
            ended = any("replay_end" in frame["status"] for frame in frames if frame["kind"] == "status")
            if ended and frames[-1]["kind"] == "video" and "replay" not in frames[-1]["flags"]:
                break
        late.kill()
        again = [f for f in frames if "replay" in f["flags"]]
        self.assertTrue(all(f["for_subscriber"] == 5 for f in again))
        replayed = [f for f in again if f["kind"] != "status"]
        self.assertEqual([f["kind"] for f in replayed[:2]], ["config", "video"])
        self.assertIn("key", replayed[1]["flags"])
        pictures = self.check_track(replayed)
        self.assertEqual(pictures[0]["gop_index"], 0)
        end = [f["status"] for f in frames if f["kind"] == "status" and "replay_end" in f["status"]]
        self.assertEqual([(e["replay_end"], e["last_video_seq"], e["messages"]) for e in end],
                         [(5, replayed[-1]["seq"], len(replayed))])
        live = [f for f in frames if f["kind"] == "video" and "replay" not in f["flags"]]
        self.assertIn(replayed[-1]["seq"] + 1, [f["seq"] for f in live])
        others = [other.first] + self.read_frames(other)
        self.check_track([f for f in others if f["kind"] != "status"])

    def test_leaves_with_its_supervisor(self):
        worker = self.worker("test:clock?size=320x180&fps=10")
        self.assertEqual(worker.stop(), 0)
        self.assertEqual(os.listdir(self.directory), [])


if __name__ == "__main__":
    rig.main()
