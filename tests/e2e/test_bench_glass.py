#!/usr/bin/python3 -B
"""The parts of the glass benches that can be wrong in silence: the clock in the picture, painted by the camera's own code and read by
the page's; and the figures made of what was read."""

import base64
import json
import os
import subprocess
import sys
import unittest

import browser
import rig

sys.path.insert(0, os.path.join(rig.source_dir(), "bench"))

import glass  # noqa: E402
import glass_rig  # noqa: E402

TIME_US = 1763900000123456

# A picture of luma bytes, drawn `scale` times as large and with so much noise, read again.
READ = """
(async ({ luma, width, height, scale, noise, damage }) => {
  const bytes = Uint8Array.from(atob(luma), (char) => char.charCodeAt(0));
  const image = new ImageData(width, height);
  for (let i = 0; i < bytes.length; i += 1) {
    const value = bytes[i] + (i * 7919 %% 101 / 50 - 1) * noise;
    image.data.set([value, value, value, 255], 4 * i);
  }
  const canvas = new OffscreenCanvas(Math.round(width * scale), Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.drawImage(await createImageBitmap(image), 0, 0, canvas.width, canvas.height);
  if (damage) {
    context.fillStyle = damage;
    context.fillRect(0, 0, canvas.width / 32, canvas.height / 30);
  }
  return new Barcode().read(canvas, canvas.width, canvas.height);
})(%s)
"""


def picture(width, height, number=7, time_us=TIME_US):
    """As the camera paints it."""
    program = os.path.join(rig.build_dir(), "tests", "e2e", "barcode_picture")
    words = [program, str(time_us), str(number), str(width), str(height)]
    luma = subprocess.run(words, check=True, capture_output=True, timeout=rig.PATIENCE_S).stdout
    return {"luma": base64.b64encode(luma).decode(), "width": width, "height": height, "scale": 1, "noise": 0, "damage": ""}


class Clock(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = browser.missing()
        if reason:
            raise unittest.SkipTest(reason)
        cls.chromium = cls.enterClassContext(browser.Browser())
        cls.page = cls.chromium.page()
        with open(os.path.join(glass_rig.PAGES, "barcode.js"), encoding="utf-8") as file:
            cls.page.evaluate(file.read() + ";0")

    def read(self, **what):
        return self.page.evaluate(READ % json.dumps(what))

    def test_what_is_painted_is_read_at_any_size(self):
        units = TIME_US // 100 % (1 << 40)
        for width, height, scale in ((1280, 720, 1), (640, 360, 1), (1280, 720, 0.25), (704, 576, 1), (320, 180, 3)):
            got = self.read(**{**picture(width, height, number=0x1ffff), "scale": scale, "noise": 40})
            self.assertEqual(got, {"number": 0xffff, "units": units}, (width, height, scale))

    def test_damage_is_noticed(self):
        whole = picture(640, 360)
        self.assertEqual(self.read(**whole)["number"], 7)
        seen = [self.read(**{**whole, "damage": colour}) for colour in ("#fff", "#000")]
        self.assertIn(None, seen, "one of the two must be another value than the cell had")

    def test_stamps_are_found_wherever_they_are(self):
        def stamp(number):
            return b"\x06\x05\x30camhub-bench-001" + b"%020d%012d\x80" % (TIME_US * 1000, number)

        data = b"ccamhub-bench-00" + stamp(3) + b"\0\0\1camhub" + stamp(70000) + stamp(0) + b"c"
        got = self.page.evaluate(f"stampNumbers(new Uint8Array({list(data)}))")
        self.assertEqual(got, [3, 70000, 0])
        self.assertEqual(self.page.evaluate("stampNumbers(new Uint8Array(0))"), [])

    def test_age_goes_over_the_end_of_the_clock(self):
        ages = self.page.evaluate("""[
          Barcode.age(10000, 1001), Barcode.age(10020, 1001), Barcode.age(2 ** 40 - 10, (2 ** 40 + 20) / 10),
          Barcode.age(%d, %f)]""" % (TIME_US // 100 % (1 << 40), TIME_US / 1000 + 25))
        for got, want in zip(ages, (1, -1, 3, 25)):
            self.assertAlmostEqual(got, want, delta=0.11)


class Figures(unittest.TestCase):
    def test_numbers_go_over_their_end(self):
        self.assertEqual(glass_rig.unwrapped([65534, 65535, 1, 0, 3]), [65534, 65535, 65537, 65536, 65539])
        self.assertEqual(glass_rig.unwrapped([]), [])

    def test_quantiles(self):
        self.assertEqual(glass_rig.quantile(range(100), 0.5), 50)
        self.assertEqual(glass_rig.quantile([3, 1, 2], 0.95), 3)
        self.assertIsNone(glass_rig.quantile([], 0.5))

    def test_one_picture_seen_twice_and_one_not_at_all(self):
        frames = [[65535, 20, 30, 7], [65535, 60, None, 7], [1, 40, 50, 9]]
        result = {"frames": frames, "given": [65534, 65535, 65537, 65538], "bad": 1, "transport": "mse", "delays": []}
        got = glass_rig.summary(result)
        self.assertEqual([got[key] for key in ("n", "sent", "decoded", "presented", "bad", "p50", "max", "screen_p95")],
                         [3, 3, 2, 2, 1, 40, 60, 50])
        self.assertEqual(glass_rig.summary({**result, "given": []})["decoded"], 3, "counted where there are no stamps")

    def test_no_picture_has_no_age(self):
        got = glass_rig.summary({"frames": [], "given": [], "bad": 0, "transport": "", "delays": []})
        self.assertEqual((got["sent"], got["decoded"], got["p50"]), (0, 0, None))

    def test_drift(self):
        self.assertAlmostEqual(glass.slope([30 + 0.5 * minute for minute in range(20)]), 30)
        self.assertEqual(glass.slope([30]), 0)


if __name__ == "__main__":
    rig.main()
