#!/usr/bin/python3 -B
"""
The pages in headless Chromium on the real server: moving pictures on the wall and on a camera's own
page, seen in the pixels, over a camera's death and return, a worker's, the front's.
"""

import os
import signal
import time

import browser
import picture
import rig
from wait import until

# The luma of the picture's top row of squares, each in its middle; and a number that changes with any pixel.
LOOK = """
(() => {
  const player = [...document.querySelectorAll("camhub-player")].find((p) => p.getAttribute("camera") === "%s");
  if (!player)
    return null;
  const frame = player.shadowRoot.querySelector(".frame");
  const surface = frame.querySelector(frame.dataset.surface === "canvas" ? "canvas" : "video");
  const width = surface.videoWidth ?? surface.width, height = surface.videoHeight ?? surface.height;
  if (frame.dataset.surface === "none" || !width)
    return { state: player.state, width: 0 };
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  context.drawImage(surface, 0, 0);
  const pixels = context.getImageData(0, 0, width, height).data;
  const cell = Math.floor(width / 32), bits = [];
  for (let bit = 0; bit < 32; bit++)
    bits.push(pixels[4 * (8 * width + bit * cell + (cell >> 1)) + 1] > 128 ? 1 : 0);
  let sum = 0;
  for (let i = 0; i < pixels.length; i += 4)
    sum = (sum * 31 + pixels[i] + pixels[i + 1]) >>> 0;
  return { state: player.state, width, height, stamp: parseInt(bits.join(""), 2), sum };
})()
"""


class Browser(rig.Case):
    driver = browser

    @classmethod
    def setUpClass(cls):
        reason = cls.driver.missing()
        if reason:
            raise rig.unittest.SkipTest(reason)
        cls.server = cls.shared_rtsp(gop=15, size="640x360")
        cls.camhub = cls.shared_hub([
            {"name": "door", "title": "Front door", "url": cls.server.url("h264")},
            {"name": "gate", "title": "Gate (MJPEG)", "url": cls.server.url("mjpeg")},
            {"name": "clock", "url": "test:clock?size=320x180&fps=10&gop=50"},
        ])
        for name in ("door", "gate", "clock"):
            cls.camhub.wait_state(name, "up")
        cls.browser = cls.driver.Browser()
        cls.addClassCleanup(cls.browser.close)

    def open(self, path):
        page = self.browser.page(width=1280, height=720)
        self.addCleanup(page.close)
        page.goto(self.camhub.url(path))
        return page

    def look(self, page, name):
        return page.evaluate(LOOK % name) or {"state": "no player", "width": 0}

    def wait_moving(self, page, name, times=3):
        """The picture changes, again and again."""
        seen, last = set(), {}

        def changed():
            last.update(self.look(page, name))
            if last["width"]:
                seen.add(last["sum"])
            return len(seen) > times and last["state"] == "playing"

        until(changed, lambda: f"{name} moves: {last}, {len(seen)} pictures; {page.errors[-5:]}", 60)

    def wait_fresh(self, page, name):
        """Its bar code says that it was made just now."""
        ages = []

        def fresh():
            seen = self.look(page, name)
            if seen["width"]:
                ages.append(picture.age_s(seen["stamp"]))
            return ages and 0 <= ages[-1] < 3

        until(fresh, lambda: f"{name} is of now; ages {ages[-5:]}", 60)
        return ages[-1]

    def test_wall(self):
        page = self.open("/")
        for name in ("door", "gate", "clock"):
            self.wait_moving(page, name)
        for name in ("door", "gate"):
            print(f"{name}: {self.wait_fresh(page, name):.2f} s old on the wall", flush=True)
        self.assertEqual(page.errors, [])

    def test_one_camera(self):
        page = self.open("/door")
        self.wait_moving(page, "door")
        self.wait_fresh(page, "door")
        self.assertEqual(self.look(page, "door")["width"], 640)
        self.assertEqual(page.errors, [])

    def test_camera_dies_and_returns(self):
        page = self.open("/door")
        self.wait_moving(page, "door")
        self.server.stop()
        until(lambda: self.look(page, "door")["state"] in ("offline", "stalled"), "the page says so", 60)
        self.server.start()
        self.wait_moving(page, "door")
        self.wait_fresh(page, "door")
        self.server.hang()
        until(lambda: self.look(page, "door")["state"] != "playing", "the page says so", 60)
        self.server.resume()
        self.wait_moving(page, "door")
        self.wait_fresh(page, "door")

    def test_processes_die(self):
        page = self.open("/")
        for name in ("door", "clock"):
            self.wait_moving(page, name)
        for words in ("camhub-worker door", "camhub-http http"):
            pid = self.camhub.child(words)
            os.kill(pid, signal.SIGKILL)
            killed = time.monotonic()
            until(lambda: self.camhub.children().get(words, pid) != pid, f"a new {words}")
            for name in ("door", "clock"):
                self.wait_moving(page, name)
            self.wait_fresh(page, "door")
            print(f"{words} killed: fresh pictures after {time.monotonic() - killed:.1f} s", flush=True)


if __name__ == "__main__":
    rig.main()
