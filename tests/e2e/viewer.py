"""A viewer of /api/ws in a thread: speaks go2rtc's exchange, keeps what it saw, finds holes."""

import json
import threading
import time

import fmp4
from wait import DEADLINE_S, PATIENCE_S, Deadline
from websocket import BINARY, WebSocket

CODECS = "avc1.640029,avc1.64002A,avc1.640033,hvc1.1.6.L153.B0,mp4a.40.2,mp4a.40.5,flac,opus"


class Viewer(threading.Thread):
    """
    .texts (parsed JSON messages), .inits (init segments), .fragments with .arrivals, .jpegs (count) and .last_jpeg, .closed (why the socket ended).
    """

    def __init__(self, host, port, src, mode="mse", keep_payload=False, **socket_options):
        super().__init__(daemon=True)
        self.target = (host, port, src, mode)
        self.keep_payload = keep_payload
        self.changed = threading.Condition()
        self.texts, self.inits, self.fragments, self.arrivals = [], [], [], []
        self.payload = bytearray()
        self.jpegs, self.last_jpeg = 0, b""
        self.closed = None
        self.breaks = []  # index of each fragment that follows an init segment
        self.socket = WebSocket(host, port, f"/api/ws?src={src}", **socket_options)
        request = {"type": mode}
        if mode == "mse":
            request["value"] = CODECS
        self.socket.send_text(json.dumps(request))
        self.start()

    def run(self):
        try:
            while True:
                opcode, data = self.socket.recv()
                with self.changed:
                    if opcode == BINARY:
                        self._on_binary(data)
                    else:
                        self.texts.append(json.loads(data))
                    self.changed.notify_all()
        except (EOFError, OSError, ValueError, AssertionError) as error:
            with self.changed:
                self.closed = error
                self.changed.notify_all()

    def _on_binary(self, data):
        if self.target[3] == "mjpeg":
            self.jpegs += 1
            self.last_jpeg = data
            return
        if self.keep_payload:
            self.payload += data
        if fmp4.is_init(data):
            self.inits.append(data)
            self.breaks.append(len(self.fragments))
            return
        for fragment in fmp4.fragments(data):
            self.fragments.append(fragment)
            self.arrivals.append(time.monotonic())

    def wait(self, condition, what, deadline_s=DEADLINE_S):
        """Until condition(self) is true; fails at once when the socket has ended."""
        with self.changed:
            Deadline(deadline_s).wait(self.changed, lambda: condition(self) or self.closed is not None)
            if not condition(self):
                raise AssertionError(f"{self.target[2]}: never {what} ({self.summary()})")

    def wait_more(self, count, what="more pictures", deadline_s=DEADLINE_S):
        """count more fragments (or JPEGs) than there are now."""
        goal = self.pictures() + count
        self.wait(lambda v: v.pictures() >= goal, what, deadline_s)

    def wait_text(self, kind, deadline_s=DEADLINE_S):
        self.wait(lambda v: any(t.get("type") == kind for t in v.texts), f"a {kind} message", deadline_s)
        return next(t for t in self.texts if t.get("type") == kind)

    def pictures(self):
        return self.jpegs if self.target[3] == "mjpeg" else len(self.fragments)

    def holes(self, frames=1.6):
        """Where decode time jumps by more than so many frames (an init segment begins anew). One lost frame is a jump
        of two, but so is one that a busy camera left out. What the server skips and says so, because this machine let
        the viewer wait for over a second, leaves no jump."""
        found, last = [], {}
        for i, after in enumerate(list(self.fragments)):
            if i in self.breaks:
                last.clear()
            before = last.get(after.track)
            last[after.track] = after
            if before is None:
                continue
            step = after.time - before.time
            if step <= 0 or step > frames * max(before.duration, 1):
                found.append((i, before.time, before.duration, after.time, after.key))
        return found

    def summary(self):
        return (f"{self.pictures()} pictures, {len(self.inits)} init segments, "
                f"texts {self.texts[-4:]}, closed: {self.closed!r}")

    def close(self):
        self.socket.close()
        self.join(PATIENCE_S)
