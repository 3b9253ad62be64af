#!/usr/bin/python3 -B
"""Fronts that are replaced while people watch, several fronts, and events that arrive."""

import http.server
import json
import os
import signal
import threading

import rig
from test_faults import Connector
from wait import until

CLOCK = {"name": "attic", "title": "Attic", "url": "test:clock?size=320x180&fps=5"}


class Receiver(http.server.BaseHTTPRequestHandler):
    """.server.events: what was posted."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.events.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Turn(rig.Case):
    def fronts(self, hub):
        return {message["pid"]: message for message in hub.ask("status")
                if message["type"] == "process" and message["name"] != "rtc"}

    def new_front(self, hub, old):
        """Of the one that serves now, once it is another one than `old`."""
        def there():
            up = [pid for pid, front in self.fronts(hub).items() if front["state"] == "up"]
            return up[0] if up and up[0] != old else None
        return until(there, lambda: f"another front than {old}: {self.fronts(hub)}")

    def test_restart_http_drops_nobody(self):
        hub = self.hub([CLOCK])
        hub.wait_state("attic", "up")
        connector = Connector(hub)
        self.addCleanup(connector.stop)
        viewer = self.viewer(hub, "attic")
        viewer.wait_more(3)
        worker, old = hub.child("camhub-worker-av attic"), next(iter(self.fronts(hub)))
        self.assertEqual(hub.camctl("restart", "http")[0], 0)
        new = self.new_front(hub, old)
        until(lambda: self.fronts(hub)[old]["state"] == "draining", lambda: f"{self.fronts(hub)}")
        # It goes on where it is, and whoever comes is served by the other one.
        viewer.wait_more(5)
        late = self.viewer(hub, "attic")
        late.wait_more(3)
        self.assertIsNone(viewer.closed)
        self.assertEqual(hub.camctl("status")[0], 0)
        viewer.close()
        until(lambda: old not in self.fronts(hub), "the old front leaves with its last viewer")
        late.wait_more(3)
        connector.stop()
        self.assertEqual(connector.refused, [])
        self.assertEqual(hub.child("camhub-worker-av attic"), worker)
        # It was the only one who watched through the old one; killed, the new one is a front as any other.
        os.kill(new, signal.SIGKILL)
        self.new_front(hub, new)

    def test_two_fronts_share_the_viewers(self):
        hub = self.hub([CLOCK], extra={"http": {"fronts": 2}})
        hub.wait_state("attic", "up")
        until(lambda: [front["state"] for front in self.fronts(hub).values()] == ["up", "up"], "two fronts")
        viewers = [self.viewer(hub, "attic") for _ in range(16)]
        for viewer in viewers:
            viewer.wait_more(1)
        until(lambda: sum(front.get("viewers", 0) for front in self.fronts(hub).values()) == 16,
              lambda: f"16 viewers: {self.fronts(hub)}")
        until(lambda: hub.camera("attic")["viewers"] == 16, "16 viewers of the camera")
        # One dies: its viewers are gone, and nobody else's.
        victim = max(self.fronts(hub).values(), key=lambda front: front["viewers"])
        os.kill(victim["pid"], signal.SIGKILL)
        until(lambda: sum(viewer.closed is not None for viewer in viewers) == victim["viewers"],
              lambda: f"{victim['viewers']} viewers closed")
        for viewer in viewers:
            if viewer.closed is None:
                viewer.wait_more(2)

    def test_a_worker_that_wants_too_much_dies_alone(self):
        hub = self.hub([CLOCK, {**CLOCK, "name": "yard"}])
        hub.wait_state("attic", "up")
        pid = hub.wait_state("yard", "up")["pid"]
        with open(f"/proc/{pid}/limits", encoding="ascii") as file:
            limits = {line[:25].strip(): line[25:].split()[:2] for line in file}
        with open(f"/proc/{pid}/oom_score_adj", encoding="ascii") as file:
            self.assertEqual(file.read().strip(), "300")
        self.assertEqual(limits["Max open files"], ["256", "256"])
        if not rig.is_sanitized():
            self.assertEqual(limits["Max data size"], [str(512 << 20)] * 2)

    def test_events_arrive(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        server.events = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        gone = {"name": "gone", "url": f"rtsp://127.0.0.1:{rig.free_port()}/"}
        hub = self.hub([gone], extra={"on_event": {
            "url": f"http://127.0.0.1:{server.server_address[1]}/hook?key=very-secret", "debounce": "1s"}})
        until(lambda: len(server.events) >= 2, lambda: f"two events: {server.events}\n{hub.log()}")
        self.assertEqual(server.events[0]["event"], "started")
        self.assertEqual({key: server.events[1][key] for key in ("event", "camera", "state", "was")},
                         {"event": "camera", "camera": "gone", "state": "down", "was": "up"})
        self.assertNotIn("very-secret", hub.log())


if __name__ == "__main__":
    rig.main()
