#!/usr/bin/python3 -B
"""
What camhub-worker makes of RTP is what GStreamer's RTSP server was fed: over TCP cut at random, over
UDP, reordered, and with losses. The worker is alone; a relay stands between it and the camera.
"""

import ctypes.util
import os
import shutil
import tempfile
import unittest

import relay
import rig
import streams
from wait import until
from worker import Subscriber, Worker

# Picture and sound of the camera's mounts; one worker each.
MOUNTS = {"a": ("h264", "aac"), "b": ("h265", "pcma"), "c": ("jpeg", "pcmu"), "d": ("h264", "opus")}
PICTURES, SOUNDS = 60, 40  # how many are compared
NAMES = {"jpeg": "mjpeg"}
SEED = int(os.environ.get("CAMHUB_TEST_SEED", "1"))
CORRECTION_NS = 40 * 10**6  # the clock of sound is moved by no less


class Player:
    """One mount played from its first unit on: nothing passes the relay before the subscriber listens."""

    def __init__(self, case, mount, make_policy=None, **config):
        self.codecs = MOUNTS[mount]
        self.relay = relay.Relay(case.camera.port, make_policy)
        case.addCleanup(self.relay.stop)
        self.worker = Worker(case.directory, self.relay.url(mount), "camhub-worker", self.relay.port,
                             transport="udp" if make_policy else "tcp", keep_vui=True,
                             open_timeout_ms=60000, stall_ms=60000, **config)
        case.addCleanup(self.worker.stop)
        self.worker.wait_message("ready")
        self.subscriber = Subscriber(self.worker.bus)
        case.addCleanup(self.subscriber.stop)

    def start(self):
        self.subscriber.wait_status()
        self.worker.send("demand", on=True)
        self.worker.wait_message("demand-done", on=True)
        self.relay.open()

    def wait_units(self, pictures, sounds):
        for track, count in enumerate((pictures, sounds)):
            until(lambda track=track, count=count: len(self.subscriber.units(track, count)) == count,
                  lambda track=track, count=count: f"{count} units of {self.codecs[track]}: "
                  f"{len(self.subscriber.units(track))}, {self.worker.messages[-2:]}", poll_s=0.2)

    def wait_lost(self, count):
        """Until the worker says that so many packets were lost; then what it says."""
        return until(lambda: self.worker.last("worker-status").get("lost") == count and
                     self.worker.last("worker-status"),
                     lambda: f"{count} lost: {self.worker.last('worker-status')}")


