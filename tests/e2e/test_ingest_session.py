#!/usr/bin/python3 -B
"""
camhub-worker's sessions with GStreamer's RTSP server: connections, passwords, TLS, mounts that are not
there, cameras that die.
"""

import ctypes.util
import hashlib
import os
import shutil
import ssl
import subprocess
import tempfile
import unittest

import rig
import streams
from wait import until
from worker import Subscriber, Worker

CODECS = ("h264", "aac")


class Session(rig.Case):
    @classmethod
    def setUpClass(cls):
        if ctypes.util.find_library("nng") is None:
            raise unittest.SkipTest("libnng is not installed")
        rig.need("ffmpeg", "openssl")
        cls.directory = tempfile.mkdtemp(prefix="camhub-session-")
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.fed = streams.make(cls.directory, CODECS)
        cls.feed = streams.feed(cls.directory, "fed", CODECS)

    def server(self, **options):
        return self.rtsp(feed=self.feed, **options)

    def worker(self, camera, mount="fed", **config):
        worker = Worker(self.directory, camera.url(mount), "camhub-worker", camera.port, **config)
        self.addCleanup(worker.stop)
        worker.wait_message("ready")
        return worker

    def subscribe(self, worker):
        subscriber = Subscriber(worker.bus)
        self.addCleanup(subscriber.stop)
        subscriber.wait_status()
        worker.send("demand", on=True)
        return subscriber

    def check_plays(self, worker):
        """Pictures, and they are those of the file."""
        worker.wait_message("input", state="up")
        subscriber = self.subscribe(worker)
        units = until(lambda: len(subscriber.units(0)) > 30 and subscriber.units(0), "pictures on the bus")
        expected = [streams.expected("h264", unit) for unit in self.fed["h264"]]
        start = expected.index(units[0][1])
        for number, (frame, payload) in enumerate(units, start):
            self.assertEqual(payload, expected[number % len(expected)], f"{number}: {frame}")

    def check_refused(self, worker, kind, *words):
        """The source ends with words; the worker leaves to be started again."""
        ended = worker.wait_message("input", state="ended")
        self.assertEqual(ended["class"], kind, ended)
        for word in words:
            self.assertIn(word, ended["reason"])
        self.assertEqual([m for m in worker.messages if m.get("state") == "up"], [])

    def test_one_connection(self):
        """Whatever is asked of it, a worker has one connection in its life; over UDP too."""
        camera = self.server()
        for number, transport in enumerate(("tcp", "udp", "auto"), 1):
            worker = self.worker(camera, transport=transport, keep_vui=True)
            self.check_plays(worker)
            for on in (False, True, False, True):
                before = len([m for m in worker.messages if m["type"] == "demand-done"])
                worker.send("demand", on=on)
                until(lambda: len([m for m in worker.messages if m["type"] == "demand-done"]) > before, "demand-done")
            frames = worker.last("worker-status").get("frames", 0)
            until(lambda: worker.last("worker-status").get("frames", 0) > frames + 50, "a second of pictures")
            self.assertEqual(worker.last("worker-status")["transport"], {"udp": "udp"}.get(transport, "tcp"))
            self.assertEqual(camera.connections(), number)
            self.assertEqual(worker.stop(), 0)
            until(lambda: camera.clients() == 0, "the camera is left alone")

    def check_passwords(self, **options):
        camera = self.server(user="door", password="a b:c", **options)
        self.check_plays(self.worker(camera, user="door", password="a b:c", keep_vui=True))
        self.assertEqual(camera.connections(), 1)
        self.check_refused(self.worker(camera, user="door", password="wrong"), "auth")
        self.check_refused(self.worker(camera), "auth")
        self.assertEqual(camera.connections(), 3)

    def test_basic(self):
        self.check_passwords()

    def test_digest(self):
        self.check_passwords(digest=True)

    def test_not_found(self):
        worker = self.worker(self.server(), "nothing")
        self.check_refused(worker, "not-found", "404")

    def test_camera_dies(self):
        """The worker says so and leaves to be started again."""
        camera = self.server()
        worker = self.worker(camera)
        worker.wait_message("input", state="up")
        camera.kill()
        worker.wait_message("input", state="ended")
        self.assertEqual(worker.stop(), 75)

    def certificate(self):
        """(file with key and certificate, its SHA-256)"""
        path = os.path.join(self.directory, "camera.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                        "/CN=camera", "-keyout", f"{path}.key", "-out", f"{path}.crt"],
                       check=True, capture_output=True)
        with open(f"{path}.crt", encoding="ascii") as crt, open(f"{path}.key", encoding="ascii") as key, \
                open(path, "w", encoding="ascii") as both:
            pem = crt.read()
            both.write(pem + key.read())
        return path, hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()

    def test_tls(self):
        """A certificate that nobody vouches for."""
        path, pin = self.certificate()
        camera = self.server(certificate=path)
        # The words say what to do about it, with the pin that would be right.
        self.check_refused(self.worker(camera), "protocol", "certificate", f"sha256:{pin}", "insecure")
        self.check_refused(self.worker(camera, tls="verify"), "protocol", "certificate")
        self.check_refused(self.worker(camera, tls="sha256:" + "0" * 64), "protocol", f"sha256:{pin}")
        self.check_plays(self.worker(camera, tls="insecure", keep_vui=True))
        self.check_plays(self.worker(camera, tls=f"sha256:{pin}", keep_vui=True))


class Return(rig.Case):
    def test_camera_killed_and_back(self):
        """Pictures in the viewers' open sockets again, over both transports, without a word from the camera."""
        camera = self.rtsp(gop=15)
        ways = {name: {"name": name, "url": camera.url(), "transport": name} for name in ("tcp", "udp")}
        hub = self.hub(list(ways.values()))
        viewers = {}
        for name in ways:
            self.assertEqual(hub.wait_state(name, "up")["program"], "camhub-worker")
            viewers[name] = self.viewer(hub, name)
        for viewer in viewers.values():
            viewer.wait_more(5)
        camera.kill()
        for name in ways:
            hub.wait_state(name, "down")
        camera.start()
        for name, viewer in viewers.items():
            viewer.wait_more(5, "pictures after the camera's return", 60)
            self.assertIsNone(viewer.closed)
            hub.wait_state(name, "up", transport=name)


if __name__ == "__main__":
    rig.main()
