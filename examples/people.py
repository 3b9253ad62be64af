#!/usr/bin/env python3
"""
People in the pictures: a box around each and a count for each camera, found by the detector that comes
with OpenCV (histograms of oriented gradients; no weights to download).

    people.py [--directory DIR] [--name NAME] [--verbose] [CAMERA...]        all cameras when none is named

It is old and simple: it finds upright, whole people of some 100 pixels and more, and now and then
something else. It is here to show how a detector is put behind camhub.
"""

import argparse
import sys
import time

import camhub
import cv2

WIDTH = 512  # pixels to which pictures are made smaller: half the size is a quarter of the time
SCORE = 0.1  # what the detector has to be sure of, at least
OVERLAP = 0.4  # boxes that share more than this are of the same person
LOOK_AGAIN_S = 5  # whether there are new cameras


def share(one, other):
    """How much of both boxes lies in both, from 0 to 1."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (one[2] * one[3] + other[2] * other[3] - both)


def covers(one, other):
    """How much of the smaller box lies in the other one."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0) / min(one[2] * one[3], other[2] * other[3])


class Tracks:
    """The same number for the same person, as long as the box hardly moves between two pictures."""

    def __init__(self):
        self.known = []  # (number, box)
        self.last = 0

    def number(self, boxes):
        known, numbered = list(self.known), []
        for box in boxes:
            near = max(known, key=lambda item: share(item[1], box), default=None)
            if near is not None and share(near[1], box) > OVERLAP:
                known.remove(near)
                numbered.append((near[0], box))
            else:
                self.last += 1
                numbered.append((self.last, box))
        self.known = numbered
        return [number for number, _ in numbered]


class People:
    def __init__(self):
        self.detector = cv2.HOGDescriptor()
        self.detector.setSVMDetector(cv2.HOGDescriptor_getDefaultPeopleDetector())

    def find(self, picture):
        """[(box, score)]: boxes as [x, y, width, height] in fractions of the picture, surest first."""
        height, width = picture.shape[:2]
        if width > WIDTH:
            picture = cv2.resize(picture, (WIDTH, max(height * WIDTH // width, 1)), interpolation=cv2.INTER_AREA)
        height, width = picture.shape[:2]
        if width < 64 or height < 128:
            return []
        boxes, scores = self.detector.detectMultiScale(picture, hitThreshold=SCORE, winStride=(8, 8),
                                                       padding=(8, 8), scale=1.05)
        found = sorted(((float(score), list(map(float, box))) for score, box in zip(scores, boxes)), reverse=True)
        kept = []
        for score, (x, y, wide, high) in found:
            # The detector's window leaves a margin around a person.
            box = clip(x / width + 0.12 * wide / width, y / height + 0.06 * high / height, 0.76 * wide / width,
                       0.88 * high / height)
            if box is not None and all(covers(box, other) < 0.6 for other, _ in kept):
                kept.append((box, min(score / 2, 1.0)))
        return kept


def clip(x, y, width, height):
    """Inside of the picture; None when nothing is left."""
    left, top, right, bottom = max(x, 0.0), max(y, 0.0), min(x + width, 1.0), min(y + height, 1.0)
    return [left, top, right - left, bottom - top] if right > left and bottom > top else None


class Camera:
    def __init__(self, hub, name):
        self.hub = hub
        self.subscription = hub.subscribe(name)
        self.tracks = Tracks()

    def look(self, people, timeout_s):
        """At the newest picture; how many people are in it, None: there was none."""
        frame = self.subscription.newest(timeout=timeout_s)
        if frame is None:
            return None
        try:
            found = people.find(frame.to_ndarray())
        except camhub.NoPicture:
            return None
        numbers = self.tracks.number([box for box, _ in found])
        objects = [{"box": box, "label": "person", "score": score, "track": number}
                   for (box, score), number in zip(found, numbers)]
        try:
            self.hub.publish(frame, objects=objects[:256], counts={"people": len(objects)})
        except camhub.TooManyResults:
            pass
        return len(objects)


def names_of(hub, wanted):
    """The streams to look at: those that were named, or the main one of each camera."""
    return wanted or [stream.name for stream in hub.streams() if stream.name == stream.camera]


def watch(hub, options):
    people, cameras, look_again = People(), {}, 0.0
    while True:
        if time.monotonic() >= look_again:
            for name in names_of(hub, options.cameras):
                if name not in cameras:
                    cameras[name] = Camera(hub, name)
            look_again = time.monotonic() + LOOK_AGAIN_S
        for name, camera in cameras.items():
            count = camera.look(people, 0.2 / len(cameras))
            if count is not None and options.verbose:
                print(f"{name}: {count}", flush=True)
        if not cameras:
            time.sleep(0.2)


def main():
    parser = argparse.ArgumentParser(description="Boxes around people, and how many there are.")
    parser.add_argument("--directory", help="camhub's bus or runtime directory")
    parser.add_argument("--name", default="people", help="shown in camhub's status")
    parser.add_argument("--verbose", action="store_true", help="say each count")
    parser.add_argument("cameras", nargs="*", metavar="CAMERA")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    try:
        with camhub.Hub(options.name, options.directory) as hub:
            watch(hub, options)
    except camhub.CamhubError as error:
        sys.exit(f"people: {error}")
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
