#!/usr/bin/python3 -B
"""
examples/people.py itself, on two RTSP cameras, and Chromium with the wall: its boxes stand on the very frames that it
looked at. The number of the frame on the screen is read from the picture, that of the frame it looked at from the bytes
on the bus, and where a box belongs is known, because the figure stands somewhere else in each picture (hoppers.py).
"""

import json
import os
import subprocess
import sys

import browser
import hoppers
import rig
from analyser import Analyser
from test_tap import EXAMPLES, SOURCE, VENV, need_venv
from wait import until

CAMERAS = ("door", "yard")
PAGES = os.path.join(SOURCE, "bench", "glass")
LATE_MS = 4000  # of a machine with other things to do
ENOUGH = 12  # results of each camera

# Each result's objects are labelled with the number of its frame. For each frame of the cameras and each result that comes
# while one is on the screen, watched has [camera, number in the picture, number on the boxes or null, whether the
# player says that these are of each other]: at a result that is so where the boxes are not dashed.
WATCH = """
{
  const canvases = CanvasRenderingContext2D.prototype, videos = HTMLVideoElement.prototype;
  const { clearRect, fillText, setLineDash } = canvases, { requestVideoFrameCallback } = videos, { parse } = JSON;
  const told = new WeakMap(), said = new WeakMap();
  let presenting = false;
  globalThis.watched = [];
  globalThis.results = [];
  globalThis.gone = 0;

  JSON.parse = (...text) => {
    const value = parse(...text);
    if (value?.type === "result") {
      const objects = value.objects.map(({ label, box }) => [label, box]);
      globalThis.results.push([value.stream, value.seq, value.analyser, value.counts?.people, objects]);
      for (const object of value.objects)
        object.label = String(value.seq);
    }
    return value;
  };

  const look = (player, video, isOwn) => {
    const boxes = player.shadowRoot.querySelector(".boxes");
    const seq = boxes.width > 1 ? said.get(boxes)?.seq ?? null : null;
    if (video.readyState < 2)
      return; // in the middle of a seek there is none
    const picture = new VideoFrame(video);
    const number = () => new Barcode().read(picture, video.videoWidth, video.videoHeight)?.number;
    // A page that is late is told of a picture when the next one is on the screen already, of which it is told soon.
    if (Math.abs(picture.timestamp / 1e6 - told.get(video)) > 0.005)
      globalThis.gone += 1;
    else
      globalThis.watched.push([player.getAttribute("camera"), number(), seq, isOwn]);
    picture.close();
  };
  const shown = (player) => player.shadowRoot.querySelector("video[data-shown]") ?? player.shadowRoot.querySelector("video");

  videos.requestVideoFrameCallback = function (callback) {
    return requestVideoFrameCallback.call(this, (now, data) => {
      const player = this.getRootNode().host;
      const before = player?.stats.overlay?.exact; // of this session: another one counts from 0
      told.set(this, data.mediaTime);
      presenting = true;
      callback(now, data);
      presenting = false;
      if (!player?.isConnected || shown(player) !== this)
        return;
      look(player, this, player.stats.overlay?.exact > before);
    });
  };
  canvases.clearRect = function (...area) {
    const { canvas } = this;
    if (canvas.className === "boxes") {
      const before = said.get(canvas)?.seq ?? null, player = canvas.getRootNode().host, isResult = !presenting;
      said.set(canvas, { seq: null, dashed: false });
      queueMicrotask(() => {
        const { seq, dashed } = said.get(canvas);
        if (isResult && seq !== null && seq !== before && told.has(shown(player)))
          look(player, shown(player), !dashed);
      });
    }
    return clearRect.apply(this, area);
  };
  canvases.setLineDash = function (dashes) {
    if (said.has(this.canvas))
      said.get(this.canvas).dashed = dashes.length > 0;
    return setLineDash.call(this, dashes);
  };
  canvases.fillText = function (text, ...more) {
    const number = /^(\\d+) #/.exec(text);
    if (number && said.has(this.canvas))
      said.get(this.canvas).seq = Number(number[1]);
    return fillText.call(this, text, ...more);
  };
}
"""


