#!/usr/bin/python3 -B
"""The wall: all cameras, one of them in full, keyboard, phone."""

import web_rig
from wait import until
from web_rig import PLAYER

TILES = """[...document.querySelectorAll("#tiles > li")].map((item) => {
  const { left, top, right, bottom } = item.getBoundingClientRect();
  return { left, top, right, bottom };
})"""


class Wall(web_rig.Web):
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
    web_rig.main()
