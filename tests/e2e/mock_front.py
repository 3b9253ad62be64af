#!/usr/bin/python3 -B
"""A stand-in for the HTTP front, to develop and test the pages without the C programs.

It serves web/ with the front's policy header, /api/streams, /api/frame.jpeg and /ws (all three forms), playing
clips that ffmpeg made, in real time, with the current group of pictures sent at each join. Its faults can be scripted:

    with mock_front.MockFront(["door", "yard"], prefix="/cams/") as front:
        front.url                                    # http://127.0.0.1:PORT/cams/
        door = front.camera("door")
        door.drop()                                  # close the viewers' sockets without a word
        door.stall(True)                             # the camera is up, but nothing comes
        door.set_state("down", "no answer")          # and "up" again
        door.play(clip(size="640x360"))              # another size from the next frame on
        door.garbage()                               # a frame of bytes that are no picture
        door.damage(True)                            # frames are marked as damaged
        door.say("skipped", frames=12, ms=1200)
        front.reports                                # what players reported
        front.skew_ms = 3600000                      # the server's clock is wrong by so much
        front.deaf = True                            # it reads and answers nothing, its sockets stay open
        front.add("roof"); front.remove("roof")
        front.refuse(True)                           # WebSockets are answered 503
        front.answer_streams(False)                  # so is api/streams
        front.tell_webrtc(True)                      # offers are taken (until then nothing is said of WebRTC)
        front.offers                                 # those that came
        front.refuse_offers(422, "no")               # how they are answered; they are not, by default

Run by hand (mock_front.py --port 8000 --cameras 9) it shows a wall to look at.
"""

import argparse
import asyncio
import http
import json
import os
import re
import shutil
import struct
import threading
import time
import urllib.parse

from clips import TIMESCALE, clip, jpegs

try:
    import websockets
except ImportError:
    websockets = None

WEB = os.environ.get("CAMHUB_WEB_DIR") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..", "web")
POLICY = ("default-src 'self'; media-src 'self' blob:; img-src 'self' blob:; connect-src 'self'; "
          "object-src 'none'; base-uri 'none'; frame-ancestors 'self'")
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".jpg": "image/jpeg"}
VIEWER_QUEUE = 1000


def missing():
    """Why the mock cannot run here; empty when it can."""
    if websockets is None:
        return "no websockets module here (apt-get install python3-websockets)"
    if not shutil.which("ffmpeg"):
        return "no ffmpeg here (apt-get install ffmpeg)"
    return ""


