#!/usr/bin/python3 -B
"""
Viewers by WebRTC without a browser (bench/rtc/), against the real processes: many at once, over TCP, and behind a network that
loses packets and mixes them up, both ways. Its STUN and its decryption are not the server's.
"""

import json
import os
import subprocess

import rig
from wait import PATIENCE_S, until


class Client(rig.Case):
    @classmethod
    def setUpClass(cls):
        cls.camera = cls.shared_rtsp(fps=25, gop=25)
        cls.hub = cls.shared_hub([{"name": "door", "url": cls.camera.url("h264")}])
        cls.hub.wait_state("door", "up")

    def watch(self, *flags, path="/door/whep", seconds=3, meanwhile=lambda: None):
        """What one process of viewers says of what it got, once all of them play or are refused."""
        program = os.path.join(rig.build_dir(), "tests", "e2e", "rtc_client")
        with subprocess.Popen([program, f"--port={self.hub.port}", f"--seconds={seconds}", f"--settle={PATIENCE_S}", *flags, path],
                              stdout=subprocess.PIPE, text=True) as client:
            self.assertEqual(client.stdout.readline(), "MEASURING\n")
            meanwhile()
            return json.loads(client.communicate(timeout=3 * PATIENCE_S)[0])

    def check_whole(self, seen, viewers=1):
        self.assertEqual((seen["playing"], seen["refused"], seen["closed"]), (viewers, 0, 0), seen)
        self.assertEqual((seen["holes"], seen["broken"]), (0, 0), seen)
        self.assertGreaterEqual(seen["frames"], 10 * viewers)

    def watching(self):
        return sum(1 for message in self.hub.ask("viewers") if message["type"] == "viewer")

    def test_many(self):
        self.check_whole(self.watch("--clients=12", meanwhile=lambda: self.assertEqual(self.watching(), 12)), 12)
        # They said goodbye.
        until(lambda: self.watching() == 0, "nobody watches any more")

    def test_tcp(self):
        self.check_whole(self.watch("--tcp"))

    def test_bad_network(self):
        seen = self.watch("--drop=10", "--reorder=5")
        self.check_whole(seen)
        self.assertGreater(seen["recovered"], 0)

    def test_without_retransmissions(self):
        """Who offered no RTX gets what is missing by a key frame, when it asks for one or when the next one comes."""
        seen = self.watch("--no-rtx", "--no-twcc", "--drop=2", seconds=6)
        self.assertEqual((seen["playing"], seen["recovered"]), (1, 0), seen)
        self.assertGreater(seen["frames"], 10)

    def test_refused(self):
        seen = self.watch(path="/nobody/whep")
        self.assertEqual((seen["playing"], seen["refused"], seen["status"]), (0, 1, 404))


if __name__ == "__main__":
    rig.main()
