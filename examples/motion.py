#!/usr/bin/env python3
"""
Where a picture changes: boxes around what moves, with nothing but numpy.

    motion.py [--directory DIR] [--name NAME] CAMERA...

Boxes appear on the picture in the browser, on the frame that they were found in.
"""

import argparse
import sys

import camhub
import numpy

BLOCK = 16  # pixels; what moves is looked for in squares of this size
THRESHOLD = 14  # of 255, the mean change of a square
MEMORY = 0.9  # how slowly the background follows the picture


class Motion:
    """Of one camera: the background as it is remembered, and what differs from it."""

    def __init__(self):
        self.background = None

    def boxes(self, grey):
        """[x, y, width, height] in fractions of the picture, one for each group of squares that touch."""
        rows, columns = grey.shape[0] // BLOCK, grey.shape[1] // BLOCK
        squares = grey[:rows * BLOCK, :columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK).mean(axis=(1, 3))
        if self.background is None or self.background.shape != squares.shape:
            self.background = squares
        moving = numpy.abs(squares - self.background) > THRESHOLD
        self.background = MEMORY * self.background + (1 - MEMORY) * squares
        return [self._fraction(group, rows, columns) for group in groups(moving)]

    @staticmethod
    def _fraction(group, rows, columns):
        top, left = min(row for row, _ in group), min(column for _, column in group)
        bottom, right = max(row for row, _ in group) + 1, max(column for _, column in group) + 1
        return [left / columns, top / rows, (right - left) / columns, (bottom - top) / rows]


def groups(moving):
    """Lists of (row, column) that touch each other, of two squares at least."""
    left = {(int(row), int(column)) for row, column in zip(*numpy.nonzero(moving))}
    while left:
        group, edge = [], [left.pop()]
        while edge:
            row, column = edge.pop()
            group.append((row, column))
            near = {(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)} & left
            left -= near
            edge += near
        if len(group) > 1:
            yield group


def watch(hub, names):
    watched = [(hub.subscribe(name), Motion()) for name in names]
    while True:
        for subscription, motion in watched:
            # Slower than the cameras together: each gets its newest picture when it is its turn.
            frame = subscription.newest(timeout=0.2 / len(watched))
            if frame is None:
                continue
            try:
                grey = frame.to_ndarray("gray")
            except camhub.NoPicture:
                continue
            objects = [{"box": box, "label": "motion"} for box in motion.boxes(grey)[:256]]
            try:
                hub.publish(frame, objects=objects)
            except camhub.TooManyResults:
                pass


def main():
    parser = argparse.ArgumentParser(description="Boxes around what moves.")
    parser.add_argument("--directory", help="camhub's bus or runtime directory")
    parser.add_argument("--name", default="motion", help="shown in camhub's status")
    parser.add_argument("cameras", nargs="+", metavar="CAMERA")
    options = parser.parse_args()
    try:
        with camhub.Hub(options.name, options.directory) as hub:
            watch(hub, options.cameras)
    except camhub.CamhubError as error:
        sys.exit(f"motion: {error}")
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
