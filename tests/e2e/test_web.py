#!/usr/bin/python3 -B
"""The pages in a real browser, against a mock of the front that can be told to misbehave."""

import sys
import unittest

import browser
import mock_front
from wait import DEADLINE_S, until

PLAYER = "document.querySelector('camhub-player')"
VIDEO = PLAYER + ".shadowRoot.querySelector('video')"
FRAME = PLAYER + ".shadowRoot.querySelector('.frame')"
WORDS = PLAYER + ".shadowRoot.querySelector('.said').innerText"
STATUS = PLAYER + ".shadowRoot.querySelector('[role=status]').textContent"

# The sum of a coarse copy of what is to be seen: another picture has another sum. 0 when all is black.
PIXELS = """(() => {
  const root = %s.shadowRoot, small = document.createElement("canvas");
  const shown = root.querySelector(".frame").dataset.surface === "video" ? "video" : "canvas";
  small.width = 64; small.height = 36;
  const context = small.getContext("2d");
  context.drawImage(root.querySelector(shown), 0, 0, 64, 36);
  const data = context.getImageData(0, 0, 64, 36).data;
  let sum = 0, all = 0;
  for (let i = 0; i < data.length; i += 4) {
    const grey = data[i] + data[i + 1] + data[i + 2];
    all += grey;
    sum = (sum * 31 + grey) %% 1000000007;
  }
  return all > 0 ? sum : 0;
})()""" % PLAYER

TILES = """[...document.querySelectorAll("#tiles > li")].map((item) => {
  const { left, top, right, bottom } = item.getBoundingClientRect();
  return { left, top, right, bottom };
})"""


HIDE = ("Object.defineProperty(document, 'hidden', {{ value: {0}, configurable: true }}),"
        "document.dispatchEvent(new Event('visibilitychange'))")


class Web(unittest.TestCase):
    prepare = ""  # a script that runs before those of the page

    @classmethod
    def setUpClass(cls):
        cls.chromium = cls.enterClassContext(browser.Browser())

    def open(self, path="", cameras=("door",), width=640, height=360, patient=True, **phone):
        """A mock with these cameras under /cams/, and a page on it."""
        self.front = self.enterContext(mock_front.MockFront(list(cameras), prefix="/cams/", patient=patient))
        self.page = self.chromium.page(width, height, **phone)
        self.addCleanup(self.page.close)
        if self.prepare:
            self.page.call("Page.addScriptToEvaluateOnNewDocument", {"source": self.prepare})
        self.page.goto(self.front.url + path)
        return self.page

    def wait(self, expression, what=""):
        return self.page.wait_for(expression, DEADLINE_S, what)

    def wait_state(self, state):
        self.wait(f"{PLAYER}?.state === '{state}'", f"state {state}")

    def check_moves(self, frames=5):
        """More pictures are presented, and they are others."""
        before = self.page.evaluate(f"{PLAYER}.stats.frames")
        pixels = self.wait(PIXELS, "a picture that is not black")
        self.wait(f"{PLAYER}.stats.frames >= {before} + {frames} || {PLAYER}.stats.frames < {before}")
        self.wait(f"{PIXELS} !== {pixels}", "another picture")

    def send_garbage(self):
        """As a key frame, until there is a new connection for it: a player that is behind leaves frames out."""
        door = self.front.camera("door")
        until(lambda: door.joins > 1 or door.garbage(), "a new connection", poll_s=1)

    def check_quiet(self, *allowed):
        """No error on the console, no violation of the policy, but for those that a test provokes."""
        left = [text for text in self.page.errors if not any(word in text for word in allowed)]
        self.assertEqual(left, [])


