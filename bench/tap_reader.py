#!/usr/bin/env python3
"""
A program that makes an array of each picture of the bench's camera, and reads the clock in it:

    tap_reader.py camhub DIRECTORY SECONDS       through camhub's tap, by the package camhub
    tap_reader.py opencv URL SECONDS             RTSP by OpenCV, which has FFmpeg read it
    tap_reader.py opencv-low-delay URL SECONDS   the same, told to hold nothing back

prints one JSON object: pictures as [number, age in ms, ms to decode or null], CPU and wall seconds from the first
picture on. Told by SECONDS 0 it only says whether it could.
"""

import json
import os
import sys
import time

COLUMNS, ROWS, ROWS_HEIGHT = 32, 2, 30  # bench/glass/barcode.h
CLOCK_BITS, UNIT_US = 40, 100


def crc8(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07) & 0xff if crc & 0x80 else crc << 1
    return crc


def middles(cells, size):
    """The three lines in the middle of each of the first so many cells, which are that large."""
    import numpy

    return (((numpy.arange(cells) + 0.5) * size).astype(int)[:, None] + numpy.array([-1, 0, 1])).ravel()


def read_clock(picture, now_ns):
    """(number, age in ms at that time) of a picture in BGR; None when the cells are not to be read."""
    import numpy

    height, width = picture.shape[:2]
    lit = picture[:, :, 1][numpy.ix_(middles(ROWS, height / ROWS_HEIGHT), middles(COLUMNS, width / COLUMNS))]
    data = numpy.packbits(lit.reshape(ROWS, 3, COLUMNS, 3).mean(axis=(1, 3)) > 128).tobytes()
    if crc8(data[:7]) != data[7]:
        return None
    bits = int.from_bytes(data, "big")
    age = (now_ns // 1000 // UNIT_US - (bits >> 24)) % (1 << CLOCK_BITS)
    return bits >> 8 & 0xffff, age * UNIT_US / 1000


def by_camhub(directory):
    import camhub

    with camhub.Hub("bench", directory) as hub:
        for frame in hub.subscribe("door"):
            began = time.perf_counter()
            try:
                picture = frame.to_ndarray()
            except camhub.NoPicture:
                continue
            yield picture, (time.perf_counter() - began) * 1000


def by_opencv(url, options):
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = options
    import cv2

    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
    if not capture.isOpened():
        sys.exit("OpenCV cannot open it")
    while True:
        there, picture = capture.read()
        if not there:
            sys.exit("OpenCV reads no more")
        yield picture, None


SOURCES = {
    "camhub": by_camhub,
    "opencv": lambda url: by_opencv(url, "rtsp_transport;tcp"),
    "opencv-low-delay": lambda url: by_opencv(url, "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay"),
}


def main():
    kind, where, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    if seconds == 0:
        import cv2  # noqa: F401
        import camhub  # noqa: F401
        import av  # noqa: F401
        return
    pictures, bad, began = [], 0, None
    for picture, decode_ms in SOURCES[kind](where):
        # Before anything is done with it.
        clock = read_clock(picture, time.time_ns())
        if began is None:
            # The beginning, with what is older, is another matter.
            if clock is None or clock[1] > 1000:
                continue
            began, cpu = time.monotonic() + 1, None
        if time.monotonic() < began:
            continue
        if cpu is None:
            cpu = time.process_time()
        bad += clock is None
        if clock is not None:
            pictures.append([*clock, decode_ms])
        if time.monotonic() >= began + seconds:
            break
    print(json.dumps({"pictures": pictures, "bad": bad, "cpu_s": time.process_time() - cpu, "wall_s": seconds}), flush=True)
    # nng's and FFmpeg's threads are not waited for.
    os._exit(0)


if __name__ == "__main__":
    main()