class Viewer:
    """One subscription: what it was told and sent."""

    def __init__(self, link, camera, asked):
        self.link = link
        self.camera = camera
        self.id = asked["id"]
        self.forms = asked["forms"]
        self.codecs = asked.get("codecs", "")
        self.paused = False
        self.listens = False  # to results, while it is paused
        self.overlay = asked.get("overlay", False)
        self._source = None
        self._form = ""
        self._version = 0
        self._number = 0
        self.ticks = 0

    def say(self, kind, **more):
        self.link.put(json.dumps({"type": kind, "id": self.id, **more}))

    def result(self, seq, arrived_us, *objects, **more):
        """What a program found in that frame."""
        self.say("result", analyser="mock", stream=self.camera.name, seq=seq, arrived_us=arrived_us,
                 objects=objects, **more)

    def refused(self, source):
        """Why it cannot be served that, or ""."""
        if source.codec[:4] == "hvc1" and "hvc1" not in self.codecs:
            return "the camera delivers H.265, which is not among codecs"
        return "" if source.form(self.forms) else "nothing that the camera has is among codecs and forms"

    def media(self, source, index, behind=False, damaged=False):
        """A frame of a clip, with what has to come before it."""
        if self._source is not source:
            self._source, self._form = source, source.form(self.forms)
            self._version += 1
            self.say("config", version=self._version, stream=self.camera.name, **source.config(self._form))
        payload = source.payload(self._form, index, self._number + 1, self.ticks)
        self.frame(payload, index % source.gop == 0, behind, damaged, 1000000 // source.fps)
        self.ticks += TIMESCALE // source.fps

    def frame(self, payload, key, behind=False, damaged=False, duration_us=100000):
        self._number += 1
        now = self.link.front.now_us()
        if self.camera.analyse and self.overlay:
            self.camera.analyse(self, self._number, now)
        self.link.put(struct.pack("<BBHHHIIqqq", 1, 0, self.id, key | damaged << 1 | behind << 2, self._version,
                                  self._number, duration_us, self.ticks * 1000000 // TIMESCALE, now,
                                  now + self.camera.captured_ms * 1000 if self.camera.captured_ms else 0) + payload)


class Link:
    """One WebSocket: what waits to be sent to it, and its subscriptions."""

    def __init__(self, front, socket):
        self.front = front
        self.socket = socket
        self.queue = asyncio.Queue(VIEWER_QUEUE)
        self.viewers = {}

    def put(self, item):
        if not self.queue.full() and not self.front.deaf:
            self.queue.put_nowait(item)

    async def serve(self):
        sender = asyncio.ensure_future(self._pump())
        self.front.links.add(self)
        if self.front.webrtc is not None:
            self.tell_webrtc()
        try:
            async for text in self.socket:
                if not self.front.deaf:
                    self._asked(json.loads(text))
        except websockets.ConnectionClosed:
            pass
        finally:
            sender.cancel()
            self.front.links.discard(self)
            for viewer in self.viewers.values():
                viewer.camera.leave(viewer)

    async def _pump(self):
        while True:
            item = await self.queue.get()
            try:
                await self.socket.send(item)
            except websockets.ConnectionClosed:
                return

    def _offered(self, message):
        self.front.offers.append(message)
        if self.front.refusal:
            code, text = self.front.refusal
            self.put(json.dumps({"type": "webrtc/error", "id": message["id"], "offer": message["offer"], "code": code,
                                 "text": text}))

    def tell_webrtc(self):
        self.put(json.dumps({"type": "webrtc", "ready": self.front.webrtc, "servers": []}))

    def _asked(self, message):
        kind = message["type"]
        viewer = self.viewers.get(message.get("id"))
        if kind == "clock":
            now = self.front.now_us()
            self.put(json.dumps({"type": "clock", "t0": message["t0"], "t1_us": now, "t2_us": now}))
        elif kind == "subscribe":
            self._subscribe(message)
        elif kind == "pause":
            viewer.paused, viewer.listens = message["on"], message.get("results", False)
            if not viewer.paused:
                viewer.camera.send_gop(viewer)
        elif kind == "unsubscribe":
            if viewer:  # else it was refused, or has gone with its camera
                self.viewers.pop(viewer.id).camera.leave(viewer)
                viewer.say("unsubscribed")
        elif kind == "report":
            self.front.reports += message["reports"]
        elif kind == "webrtc/offer":
            self._offered(message)

    def _subscribe(self, asked):
        before = self.viewers.get(asked["id"])
        camera = self.front.chosen(asked)
        if before and before.camera is camera:
            before.overlay = asked.get("overlay", False)
            return  # it has that already
        if before:
            del self.viewers[before.id]
            before.camera.leave(before)
        if camera is None:
            self.put(json.dumps({"type": "error", "id": asked["id"], "code": "not-found", "text": "no such stream"}))
            return
        viewer = before or Viewer(self, camera, asked)
        viewer.camera = camera
        if camera.join(viewer, asked):
            self.viewers[viewer.id] = viewer


class Camera:
    """A camera of the mock. Its methods may be called from any thread."""

    def __init__(self, front, name, source, order, title="", sub_of="", group=""):
        self.name = name
        self.title = title or name.replace("_", " ").capitalize()
        self.order = order
        self.group = group
        self.sub_of = sub_of
        self.joins = 0  # viewers that ever came
        self.asked = [] # what they asked for
        self.analyse = None  # called with viewer, seq and arrived_us before each frame to who wants results
        self.analysers = 0
        self.captured_ms = 0  # what the camera's own clock says, beside the server's
        self.behind = False  # its frames are said to be of a burst that goes on
        self._front = front
        self._clip = source
        self._viewers = set()
        self._gop = []  # indices into the clip
        self._index = 0
        self._stalled = False
        self._damaged = False
        self._state = {"state": "up", "since_ms": int(time.time() * 1000), "reason": ""}
        self._task = None

    @property
    def viewers(self):
        """Those that get pictures."""
        return sum(not viewer.paused for viewer in list(self._viewers))

    @property
    def listeners(self):
        """Those that get results alone."""
        return sum(viewer.paused and viewer.listens and viewer.overlay for viewer in list(self._viewers))

    @property
    def ticks(self):
        """The time of the newest frame sent to anybody, in TIMESCALE."""
        return max((viewer.ticks for viewer in list(self._viewers)), default=0)

    @property
    def played(self):
        """Frames of the present group of pictures."""
        return len(self._gop)

    def drop(self):
        self._front.run(lambda: [viewer.link.socket.transport.abort() for viewer in self._viewers])

    def stall(self, on, forget=False):
        """forget: who joins gets nothing of what was sent before."""
        def change():
            self._stalled = on
            if forget:
                self._gop = []
        self._front.run(change)

    def damage(self, on):
        self._front.run(lambda: setattr(self, "_damaged", on))

    def set_state(self, state, reason="", since=None):
        def change():
            self._state = {"state": state, "reason": reason,
                           "since_ms": int((time.time() if since is None else since) * 1000)}
            self._gop, self._index = [], 0
            for viewer in self._viewers:
                viewer.say("state", **self.state())
        self._front.run(change)

    def play(self, source):
        def change():
            self._clip, self._gop, self._index = source, [], 0
        self._front.run(change)

    def garbage(self):
        self._front.run(lambda: [viewer.frame(b"\0\0\0\x10moof" + b"\xff" * 600, True) for viewer in self._viewers])

    def say(self, kind, **more):
        self._front.run(lambda: [viewer.say(kind, **more) for viewer in self._viewers])

    def state(self):
        shifted = self._state["since_ms"] + self._front.skew_ms
        return dict(self._state, since_ms=shifted, server_ms=self._front.now_us() // 1000)

    def describe(self):
        """Its member of api/streams."""
        return {"producers": [{"url": f"mock:{self.name}"}], "consumers": [{}] * len(self._viewers),
                "title": self.title, "state": self._state["state"], "since_ms": self._state["since_ms"],
                "reason": self._state["reason"], "codec": "h264" if self._clip.codec else "mjpeg",
                "order": self.order, "group": self.group, "sub": bool(self.sub_of), "camera": self.sub_of or self.name,
                "analysers": self.analysers}

    def start(self):
        self._task = asyncio.ensure_future(self._run())

    async def _run(self):
        due = time.monotonic()
        while True:
            due = max(due + 1 / self._clip.fps, time.monotonic() - 1)
            await asyncio.sleep(max(0, due - time.monotonic()))
            if self._state["state"] == "up" and not self._stalled:
                self._frame()

    def _frame(self):
        index = self._index % len(self._clip.frames)
        self._index += 1
        if index % self._clip.gop == 0:
            self._gop = []
        self._gop.append(index)
        for viewer in self._viewers:
            if not viewer.paused:
                viewer.media(self._clip, index, self.behind, self._damaged)

    def send_gop(self, viewer):
        if self._state["state"] == "up":
            for index in self._gop:
                viewer.media(self._clip, index, behind=index != self._gop[-1])

    def join(self, viewer, asked):
        """False: it cannot be served, and was told."""
        self.joins += 1
        self.asked.append(asked)
        viewer.say("state", **self.state())
        refused = viewer.refused(self._clip)
        if refused:
            viewer.say("error", code="codec", text=refused)
            return False
        self._viewers.add(viewer)
        self.send_gop(viewer)
        return True

    def leave(self, viewer):
        self._viewers.discard(viewer)

    def stop(self):
        self._task.cancel()
        for viewer in list(self._viewers):
            viewer.link.viewers.pop(viewer.id)
            viewer.say("error", code="not-found", text="it is gone")


FOLDER = "assets/0123456789abcdef/"  # where the pages find what they need

# After which time the pages take silence for a fault, by file.
PATIENCE = {"watch.js": ("SILENCE_LIMIT_MS", "FREEZE_MS", "STUCK_MS", "FIRST_MS"),
            "connection.js": ("OPEN_LIMIT_MS", "PROBE_LIMIT_MS", "SILENCE_MS"), "streams.js": ("TIMEOUT_MS",),
            "webrtc.js": ("CONNECT_LIMIT_MS",), "direct.js": ("SILENT_MS", "STILL_MS", "OVERTAKE_MS")}


def with_patience(name, text):
    """That page's file with ten times the patience: a machine that stands still for seconds is no fault then."""
    for constant in PATIENCE.get(name, ()):
        text, count = re.subn(rb"(?m)^(const %s = \d+);" % constant.encode(), rb"\g<1>0;", text)
        assert count == 1, f"{name} has no {constant}"
    return text


class MockFront:
    """patient: its pages are, see with_patience()."""

    def __init__(self, cameras=(), prefix="/", source=None, port=0, patient=True):
        self._patient = patient
        self._prefix = prefix
        self._cameras = {}
        self._source = source
        self._port = port
        self._refuse = False
        self._streams_answer = True
        self._pages_answer = True
        self.api_asked = 0    # how often GET api was
        self.pages_asked = 0  # and a page while answer_pages(False) holds
        self._api = {"version": "1", "camhub": "1.0", "live_target_ms": 40}
        self.reports = []
        self.skew_ms = 0
        self.deaf = False
        self.sockets = 0  # that ever came
        self.links = set()
        self.webrtc = None  # ready, as was told
        self.offers = []
        self.refusal = None
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._main, daemon=True)
        self._names = list(cameras)
        self._server = None

    def __enter__(self):
        self._source = self._source or clip()
        self._thread.start()
        self._ready.wait()
        for name in self._names:
            self.add(name)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}{self._prefix}"

    def camera(self, name):
        return self._cameras[name]

    def add(self, name, source=None, title="", sub_of="", group=""):
        camera = Camera(self, name, source or self._source, len(self._cameras), title, sub_of, group)
        self.run(lambda: (self._cameras.__setitem__(name, camera), camera.start()))
        return camera

    def remove(self, name):
        self.run(lambda: self._cameras.pop(name).stop())

    def refuse(self, on):
        self._refuse = on

    def answer_streams(self, on):
        self._streams_answer = on

    def tell_webrtc(self, ready):
        def change():
            self.webrtc = ready
            for link in self.links:
                link.tell_webrtc()
        self.run(change)

    def refuse_offers(self, code, text):
        self.refusal = (code, text)

    def answer_api(self, answer):
        """What GET api says; None: nothing, it fails."""
        self._api = answer

    def answer_pages(self, on):
        """False: the pages are not there."""
        self._pages_answer = on

    def now_us(self):
        return time.time_ns() // 1000 + self.skew_ms * 1000

    def chosen(self, asked):
        """The camera, or its second stream, that a subscription means; None."""
        small = asked["quality"] == "sub" or (asked["quality"] == "auto" and asked["pixels"] < 960)
        return (self._cameras.get(f"{asked['src']}.sub") if small else None) or self._cameras.get(asked["src"])

    def run(self, what):
        """Calls what() in the loop's thread and waits for it."""
        done = threading.Event()

        def call():
            try:
                what()
            finally:
                done.set()
        self._loop.call_soon_threadsafe(call)
        done.wait()

    def _main(self):
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(websockets.serve(
            self._socket, "127.0.0.1", self._port, process_request=self._request, compression=None,
            ping_interval=None, max_queue=32))
        self._port = self._server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _end(self):
        for camera in self._cameras.values():
            camera.stop()
        self._server.server.close()  # at once: what the next line does is a task, and those are cancelled
        self._server.close()
        # What is cancelled may start something new to clean up after itself.
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _socket(self, socket, _path):
        self.sockets += 1
        await Link(self, socket).serve()

    @staticmethod
    def _asked(path):
        query = urllib.parse.urlsplit(path).query
        return urllib.parse.parse_qs(query).get("src", [""])[0]

    async def _request(self, path, headers):
        where = urllib.parse.unquote(urllib.parse.urlsplit(path).path)
        if not where.startswith(self._prefix):
            return self._answer(404, b"not under the prefix", ".txt")
        where = where[len(self._prefix):]
        if where == "ws" and headers.get("Upgrade", "").lower() == "websocket":
            return self._error(503, "no") if self._refuse else None
        if where == "api":
            self.api_asked += 1
            return self._error(503, "not now") if self._api is None else self._answer(
                200, json.dumps(self._api).encode(), ".json")
        if where == "api/streams":
            return self._streams(self._asked(path))
        if where == "api/frame.jpeg":
            return self._snapshot(self._asked(path))
        return self._file("index.html" if where == "" else where.removeprefix(FOLDER))

    def _streams(self, name):
        if not self._streams_answer:
            return self._error(503, "not now")
        if name and name not in self._cameras:
            return self._error(404, "stream not found")
        found = {key: camera.describe() for key, camera in self._cameras.items() if name in ("", key)}
        return self._answer(200, json.dumps(found).encode(), ".json")

    def _snapshot(self, name):
        camera = self._cameras.get(name)
        if camera is None or camera.state()["state"] != "up":
            return self._error(503 if camera else 404, "the camera is down" if camera else "stream not found")
        return self._answer(200, jpegs().frames[0], ".jpg")

    def _file(self, name):
        if "/" in name or name.startswith("."):
            return self._error(404, "not found")
        if "." not in name or name in self._cameras:
            name = "camera.html"
        if name.endswith(".html") and not self._pages_answer:
            self.pages_asked += 1
            return self._error(503, "not now")
        try:
            with open(os.path.join(WEB, name), "rb") as file:
                text = file.read()
            text = with_patience(name, text) if self._patient else text
            return self._answer(200, text.replace(b"@ASSETS@/", FOLDER.encode()), os.path.splitext(name)[1])
        except OSError:
            return self._error(404, "not found")

    def _error(self, code, text):
        return self._answer(code, json.dumps({"error": text}).encode(), ".json")

    @staticmethod
    def _answer(code, body, suffix):
        kind = TYPES.get(suffix, "application/json" if suffix == ".json" else "text/plain")
        return http.HTTPStatus(code), [
            ("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store"),
            ("Content-Security-Policy", POLICY), ("X-Content-Type-Options", "nosniff"),
            ("Connection", "close")], body


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--prefix", default="/")
    options = parser.parse_args()
    names = [f"camera_{number + 1}" for number in range(options.cameras)]
    with MockFront(names, options.prefix, port=options.port, patient=False) as front:
        print(front.url, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
