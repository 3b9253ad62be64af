#!/usr/bin/python3 -B
"""The whole path: a real RTSP camera, real processes, and what a client gets over HTTP."""

import http.client
import json
import re
import subprocess
import time

import metrics
import picture
import rig
from camera import Mute
from wait import PATIENCE_S, until
from websocket import Refused


def packets(url, seconds):
    """ffprobe's view of a stream: [(stream index, dts in seconds, is key)], and what it complained of."""
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-read_intervals", f"%+{seconds}", "-show_packets",
         "-show_entries", "packet=stream_index,dts_time,flags", "-of", "json", url],
        capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    found = [(p["stream_index"], float(p["dts_time"]), p["flags"].startswith("K"))
             for p in json.loads(done.stdout or "{}").get("packets", [])]
    return found, done.stderr


def tracks(url):
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", url],
        capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    return done.stdout.split()


def loudness_db(data):
    """Of the loudest sample; silence is -91, and so is nothing at all."""
    done = subprocess.run(
        ["ffmpeg", "-f", "mp4", "-i", "-", "-vn", "-af", "volumedetect", "-f", "null", "-"],
        input=data, capture_output=True, check=False, timeout=PATIENCE_S)
    found = re.search(rb"max_volume: (-?[0-9.]+) dB", done.stderr)
    return float(found[1]) if found else -91.0


# Frames. Players take a longer step for a hole; the server makes none, whatever the camera leaves out.
PLAYABLE_STEP = 2.01


