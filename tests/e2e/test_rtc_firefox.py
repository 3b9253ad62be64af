#!/usr/bin/python3 -B
"""WebRTC in headless Firefox on the real server: sound by WHEP, pictures too where it has its H.264 plugin, else by another way."""

import firefox
import rig
from test_browser import PLAYER
from test_rtc_page import WHEP

PLAYS_H264 = "RTCRtpReceiver.getCapabilities('video').codecs.some(({ mimeType }) => /h264/i.test(mimeType))"
CAME = """peer.getStats().then((all) => [...all.values()].filter(({ type, kind }) => type === "inbound-rtp" && kind === "%s")
  .some((one) => one.packetsReceived > 20))"""


class Firefox(rig.Case):
    @classmethod
    def setUpClass(cls):
        reason = firefox.missing()
        if reason:
            raise rig.unittest.SkipTest(reason)
        cls.server = cls.shared_rtsp(gop=15, size="640x360")
        cls.camhub = cls.shared_hub([{"name": "door", "url": cls.server.url("h264")},
                                     {"name": "phone", "url": cls.server.url("h264-pcma")}],
                                    # Firefox does not talk to loopback addresses by WebRTC.
                                    extra={"http": {"insecure": True}, "rtc": {"listen": ["0.0.0.0"]}})
        for name in ("door", "phone"):
            cls.camhub.wait_state(name, "up")
        cls.browser = firefox.Browser()
        cls.addClassCleanup(cls.browser.close)

    def open(self, path):
        page = self.browser.page()
        self.addCleanup(page.close)
        page.goto(self.camhub.url(path))
        return page

    def test_sound_by_whep(self):
        page = self.open("/?cameras=nobody")
        status, place = page.evaluate(WHEP % ("audio", "/phone/whep"))
        self.assertEqual(status, 201, place)
        page.wait_for("peer.connectionState === 'connected'", 60)
        page.wait_for(CAME % "audio", 60)
        self.assertEqual(page.evaluate(f"fetch('{place}', {{ method: 'DELETE' }}).then(({{ status }}) => status)"), 200)

    def test_pictures_by_whep(self):
        page = self.open("/?cameras=nobody")
        status, place = page.evaluate(WHEP % ("video", "/door/whep"))
        if page.evaluate(PLAYS_H264):
            self.assertEqual(status, 201, place)
            page.wait_for("video.getVideoPlaybackQuality().totalVideoFrames > 30", 60)
        else:
            self.assertEqual(status, 422)
            self.assertIn("H.264", place)

    def test_page(self):
        page = self.open("/door")
        page.wait_for(f"{PLAYER}?.state === 'playing'", 60)
        if page.evaluate(PLAYS_H264):
            page.wait_for(f"{PLAYER}.stats.transport === 'webrtc'", 60)
        else:
            self.assertIn("H.264", page.evaluate(f"{PLAYER}.stats.passedOver.webrtc"))
            self.assertNotEqual(page.evaluate(f"{PLAYER}.stats.transport"), "webrtc")
        frames = page.evaluate(f"{PLAYER}.stats.frames")
        page.wait_for(f"{PLAYER}.stats.frames > {frames} + 20", 60)
        self.assertEqual(page.errors, [])


if __name__ == "__main__":
    rig.main()
