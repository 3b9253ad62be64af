#!/usr/bin/python3 -B
"""What people do with the pages, against the mock of the front: groups, the toolbar, dialogs, one camera opened
out of many, a screen that nobody touches."""

import sys

import clips
import mock_front
import web_rig
from wait import until

OPEN = "document.querySelector('.tile.open')?.dataset.camera"
SHOWN = "[...document.querySelectorAll('#tiles > li:not([hidden]) a')].map((a) => a.dataset.camera).join()"
TOAST = "document.querySelector('.toast')?.textContent"

# What the page does outside of itself, kept instead: files to save, texts to copy, wake locks.
KEEP = """
  window.kept = { files: [], texts: [], locks: 0 };
  const blobs = new Map(), { createObjectURL } = URL, { click } = HTMLAnchorElement.prototype;
  URL.createObjectURL = (what) => {
    const url = createObjectURL.call(URL, what);
    return blobs.set(url, what) && url;
  };
  HTMLAnchorElement.prototype.click = function () {
    if (!this.download)
      return click.call(this);
    const { type, size } = blobs.get(this.href);
    kept.files.push({ name: this.download, type, size });
  };
  Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => { kept.texts.push(text); } },
                                                  configurable: true });
  Object.defineProperty(navigator, "wakeLock", { value: { request: async () => { kept.locks += 1; return {}; } } });
"""

# Keeps what each frame shows of the first player from now on, until the wide picture is there. `at`: ms since the start.
WATCH = """
(() => {
  const player = document.querySelector("camhub-player"), frame = player.shadowRoot.querySelector(".frame");
  const said = frame.querySelector(".said"), small = new OffscreenCanvas(16, 9), start = performance.now();
  const context = small.getContext("2d", { willReadFrequently: true });
  window.frames_seen = [];
  const look = () => {
    const surface = frame.dataset.surface;
    let light = 0, width = 0;
    if (surface !== "none") {
      const shown = frame.querySelector(surface);
      width = shown.videoWidth ?? shown.width;
      context.clearRect(0, 0, 16, 9);
      context.drawImage(shown, 0, 0, 16, 9);
      light = context.getImageData(0, 0, 16, 9).data.reduce((sum, value, i) => sum + (i %% 4 < 3 ? value : 0), 0);
    }
    const words = !said.hidden || frame.hasAttribute("data-dim");
    frames_seen.push({ at: performance.now() - start, full: player.clientWidth === innerWidth, light, words, width });
    if (width < %d || player.state !== "playing")
      requestAnimationFrame(look);
    else
      window.watched = true;
  };
  window.watched = false;
  requestAnimationFrame(look);
})()
"""


