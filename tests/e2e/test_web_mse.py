#!/usr/bin/python3 -B
"""The page of one camera by MSE: the live edge, the buffer, and what is another thing there than by WebCodecs."""

import clips
import web_rig
from wait import until
from web_rig import HIDE, PLAYER, STATUS, VIDEO


class OneCameraByMse(web_rig.Web):
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
            sent = self.front.camera("door").ticks / clips.TIMESCALE
            return sent - self.page.evaluate(f"{VIDEO}.currentTime")

        until(lambda: behind() < 1, "the edge of what was sent")
        self.wait(f"{PLAYER}.delay?.p50 < 1500", "a delay as short")
        self.assertEqual(self.page.evaluate(f"{PLAYER}.stats.transport"), "mse")
        self.assertEqual(self.page.evaluate(f"{PLAYER}.stats.passedOver"), {"webcodecs": "this browser has no WebCodecs"})
        self.wait(f"{STATUS} === 'Door: live'", "its title")
        self.assertEqual(self.front.camera("door").joins, 1)
        self.check_quiet()

    def test_join_shows_the_end_of_the_group(self):
        # Where the player was when it said that pictures move.
        self.prepare += """;
          addEventListener("playing", (event) => {
            window.first ??= event.target.shadowRoot?.querySelector("video").currentTime;
          }, true);"""
        self.open(None, cameras=())
        self.front.add("slow", clips.clip(gop=200, seconds=20))
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

    def test_target_of_the_server(self):
        self.prepare += """;
          const own = fetch;
          window.answered = 0;
          window.fetch = (what, ...how) => own(what, ...how).finally(() => {
            answered += String(what).endsWith("/api");
          });"""
        self.open(None, cameras=())
        self.front.add("door")
        for answer, target in (({"live_target_ms": 900}, 900), ({"live_target_ms": "x"}, 40), (None, 40)):
            self.front.answer_api(answer)
            joins = self.front.camera("door").joins
            self.page.goto(self.front.url + "door")
            self.wait_state("playing")
            self.wait("answered > 0", "the server to answer")
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


if __name__ == "__main__":
    web_rig.main()
