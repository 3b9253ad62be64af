#!/usr/bin/python3 -B
"""
WebRTC in camhub's own pages, on the real server, in headless Chromium: who shows, over deaths of processes and of the
camera, over networks that lose, delay, shape or swallow datagrams (udp_link.py).
"""

import os
import signal
import time

import browser
import rig
import test_browser
import udp_link
from test_browser import PLAYER
from wait import until

# What stands in the answers is led through other ports: links.udp (0: as it is), and links.tcp or none. Also counts
# the pictures that went by and the longest time between two while links.watch.
THROUGH = """
globalThis.links = { udp: 0, tcp: true, peers: [], watch: false, longest: 0, pictures: 0, gaps: [] };
{
  const { setRemoteDescription } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.setRemoteDescription = function (answer) {
    const lead = (line) => {
      const words = line.split(" ");
      if (!line.startsWith("a=candidate:"))
        return [line];
      if (words[2].toLowerCase() === "tcp")
        return links.tcp ? [line] : [];
      if (links.udp > 0)
        words.splice(4, 2, "127.0.0.1", links.udp);
      return [words.join(" ")];
    };
    links.peers.push(this);
    return setRemoteDescription.call(this, { type: answer.type, sdp: answer.sdp.split("\\r\\n").flatMap(lead).join("\\r\\n") });
  };
  let last = 0;
  const { attachShadow } = Element.prototype;
  const seen = new WeakSet();
  const shown = (video) => {
    const tell = (now) => {
      video.requestVideoFrameCallback(tell);
      const root = video.getRootNode();
      const surface = root.querySelector?.(".frame")?.dataset.surface;
      if (!links.watch || (surface === "direct") !== video.hasAttribute("data-shown"))
        return;
      if (last > 0)
        links.gaps.push(now - last);
      last = now;
      links.pictures += 1;
    };
    video.requestVideoFrameCallback(tell);
  };
  Element.prototype.attachShadow = function (options) {
    const root = attachShadow.call(this, options);
    new MutationObserver(() => root.querySelectorAll("video").forEach((video) => {
      if (!seen.has(video)) { seen.add(video); shown(video); }
    })).observe(root, { childList: true, subtree: true });
    return root;
  };
  links.begin = () => { last = 0; links.gaps = []; links.pictures = 0; links.watch = true; return true; };
  links.pair = async () => {
    const all = [...(await links.peers.at(-1).getStats()).values()];
    const transport = all.find(({ type }) => type === "transport");
    const pair = all.find(({ id }) => id === transport?.selectedCandidatePairId);
    return all.find(({ id }) => id === pair?.remoteCandidateId)?.protocol;
  };
}
"""


# A client in a few lines: what comes plays in `video`, the connection is `peer`.
WHEP = """(async () => {
  const peer = globalThis.peer = new RTCPeerConnection(), video = globalThis.video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  peer.addTransceiver("%s", { direction: "recvonly" });
  peer.ontrack = ({ track }) => { video.srcObject = new MediaStream([track]); video.play(); };
  await peer.setLocalDescription();
  const answer = await fetch("%s", { method: "POST", headers: { "Content-Type": "application/sdp" },
    body: peer.localDescription.sdp });
  if (answer.status === 201)
    await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  return [answer.status, answer.headers.get("Location") ?? (await answer.json()).error];
})()"""


class RtcPages(rig.Case):
    """A camera of 25 pictures a second, and pages that look at it."""

    fps, gop = 25, 25
    look, wait_moving, wait_fresh, check_delay = (test_browser.Browser.look, test_browser.Browser.wait_moving,
                                                  test_browser.Browser.wait_fresh, test_browser.Browser.check_delay)

    @classmethod
    def setUpClass(cls):
        reason = browser.missing()
        if reason:
            raise rig.unittest.SkipTest(reason)
        cls.server = cls.shared_rtsp(gop=cls.gop, size="640x360", fps=cls.fps)
        cls.browser = browser.Browser()
        cls.addClassCleanup(cls.browser.close)

    def page(self, hub, path="/door", udp=0, tcp=True, modes=""):
        page = self.browser.page(width=1280, height=720)
        self.addCleanup(page.close)
        script = THROUGH + f"links.udp = {udp}; links.tcp = {'true' if tcp else 'false'};"
        if modes:
            script += (f"customElements.whenDefined('camhub-player').then(() => setInterval(() => document.querySelectorAll("
                       f"'camhub-player').forEach((one) => one.getAttribute('modes') || one.setAttribute('modes', '{modes}')), 5));")
        page.call("Page.addScriptToEvaluateOnNewDocument", {"source": script})
        page.goto(hub.url(path))
        return page

    def wait_webrtc(self, page):
        page.wait_for(f"{PLAYER}?.stats.transport === 'webrtc' && {PLAYER}.state === 'playing'", 60)

    def wait_others(self, page):
        page.wait_for(f"{PLAYER}?.stats.transport !== 'webrtc' && {PLAYER}.state === 'playing'", 60)


