#!/usr/bin/python3 -B
"""WHEP and its relatives by their status codes: every process is real, the player is an offer that Chromium once made."""

import http.client
import json
import os
import signal

import rig
from ports import free_port
from wait import PATIENCE_S, until
from websocket import TEXT, WebSocket

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
NOBODY = "A" * 22


def read_offer(name):
    path = os.path.join(rig.source_dir(), "tests", "data", "rtc", name)
    with open(path, encoding="ascii", newline="") as file:
        return "\r\n".join(file.read().splitlines()) + "\r\n"


class Whep(rig.Case):
    @classmethod
    def setUpClass(cls):
        cls.offer = read_offer("chromium.sdp")
        cls.camera = cls.shared_rtsp()
        cls.port = free_port()
        cls.hub = cls.shared_hub([{"name": "door", "url": cls.camera.url("h264")},
                                  {"name": "gate", "url": cls.camera.url("mjpeg")}],
                                 extra={"rtc": {"port": cls.port, "addresses": ["203.0.113.5"], "ice_servers": ["stun:192.0.2.1:3478"]}})
        cls.hub.wait_state("door", "up")
        cls.hub.wait_state("gate", "up")

    def ask(self, method, path, body=None, kind=None, **headers):
        """(status, headers, body)"""
        connection = http.client.HTTPConnection(self.hub.host, self.hub.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, {**headers, **({"Content-Type": kind} if kind else {})})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
        finally:
            connection.close()

    def play(self, path="/door/whep"):
        """An offer that is taken sooner or later: (headers, answer)."""
        def taken():
            status, headers, body = self.ask("POST", path, self.offer, SDP)
            self.assertIn(status, (201, 503), body)
            return (headers, body) if status == 201 else None
        return until(taken, "an answer")

    def error(self, *question, **more):
        status, _, body = self.ask(*question, **more)
        return status, json.loads(body)["error"]

    def test_session(self):
        headers, answer = self.play()
        self.assertEqual(headers["content-type"], SDP)
        self.assertRegex(headers["location"], r"^/door/whep/[A-Za-z0-9_-]{22}$")
        self.assertIn("etag", headers)
        self.assertEqual(headers["accept-patch"], FRAGMENT)
        self.assertEqual(headers["link"], '<stun:192.0.2.1:3478>; rel="ice-server"')
        self.assertIn("a=ice-lite\r\n", answer)
        self.assertIn("a=sendonly\r\n", answer)
        self.assertIn(f" 127.0.0.1 {self.port} typ host", answer)
        self.assertIn(f" 203.0.113.5 {self.port} typ host", answer)
        session = headers["location"]
        fragment = "a=ice-ufrag:zSPp\r\na=ice-pwd:bjaLKJKMZLgZuEIdYI39rkvm\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=end-of-candidates\r\n"
        self.assertEqual(self.ask("PATCH", session, fragment, FRAGMENT)[0], 204)
        # A session belongs to its stream.
        self.assertEqual(self.error("DELETE", session.replace("door", "gate"))[0], 404)
        self.assertEqual(self.ask("DELETE", session)[0], 200)
        self.assertEqual(self.error("DELETE", session)[0], 404)
        self.assertEqual(self.error("PATCH", session, fragment, FRAGMENT)[0], 404)

    def test_refusals(self):
        for question, status in (
                (("POST", "/door/whep", self.offer, "text/plain"), 415),
                (("POST", "/door/whep", "v=0\r\n", SDP), 400),
                (("POST", "/door/whep", "x" * 20001, SDP), 413),
                (("POST", "/nothing/whep", self.offer, SDP), 404),
                (("GET", "/door/whep"), 405),
                (("PUT", "/door/whep", ""), 405),
                (("DELETE", "/door/whep/" + NOBODY), 404),
                (("PATCH", "/door/whep/" + NOBODY, "a=x\r\n", FRAGMENT), 404),
                (("POST", "/gate/whep", self.offer, SDP), 422)):
            with self.subTest(question=[word[:40] for word in question]):
                got, why = self.error(*question)
                self.assertEqual(got, status, why)
                self.assertTrue(why)

    def test_options(self):
        status, headers, body = self.ask("OPTIONS", "/door/whep")
        self.assertEqual((status, body), (204, ""))
        self.assertEqual(headers["accept-post"], SDP)
        self.assertIn("ice-server", headers["link"])

    def test_go2rtc(self):
        self.play()  # it is there
        question = json.dumps({"type": "offer", "sdp": self.offer})
        status, headers, body = self.ask("POST", "/api/webrtc?src=door", question, "application/json")
        self.assertEqual((status, headers["content-type"]), (200, "application/json"), body)
        answer = json.loads(body)
        self.assertEqual(answer["type"], "answer")
        self.assertIn("a=ice-lite", answer["sdp"])
        self.assertEqual(self.ask("POST", "/api/webrtc?src=door", self.offer, SDP)[0], 201)
        self.assertEqual(self.ask("POST", "/api/webrtc?src=door", self.offer)[0], 200)
        page = WebSocket(self.hub.host, self.hub.port, "/api/ws?src=door")
        page.send_text(json.dumps({"type": "webrtc/offer", "value": self.offer}))
        opcode, data = page.recv()
        self.assertEqual((opcode, json.loads(data)["type"]), (TEXT, "webrtc/answer"), data)
        page.close()

    def test_its_death_and_its_silence(self):
        self.play()
        pid = self.hub.child("camhub-rtc rtc")
        os.kill(pid, signal.SIGKILL)
        status, headers, body = self.ask("POST", "/door/whep", self.offer, SDP)
        # It may be back already.
        self.assertIn(status, (201, 503), body)
        if status == 503:
            self.assertIn("retry-after", headers)
        self.play()
        again = self.hub.child("camhub-rtc rtc")
        self.assertNotEqual(again, pid)
        os.kill(again, signal.SIGSTOP)
        try:
            status, headers, body = self.ask("POST", "/door/whep", self.offer, SDP)
        finally:
            os.kill(again, signal.SIGCONT)
        self.assertEqual(status, 503, body)
        self.assertIn("retry-after", headers)
        self.play()

    def test_status_and_restart(self):
        self.play()
        before = self.hub.child("camhub-rtc rtc")
        code, out, err = self.hub.camctl("restart", "rtc")
        self.assertEqual(code, 0, out + err)
        until(lambda: self.hub.child("camhub-rtc rtc") != before, "another one")
        self.play()
        self.assertIn("rtc", self.hub.camctl("status")[1])


if __name__ == "__main__":
    rig.main()
