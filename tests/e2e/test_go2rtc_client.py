#!/usr/bin/python3 -B
"""The client that Home Assistant uses, as PyPI has it, reads what it knows: version, streams, snapshots, /api/ws."""

import asyncio
import importlib.machinery
import io
import logging
import os
import re
import sys
import unittest

import picture
import rig
from wait import PATIENCE_S

MODULES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python_modules")
PACKAGE = "go2rtc_client"


class Loader(importlib.machinery.SourceFileLoader):
    """Debian 12 has Python 3.11, which does not know the type parameters of a function: they are taken off."""

    def source_to_code(self, data, path, **options):
        text = re.sub(r"^(\s*(?:async )?def \w+)\[[^\]]*\]\(", r"\1(", data.decode(), flags=re.M)
        return super().source_to_code(text.encode(), path, **options)


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] != PACKAGE or sys.version_info >= (3, 12):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = Loader(spec.loader.name, spec.loader.path)
        return spec


def import_all():
    """(aiohttp, the package, its exceptions, its WebSocket half); SkipTest without them."""
    if not os.path.exists(os.path.join(MODULES, PACKAGE)):
        raise unittest.SkipTest("no go2rtc-client here (./bootstrap.sh check gets it from PyPI)")
    sys.path.insert(0, MODULES)
    sys.meta_path.insert(0, Finder)
    return [importlib.import_module(name) for name in
            ("aiohttp", PACKAGE, f"{PACKAGE}.exceptions", f"{PACKAGE}.ws")]


# Of a browser that takes H.264 and nothing else, as short as it may be.
OFFER = "\r\n".join((
    "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0", "m=video 9 UDP/TLS/RTP/SAVPF 96",
    "c=IN IP4 0.0.0.0", "a=mid:0", "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuv",
    "a=fingerprint:sha-256 " + ":".join(["A5"] * 32), "a=setup:actpass", "a=recvonly", "a=rtcp-mux",
    "a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=1;level-asymmetry-allowed=1;profile-level-id=42e01f", ""))


class Client(rig.Case):
    @classmethod
    def setUpClass(cls):
        rig.need("ffmpeg")
        cls.aiohttp, cls.package, cls.exceptions, cls.ws = import_all()
        cls.server = cls.shared_rtsp()
        cls.hub = cls.shared_hub([{"name": "door", "url": cls.server.url("h264")},
                                  {"name": "gate", "url": cls.server.url("mjpeg")}])
        cls.hub.wait_state("door", "up")
        cls.hub.wait_state("gate", "up")

    def ask(self, question):
        """What the coroutine question(client) returns."""
        async def run():
            async with self.aiohttp.ClientSession() as session:
                client = self.package.Go2RtcRestClient(session, self.hub.url("/"))
                return await asyncio.wait_for(question(client), PATIENCE_S)
        return asyncio.run(run())

    def test_version(self):
        version = self.ask(lambda client: client.validate_server_version())
        self.assertEqual(str(version), self.hub.get_json("/api")["version"])

    def test_streams(self):
        streams = self.ask(lambda client: client.streams.list())
        self.assertEqual({name: [producer.url for producer in stream.producers] for name, stream in streams.items()},
                         {"door": ["camhub:door"], "gate": ["camhub:gate"]})

    def test_snapshots(self):
        for name in ("door", "gate"):
            image = self.ask(lambda client, name=name: client.get_jpeg_snapshot(name, 640, 360))
            self.assertEqual(len(picture.decode_gray(image, 640, 360)), 640 * 360)

    def test_what_is_not_there(self):
        for question in (lambda client: client.get_jpeg_snapshot("nobody"),
                         lambda client: client.streams.add("door", "rtsp://192.0.2.1/"),
                         lambda client: client.preload.list()):
            with self.assertRaises(self.exceptions.Go2RtcClientError):
                self.ask(question)
        self.assertEqual(set(self.hub.get_json("/api/streams")), {"door", "gate"})

    def offer(self, source, sdp):
        """What the client's WebSocket is told first of all when it makes this offer; the client must know the message."""
        said = io.StringIO()
        handler = logging.StreamHandler(said)
        logging.getLogger(PACKAGE).addHandler(handler)
        self.addCleanup(logging.getLogger(PACKAGE).removeHandler, handler)

        async def run():
            answer = asyncio.get_running_loop().create_future()
            async with self.aiohttp.ClientSession() as session:
                client = self.ws.Go2RtcWsClient(session, self.hub.url("/"), source=source)
                client.subscribe(lambda message: answer.done() or answer.set_result(message))
                await client.send(self.ws.WebRTCOffer(sdp, []))
                try:
                    return await asyncio.wait_for(answer, PATIENCE_S)
                finally:
                    await client.close()

        answer = asyncio.run(run())
        self.assertNotIn("Invalid message", said.getvalue())
        return answer

    def test_offer(self):
        answer = self.offer("door", OFFER)
        self.assertIsInstance(answer, self.ws.WebRTCAnswer)
        self.assertRegex(answer.sdp, r"(?s)^v=0\r\n.*\r\nm=video \d+ UDP/TLS/RTP/SAVPF 96\r\n")
        for line in ("a=ice-lite", "a=setup:passive", "a=sendonly", "a=mid:0"):
            self.assertIn(line, answer.sdp.split("\r\n"))
        self.assertRegex(answer.sdp, r"\r\na=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 \d+ typ host")

    def test_offers_in_vain(self):
        for source, sdp in (("door", "v=0"), ("gate", OFFER)):  # "gate" has no video for it
            answer = self.offer(source, sdp)
            self.assertIsInstance(answer, self.ws.WsError)
            self.assertRegex(answer.error, r"^webrtc: \S")


if __name__ == "__main__":
    rig.main()