class OneCamera(Web):
    """By WebCodecs, and what is the same by whatever way."""

    def test_picture_moves_and_is_of_now(self):
        self.open("door")
        self.wait_state("playing")
        self.check_moves()
        delay = self.wait(f"{PLAYER}.delay?.p50 < 1000 && {PLAYER}.delay")
        self.assertEqual(delay["basis"], "arrival")
        self.assertLessEqual(delay["p50"], delay["max"])
        self.assertEqual(self.page.evaluate(f"{PLAYER}.stats.transport"), "webcodecs")
        self.assertEqual(self.page.evaluate(STATUS), "Door: live")
        self.assertEqual(self.page.evaluate("document.title"), "Door")
        self.assertEqual(self.front.camera("door").joins, 1)
        self.check_quiet()

    def test_canvas_where_there_is_no_track_generator(self):
        self.prepare = "delete window.MediaStreamTrackGenerator"
        self.open("door")
        self.wait_state("playing")
        self.check_moves()
        self.assertEqual(self.page.evaluate(f"[{PLAYER}.stats.surface, {FRAME}.dataset.surface]"), ["canvas"] * 2)
        self.check_quiet()

    def test_join_shows_only_the_end_of_the_group(self):
        # What is drawn is written down: the times of the pictures, in us.
        self.prepare = """
          delete window.MediaStreamTrackGenerator;
          window.drawn = [];
          const { drawImage } = CanvasRenderingContext2D.prototype;
          CanvasRenderingContext2D.prototype.drawImage = function (what, ...rest) {
            if (what instanceof VideoFrame) drawn.push(what.timestamp);
            drawImage.call(this, what, ...rest);
          };"""
        self.open(cameras=())
        self.front.add("slow", mock_front.clip(gop=200, seconds=20))
        until(lambda: self.front.camera("slow").played > 25, "a group of pictures to join")
        self.page.goto(self.front.url + "slow")
        self.wait_state("playing")
        self.assertGreater(self.page.evaluate("drawn[0]"), 1.5e6)

    def test_connection_lost(self):
        self.open("door")
        self.wait_state("playing")
        self.page.evaluate(f"window.seen = []; {PLAYER}.addEventListener('stalled', () => seen.push('stalled')),"
                           f"{PLAYER}.addEventListener('playing', () => seen.push('playing'))")
        for joins in (2, 3):
            self.front.camera("door").drop()
            until(lambda joins=joins: self.front.camera("door").joins == joins, "the player to come back")
            self.wait_state("playing")
            self.check_moves()
        self.assertEqual(self.page.evaluate("seen.slice(0, 2)"), ["stalled", "playing"])
        self.check_quiet("WebSocket")

    def test_server_away_keeps_the_picture_and_says_so(self):
        self.open("door")
        self.wait_state("playing")
        self.front.refuse(True)
        self.front.camera("door").drop()
        self.wait_state("offline")
        self.assertIn("does not take the connection", self.page.evaluate(WORDS))
        self.assertTrue(self.page.evaluate(PIXELS), "the last picture is gone")
        self.assertTrue(self.page.evaluate(f"{FRAME}.hasAttribute('data-dim')"))
        self.front.refuse(False)
        self.wait_state("playing")
        self.check_moves()

    def test_camera_down_and_up_in_the_same_socket(self):
        self.open("door")
        self.wait_state("playing")
        door = self.front.camera("door")
        door.set_state("down", "no answer from the camera")
        self.wait_state("offline")
        self.assertRegex(self.page.evaluate(WORDS), r"^Offline since \d\d:\d\d\s+No answer from the camera$")
        self.assertRegex(self.page.evaluate(STATUS), r"^Door: Offline since \d\d:\d\d, No answer from the camera$")
        self.assertTrue(self.page.evaluate(PIXELS), "the last picture is gone")
        self.assertTrue(self.page.evaluate(f"{FRAME}.hasAttribute('data-dim')"))
        door.set_state("connecting")
        self.wait_state("connecting")
        door.set_state("up")
        self.wait_state("playing")
        self.check_moves()
        self.assertEqual(self.page.evaluate(WORDS), "")
        self.assertEqual(door.joins, 1, "the socket was given up")
        self.check_quiet()

    def test_camera_down_from_the_start(self):
        self.open()
        self.front.camera("door").set_state("refused", "the camera refuses the login")
        self.page.goto(self.front.url + "door")
        self.wait_state("offline")
        self.assertRegex(self.page.evaluate(WORDS), r"^Refused since \d\d:\d\d\s+The camera refuses the login$")
        self.front.camera("door").set_state("up")
        self.wait_state("playing")

    def test_frozen_picture_is_noticed(self):
        self.open("door", patient=False)
        self.wait_state("playing")
        self.front.camera("door").stall(True)
        self.wait_state("stalled")
        self.assertRegex(self.page.evaluate(WORDS), r"^Picture frozen since \d\d:\d\d")
        self.front.camera("door").stall(False)
        self.wait_state("playing")
        self.check_moves()

    def test_silent_connection_is_replaced(self):
        self.open("door", patient=False)
        self.wait_state("playing")
        self.front.camera("door").stall(True)
        until(lambda: self.front.camera("door").joins > 1, "the player to give the connection up")
        self.front.camera("door").stall(False)
        self.wait_state("playing")

    def test_change_of_size(self):
        self.open("door")
        self.wait_state("playing")
        door = self.front.camera("door")
        for size, profile, width in (("480x270", "high", 480), ("320x180", "baseline", 320)):
            door.play(mock_front.clip(size=size, profile=profile))
            self.wait(f"{VIDEO}.videoWidth === {width}", f"a picture {width} wide")
            self.check_moves()
        self.assertEqual(door.joins, 1, "the connection was given up")
        self.check_quiet()

    def test_garbage(self):
        self.open("door")
        self.wait_state("playing")
        self.send_garbage()
        self.wait_state("playing")
        self.check_moves()

    def test_messages_it_does_not_know(self):
        self.open("door")
        self.wait_state("playing")
        door = self.front.camera("door")
        for kind, more in (("state", {}), ("state", {"state": 7}), ("state", {"state": "<b>"}), ("new", {"value": [1]}),
                           ("state", {"state": "up", "since_ms": "x", "reason": 5}), ("config", {"form": "gif"}),
                           ("skipped", {"ms": "<i>"}), ("clock", {"t0": "x"}), ("clock", {"t0": 1, "t1_us": None})):
            door.say(kind, **more)
        self.check_moves()
        self.assertEqual(door.joins, 1)
        self.check_quiet()

    def test_skipped_is_said(self):
        self.open("door")
        self.wait_state("playing")
        notice = PLAYER + ".shadowRoot.querySelector('.notice')"
        self.front.camera("door").say("skipped", frames=25, ms=2500)
        self.wait(f"!{notice}.hidden")
        self.assertEqual(self.page.evaluate(f"{notice}.textContent"), "Slow connection: 2.5 s skipped")
        self.wait(f"{notice}.hidden", "the notice to go")

    def test_damage_is_said(self):
        self.open("door")
        self.wait_state("playing")
        note = PLAYER + ".shadowRoot.querySelector('.note').textContent"
        self.front.camera("door").damage(True)
        self.wait(f"{note} === 'Damaged on the way from the camera'")
        self.front.camera("door").damage(False)
        self.wait(f"{note} === ''")
        self.check_moves()

    def test_mjpeg(self):
        self.open(cameras=())
        camera = self.front.add("gate", mock_front.jpegs())
        self.page.goto(self.front.url + "gate")
        self.wait_state("playing")
        self.check_moves()
        self.assertEqual(self.page.evaluate(f"{PLAYER}.stats.transport"), "mjpeg")
        self.assertEqual(camera.asked[0]["forms"], ["unit", "jpeg"])
        self.assertEqual(self.page.evaluate(STATUS), "Gate: live, MJPEG")
        camera.drop()
        until(lambda: camera.joins > 1, "a new connection")
        self.wait_state("playing")
        joins = camera.joins
        camera.play(mock_front.clip())
        self.wait(f"{PLAYER}.state === 'playing' && {PLAYER}.stats.transport === 'webcodecs'")
        self.check_moves()
        self.assertEqual((camera.joins, self.page.evaluate(STATUS)), (joins, "Gate: live"))
        self.check_quiet("WebSocket")

    def test_browser_that_cannot_play_it(self):
        self.open(cameras=())
        strange = mock_front.clip()
        self.front.add("odd", mock_front.Clip(strange.frames, strange.init, "hvc1.1.6.L93.B0", strange.fps,
                                              strange.gop))
        self.page.goto(self.front.url + "odd")
        self.wait_state("unsupported")
        self.assertRegex(self.page.evaluate(WORDS), r"^Cannot be shown here\s+This browser cannot play H.265$")
        self.assertEqual([asked["forms"] for asked in self.front.camera("odd").asked[:3]],
                         [["unit", "jpeg"], ["fmp4", "jpeg"], ["jpeg"]])
        self.wait(PIXELS, "a picture that the server made")
        self.assertTrue(self.page.evaluate(f"{FRAME}.hasAttribute('data-dim')"))

    def test_browser_with_neither_webcodecs_nor_mse(self):
        self.prepare = "delete window.VideoDecoder; delete window.MediaSource; delete window.ManagedMediaSource"
        self.open(cameras=())
        self.front.add("gate", mock_front.jpegs())
        self.page.goto(self.front.url + "gate")
        self.wait_state("playing")
        self.check_moves()

    def test_no_such_camera(self):
        self.open("nobody")
        self.wait_state("offline")
        self.assertRegex(self.page.evaluate(WORDS), r"^No such camera\s+There is no camera “nobody” here$")
        self.front.add("nobody")
        self.wait_state("playing")

    def test_element_without_a_camera_connects_nowhere(self):
        self.open()
        self.wait("document.querySelector('camhub-player')?.state === 'playing'")
        self.page.evaluate("window.late = document.createElement('camhub-player'), document.body.prepend(late)")
        self.wait("late.state === 'paused'", "the element to know that it is seen")
        self.page.evaluate("late.setAttribute('label', 'Late'), late.hold = true, late.hold = false,"
                           "window.dispatchEvent(new Event('online'))")
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.assertEqual(self.front.camera("door").joins, 1)
        self.page.evaluate("late.setAttribute('camera', 'door')")
        self.wait("late.state === 'playing'")
        self.assertEqual((self.front.camera("door").joins, self.front.sockets), (2, 1))

    def test_hidden_page(self):
        self.open("door")
        self.wait_state("playing")
        self.page.evaluate(HIDE.format("true"))
        until(lambda: self.front.camera("door").viewers == 0, "the server to be told")
        self.wait_state("paused")
        self.page.evaluate(HIDE.format("false"))
        self.wait_state("playing")
        self.check_moves()
        self.assertEqual((self.front.camera("door").joins, self.front.sockets), (1, 1))
        self.check_quiet()

    def test_embedded(self):
        self.open()
        self.page.evaluate("document.body.innerHTML = '<iframe id=frame src=door></iframe>'")
        inside = "document.getElementById('frame').contentDocument"
        self.wait(f"{inside}.querySelector('camhub-player')?.state === 'playing'")
        self.assertTrue(self.page.evaluate(f"{inside}.querySelector('[data-do=wall]').hidden"))
        self.page.goto(self.front.url + "door")
        self.wait("document.querySelector('[data-do=wall]')?.hidden === false")
        self.assertEqual(self.page.evaluate("document.querySelector('[data-do=wall]').href"), self.front.url)

    def test_escape_leads_to_the_wall(self):
        self.open("door")
        self.wait_state("playing")
        self.page.key("Escape")
        self.wait("location.pathname === '/cams/'")

    def test_delay_by_another_clock(self):
        self.open()
        self.front.skew_ms = -7 * 86400000
        self.page.goto(self.front.url + "door")
        self.wait_state("playing")
        self.wait(f"{PLAYER}.delay?.max < 10000 && {PLAYER}.delay.uncertaintyMs < 5000", "a delay by this clock")
        # The camera's own clock only for those who ask, and where it has one.
        self.front.camera("door").captured_ms = -60000
        self.page.evaluate(f"{PLAYER}.setAttribute('delay-basis', 'capture')")
        delay = self.wait(f"{PLAYER}.delay?.basis === 'capture' && {PLAYER}.delay")
        self.assertGreaterEqual(delay["ms"], 60000)
        self.front.camera("door").captured_ms = 0
        self.wait(f"{PLAYER}.delay?.basis === 'arrival'")

    def test_delay_is_shown_told_and_reported(self):
        self.open("door")
        self.wait_state("playing")
        corner = PLAYER + ".shadowRoot.querySelector('.delay')"
        self.assertTrue(self.page.evaluate(f"{corner}.hidden"))
        self.page.evaluate(f"window.told = [], {PLAYER}.addEventListener('delay', (event) => told.push(event.detail)),"
                           f"{PLAYER}.toggleAttribute('show-delay')")
        self.wait("told.length > 1")
        self.assertEqual(self.page.evaluate("Object.keys(told[0]).sort().join()"), "basis,max,ms,p50,p95,uncertaintyMs")
        self.assertRegex(self.wait(f"!{corner}.hidden && {corner}.textContent"), r"^\d+ ms$|^\d\.\d s$")
        until(lambda: self.front.reports, "a report")
        report = self.front.reports[0]
        self.assertEqual((report["transport"], len(report["buckets"])), ("webcodecs", 14))
        self.assertGreater(report["shown"], 0)
        self.assertLessEqual(sum(report["buckets"]), report["shown"])
        self.assertEqual(report["delay_ms"], sorted(report["delay_ms"]))
        self.front.camera("door").set_state("down", "no answer")
        self.wait_state("offline")
        self.assertIsNone(self.page.evaluate(f"{PLAYER}.delay"))
        self.assertTrue(self.page.evaluate(f"{corner}.hidden"), "an old delay stands there")
        self.page.evaluate(f"{PLAYER}.toggleAttribute('show-delay')")

    def test_snapshot(self):
        self.open("nobody")
        self.wait_state("offline")
        self.assertIsNone(self.page.evaluate(f"{PLAYER}.snapshot()"))
        for source, path in ((mock_front.clip(), "film"), (mock_front.jpegs(), "stills")):
            self.front.add(path, source)
            self.page.goto(self.front.url + path)
            self.wait_state("playing")
            got = self.page.evaluate(f"""(async () => {{
              const file = await {PLAYER}.snapshot(), picture = await createImageBitmap(file);
              return [file.type, picture.width, picture.height];
            }})()""")
            self.assertEqual(got, ["image/jpeg", 320, 180])

    def test_decoder_that_gives_up(self):
        # It breaks at once, each time: three tries, then another way, and the tile says which.
        self.prepare = """VideoDecoder.prototype.decode = function () {
          throw new Error("out of order");
        };"""
        self.open("door")
        self.wait(f"{PLAYER}.state === 'playing' && {PLAYER}.stats.transport === 'mse'")
        self.check_moves()
        door = self.front.camera("door")
        self.assertEqual([asked["forms"][0] for asked in door.asked], ["unit"] * 3 + ["fmp4"])
        self.assertEqual(self.page.evaluate(STATUS), "Door: live, MSE: out of order")
        self.assertEqual(self.page.evaluate(f"{PLAYER}.stats.passedOver"), {"webcodecs": "out of order"})

    def test_no_copy_where_the_browser_plays_h265_otherwise(self):
        # By WebCodecs it has no H.265, by MSE it says that it has: the server need not make H.264 of it.
        self.prepare = """
          const { isConfigSupported } = VideoDecoder, { isTypeSupported } = MediaSource;
          VideoDecoder.isConfigSupported = async (config) =>
            /^hvc1/.test(config.codec) ? { supported: false } : isConfigSupported.call(VideoDecoder, config);
          MediaSource.isTypeSupported = (mime) => /hvc1/.test(mime) || isTypeSupported.call(MediaSource, mime);"""
        self.open(cameras=())
        camera = self.front.add("door.h264")
        self.page.goto(self.front.url + "door.h264")
        self.wait(f"{PLAYER}.state === 'playing' && {PLAYER}.stats.transport === 'mse'")
        self.assertEqual([asked["forms"][0] for asked in camera.asked], ["unit", "fmp4"])
        self.assertIn("hvc1", camera.asked[1]["codecs"])

    def test_quality_by_its_own_width(self):
        self.open(width=640)
        self.front.add("door.sub", mock_front.clip(size="160x90"), sub_of="door")
        main, sub = self.front.camera("door"), self.front.camera("door.sub")
        self.page.goto(self.front.url + "door")
        self.wait_state("playing")
        self.assertEqual((main.viewers, sub.viewers), (1, 0))
        self.page.evaluate(f"{PLAYER}.setAttribute('quality', 'auto')")
        self.wait(f"{VIDEO}.videoWidth === 160")
        self.page.emulate(1280, 720)
        self.wait(f"{VIDEO}.videoWidth === 320")
        self.page.emulate(900, 720)  # smaller, but not by enough to switch
        self.check_moves()
        self.assertEqual(sub.viewers, 0)
        self.page.evaluate(f"{PLAYER}.setAttribute('quality', 'sub')")
        self.wait(f"{VIDEO}.videoWidth === 160")
        self.check_moves()
        self.assertEqual(self.front.sockets, 2)  # one for each page
        self.check_quiet()

    def test_server_away_for_long_while_paused(self):
        self.open("door")
        self.wait_state("playing")
        self.page.evaluate(HIDE.format("true"))
        until(lambda: self.front.camera("door").viewers == 0, "the server to be told")
        joins = self.front.camera("door").joins
        self.front.camera("door").drop()
        until(lambda: self.front.sockets == 2, "a new connection")
        self.assertEqual(self.front.camera("door").joins, joins, "it asked for pictures that nobody sees")
        self.page.evaluate(HIDE.format("false"))
        self.wait_state("playing")
        self.check_moves()

    def test_element_leaves_nothing(self):
        self.open("door")
        self.wait_state("playing")
        self.page.evaluate(f"{PLAYER}.remove()")
        until(lambda: self.front.camera("door").viewers == 0, "the socket to be closed")
        self.check_quiet()


