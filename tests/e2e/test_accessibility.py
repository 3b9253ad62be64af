#!/usr/bin/python3 -B
"""The pages under axe-core's rules, in the states that people see: nothing serious, nothing critical."""

import os
import sys
import unittest

import browser
import mock_front
from wait import DEADLINE_S

AXE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "node_modules", "axe-core", "axe.min.js")
RUN = """axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations
  .filter(({ impact }) => impact === "serious" || impact === "critical")
  .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" | ").slice(0, 500)}`))"""


def missing():
    return "" if os.path.exists(AXE) else "no axe-core here (npm ci --prefix tests, as ./bootstrap.sh check does)"


class Accessibility(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.front = cls.enterClassContext(mock_front.MockFront())
        cls.empty = cls.enterClassContext(mock_front.MockFront())
        for name, group in (("door", "Outside"), ("yard", "Outside"), ("till", "Inside")):
            cls.front.add(name, group=group)
        cls.front.camera("yard").set_state("down", "no answer from the camera")
        cls.chromium = cls.enterClassContext(browser.Browser())
        cls.page = cls.chromium.page(width=1280, height=720)
        with open(AXE, encoding="utf-8") as file:
            cls.page.call("Page.addScriptToEvaluateOnNewDocument", {"source": file.read()})

    def open(self, path="", ready="playing"):
        self.page.goto("about:blank")
        self.page.goto(self.front.url + path)
        self.wait(f"document.querySelector('#stage camhub-player, li:not([hidden]) camhub-player')?.state === '{ready}'")

    def wait(self, expression):
        return self.page.wait_for(f"Boolean({expression})", DEADLINE_S)

    def check(self):
        self.assertEqual(self.page.evaluate(RUN), [])

    def test_the_rules_find_what_is_wrong(self):
        self.open()
        self.page.evaluate("document.querySelector('#groups').append(document.createElement('button'))")
        self.assertRegex("".join(self.page.evaluate(RUN)), "button-name")

    def test_wall_with_a_camera_down(self):
        self.open()
        self.wait("document.querySelectorAll('camhub-player')[1]?.state === 'offline'")
        self.check()

    def test_open_camera(self):
        self.open("#door")
        self.wait("document.querySelector('.tile.open')")
        self.check()

    def test_camera_page(self):
        self.open("door")
        self.check()

    def test_boxes_over_the_picture(self):
        door = self.front.camera("door")
        door.analyse = lambda viewer, seq, arrived_us: viewer.result(seq, arrived_us, {"box": [0, 0, 1, 1], "label": "x"})
        try:
            for path in ("", "door"):
                self.open(path)
                self.wait("document.querySelector('[data-do=overlay]:not([hidden])')")
                self.check()
        finally:
            door.analyse = None

    def test_page_of_a_camera_that_is_down(self):
        self.open("yard", "offline")
        self.check()

    def test_dialogs(self):
        self.open("#door")
        for key in ("?", "e"):
            self.page.key(key)
            self.wait("document.querySelector('dialog[open]')")
            self.check()
            self.page.key("Escape")
            self.wait("!document.querySelector('dialog')")

    def test_group(self):
        self.open("?group=Inside")
        self.check()

    def test_phone(self):
        self.page.emulate(390, 844, mobile=True, scale=2)
        try:
            self.open()
            self.check()
        finally:
            self.page.emulate(1280, 720)

    def test_no_cameras(self):
        self.page.goto(self.empty.url)
        self.wait("!document.getElementById('empty').hidden")
        self.check()


if __name__ == "__main__":
    reason = browser.missing() or mock_front.missing() or missing()
    if reason:
        print("SKIP: accessibility:", reason)
        sys.exit(77)
    unittest.main(verbosity=2)