class Pages(RtcPages):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.camhub = cls.shared_hub([
            {"name": "door", "url": cls.server.url("h264")},
            {"name": "gate", "url": cls.server.url("mjpeg")},
            {"name": "phone", "url": cls.server.url("h264-pcma")},
            {"name": "talk", "url": cls.server.url("h264-audio")},
        ])
        for name in ("door", "gate", "phone", "talk"):
            cls.camhub.wait_state(name, "up")

    def test_pictures_of_now(self):
        page = self.page(self.camhub)
        self.wait_webrtc(page)
        self.wait_fresh(page, "door")
        self.check_delay(page, "door", "webrtc")
        self.assertEqual(page.evaluate("links.pair()"), "udp")
        self.assertEqual(page.evaluate(f"{PLAYER}.stats.attempts"), 1)
        until(lambda: self.camhub.get_json("/api/streams?src=door")["delay_ms"] is not None, "the server to be told of the delay")
        self.assertEqual(page.errors, [])

    def test_whep_in_a_page_of_ones_own(self):
        page = self.browser.page(width=640, height=360)
        self.addCleanup(page.close)
        page.goto(self.camhub.url("/?cameras=nobody"))  # any page of this server, without a player
        status, place = page.evaluate(WHEP % ("video", "/door/whep"))
        self.assertEqual((status, place[:11]), (201, "/door/whep/"))
        page.wait_for("video.getVideoPlaybackQuality().totalVideoFrames > 30", 60)
        self.assertEqual(page.evaluate(f"fetch('{place}', {{ method: 'DELETE' }}).then(({{ status }}) => status)"), 200)
        page.wait_for("peer.getReceivers()[0].transport.state === 'closed'", 60)
        self.assertEqual(page.evaluate(f"fetch('{place}', {{ method: 'DELETE' }}).then(({{ status }}) => status)"), 404)

    def test_camera_without_video_for_webrtc(self):
        page = self.page(self.camhub, "/gate")
        self.wait_moving(page, "gate")
        page.wait_for(f"{PLAYER}.stats.passedOver.webrtc", 60)
        self.assertEqual(page.evaluate(f"{PLAYER}.stats.transport"), "mjpeg")
        self.assertEqual(page.errors, [])

    def hear(self, name):
        """The page of that camera, once its sound is asked for and heard through WebRTC."""
        page = self.page(self.camhub, "/" + name)
        self.wait_webrtc(page)
        self.assertFalse(page.evaluate(f"{PLAYER}.stats.sound"))
        page.evaluate("document.querySelector('[data-do=sound]').click()")
        page.wait_for(f"{PLAYER}.stats.transport === 'webrtc' && {PLAYER}.stats.sound", 60)
        heard = page.wait_for("""(async () => {
          const all = [...(await links.peers.at(-1).getStats()).values()];
          const sound = all.find(({ type, kind }) => type === "inbound-rtp" && kind === "audio");
          return sound?.packetsReceived > 20 && sound.totalAudioEnergy > 0.001;
        })()""", 60)
        self.assertTrue(heard)
        self.assertFalse(page.evaluate(f"{PLAYER}.shadowRoot.querySelector('video[data-shown]').muted"))
        self.wait_moving(page, name)
        self.assertEqual(page.errors, [])

    def test_sound_of_a_telephone(self):
        self.hear("phone")

    def test_sound_that_is_made_opus(self):
        self.hear("talk")
        self.assertIn("camhub-transcode talk opus", self.camhub.children())

    def test_twelve_in_one_page(self):
        page = self.page(self.camhub)
        self.wait_webrtc(page)
        page.evaluate("""{
          const main = document.querySelector("main");
          for (let i = 0; i < 11; i += 1) {
            const one = document.createElement("camhub-player");
            one.setAttribute("camera", "door");
            one.style = "position: fixed; width: 160px; top: " + 90 * (i % 6) + "px; left: " + 170 * (i % 2) + "px";
            main.append(one);
          }
        }""")
        every = "[...document.querySelectorAll('camhub-player')]"
        page.wait_for(f"{every}.length === 12 && {every}.every((one) => one.stats.transport === 'webrtc')", 60)
        figures = """Promise.all(links.peers.filter(({ connectionState: state }) => state === "connected").map(async (peer) => {
          const one = [...(await peer.getStats()).values()].find(({ type, kind }) => type === "inbound-rtp" && kind === "video");
          return [one.framesReceived, one.framesDecoded, one.packetsLost, one.pliCount];
        }))"""
        before = page.evaluate(figures)
        self.assertEqual(len(before), 12)
        until(lambda: min(one[0] - was[0] for one, was in zip(page.evaluate(figures), before)) > 100, "100 more pictures of each", 60)
        after = page.evaluate(figures)
        print(f"of each received, decoded, packets lost, asked for anew: {after}", flush=True)
        self.assertEqual([one[2:] for one in after], [[0, 0]] * 12)
        # What waits for a decoder on a busy machine is decoded all the same, one picture needs the other.
        until(lambda: min(one[1] - was[0] for one, was in zip(page.evaluate(figures), after)) >= 0, "all of them to be decoded", 60)

    def test_rtc_front_dies(self):
        page = self.page(self.camhub)
        self.wait_webrtc(page)
        page.evaluate("links.begin()")
        pid = self.camhub.child("camhub-rtc rtc")
        os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        page.wait_for("links.peers.length > 1", 60)
        self.wait_webrtc(page)
        took = time.monotonic() - killed
        until(lambda: self.camhub.children().get("camhub-rtc rtc", pid) != pid, "a new one")
        gap = page.evaluate("Math.max(0, ...links.gaps)")
        print(f"camhub-rtc killed: WebRTC again after {took:.2f} s, longest time without a new picture {gap:.0f} ms", flush=True)
        self.wait_fresh(page, "door")
        self.assertEqual(page.evaluate(f"{PLAYER}.stats.attempts"), 1, "the subscription was given up")

    def test_rtc_front_is_replaced(self):
        """It says goodbye, and the page comes again as to one that died."""
        page = self.page(self.camhub)
        self.wait_webrtc(page)
        page.evaluate("links.begin()")
        began = time.monotonic()
        code, out, err = self.camhub.camctl("restart", "rtc")
        self.assertEqual(code, 0, out + err)
        page.wait_for("links.peers.length > 1", 60)
        self.wait_webrtc(page)
        took, gap = time.monotonic() - began, page.evaluate("Math.max(0, ...links.gaps)")
        print(f"camhub-rtc replaced: WebRTC again after {took:.2f} s, longest time without a new picture {gap:.0f} ms", flush=True)
        self.wait_fresh(page, "door")
        self.assertEqual(page.evaluate(f"{PLAYER}.stats.attempts"), 1, "the subscription was given up")

    def test_http_front_dies(self):
        page = self.page(self.camhub)
        self.wait_webrtc(page)
        page.evaluate("links.begin()")
        os.kill(self.camhub.child("camhub-http http"), signal.SIGKILL)
        page.wait_for(f"{PLAYER}.stats.connections > 1", 60)
        self.wait_moving(page, "door")
        gap = page.evaluate("Math.max(0, ...links.gaps)")
        print(f"camhub-http killed: longest time without a new picture {gap:.0f} ms", flush=True)
        self.assertEqual(page.evaluate("links.peers.length"), 1, "the session was given up")
        self.assertEqual(page.evaluate(f"{PLAYER}.stats.transport"), "webrtc")


