#!/usr/bin/python3 -B
"""The parts of the player that need no DOM, run in a real browser: where to play, when to try again, what to
say, how to lay out the wall."""

import sys
import unittest

import browser
import mock_front

# A synthetic stream: frames of `interval` s, each late(i) s late, and after frame `at` of `pauses` all later by so
# much; `skips`: the timeline jumps there. The playhead begins `behind` s behind the edge and moves as a video
# element's does. What it did, and what the clock showed in the end:
SIMULATE = """
async (options) => {
  const { LiveEdge } = await import("./liveedge.js");
  const { interval = 0.04, frames = 500, late = [0], rates = true, pauses = {}, skips = {} } = options;
  const live = new LiveEdge({ targetMs: 60, rates });
  live.expect(interval);
  const sum = (table, i) => Object.entries(table).reduce((all, [at, s]) => all + (i >= at ? s : 0), 0);
  const seeks = [], rateLog = [], ranges = [[-20, 0]];
  let position = null, rate = 1, underruns = 0, wasDry = false, lag = null, i = 0;
  for (let now = 1000; i < frames; now += 1) {
    while (i < frames && now >= 1000 * (1 + i * interval + late[i % late.length] + sum(pauses, i))) {
      const start = i * interval + sum(skips, i);
      if (i in skips)
        ranges.push([start, start]);
      ranges.at(-1)[1] = start + interval;
      i += 1;
      live.appended(now, ranges.at(-1)[1]);
      position ??= ranges[0][1] - (options.behind ?? live.target);
    }
    if (position === null)
      continue;
    const said = live.decide(now, position, ranges);
    if (said.seek !== null) {
      seeks.push(said.seek);
      position = said.seek;
    }
    if (said.rate !== rate)
      rateLog.push(rate = said.rate);
    const edge = ranges.findLast(([start]) => position >= start - 0.001)?.[1] ?? 0;
    const dry = position + 0.001 * rate >= edge;
    position = dry ? Math.max(position, edge) : position + 0.001 * rate;
    if (dry && !wasDry) {
      underruns += 1;
      live.underrun(now, position);
    }
    wasDry = dry;
    lag = live.lag(now, position);
  }
  return { lag, target: live.target, seeks, rates: rateLog, underruns, behind: ranges.at(-1)[1] - position,
           jitter: live.jitter, interval: live.interval };
}
"""


