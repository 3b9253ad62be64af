"""Short pieces of video that ffmpeg makes, cut into what a camera's viewers are sent."""

import base64
import functools
import os
import struct
import subprocess
import tempfile

from wait import PATIENCE_S

TIMESCALE = 90000


class Clip:
    """A short piece of video, played in a loop: init segment and one fragment per frame, or JPEGs."""

    def __init__(self, frames, init, codec, fps, gop):
        self.frames = frames
        self.init = init
        self.codec = codec  # as in RFC 6381; "" for JPEGs
        self.fps = fps
        self.gop = gop

    def form(self, forms):
        """The first of the forms asked for that it can be sent in; "" for none."""
        return next((form for form in forms if (form == "jpeg") != bool(self.codec)), "")

    def config(self, form):
        """What a message "config" says of it."""
        said = {"form": form, "codec": self.codec or "mjpeg", "width": 320, "height": 180}
        if form == "unit":
            start = self.init.index(b"avcC")
            size = struct.unpack_from(">I", self.init, start - 4)[0]
            said["description"] = base64.b64encode(self.init[start + 4:start - 4 + size]).decode()
        elif form == "fmp4":
            said["init"] = base64.b64encode(self.init).decode()
        return said

    def payload(self, form, index, number, ticks):
        frame = self.frames[index]
        if form == "fmp4":
            return _at(frame, number, ticks)
        return frame[frame.index(b"mdat") + 4:] if form == "unit" else frame


def _boxes(data):
    at = 0
    while at + 8 <= len(data):
        size = struct.unpack_from(">I", data, at)[0]
        yield data[at + 4:at + 8], data[at:at + size]
        at += size


def _ffmpeg(source, seconds, output):
    with tempfile.TemporaryDirectory(prefix="camhub-clip-") as folder:
        path = os.path.join(folder, "clip")
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-t", str(seconds), *output, path],
                       check=True, stdin=subprocess.DEVNULL, timeout=PATIENCE_S)
        with open(path, "rb") as file:
            return file.read()


@functools.lru_cache(maxsize=None)
def clip(size="320x180", fps=10, gop=10, seconds=4, look="testsrc", profile="high"):
    """H.264 in fragmented MP4, one frame each, no B-frames."""
    data = _ffmpeg(f"{look}=size={size}:rate={fps},format=yuv420p", seconds, [
        "-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-profile:v", profile, "-threads", "1",
        "-g", str(gop), "-keyint_min", str(gop), "-sc_threshold", "0", "-bf", "0",
        "-video_track_timescale", str(TIMESCALE), "-f", "mp4",
        "-movflags", "empty_moov+default_base_moof+frag_every_frame"])
    init, frames, moof = b"", [], b""
    for kind, box in _boxes(data):
        if kind in (b"ftyp", b"moov"):
            init += box
        elif kind == b"moof":
            moof = box
        elif kind == b"mdat":
            frames.append(moof + box)
    avcc = init.index(b"avcC") + 5
    return Clip(frames, init, f"avc1.{init[avcc:avcc + 3].hex().upper()}", fps, gop)


@functools.lru_cache(maxsize=None)
def jpegs(size="320x180", fps=10, seconds=2, look="testsrc"):
    """The same as JPEG pictures."""
    data = _ffmpeg(f"{look}=size={size}:rate={fps}", seconds,
                   ["-c:v", "mjpeg", "-q:v", "5", "-f", "image2pipe"])
    frames = [b"\xff\xd8\xff" + part for part in data.split(b"\xff\xd8\xff")[1:]]
    return Clip(frames, b"", "", fps, 1)


def _at(fragment, number, ticks):
    """The fragment with another sequence number and decode time."""
    data = bytearray(fragment)
    struct.pack_into(">I", data, data.index(b"mfhd") + 8, number)
    struct.pack_into(">Q", data, data.index(b"tfdt") + 8, ticks)
    return bytes(data)