class Camera(RtcPages):
    def test_camera_dies_and_returns(self):
        camera = self.rtsp(gop=15, size="640x360")
        hub = self.hub([{"name": "door", "url": camera.url("h264")}])
        hub.wait_state("door", "up")
        page = self.page(hub)
        self.wait_webrtc(page)
        for _ in range(2):
            camera.stop()
            until(lambda: self.look(page, "door")["state"] in ("offline", "stalled"), "the page says so", 60)
            camera.start()
            self.wait_moving(page, "door")
            self.wait_webrtc(page)
            self.wait_fresh(page, "door")

    def test_long_group_of_pictures(self):
        """Others show the first picture; WebRTC comes with the next key frame."""
        camera = self.rtsp(gop=250, size="640x360", fps=25)
        hub = self.hub([{"name": "door", "url": camera.url("h264")}])
        hub.wait_state("door", "up")
        for _ in range(20):  # until the page is opened in the later part of a group, longer than a session begins with
            page = self.page(hub)
            page.wait_for(f"{PLAYER}?.state === 'playing'", 60)
            time.sleep(1)  # by then it would be there
            if page.evaluate(f"{PLAYER}.stats.transport") != "webrtc":
                break
        self.wait_fresh(page, "door")
        page.evaluate("links.begin()")
        self.wait_webrtc(page)
        print(f"longest time without a picture {page.evaluate('Math.max(0, ...links.gaps)'):.0f} ms", flush=True)
        self.wait_fresh(page, "door")


