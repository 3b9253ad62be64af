#!/usr/bin/python3 -B
"""/ws with real cameras and real processes: headers, payloads, the clock, quality, what becomes of it in between."""

import json
import re
import time

import fmp4
import picture
import rig
from wait import until
from wall import BEHIND, KEY, Wall, annexb


class TestWall(rig.Case):
    @classmethod
    def setUpClass(cls):
        rig.need("ffmpeg", "ffprobe")
        cls.server = cls.shared_rtsp(gop=60)
        cls.camhub = cls.shared_hub([
            {"name": "door", "url": cls.server.url("h264"), "sub": "test:clock?size=320x180&fps=10&gop=10"},
            {"name": "gate", "url": cls.server.url("mjpeg")},
        ])
        for name in ("door", "gate"):
            cls.camhub.wait_state(name, "up")

    def wall(self):
        wall = Wall(self.camhub)
        self.addCleanup(wall.close)
        return wall

    def check_line(self, frames):
        """Stamps as docs/protocol.md has them."""
        self.assertEqual(frames[0].flags & KEY, KEY)
        self.assertLess(abs(frames[0].pts_us), 1000000)
        for before, after in zip(frames, frames[1:]):
            self.assertEqual((after.header, after.track), (1, 0))
            self.assertGreater(after.pts_us, before.pts_us)
            self.assertLessEqual(after.pts_us - before.pts_us, 2 * before.duration_us + 1)
            self.assertEqual(after.seq, before.seq + 1)
            self.assertGreaterEqual(after.arrived_us, before.arrived_us)
        for frame in frames:
            self.assertLess(frame.arrived_us, frame.seen_us)
            self.assertLess(frame.seen_us - frame.arrived_us, 60e6)

    def test_units(self):
        wall = self.wall()
        wall.subscribe(1, "door")
        frames = wall.wait_frames(1, 40)
        self.assertEqual([text["type"] for text in wall.texts[:2]], ["webrtc", "state"])
        config, = wall.configs[1]
        self.assertEqual((config["stream"], config["form"], config["width"], config["height"]),
                         ("door", "unit", 640, 360))
        self.assertTrue(re.fullmatch("avc1[.][0-9A-F]{6}", config["codec"]), config)
        self.assertEqual(wall.record(1)[1:4].hex().upper(), config["codec"][5:])
        self.check_line(frames)
        self.assertEqual(picture.complaints(annexb(wall.record(1), frames), kind="h264"), "")

    def test_fragments_and_the_burst(self):
        """Who comes in the middle of a group gets all of it, marked so that only its last frame is shown."""
        first, second = self.wall(), self.wall()
        first.subscribe(1, "door")
        first.wait_frames(1, 20)
        second.subscribe(7, "door", forms=["fmp4"])
        frames = second.wait_frames(7, 30)
        behind = [bool(frame.flags & BEHIND) for frame in frames]
        self.assertEqual(behind, sorted(behind, reverse=True))
        self.check_line(frames)
        init = second.record(7)
        self.assertTrue(fmp4.is_init(init))
        for frame in frames:
            fragment, = fmp4.fragments(frame.payload)
            self.assertLessEqual(abs(fragment.time * 100 // 9 - frame.pts_us), 1)
        data = init + b"".join(frame.payload for frame in frames)
        self.assertEqual(picture.complaints(data, kind="mp4"), "")

    def test_jpeg(self):
        wall = self.wall()
        wall.subscribe(2, "gate")
        frames = wall.wait_frames(2, 5)
        self.assertEqual((wall.configs[2][0]["form"], wall.configs[2][0]["codec"]), ("jpeg", "mjpeg"))
        self.assertEqual((frames[-1].payload[:2], frames[-1].payload[-2:]), (b"\xff\xd8", b"\xff\xd9"))
        # The picture was made before it arrived, and arrived before it was seen.
        arrived = frames[-1].arrived_us / 1e6
        stamp = picture.barcode_ms(picture.decode_gray(frames[-1].payload, 640, 360), 640)
        self.assertGreaterEqual(picture.age_s(stamp), time.time() - arrived)

    def test_clock(self):
        wall = self.wall()
        before = time.time() * 1e6
        wall.say("clock", t0=before)
        answer = wall.wait_text("clock")
        after = time.time() * 1e6
        self.assertEqual(answer["t0"], before)
        self.assertTrue(before - 1 <= answer["t1_us"] <= answer["t2_us"] <= after, answer)

    def test_quality_without_black(self):
        wall = self.wall()
        wall.subscribe(1, "door", quality="auto", pixels=1920)
        wall.wait_frames(1, 5)
        wall.subscribe(1, "door", quality="auto", pixels=320)
        wall.wait_text("config", stream="door.sub")
        wall.wait_frames(1, 10)
        wall.subscribe(1, "door", quality="main")
        wall.wait(lambda: len(wall.configs[1]) == 3, "a third configuration")
        frames = wall.wait_frames(1, 10)
        self.assertEqual([config["stream"] for config in wall.configs[1]], ["door", "door.sub", "door"])
        self.assertEqual([config["version"] for config in wall.configs[1]], [1, 2, 3])
        versions = [frame.version for frame in frames]
        self.assertEqual(versions, sorted(versions))
        for version in (1, 2, 3):
            part = [frame for frame in frames if frame.version == version]
            self.assertTrue(part[0].flags & KEY)
        for before, after in zip(frames, frames[1:]):
            self.assertLessEqual(after.pts_us - before.pts_us, 2 * before.duration_us + 1)

    def test_pause(self):
        wall = self.wall()
        wall.subscribe(1, "door")
        wall.subscribe(2, "gate")
        wall.wait_frames(1, 3)
        wall.say("pause", id=1, on=True)
        wall.say("clock", t0=0)
        wall.wait_text("clock")
        count = len(wall.frames[1])
        wall.wait_frames(2, 20)
        self.assertEqual(len(wall.frames[1]), count)
        wall.say("pause", id=1, on=False)
        frames = wall.wait_frames(1, 10)
        self.assertTrue(frames[count].flags & KEY)

    def test_who_watches_is_counted_and_reports_are_taken(self):
        wall = self.wall()
        wall.subscribe(1, "door")
        wall.wait_frames(1, 3)
        consumer, = [one for one in self.camhub.get_json("/api/streams?src=door")["consumers"]]
        self.assertEqual(consumer["format_name"], "wall/unit")
        buckets = [0] * 14
        buckets[2] = 50
        wall.say("report", reports=[{"id": 1, "transport": "webcodecs", "shown": 50, "dropped": 0,
                                     "delay_ms": [24, 28, 30], "buckets": buckets}])
        until(lambda: self.camhub.get_json("/api/streams?src=door")["delay_ms"], "a delay")
        wall.say("unsubscribe", id=1)
        wall.wait_text("unsubscribed", id=1)
        self.assertEqual(self.camhub.get_json("/api/streams?src=door")["consumers"], [])

    def test_what_cannot_be(self):
        wall = self.wall()
        wall.subscribe(1, "nobody")
        self.assertEqual(wall.wait_text("error", id=1)["code"], "not-found")
        wall.subscribe(2, "gate", forms=["unit"])
        self.assertEqual(wall.wait_text("error", id=2)["code"], "codec")
        wall.say(json.dumps("nonsense"))
        self.assertEqual(wall.wait_text("error", code="request").get("id"), None)


if __name__ == "__main__":
    rig.main()
