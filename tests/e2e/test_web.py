#!/usr/bin/python3 -B
"""The page of one camera, whose pictures come by WebCodecs, and what is the same by whatever way."""

import clips
import web_rig
from wait import until
from web_rig import FRAME, HIDE, PIXELS, PLAYER, STATUS, VIDEO, WORDS


class OneCamera(web_rig.Web):
    """By WebCodecs, and what is the same by whatever way."""

    def test_picture_moves_and_is_of_now(self):
        self.open("door")
        self.wait_state("playing")
        self.check_moves()
        delay = self.wait(f"{PLAYER}.delay?.p50 < 1000 && {PLAYER}.delay")
        self.assertEqual(delay["basis"], "arrival")
        self.assertLessEqual(delay["p50"], delay["max"])
        self.assertEqual(self.page.evaluate(f"{PLAYER}.stats.transport"), "webcodecs")
        self.wait(f"{STATUS} === 'Door: live' && document.title === 'Door'", "its title")
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
        self.open(None, cameras=())
        self.front.add("slow", clips.clip(gop=200, seconds=20))
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
        self.wait(f"/does not take the connection/.test({WORDS})", "the reason")
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
        self.open(None)
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

    def test_old_picture_never_stands_without_words(self):
        self.open("door", patient=False)
        self.wait_state("playing")
        door = self.front.camera("door")
        door.stall(True, forget=True)
        until(lambda: door.joins > 1, "the player to give the connection up")
        self.assertEqual(self.page.evaluate(WORDS).split("\n")[0], "Waiting for a new picture")
        self.assertIn("No data comes from the server", self.page.evaluate(WORDS))
        self.assertTrue(self.page.evaluate(f"{FRAME}.hasAttribute('data-dim')"))
        door.stall(False)
        self.wait_state("playing")
        self.assertEqual(self.page.evaluate(WORDS), "")
        self.assertFalse(self.page.evaluate(f"{FRAME}.hasAttribute('data-dim')"))

    def test_change_of_size(self):
        self.open("door")
        self.wait_state("playing")
        door = self.front.camera("door")
        for size, profile, width in (("480x270", "high", 480), ("320x180", "baseline", 320)):
            door.play(clips.clip(size=size, profile=profile))
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
        self.wait(f"{notice}.textContent === 'Slow connection: 2.5 s skipped'")
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
        self.open(None, cameras=())
        camera = self.front.add("gate", clips.jpegs())
        self.page.goto(self.front.url + "gate")
        self.wait_state("playing")
        self.check_moves()
        self.assertEqual(self.page.evaluate(f"{PLAYER}.stats.transport"), "mjpeg")
        self.assertEqual(camera.asked[0]["forms"], ["unit", "jpeg"])
        self.wait(f"{STATUS} === 'Gate: live, MJPEG'", "its title")
        camera.drop()
        until(lambda: camera.joins > 1, "a new connection")
        self.wait_state("playing")
        joins = camera.joins
        camera.play(clips.clip())
        self.wait(f"{PLAYER}.state === 'playing' && {PLAYER}.stats.transport === 'webcodecs'")
        self.check_moves()
        self.assertEqual((camera.joins, self.page.evaluate(STATUS)), (joins, "Gate: live"))
        self.check_quiet("WebSocket")

    def test_browser_that_cannot_play_it(self):
        self.open(None, cameras=())
        strange = clips.clip()
        self.front.add("odd", clips.Clip(strange.frames, strange.init, "hvc1.1.6.L93.B0", strange.fps,
                                         strange.gop))
        self.page.goto(self.front.url + "odd")
        self.wait_state("unsupported")
        self.assertRegex(self.page.evaluate(WORDS), r"^Cannot be shown here\s+This browser cannot play H.265$")
        # Then what WebRTC stands on alone, until that cannot be had either; and after a pause all of it again.
        rungs = [["unit", "jpeg"], ["fmp4", "jpeg"], ["jpeg"], ["fmp4"]]
        asked = self.front.camera("odd").asked
        until(lambda: len(asked) >= 2 * len(rungs), "another try")
        self.assertEqual([one["forms"] for one in asked[:2 * len(rungs)]], rungs * 2)
        self.wait(PIXELS, "a picture that the server made")
        self.assertTrue(self.page.evaluate(f"{FRAME}.hasAttribute('data-dim')"))

    def test_browser_with_neither_webcodecs_nor_mse(self):
        self.prepare = "delete window.VideoDecoder; delete window.MediaSource; delete window.ManagedMediaSource"
        self.open(None, cameras=())
        self.front.add("gate", clips.jpegs())
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
        self.open(None)
        self.front.skew_ms = -7 * 86400000
        self.page.goto(self.front.url + "door")
        self.wait_state("playing")
        self.wait(f"{PLAYER}.delay?.max < 10000 && {PLAYER}.delay.uncertaintyMs < 5000", "a delay by this clock")
        # The camera's own clock only for those who ask, and where it has one.
        self.front.camera("door").captured_ms = -60000
        self.page.evaluate(f"{PLAYER}.setAttribute('delay-basis', 'capture')")
        delay = self.wait(f"{PLAYER}.delay?.basis === 'capture' && {PLAYER}.delay")
        self.assertGreaterEqual(delay["ms"] + delay["uncertaintyMs"], 60000)
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
        for source, path in ((clips.clip(), "film"), (clips.jpegs(), "stills")):
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
        self.open(None, cameras=())
        camera = self.front.add("door.h264")
        self.page.goto(self.front.url + "door.h264")
        self.wait(f"{PLAYER}.state === 'playing' && {PLAYER}.stats.transport === 'mse'")
        self.assertEqual([asked["forms"][0] for asked in camera.asked], ["unit", "fmp4"])
        self.assertIn("hvc1", camera.asked[1]["codecs"])

    def test_quality_by_its_own_width(self):
        self.open(None, width=640)
        self.front.add("door.sub", clips.clip(size="160x90"), sub_of="door")
        main, sub = self.front.camera("door"), self.front.camera("door.sub")
        self.page.goto(self.front.url + "door")
        self.wait_state("playing")
        until(lambda: (main.viewers, sub.viewers) == (1, 0), "pictures of the large stream alone")
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
        self.assertEqual(self.front.sockets, 1)
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


if __name__ == "__main__":
    web_rig.main()