class Ingest(rig.Case):
    @classmethod
    def setUpClass(cls):
        if ctypes.util.find_library("nng") is None:
            raise unittest.SkipTest("libnng is not installed")
        rig.need("ffmpeg")
        cls.directory = tempfile.mkdtemp(prefix="camhub-ingest-")
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.fed = streams.make(cls.directory)
        cls.camera = cls.shared_rtsp(feed=[streams.feed(cls.directory, mount, codecs)
                                          for mount, codecs in MOUNTS.items()])
        cls.expected = {codec: [streams.expected(codec, unit) for unit in units]
                        for codec, units in cls.fed.items()}

    def play(self, make_policy=None, **config):
        """A player of each mount, all at once."""
        players = [Player(self, mount, make_policy, **config) for mount in MOUNTS]
        for player in players:
            player.start()
        return players

    def at(self, codec, number):
        return self.expected[codec][number % len(self.expected[codec])]

    def find(self, codec, payload, at):
        """The number of the unit that this is, the next one from `at` on. None: it is none."""
        essence = streams.essence(codec, payload)
        return next((number for number in range(at, at + len(self.expected[codec]) - 1)
                     if self.at(codec, number) == essence), None)

    def check_pictures(self, codec, units):
        """Every picture from the first one on, in its place."""
        for number, (frame, payload) in enumerate(units):
            what = f"{codec} {number}: {frame}"
            self.assertEqual(frame["codec"], NAMES.get(codec, codec))
            self.assertEqual([flag for flag in frame["flags"] if flag in ("corrupt", "discontinuity")], [], what)
            self.assertEqual("key" in frame["flags"], codec == "jpeg" or number % 25 == 0, what)
            self.assertEqual(frame["payload_len"], len(payload))
            if streams.essence(codec, payload) != self.at(codec, number):
                self.fail(f"{what} is not what was fed")

    def check_sound(self, codec, units):
        """Every unit since there were pictures: sound that comes before them is not published."""
        at, found, before = 0, {}, None
        for frame, payload in units:
            number = self.find(codec, payload, at)
            self.assertIsNotNone(number, f"{codec} after {at}: not what was fed: {frame}")
            self.assertEqual(frame["codec"], codec)
            self.assertNotIn("corrupt", frame["flags"])
            found[number] = frame
            if before is not None and number > at and not self.is_corrected(codec, found, before, number):
                self.fail(f"{codec}: {at} to {number - 1} did not come out: {found[before]}, {frame}")
            before, at = number, number + 1

    def is_corrected(self, codec, found, before, after):
        """
        Sound is placed by its arrival until sender reports tell where it belongs. Moved back then, what
        it repeats is passed over, and so the times between two units are shorter than the units are.
        """
        apart_ns = found[after]["pts_ns"] - found[before]["pts_ns"]
        units_ns = (after - before) * streams.SOUND_NS.get(codec, streams.USUAL_NS)
        return codec not in streams.PICTURES and apart_ns < units_ns - CORRECTION_NS

    def find_headless(self, codec, frame, payload, at):
        """
        The number of the key frame that this is, whole but for what stands before its first slice: its
        sets were published as configuration, so it is not marked.
        """
        if codec not in streams.NAL or "key" not in frame["flags"]:
            return None
        has = streams.slices(codec, payload)
        return next((number for number in range((at + 24) // 25 * 25, at + 100, 25)
                     if streams.slices(codec, self.at(codec, number)) == has), None)

    def check_all_there(self, player):
        player.wait_units(PICTURES, SOUNDS)
        for track, (check, count) in enumerate(((self.check_pictures, PICTURES), (self.check_sound, SOUNDS))):
            units = player.subscriber.units(track, count)
            check(player.codecs[track], units)
            self.assertEqual(units, sorted(units, key=lambda unit: unit[0]["seq"]))
        self.assertEqual(player.worker.last("worker-status").get("lost", 0), 0)

    def test_tcp(self):
        for player in self.play():
            self.check_all_there(player)
            if player.codecs[0] == "jpeg":
                # The headers were made anew, Huffman tables too: a decoder is to see the same.
                images = [payload for _, payload in player.subscriber.units(0, PICTURES)]
                self.assertTrue(streams.pixels(images) == streams.pixels(self.fed["jpeg"][:len(images)]), "other pixels")

    def test_udp(self):
        for player in self.play(lambda track: relay.Pass()):
            self.check_all_there(player)

    def test_reordered(self):
        """
        Groups of up to five datagrams in any order, some twice. The window is wide, because a loaded
        machine may let the relay wait in the middle of a group.
        """
        for player in self.play(lambda track: relay.Shuffle(SEED + track), reorder_ms=1000):
            self.check_all_there(player)
            status = player.worker.last("worker-status")
            self.assertGreater(status["reordered"], 0)

    def test_reordered_without_a_window(self):
        """What comes too late is lost then: it is the window that does it."""
        player = Player(self, "a", lambda track: relay.Shuffle(SEED + track), reorder_ms=0)
        player.start()
        player.wait_units(PICTURES, 1)
        until(lambda: player.worker.last("worker-status").get("lost", 0) > 0, "packets that are too late")
        self.check_only_fed(player.codecs[0], player.subscriber.units(0, PICTURES))

    def check_only_fed(self, codec, units):
        for frame, payload in units:
            if "corrupt" not in frame["flags"]:
                self.assertIn(streams.essence(codec, payload), self.expected[codec], frame)

    def test_losses(self):
        """
        Datagrams are dropped by a seeded pattern, from the second group of pictures on. The relay knows
        which ones: what is whole comes out, what is not is marked, nothing else is, and all is counted.
        """
        patterns = ({"every": 25, "first": 150, "last": 500}, {"every": 10, "first": 20, "last": 120})
        players = self.play(lambda track: relay.Drop(SEED + track, **patterns[track]))
        for player in players:
            tracks = until(lambda player=player: len(player.relay.tracks) == 2 and player.relay.tracks, "tracks")
            for track in tracks:
                until(lambda policy=track.policy: len(policy.seen) > policy.last + 50, "the pattern's end")
            # What the status counts is the pictures' track.
            self.assertGreater(player.wait_lost(tracks[0].policy.dropped)["lost"], 10)
            for number, codec in enumerate(player.codecs):
                with self.subTest(codec=codec):
                    seen = list(tracks[number].policy.seen)
                    self.check_losses(codec, player.subscriber.units(number), *fates(seen))

    def check_losses(self, codec, units, whole, is_begun):
        """As fates() has it, for as many units as the relay has seen."""
        found, at, marked, pieces = {}, 0, 0, 0
        for frame, payload in units:
            is_marked = "corrupt" in frame["flags"]
            number = self.find(codec, payload, at)
            if number is None and not is_marked:
                number = self.find_headless(codec, frame, payload, at)
            if at >= len(whole) or number is not None and number >= len(whole):
                break
            if number is None:
                self.assertTrue(is_marked, f"{codec} after {at}: neither fed nor marked: {frame}")
                marked, pieces = marked + 1, pieces + 1
                continue
            what = f"{codec} {number} after {at - 1}: {frame['flags']}"
            is_key = codec in streams.NAL and number % 25 == 0
            is_orphan = codec in streams.NAL and not is_key and number - at > pieces
            if is_orphan and pieces == 0:
                self.assertTrue(is_marked, f"{what}: pictures before it are missing, and nothing says so")
            # A hole right before it may have been its own beginning: nobody can tell.
            if is_marked:
                self.assertTrue(is_orphan or not whole[number] or not is_begun[number], what)
            self.assertLessEqual(is_key, "key" in frame["flags"], what)
            found[number] = frame
            at, pieces = number + 1, 0
        self.assertIn(False, whole[min(found):], "the pattern does nothing here")
        self.assertLessEqual(marked, whole.count(False))
        if codec in streams.NAL:
            self.assertGreater(marked, 0, f"{codec}: no damaged unit came out")
        for before, after in zip(found, list(found)[1:]):
            missing = [number for number in range(before + 1, min(after, len(whole))) if whole[number]]
            if missing and not self.is_corrected(codec, found, before, after):
                self.fail(f"{codec}: whole units {missing} did not come out: {found[before]}, {found[after]}")


def fates(seen):
    """
    From the relay's notes, in order, for each unit: whether all its packets went on, and whether the one
    before its first did. The packets of a unit have one timestamp. The last unit may not be over yet.
    """
    whole, is_begun, before = {}, {}, True
    for _, timestamp, kept in seen:
        is_begun.setdefault(timestamp, before)
        whole[timestamp] = whole.get(timestamp, True) and kept
        before = kept
    return list(whole.values())[:-1], list(is_begun.values())[:-1]


if __name__ == "__main__":
    rig.main()