class Logic(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.front = mock_front.MockFront([])
        cls.enterClassContext(cls.front)
        cls.chromium = cls.enterClassContext(browser.Browser())
        cls.page = cls.chromium.page()
        cls.page.goto(cls.front.url)

    def run_js(self, body):
        return self.page.evaluate("(async () => {" + body + "})()")

    def simulate(self, options):
        return self.page.evaluate(f"({SIMULATE})({options})")

    # Where to play

    def test_steady_stream_needs_no_more_than_the_minimum(self):
        got = self.simulate("{}")
        self.assertAlmostEqual(got["target"], 0.060, delta=0.005)
        self.assertAlmostEqual(got["lag"], 0.060, delta=0.016)
        self.assertEqual((got["seeks"], got["underruns"]), ([], 0))

    def test_small_excess_is_caught_up_by_rate(self):
        got = self.simulate("{ behind: 0.5, frames: 900 }")
        self.assertLess(got["lag"], 0.08)
        self.assertTrue(got["rates"], "the rate was never changed")
        self.assertLessEqual(max(got["rates"]), 1.1)
        self.assertGreaterEqual(min(got["rates"]), 1.0)
        self.assertEqual((got["seeks"], got["underruns"]), ([], 0))

    def test_playhead_too_near_to_the_edge_falls_back_a_little(self):
        got = self.simulate("{ behind: 0.041 }")
        self.assertAlmostEqual(got["lag"], 0.06, delta=0.016)
        self.assertGreaterEqual(min(got["rates"]), 0.9)
        self.assertLess(got["underruns"], 20)

    def test_safari_changes_no_rate(self):
        got = self.simulate("{ behind: 0.5, rates: false }")
        self.assertEqual((got["rates"], got["seeks"]), ([], []))
        self.assertAlmostEqual(got["lag"], 0.5, delta=0.02)

    def test_large_excess_is_jumped_over(self):
        for rates in ("true", "false"):
            got = self.simulate(f"{{ behind: 3, rates: {rates} }}")
            self.assertEqual(len(got["seeks"]), 1)
            self.assertLess(got["lag"], 0.1)
        got = self.run_js("""
          const { LiveEdge } = await import("./liveedge.js");
          const live = new LiveEdge({ targetMs: 60 });
          return [live.decide(0, 1, [[0, 1.75]]), live.decide(0, 1, [[0, 1.77]])];""")
        self.assertIsNone(got[0]["seek"])
        self.assertAlmostEqual(got[1]["seek"], 1.71, delta=0.001)

    def test_jitter_raises_the_target_and_only_as_far(self):
        got = self.simulate("{ late: [0, 0.08, 0.01, 0.03, 0, 0.1, 0.02], frames: 800 }")
        self.assertGreater(got["target"], 0.155)
        self.assertLess(got["target"], 0.2)
        calm = self.simulate("{ late: [0, 0.004], frames: 800 }")
        self.assertLess(calm["target"], 0.07)

    def test_slow_camera_gets_one_interval(self):
        got = self.simulate("{ interval: 0.2, frames: 120 }")
        self.assertAlmostEqual(got["target"], 0.22, delta=0.015)
        self.assertEqual(got["underruns"], 0)

    def test_gap_is_jumped_over(self):
        got = self.simulate("{ frames: 300, skips: { 150: 30 } }")
        self.assertEqual(len(got["seeks"]), 1)
        self.assertLess(got["behind"], 0.15)

    def test_camera_away_does_not_make_it_hurry(self):
        # The server's timeline has no hole where the camera was away: the wall clock went on alone.
        got = self.simulate("{ frames: 300, pauses: { 150: 20 } }")
        self.assertEqual(got["seeks"], [])
        self.assertLessEqual(max(got["rates"] or [1]), 1.0)
        self.assertAlmostEqual(got["lag"], got["target"], delta=0.02)

    def test_underruns_in_a_row_set_it_to_the_edge(self):
        got = self.run_js("""
          const { LiveEdge } = await import("./liveedge.js");
          const live = new LiveEdge({ targetMs: 60 });
          for (let i = 0; i < 6; i += 1) live.underrun(1000 + i * 100, 1);
          return [live.decide(1600, 1, [[0, 1.5]]), live.decide(1600, 1, [[0, 1.5]])];""")
        self.assertIsNotNone(got[0]["seek"])
        self.assertIsNone(got[1]["seek"], "once is enough")

    # When to try again

    def test_backoff(self):
        got = self.run_js("""
          const { Backoff } = await import("./backoff.js");
          const whole = new Backoff({ random: () => 1 }), half = new Backoff({ random: () => 0 });
          const delays = [...Array(7)].map(() => whole.failed(0));
          const least = half.failed(0);
          whole.good(1000); const early = whole.failed(10999);
          whole.good(20000); const late = whole.failed(30000);
          whole.failed(30001); whole.reset();
          return { delays, least, early, late, reset: whole.failed(0) };""")
        self.assertEqual(got["delays"], [250, 500, 1000, 2000, 4000, 5000, 5000])
        self.assertEqual(got["least"], 125)
        self.assertEqual(got["early"], 5000)
        self.assertEqual(got["late"], 250)
        self.assertEqual(got["reset"], 250)

    def test_socket_that_opens_while_it_is_asked_why_not(self):
        got = self.run_js("""
          const { Session } = await import("./session.js");
          const { WebSocket, fetch } = window, { now } = performance;
          let socket = null, answer = null, later = 0, sockets = 0;
          window.WebSocket = class {
            constructor() { socket = this; sockets += 1; this.sent = []; }
            send(text) { this.sent.push(text); }
            close() { this.closed = true; }
          };
          const asked = new Promise((tell) => {
            window.fetch = () => { tell(); return new Promise((done) => answer = done); };
          });
          performance.now = () => now.call(performance) + later;
          const nothing = () => {};
          const session = new Session({ base: location.href, camera: "door", targetMs: 60, modes: ["mse", "mjpeg"],
            stage: { video: document.createElement("video"), canvas: document.createElement("canvas"),
              keepStill: nothing, showLive: nothing },
            onChange: nothing, onPlaying: nothing, onStalled: nothing, onNotice: nothing });
          try {
            session.start();
            later = 16000;
            await asked;
            socket.onopen();
            answer(new Response("{}"));
            await new Promise((done) => setTimeout(done));
            return { link: session.facts.link, closed: socket.closed === true, sockets };
          } finally {
            session.stop();
            Object.assign(window, { WebSocket, fetch });
            delete performance.now;
          }""")
        self.assertEqual(got, {"link": "open", "closed": False, "sockets": 1})

    def test_source_that_never_opens_leaves_no_url(self):
        got = self.run_js("""
          const { Mse } = await import("./mse.js");
          const { createObjectURL, revokeObjectURL } = URL;
          const made = [], revoked = [];
          URL.createObjectURL = (what) => { made.push(createObjectURL(what)); return made.at(-1); };
          URL.revokeObjectURL = (url) => { revoked.push(url); revokeObjectURL(url); };
          try {
            const mse = new Mse(document.createElement("video"), { targetMs: 60, report: {} });
            mse.text({ type: "mse", value: 'video/mp4; codecs="avc1.640029"' });
            mse.close();
            return { made, revoked };
          } finally {
            Object.assign(URL, { createObjectURL, revokeObjectURL });
          }""")
        self.assertEqual(len(got["made"]), 1)
        self.assertEqual(got["revoked"], got["made"])

    # How to lay out

    def test_layout_fits_and_is_the_largest(self):
        got = self.run_js("""
          const { layout } = await import("./layout.js");
          const bad = [];
          for (const [w, h] of [[1920, 1080], [1920, 1034], [1366, 768], [1280, 720], [3840, 2160], [1080, 1920],
                                [1024, 768]])
            for (let n = 1; n <= 64; n += 1) {
              const got = layout(n, w, h, 6), rows = Math.ceil(n / got.columns);
              const fits = got.columns * (got.width + 6) + 6 <= w && rows * (got.height + 6) + 6 <= h;
              let best = 0;
              for (let c = 1; c <= n; c += 1) {
                const r = Math.ceil(n / c);
                best = Math.max(best, Math.floor(Math.min((w - 6 * (c + 1)) / c, (h - 6 * (r + 1)) / r * 16 / 9)));
              }
              if (!fits || got.scroll || got.width !== best) bad.push([w, h, n, got]);
            }
          return { bad, phone: layout(9, 390, 844, 4), lying: layout(9, 844, 390, 4),
                   forced: layout(9, 1920, 1080, 6, 2), none: layout(0, 1920, 1080, 6) };""")
        self.assertEqual(got["bad"], [])
        self.assertEqual((got["phone"]["columns"], got["phone"]["scroll"]), (1, True))
        self.assertEqual(got["lying"]["columns"], 2)
        self.assertEqual((got["forced"]["columns"], got["forced"]["scroll"]), (2, True))

    def test_arrow_keys(self):
        got = self.run_js("""
          const { neighbour } = await import("./layout.js");
          return [neighbour("ArrowRight", 0, 7, 3), neighbour("ArrowLeft", 0, 7, 3), neighbour("ArrowDown", 1, 7, 3),
            neighbour("ArrowDown", 5, 7, 3), neighbour("ArrowDown", 6, 7, 3), neighbour("ArrowUp", 4, 7, 3),
            neighbour("ArrowUp", 1, 7, 3), neighbour("End", 0, 7, 3), neighbour("x", 2, 7, 3)];""")
        self.assertEqual(got, [1, 0, 4, 6, 6, 1, 1, 6, 2])

    # Groups, actions, kiosk

    def test_groups(self):
        got = self.run_js("""
          const { groupsOf, searchWith } = await import("./groups.js");
          const of = (...groups) => groupsOf(groups.map((group) => ({ group })));
          return { two: of("b", "", "a", "b"), one: of("a", ""), all: of("a", "a"), none: of("", ""), empty: of(),
            search: [searchWith("?cols=3&group=a", "b c&d"), searchWith("?group=a", ""), searchWith("", "x"),
                     searchWith("?group=a&kiosk=1", "")] };""")
        self.assertEqual((got["two"], got["one"]), (["b", "a"], ["a"]))
        self.assertEqual((got["all"], got["none"], got["empty"]), ([], [], []))
        self.assertEqual(got["search"], ["?cols=3&group=b+c%26d", "", "?group=x", "?kiosk=1"])

    def test_links_and_names(self):
        got = self.run_js("""
          const { cameraUrl, embedSnippets, snapshotName } = await import("./actions.js");
          const base = "https://h.example/cams/wall.js";
          return { url: cameraUrl(base, "door"), ...embedSnippets(base, "door", 'A "front" <door> & yard'),
                   name: snapshotName("door", new Date(2026, 4, 9, 8, 4, 59)) };""")
        self.assertEqual(got["url"], "https://h.example/cams/door")
        self.assertEqual(got["frame"], '<iframe src="https://h.example/cams/door" title="A &quot;front&quot; &lt;door&gt; '
                         '&amp; yard" width="640" height="360" allow="fullscreen"></iframe>')
        self.assertEqual(got["element"],
                         '<script type="module" src="https://h.example/cams/camhub-player.js"></script>\n'
                         '<camhub-player camera="door" label="A &quot;front&quot; &lt;door&gt; &amp; yard"></camhub-player>')
        self.assertEqual(got["name"], "door-2026-05-09-08-04-59.jpg")

    def test_a_new_version_is_believed_when_told_twice(self):
        got = self.run_js("""
          const { Renewal, isKiosk } = await import("./kiosk.js");
          const run = (...versions) => { const one = new Renewal(); return versions.map((v) => one.said(v)); };
          return { same: run("1", "1", "1"), other: run("1", "2", "2", "2"), torn: run("1", "2", "1", "2", "1"),
            away: run("1", null, "2", null, "2", "2"), late: run(null, null, "1", "1"), back: run("1", "2", "1", "1"),
            kiosk: ["", "?kiosk=1", "?kiosk", "?kiosk=0", "?a=kiosk"].map(isKiosk) };""")
        self.assertEqual(got["same"], [False] * 3)
        self.assertEqual(got["other"], [False, False, True, True])
        self.assertEqual(got["torn"], [False] * 5)
        self.assertEqual(got["away"], [False] * 5 + [True])
        self.assertEqual((got["late"], got["back"]), ([False] * 4, [False] * 4))
        self.assertEqual(got["kiosk"], [False, True, True, False, False])

    # What to say

    def test_words(self):
        got = self.run_js("""
          const { describe, sentence, skippedText, errorText } = await import("./words.js");
          const now = new Date(2026, 4, 3, 14, 0).getTime(), then = new Date(2026, 4, 3, 12, 31).getTime();
          const facts = { camera: null, link: "open", linkDownFor: 0, why: "", hasPicture: true, unknown: false,
            frozenSince: 0, live: false, unsupported: "", note: "", paused: false, blocked: false };
          const camera = (state, reason = "no answer") => ({ camera: { state, since: then, reason } });
          const say = (more) => describe({ ...facts, ...more }, now);
          return {
            live: say({ live: true }), first: say({ hasPicture: false }), down: say(camera("down")),
            old: describe({ ...facts, ...camera("down") }, now + 86400000),
            stalled: say(camera("stalled")), refused: say(camera("refused", "")), off: say(camera("off", "")),
            frozen: say({ live: true, frozenSince: then }), blip: say({ link: "waiting", linkDownFor: 300 }),
            lost: say({ link: "waiting", linkDownFor: 3000 }), black: say({ link: "waiting", hasPicture: false }),
            opening: say({ link: "opening", hasPicture: false }), blocked: say({ blocked: true }),
            cannot: say({ unsupported: "this browser cannot play H.265" }), paused: say({ paused: true }),
            damaged: say({ live: true, damaged: true, note: "MJPEG" }),
            unknown: say({ unknown: true, hasPicture: false, why: "there is no camera “x” here" }),
            read: sentence("Front door", say(camera("down"))), readLive: sentence("Front door", say({ live: true })),
            skipped: [skippedText({ ms: 1500 }), skippedText({ frames: 3 }), skippedText(null)],
            error: errorText("mse: stream not found"), codec: errorText("mse: codec hvc1.1.6.L63.90 is not among yours"),
            odd: errorText("mse: codec vp9 is not among yours") };""")
        self.assertEqual(got["live"], {"state": "playing", "headline": "", "detail": "", "dim": False})
        self.assertEqual(got["damaged"], {"state": "playing", "headline": "", "detail":
                                          "Damaged on the way from the camera", "dim": False})
        self.assertEqual(got["down"], {"state": "offline", "headline": "Offline since 12:31",
                                       "detail": "No answer", "dim": True})
        self.assertRegex(got["old"]["headline"], r"since .*3.*12:31")
        self.assertEqual(got["stalled"]["headline"], "Picture frozen since 12:31")
        self.assertEqual(got["frozen"]["state"], "stalled")
        self.assertEqual(got["blip"]["headline"], "")
        # Without a picture a tile always says why.
        for name in ("first", "black", "opening", "cannot", "paused", "lost", "off", "refused", "blocked", "unknown"):
            self.assertNotEqual(got[name]["headline"], "", name)
        self.assertEqual(got["read"], "Front door: Offline since 12:31, No answer")
        self.assertEqual(got["readLive"], "Front door: live")
        self.assertEqual(got["skipped"], ["Slow connection: 1.5 s skipped", "Slow connection: 3 pictures skipped",
                                          "Slow connection: pictures skipped"])
        self.assertEqual(got["error"], "stream not found")
        self.assertEqual(got["codec"], "this browser cannot play H.265")
        self.assertEqual(got["odd"], "this browser cannot play vp9")

    def test_streams(self):
        got = self.run_js("""
          const { camerasOf, chosen } = await import("./streams.js");
          const all = camerasOf({ b: { order: 1, group: "Yard" }, "a.sub": { sub: true, camera: "a", order: 0 },
            a: { order: 0, title: "A <b>" }, c: null, "x.sub": { sub: true, camera: "x" },
            "a.h264": { transcoded: true, camera: "a" }, "a.sub.h264": { transcoded: true, camera: "a" } });
          return [all, chosen(all, "b, a,nope,b").map((one) => one.name), chosen(all, null).length];""")
        self.assertEqual([one["name"] for one in got[0]], ["a", "c", "b"])
        self.assertEqual((got[0][0]["sub"], got[0][0]["title"]), ("a.sub", "A <b>"))
        self.assertEqual([one["group"] for one in got[0]], ["", "", "Yard"])
        self.assertEqual(got[1:], [["b", "a"], 3])

    # What is read from MP4

    def test_fmp4_key_frames(self):
        clip = mock_front.clip(gop=10)
        parts = ",".join(str(list(part)) for part in [clip.init, *clip.frames[:21]])
        got = self.run_js(f"""
          const {{ Fmp4Reader }} = await import("./fmp4.js");
          const reader = new Fmp4Reader();
          return [{parts}].map((part) => reader.read(new Uint8Array(part).buffer));""")
        self.assertTrue(got[0]["init"])
        self.assertEqual([one["fragments"] for one in got], [0] + [1] * 21)
        self.assertEqual([round(key, 3) for one in got for key in one["keys"]], [0, 1, 2])

    def test_fmp4_takes_any_bytes(self):
        clip = mock_front.clip(gop=10)
        got = self.run_js(f"""
          const {{ Fmp4Reader }} = await import("./fmp4.js");
          const init = new Uint8Array({list(clip.init)}), frame = new Uint8Array({list(clip.frames[0][:400])});
          let seed = 1;
          const random = () => (seed = seed * 1103515245 + 12345 & 0x7fffffff);
          for (let i = 0; i < 3000; i += 1) {{
            const reader = new Fmp4Reader();
            for (const whole of [init, frame]) {{
              const bytes = whole.slice(0, i % 2 ? random() % whole.length : whole.length);
              for (let k = 0; k < 4 && bytes.length; k += 1) bytes[random() % bytes.length] = random();
              reader.read(bytes.buffer);
            }}
          }}
          // A box that ends with the message although its fields would go on.
          const box = (type, ...parts) => {{
            const inside = parts.flat();
            return [0, 0, 0, 8 + inside.length, ...[...type].map((letter) => letter.charCodeAt(0)), ...inside];
          }};
          const reader = new Fmp4Reader();
          reader.read(init.buffer);
          const cut = box("moof", box("traf", box("tfhd", [0, 0, 0, 0, 0, 0, 0, 1]),
            box("tfdt", [0, 0, 0, 0, 0, 0, 0, 0]), box("trun")));
          return reader.read(new Uint8Array(cut).buffer);""")
        self.assertEqual(got, {"init": False, "fragments": 1, "keys": []})


if __name__ == "__main__":
    reason = browser.missing() or mock_front.missing()
    if reason:
        print("skipped:", reason)
        sys.exit(77)
    unittest.main(verbosity=2)