class OneCameraByMse(Web):
    prepare = "delete window.VideoDecoder"

    def test_picture_moves_and_stays_at_the_edge(self):
        self.open("door")
        self.wait_state("playing")
        self.check_moves()
        at = self.page.evaluate(f"{VIDEO}.currentTime")
        self.wait(f"{VIDEO}.currentTime > {at} + 3")
        self.wait(f"{VIDEO}.buffered.end({VIDEO}.buffered.length - 1) - {VIDEO}.currentTime < 1", "the edge")

        # And of what the server sent, which no buffer of the browser can flatter. The mock's time is taken first.
        def behind():
            sent = self.front.camera("door").ticks / mock_front.TIMESCALE
            return sent - self.page.evaluate(f"{VIDEO}.currentTime")

        until(lambda: behind() < 1, "the edge of what was sent")
        self.wait(f"{PLAYER}.delay?.p50 < 1500", "a delay as short")
        self.assertEqual(self.page.evaluate(f"{PLAYER}.stats.transport"), "mse")
        self.assertEqual(self.page.evaluate(f"{PLAYER}.stats.passedOver"), {"webcodecs": "this browser has no WebCodecs"})
        self.assertEqual(self.page.evaluate(STATUS), "Door: live")
        self.assertEqual(self.front.camera("door").joins, 1)
        self.check_quiet()

    def test_join_shows_the_end_of_the_group(self):
        # Where the player was when it said that pictures move.
        self.prepare += """;
          addEventListener("playing", (event) => {
            window.first ??= event.target.shadowRoot?.querySelector("video").currentTime;
          }, true);"""
        self.open(cameras=())
        self.front.add("slow", mock_front.clip(gop=200, seconds=20))
        until(lambda: self.front.camera("slow").played > 25, "a group of pictures to join")
        self.page.goto(self.front.url + "slow")
        self.wait_state("playing")
        self.assertGreater(self.page.evaluate("first"), 1.5)

    def test_buffer_is_trimmed(self):
        self.open("door")
        self.wait(f"{VIDEO}?.buffered.length && {VIDEO}.buffered.start(0) > 3", "the beginning to be forgotten")
        self.check_moves()
        self.assertLess(self.page.evaluate(f"{PLAYER}.stats.heldMs"), 8000)
        self.assertEqual(self.front.camera("door").joins, 1)

    def test_change_of_size(self):
        self.open("door")
        self.wait_state("playing")
        door = self.front.camera("door")
        for size, profile, width in (("480x270", "high", 480), ("320x180", "baseline", 320)):
            door.play(mock_front.clip(size=size, profile=profile))
            self.wait(f"{VIDEO}.videoWidth === {width}", f"a picture {width} wide")
            self.check_moves()
        self.assertEqual(door.joins, 1, "the connection was given up")
        self.check_quiet()

    def test_garbage(self):
        self.open("door")
        self.wait_state("playing")
        self.send_garbage()
        self.wait_state("playing")
        self.check_moves()

    def test_target_of_the_server(self):
        self.open(cameras=())
        self.front.add("door")
        for answer, target in (({"live_target_ms": 900}, 900), ({"live_target_ms": "x"}, 40), (None, 40)):
            self.front.answer_api(answer)
            joins = self.front.camera("door").joins
            self.page.goto(self.front.url + "door")
            self.wait_state("playing")
            self.wait("performance.getEntriesByType('resource').some((one) => one.name.endsWith('/api')"
                      " && one.responseEnd > 0)", "the server to be asked")
            if target == 900:
                self.wait(f"{PLAYER}.stats.targetMs === 900")
            else:
                self.assertLess(self.page.evaluate(f"{PLAYER}.stats.targetMs"), 900)
                self.assertIsNone(self.page.evaluate(f"{PLAYER}.getAttribute('target-ms')"))
            self.assertEqual(self.front.camera("door").joins, joins + 1, "it cost a connection")

    def test_target_changes_while_it_plays(self):
        self.open("door")
        self.wait_state("playing")
        self.page.evaluate(f"{PLAYER}.setAttribute('target-ms', '1500')")
        self.wait(f"{PLAYER}.stats.targetMs === 1500 && {PLAYER}.stats.lagMs > 1000", "it to fall behind as told")
        self.page.evaluate(f"{PLAYER}.setAttribute('target-ms', '40')")
        self.wait(f"{PLAYER}.stats.lagMs < 800", "it to catch up")
        self.assertEqual(self.front.camera("door").joins, 1)

    def test_hidden_page(self):
        self.open("door")
        self.wait_state("playing")
        self.page.evaluate(HIDE.format("true"))
        until(lambda: self.front.camera("door").viewers == 0, "the server to be told")
        self.page.evaluate(f"{VIDEO}.pause()")  # what browsers do to a muted video nobody sees
        self.page.evaluate(HIDE.format("false"))
        self.check_moves()
        self.wait(f"{VIDEO}.buffered.end({VIDEO}.buffered.length - 1) - {VIDEO}.currentTime < 1", "the edge")
        self.assertEqual(self.front.camera("door").joins, 1)
        self.check_quiet()


