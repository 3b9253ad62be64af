#!/usr/bin/python3 -B
"""WebRTC in the player, beside the subscription: who shows, when it takes over, what becomes of it. The other end of each
session is in the page itself, and can be told to misbehave; all that is between them is the browser's own."""

import json
import time

import web_rig
from wait import until
from web_rig import FRAME, HIDE, PLAYER, WORDS

# Answers offers. direct.answers: "media"; "nothing" (a session without pictures), "nowhere" (an answer that leads to nobody),
# "never", "later" (by calling those in direct.later). direct.seen: which surface showed, at each change, and whether there was a picture on it.
OTHER_END = """
(() => {
  const { send } = WebSocket.prototype;
  const canvas = document.createElement("canvas"), context = canvas.getContext("2d", { alpha: false });
  const direct = globalThis.direct = { answers: "media", later: [], offers: [], peers: [], seen: [], sockets: new Set() };
  let number = 0;
  Object.assign(canvas, { width: 320, height: 180 });
  setInterval(() => {
    number += 1;
    context.fillStyle = `hsl(${number * 31 % 360} 80% 50%)`;
    context.fillRect(0, 0, 320, 180);
  }, 40);
  const gathered = (peer) => new Promise((done) => {
    peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && done();
  });
  direct.answer = async (socket, { id, offer, sdp }) => {
    const peer = new RTCPeerConnection(), { answers } = direct;
    direct.peers.push(peer);
    if (answers === "media")
      for (const track of canvas.captureStream(25).getTracks()) peer.addTrack(track);
    await peer.setRemoteDescription({ type: "offer", sdp });
    const ready = gathered(peer);
    await peer.setLocalDescription();
    await ready;
    let text = peer.localDescription.sdp;
    if (answers === "nowhere") {
      text = text.replaceAll(/a=candidate:.*\\r\\n/g, "");
      peer.close();
    }
    socket.onmessage?.({ data: JSON.stringify({ type: "webrtc/answer", id, offer, sdp: text }) });
  };
  direct.tellLink = (link) => {
    const { id, offer } = direct.offers.at(-1);
    [...direct.sockets].at(-1).onmessage({ data: JSON.stringify({ type: "webrtc/link", id, offer, link }) });
  };
  WebSocket.prototype.send = function (text) {
    direct.sockets.add(this);
    const message = JSON.parse(text);
    if (message.type === "webrtc/offer") {
      direct.offers.push({ at: performance.now(), ...message });
      if (direct.answers === "never" || direct.answers === "server")
        send.call(this, text);
      else if (direct.answers === "later")
        direct.later.push(() => direct.answer(this, message));
      else
        direct.answer(this, message);
      return;
    }
    send.call(this, text);
  };
  const look = () => {
    const frame = document.querySelector("camhub-player")?.shadowRoot.querySelector(".frame");
    if (frame) {
      const { surface } = frame.dataset, shown = frame.querySelector("video[data-shown]");
      const drawn = surface !== "direct" || (shown?.readyState >= 2 && shown.videoWidth > 0 && shown.srcObject !== null);
      const one = `${surface}${drawn ? "" : " black"}`;
      if (direct.seen.at(-1) !== one)
        direct.seen.push(one);
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""


# So many seconds later, as the page sees it: "later(12)"; true when it has looked at the time since.
LATER = """
{
  const { now } = Performance.prototype;
  let ahead = 0, looks = 0;
  Performance.prototype.now = function () { return now.call(this) + ahead; };
  globalThis.later = (seconds) => { ahead += 1000 * seconds; looks = 0; };
  globalThis.hasLooked = () => looks > 4;
  setInterval(() => { looks += 1; }, 500);
}
"""


# Says of each picture by WebRTC when it came to the server, as the rtc front does, or less; and of what programs found
# in it, just before, and in another picture between it and the one before. boxes.pairs: [picture, label on it].
FOUND = """
globalThis.boxes = { finds: true, marks: true, captured: true, pairs: [], label: null };
{
  const { requestVideoFrameCallback } = HTMLVideoElement.prototype;
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...more) {
    if (this.canvas.className === "boxes") boxes.label = text;
    return fillText.call(this, text, ...more);
  };
  const say = (arrived, label) => [...direct.sockets].at(-1).onmessage?.({ data: JSON.stringify({ type: "result",
    id: direct.offers.at(-1).id, analyser: "mock", stream: "door", seq: 7, arrived_us: arrived,
    objects: [{ box: [0.25, 0.25, 0.5, 0.5], label: String(label) }] }) });
  let n = 0;
  HTMLVideoElement.prototype.requestVideoFrameCallback = function (callback) {
    if (this.className !== "direct")
      return requestVideoFrameCallback.call(this, callback);
    return requestVideoFrameCallback.call(this, (began, metadata) => {
      const now = performance.now(); // as the player has it: a busy page comes to it long after the frame began
      const { finds, marks, captured } = boxes, arrived = Math.round((performance.timeOrigin + now - 60) * 1000);
      const ticks = Math.floor(arrived * 0.09) % 2 ** 32;
      n += 1;
      if (finds) {
        say(arrived - 15000, n - 0.5);
        say(arrived, n);
      }
      callback(began, { ...metadata, captureTime: captured ? now - 160 : undefined,
        rtpTimestamp: ticks - ticks % 64 + (marks ? 1 + Math.floor(arrived / 5000) % 63 : 0) });
      const isBlank = this.getRootNode().querySelector(".boxes")?.width === 1;
      boxes.pairs.push([n, isBlank ? null : Number(boxes.label)]);
    });
  };
}
"""
BOXES = PLAYER + ".shadowRoot.querySelector('.boxes')"


class Found(web_rig.Web):
    """What programs find, over pictures by WebRTC."""

    def open_door(self, **said):
        self.prepare = OTHER_END + FOUND + f"Object.assign(boxes, {json.dumps(said)});"
        self.open(None, cameras=())
        self.front.add("door")
        self.front.tell_webrtc(True)
        self.page.goto(self.front.url + "door")
        self.wait(f"{PLAYER}?.stats.transport === 'webrtc'", "pictures by WebRTC")
        return self.front.camera("door")

    def pairs(self, n=20):
        self.page.evaluate("void (boxes.pairs.length = 0)")
        self.wait(f"boxes.pairs.length >= {n}")
        return self.page.evaluate("boxes.pairs")

    def check_on_its_picture(self, **said):
        door = self.open_door(**said)
        until(lambda: (door.viewers, door.listeners) == (0, 1), "results to be asked for, and no pictures")
        pairs = self.pairs()
        self.assertEqual(pairs, [[n, n] for n, _ in pairs])
        self.assertGreater(self.page.evaluate(f"{PLAYER}.stats.overlay.exact"), 20)
        self.check_quiet()

    def test_on_their_picture(self):
        self.check_on_its_picture()

    def test_where_the_browser_does_not_tell_the_age(self):
        self.check_on_its_picture(captured=False)

    def test_picture_that_could_be_any(self):
        """Better none than those of another one."""
        self.open_door(captured=False, marks=False)
        self.assertEqual({label for _, label in self.pairs()}, {None})
        self.check_quiet()

    def test_they_do_not_stay(self):
        self.open_door()
        self.wait("boxes.pairs.at(-1)[1] !== null", "boxes")
        self.page.evaluate("void (boxes.finds = false)")
        self.wait("boxes.pairs.at(-1)[1] === null", "the boxes to go")
        self.wait(f"{BOXES}.width === 1")
        self.check_moves()

    def test_those_of_another_way_do_not_stay(self):
        self.prepare = OTHER_END + FOUND + "boxes.finds = false;"
        self.open("door")
        door = self.front.camera("door")
        door.analyse = lambda viewer, seq, arrived: viewer.result(seq, arrived, {"box": [0, 0, 1, 1], "label": "0"})
        self.wait(f"{BOXES}?.width > 1", "boxes over the other pictures")
        self.front.tell_webrtc(True)
        self.wait(f"{PLAYER}.stats.transport === 'webrtc'", "pictures by WebRTC")
        self.wait(f"{BOXES}.width === 1", "the boxes to go")
        self.check_moves()

    def test_only_who_wants_them_asks(self):
        door = self.open_door()
        until(lambda: door.listeners == 1, "results to be asked for")
        self.page.evaluate(f"{PLAYER}.removeAttribute('overlay')")
        until(lambda: door.listeners == 0, "no more results")
        self.wait(f"{BOXES}.width === 1")
        self.assertEqual(door.viewers, 0)
        self.page.evaluate(f"{PLAYER}.setAttribute('overlay', '')")
        until(lambda: door.listeners == 1, "results again")
        self.assertEqual(door.viewers, 0)
        self.assertEqual(door.joins, 1)
        self.check_quiet()


class Direct(web_rig.Web):
    prepare = OTHER_END

    def open_door(self, answers="media", more="", **options):
        """A mock whose WebRTC is ready."""
        self.prepare = f"{OTHER_END}; direct.answers = '{answers}'; {more}"
        self.open(None, cameras=(), **options)
        self.front.add("door")
        self.front.tell_webrtc(True)
        self.page.goto(self.front.url + "door")
        return self.front.camera("door")

    def wait_transport(self, name):
        self.wait(f"{PLAYER}?.stats.transport === '{name}'", f"pictures by {name}")

    def check_seen_without_a_flash(self):
        """Once there was a picture there always was one."""
        seen = self.page.evaluate("direct.seen")
        after = [one for i, one in enumerate(seen) if any(before != "none" for before in seen[:i])]
        self.assertEqual([one for one in after if one == "none" or "black" in one], [], seen)

    def test_it_takes_over_unseen(self):
        door = self.open_door()
        self.wait_transport("webrtc")
        self.wait_state("playing")
        until(lambda: door.viewers == 0, "the server to be told that nothing more is wanted")
        self.check_moves()
        self.check_seen_without_a_flash()
        self.assertEqual(self.page.evaluate(f"{FRAME}.dataset.surface"), "direct")
        self.assertEqual(self.page.evaluate("[...document.querySelector('camhub-player').shadowRoot.querySelectorAll('video')]"
                                            ".filter((one) => getComputedStyle(one).visibility === 'visible').length"), 1)
        self.assertEqual(door.joins, 1)
        self.assertEqual(self.page.evaluate("direct.offers.length"), 1)
        self.assertNotIn("m=audio", self.page.evaluate("direct.offers[0].sdp"))
        self.check_quiet()

    def test_its_delay_is_told_and_reported(self):
        self.open_door()
        self.wait_transport("webrtc")
        delay = self.wait(f"{PLAYER}.delay")
        self.assertEqual(delay["basis"], "arrival")
        self.wait(f"{PLAYER}.delay?.p50 < 1000")
        by = lambda: [one for one in self.front.reports if one["transport"] == "webrtc"]  # pylint: disable=unnecessary-lambda-assignment
        until(by, "a report")
        self.assertGreater(by()[0]["shown"], 5)

    def test_snapshot_is_of_its_picture(self):
        self.open_door()
        self.wait_transport("webrtc")
        size = self.page.evaluate(f"{PLAYER}.snapshot().then(async (blob) => {{ const bitmap = await createImageBitmap(blob);"
                                  "return [blob.type, bitmap.width]; })")
        self.assertEqual(size, ["image/jpeg", 320])

    def test_nothing_is_tried_before_the_server_says_so(self):
        self.prepare = OTHER_END
        self.open("door")
        self.wait_state("playing")
        self.check_moves()
        self.assertEqual(self.page.evaluate("direct.offers.length"), 0)
        self.assertEqual(self.page.evaluate(f"{PLAYER}.stats.passedOver"), {})
        self.front.tell_webrtc(True)
        self.wait_transport("webrtc")

    def test_where_there_is_no_way_others_show_and_it_is_left(self):
        door = self.open_door("nowhere", patient=False)
        self.wait_state("playing")
        self.check_moves()
        self.wait(f"{PLAYER}.stats.passedOver.webrtc", "it to be given up")
        self.assertIn("no way", self.page.evaluate(f"{PLAYER}.stats.passedOver.webrtc"))
        self.assertNotEqual(self.page.evaluate(f"{PLAYER}.stats.transport"), "webrtc")
        self.assertEqual(door.joins, 1)
        self.assertEqual(self.page.evaluate("direct.offers.length"), 1)
        # Another network: it need not wait for minutes.
        self.page.evaluate("direct.answers = 'media', dispatchEvent(new Event('online'))")
        self.wait_transport("webrtc")
        self.check_quiet()

    def test_what_cannot_be_had_is_not_asked_for_again(self):
        self.prepare = OTHER_END
        self.open_door("server")
        self.front.refuse_offers(422, "the camera sends B frames")
        self.page.goto(self.front.url + "door")
        self.wait(f"{PLAYER}?.stats.passedOver.webrtc === 'the camera sends B frames'")
        self.check_moves(20)
        self.assertEqual(len([one for one in self.front.offers if one["offer"] > 1]), 0)

    def test_server_that_is_busy_is_asked_again(self):
        self.open_door("server")
        self.front.refuse_offers(503, "busy")
        until(lambda: len(self.front.offers) > 2, "more offers")
        numbers = [one["offer"] for one in self.front.offers]
        self.assertEqual(len(set(numbers)), len(numbers), "an answer could be of another offer")

    def test_goodbye_of_the_server(self):
        self.open_door()
        self.wait_transport("webrtc")
        self.page.evaluate("direct.answers = 'never', direct.peers.at(-1).close()")
        began = time.monotonic()
        self.wait(f"{PLAYER}.stats.transport !== 'webrtc' && {PLAYER}.state === 'playing'", "others to show")
        print(f"others show after {time.monotonic() - began:.2f} s", flush=True)
        self.check_moves()
        self.check_seen_without_a_flash()

    def test_server_whose_webrtc_is_away_for_a_moment(self):
        door = self.open_door()
        self.wait_transport("webrtc")
        self.page.evaluate("direct.answers = 'media'")
        self.front.tell_webrtc(False)
        until(lambda: door.viewers == 1, "the subscription to go on")
        self.wait(f"{PLAYER}.stats.transport !== 'webrtc' && {PLAYER}.state === 'playing'")
        self.front.tell_webrtc(True)
        self.wait_transport("webrtc")
        until(lambda: door.viewers == 0, "the subscription to rest")
        self.check_seen_without_a_flash()
        self.check_quiet()

    def test_silence(self):
        """Nothing comes any more, and nobody says why: newer pictures of the other way are shown, and a session is asked for anew."""
        door = self.open_door()
        self.wait_transport("webrtc")
        self.page.evaluate("""
          direct.peers.at(-1).getSenders().forEach((sender) => sender.track?.stop()),
          RTCPeerConnection.prototype.getStats = async () => new Map(),
          direct.answers = "later";""")
        began = time.monotonic()
        self.wait(f"{PLAYER}.stats.transport !== 'webrtc' && {PLAYER}.state === 'playing'", "others to show")
        print(f"others show after {time.monotonic() - began:.2f} s", flush=True)
        self.page.evaluate("direct.answers = 'media', direct.later.splice(0).forEach((answer) => answer())")
        self.wait_transport("webrtc")
        self.assertGreater(self.page.evaluate("direct.offers.length"), 1)
        self.check_seen_without_a_flash()
        self.assertEqual(door.joins, 1)

    def test_camera_that_is_away_is_nobody_elses_fault(self):
        door = self.open_door(patient=False)
        self.wait_transport("webrtc")
        door.set_state("down", "no answer")
        self.wait_state("offline")
        self.assertIn("Offline since", self.page.evaluate(WORDS))
        self.page.evaluate("""
          direct.since = performance.now(), direct.track = direct.peers.at(-1).getSenders()[0].track,
          direct.peers.at(-1).getSenders()[0].replaceTrack(null)""")
        self.wait("performance.now() > direct.since + 3000", "the time in which a session is given up")
        self.page.evaluate("direct.peers.at(-1).getSenders()[0].replaceTrack(direct.track)")
        door.set_state("up")
        self.wait_state("playing")
        self.wait_transport("webrtc")
        self.assertEqual(self.page.evaluate("direct.offers.length"), 1, "the session was given up")

    def test_lost_connection_does_not_stop_the_pictures(self):
        door = self.open_door()
        self.wait_transport("webrtc")
        self.page.evaluate(f"window.said = [], {PLAYER}.addEventListener('statechange', ({{ detail }}) => said.push(detail.state))")
        door.drop()
        until(lambda: door.joins == 2, "the subscription to come back")
        until(lambda: door.viewers == 0, "it to rest")
        self.check_moves()
        self.assertEqual(self.page.evaluate("said"), [])
        self.assertEqual(self.page.evaluate("direct.offers.length"), 1)

    def test_hidden_page_has_no_session(self):
        door = self.open_door()
        self.wait_transport("webrtc")
        self.page.evaluate(HIDE.format("true"))
        self.wait("direct.peers.at(-1).connectionState !== 'connected'", "the session to end")
        self.assertEqual(door.viewers, 0)
        self.page.evaluate(HIDE.format("false"))
        self.wait_transport("webrtc")
        self.assertEqual(self.page.evaluate("direct.offers.length"), 2)
        self.check_seen_without_a_flash()

    def test_another_quality_without_a_gap(self):
        self.open_door()
        self.front.add("door.sub", sub_of="door")
        self.wait_transport("webrtc")
        self.page.evaluate(f"{PLAYER}.setAttribute('quality', 'sub')")
        self.wait("direct.offers.length === 2 && direct.peers[0].connectionState !== 'connected'", "the successor to lead")
        self.assertEqual(self.page.evaluate(f"{PLAYER}.stats.transport"), "webrtc")
        self.check_moves()
        self.assertEqual(set(self.page.evaluate("direct.seen.slice(direct.seen.indexOf('direct'))")), {"direct"})
        self.assertEqual(self.page.evaluate(f"{PLAYER}.shadowRoot.querySelectorAll('video').length"), 2)

    def test_sound_is_asked_for_when_it_is_wanted(self):
        self.open_door()
        self.wait_transport("webrtc")
        self.page.evaluate(f"{PLAYER}.muted = false")
        self.wait("direct.offers.length > 1", "another offer")
        self.assertIn("m=audio", self.page.evaluate("direct.offers.at(-1).sdp"))
        self.wait_transport("webrtc")
        heard = "[...%s.shadowRoot.querySelectorAll('video')].map((video) => [video.className, video.muted])" % PLAYER
        self.assertEqual(self.page.evaluate(heard), [["", True], ["direct", False]])

    def test_webrtc_alone(self):
        door = self.open_door()
        self.page.evaluate(f"{PLAYER}.setAttribute('modes', 'webrtc')")
        self.wait_transport("webrtc")
        self.check_moves()
        self.assertEqual(door.viewers, 0)
        before = self.page.evaluate("direct.peers.at(-1).close(), direct.peers.length")
        self.wait(f"direct.peers.length > {before}", "another session")
        self.wait_transport("webrtc")
        self.check_moves()
        self.assertEqual(door.viewers, 0)

    def let_pass(self, seconds):
        self.page.evaluate(f"later({seconds})")
        self.wait("hasLooked()", "the page to look at the time")

    def test_webrtc_alone_waits_for_its_first_picture(self):
        """Cameras may have half a minute between two key frames: nothing else is to come, and nothing is wrong."""
        self.open_door("nothing", LATER, patient=False)
        self.wait_state("playing")
        self.page.evaluate(f"{PLAYER}.setAttribute('modes', 'webrtc')")
        self.wait("direct.peers.at(-1)?.connectionState === 'connected' && direct.offers.length === 2", "a session")
        attempts = self.page.evaluate(f"{PLAYER}.stats.attempts")
        self.let_pass(12)
        self.assertEqual(self.page.evaluate(f"{PLAYER}.stats.attempts"), attempts, "all of it was begun anew")
        self.assertEqual(self.page.evaluate("direct.offers.length"), 2)
        self.let_pass(90)
        self.wait("direct.offers.length > 2", "it to be given up")

    def test_webrtc_alone_where_there_is_no_way(self):
        self.open_door("nowhere", patient=False)
        self.wait_state("playing")
        self.page.evaluate(f"{PLAYER}.setAttribute('modes', 'webrtc')")
        self.wait_state("unsupported")
        self.assertIn("No way to the server for WebRTC", self.page.evaluate(WORDS))
        self.page.evaluate("direct.answers = 'media', dispatchEvent(new Event('online'))")
        self.wait_transport("webrtc")

    def test_a_click_is_wanted_only_where_nothing_moves(self):
        refuse = """
          const { play } = HTMLMediaElement.prototype;
          globalThis.refused = 0;
          HTMLMediaElement.prototype.play = function () {
            if (this.className !== "direct") return play.call(this);
            refused += 1;
            return Promise.reject(new DOMException("a click, please", "NotAllowedError"));
          };"""
        self.open_door(more=refuse)
        self.wait("refused > 3", "the browser to be asked")
        self.wait_state("playing")
        button = PLAYER + ".shadowRoot.querySelector('button')"
        self.assertTrue(self.page.evaluate(f"{button}.hidden"))
        self.check_moves()
        self.page.evaluate(f"{PLAYER}.setAttribute('modes', 'webrtc')")
        self.wait(f"!{button}.hidden", "the button")
        self.assertEqual(self.page.evaluate(f"{PLAYER}.state"), "stalled")

    def test_key_frames_alone_are_waited_for(self):
        """Pictures seconds apart are all that this way takes: the others would fill it."""
        door = self.open_door(more=LATER, patient=False)
        self.wait_transport("webrtc")
        until(lambda: door.viewers == 0, "the subscription to rest")
        self.page.evaluate("direct.tellLink('keys-only')")
        self.page.evaluate("""
          direct.peers.at(-1).getSenders().forEach((sender) => sender.track?.stop()),
          RTCPeerConnection.prototype.getStats = async () => new Map([["t", { type: "transport", packetsReceived: Math.random() }]]);""")
        frames = [-1]
        until(lambda: frames.append(self.page.evaluate(f"{PLAYER}.stats.frames")) or frames[-1] == frames[-2], "no more pictures", poll_s=1)
        self.let_pass(12)
        self.assertEqual(self.page.evaluate(f"{PLAYER}.stats.transport"), "webrtc")
        self.assertEqual((door.viewers, door.joins), (0, 1))
        self.assertEqual(self.page.evaluate("direct.offers.length"), 1)
        self.page.evaluate("direct.tellLink('ok')")
        self.wait(f"{PLAYER}.stats.transport !== 'webrtc' && {PLAYER}.state === 'playing'", "others to show")

    def test_who_may_not_see_it_sees_nothing_of_before(self):
        door = self.open_door()
        self.wait_transport("webrtc")
        self.check_moves()
        self.front.tell_webrtc(False)
        self.page.evaluate("direct.answers = 'never'")
        door.say("error", code="denied", text="not this camera")
        self.wait(f"{FRAME}.dataset.surface === 'none'", "nothing")
        self.assertTrue(self.page.evaluate(WORDS))

    def test_webrtc_alone_of_what_the_server_makes_h264_of(self):
        self.open_door()
        door = self.front.add("door.h264")
        self.page.goto(self.front.url + "door.h264")
        self.page.evaluate(f"{PLAYER}.setAttribute('modes', 'webrtc')")
        self.wait_transport("webrtc")
        self.wait(f"{PLAYER}.stats.stream === 'door.h264'", "what it is")
        joins = door.joins
        self.check_moves()
        self.assertEqual((door.joins, door.viewers), (joins, 0))
        self.check_quiet()

    def test_webrtc_where_the_others_cannot(self):
        self.open_door()
        self.page.evaluate(f"{PLAYER}.setAttribute('modes', 'webrtc,mjpeg')")  # the camera sends H.264
        self.wait_transport("webrtc")
        self.check_moves()

    def test_thin_way_is_said(self):
        self.open_door()
        self.wait_transport("webrtc")
        note = "document.querySelector('camhub-player').shadowRoot.querySelector('.note').textContent"
        for state, words in (("thin", "slow connection"), ("keys-only", "slow connection"), ("ok", ""),
                             ("thin", "slow connection"), ("<b>", "slow connection")):
            self.page.evaluate(f"direct.tellLink('{state}')")
            self.wait(f"{note}.toLowerCase() === '{words}'", f"{state}: {words!r}")
        self.assertEqual(self.page.evaluate(f"{PLAYER}.stats.link"), "thin")  # what is not known is passed over
        self.page.evaluate("direct.peers.at(-1).close()")
        self.wait("direct.offers.length > 1", "another offer")
        self.wait_transport("webrtc")
        self.wait(f"{note} === ''", "a new session begins with all of it")

    def test_server_without_it(self):
        """It says nothing of WebRTC, until it has it after all."""
        self.prepare = OTHER_END
        self.open("door")
        self.wait_state("playing")
        self.page.evaluate(f"{PLAYER}.setAttribute('modes', 'webrtc')")
        self.wait_state("unsupported")
        self.assertIn("The server has no WebRTC", self.page.evaluate(WORDS))
        self.front.tell_webrtc(True)
        self.wait_transport("webrtc")

    def test_nothing_can(self):
        self.open_door("server")
        self.front.refuse_offers(422, "the camera sends B frames")
        for modes in ("webrtc", "webrtc,mjpeg"):
            self.page.evaluate(f"{PLAYER}.setAttribute('modes', '{modes}')")
            self.wait_state("unsupported")
            self.wait(f"/Cannot be shown here/.test({WORDS})")
        self.page.evaluate("direct.answers = 'media'")
        self.page.evaluate(f"{PLAYER}.setAttribute('modes', 'webrtc,mse')")
        self.wait_transport("webrtc")

    def test_browser_without_it(self):
        self.prepare = OTHER_END + "; delete window.RTCPeerConnection;"
        self.open("door")
        self.front.tell_webrtc(True)
        self.wait_state("playing")
        self.assertEqual(self.page.evaluate(f"{PLAYER}.stats.passedOver"), {"webrtc": "this browser has no WebRTC"})
        self.assertEqual(self.page.evaluate("direct.offers.length"), 0)


if __name__ == "__main__":
    web_rig.main()