class Network(RtcPages):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.camhub = cls.shared_hub([{"name": "door", "url": cls.server.url("h264")}])
        cls.camhub.wait_state("door", "up")

    def link(self):
        link = udp_link.UdpLink(self.camhub.rtc_port)
        self.addCleanup(link.close)
        return link

    def gaps(self, page, pictures=250):
        """The times in ms between the next so many pictures."""
        page.evaluate("links.begin()")
        page.wait_for(f"links.pictures > {pictures}", 60)
        return sorted(page.evaluate("links.gaps"))

    def check_loss(self, loss):
        link = self.link()
        page = self.page(self.camhub, udp=link.port, tcp=False)
        self.wait_webrtc(page)
        link.loss = loss
        gaps = self.gaps(page)
        delay = page.evaluate(f"{PLAYER}.delay")
        stats = page.evaluate(f"{PLAYER}.stats")
        print(f"{loss:.0%} lost ({link.lost} of {link.lost + link.passed}): between two pictures p95 {gaps[int(len(gaps) * 0.95)]:.0f} ms, "
              f"longest {gaps[-1]:.0f} ms; delay {delay}; {stats}", flush=True)
        self.assertGreater(link.lost, 10)
        self.assertEqual(page.evaluate("links.peers.length"), 1, "the session was given up")
        self.assertEqual(page.evaluate(f"{PLAYER}.stats.transport"), "webrtc")
        self.wait_fresh(page, "door")

    def test_three_percent_lost(self):
        self.check_loss(0.03)

    def test_ten_percent_lost(self):
        self.check_loss(0.1)

    def test_a_quarter_lost(self):
        self.check_loss(0.25)

    def test_jitter(self):
        link = self.link()
        page = self.page(self.camhub, udp=link.port, tcp=False)
        self.wait_webrtc(page)
        link.jitter_s = 0.06
        gaps = self.gaps(page)
        print(f"jitter of +-30 ms: p50 {gaps[len(gaps) // 2]:.0f} ms between two pictures, longest {gaps[-1]:.0f} ms; "
              f"delay {page.evaluate(PLAYER + '.delay')}", flush=True)
        self.assertEqual(page.evaluate("links.peers.length"), 1, "the session was given up")

    def test_no_way_at_all(self):
        link = self.link()
        link.blocked = True
        page = self.page(self.camhub, udp=link.port, tcp=False)
        self.wait_others(page)
        self.wait_fresh(page, "door")
        page.wait_for(f"{PLAYER}.stats.passedOver.webrtc", 60)
        self.assertIn("no way", page.evaluate(f"{PLAYER}.stats.passedOver.webrtc"))
        self.assertEqual(page.evaluate(f"{PLAYER}.stats.attempts"), 1)
        link.blocked = False
        page.evaluate("dispatchEvent(new Event('online'))")
        self.wait_webrtc(page)

    def test_udp_is_blocked_and_tcp_is_not(self):
        link = self.link()
        link.blocked = True
        page = self.page(self.camhub, udp=link.port)
        self.wait_webrtc(page)
        self.assertEqual(page.evaluate("links.pair()"), "tcp")
        self.wait_moving(page, "door")
        self.wait_fresh(page, "door")

    def test_way_that_closes(self):
        link = self.link()
        page = self.page(self.camhub, udp=link.port, tcp=False)
        self.wait_webrtc(page)
        page.evaluate("links.begin()")
        link.blocked = True
        began = time.monotonic()
        self.wait_others(page)
        took = time.monotonic() - began
        self.wait_moving(page, "door")
        print(f"others show after {took:.2f} s, longest time without a picture {page.evaluate('Math.max(0, ...links.gaps)'):.0f} ms", flush=True)
        self.wait_fresh(page, "door")
        link.blocked = False
        page.evaluate("dispatchEvent(new Event('online'))")
        self.wait_webrtc(page)
        self.wait_fresh(page, "door")

    def test_way_that_is_another_one_suddenly(self):
        link = self.link()
        page = self.page(self.camhub, udp=link.port, tcp=False)
        self.wait_webrtc(page)
        page.evaluate("links.begin()")
        link.rebind()
        self.wait_moving(page, "door", times=30)
        self.wait_webrtc(page)
        print(f"the client's port changed: longest time without a picture {page.evaluate('Math.max(0, ...links.gaps)'):.0f} ms, "
              f"sessions {page.evaluate('links.peers.length')}", flush=True)
        self.wait_fresh(page, "door")

    def test_thin_link(self):
        link = self.link()
        page = self.page(self.camhub, udp=link.port, tcp=False)
        self.wait_webrtc(page)
        link.rate_bps = 300e3
        link.queue_s = 2
        page.evaluate("links.begin()")
        until(lambda: link.passed > 0 and page.evaluate("links.pictures") > 10, "pictures", 60)
        gaps = sorted(page.evaluate("links.gaps"))
        print(f"thin: longest queue {1000 * link.worst_s:.0f} ms, longest gap {gaps[-1]:.0f} ms, {page.evaluate(PLAYER + '.stats')}", flush=True)
        self.wait_fresh(page, "door")


if __name__ == "__main__":
    rig.main()