class OnTwoCameras(rig.Case):
    @classmethod
    def setUpClass(cls):
        if browser.missing():
            raise rig.unittest.SkipTest(browser.missing())
        need_venv("av", "numpy", "cv2")
        global people
        import people
        cls.chromium = cls.enterClassContext(browser.Browser())
        cls.numbers, cls.urls = {}, {}
        directory = cls.enterClassContext(rig.tempfile.TemporaryDirectory())
        for index, name in enumerate(CAMERAS):
            path = f"{directory}/{name}.h264"
            # The second one's figure is a place behind.
            cls.numbers[name] = hoppers.write(path, 1000 * index)
            cls.urls[name] = cls.shared_rtsp(clip=path, fps=hoppers.FPS).url("clip")

    def setUp(self):
        self.served = self.hub([{"name": name, "url": self.urls[name]} for name in CAMERAS])
        self.of, self.seen, self.results = {}, [], {}
        for name in CAMERAS:
            self.of[name] = {}  # the number in the frame with this seq
            reader = Analyser(self.served, f"reader-{name}", (name,), on_frame=lambda frame, payload, camera=name:
                              self.of[camera].update({frame["seq"]: self.numbers[camera].get(hoppers.slices(payload))}))
            self.addCleanup(reader.close)
            reader.want(name)
            reader.wait(lambda one=reader: one.frames > 0, "shown a frame")
        environ = {**os.environ, "PYTHONPATH": os.path.join(SOURCE, "python")}
        example = subprocess.Popen([f"{VENV}/bin/python", "-B", os.path.join(EXAMPLES, "people.py"), "--directory", self.served.runtime],
                                   env=environ)
        self.addCleanup(example.wait)
        self.addCleanup(example.kill)
        self.page = self.chromium.page(1280, 720)
        self.addCleanup(self.page.close)
        with open(os.path.join(PAGES, "barcode.js"), encoding="utf-8") as file:
            self.page.call("Page.addScriptToEvaluateOnNewDocument", {"source": file.read() + WATCH})

    def open(self, **attributes):
        self.page.goto(self.served.url("/"))
        players = "[...document.querySelectorAll('camhub-player')]"
        self.page.wait_for(f"{players}.length === 2 && {players}.every(({{ state }}) => state === 'playing')", rig.PATIENCE_S)
        for name, value in attributes.items():
            self.page.evaluate(f"{players}.forEach((one) => one.setAttribute('{name.replace('_', '-')}', '{value}'))")

    def take(self):
        """What was seen since the last time, of frames whose numbers are known: (camera, number in the picture, number of the
        frame that the boxes are of, seq, is own)."""
        watched, results = self.page.evaluate("[watched.splice(0), results.splice(0)]")
        for camera, seq, analyser, count, objects in results:
            self.assertEqual((analyser, {label for label, _ in objects} - {"person"}), ("people", set()))
            self.assertEqual(count, len(objects))
            self.results[camera, seq] = [box for _, box in objects]
        taken = [(camera, number, self.of[camera].get(seq), seq, own) for camera, number, seq, own in watched if number is not None]
        self.seen += [one for one in taken if one[2] is not None]
        return taken

    def results_drawn(self, camera, own_only):
        return {seq for name, _, _, seq, own in self.seen if name == camera and (own or not own_only)}

    def watch(self, own_only):
        """Until so many results of each camera were drawn."""
        self.take()
        self.seen.clear()

        def enough():
            self.take()
            return all(len(self.results_drawn(name, own_only)) >= ENOUGH for name in CAMERAS)
        until(enough, lambda: f"boxes: {self.told()}", poll_s=0.5)
        print(self.told(), file=sys.stderr)

    def told(self):
        stats = self.page.evaluate("Object.fromEntries([...document.querySelectorAll('camhub-player')].map((one) => "
                                   "[one.getAttribute('camera'), [one.stats.transport, one.stats.overlay]]))")
        return "; ".join(f"{name} {json.dumps(stats[name])}, {len(self.results_drawn(name, False))} results drawn, "
                         f"{len(self.results_drawn(name, True))} on their own frames" for name in CAMERAS)

    def check(self, late_ms):
        most = 2 * late_ms * hoppers.FPS / 1000 + 1  # so long it may come after its frame, and as long it may stand
        for camera, number, of, seq, own in self.seen:
            self.assertIn(number, self.numbers[camera].values(), "the picture of another camera")
            offset = (number - of) % hoppers.PICTURES
            if own:
                self.assertEqual(offset, 0, f"{camera}: boxes of {of} on {number}")
            self.assertLessEqual(offset, most, f"{camera}: boxes of {of} on {number}")
            # It did look at that frame: there stands the figure in it, and in none of those before and after it.
            for box in self.results[camera, seq]:
                places = [people.share(box, hoppers.place_of(of + step)) for step in (0, 1, 2)]
                self.assertEqual((places[0] > 0.5, max(places[1:])), (True, 0), f"{camera}: {box} in {of}")
        self.assertEqual(self.page.errors, [])

    def test_in_time(self):
        # A player that keeps so far behind has each result before its frame, on a slow machine too.
        self.open(modes="mse", target_ms=6000)
        self.watch(own_only=True)
        self.check(late_ms=500)
        # Nothing is drawn late, then: what is drawn is on its own frame.
        self.open(modes="mse", target_ms=6000, overlay_late_ms=0)
        self.watch(own_only=True)
        self.check(late_ms=0)
        for camera, number, of, _, own in self.seen:
            self.assertTrue(own and number == of, f"{camera}: boxes of {of} on {number}")

    def test_as_soon_as_pictures_come(self):
        for modes in ("webrtc", "webcodecs"):
            self.open(modes=modes, overlay_late_ms=LATE_MS)
            self.watch(own_only=False)
            self.check(LATE_MS)


if __name__ == "__main__":
    rig.main()
