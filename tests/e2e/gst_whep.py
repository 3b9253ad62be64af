#!/usr/bin/python3 -B
"""
A player by WHEP out of GStreamer's webrtcbin, with its ICE (libnice), DTLS, SRTP, jitter buffer, depayloaders and decoders:

    gst_whep.py URL [--video H264] [--audio OPUS] [--audio-first] [--rtx] [--relay]

Offers what it is told to, with no parameters of its own, as GStreamer's whepsrc does. Says on standard output, a JSON object
on each line: {"candidates": their types}, {"answered": status, "error": why, "location": where}, {"state": of its connection}, {"unit": SHA-1 of the access unit's
slices, "key": whether it is a key frame}, {"picture": [width, height]} for each that was decoded, {"sound": the unit in hexadecimal},
{"samples": bytes of what was decoded of it}, {"error": of a pipeline}. The end of standard input, or a line on it, ends the session:
{"ended": status of DELETE}. --relay: through a TURN server that it was told by WHEP, and on no other way.
"""

import argparse
import hashlib
import http.client
import json
import re
import sys
import threading
import urllib.parse

import gi

import streams
from wait import PATIENCE_S

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC

KINDS = {  # by encoding-name: type of payload, clock rate, how it is taken apart and decoded
    "H264": (96, 90000, "rtph264depay ! video/x-h264,stream-format=byte-stream,alignment=au", "avdec_h264"),
    "H265": (97, 90000, "rtph265depay ! video/x-h265,stream-format=byte-stream,alignment=au", "avdec_h265"),
    "OPUS": (111, 48000, "rtpopusdepay", "opusdec"),
    "PCMU": (0, 8000, "rtppcmudepay", "mulawdec"),
    "PCMA": (8, 8000, "rtppcmadepay", "alawdec"),
}
mutex = threading.Lock()


def say(**said):
    with mutex:
        print(json.dumps(said), flush=True)


def ask(method, url, body=None, kind=None):
    """(status, headers, body)"""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE_S)
    try:
        connection.request(method, parts.path, body, {"Content-Type": kind} if kind else {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def relay_of(headers):
    """Of the headers Link (RFC 8288): the TURN server as webrtcbin wants it."""
    for link in headers.get_all("Link", []):
        found = re.match(r"<turn:([^>?]*)[^>]*>", link)
        words = dict(re.findall(r'([a-z-]+)="([^"]*)"', link))
        if found and words.get("rel") == "ice-server":
            user, password = (urllib.parse.quote(words[name], safe="") for name in ("username", "credential"))
            return f"turn://{user}:{password}@{found[1]}"
    raise SystemExit("no TURN server was told")


class Player:
    def __init__(self, options):
        self.options = options
        self.pipeline, self.bin = Gst.Pipeline(), Gst.ElementFactory.make("webrtcbin")
        # Everything on one port, as the draft of WHEP wants it.
        self.bin.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        if options.relay:
            self.bin.set_property("ice-transport-policy", GstWebRTC.WebRTCICETransportPolicy.RELAY)
            self.bin.set_property("turn-server", relay_of(ask("OPTIONS", options.url)[1]))
        self.gathered = threading.Event()
        self.bin.connect("notify::ice-gathering-state", self._on_gathering)
        self.bin.connect("notify::connection-state", lambda *_: say(state=self.bin.get_property("connection-state").value_nick))
        self.bin.connect("pad-added", self._on_pad)
        self.pipeline.add(self.bin)
        self.pipeline.get_bus().set_sync_handler(self._on_message)
        kinds = [("video", options.video), ("audio", options.audio)]
        for media, name in reversed(kinds) if options.audio_first else kinds:
            if name:
                self._receive(media, name)

    def _receive(self, media, name):
        payload, rate, *_ = KINDS[name]
        caps = f"application/x-rtp,media={media},encoding-name={name},payload={payload},clock-rate={rate}"
        transceiver = self.bin.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY,
                                    Gst.Caps.from_string(caps + (",encoding-params=(string)2" if name == "OPUS" else "")))
        transceiver.set_property("do-nack", self.options.rtx and media == "video")

    def _on_gathering(self, *_):
        if self.bin.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            self.gathered.set()

    def _on_message(self, _, message):
        if message.type == Gst.MessageType.ERROR:
            say(error=message.parse_error().gerror.message)
        return Gst.BusSyncReply.DROP

    def _on_pad(self, _, pad):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        _, _, apart, decoder = KINDS[pad.get_current_caps().get_structure(0).get_string("encoding-name")]
        part = Gst.parse_bin_from_description(f"{apart} ! identity name=units ! {decoder} ! fakesink name=end sync=false", True)
        is_video = decoder.startswith("avdec")
        for name, probe in (("units", self._on_unit if is_video else self._on_sound),
                            ("end", self._on_picture if is_video else self._on_samples)):
            part.get_by_name(name).get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, probe)
        self.pipeline.add(part)
        part.sync_state_with_parent()
        pad.link(part.get_static_pad("sink"))

    def _on_unit(self, _, info):
        unit = info.get_buffer()
        codec = self.options.video.lower()
        slices = b"".join(streams.slices(codec, unit.extract_dup(0, unit.get_size())))
        say(unit=hashlib.sha1(slices).hexdigest(), key=not unit.has_flags(Gst.BufferFlags.DELTA_UNIT))
        return Gst.PadProbeReturn.OK

    def _on_sound(self, _, info):
        say(sound=info.get_buffer().extract_dup(0, info.get_buffer().get_size()).hex())
        return Gst.PadProbeReturn.OK

    def _on_picture(self, pad, _):
        caps = pad.get_current_caps().get_structure(0)
        say(picture=[caps.get_int("width").value, caps.get_int("height").value])
        return Gst.PadProbeReturn.OK

    def _on_samples(self, _, info):
        say(samples=info.get_buffer().get_size())
        return Gst.PadProbeReturn.OK

    def _offer(self):
        """Its SDP, with all of its candidates."""
        promise = Gst.Promise.new()
        self.bin.emit("create-offer", None, promise)
        promise.wait()
        reply = promise.get_reply()  # what it has lives as long as it does
        self._describe("set-local-description", reply.get_value("offer"))
        assert self.gathered.wait(PATIENCE_S), "no candidates"
        return self.bin.get_property("local-description").sdp.as_text()

    def _describe(self, signal, description):
        promise = Gst.Promise.new()
        self.bin.emit(signal, description, promise)
        promise.wait()
        reply = promise.get_reply()
        assert not (reply and reply.has_field("error")), reply.get_value("error").message

    def play(self):
        """Until standard input says something."""
        self.pipeline.set_state(Gst.State.PLAYING)
        offer = self._offer()
        say(candidates=re.findall(r"^a=candidate:.* typ (\w+)", offer, re.M))
        status, headers, body = ask("POST", self.options.url, offer, "application/sdp")
        if status != 201:
            say(answered=status, error=json.loads(body)["error"])
            return
        say(answered=status, location=headers["Location"])
        _, message = GstSdp.SDPMessage.new_from_text(body)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self._describe("set-remote-description", answer)
        sys.stdin.readline()
        say(ended=ask("DELETE", urllib.parse.urljoin(self.options.url, headers["Location"]))[0])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--video", choices=("H264", "H265"), default="H264")
    parser.add_argument("--audio", choices=("OPUS", "PCMU", "PCMA"))
    for flag in ("--audio-first", "--rtx", "--relay"):
        parser.add_argument(flag, action="store_true")
    options = parser.parse_args()
    Gst.init(None)
    player = Player(options)
    try:
        player.play()
    finally:
        player.pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    main()
