"""What is in a picture: decodes with the ffmpeg command, reads the bar code of rtsp_camera.c."""

import subprocess
import time

from wait import PATIENCE_S

BITS = 32


def decode_gray(data, width, height, kind="mjpeg"):
    """The first picture of data as width*height bytes."""
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-f", kind, "-i", "-", "-frames:v", "1", "-f", "rawvideo",
         "-pix_fmt", "gray", "-s", f"{width}x{height}", "-"],
        input=data, capture_output=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0 and not done.stderr, done.stderr.decode(errors="replace")
    assert len(done.stdout) == width * height, f"{len(done.stdout)} bytes"
    return done.stdout


def barcode_ms(gray, width):
    """The low 32 bits of the wall clock in ms when the picture was made."""
    cell, value = width // BITS, 0
    for bit in range(BITS):
        value = value << 1 | (gray[8 * width + bit * cell + cell // 2] > 128)
    return value


def age_s(stamp_ms):
    """How old a picture with that bar code is now."""
    return ((int(time.time() * 1000) - stamp_ms + (1 << 31)) % (1 << 32) - (1 << 31)) / 1000


def jpeg_age_s(jpeg, width=640, height=360):
    return age_s(barcode_ms(decode_gray(jpeg, width, height), width))


def complaints(url_or_data, *arguments, kind=None, seconds=None, timeout_s=90):
    """What ffmpeg says about a stream that it decodes to its end (or for some seconds): "" is good."""
    command = ["ffmpeg", "-v", "error", "-nostdin", *arguments]
    if kind:
        command += ["-f", kind]
    is_data = isinstance(url_or_data, (bytes, bytearray))
    if is_data:
        command.remove("-nostdin")
    command += ["-i", "-" if is_data else url_or_data]
    if seconds:
        command += ["-t", str(seconds)]
    # In their own time: ffmpeg's own clock of one tick for each picture would complain of two that came close together.
    command += ["-fps_mode", "passthrough", "-enc_time_base", "-1"]
    done = subprocess.run([*command, "-f", "null", "-"], input=url_or_data if is_data else None,
                          capture_output=True, check=False, timeout=timeout_s)
    text = done.stderr.decode(errors="replace")
    return text if text or done.returncode == 0 else f"ffmpeg left with {done.returncode}"
