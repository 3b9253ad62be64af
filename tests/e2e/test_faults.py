#!/usr/bin/python3 -B
"""Whatever is killed comes back, and nobody else notices."""

import os
import shutil
import signal
import socket
import tempfile
import threading

import picture
import rig
from camera import make_clip
from wait import Deadline, until


class Connector(threading.Thread):
    """Connects and asks /healthz over and over; .refused holds every connection that failed."""

    def __init__(self, hub):
        super().__init__(daemon=True)
        self.hub = hub
        self.done = threading.Event()
        self.refused, self.connected = [], 0
        self.start()

    def run(self):
        while not self.done.wait(0.01):
            try:
                socket.create_connection((self.hub.host, self.hub.port), 20).close()
                self.connected += 1
            except OSError as error:
                self.refused.append(error)

    def stop(self):
        self.done.set()
        self.join(30)


class Faults(rig.Case):
    """
    door is the camera that things happen to. yard is the witness: a replayed clip, whose times have no
    gap however busy the machine is, so that a gap at its viewer is a lost frame.
    """

    @classmethod
    def setUpClass(cls):
        rig.need("ffmpeg")
        directory = tempfile.mkdtemp(prefix="camhub-clip-")
        cls.addClassCleanup(shutil.rmtree, directory)
        cls.clip = os.path.join(directory, "clip.h264")
        make_clip(cls.clip, seconds=4, size="320x180", fps=10, kbps=200, gop=20)
        cls.witness = cls.shared_rtsp(clip=cls.clip, fps=10)

    def setUp(self):
        self.server = self.rtsp(gop=15)
        self.door = {"name": "door", "url": self.server.url("h264")}
        self.yard = {"name": "yard", "url": self.witness.url("clip")}
        self.camhub = self.hub([self.door, self.yard])
        for name in ("door", "yard"):
            self.camhub.wait_state(name, "up")

    def others(self, *but):
        return {name: pid for name, pid in self.camhub.children().items() if name not in but}

    def test_worker_killed(self):
        hub = self.camhub
        victim, witness = self.viewer(hub, "door"), self.viewer(hub, "yard")
        victim.wait_more(5)
        witness.wait_more(5)
        others, fds = self.others("camhub-worker door"), self.fds()
        for _ in range(3):
            pid = hub.child("camhub-worker door")
            os.kill(pid, signal.SIGKILL)
            until(lambda: hub.children().get("camhub-worker door", pid) != pid, "a new worker")
            inits = len(victim.inits)
            victim.wait_more(5, "pictures in the same socket after the worker's death")
            witness.wait_more(5)
            until(lambda: all(now.get(kind, 0) <= before.get(kind, 0) for before, now in zip(fds, self.fds())
                              for kind in now),
                  lambda: f"descriptors leak: {fds}, then {self.fds()}")
            self.assertGreaterEqual(len(victim.inits), inits)
        self.assertEqual(self.others("camhub-worker door"), others, "others were restarted")
        self.assertEqual(witness.holes(), [], "another camera's viewer lost frames")
        self.assertEqual(hub.camera("yard")["holes"], 0)
        self.assertEqual(hub.camera("yard")["restarts"], 0)
        self.assertEqual(hub.wait_state("door", "up")["restarts"], 3)
        self.assertIsNone(victim.closed)

    def fds(self):
        """The descriptors of supervisor and front."""
        return [rig.fds(pid) for pid in (self.camhub.process.pid, self.camhub.child("camhub-http http"))]

    def test_worker_stopped(self):
        """A process that only stands still (SIGSTOP) is found by its silence and replaced."""
        hub = self.hub([self.door], extra={"restart": {"hang_timeout": "2500ms"}})
        viewer = self.viewer(hub, "door")
        viewer.wait_more(5)
        pid = hub.child("camhub-worker door")
        os.kill(pid, signal.SIGSTOP)
        until(lambda: hub.children().get("camhub-worker door", pid) != pid, "a new worker")
        viewer.wait_more(5)
        self.assertIsNone(viewer.closed)

    def test_front_killed(self):
        hub = self.camhub
        connector = Connector(hub)
        self.addCleanup(connector.stop)
        others = self.others("camhub-http http")
        for _ in range(3):
            viewer = self.viewer(hub, "door")
            viewer.wait_more(3)
            pid = hub.child("camhub-http http")
            os.kill(pid, signal.SIGKILL)
            until(lambda: viewer.closed, "the viewer's socket ends")
            again = self.viewer(hub, "door")
            again.wait_more(3, "pictures from the new front")
            self.assertNotEqual(hub.child("camhub-http http"), pid)
        connector.stop()
        self.assertEqual(connector.refused, [])
        self.assertGreater(connector.connected, 10)
        self.assertEqual(self.others("camhub-http http"), others, "workers were restarted")
        for name in ("door", "yard"):
            self.assertEqual(hub.camera(name)["restarts"], 0)

    def test_a_new_front_shows_a_picture_before_the_next_key_frame(self):
        server = self.rtsp(gop=300)
        self.camhub.configure([self.door, self.yard, {"name": "slow", "url": server.url("h264")}])
        self.assertEqual(self.camhub.reload()[0], 0)
        self.camhub.wait_state("slow", "up")
        viewer = self.viewer(self.camhub, "slow")
        viewer.wait(lambda v: v.fragments, "a picture")
        os.kill(self.camhub.child("camhub-http http"), signal.SIGKILL)
        until(lambda: viewer.closed, "the viewer's socket ends")
        again = self.viewer(self.camhub, "slow", keep_payload=True)
        again.wait_more(10)
        again.close()
        self.assertTrue(again.fragments[0].key)
        self.assertEqual(again.holes(), [])
        self.assertEqual(picture.complaints(again.payload, kind="mp4"), "")

    def test_camera_goes_and_comes_back(self):
        viewer, witness = self.viewer(self.camhub, "door"), self.viewer(self.camhub, "yard")
        viewer.wait_more(5)
        self.server.stop()
        self.camhub.wait_state("door", "down")
        self.server.start()
        viewer.wait_more(5, "pictures in the same socket after the camera's return", 60)
        self.assertIsNone(viewer.closed)
        self.server.drop()
        viewer.wait_more(5, "pictures after a lost connection", 60)
        self.assertIsNone(viewer.closed)
        self.assertEqual(witness.holes(), [])

    def test_burst(self):
        """
        A network that stood still delivers all at once afterwards: nothing of it may be lost on the bus. That holds
        256 messages, 25 s of this camera: a machine that is slow to end the seven seconds does not fill it.
        """
        server = self.rtsp(clip=self.clip, fps=10)
        self.camhub.configure([self.door, self.yard, {"name": "wifi", "url": server.url("clip")}])
        self.assertEqual(self.camhub.reload()[0], 0)
        self.camhub.wait_state("wifi", "up")
        viewer = self.viewer(self.camhub, "wifi")
        viewer.wait_more(5)
        os.kill(server.process.pid, signal.SIGSTOP)
        until(lambda: self.camhub.camera("wifi")["last_frame_ms"] >= 7000, "seven seconds without a frame")
        os.kill(server.process.pid, signal.SIGCONT)
        # Far behind, the viewer may be taken to the newest key frame; that is not the bus.
        viewer.wait_more(60)
        frames = self.camhub.camera("wifi")["frames"]
        until(lambda: self.camhub.camera("wifi")["frames"] > frames + 25, "the front has reported")
        self.assertEqual(self.camhub.camera("wifi")["holes"], 0)
        self.assertEqual(self.camhub.camera("wifi")["restarts"], 0)

    def test_supervisor_killed(self):
        """Its children do not outlive it."""
        children = self.camhub.children()
        self.assertGreaterEqual(len(children), 3)
        self.camhub.process.kill()
        self.camhub.process.wait()
        until(lambda: not rig.orphans(), lambda: f"left: {rig.orphans()}", 10)
        # The next one clears away what the dead one could not.
        self.camhub.start()
        self.camhub.wait_serving()
        for name in ("door", "yard"):
            self.camhub.wait_state(name, "up")

    def test_reload(self):
        hub = self.camhub
        witness = self.viewer(hub, "yard")
        witness.wait_more(3)
        before = hub.children()
        self.check_invalid_reload(before)
        attic = {"name": "attic", "url": "test:clock?size=320x180&fps=5"}
        hub.configure([{**self.door, "url": self.server.url("mjpeg")}, self.yard, attic])
        self.assertEqual(hub.reload()[0], 0)
        hub.wait_state("attic", "up")
        hub.wait_state("door", "up", codec="mjpeg")
        self.assertNotEqual(hub.child("camhub-worker door"), before["camhub-worker door"])
        hub.configure([self.yard])
        os.kill(hub.process.pid, signal.SIGHUP)
        until(lambda: set(hub.children()) == {"camhub-worker yard", "camhub-http http", "camhub-rtc rtc"},
              lambda: f"three children, but {hub.children()}")
        self.assertEqual(hub.get("/api/frame.jpeg?src=door")[0], 404)
        for name in ("camhub-worker yard", "camhub-http http", "camhub-rtc rtc"):
            self.assertEqual(hub.children()[name], before[name])
        witness.wait_more(3)
        self.assertEqual(witness.holes(), [])
        self.assertIsNone(witness.closed)

    def check_invalid_reload(self, before):
        hub = self.camhub
        hub.write("camhub.yaml", "cameras:\n  - name: Door!\n    url: gopher://x\n")
        code, out, err = hub.reload()
        self.assertNotEqual(code, 0)
        self.assertIn("camhub.yaml:2", out + err)
        self.assertIn("camhub.yaml:3", out + err)
        for line in (2, 3):
            self.assertRegex(hub.log(), rf"(?m)^camhub-supervisor: reload: nothing was changed: \S*camhub\.yaml:{line}: ")
        self.assertEqual(hub.children(), before)
        self.assertEqual(hub.get("/healthz")[0], 200)

    def test_sigterm_leaves_nothing(self):
        """With viewers connected and a camera that does not answer."""
        viewer = self.viewer(self.camhub, "door")
        viewer.wait_more(1)
        self.assertTrue(any(names for _, _, names in os.walk(self.camhub.runtime)))
        deadline = Deadline(25)
        self.camhub.stop()
        self.assertFalse(deadline.is_over())


if __name__ == "__main__":
    rig.main()
