#!/usr/bin/python3 -B
"""The pure parts of the faults: quantiles and goals, pictures and their numbers, what the observer finds, the report."""

import copy
import random
import subprocess
import shutil
import unittest

from catalogue import FAULTS

import observer
import pictures
import report
import rig
import stun
from figures import Goal, quantile, summary
from rtc_stranger import Session, frames, junk
from rtc_watcher import RtcWatcher
from watcher import Seen, frame


class Figures(unittest.TestCase):
    def test_quantiles_are_of_the_values(self):
        self.assertIsNone(quantile([], 0.5))
        self.assertEqual([quantile([7], at) for at in (0, 0.5, 0.99, 1)], [7] * 4)
        hundred = list(range(100, 0, -1))
        self.assertEqual([quantile(hundred, at) for at in (0.5, 0.95, 0.99, 1)], [50, 95, 99, 100])
        self.assertEqual(quantile([1, 2, 3], 0.99), 3)

    def test_goals(self):
        goal = Goal("gap", "p99", 1.5)
        self.assertIsNone(goal.missed_by({}))
        self.assertEqual(goal.missed_by({"gap": [1, 1.5]}), 0)
        self.assertEqual(goal.missed_by({"gap": [1, 2]}), 0.5)
        self.assertEqual(summary([3, 1]), {"n": 2, "p50": 1, "p99": 3, "max": 3})

    def test_the_catalogue(self):
        for fault in FAULTS.values():
            with self.subTest(fault=fault.name):
                self.assertGreater(fault.full, 0)
                self.assertLessEqual(fault.short, fault.full)
                self.assertTrue(fault.promise.endswith("."))
                for tamper in fault.controls:
                    self.assertTrue(tamper.finds, "a control that accepts any complaint proves nothing")
                    self.assertTrue(tamper.extra or tamper.camera or tamper.sabotage)


class Pictures(unittest.TestCase):
    def test_stamps_come_back(self):
        stamp = pictures.Stamp("door", 4711, 123456789)
        for padding in (0, 1, 255, 60000):
            unit = b"".join(b"\0\0\0\1" + nal for nal in pictures.picture(stamp, 0, padding))
            self.assertEqual(pictures.read_stamp(unit), stamp)
            self.assertNotIn(b"\0\0\1", pictures.stamp_nal(stamp, padding))
        self.assertIsNone(pictures.read_stamp(b"x" * 100))
        self.assertIsNone(pictures.read_stamp(pictures.MARK + b"door____00000000"))

    def test_the_benches_stamp(self):
        nal = pictures.bench_nal(pictures.Stamp("door", 4711, 123456789))
        self.assertEqual(nal, b"\x06\x05\x30camhub-bench-001" + b"00000000123456789000" + b"000000004711" + b"\x80")

    def test_payloads_make_the_unit_again(self):
        nal = b"\x65" + bytes(range(1, 251)) * 20
        parts = pictures.payloads(nal)
        self.assertTrue(all(len(part) <= pictures.PAYLOAD_MAX + 2 for part in parts))
        self.assertEqual([part[1] & 0xc0 for part in parts], [0x80] + [0] * (len(parts) - 2) + [0x40])
        self.assertEqual(bytes([parts[0][0] & 0xe0 | parts[0][1] & 31]) + b"".join(part[2:] for part in parts), nal)
        self.assertEqual(pictures.payloads(b"\x67abc"), [b"\x67abc"])

    def test_a_decoder_takes_them(self):
        if shutil.which("ffmpeg") is None:
            return
        units = [pictures.picture(pictures.Stamp("door", n, n), n % 10, 300) for n in range(20)]
        stream = b"".join(b"\0\0\0\1" + nal for unit in units for nal in unit)
        done = subprocess.run(["ffmpeg", "-v", "warning", "-f", "h264", "-i", "-", "-f", "rawvideo", "-pix_fmt", "gray", "-"],
                              input=stream, capture_output=True, check=True)
        self.assertEqual(done.stderr.decode(), "")
        self.assertEqual(len(done.stdout), 20 * pictures.WIDTH * pictures.HEIGHT)


class Watching(unittest.TestCase):
    def test_losses_are_counted_by_the_cameras_numbers(self):
        seen = Seen()
        for number in (5, 6, 9, 9, 8, 10):
            seen.on_frame(pictures.Stamp("door", number, 0), number / 10)
        self.assertEqual((seen.lost, seen.repeated, seen.frames, seen.last_number), (2, 2, 6, 10))
        self.assertAlmostEqual(seen.longest_s, 0.3)
        seen.mark()
        seen.on_frame(pictures.Stamp("door", 11, 0), 1.1)
        self.assertEqual((seen.lost, len(seen.gaps)), (0, 1))

    def test_frames_of_a_client_are_masked(self):
        self.assertEqual(frame(1, b"hi"), b"\x81\x82\0\0\0\0hi")
        self.assertEqual(frame(2, b"x" * 300)[:4], b"\x82\xfe\x01\x2c")