class Wall(Web):
    def wait_all(self, count):
        self.wait("(() => { const all = [...document.querySelectorAll('camhub-player')];"
                  f" return all.length === {count} && all.every((one) => one.state === 'playing'); }})()",
                  f"{count} pictures")

    def poll(self):
        """Makes the wall ask for the list now; in life it does so each 5 s, and when the network is back."""
        self.page.evaluate("void window.dispatchEvent(new Event('online'))")

    def check_tiles(self, count, width, height):
        tiles = self.page.evaluate(TILES)
        self.assertEqual(len(tiles), count)
        for tile in tiles:
            self.assertGreaterEqual(tile["left"], 0)
            self.assertGreaterEqual(tile["top"], 0)
            self.assertLessEqual(tile["right"], width)
            self.assertLessEqual(tile["bottom"], height)
            self.assertAlmostEqual((tile["right"] - tile["left"]) / (tile["bottom"] - tile["top"]), 16 / 9, delta=0.05)
        for i, one in enumerate(tiles):
            for two in tiles[:i]:
                apart = (one["left"] >= two["right"] or two["left"] >= one["right"] or
                         one["top"] >= two["bottom"] or two["top"] >= one["bottom"])
                self.assertTrue(apart, f"{one} lies on {two}")
        self.assertFalse(self.page.evaluate(
            "document.documentElement.scrollHeight > innerHeight || document.documentElement.scrollWidth > innerWidth"))

    def test_tiles_fit(self):
        self.open(cameras=["camera1"], width=1280, height=720)
        for count in (1, 4, 9, 16):
            for number in range(self.page.evaluate("document.querySelectorAll('#tiles > li').length") or 1, count):
                self.front.add(f"camera{number + 1}")
            self.poll()
            self.wait_all(count)
            self.check_tiles(count, 1280, 720)
        self.check_quiet()

    def test_tile_of_a_failing_camera_stays(self):
        self.open(cameras=["a", "b", "c", "d"], width=1280, height=720)
        self.wait_all(4)
        before = self.page.evaluate(TILES)
        self.front.camera("b").set_state("down", "a reason so long that it would need more room than there is " * 5)
        second = "document.querySelectorAll('camhub-player')[1]"
        self.wait(f"{second}.state === 'offline'")
        self.assertEqual(self.page.evaluate(TILES), before)
        self.wait("document.querySelectorAll('#tiles a')[1].getAttribute('aria-label').startsWith('B: Offline since')")
        self.assertEqual(self.page.evaluate("document.querySelectorAll('#tiles a')[0].getAttribute('aria-label')"),
                         "A: live")

    def test_cameras_come_and_go(self):
        self.open(cameras=["a"], width=1280, height=720)
        self.wait_all(1)
        self.front.add("b")
        self.wait_all(2)  # by itself
        self.assertEqual(self.front.camera("a").joins, 1, "the first tile began anew")
        self.front.remove("a")
        # Once missing is not gone: a server that has just started may not know all cameras yet.
        self.poll()
        self.wait("document.querySelector('camhub-player').state === 'offline'")
        self.poll()
        self.wait_all(1)
        self.assertEqual(self.front.camera("b").joins, 1, "the other tile began anew")

    def test_target_of_the_server(self):
        self.prepare = "delete window.VideoDecoder"
        self.open()
        self.front.answer_api({"live_target_ms": 900})
        self.page.goto(self.front.url + "?")
        self.wait_all(1)
        self.wait(f"{PLAYER}.stats.targetMs === 900")
        self.front.add("b")
        self.poll()
        self.wait("[...document.querySelectorAll('camhub-player')].map((one) => one.stats.targetMs).join()"
                  " === '900,900'")
        self.assertEqual(self.page.evaluate("new Set([...document.querySelectorAll('camhub-player')]"
                                            ".map((one) => one.stats.connections)).size"), 1)

    def test_address_that_is_no_name(self):
        self.open("#50%", cameras=["a"])
        self.wait_all(1)
        self.poll()
        self.page.evaluate("location.hash = '%'")
        self.page.evaluate("location.hash = 'a'")
        self.wait("document.querySelector('.tile.open')?.dataset.camera === 'a'")
        self.check_quiet()

    def test_server_away(self):
        self.open(cameras=["a", "b"])
        self.wait_all(2)
        self.front.answer_streams(False)
        self.poll()
        self.wait("!document.getElementById('notice').hidden")
        self.assertEqual(self.page.evaluate("document.querySelectorAll('#tiles > li').length"), 2)
        self.front.answer_streams(True)
        self.poll()
        self.wait("document.getElementById('notice').hidden")

    def test_keyboard(self):
        self.open(cameras=["a", "b", "c", "d"], width=1280, height=720)
        self.wait_all(4)
        focused = "document.activeElement?.dataset.camera"
        for key, name in (("Tab", "a"), ("ArrowRight", "b"), ("ArrowDown", "d"), ("ArrowLeft", "c"), ("ArrowUp", "a"),
                          ("End", "d"), ("Home", "a"), ("ArrowLeft", "a"), ("ArrowRight", "b")):
            self.page.key(key)
            self.assertEqual(self.page.evaluate(focused), name, key)
        self.assertEqual(self.page.evaluate("document.querySelectorAll('#tiles a[tabindex=\"0\"]').length"), 1)
        self.page.key("Enter")
        self.wait("document.querySelector('.tile.open')?.dataset.camera === 'b'")
        size = self.page.evaluate("[document.querySelector('.tile.open').clientWidth, location.hash]")
        self.assertEqual(size, [1280, "#b"])
        until(lambda: self.front.camera("d").viewers == 0, "the others to be let go")
        self.assertEqual(self.front.camera("a").viewers, 1, "a neighbour was let go")
        self.assertEqual(self.front.camera("b").joins, 1, "opening cost a connection")
        self.page.key("Escape")
        self.wait("!document.querySelector('.tile.open') && location.hash === ''")
        self.assertEqual(self.page.evaluate(focused), "b")
        self.wait_all(4)
        self.page.key("f")
        self.wait("document.fullscreenElement !== null", "full screen")
        self.page.key("f")
        self.wait("document.fullscreenElement === null")
        self.check_quiet()

    def test_click_opens_and_back_closes(self):
        self.open(cameras=["a", "b"], width=1280, height=720)
        self.wait_all(2)
        tile = self.page.evaluate(TILES)[1]
        self.page.click((tile["left"] + tile["right"]) / 2, (tile["top"] + tile["bottom"]) / 2)
        self.wait("document.querySelector('.tile.open')?.dataset.camera === 'b'")
        self.page.evaluate("history.back()")
        self.wait("!document.querySelector('.tile.open')")
        self.assertEqual(self.page.evaluate("document.querySelector('#tiles a').href"), self.front.url + "a")
        self.page.goto(self.front.url + "#b")
        self.wait("document.querySelector('.tile.open')?.dataset.camera === 'b'")
        self.page.key("Escape")
        self.wait("!document.querySelector('.tile.open')")
        self.assertEqual(self.page.evaluate("location.pathname"), "/cams/")

    def test_small_stream_for_small_tiles(self):
        self.open(width=1280, height=720)
        self.front.add("door.sub", sub_of="door")
        self.front.add("yard")
        self.poll()
        self.wait_all(2)
        main, sub = self.front.camera("door"), self.front.camera("door.sub")
        until(lambda: (main.viewers, sub.viewers) == (0, 1), "the small stream")
        self.page.evaluate("window.seen = new Set(), document.querySelector('camhub-player')"
                           ".addEventListener('statechange', (event) => seen.add(event.detail.state))")
        self.page.evaluate("location.hash = 'door'")
        until(lambda: (main.viewers, sub.viewers) == (1, 0), "the large stream")
        self.check_moves()
        self.page.evaluate("location.hash = ''")
        until(lambda: (main.viewers, sub.viewers) == (0, 1), "the small stream")
        self.check_moves()
        self.assertEqual(self.page.evaluate("[...seen]"), [], "the picture did not go on")
        self.assertEqual(self.front.sockets, 1)

    def test_chosen_cameras_and_columns(self):
        self.open("?cameras=c,a&cols=1", cameras=["a", "b", "c"], width=1280, height=720)
        self.wait("document.querySelectorAll('#tiles > li').length === 2")
        self.assertEqual(self.page.evaluate("[...document.querySelectorAll('#tiles a')].map((a) => a.dataset.camera)"),
                         ["c", "a"])
        tiles = self.page.evaluate(TILES)
        self.assertEqual(tiles[0]["left"], tiles[1]["left"])
        self.page.goto(self.front.url + "?cameras=nope")
        self.wait("!document.getElementById('unknown').hidden")
        self.assertIn("nope", self.page.evaluate("document.getElementById('unknown').innerText"))

    def test_no_cameras(self):
        self.open(cameras=())
        self.wait("!document.getElementById('empty').hidden")
        self.assertIn("camctl reload", self.page.evaluate("document.getElementById('empty').innerText"))
        self.front.add("door")
        self.poll()
        self.wait_all(1)
        self.assertTrue(self.page.evaluate("document.getElementById('empty').hidden"))

    def test_phone(self):
        self.open(cameras=["a", "b", "c", "d", "e"], width=390, height=844, mobile=True, scale=3)
        self.wait("document.querySelectorAll('#tiles > li').length === 5")
        tiles = self.page.evaluate(TILES)
        self.assertEqual(len({tile["left"] for tile in tiles}), 1, "more than one column")
        self.assertGreater(tiles[0]["right"] - tiles[0]["left"], 370)
        self.assertEqual(self.page.evaluate("document.documentElement.scrollWidth"), 390)
        self.assertGreater(self.page.evaluate("document.documentElement.scrollHeight"), 844)
        self.page.evaluate("scrollTo(0, 10000)")
        self.wait("[...document.querySelectorAll('camhub-player')].at(-1).state === 'playing'")
        self.check_quiet()

    def test_tiles_scrolled_away_cost_nothing(self):
        self.open(cameras=[f"c{number}" for number in range(12)], width=390, height=844, mobile=True)
        self.wait("document.querySelector('camhub-player')?.state === 'playing'")
        self.assertEqual(self.front.camera("c11").joins, 0)
        self.page.evaluate("scrollTo(0, 100000)")
        until(lambda: self.front.camera("c11").viewers == 1, "the last to be asked for")
        until(lambda: self.front.camera("c0").viewers == 0, "the first to be let go")
        self.page.evaluate("scrollTo(0, 0)")
        self.wait("document.querySelector('camhub-player').state === 'playing'")


if __name__ == "__main__":
    reason = browser.missing() or mock_front.missing()
    if reason:
        print("skipped:", reason)
        sys.exit(77)
    unittest.main(verbosity=2)
