#!/usr/bin/python3 -B
"""
camhub-rtc between a worker and Chromium: what a browser plays of it over UDP, TCP and IPv6, with sound, and what is
refused with which reason. The process is alone: this test is its supervisor.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import unittest

import browser
import rig
import rtc_front
import streams
from wait import until
from worker import EPOCH, STREAM_ID, Worker

FRAMES = 60
CLIP = ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=15", "-frames:v", "60", "-pix_fmt", "yuv420p", "-c:v", "libx264",
        "-preset", "ultrafast", "-x264-params", "keyint=15:min-keyint=15:scenecut=0:bframes=2:b-adapt=0:aud=1", "-f", "h264"]


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as made:
            made.bind(("::1", 0))
        return True
    except OSError:
        return False


class Front(rig.Case):
    @classmethod
    def setUpClass(cls):
        if browser.missing():
            raise unittest.SkipTest(browser.missing())
        rig.need("ffmpeg")
        cls.directory = tempfile.mkdtemp(prefix="camhub-rtc-")
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        streams.make(cls.directory, ("h264", "pcmu"))
        clip = os.path.join(cls.directory, "b.h264")
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", *CLIP, clip], check=True)
        cls.camera = cls.shared_rtsp(fps=25, gop=50, size="320x240", clip=clip,
                                     feed=[streams.feed(cls.directory, "sound", ("h264", "pcmu"))])
        cls.chromium = browser.Browser()
        cls.addClassCleanup(cls.chromium.close)

    def start(self, mount="h264", addresses=("127.0.0.1",), **config):
        worker = Worker(self.directory, self.camera.url(mount), "camhub-worker", self.camera.port,
                        open_timeout_ms=60000, stall_ms=60000)
        self.addCleanup(worker.stop)
        worker.wait_message("ready")
        front = rtc_front.RtcFront({"door": (STREAM_ID, EPOCH, worker.bus)}, addresses, config=config)
        self.addCleanup(front.stop)

        def relay(message):
            if message["type"] == "want":
                worker.send("demand", on=message["on"])
            if message["type"] == "want-replay":
                worker.send("replay", subscriber=rtc_front.SUBSCRIBER)
        front.on_message = relay
        return front

    def open(self, front):
        page = self.chromium.page()
        self.addCleanup(page.close)
        page.goto(front.serve())
        return page

    def play(self, page, frames=FRAMES, **options):
        answer = page.evaluate(f"play('', {json.dumps(options)})")
        self.assertEqual(answer["code"], 201, answer)
        page.wait_for(f"window.frames.length >= {frames}", timeout=60)
        return answer, page.evaluate("stats()")

    def check_whole(self, stats):
        """Nothing was lost, and nothing had to be asked for again."""
        self.assertEqual([stats["video"][key] for key in ("packetsLost", "pliCount", "nackCount")], [0, 0, 0])

    def test_plays(self):
        front = self.start()
        page = self.open(front)
        answer, stats = self.play(page)
        self.check_whole(stats)
        self.assertEqual(stats["transport"]["srtpCipher"], "SRTP_AEAD_AES_128_GCM")
        watcher = front.wait_message("watcher")
        self.assertEqual((watcher["camera"], watcher["transport"]), ("door", "webrtc"))
        # The browser's clock and ours were compared: the page knows how old a picture is.
        page.wait_for("window.frames.at(-1).captureTime > 0", timeout=30)
        ages = page.evaluate("frames.filter((f) => f.captureTime).map((f) => f.presentationTime - f.captureTime)")
        self.assertGreater(min(ages), -1000)
        self.assertLess(min(ages), 2000)

        front.send("rtc-close", request=900, id=STREAM_ID, session=answer["session"])
        self.assertEqual(until(lambda: front.answers.get(900), "an answer")["code"], 200)
        front.wait_message("watcher-gone", id=watcher["id"])
        page.wait_for("states.includes('closed') || states.includes('failed') || pc.sctp === null", timeout=30)
        front.send("rtc-close", request=901, id=STREAM_ID, session=answer["session"])
        self.assertEqual(until(lambda: front.answers.get(901), "an answer")["code"], 404)

    def test_tcp(self):
        front = self.start()
        _, stats = self.play(self.open(front), without=["udp"])
        self.check_whole(stats)

    @unittest.skipUnless(has_ipv6(), "no IPv6 here")
    def test_ipv6(self):
        front = self.start(addresses=("::1",))
        _, stats = self.play(self.open(front))
        self.check_whole(stats)

    def test_sound(self):
        front = self.start("sound")
        page = self.open(front)
        answer, _ = self.play(page, kinds=["video", "audio"])
        self.assertIn("PCMU/8000", answer["sdp"])
        until(lambda: page.evaluate("stats()")["audio"].get("packetsReceived", 0) > 50, lambda: page.evaluate("stats()"))
        self.assertEqual(page.evaluate("stats()")["audio"]["packetsLost"], 0)

    def test_sound_that_is_not_there(self):
        """In whichever order it is asked for, it takes no picture with it."""
        front = self.start()
        for kinds, directions in ((["video", "audio"], ["recvonly"]), (["audio", "video"], ["inactive", "recvonly"])):
            with self.subTest(kinds=kinds):
                page = self.open(front)
                self.check_whole(self.play(page, kinds=kinds)[1])
                self.assertEqual(page.evaluate("pc.getTransceivers().map((one) => one.currentDirection)"), directions)

    def test_many_in_one_page(self):
        front = self.start()
        page = self.open(front)
        page.evaluate("many(6)")
        page.wait_for("window.counts.every((n) => n > 40)", timeout=60)
        self.assertEqual(page.evaluate("lost()"), [0] * 6)

    def test_refused(self):
        front = self.start("clip")
        page = self.open(front)
        answer = page.evaluate("play()")
        self.assertEqual(answer["code"], 422, answer)
        self.assertIn("B frames", answer["error"])
        self.assertEqual(front.offer("v=0\r\n")["code"], 400)
        self.assertEqual(front.offer("v=0\r\n", stream=99)["code"], 404)

    def test_mjpeg(self):
        front = self.start("mjpeg")
        answer = self.open(front).evaluate("play()")
        self.assertEqual(answer["code"], 422, answer)
        self.assertIn("MJPEG", answer["error"])


if __name__ == "__main__":
    rig.main()
