"""
Clips for cameras (rtsp_camera --clip) in which a drawn figure stands somewhere else in each picture, with the bar code of
bench/glass/barcode.h: what was found in one picture is wrong in the next one, and in that of another camera.
"""

import os
import subprocess

import rig

SIZE = WIDTH, HEIGHT = 256, 160
FPS = 5
PICTURES = 60  # of a clip, a multiple of the places
GOP = 10
FEET, TALL = 152, 116
PLACES = (48, 128, 208)  # of the figure's middle
STRIDE = 14 / 60  # in which the detector knows it best
CODE_ROWS = 2 * (HEIGHT // 30)


def place_of(number):
    """Where the figure stands in the picture with this number: [x, y, width, height] in fractions of the picture."""
    unit = TALL / 8
    return [(PLACES[number % len(PLACES)] - 1.4 * unit) / WIDTH, (FEET - TALL) / HEIGHT, 2.8 * unit / WIDTH, TALL / HEIGHT]


def bar_code(number):
    program = os.path.join(rig.build_dir(), "tests", "e2e", "barcode_picture")
    return subprocess.run([program, "0", str(number), str(WIDTH), str(CODE_ROWS * 15)], capture_output=True,
                          check=True).stdout[:WIDTH * CODE_ROWS]


def slices(unit):
    """The slices of an access unit, without what is around them: the same in the clip and on the bus."""
    pieces = unit.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
    return b"".join(piece for piece in pieces if piece and piece[0] & 31 in (1, 5))


def write(path, first):
    """Pictures numbered from first on; returns {slices of a picture: its number}."""
    import av
    import cv2
    import numpy
    import walkers

    class Hopper(walkers.Walker):
        x = 0

        def x_at(self, part):
            return self.x

    hopper, background = Hopper(0, FEET, TALL, (60, 60, 150), (70, 60, 40)), cv2.resize(walkers.yard(), SIZE)
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate = f"1/{FPS}", FPS
    encoder.options = {"preset": "veryfast", "tune": "zerolatency", "profile": "baseline", "crf": "22",
                       "x264-params": f"keyint={GOP}:min-keyint={GOP}:scenecut=0:threads=1:aud=1"}
    numbers = {}
    with open(path, "wb") as clip:
        for i in range(PICTURES):
            picture = background.copy()
            hopper.x = PLACES[(first + i) % len(PLACES)]
            hopper.draw(picture, STRIDE)
            picture = cv2.GaussianBlur(picture, (3, 3), 0)
            code = numpy.frombuffer(bar_code(first + i), numpy.uint8).reshape(CODE_ROWS, WIDTH)
            picture[:CODE_ROWS] = (code > 127)[:, :, None] * numpy.uint8(255)
            (packet,) = encoder.encode(av.VideoFrame.from_ndarray(picture, format="bgr24"))
            clip.write(bytes(packet))
            numbers[slices(bytes(packet))] = first + i
    assert len(numbers) == PICTURES, "two pictures have the same bytes"
    return numbers