class Path(rig.Case):
    @classmethod
    def setUpClass(cls):
        rig.need("ffmpeg", "ffprobe")
        # Twenty seconds to a key frame: what waits for one, or shows only those, is seen.
        cls.server = cls.shared_rtsp(gop=300)
        cls.mute = Mute()
        cls.addClassCleanup(cls.mute.stop)
        cls.camhub = cls.shared_hub([
            {"name": "door", "title": "Front <door>", "url": cls.server.url("h264")},
            {"name": "gate", "url": cls.server.url("mjpeg")},
            {"name": "clock", "url": "test:clock?size=320x180&fps=10&gop=20"},
            {"name": "voice", "url": cls.server.url("h264-audio")},
            {"name": "phone", "url": cls.server.url("h264-pcma")},
            {"name": "mute", "url": cls.mute.url()},
        ])
        for name in ("door", "gate", "clock", "voice", "phone"):
            cls.camhub.wait_state(name, "up")

    def check_mp4(self, name):
        url = self.camhub.url(f"/api/stream.mp4?src={name}")
        found, errors = packets(url, 2)
        self.assertEqual(errors, "")
        self.assertGreater(len(found), 10)
        self.assertTrue(found[0][2], "the first packet is no key frame")
        for index in {stream for stream, _, _ in found}:
            times = [dts for stream, dts, _ in found if stream == index]
            self.assertEqual(times, sorted(set(times)), "decode times do not grow")
        self.assertEqual(picture.complaints(url, seconds=2), "")

    def test_mp4(self):
        self.check_mp4("door")

    def test_mp4_of_a_test_source(self):
        self.check_mp4("clock")

    def test_mp4_with_audio(self):
        for name, codec in (("voice", "aac"), ("phone", "flac")):
            with self.subTest(name):
                url = self.camhub.url(f"/api/stream.mp4?src={name}")
                self.check_mp4(name)
                self.assertEqual(tracks(url), ["h264", codec])
                self.assertEqual(tracks(url + "&audio=0"), ["h264"])

    def test_a_websocket_with_audio(self):
        for name, sound in (("voice", "mp4a.40.2"), ("phone", "flac")):
            viewer = self.viewer(self.camhub, name, keep_payload=True)
            self.assertRegex(viewer.wait_text("mse")["value"],
                             rf'^video/mp4; codecs="avc1\.[0-9A-F]{{6}},{sound}"$')
            # What was before the first viewer is silent; what came since is not.
            until(lambda v=viewer: loudness_db(bytes(v.payload)) > -40, f"sound of {name}", poll_s=1)
            viewer.close()
            self.assertEqual({fragment.track for fragment in viewer.fragments}, {1, 2})
            self.assertEqual(viewer.holes(PLAYABLE_STEP), [])
            self.assertEqual(picture.complaints(viewer.payload, kind="mp4"), "")

    def test_mjpeg(self):
        url = self.camhub.url("/api/stream.mjpeg?src=gate")
        found, errors = packets(url, 2)
        self.assertEqual(errors, "")
        self.assertGreater(len(found), 5)
        self.assertEqual(picture.complaints(url, seconds=2), "")

    def test_mjpeg_of_h264_is_406(self):
        status, headers, body = self.camhub.get("/api/stream.mjpeg?src=door")
        self.assertEqual(status, 406)
        self.assertIn("application/json", headers["content-type"])
        self.assertIn("error", json.loads(body))

    def test_websocket(self):
        viewer = self.viewer(self.camhub, "door", keep_payload=True)
        answer = viewer.wait_text("mse")
        codec = re.fullmatch(r'video/mp4; codecs="(avc1\.[0-9A-Fa-f]{6})"', answer["value"])
        self.assertTrue(codec, answer)
        viewer.wait(lambda v: v.fragments, "a fragment")
        # avcC: version, profile, compatibility, level: the codec string's own digits
        avcc = viewer.inits[0][viewer.inits[0].index(b"avcC") + 4:]
        self.assertEqual(codec[1][5:].lower(), avcc[1:4].hex())
        self.assertTrue(viewer.fragments[0].key)
        self.assertTrue(all(f.samples == 1 for f in viewer.fragments))
        viewer.wait_more(30)
        viewer.close()
        self.assertEqual(viewer.holes(PLAYABLE_STEP), [])
        self.assertEqual(picture.complaints(viewer.payload, kind="mp4"), "")

    def test_a_late_viewer_need_not_wait_for_a_key_frame(self):
        """In the middle of a long group there is a picture at once: the group's start is kept."""
        first = self.viewer(self.camhub, "door")
        for _ in range(3):
            first.wait_more(5)
            keys = sum(f.key for f in first.fragments)
            second = self.viewer(self.camhub, "door")
            second.wait(lambda v: v.fragments, "a fragment")
            self.assertTrue(second.fragments[0].key)
            first.wait_more(1)
            # Now and then a key frame comes just then, and nothing is shown by this.
            if sum(f.key for f in first.fragments) == keys:
                break
        else:
            self.fail("every late viewer had to wait for a key frame")
        self.assertEqual(self.server.clients(), 4, "one connection for each stream, ever")

    def test_websocket_mjpeg(self):
        viewer = self.viewer(self.camhub, "gate", "mjpeg")
        viewer.wait_text("mjpeg")
        viewer.wait_more(5)
        until(lambda: picture.jpeg_age_s(viewer.last_jpeg) < 10, "a picture of now")

    def test_websocket_refusals(self):
        for src, mode in (("nobody", "mse"), ("door", "mjpeg"), ("gate", "mse"), ("door", "nonsense")):
            with self.subTest(src=src, mode=mode):
                try:
                    viewer = self.viewer(self.camhub, src, mode)
                except Refused as refused:
                    self.assertEqual((src, refused.status), ("nobody", 404))
                    continue
                value = viewer.wait_text("error")["value"]
                self.assertTrue(value.startswith(mode), value)

    def snapshot(self, name):
        """(bar code, age in seconds) of /api/frame.jpeg."""
        def ask():
            answer = self.camhub.get(f"/api/frame.jpeg?src={name}")
            # A busy machine may need longer than the front's two seconds; then it says when to ask again.
            return answer if answer[0] not in (503, 504) or "retry-after" not in answer[1] else None

        status, headers, body = until(ask, "a snapshot")
        self.assertEqual((status, headers.get("content-type")), (200, "image/jpeg"), body[:200])
        self.assertEqual((body[:2], body[-2:]), (b"\xff\xd8", b"\xff\xd9"))
        stamp = picture.barcode_ms(picture.decode_gray(body, 640, 360), 640)
        return stamp, picture.age_s(stamp)

    def fresh(self, name):
        """The bar code of a picture that is not merely the group's first, None when it was too old."""
        stamp, age = self.snapshot(name)
        return stamp if age < 10 else None

    def check_snapshot(self, name):
        first = until(lambda: self.fresh(name), "a snapshot of now")
        # Three more, each newer: in a group of twenty seconds at most one of them is a key frame.
        for _ in range(3):
            last = first
            first = until(lambda: (self.snapshot(name)[0] - last) % (1 << 32) and self.snapshot(name)[0],
                          "a newer picture", 15)

    def test_snapshot(self):
        self.check_snapshot("door")

    def test_snapshot_of_mjpeg(self):
        self.check_snapshot("gate")

    def test_api(self):
        api = self.camhub.get_json("/api")
        version = tuple(int(n) for n in api["version"].split("."))
        self.assertTrue((1, 9, 13) <= version < (2, 0, 0), version)
        self.assertIn("camhub", api)

    def test_streams(self):
        everything = self.camhub.get_json("/api/streams")
        self.assertEqual(set(everything), {"door", "gate", "clock", "voice", "voice.opus", "phone", "mute"})
        one = self.camhub.get_json("/api/streams?src=door")
        self.assertIn("producers", json.dumps(one))
        self.assertEqual(self.camhub.get("/api/streams?src=nobody")[0], 404)

    def test_health_and_metrics(self):
        self.assertEqual(self.camhub.get("/healthz")[0], 200)
        status, headers, body = self.camhub.get("/metrics")
        self.assertEqual(status, 200)
        self.assertTrue(headers["content-type"].startswith("text/plain"))
        samples = metrics.parse(body.decode())
        self.assertEqual(samples["camhub_stream_up", (("stream", "door"),)], 1)
        self.assertIn(("camhub_viewer_delay_seconds_bucket", (("stream", "door"), ("le", "0.075"))), samples)

    def test_pages(self):
        for path in ("/", "/door"):
            status, headers, body = self.camhub.get(path)
            self.assertEqual(status, 200, path)
            self.assertIn("text/html", headers["content-type"])
            policy = headers["content-security-policy"]
            self.assertIn("default-src 'self'", policy)
            self.assertIn("media-src 'self' blob:", policy)
            self.assertNotIn(b"Front <door>", body)

    def test_errors(self):
        for path, expected in (("/api/stream.mp4?src=nobody", 404), ("/api/frame.jpeg?src=nobody", 404),
                               ("/api/nothing", 404), ("/nobody", 404), ("/api/frame.jpeg", 404),
                               ("/%2e%2e/etc/passwd", 404), ("/api/config", 404)):
            with self.subTest(path=path):
                status, headers, body = self.camhub.get(path)
                self.assertIn(status, (expected, 400))
                self.assertIn("application/json", headers["content-type"])
                self.assertIn("error", json.loads(body))
        for method in ("POST", "PUT", "DELETE"):
            with self.subTest(method=method):
                status, headers, _ = self.camhub.get("/api/streams", method)
                self.assertEqual(status, 405)
                self.assertIn("GET", headers["allow"])

    def test_a_camera_without_pictures_is_503(self):
        for path in ("/api/frame.jpeg?src=mute", "/api/stream.mp4?src=mute"):
            with self.subTest(path=path):
                status, headers, body = self.camhub.get(path)
                self.assertEqual(status, 503)
                self.assertTrue(int(headers["retry-after"]) > 0)
                self.assertIn("error", json.loads(body))

    def test_head(self):
        connection = http.client.HTTPConnection(self.camhub.host, self.camhub.port, timeout=PATIENCE_S)
        connection.request("HEAD", "/api")
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.read()), (200, b""))
        connection.close()


class OnDemand(rig.Case):
    def test_connected_while_somebody_watches(self):
        server = self.rtsp()
        hub = self.hub([{"name": "door", "url": server.url("h264"), "on_demand": True}],
                       extra={"limits": {"linger": "3s"}})
        hub.wait_state("door", "off")
        self.assertEqual(server.clients(), 0)
        viewer = self.viewer(hub, "door")
        viewer.wait_more(5)
        self.assertEqual(server.clients(), 1)
        closed = time.monotonic()
        viewer.close()
        until(lambda: server.clients() == 0, "the camera is let go", 60)
        self.assertGreater(time.monotonic() - closed, 2.5, "it lingers for whom comes next")
        hub.wait_state("door", "off")


if __name__ == "__main__":
    rig.main()
