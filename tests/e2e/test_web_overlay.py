#!/usr/bin/python3 -B
"""What programs found, drawn over the pictures: on which frame, where, how crisp, and never as anything but text. In
a real browser, against a mock of the front."""

import collections

import web_rig
from web_rig import PLAYER

FPS = 10  # of the mock's clip
BOXES = PLAYER + ".shadowRoot.querySelector('.boxes')"

# All that is drawn on the canvas of the boxes, and for each frame on the screen (by the video's own time) what stands
# on it right after. Not for those that a player shows while it jumps: it says of none of these which one they are.
WATCH = """
window.drawn = { texts: [], rects: [] };
window.pairs = [];
const proto = CanvasRenderingContext2D.prototype;
const ours = (context) => context.canvas.className === "boxes";
const { fillText, strokeRect, clearRect, setLineDash } = proto;
proto.setLineDash = function (dashes) {
  if (ours(this)) window.drawn.dashed = dashes.length > 0;
  return setLineDash.call(this, dashes);
};
proto.clearRect = function (...area) {
  if (ours(this)) window.drawn = { texts: [], rects: [] };
  return clearRect.apply(this, area);
};
proto.fillText = function (text, ...more) {
  if (ours(this)) (window.drawn.texts.push(text), window.lines = [...(window.drawn.texts.length > 1 ? window.lines : []), more[1]]);
  return fillText.call(this, text, ...more);
};
proto.strokeRect = function (...rect) {
  if (ours(this)) window.drawn.rects.push(rect);
  return strokeRect.apply(this, rect);
};
window.watchFrames = () => {
  const root = document.querySelector("camhub-player").shadowRoot;
  const video = root.querySelector("video");
  let looks = 0;
  const look = (now, { mediaTime }) => {
    const mine = ++looks;
    video.requestVideoFrameCallback(look);
    if (video.seeking)
      return;
    setTimeout(() => {
      if (mine !== looks)
        return; // the next one is there already
      const blank = root.querySelector(".boxes").width === 1;
      window.pairs.push([Math.round(mediaTime * %d) + 1, blank ? null : window.drawn.texts[0] ?? null]);
    });
  };
  video.requestVideoFrameCallback(look);
};
""" % FPS

BOX = [0.25, 0.25, 0.5, 0.5]


