"""For tests of the pages in a real browser, against a mock of the front that can be told to misbehave."""

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
  const shown = { video: "video", direct: "video[data-shown]" }[root.querySelector(".frame").dataset.surface] ?? "canvas";
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


HIDE = ("Object.defineProperty(document, 'hidden', {{ value: {0}, configurable: true }}),"
        "document.dispatchEvent(new Event('visibilitychange'))")


class Web(unittest.TestCase):
    prepare = ""  # a script that runs before those of the page

    @classmethod
    def setUpClass(cls):
        cls.chromium = cls.enterClassContext(browser.Browser())

    def open(self, path="", cameras=("door",), width=640, height=360, patient=True, **phone):
        """A mock with these cameras under /cams/, and a page on it; path None: that is nowhere yet."""
        self.front = self.enterContext(mock_front.MockFront(list(cameras), prefix="/cams/", patient=patient))
        self.page = self.chromium.page(width, height, **phone)
        self.addCleanup(self.page.close)
        if self.prepare:
            self.page.call("Page.addScriptToEvaluateOnNewDocument", {"source": self.prepare})
        if path is not None:
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


class Parts(unittest.TestCase):
    """Of the pages, that need no DOM: modules, imported by scripts that run in an empty wall."""

    @classmethod
    def setUpClass(cls):
        cls.front = mock_front.MockFront([], patient=False)
        cls.enterClassContext(cls.front)
        cls.chromium = cls.enterClassContext(browser.Browser())
        cls.page = cls.chromium.page()
        cls.page.goto(cls.front.url)

    def run_js(self, body):
        return self.page.evaluate("(async () => {" + body + "})()")


def main():
    reason = browser.missing() or mock_front.missing()
    if reason:
        print("SKIP:", reason)
        sys.exit(77)
    unittest.main(verbosity=2)