class Pages(web_rig.Web):
    def open(self, path="", cameras=(), width=1280, height=720, **phone):
        self.front = self.enterContext(mock_front.MockFront(prefix="/cams/"))
        self.page = self.chromium.page(width, height, **phone)
        self.addCleanup(self.page.close)
        self.page.call("Page.addScriptToEvaluateOnNewDocument", {"source": KEEP})
        for name, group in cameras:
            self.front.add(name, group=group)
        self.page.goto(self.front.url + path)

    def wait_playing(self):
        self.wait("document.querySelector('#stage camhub-player, li:not([hidden]) camhub-player')?.state === 'playing'")

    def do(self, name):
        """Presses a button of the toolbar."""
        x, y = self.page.evaluate(f"""(() => {{
          const {{ left, top, width, height }} = document.querySelector("[data-do={name}]").getBoundingClientRect();
          return [left + width / 2, top + height / 2];
        }})()""")
        self.page.move(x, y)
        self.page.click(x, y)

    # Groups

    def test_groups(self):
        self.open("?cols=2", [("a", "Yard"), ("b", ""), ("c", "House"), ("d", "Yard")])
        tabs = "[...document.querySelectorAll('#groups a')].map((a) => a.textContent).join()"
        self.wait(f"{tabs} === 'All,Yard,House'")
        self.assertEqual(self.page.evaluate(SHOWN), "a,b,c,d")
        self.front.answer_streams(False)  # what follows comes of the address alone, not of the next list
        self.page.evaluate("document.querySelectorAll('#groups a')[1].click()")
        self.wait(f"{SHOWN} === 'a,d'")
        self.assertEqual(self.page.evaluate("[location.search, document.querySelector('#groups [aria-current]')"
                                            ".textContent]"), ["?cols=2&group=Yard", "Yard"])
        until(lambda: self.front.camera("b").viewers == 0, "a hidden camera to be let go")
        self.page.evaluate("history.back()")
        self.wait(f"{SHOWN} === 'a,b,c,d'")
        self.check_quiet("503")

    def test_group_of_the_address(self):
        self.open("?group=House", [("a", "Yard"), ("c", "House")])
        self.wait(f"{SHOWN} === 'c'")
        self.wait_playing()
        self.assertEqual(self.front.camera("a").joins, 0, "a hidden camera was asked for")
        self.page.goto(self.front.url + "?group=Moon")
        self.wait("!document.getElementById('unknown').hidden")
        self.assertIn("“Moon”", self.page.evaluate("document.getElementById('unknown').innerText"))
        self.assertEqual(self.page.evaluate(SHOWN), "")
        self.page.goto(self.front.url + "?cameras=a,c")
        self.wait(f"{SHOWN} === 'a,c'")
        self.assertTrue(self.page.evaluate("document.getElementById('groups').hidden"), "tabs above chosen cameras")

    def test_every_count_fits(self):
        self.open("", [("c0", "Yard"), ("c1", "")])
        self.wait(f"{SHOWN} === 'c0,c1'")
        self.page.evaluate("""(() => {
          const { fetch } = window;
          window.WebSocket = class extends EventTarget { close() {} send() {} };
          window.fetch = async (url, options) => String(url).includes("api/streams")
            ? Response.json(Object.fromEntries(Array.from({ length: window.count }, (_, i) =>
                [`c${i}`, { title: `Camera ${i}`, order: i, group: i ? "" : "Yard" }]))) : fetch(url, options);
        })()""")
        wrong = self.page.evaluate("""(async () => {
          const wrong = [];
          for (window.count = 2; window.count <= 64; window.count += 1) {
            window.dispatchEvent(new Event("online"));
            const items = document.getElementById("tiles").children;
            while (items.length < window.count)
              await new Promise((done) => setTimeout(done, 1));
            const boxes = [...items].map((item) => item.getBoundingClientRect());
            const bar = document.getElementById("groups").getBoundingClientRect().bottom;
            const { scrollHeight, scrollWidth } = document.documentElement;
            if (scrollHeight > innerHeight || scrollWidth > innerWidth || boxes.some((box) =>
              box.left < 0 || box.top < bar || box.right > innerWidth || box.bottom > innerHeight))
              wrong.push(window.count);
          }
          return wrong;
        })()""")
        self.assertEqual(wrong, [])
        for width, height in ((1366, 768), (3840, 2160), (1080, 1920)):
            self.page.emulate(width, height)
            self.wait("""innerWidth === %d && [...document.querySelectorAll("#tiles > li")].every((item) => {
              const { left, top, right, bottom } = item.getBoundingClientRect();
              return left >= 0 && top >= 46 && right <= innerWidth && bottom <= innerHeight;
            })""" % width, f"all to fit {width} x {height}")

    # One camera opened

    def test_arrows_lead_on_while_one_is_open(self):
        self.open("", [("a", ""), ("b", ""), ("c", "")])
        self.wait(f"{SHOWN} === 'a,b,c'")
        self.page.key("ArrowRight")
        self.page.key("Enter")
        self.wait(f"{OPEN} === 'a'")
        for key, name in (("ArrowRight", "b"), ("ArrowDown", "c"), ("ArrowRight", "a"), ("ArrowLeft", "c"), ("Home", "a"),
                          ("End", "c"), ("ArrowUp", "b")):
            self.page.key(key)
            self.wait(f"{OPEN} === '{name}'", key)
        self.assertEqual(self.page.evaluate("[document.title, document.activeElement.dataset.camera]"), ["B", "b"])
        self.page.evaluate("history.back()")
        self.wait(f"!{OPEN} && location.hash === ''", "Back to lead to the wall")

    def test_wall_bridges_until_the_large_picture(self):
        self.open()
        self.front.add("door", clips.clip(size="640x360", gop=20))
        self.front.add("door.sub", sub_of="door")
        self.front.add("yard")
        self.page.goto(self.front.url)
        self.page.emulate(1280, 720)
        self.wait_playing()
        self.wait(f"{web_rig.PLAYER}.shadowRoot.querySelector('video').videoWidth === 320", "the small stream")
        self.page.key("ArrowRight")
        self.page.evaluate(WATCH % 640)
        self.page.key("Enter")
        self.wait("watched", "the large stream")
        frames = self.page.evaluate("frames_seen")
        full = [frame for frame in frames if frame["full"]]
        self.assertEqual([frame for frame in frames if frame["words"] or not frame["light"]], [], "black, or words")
        self.assertEqual(full[-1]["width"], 640)
        print(f"open in full after {full[0]['at']:.0f} ms with the wall's picture, large stream after {full[-1]['at']:.0f} ms",
              file=sys.stderr)
        self.check_quiet()

    # The toolbar

    def check_actions(self, name, title):
        """Snapshot, link and embedding, on the wall and on the camera's page."""
        self.do("snapshot")
        self.wait(f"{TOAST}?.startsWith('Saved as {name}-2')")
        self.wait("kept.files[0]?.type === 'image/jpeg' && kept.files[0].size > 500", "a JPEG")
        self.assertRegex(self.page.evaluate("kept.files[0].name"), rf"^{name}(-\d\d\d\d)(-\d\d){{5}}\.jpg$")
        self.page.key("c")
        self.wait(f"{TOAST} === 'Link copied'")
        self.do("embed")
        self.wait("!!document.querySelector('dialog[open]')")
        self.assertEqual(self.page.evaluate("document.querySelector('dialog h2').textContent"), f"Embed {title}")
        self.assertIn(f'<iframe src="{self.front.url}{name}"', self.page.evaluate("document.querySelector('#embed-frame').value"))
        self.page.evaluate("[...document.querySelectorAll('dialog .snippet button')].at(-1).click()")
        self.wait("kept.texts.length === 2")
        self.assertEqual(self.page.evaluate("kept.texts[0]"), self.front.url + name)
        self.assertIn(f'<camhub-player camera="{name}" label="{title}">', self.page.evaluate("kept.texts[1]"))
        self.page.key("Escape")
        self.wait("!document.querySelector('dialog')")
        self.page.key("?")
        self.wait("document.querySelector('dialog h2')?.textContent === 'Keys'")
        self.page.key("Escape")
        self.wait("!document.querySelector('dialog')")

    def test_actions_on_the_wall(self):
        self.open("", [("a", ""), ("b", "")])
        self.wait_playing()
        buttons = "[...document.querySelectorAll('.toolbar > :not([hidden])')].map((one) => one.dataset.do).join()"
        self.assertEqual(self.page.evaluate(buttons), "delay,full,keys")
        self.page.key("s")  # no camera is open
        self.page.key("Tab")
        self.page.key("Enter")
        self.wait(f"{OPEN} === 'a'")
        self.assertEqual(self.page.evaluate(buttons), "snapshot,link,embed,delay,full,keys,wall")
        self.assertEqual(self.page.evaluate("kept.files.length"), 0)
        self.wait_playing()
        self.check_actions("a", "A")
        self.assertEqual(self.page.evaluate(OPEN), "a", "a key for the dialog closed the camera")
        for _ in range(3):
            self.page.key("Tab")
        self.assertTrue(self.page.evaluate("!!document.activeElement.closest('.toolbar')"), "no way there by keyboard")
        self.wait("document.body.classList.contains('idle')")
        self.assertEqual(self.page.evaluate("getComputedStyle(document.querySelector('.toolbar')).pointerEvents"), "auto",
                         "it goes while the keyboard is in it")
        self.page.evaluate("document.activeElement.blur()")
        self.wait("getComputedStyle(document.querySelector('.toolbar')).opacity === '0'")
        self.page.move(300, 300)
        self.wait("getComputedStyle(document.querySelector('.toolbar')).opacity === '1'")
        self.do("wall")
        self.wait(f"!{OPEN}")
        self.check_quiet()

    def test_delay_in_all_tiles(self):
        self.open("", [("a", ""), ("b", "")])
        shown = """[...document.querySelectorAll("camhub-player")].map((one) => one.shadowRoot.querySelector(".delay"))
          .map((one) => Boolean(one) && !one.hidden && / (ms|s)$/.test(one.textContent)).join()"""
        self.wait(f"{SHOWN} === 'a,b'")
        self.page.key("d")
        self.wait(f"{shown} === 'true,true'")
        self.assertEqual(self.page.evaluate("document.querySelector('[data-do=delay]').ariaPressed"), "true")
        self.front.add("c")
        self.page.evaluate("void window.dispatchEvent(new Event('online'))")
        self.wait(f"{shown} === 'true,true,true'", "a new tile to show it, too")
        self.do("delay")
        self.wait(f"{shown} === 'false,false,false'")
        self.page.goto(self.front.url + "a")
        self.wait_playing()
        self.page.key("d")
        self.wait(f"{shown} === 'true'")
        self.check_quiet()

    def test_actions_on_the_page_of_a_camera(self):
        self.open("door", [("door", "")])
        self.wait_playing()
        self.check_actions("door", "Door")
        self.page.evaluate(f"{web_rig.PLAYER}.snapshot = async () => new Blob(['x'.repeat(999)], {{ type: 'image/jpeg' }})")
        self.page.key("s")
        self.wait("kept.files[1]?.size === 999", "the player's own picture")
        self.front.camera("door").set_state("down", "no answer")
        self.wait(f"{web_rig.PLAYER}.state === 'offline'")
        self.page.key("s")
        self.wait(f"{TOAST} === 'No snapshot: the camera is down'")  # and not an old picture with the time of now
        self.assertEqual(self.page.evaluate("kept.files.length"), 2)
        self.check_quiet("503")

    def test_copy_without_a_clipboard(self):
        self.open("door", [("door", "")])
        self.page.evaluate("delete navigator.clipboard, Object.defineProperty(navigator, 'clipboard', { value: undefined }),"
                           "document.addEventListener('copy', () => { kept.texts.push(String(document.activeElement.value)); })")
        self.page.key("c")
        self.wait(f"{TOAST} === 'Link copied'")
        self.assertEqual(self.page.evaluate("kept.texts"), [self.front.url + "door"])

    # A screen that nobody touches

    def test_kiosk(self):
        self.open("?kiosk=1", [("a", "Yard"), ("b", "")])
        self.wait(f"{SHOWN} === 'a,b'")
        self.wait_playing()
        self.wait("kept.locks > 0", "the screen to be kept awake")
        self.assertEqual(self.page.evaluate("[getComputedStyle(document.querySelector('camhub-player')).cursor,"
                                            "document.querySelector('.toolbar').hidden,"
                                            "document.getElementById('groups').hidden]"), ["none", True, True])
        self.page.click(300, 300)
        self.page.key("ArrowRight")
        self.page.key("Enter")
        self.page.key("?")
        self.assertEqual(self.page.evaluate(f"[{OPEN} ?? null, document.querySelector('dialog'), document.activeElement.tagName]"),
                         [None, None, "BODY"])
        self.page.evaluate("window.same = true")
        ask = "void window.dispatchEvent(new Event('online'))"
        self.front.answer_api({"camhub": "2.0"})
        self.front.answer_pages(False)
        for _ in range(3):
            asked = self.front.api_asked
            self.page.evaluate(ask)
            until(lambda asked=asked: self.front.api_asked > asked, "the version to be asked")
        until(lambda: self.front.pages_asked > 0, "the new page to be tried")
        self.assertTrue(self.page.evaluate("window.same"), "it left for a page that is not there")
        self.front.answer_pages(True)
        self.page.evaluate(ask)
        self.wait("!window.same", "the new page")
        self.wait_playing()

    def test_kiosk_of_one_camera(self):
        self.open("door?kiosk=1", [("door", "")])
        self.wait_playing()
        self.wait("kept.locks > 0")
        self.assertIsNone(self.page.evaluate("document.querySelector('.toolbar')"))


if __name__ == "__main__":
    web_rig.main()