class Overlay(web_rig.Web):
    prepare = WATCH

    def analyse(self, delay=0, **more):
        """Results of frames that are `delay` frames old, labelled with their number."""
        past = collections.deque(maxlen=delay + 1)
        seen_by = [None]
        self.found = 0
        self.arrived_us = {}  # by the frame's number

        def found(viewer, seq, arrived_us):
            self.found += 1
            if seen_by[0] is not viewer:  # it has numbers of its own
                past.clear()
                seen_by[0] = viewer
            self.arrived_us[seq] = arrived_us
            past.append((seq, arrived_us))
            if len(past) > delay:
                viewer.result(*past[0], {"box": BOX, "label": str(past[0][0]), **more})
        self.front.camera("door").analyse = found

    def watch(self, modes, delay=0, attributes=""):
        self.open("door")
        self.analyse(delay)
        self.page.evaluate(f"{PLAYER}.setAttribute('modes', '{modes}')")
        if attributes:
            self.page.evaluate(f"{PLAYER}.setAttribute(...{attributes})")
        self.wait_state("playing")
        self.page.evaluate("watchFrames()")

    def pairs(self, n=20):
        """(frame on the screen, label on it) of so many frames."""
        self.page.evaluate("void (window.pairs.length = 0)")
        self.wait(f"window.pairs.length >= {n}")
        return self.page.evaluate("window.pairs")

    def check_age(self, late_ms):
        """How much older the frame of a label is than that on the screen: it may come so late, and stay as long. In
        the frames' own time: a machine that is slow sends and shows them in bursts."""
        pairs = self.pairs()
        for seq, label in pairs:
            if label is not None:
                self.assertGreaterEqual(seq, int(label), "of a frame that is not there yet")
                age_ms = (self.arrived_us[seq] - self.arrived_us[int(label)]) / 1000
                self.assertLessEqual(age_ms, 2 * late_ms)
        return pairs

    def check_on_its_frame(self, modes):
        self.watch(modes)
        self.wait("window.pairs.some(([, label]) => label !== null)", "a box")
        pairs = self.pairs()
        own = [seq - int(label) for seq, label in pairs if label is not None]
        self.assertEqual(own, [0] * len(own), pairs)
        self.assertGreaterEqual(len(own), 0.8 * len(pairs), pairs)  # while a player jumps it shows none
        self.assertFalse(self.page.evaluate("window.drawn.dashed"))
        stats = self.page.evaluate(f"{PLAYER}.stats.overlay")
        self.assertGreaterEqual(stats["exact"], 20)
        self.assertEqual(stats["late"], 0)
        self.check_quiet()

    def test_on_its_frame_by_mse(self):
        self.check_on_its_frame("mse")

    def test_on_its_frame_by_webcodecs(self):
        self.check_on_its_frame("webcodecs")

    def test_a_little_late_stands_on_the_newest(self):
        self.watch("mse", delay=3)
        self.wait("window.pairs.some(([, label]) => label !== null)", "a box")
        self.wait("window.drawn.dashed", "one that is not of its frame for certain")
        for seq, label in self.check_age(500):
            if label is None:  # the machine stood still: the result before it was too late
                self.assertGreater(self.arrived_us[seq] - self.arrived_us[seq - 3], 500_000)
        self.check_quiet()

    def test_too_late_is_counted_and_not_drawn(self):
        self.watch("mse", delay=4, attributes="['overlay-late-ms', '100']")
        self.wait(f"{PLAYER}.stats.overlay.late >= 10")
        self.check_age(100)
        self.check_moves()
        # What is late enough is told while it plays.
        self.page.evaluate(f"{PLAYER}.setAttribute('overlay-late-ms', '800')")
        self.wait("window.pairs.at(-1)[1] !== null", "a box")
        self.check_quiet()

    def test_older_results_go_when_no_new_ones_come(self):
        self.watch("mse")
        self.wait("window.pairs.at(-1)?.[1] != null", "a box")
        self.front.camera("door").analyse = None
        self.wait("window.pairs.at(-1)[1] === null", "the boxes to go")
        self.wait(f"{BOXES}.width === 1", "no canvas that nobody needs")
        self.check_moves()

    def test_not_on_pictures_that_nobody_can_tell(self):
        """A front that skipped frames sends the group again in a burst: until its end a player plays what it has."""
        self.watch("mse")
        self.wait("window.pairs.at(-1)?.[1] != null", "a box")
        door = self.front.camera("door")
        door.behind = True
        self.wait("window.pairs.at(-1)[1] === null", "the boxes to go")
        self.assertEqual({label for _, label in self.pairs(5)}, {None})
        door.behind = False
        self.wait("window.pairs.at(-1)[1] !== null", "a box")
        self.check_quiet()

    def test_labels_are_text(self):
        hostile = "<img src=x onerror='window.hacked = 1'>"
        self.open("door")

        def found(viewer, seq, arrived_us):
            viewer.result(seq, arrived_us, {"box": BOX, "label": hostile, "track": 7, "score": 0.5,
                                            "attributes": {hostile: hostile}},
                          {"box": [0, 0, 9, 9], "label": "far"}, {"box": "x", "label": "none"}, None,
                          counts={"people": 2}, note=hostile)
        self.front.camera("door").analyse = found
        self.wait("window.drawn.texts.length > 0")
        self.assertEqual(self.page.evaluate("window.drawn.texts"),
                         [f"{hostile} #7 50 %", f"{hostile}: {hostile}", "people: 2", hostile])
        self.assertFalse(self.page.evaluate("'hacked' in window"))
        self.assertEqual(self.page.evaluate(f"{PLAYER}.shadowRoot.querySelectorAll('img').length"), 0)
        self.check_moves()
        self.check_quiet()

    def test_garbage_of_a_server(self):
        self.open("door")
        self.wait_state("playing")
        door = self.front.camera("door")
        for more in ({}, {"analyser": 1}, {"analyser": "x", "arrived_us": "1", "objects": []},
                     {"analyser": "x", "arrived_us": 1, "objects": {}},
                     {"analyser": "x", "arrived_us": 1e300, "objects": [[], 1, {"box": [None] * 4}]}):
            door.say("result", **more)
        self.check_moves()
        self.check_quiet()

    def test_switched_by_key_button_and_attribute(self):
        self.open("door")
        button = "document.querySelector('[data-do=overlay]')"
        self.wait_state("playing")
        self.assertTrue(self.page.evaluate(f"{button}.hidden"), "a button although no program looks")
        self.analyse()
        self.wait(f"!{button}.hidden && {button}.ariaPressed === 'true'")
        self.wait("window.drawn.texts.length > 0")
        joins = self.front.camera("door").joins
        self.page.key("o")
        self.wait(f"{BOXES}.width === 1 && {button}.ariaPressed === 'false'")
        self.assertFalse(self.page.evaluate(f"{PLAYER}.hasAttribute('overlay')"))
        self.check_moves()
        before = self.found
        self.check_moves()
        self.assertEqual(self.found, before, "still sent")
        self.page.evaluate(f"void {button}.click()")
        self.wait(f"{BOXES}.width > 1")
        self.page.evaluate(f"{PLAYER}.removeAttribute('overlay')")
        self.wait(f"{BOXES}.width === 1")
        self.assertEqual(self.front.camera("door").joins, joins, "the picture began anew for it")
        self.check_quiet()

    def test_on_the_wall(self):
        self.open("", ("door", "yard"))
        self.analyse()
        first = "document.querySelector('[data-camera=door] camhub-player')"
        self.wait(f"{first}?.shadowRoot?.querySelector('.boxes').width > 1", "boxes on the tile")
        self.wait("!document.querySelector('[data-do=overlay]').hidden")
        self.page.key("o")
        self.wait(f"{first}.shadowRoot.querySelector('.boxes').width === 1")
        self.assertEqual(self.page.evaluate("document.querySelectorAll('camhub-player[overlay]').length"), 0)
        self.front.add("third")
        self.page.evaluate("void window.dispatchEvent(new Event('online'))")
        self.wait("document.querySelectorAll('camhub-player').length === 3")
        self.assertEqual(self.page.evaluate("document.querySelectorAll('camhub-player[overlay]').length"), 0)
        self.check_quiet()

    def test_words_never_cover_words(self):
        self.open("door")
        self.front.camera("door").analyse = lambda viewer, seq, arrived_us: viewer.result(
            seq, arrived_us, {"box": BOX, "label": "one"}, {"box": BOX, "label": "two"}, {"box": BOX, "label": "three"})
        self.wait("window.drawn.texts.length === 3")
        high = int(self.page.evaluate(f"{BOXES}.getContext('2d').font").split("px")[0].split()[-1])
        first, second, third = self.page.evaluate("window.lines")
        self.assertGreaterEqual(first - second, high)
        self.assertGreaterEqual(second - third, high)

    def check_geometry(self, width, height, scale):
        """The clip has 16:9: what is left of the frame stays free. All lines on whole pixels of the screen."""
        self.open("door", width=width, height=height, scale=scale)
        self.analyse()
        self.wait("window.drawn.rects.length > 0")
        frame_w, frame_h = width * scale, height * scale
        self.assertEqual(self.page.evaluate(f"[{BOXES}.width, {BOXES}.height]"), [frame_w, frame_h])
        picture_w = min(frame_w, frame_h * 16 / 9)
        picture_h = picture_w * 9 / 16
        x, y, w, h = self.page.evaluate("window.drawn.rects[1]")
        line = self.page.evaluate(f"{BOXES}.getContext('2d').lineWidth")
        self.assertAlmostEqual(x - line / 2, (frame_w - picture_w) / 2 + picture_w / 4, delta=0.51)
        self.assertAlmostEqual(y - line / 2, (frame_h - picture_h) / 2 + picture_h / 4, delta=0.51)
        self.assertAlmostEqual(w + line, picture_w / 2, delta=1.01)
        self.assertAlmostEqual(h + line, picture_h / 2, delta=1.01)
        self.assertEqual((x - line / 2) % 1, 0)

    def test_boxes_beside_bars(self):
        self.check_geometry(600, 800, 1)

    def test_boxes_on_fine_screens(self):
        self.check_geometry(800, 300, 2)


if __name__ == "__main__":
    web_rig.main()
