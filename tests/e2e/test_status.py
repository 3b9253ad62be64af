#!/usr/bin/python3 -B
"""What camctl status says is true: compared with cameras whose state the test itself makes."""

import json
import os
import signal

import metrics
import rig
from camera import BlackHole, HangsUp, Moved, Mute
from ports import free_port
from wait import until
from websocket import TEXT, WebSocket

WELL, DOWN, USAGE, NOT_RUNNING, NO_ANSWER = 0, 1, 2, 3, 4


class Screen:
    """A player on /ws that shows nothing and says what it is told to say."""

    def __init__(self, hub, src):
        self.socket = WebSocket(hub.host, hub.port, "/ws")
        self._say(type="subscribe", id=1, src=src, forms=["jpeg"])
        while True:
            opcode, data = self.socket.recv()
            if opcode == TEXT and json.loads(data)["type"] == "config":
                break
        self._say(type="pause", on=True)

    def _say(self, **fields):
        self.socket.send_text(json.dumps(fields))

    def report(self, counts, delay_ms):
        """counts: {bucket: frames}."""
        buckets = [counts.get(bucket, 0) for bucket in range(14)]
        shown = sum(count for count in buckets if isinstance(count, int))
        self._say(type="report", reports=[{"id": 1, "transport": "mjpeg", "shown": shown, "dropped": 3,
                                           "delay_ms": delay_ms, "buckets": buckets}])

    def close(self):
        self.socket.close()


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
        hub = self.hub([{"name": "door", "url": server.url("h264"), "stall_timeout": "1s"}])
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
             {"name": "hole", "url": hole.url(), "open_timeout": "2s"},
             {"name": "mute", "url": mute.url(), "open_timeout": "2s"},
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

    def test_the_delay_on_screens(self):
        hub = self.hub([{"name": "clock", "url": "test:clock?size=320x180&fps=5&codec=mjpeg"}])
        hub.wait_state("clock", "up")
        first, second = Screen(hub, "clock"), Screen(hub, "clock")
        self.addCleanup(first.close)
        self.addCleanup(second.close)
        camera = hub.wait_state("clock", "up", viewers=2)
        self.assertNotIn("delay_p50_ms", camera)
        self.assertIn("not reported", hub.camctl("status", "clock")[1])
        first.report({1: 100}, [15, 19, 20])
        # 10 + 10 * 50/100 and 10 + 10 * 95/100
        camera = hub.wait_state("clock", "up", delay_p50_ms=15, delay_p95_ms=20, delay_viewers=1)
        self.assertIn("15/20 ms", hub.camctl("status")[1])
        self.assertIn("not reported:  the delay of 1 of 2 viewers", hub.camctl("status", "clock")[1])
        second.report({9: 100}, [250, 290, 300])
        # The 100th of 200 frames, the 190th; and of the second's 100 the 95th.
        camera = hub.wait_state("clock", "up", delay_p50_ms=20, delay_p95_ms=290, delay_worst_ms=295,
                                delay_viewers=2, delay_worst_transport="mjpeg", shown=200, dropped=6)
        consumers = hub.get_json("/api/streams?src=clock")["consumers"]
        self.assertEqual({one["id"]: one["delay_p95_ms"] for one in consumers}[camera["delay_worst_viewer"]], 295)
        self.assertEqual(sorted(one["delay_p95_ms"] for one in consumers), [20, 295])
        self.check_lies_change_nothing(hub, second)
        # Who leaves is not counted any more; what was seen was seen.
        second.close()
        hub.wait_state("clock", "up", viewers=1, delay_p95_ms=20, delay_viewers=1, shown=200)
        first.close()
        until(lambda: "delay_p95_ms" not in hub.camera("clock"), "nobody reports any more")
        self.assertEqual(hub.camera("clock")["shown"], 200)

    def check_lies_change_nothing(self, hub, screen):
        for buckets, delay_ms in (({1: 100000}, [15, 19, 20]), ({13: -5}, [1, 2, 3]), ({13: 100}, [3, 2, 1]),
                                  ({13: 100}, None), ({13: 100}, [0, 0, 1e300]), ({13: "100"}, [1, 2, 3])):
            screen.report(buckets, delay_ms)
        lies = ("camhub_viewer_reports_refused_total", (("stream", "clock"),))
        until(lambda: metrics.parse(hub.get("/metrics")[2].decode())[lies] == 6, "all lies are counted")
        samples = metrics.parse(hub.get("/metrics")[2].decode())
        bucket = "camhub_viewer_delay_seconds_bucket"
        self.assertEqual([samples[bucket, (("stream", "clock"), ("le", edge))] for edge in ("0.02", "0.2", "0.3", "+Inf")],
                         [100, 100, 200, 200])
        self.assertEqual(samples["camhub_viewer_frames_shown_total", (("stream", "clock"),)], 200)
        delay = hub.get_json("/api/streams?src=clock")["delay_ms"]
        self.assertEqual((delay["p50"], delay["p95"], delay["worst"], delay["viewers"]), (20, 290, 295, 2))

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
