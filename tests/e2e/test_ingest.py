#!/usr/bin/python3 -B
"""
What camhub-worker makes of RTP is what GStreamer's RTSP server was fed: over TCP cut at random, over
UDP, reordered, and with losses. The worker is alone; a relay stands between it and the camera.
"""

import ctypes.util
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
DAMAGE = ("corrupt", "discontinuity")


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
            until(lambda track=track, count=count: len(self.subscriber.units(track)) >= count,
                  lambda track=track, count=count: f"{count} units of {self.codecs[track]}: "
                  f"{len(self.subscriber.units(track))}, {self.worker.messages[-2:]}")

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

    def check_track(self, codec, units, start):
        """Every unit from number `start` on, sound, in its place, numbered without a hole."""
        for number, (frame, payload) in enumerate(units, start):
            what = f"{codec} {number}: {frame}"
            self.assertEqual(frame["codec"], NAMES.get(codec, codec))
            self.assertEqual([flag for flag in frame["flags"] if flag in DAMAGE], [], what)
            if streams.essence(codec, payload) != self.at(codec, number):
                self.fail(f"{what} is not what was fed")
            self.assertEqual(frame["payload_len"], len(payload))
        numbers = [frame["seq"] for frame, _ in units]
        self.assertEqual(numbers, sorted(set(numbers)))

    def check_all_there(self, player):
        player.wait_units(PICTURES, SOUNDS)
        picture, sound = player.codecs
        self.check_track(picture, player.subscriber.units(0), 0)
        # Sound that comes before the first picture is not published.
        heard = player.subscriber.units(1)
        self.check_track(sound, heard, self.expected[sound].index(heard[0][1]))
        self.assertEqual(player.worker.last("worker-status").get("lost", 0), 0)

    def test_tcp(self):
        for player in self.play():
            self.check_all_there(player)
            if player.codecs[0] == "jpeg":
                # The headers were made anew, Huffman tables too: a decoder is to see the same.
                images = [payload for _, payload in player.subscriber.units(0)[:PICTURES]]
                self.assertEqual(streams.pixels(images), streams.pixels(self.fed["jpeg"][:len(images)]))

    def test_udp(self):
        for player in self.play(lambda track: relay.Pass()):
            self.check_all_there(player)


    def test_reordered(self):
        """
        Groups of up to five datagrams in any order, some twice. The window is wide, because a loaded
        machine may let the relay wait in the middle of a group.
        """
        for player in self.play(lambda track: relay.Shuffle(track), reorder_ms=1000):
            self.check_all_there(player)
            status = player.worker.last("worker-status")
            self.assertGreater(status["reordered"], 0)

    def test_reordered_without_a_window(self):
        """What comes too late is lost then: it is the window that does it."""
        player = Player(self, "a", lambda track: relay.Shuffle(track), reorder_ms=0)
        player.start()
        player.wait_units(PICTURES, 1)
        until(lambda: player.worker.last("worker-status").get("lost", 0) > 0, "packets that are too late")
        self.check_only_fed(player.codecs[0], player.subscriber.units(0))

    def check_only_fed(self, codec, units):
        for frame, payload in units:
            if "corrupt" not in frame["flags"]:
                self.assertIn(streams.essence(codec, payload), self.expected[codec], frame)

    def test_losses(self):
        """
        Datagrams are dropped by a seeded pattern, from the second group of pictures on. The relay knows
        which ones: what is whole comes out, what is not is marked, nothing else is, and all is counted.
        """
        players = self.play(lambda track: relay.Drop(track + 1, 25, 150 if track == 0 else 20,
                                                     500 if track == 0 else 120))
        for player in players:
            tracks = until(lambda player=player: len(player.relay.tracks) == 2 and player.relay.tracks, "tracks")
            for track in tracks:
                until(lambda policy=track.policy: len(policy.seen) > policy.last + 50, "the pattern's end")
            # What the status counts is the pictures' track.
            self.assertGreater(player.wait_lost(tracks[0].policy.dropped)["lost"], 10)
            for number, codec in enumerate(player.codecs):
                with self.subTest(codec=codec):
                    seen = list(tracks[number].policy.seen)
                    self.check_losses(codec, player.subscriber.units(number), whole_units(seen))

    def check_losses(self, codec, units, whole):
        """whole: whether all packets of unit number N went on, for those that the relay has seen."""
        found, marked, at = set(), 0, 0
        for frame, payload in units:
            is_marked = "corrupt" in frame["flags"]
            number = self.find(codec, streams.essence(codec, payload), at)
            if number is None:
                self.assertTrue(is_marked, f"{codec} after {at}: neither fed nor marked: {frame}")
                marked += 1
                continue
            # What it lacks may have been of the unit before it, or its own beginning: nobody can tell.
            if is_marked and number < len(whole):
                self.assertFalse(whole[number] and whole[number - 1], f"{codec} {number}: marked, but whole")
            if number % 25 == 0 and codec in streams.NAL:
                self.assertIn("key", frame["flags"])
            found.add(number)
            at = number + 1
        first = min(found)
        missing = [number for number in range(first, min(at, len(whole))) if whole[number] and number not in found]
        self.assertEqual(missing, [], f"{codec}: whole units did not come out")
        self.assertIn(False, whole[first:], "the pattern does nothing here")
        self.assertLessEqual(marked, whole.count(False))
        if codec in streams.NAL:
            self.assertGreater(marked, 0, f"{codec}: no damaged unit came out")

    def find(self, codec, essence, at):
        """The number of the unit that this is, the next one from `at` on."""
        return next((number for number in range(at, at + 25) if self.at(codec, number) == essence), None)


def whole_units(seen):
    """From the relay's notes, in order: the packets of a unit have one timestamp. The last one may go on."""
    whole = {}
    for _, timestamp, kept in seen:
        whole[timestamp] = whole.get(timestamp, True) and kept
    return list(whole.values())[:-1]


if __name__ == "__main__":
    rig.main()
