#!/usr/bin/python3 -B
"""
Programs on the tap, in the real camhub: the Python package, what comes with camhub as examples, and the
library for C; installed as people do it, with restarts of what they depend on.
"""

import asyncio
import contextlib
import json
import os
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import rig
from wait import PATIENCE_S, until
from wall import Wall

SOURCE = rig.source_dir()
VENV = os.path.join(rig.build_dir(), "python", ".venv")
EXAMPLES = os.path.join(SOURCE, "examples")
CLOCK = {"name": "door", "title": "Front door", "url": "test:clock?size=320x240&fps=25&gop=50&codec=h264"}
STILLS = {"name": "till", "url": "test:clock?size=320x240&fps=10&codec=mjpeg"}


def need_venv(*modules):
    """The environment that python/venv.sh makes, made now if need be; the test is skipped where it cannot be."""
    made = subprocess.run([os.path.join(SOURCE, "python", "venv.sh"), VENV], capture_output=True, text=True, check=False,
                          timeout=PATIENCE_S)
    if made.returncode != 0:
        raise unittest.SkipTest(f"no packages from PyPI: {(made.stderr.strip().splitlines() or ['?'])[-1]}")
    for module in ("pynng",) + modules:
        if subprocess.run([f"{VENV}/bin/python", "-c", f"import {module}"], capture_output=True, check=False).returncode:
            raise unittest.SkipTest(f"python module {module} is not installed")
    site = subprocess.run([f"{VENV}/bin/python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                          capture_output=True, text=True, check=True).stdout.strip()
    for path in (site, os.path.join(SOURCE, "python"), EXAMPLES):
        if path not in sys.path:
            sys.path.insert(0, path)


class Tap(rig.Case):
    """The package itself."""

    def setUp(self):
        need_venv("av", "numpy")
        global camhub
        import camhub

    def serve(self, *cameras):
        hub = self.hub(list(cameras), patient=True)
        hub.wait_serving()
        for camera in cameras:
            hub.wait_state(camera["name"], "up")
        return hub

    def open(self, served, name="test"):
        hub = camhub.Hub(name, served.runtime)
        self.addCleanup(hub.close)
        return hub

    def test_frames_and_their_pictures(self):
        served = self.serve(CLOCK, STILLS)
        hub = self.open(served)
        streams = {stream.name: stream for stream in hub.streams()}
        self.assertEqual(streams["door"].title, "Front door")
        self.assertEqual((streams["door"].codec, streams["door"].width), ("h264", 320))
        door = hub.subscribe("door")
        frames = [door.next(PATIENCE_S) for _ in range(60)]
        self.assertTrue(frames[0].key and frames[0].first)
        self.assertEqual([frame.seq for frame in frames if frame.first], [frames[0].seq])
        for before, after in zip(frames, frames[1:]):
            # A configuration, which has a number too, comes before each key frame.
            self.assertEqual(after.seq, before.seq + (2 if after.key else 1))
            self.assertGreater(after.pts_ns, before.pts_ns)
        picture = frames[-1].to_ndarray()
        self.assertEqual((picture.shape, str(picture.dtype)), ((240, 320, 3), "uint8"))
        self.assertGreater(picture.std(), 10)
        with self.assertRaises(camhub.NoPicture):
            frames[-2].to_ndarray()
        still = hub.subscribe("till").next(PATIENCE_S)
        self.assertTrue(still.key)
        self.assertEqual(still.data[:2], b"\xff\xd8")
        self.assertEqual(still.to_ndarray().shape, (240, 320, 3))
        self.assertEqual(door.stats.gaps, 0)
        with self.assertRaises(camhub.NoSuchStream):
            hub.subscribe("nobody")

    def test_a_slow_program_gets_the_newest(self):
        served = self.serve(CLOCK)
        door = self.open(served).subscribe("door")
        first = door.newest(PATIENCE_S)
        until(lambda: served.camera("door").get("frames", 0) > first.seq + 50, "two seconds of pictures")
        frame = door.newest(PATIENCE_S)
        self.assertEqual(frame.behind, 0)
        self.assertGreater(frame.seq, first.seq + 25)
        self.assertGreater(door.stats.skipped, 20)
        # All that it refers to was decoded on the way.
        self.assertEqual(frame.to_ndarray().shape, (240, 320, 3))
        self.assertEqual(door.stats.gaps, 0)

    def test_asyncio_with_two_cameras(self):
        served = self.serve(CLOCK, STILLS)

        async def count(subscription):
            seen = 0
            async for frame in subscription:
                seen += frame.to_ndarray().shape == (240, 320, 3)
                if seen == 20:
                    return seen

        async def main():
            async with camhub.AsyncHub("async", served.runtime) as hub:
                return await asyncio.wait_for(asyncio.gather(*(count(hub.subscribe(name)) for name in ("door", "till"))),
                                              PATIENCE_S)

        self.assertEqual(asyncio.run(main()), [20, 20])

    def test_a_worker_and_camhub_itself_may_restart(self):
        served = self.serve(CLOCK)
        door = self.open(served).subscribe("door")
        before = door.next(PATIENCE_S)
        os.kill(served.child("camhub-worker-av door"), 9)

        def another(old):
            frame = door.next(PATIENCE_S)
            return frame if frame.epoch != old.epoch else None

        after = until(lambda: another(before), "a frame of the next worker", poll_s=0)
        self.assertTrue(after.first and after.key)
        self.assertEqual(after.to_ndarray().shape, (240, 320, 3))
        served.stop()
        served.start()
        served.wait_serving()
        again = until(lambda: another(after), "a frame of the next camhub", poll_s=0)
        self.assertTrue(again.first and again.key)
        self.assertEqual(door.stats.epochs, 3)

    def test_nobody_is_there(self):
        with tempfile.TemporaryDirectory() as directory:
            with self.assertRaises(camhub.Away):
                camhub.Hub("test", directory)
        served = self.serve(CLOCK)
        with self.assertRaisesRegex(camhub.Refused, "name"):
            camhub.Hub("No Name", served.runtime)


class Order(unittest.TestCase):
    """What the package makes of messages: the same as libcamhub (tests/check_lib_feed.c)."""

    ME = 7

    def setUp(self):
        need_venv()
        from camhub import _feed, _header
        self.feed, self.unit, self.header = _feed.Feed(), _feed.Unit, _header
        self.limit = _feed.READY_MAX
        self.feed.subscriber = self.ME
        self.feed.begin(1)

    def push(self, kinds, seq, subscriber=0):
        """kinds: K key, P picture, C configuration, J a JPEG."""
        names = {"C": self.header.Kind.CONFIG, "J": self.header.Kind.JPEG}
        for number, kind in enumerate(kinds, seq):
            flags = (kind == "K") * self.header.Flag.KEY | (subscriber != 0) * self.header.Flag.REPLAY
            header = self.header.Header(1, names.get(kind, self.header.Kind.VIDEO), 0, flags, self.header.Codec.H264, 1, number, 0, 0,
                                        0, 0, 0, 1, 0, 0, 320, 240, 0, subscriber)
            self.feed.push(self.unit(header, b"payload"))

    def taken(self):
        text = []
        while (one := self.feed.take()) is not None:
            text.append("!" * one.is_first + str(one.unit.header.seq))
        return " ".join(text)

    def test_begins_with_a_key_frame(self):
        self.push("PP", 5)
        self.assertEqual(self.taken(), "")
        self.assertTrue(self.feed.wants_replay)
        self.push("CKPP", 7)
        self.assertEqual(self.taken(), "!8 9 10")

    def test_a_replay_comes_first(self):
        self.push("P", 14)
        self.push("CKPP", 10, 99)
        self.push("CKPPP", 10, self.ME)
        self.push("P", 15)
        self.feed.replay_end()
        self.assertEqual(self.taken(), "!11 12 13 14 15")

    def test_goes_on_after_a_hole(self):
        self.push("CKPP", 1)
        self.push("PPP", 7)
        self.assertEqual(self.taken(), "!2 3 4")
        self.push("CKPPPPPPP", 1, self.ME)
        self.feed.replay_end()
        self.assertEqual(self.taken(), "5 6 7 8 9")
        self.push("PPK", 12)
        self.assertEqual(self.taken(), "!14")
        self.assertEqual(self.feed.gaps, 2)

    def test_a_replay_with_holes_is_none(self):
        self.push("CK", 10, self.ME)
        self.push("P", 13, self.ME)
        self.feed.replay_end()
        self.assertEqual(self.taken(), "")

    def test_the_queue_is_bounded(self):
        for seq in range(1, 3000):
            self.push("K" if seq == 1 or seq % 50 == 0 else "P", seq)
        self.assertLessEqual(self.feed.waiting, self.limit)
        self.assertTrue(self.taken().startswith("!2750 2751 "))
        self.feed.begin(1)
        self.push("K", 1)
        for seq in range(2, 2000):
            self.push("P", seq)
        self.assertFalse(self.feed.wants_replay)
        self.assertEqual(self.feed.waiting, 0)

    def test_messages_that_are_none(self):
        good = struct.pack("<4sIBBHHHQQIIqqIIqqHHIIIqII", b"CFB1", 1, 1, 0, 1, 112, 1, 5, 9, 0, 0, 1, 1, 0, 1, 2, 3, 320, 240, 4, 0,
                           0, 6, 7, 0) + b"data"
        header, payload = self.header.parse(good)
        self.assertEqual((header.epoch, header.seq, header.for_subscriber, payload), (5, 9, 7, b"data"))
        longer = good[:12] + struct.pack("<H", 116) + good[14:112] + b"more" + b"data"
        self.assertEqual(self.header.parse(longer)[1], b"data")
        for at, value in ((0, 0), (8, 9), (8, 0), (9, 2), (12, 111), (14, 2), (84, 5), (87, 255)):
            bad = bytearray(good)
            bad[at] = value
            with self.assertRaises(self.header.Malformed, msg=at):
                self.header.parse(bytes(bad))
        for length in range(len(good)):
            with self.assertRaises(self.header.Malformed):
                self.header.parse(good[:length])


class Decoding(unittest.TestCase):
    """Which frames are decoded for the one that is asked for; the decoder is a fake."""

    def setUp(self):
        need_venv()
        from camhub import _feed, _frame, _header

        class Fake(_frame.Decoder):
            pictures = {}

            def _decode_one(self, unit):
                if unit.data == b"bad":
                    raise _frame.NoPicture(f"{unit!r}: damaged")
                self._latest, self._picture = (unit.epoch, unit.seq), self.pictures.get(unit.data, unit.data)

        self.decoder, self.no_picture = Fake(), _frame.NoPicture

        def frame(seq, data, key=False):
            header = _header.Header(1, _header.Kind.VIDEO, 0, _header.Flag.KEY * key, _header.Codec.H264, 1, seq, 0, 0, 0, 0, 0, 1, 0, 0,
                                    320, 240, 0, 0)
            made = _frame.Frame("door", _feed.Taken(_feed.Unit(header, data), b"", key), 0, self.decoder)
            self.decoder.push(made)
            return made

        self.frame = frame

    def test_damage_before_it_does_not_spoil_a_frame(self):
        self.frame(1, b"key", True)
        bad, good = self.frame(2, b"bad"), self.frame(3, b"good")
        self.assertEqual(good.to_av(), b"good")
        with self.assertRaises(self.no_picture):
            bad.to_av()
        with self.assertRaises(self.no_picture):
            self.frame(4, b"bad").to_av()
        self.assertEqual(self.frame(5, b"better").to_av(), b"better")

    def test_what_waits_before_a_key_frame_is_not_decoded(self):
        old = self.frame(1, b"key", True)
        self.frame(2, b"bad")
        self.assertEqual(self.frame(3, b"new", True).to_av(), b"new")
        with self.assertRaises(self.no_picture):
            old.to_av()


    def test_the_memory_of_a_picture_is_used_again(self):
        """A page fault for each 4 KiB of each picture would cost more than its conversion."""
        need_venv("av", "numpy")
        import av
        self.decoder.pictures = {b"large": av.VideoFrame(1280, 720, "yuv420p")}
        batch, pages, count = [], 1280 * 720 * 3 // 4096, 40
        for number in range(2 * count):
            if number == count:
                before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            frame = self.frame(number + 1, b"large", number == 0)
            # By fours, as for a network that takes them so.
            batch = [*batch[:number % 4], frame.to_ndarray()]
        self.assertEqual(batch[0].shape, (720, 1280, 3))
        self.assertLess(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before, count * pages / 10)


class Hostile(unittest.TestCase):
    """A supervisor and a worker that talk nonsense to the package."""

    def setUp(self):
        need_venv()
        global camhub, pynng
        import camhub
        import pynng
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(self.listener.close)
        self.listener.bind(f"{self.directory}/tap.sock")
        self.listener.listen()
        self.heard = []

    def supervise(self, *messages):
        """A supervisor that says these, and listens."""
        def play():
            tap, _ = self.listener.accept()
            with tap, contextlib.suppress(ConnectionResetError):
                for message in messages:
                    tap.send(message if isinstance(message, bytes) else json.dumps(message).encode())
                while data := tap.recv(1 << 16):
                    self.heard.append(json.loads(data))

        thread = threading.Thread(target=play, daemon=True)
        thread.start()
        self.addCleanup(thread.join, PATIENCE_S)

    def frame(self, seq, epoch=5):
        return struct.pack("<4sIBBHHHQQIIqqIIqqHHIIIqII", b"CFB1", 1, 1, 0, 1, 112, 1, epoch, seq, 0, 0, seq, seq, 0, 1, 2, 3, 320, 240, 4,
                           0, 0, 6, 0, 0) + b"data"

    def test_nonsense_is_passed_over(self):
        self.supervise(b"{", b"[1]", b"\xff\xfe", {"type": 7}, {"type": "tap-welcome", "subscriber": "x"}, {"type": "tap-of-tomorrow"},
                       {"type": "tap-stream", "id": "1", "name": 3}, {"type": "tap-stream", "id": 2, "name": "odd", "endpoint": "../x"},
                       {"type": "tap-gone", "id": []}, {"type": "tap-welcome", "subscriber": 7, "more": 1},
                       {"type": "tap-stream", "id": 1, "name": "door", "epoch": 5, "endpoint": "door-5.sock", "fps": 25},
                       {"type": "tap-synced"})
        with camhub.Hub("test", self.directory) as hub, pynng.Pub0() as worker:
            worker.listen(f"ipc://{self.directory}/door-5.sock")
            door = hub.subscribe("door")
            until(lambda: any(message["type"] == "tap-replay" for message in self.heard) or door.next(0.05), "it asks for a replay",
                  poll_s=0)
            worker.send(self.frame(1))
            self.assertEqual(door.next(PATIENCE_S).data, b"data")
            for bad in (b"", b"rubbish", self.frame(2)[:-1], b"\0" * 200):
                worker.send(bad)
            # Not believed any more.
            worker.send(self.frame(2))
            until(lambda: door.next(0.05) is None and door.stats.malformed == 4, "all of it was read", poll_s=0)
            self.assertEqual(door.stats.frames, 1)

    def test_refused(self):
        self.supervise({"type": "tap-refused", "text": "<b>no</b>"})
        with self.assertRaisesRegex(camhub.Refused, "<b>no</b>"):
            camhub.Hub("test", self.directory)

    def send_away(self, connections):
        """A supervisor that welcomes the first so many connections, and refuses each that follows; counts them."""
        self.refused = 0

        def play():
            number = 0
            with contextlib.suppress(OSError):
                while True:
                    tap, _ = self.listener.accept()
                    number += 1
                    with tap, contextlib.suppress(ConnectionResetError, BrokenPipeError):
                        if number > connections:
                            self.refused += 1
                            tap.send(json.dumps({"type": "tap-refused", "text": "no room"}).encode())
                            self.heard.append(json.loads(tap.recv(1 << 16)))
                            continue
                        for message in ({"type": "tap-welcome", "subscriber": 7},
                                        {"type": "tap-stream", "id": 1, "name": "door"}, {"type": "tap-synced"}):
                            tap.send(json.dumps(message).encode())
                        # Until it has said where its results are.
                        while "results" not in (said := json.loads(tap.recv(1 << 16))):
                            self.heard.append(said)
                        self.heard.append(said)
                        self.go_on.wait(PATIENCE_S)

        self.go_on = threading.Event()
        thread = threading.Thread(target=play, daemon=True)
        thread.start()
        self.addCleanup(thread.join, PATIENCE_S)
        self.addCleanup(self.listener.shutdown, socket.SHUT_RDWR)

    def test_sent_away_again_and_again(self):
        """It tries less and less often, makes nothing new for it, and its program is told."""
        self.send_away(1)
        os.mkdir(f"{self.directory}/results")
        with camhub.Hub("test", self.directory) as hub:
            door = hub.subscribe("door")
            hub._engine.publish({"stream": "door"})
            until(lambda: self.heard and "results" in self.heard[-1], "where its results are")
            before, heard = len(os.listdir("/proc/self/fd")), len(self.heard)
            self.go_on.set()
            began = time.monotonic()
            with self.assertRaisesRegex(camhub.Refused, "no room"):
                door.next(PATIENCE_S)
            self.assertEqual(self.refused, 3)
            until(lambda: len(self.heard) >= heard + 3, "what it said when it was sent away")
            self.assertGreaterEqual(time.monotonic() - began, 0.25 + 0.5 + 1)
            self.assertFalse(any("results" in message for message in self.heard[heard:]))
            self.assertEqual(len(os.listdir(f"{self.directory}/results")), 1)
            self.assertLessEqual(len(os.listdir("/proc/self/fd")), before + 1)
            # Once for each.
            self.assertIsNone(door.next(0))

    def listening(self):
        """The names of sockets in results/ that are open."""
        with open("/proc/net/unix", encoding="utf-8") as table:
            return [line.rsplit("/", 1)[1].strip() for line in table if f"{self.directory}/results/" in line]

    def test_results_after_a_restart(self):
        """The old file went with the old camhub: another one, and nothing is left of the first."""
        self.send_away(20)
        os.mkdir(f"{self.directory}/results")
        with camhub.Hub("test", self.directory) as hub:
            hub._engine.publish({"stream": "door"})
            (first,) = os.listdir(f"{self.directory}/results")
            os.unlink(f"{self.directory}/results/{first}")
            self.go_on.set()

            def files():
                return [name for name in os.listdir(f"{self.directory}/results") if name != first]

            until(lambda: hub._engine.work(time.monotonic() + 0.05) or files(), "another endpoint", poll_s=0)
            (second,) = files()
            until(lambda: any(message.get("results") == second for message in self.heard), "camhub was told where")
            # What has no file any more is still listed while it is open.
            until(lambda: self.listening() == [second], "the old one is closed")

    def test_too_many_results(self):
        self.supervise({"type": "tap-welcome", "subscriber": 7}, {"type": "tap-synced"})
        os.mkdir(f"{self.directory}/results")
        with camhub.Hub("test", self.directory) as hub:
            for stream in ("door", "gate"):
                for _ in range(60):
                    hub._engine.publish({"stream": stream})
            with self.assertRaises(camhub.TooManyResults):
                for _ in range(200):
                    hub._engine.publish({"stream": "door"})
            with self.assertRaises(ValueError):
                hub._engine.publish({"stream": "yard", "note": "x" * 70000})
            (name,) = os.listdir(f"{self.directory}/results")
            self.assertRegex(name, r"^analyser-test-\d+\.sock$")
            self.assertEqual(os.stat(f"{self.directory}/results/{name}").st_mode & 0o777, 0o666)
            until(lambda: any(message.get("results") == name for message in self.heard), "camhub was told where")
        self.assertEqual(os.listdir(f"{self.directory}/results"), [])


class Wheel(rig.Case):
    def test_a_wheel_is_built_and_works(self):
        need_venv()
        if subprocess.run(["/usr/bin/python3", "-c", "import setuptools, wheel"], capture_output=True,
                          check=False).returncode:
            raise unittest.SkipTest("python3-setuptools or python3-wheel is not installed")
        with tempfile.TemporaryDirectory() as directory:
            # The build writes beside its source.
            subprocess.run(["cp", "-r", os.path.join(SOURCE, "python"), f"{directory}/python"], check=True)
            subprocess.run(["/usr/bin/python3", "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps",
                            "--no-build-isolation", "--wheel-dir", directory, f"{directory}/python"], check=True,
                           timeout=PATIENCE_S)
            wheel = next(name for name in os.listdir(directory) if name.endswith(".whl"))
            with open(os.path.join(rig.build_dir(), "config.h"), encoding="utf-8") as config:
                version = config.read().split('#define VERSION "')[1].split('"')[0]
            self.assertEqual(wheel, f"camhub-{version}-py3-none-any.whl")
            # As it is: a wheel is a directory that can be imported.
            done = subprocess.run([f"{VENV}/bin/python", "-c", "import camhub; print(camhub.__file__, camhub.__version__)"],
                                  env={"PYTHONPATH": os.path.join(directory, wheel)}, capture_output=True, text=True,
                                  check=True)
            self.assertIn(f".whl/camhub/__init__.py {version}", done.stdout)


class Examples(rig.Case):
    """What comes with camhub, as it is."""

    def run_example(self, name, served, *words):
        environ = {**os.environ, "PYTHONPATH": os.path.join(SOURCE, "python")}
        process = subprocess.Popen([f"{VENV}/bin/python", "-B", os.path.join(EXAMPLES, name), "--directory",
                                    served.runtime, *words], env=environ)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def results(self, served, camera):
        """What a viewer of that camera is told, from now on."""
        wall = Wall(served)
        self.addCleanup(wall.close)
        wall.subscribe(1, camera, overlay=True)
        return wall

    def test_tap_in_c(self):
        served = self.hub([CLOCK], patient=True)
        served.wait_serving()
        served.wait_state("door", "up")
        tap = os.path.join(rig.build_dir(), "examples", "tap")
        environ = {**os.environ, "CAMHUB_DIR": served.runtime}
        listed = subprocess.run([tap], env=environ, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
        self.assertRegex(listed.stdout, r"^door +up +h264 +320x240 ")
        lines = subprocess.run([tap, "door", "30"], env=environ, capture_output=True, text=True, check=True,
                               timeout=PATIENCE_S).stdout.splitlines()
        self.assertEqual(len(lines), 30)
        self.assertRegex(lines[0], r"^seq \d+ key first replay 320x240 \d+ bytes")

    def test_people_on_two_cameras(self):
        need_venv("av", "numpy", "cv2")
        import people
        import walkers
        with tempfile.TemporaryDirectory() as directory:
            cameras = []
            for seed, name in enumerate(("door", "yard")):
                walkers.write(f"{directory}/{name}.mp4", seed)
                cameras.append({"name": name, "url": f"file:{directory}/{name}.mp4?loop=1"})
            served = self.hub(cameras, patient=True)
            served.wait_serving()
            walls = [self.results(served, name) for name in ("door", "yard")]
            self.run_example("people.py", served)
            for wall, seed in zip(walls, (0, 1)):
                found = self.wait_results(wall, 8)
                self.assertEqual({result["analyser"] for result in found}, {"people"})
                counts = [result["counts"]["people"] for result in found]
                self.assertEqual(counts, [len(result["objects"]) for result in found])
                self.assertGreaterEqual(sum(counts), len(found))
                labels = {item["label"] for result in found for item in result["objects"]}
                self.assertEqual(labels, {"person"})
                # Where the figures really were: on some frame of the clip both stand in these boxes.
                drawn = [[walker.box_at(number / 200) for walker in walkers.walkers(seed)] for number in range(200)]
                for result in (result for result in found if len(result["objects"]) == 2):
                    best = max(min(max(people.share(box, item["box"]) for item in result["objects"]) for box in boxes)
                               for boxes in drawn)
                    self.assertGreater(best, 0.3, result)

    def test_motion(self):
        need_venv("av", "numpy")
        served = self.hub([CLOCK], patient=True)
        served.wait_serving()
        wall = self.results(served, "door")
        self.run_example("motion.py", served, "door")
        moving = self.wait_results(wall, 1)[0]["objects"]
        self.assertEqual(moving[0]["label"], "motion")
        self.assertTrue(all(0 <= value <= 1 for value in moving[0]["box"]))

    def wait_results(self, wall, count):
        """So many results in which something was found."""
        def results():
            return [text for text in list(wall.texts) if text["type"] == "result" and text["objects"]]

        wall.wait(lambda: len(results()) >= count, f"{count} results")
        return results()


if __name__ == "__main__":
    rig.main()