class Rtc(unittest.TestCase):
    def test_losses(self):
        viewers = RtcWatcher(None, "door", 2)
        self.assertTrue(viewers.losses(), "nobody plays")
        viewers.told = {"playing": 2, "frames": 100, "missed": 0, "broken": 0, "holes": 0, "closed": 0, "backs": 0}
        self.assertEqual(viewers.losses(), {})
        for name in ("missed", "broken", "holes", "closed", "backs"):
            with self.subTest(loss=name):
                before, viewers.told = viewers.told, {**viewers.told, name: 1}
                self.assertEqual(viewers.losses(), {name: 1})
                viewers.told = before
        viewers.told["playing"] = 1
        self.assertEqual(viewers.losses(), {"playing": 1})

    def test_checks(self):
        """RFC 8489 14.5 and 14.7: both lie over what is before them, with the length that ends with them."""
        whole = stun.request("ours:theirs", "password", 7)
        self.assertEqual(len(whole), 20 + int.from_bytes(whole[2:4], "big"))
        self.assertEqual(whole[-8:-4], b"\x80\x28\0\4")
        self.assertEqual(whole[-32:-28], b"\0\x08\0\x14")
        self.assertNotEqual(whole[-28:-8], stun.request("ours:theirs", "Password", 7)[-28:-8])
        self.assertEqual(len(stun.request("ours:theirs", "password", 7, with_integrity=False)), len(whole) - 24)

    def test_junk_is_junk(self):
        """Nothing in it is a check that was made with the password."""
        rng, session = random.Random(1), Session("ufragufr", "p" * 24)
        for _ in range(2000):
            data = junk(rng, session)
            good = session.check(int.from_bytes(data[8:20], "big"))
            self.assertNotEqual(data, good)
            self.assertTrue(frames(rng, session))


SEEN = {"supervisor": 10, "listens": {"127.0.0.1:80"}, "has_room": True,
        "children": {"camhub-worker door": 11, "camhub-worker yard": 12}, "fronts": {13},
        "cameras": {"door": {"flows": True, "viewers": 2, "restarts": 1}, "yard": {"flows": True, "viewers": 0, "restarts": None}}}
SAID = {"supervisor": {"pid": 10, "listen": ["127.0.0.1:80"]}, "processes": [{"name": "http", "pid": 13}], "code": 0,
        "cameras": {"door": {"state": "up", "pid": 11, "viewers": 2, "restarts": 1},
                    "yard": {"state": "up", "pid": 12, "viewers": 0, "restarts": 7}},
        "pages": {"door": {"state": "up"}, "yard": {"state": "up"}}}


class Observing(unittest.TestCase):
    def test_the_truth(self):
        self.assertEqual(observer.compare(SEEN, SAID), [])

    def test_each_lie_is_found(self):
        for where, key, lie, complaint in (
                (("supervisor",), "pid", 99, "the supervisor is"), (("supervisor",), "listen", ["0.0.0.0:80"], "listened on"),
                (("supervisor",), "trouble", ["/run: it is full"], "takes a byte"),
                ((), "code", 1, "left with 1"), (("cameras", "door"), "state", "down", "door: pictures flow"),
                (("cameras", "door"), "pid", 99, "door: its worker is"), (("cameras", "door"), "viewers", 1, "door: 2 watch"),
                (("cameras", "door"), "restarts", 0, "ended 1 times"), (("pages", "yard"), "state", "down", "the pages say down"),
                ((), "processes", [], "the fronts are"), ((), "cameras", {}, "there are cameras")):
            said = copy.deepcopy(SAID)
            place = said
            for name in where:
                place = place[name]
            place[key] = lie
            with self.subTest(lie=(where, key)):
                self.assertTrue([text for text in observer.compare(SEEN, said) if complaint in text], observer.compare(SEEN, said))

    def test_what_does_not_flow_is_not_up(self):
        seen = copy.deepcopy(SEEN)
        seen["cameras"]["door"]["flows"] = False
        self.assertEqual(len(observer.compare(seen, SAID)), 2)  # the state, and the exit code
        self.assertEqual(len(observer.compare({**SEEN, "has_room": False}, SAID)), 2)
        seen = copy.deepcopy(SEEN)
        seen["children"]["camhub-worker attic"] = 14
        self.assertEqual(len(observer.compare(seen, SAID)), 1)


class Report(unittest.TestCase):
    RESULT = {"status": "held", "reason": "", "n": 3, "full": 500, "seconds": 12.5, "notes": ["said | aside"], "missed": [],
              "controls": [{"what": "w", "status": "found", "reason": "r"}], "commit": "abc", "date": "2026-01-02",
              "figures": {"gap at the viewer": {"n": 3, "p50": 0.5, "p99": 1.25, "max": 1.25}},
              "machine": {"cores": 2, "load": 1.5, "waited_percent": 3, "stolen_percent": 0,
                          "driver_late": {"n": 1, "p50": 0.001, "p99": 0.002, "max": 0.002}}}

    def test_what_was_not_done_is_not_claimed(self):
        text = report.text({"worker-killed": self.RESULT})
        self.assertIn("held, 3 of 500 times", text)
        self.assertIn("| gap at the viewer | 3 | 0.500 s | 1.250 s | 1.250 s | p99 <= 1.500 s; max <= 3 s |", text)
        self.assertIn("1 of 1 found", text)
        for name in FAULTS:
            self.assertIn(f"| `{name}` |", text)
        self.assertEqual(text.count("not run |"), len(FAULTS) - 1)
        missed = {**self.RESULT, "n": 500, "missed": ["too late"]}
        self.assertIn("held; goal missed", report.text({"worker-killed": missed}))
        broken = {**self.RESULT, "status": "broken", "reason": "oh | no"}
        self.assertIn("broken: oh \\| no", report.text({"worker-killed": broken}))


if __name__ == "__main__":
    rig.main()
