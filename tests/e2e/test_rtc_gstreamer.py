#!/usr/bin/python3 -B
"""
GStreamer's webrtcbin (gst_whep.py) as a player of the real server, with another ICE, DTLS, SRTP and depayloader than the browsers have: the camera
sends units that are known, and they come out in order, all of them.
"""

import hashlib
import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

import rig
import streams
from wait import PATIENCE_S, until

UNITS = 2 * streams.FPS
CLIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gst_whep.py")
USER, PASSWORD = "camera", "s3cret"
NEEDED = ("webrtcbin", "nicesrc", "dtlssrtpdec", "srtpdec", "rtph264depay", "avdec_h264", "opusdec", "mulawdec")


def has_element(name):
    """(Its --exists also wants the version of a plugin to be that of GStreamer.)"""
    return subprocess.run(["gst-inspect-1.0", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def turnserver():
    """Where the program is that ./bootstrap.sh check unpacks, if it is not installed."""
    unpacked = os.path.join(rig.source_dir(), "tests", "coturn", "usr", "bin", "turnserver")
    path = shutil.which("turnserver") or unpacked
    if not os.path.exists(path):
        raise unittest.SkipTest("there is no turnserver (coturn) here")
    return path


def need_gstreamer():
    rig.need("gst-inspect-1.0", "ffmpeg")
    for name in NEEDED:
        if not has_element(name):
            raise unittest.SkipTest(f"GStreamer has no {name} here")
    tried = subprocess.run([sys.executable, CLIENT, "--help"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise unittest.SkipTest("no Python bindings of GStreamer's WebRTC here: " + tried.stderr.splitlines()[-1])


class Player:
    """One gst_whep.py, and all that it said."""

    def __init__(self, url, *flags):
        self.said = []
        self.process = subprocess.Popen([sys.executable, "-B", CLIENT, url, *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def all(self, key):
        return [one[key] for one in list(self.said) if key in one]

    def wait(self, key, count=1):
        """That many of these, at least."""
        until(lambda: len(self.all(key)) >= count or self.process.poll() is not None,
              lambda: f"{count} {key}, but {len(self.all(key))}: {self.said[-3:]}", deadline_s=60)
        found = self.all(key)
        assert len(found) >= count, f"it left with {self.process.returncode}: {[one for one in self.said if 'unit' not in one][-5:]}"
        return found

    def end(self):
        """It says goodbye by itself; returns what was answered to that."""
        self.process.stdin.close()
        self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)
        return self.all("ended")

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join()
        for end in (self.process.stdin, self.process.stdout):
            end.close()


class TurnServer:
    """coturn, on 127.0.0.1 alone."""

    def __init__(self, directory, port):
        self.log = open(os.path.join(directory, "turnserver.log"), "w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            [turnserver(), "-n", "--listening-ip=127.0.0.1", f"--listening-port={port}", "--relay-ip=127.0.0.1", "--allow-loopback-peers",
             "--lt-cred-mech", f"--user={USER}:{PASSWORD}", "--realm=camhub", "--no-tls", "--no-dtls", "--no-cli", "--log-file=stdout",
             f"--userdb={directory}/turn.db", f"--pidfile={directory}/turn.pid"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        until(lambda: self._answers(port), self.said)

    def _answers(self, port):
        assert self.process.poll() is None, self.said()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def said(self):
        self.log.seek(0)
        return self.log.read()[-3000:]

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


class GStreamer(rig.Case):
    @classmethod
    def setUpClass(cls):
        need_gstreamer()
        cls.directory = directory = tempfile.mkdtemp(prefix="camhub-gst-")
        cls.addClassCleanup(shutil.rmtree, directory, ignore_errors=True)
        cls.turn_port = rig.free_port()
        cls.made = streams.make(directory, ("h264", "h265", "opus", "pcmu"))
        mounts = {"door": ("h264",), "hall": ("h264", "opus"), "phone": ("h264", "pcmu"), "yard": ("h265",)}
        camera = cls.shared_rtsp(feed=[streams.feed(directory, mount, codecs) for mount, codecs in mounts.items()])
        cls.hub = cls.shared_hub([{"name": name, "url": camera.url(name)} for name in mounts] +
                                 [{"name": "gate", "url": camera.url("mjpeg")}], credentials={"relay": (USER, PASSWORD)},
                                 extra={"rtc": {"ice_servers": [f"turn:127.0.0.1:{cls.turn_port}?transport=udp"], "ice_credentials": "relay"}})
        for name in (*mounts, "gate"):
            cls.hub.wait_state(name, "up")

    def play(self, name, *flags):
        player = Player(self.hub.url(f"/{name}/whep"), *flags)
        self.addCleanup(player.stop)
        return player

    def check_answered(self, player):
        self.assertEqual(player.wait("answered"), [201], player.said)

    def check_pictures(self, player, codec="h264"):
        """All of them, each behind the one that came before it, from a key frame on; and a decoder takes them."""
        self.check_answered(player)
        slices = [hashlib.sha1(b"".join(streams.slices(codec, unit))).hexdigest() for unit in self.made[codec]]
        units = player.wait("unit", UNITS)
        self.assertTrue(player.all("key")[0])
        first = slices.index(units[0])
        self.assertEqual(units, list(itertools.islice(itertools.cycle(slices), first, first + len(units))))
        self.assertEqual(set(map(tuple, player.wait("picture", UNITS // 2))), {(176, 144)})

    def check_sound(self, player, codec):
        """Every byte of it in order, and a decoder takes them."""
        player.wait("samples", 25)
        got = "".join(player.all("sound"))
        self.assertIn(got, b"".join(self.made[codec]).hex() * (len(got) // 2 // sum(map(len, self.made[codec])) + 2))
        self.assertGreater(sum(player.all("samples")), 0)

    def watching(self):
        return [message for message in self.hub.ask("viewers") if message["type"] == "viewer"]

    def delete(self, player):
        connection = http.client.HTTPConnection(self.hub.host, self.hub.port, timeout=PATIENCE_S)
        try:
            connection.request("DELETE", player.all("location")[0])
            return connection.getresponse().status
        finally:
            connection.close()

    def check_end(self, player):
        """Whoever says goodbye is gone, and does not wait until nobody consents."""
        self.assertEqual([viewer["transport"] for viewer in self.watching()], ["webrtc"])
        self.assertEqual(player.end(), [200])
        self.assertEqual(player.all("error"), [])
        self.assertEqual(self.delete(player), 404)
        until(lambda: not self.watching(), lambda: f"nobody watches any more: {self.watching()}")

    def test_pictures(self):
        player = self.play("door")
        self.check_pictures(player)
        self.assertIn("connected", player.all("state"))
        self.assertEqual(self.hub.camera("door")["viewers"], 1)
        self.check_end(player)
        until(lambda: self.hub.camera("door")["viewers"] == 0, lambda: f"{self.hub.camera('door')}")

    def test_h265(self):
        player = self.play("yard", "--video=H265")
        self.check_pictures(player, "h265")
        self.check_end(player)

    def test_with_retransmissions(self):
        player = self.play("door", "--rtx")
        self.check_pictures(player)
        self.check_end(player)

    def test_sound(self):
        """whepsrc offers the sound first."""
        for name, codec, flags in (("hall", "opus", ()), ("hall", "opus", ("--audio-first",)), ("phone", "pcmu", ())):
            with self.subTest(name=name, flags=flags):
                player = self.play(name, f"--audio={codec.upper()}", *flags)
                self.check_pictures(player)
                self.check_sound(player, codec)
                self.check_end(player)

    def test_sound_that_is_not_there(self):
        """What is bundled with it is played without it."""
        for flags in ((), ("--audio-first",)):
            with self.subTest(flags=flags):
                player = self.play("door", "--audio=OPUS", *flags)
                self.check_pictures(player)
                self.assertEqual(player.all("sound"), [])
                self.check_end(player)

    def test_relay(self):
        """Through the TURN server of the configuration, which WHEP tells players; when that dies, nobody consents to more."""
        server = TurnServer(self.directory, self.turn_port)
        self.addCleanup(server.stop)
        player = self.play("door", "--relay")
        self.check_pictures(player)
        self.assertEqual(set(player.all("candidates")[0]), {"relay"})
        self.assertEqual(len(self.watching()), 1)
        server.process.kill()
        until(lambda: not self.watching(), lambda: f"nobody watches any more: {self.watching()}", deadline_s=60)

    def test_whepsrc(self):
        """GStreamer's own client, of gst-plugins-rs."""
        if not has_element("whepsrc"):
            rig.leave_out("GStreamer has no whepsrc here, nor has Debian")
        rtp = "application/x-rtp,media=%s,encoding-name=%s,payload=%d,clock-rate=%d"
        with subprocess.Popen(["gst-launch-1.0", "-v", "whepsrc", f"whep-endpoint={self.hub.url('/door/whep')}",
                               "video-caps=" + rtp % ("video", "H264", 96, 90000), "audio-caps=" + rtp % ("audio", "OPUS", 111, 48000),
                               *"! rtph264depay ! avdec_h264 ! fakesink silent=false sync=false".split()],
                              stdout=subprocess.PIPE, text=True) as client:
            timer = threading.Timer(PATIENCE_S, client.kill)
            timer.start()
            pictures = itertools.islice((line for line in client.stdout if "last-message = chain" in line), UNITS)
            self.assertEqual(sum(1 for _ in pictures), UNITS)
            client.send_signal(signal.SIGINT)
            client.stdout.read()
            timer.cancel()
        until(lambda: not self.watching(), lambda: f"nobody watches any more: {self.watching()}")

    def test_refused(self):
        for name, status, why in (("gate", 422, "delivers MJPEG"), ("yard", 422, "which the player does not offer"),
                                  ("nobody", 404, "")):
            with self.subTest(name=name):
                player = self.play(name)
                self.assertEqual(player.wait("answered"), [status])
                self.assertIn(why, player.all("error")[0])
                self.assertEqual(player.end(), [])
                self.assertEqual(self.watching(), [])


if __name__ == "__main__":
    rig.main()
