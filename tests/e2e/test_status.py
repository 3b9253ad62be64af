#!/usr/bin/python3 -B
"""What camctl status says is true: compared with cameras whose state the test itself makes."""

import os
import signal

import rig
from camera import BlackHole, HangsUp, Moved, Mute
from ports import free_port
from wait import until

WELL, DOWN, USAGE, NOT_RUNNING, NO_ANSWER = 0, 1, 2, 3, 4


class Status(rig.Case):
    def test_all_well(self):
        server = self.rtsp(gop=30)
        hub = self.hub([{"name": "door", "url": server.url("h264")}])
        hub.wait_state("door", "up")
        camera = hub.wait_state("door", "up", codec="h264", width=640, height=360, gop_frames=30)
        self.assertEqual(camera["pid"], hub.child("camhub-worker door"))
        self.assertEqual(camera["restarts"], 0)
        self.assertEqual(hub.status()[0], WELL)
        code, out, err = hub.camctl("status")
        self.assertEqual((code, err), (WELL, ""))
        self.assertIn("door", out)
        self.assertIn("640x360", out)
        self.assertNotIn("\x1b", out, "colour is for terminals")
        viewer = self.viewer(hub, "door")
        viewer.wait_more(1)
        hub.wait_state("door", "up", viewers=1)
        viewer.close()
        hub.wait_state("door", "up", viewers=0)

    def test_a_camera_goes_and_comes_back(self):
        server = self.rtsp()
        hub = self.hub([{"name": "door", "url": server.url("h264")},
                        {"name": "clock", "url": "test:clock?size=320x180&fps=5"}])
        hub.wait_state("door", "up")
        server.stop()
        camera = hub.wait_state("door", "down")
        self.assertTrue(camera["reason"])
        self.assertEqual(hub.status()[0], DOWN)
        self.assertEqual(hub.camctl("status", "clock")[0], WELL)
        self.assertEqual(hub.camctl("status", "door")[0], DOWN)
        self.assertEqual(hub.camera("clock")["state"], "up")
        server.start()
        hub.wait_state("door", "up", deadline_s=60)
        self.assertEqual(hub.status()[0], WELL)

    def test_a_camera_hangs(self):
        server = self.rtsp()
        hub = self.hub([{"name": "door", "url": server.url("h264")}])
        hub.wait_state("door", "up")
        server.hang()
        # Connected and silent is "stalled"; given up and asked again is "connecting" or "down".
        until(lambda: hub.camera("door").get("state") in ("stalled", "down", "connecting"),
                  "the silence is noticed")
        self.assertEqual(hub.status()[0], DOWN)
        server.resume()
        hub.wait_state("door", "up", deadline_s=60)

    def test_a_camera_redirects(self):
        server = self.rtsp()
        moved, loop = Moved(server.url("h264")), Moved("")
        self.addCleanup(moved.stop)
        self.addCleanup(loop.stop)
        loop.location = loop.url()
        hub = self.hub([{"name": "door", "url": moved.url()}, {"name": "loop", "url": loop.url()}])
        camera = hub.wait_state("door", "up")
        self.assertEqual((camera["url"], camera["redirected_to"]), (moved.url(), server.url("h264")))
        self.assertEqual((camera["restarts"], camera["last_error"]), (1, ""))
        hub.wait_state("door", "up", transport="tcp", camera_clock="synced")
        camera = hub.wait_state("loop", "down")
        self.assertIn("more than 3 times", camera["reason"])
        # Lost there: from the beginning.
        server.drop()
        until(lambda: moved.asked >= 2, "the configured URL is asked again")
        hub.wait_state("door", "up", redirected_to=server.url("h264"))

    def test_unreachable_and_refused(self):
        server = self.rtsp(user="viewer", password="s3cret-word")
        hole, mute, nobody = BlackHole(), Mute(), free_port()
        self.addCleanup(hole.stop)
        self.addCleanup(mute.stop)
        hub = self.hub(
            [{"name": "good", "url": server.url("h264"), "credentials": "good"},
             {"name": "wrong", "url": server.url("h264"), "credentials": "wrong"},
             {"name": "hole", "url": hole.url()}, {"name": "mute", "url": mute.url()},
             {"name": "nobody", "url": f"rtsp://127.0.0.1:{nobody}/stream"},
             {"name": "missing", "url": server.url("nothing"), "credentials": "good"}],
            credentials={"good": ("viewer", "s3cret-word"), "wrong": ("viewer", "wr0ng-word")})
        hub.wait_state("good", "up")
        refused = hub.wait_state("wrong", "refused")
        self.assertEqual(refused["class"], "auth")
        self.assertGreater(refused["retry_in_ms"], 0)
        self.assertEqual(hub.wait_state("nobody", "down")["class"], "unreachable")
        self.assertIn(hub.wait_state("hole", "down", deadline_s=60)["class"], ("unreachable", "timeout"))
        self.assertIn(hub.wait_state("mute", "down", deadline_s=60)["class"], ("timeout", "protocol"))
        self.assertEqual(hub.wait_state("missing", "down")["class"], "not-found")
        self.assertEqual(hub.status()[0], DOWN)
        self.check_no_secret(hub, "s3cret-word", "wr0ng-word")

    def test_a_camera_hangs_up_behind_its_question(self):
        server = self.rtsp(user="viewer", password="s3cret-word", digest=True)
        good, wrong = HangsUp(server), HangsUp(server)
        self.addCleanup(good.stop)
        self.addCleanup(wrong.stop)
        hub = self.hub([{"name": "good", "url": good.url(), "credentials": "good"},
                        {"name": "wrong", "url": wrong.url(), "credentials": "wrong"}],
                       credentials={"good": ("viewer", "s3cret-word"), "wrong": ("viewer", "wr0ng-word")})
        camera = hub.wait_state("good", "up")
        self.assertEqual((camera["restarts"], camera["last_error"], good.asked), (1, "", 1))
        camera = hub.wait_state("wrong", "refused")
        self.assertIn("closes the connection after asking for a password", camera["reason"])
        self.assertGreater(camera["retry_in_ms"], 1000)
        self.assertEqual((camera["restarts"], wrong.asked), (1, 2))
        # A session that is lost: the same once more.
        server.drop()
        until(lambda: good.asked >= 2, "the camera asks again")
        hub.wait_state("good", "up")
        self.assertEqual(good.asked, 2)
        self.check_no_secret(hub, "s3cret-word", "wr0ng-word")

    def check_no_secret(self, hub, *secrets):
        said = [hub.log(), *hub.camctl("status"), *hub.camctl("status", "--json"),
                hub.get("/api/streams")[2].decode(), hub.get("/metrics")[2].decode()]
        seen = ""
        for pid in [*rig.descendants(hub.process.pid), hub.process.pid]:
            for name in ("cmdline", "environ"):
                try:
                    with open(f"/proc/{pid}/{name}", "rb") as file:
                        said.append(file.read().decode(errors="replace"))
                        seen += said[-1]
                except OSError:
                    continue  # it has ended, as workers of cameras that are away do
        for program in ("camhub-supervisor", "camhub-http", "camhub-worker"):
            self.assertIn(program, seen)
        for secret in secrets:
            for text in said:
                self.assertNotIn(secret, str(text))

    def test_the_supervisor_is_stopped(self):
        hub = self.hub([{"name": "clock", "url": "test:clock?size=320x180&fps=5"}])
        hub.wait_state("clock", "up")
        os.kill(hub.process.pid, signal.SIGSTOP)
        self.assertEqual(hub.camctl("status")[0], NO_ANSWER)
        os.kill(hub.process.pid, signal.SIGCONT)
        hub.wait_state("clock", "up")
        self.assertEqual(hub.status()[0], WELL)
        self.assertEqual(hub.camctl("status", "--nonsense")[0], USAGE)
        self.assertEqual(hub.camctl("status", "nobody")[0], USAGE)
        hub.stop()
        code, _, err = hub.camctl("status")
        self.assertEqual(code, NOT_RUNNING)
        self.assertIn("not running", err)


if __name__ == "__main__":
    rig.main()
