#!/usr/bin/env python3
"""
A camera for those who have none: two drawn figures walk through an empty yard, for ever when the clip is
played in a loop. Synthetic, and made so that a detector of people has something to find; it says nothing
about how well one finds people.

    walkers.py FILE.mp4 [SEED]     writes the clip: 8 s of 640x360 at 25 frames a second
"""

import math
import sys

import av
import cv2
import numpy

WIDTH, HEIGHT, FPS, SECONDS, GOP = 640, 360, 25, 8, 50
SKIN, SHOES, HAIR = (140, 170, 205), (30, 30, 30), (40, 50, 60)


class Walker:
    """From one side to the other and back, in just the time of the clip, so that its end is its beginning."""

    def __init__(self, begin, feet, height, shirt, trousers):
        self.begin, self.feet, self.height = begin, feet, height
        self.shirt, self.trousers = shirt, trousers

    def x_at(self, part):
        """part: of the clip, from 0 to 1."""
        there = (self.begin + part) % 1.0
        return 70 + (WIDTH - 140) * (2 * there if there < 0.5 else 2 - 2 * there)

    def draw(self, picture, part):
        x, y, unit = self.x_at(part), self.feet, self.height / 8
        swing = math.sin(part * 2 * math.pi * SECONDS * 1.5)
        shoulder, hip = y - 6.4 * unit, y - 3.9 * unit
        sleeve = tuple(int(value * 0.85) for value in self.shirt)

        def limb(start, end, width, colour):
            cv2.line(picture, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])), colour,
                     max(1, int(width)), cv2.LINE_AA)

        def disc(centre, radii, colour, arc=(0, 360)):
            cv2.ellipse(picture, (int(centre[0]), int(centre[1])), (int(radii[0]), int(radii[1])), 0, *arc, colour, -1,
                        cv2.LINE_AA)

        for side in (1, -1):
            knee = x + side * unit * (0.28 + 0.5 * swing)
            foot = x + side * unit * (0.32 + 0.95 * swing)
            limb((x + side * 0.32 * unit, hip), (knee, y - 2 * unit), 0.85 * unit, self.trousers)
            limb((knee, y - 2 * unit), (foot, y - 0.15 * unit), 0.7 * unit, self.trousers)
            disc((foot + 0.15 * unit, y - 0.1 * unit), (0.45 * unit, 0.2 * unit), SHOES)
        torso = [(x - unit, shoulder), (x + unit, shoulder), (x + 0.72 * unit, hip + 0.2 * unit),
                 (x - 0.72 * unit, hip + 0.2 * unit)]
        cv2.fillPoly(picture, [numpy.array(torso, numpy.int32)], self.shirt, cv2.LINE_AA)
        disc((x, shoulder), (unit, 0.35 * unit), self.shirt)
        for side in (1, -1):
            elbow = x + side * unit * (1.15 - 0.25 * swing)
            hand = x + side * unit * (1.15 - 0.6 * swing)
            limb((x + side * 0.95 * unit, shoulder + 0.2 * unit), (elbow, shoulder + 1.5 * unit), 0.55 * unit, sleeve)
            limb((elbow, shoulder + 1.5 * unit), (hand, shoulder + 2.9 * unit), 0.45 * unit, sleeve)
            disc((hand, shoulder + 3.1 * unit), (0.25 * unit, 0.25 * unit), SKIN)
        limb((x, shoulder), (x, y - 6.9 * unit), 0.55 * unit, SKIN)
        disc((x, y - 7.4 * unit), (0.5 * unit, 0.62 * unit), SKIN)
        disc((x, y - 7.6 * unit), (0.52 * unit, 0.45 * unit), HAIR, (180, 360))

    def box_at(self, part):
        """Where it is: [x, y, width, height] in fractions of the picture."""
        unit = self.height / 8
        return [(self.x_at(part) - 1.4 * unit) / WIDTH, (self.feet - self.height) / HEIGHT, 2.8 * unit / WIDTH,
                self.height / HEIGHT]


def walkers(seed=0):
    """Two, on different ways for each seed."""
    shift = seed * 0.17
    return [Walker(0.05 + shift, 308, 185, (60, 60, 150), (70, 60, 40)),
            Walker(0.62 + shift, 330, 200, (60, 75, 45), (75, 55, 50))]


def yard():
    picture = numpy.zeros((HEIGHT, WIDTH, 3), numpy.uint8)
    ground = int(HEIGHT * 0.55)
    picture[:ground] = numpy.linspace(205, 170, ground)[:, None, None]
    picture[ground:] = numpy.linspace(125, 95, HEIGHT - ground)[:, None, None]
    return picture


def picture_at(number, people, background):
    picture = background.copy()
    for walker in people:
        walker.draw(picture, number / (FPS * SECONDS))
    return cv2.GaussianBlur(picture, (3, 3), 0)


def write(path, seed=0):
    people, background = walkers(seed), yard()
    with av.open(path, "w", format="mp4") as clip:
        stream = clip.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "veryfast", "tune": "zerolatency", "profile": "baseline", "crf": "20",
                          "g": str(GOP), "threads": "1"}
        for number in range(FPS * SECONDS):
            frame = av.VideoFrame.from_ndarray(picture_at(number, people, background), format="bgr24")
            for packet in stream.encode(frame):
                clip.mux(packet)
        for packet in stream.encode(None):
            clip.mux(packet)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    write(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 0)
