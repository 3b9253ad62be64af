"""
Elementary streams whose units are known: made by ffmpeg, cut here, written for the camera's --feed
(camera_feed.h), and what a payloader may change about them.
"""

import os
import struct
import subprocess

FPS = 50
SIZE = "176x144"  # JPEG over RTP wants multiples of 8
SOUND_NS = {"aac": 1024 * 10**9 // 48000}  # a unit's duration; of the others:
USUAL_NS = 20 * 10**6
UNITS = 100       # pictures; every 25th a key frame. Sound: as many units of 20 ms

VIDEO = ["-f", "lavfi", "-i", f"testsrc2=size={SIZE}:rate={FPS},noise=alls=20:allf=t",
         "-frames:v", str(UNITS), "-pix_fmt", "yuv420p"]
SOUND = ["-f", "lavfi", "-i", "anoisesrc=r=48000:a=0.3:seed=7", "-t", str(UNITS / FPS)]
X26 = "keyint=25:min-keyint=25:scenecut=0:bframes=0"

COMMANDS = {
    "h264": VIDEO + ["-c:v", "libx264", "-preset", "ultrafast", "-b:v", "500k", "-threads", "1",
                     "-x264-params", f"{X26}:aud=1:slices=2", "-f", "h264"],
    "h265": VIDEO + ["-c:v", "libx265", "-preset", "ultrafast", "-b:v", "500k",
                     "-x265-params", f"{X26}:aud=1:log-level=none:pools=1:repeat-headers=1:open-gop=0",
                     "-f", "hevc"],
    "jpeg": VIDEO + ["-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-q:v", "20", "-huffman", "default",
                     "-f", "mjpeg"],
    "aac": SOUND + ["-ac", "1", "-c:a", "aac", "-b:a", "64k", "-f", "adts"],
    "pcma": SOUND + ["-ac", "1", "-ar", "8000", "-c:a", "pcm_alaw", "-f", "alaw"],
    "pcmu": SOUND + ["-ac", "1", "-ar", "8000", "-c:a", "pcm_mulaw", "-f", "mulaw"],
    "opus": SOUND + ["-ac", "2", "-c:a", "libopus", "-b:a", "64k", "-f", "ogg"],
}


def cut_at(data, mark):
    """Pieces that begin with mark."""
    starts = []
    at = data.find(mark)
    while at >= 0:
        starts.append(at)
        at = data.find(mark, at + 1)
    return [data[start:end] for start, end in zip(starts, starts[1:] + [len(data)])]


def cut_adts(data):
    """The raw data blocks, without the header of 7 bytes (no CRC) that each has in a file."""
    units = []
    while data:
        length = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
        units.append(data[7:length])
        data = data[length:]
    return units


def cut_ogg(data):
    """The packets of an Ogg file's pages, without the two that describe it."""
    packets, packet = [], b""
    while data:
        assert data[:4] == b"OggS"
        count = data[26]
        sizes, at = data[27:27 + count], 27 + count
        for size in sizes:
            packet += data[at:at + size]
            at += size
            if size < 255:
                packets.append(packet)
                packet = b""
        data = data[at:]
    return packets[2:]


CUTTERS = {
    "h264": lambda data: cut_at(data, b"\0\0\0\1\x09"),
    "h265": lambda data: cut_at(data, b"\0\0\0\1\x46"),
    "jpeg": lambda data: cut_at(data, b"\xff\xd8\xff"),
    "aac": cut_adts,
    "pcma": lambda data: [data[at:at + 160] for at in range(0, len(data) // 160 * 160, 160)],
    "pcmu": lambda data: [data[at:at + 160] for at in range(0, len(data) // 160 * 160, 160)],
    "opus": cut_ogg,
}


def make(directory, codecs=tuple(COMMANDS)):
    """{codec: [unit, ...]}; <codec>.units in directory for each."""
    running = {codec: subprocess.Popen(["ffmpeg", "-v", "error", "-nostdin", *command, "-"],
                                       stdout=subprocess.PIPE)
               for codec, command in COMMANDS.items() if codec in codecs}
    made = {}
    for codec, process in running.items():
        data = process.communicate()[0]
        assert process.returncode == 0, f"ffmpeg for {codec}: {process.returncode}"
        made[codec] = CUTTERS[codec](data)
        assert len(made[codec]) >= UNITS - 10, f"{codec}: {len(made[codec])} units"
        with open(os.path.join(directory, f"{codec}.units"), "wb") as file:
            for unit in made[codec]:
                file.write(struct.pack(">I", len(unit)) + unit)
    return made


def feed(directory, mount, codecs):
    """The camera's option."""
    return ":".join([mount, *(f"{codec}:{os.path.join(directory, codec)}.units" for codec in codecs)])


# --- what is the same ------------------------------------------------------------------------

NAL = ("h264", "h265")
PICTURES = (*NAL, "jpeg")


def nals(unit):
    """Of Annex B: start codes have 3 or 4 bytes, and zeros may come before them."""
    return [nal.rstrip(b"\0") for nal in unit.split(b"\0\0\1") if nal.rstrip(b"\0")]


def slices(codec, unit):
    """Its NAL units of pictures, without what stands beside them."""
    is_slice = {"h264": lambda nal: 1 <= nal[0] & 0x1f <= 5, "h265": lambda nal: nal[0] >> 1 & 0x3f < 32}[codec]
    return [nal for nal in nals(unit) if is_slice(nal)]


def segments(jpeg):
    """[(marker, payload)] up to the scan, and the scan up to the end of the image."""
    found, at = [], 2
    while True:
        marker, size = jpeg[at + 1], int.from_bytes(jpeg[at + 2:at + 4], "big")
        found.append((marker, jpeg[at + 4:at + 2 + size]))
        at += 2 + size
        if marker == 0xda:
            end = jpeg.rfind(b"\xff\xd9")
            return found, jpeg[at:end]


def dqt(payloads):
    """{number: table}: one segment may have several."""
    data, tables = b"".join(payloads), {}
    while data:
        assert data[0] >> 4 == 0
        tables[data[0]] = data[1:65]
        data = data[65:]
    return tables


def image(jpeg):
    """
    What RFC 2435 carries of a JPEG; everything else is written anew by the receiver. The tables of
    the components as they are used, because their numbers may change.
    """
    found, scan = segments(jpeg)
    tables = dqt(payload for marker, payload in found if marker == 0xdb)
    frame = next(payload for marker, payload in found if marker == 0xc0)
    components = [(frame[at + 1], tables[frame[at + 2]]) for at in range(6, len(frame), 3)]
    return frame[:5], components, scan


def essence(codec, published):
    """What of a published unit is compared: all its bytes, but for the headers of JPEG."""
    return image(published) if codec == "jpeg" else published


def expected(codec, fed):
    """
    The essence of what is to come out. RTP carries no start codes, so their lengths are lost; on the bus
    they all have 4 bytes. Everything else of a unit comes out as it is, delimiters too.
    """
    if codec in NAL:
        return b"".join(b"\0\0\0\1" + nal for nal in nals(fed))
    return essence(codec, fed)


def pixels(jpegs):
    """What a decoder sees, of all of them."""
    return subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-f", "mjpeg", "-i", "-", "-fps_mode", "passthrough",
                           "-f", "rawvideo", "-"], input=b"".join(jpegs), stdout=subprocess.PIPE, check=True).stdout
