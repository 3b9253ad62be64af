#!/usr/bin/python3 -B
"""The parts of the player that need no DOM, run in a real browser: where to play, when to try again, what to
say, how to lay out the wall."""

import struct

import mock_front
import web_rig

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


class Logic(web_rig.Parts):
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

    def test_when_to_try_webrtc_again(self):
        got = self.run_js("""
          const { Tries } = await import("./tries.js");
          // The pause after that failure at that time.
          const pause = (tries, now, kind) => {
            tries.failed(now, kind, kind);
            let ms = 0;
            while (!tries.isDue(now + ms)) ms += 10;
            return ms;
          };
          const fresh = () => new Tries({ random: () => 1 });
          const path = fresh(), lost = fresh(), busy = fresh(), refused = fresh(), flaps = fresh();
          const seen = { first: fresh().isDue(0), path: [0, 1e5, 2e5, 3e5, 4e5, 5e5].map((at) => pause(path, at, "path")),
            lost: pause(lost, 0, "lost"), busy: [0, 1, 2].map((at) => pause(busy, at * 1000, "busy")),
            refused: pause(refused, 0, "refused"), flaps: [0, 1000, 2000, 3000, 4000].map((at) => pause(flaps, at, "lost")),
            why: [path.why] };
          path.good(6e5); seen.why.push(path.why); seen.after = pause(path, 6e5 + 60000, "path");
          refused.forget(); seen.forgotten = refused.isDue(1);
          return seen;""")
        self.assertTrue(got["first"])
        self.assertEqual(got["path"], [20000, 40000, 80000, 160000, 300000, 300000])
        self.assertEqual((got["lost"], got["busy"]), (100, [100, 200, 400]))
        self.assertEqual(got["refused"], 300000)
        self.assertEqual(got["flaps"][3], 20000, "what is lost again and again is tried for ever")
        self.assertLess(max(got["flaps"][:3] + got["flaps"][4:]), 2000)
        self.assertEqual(got["why"], ["path", ""])
        self.assertEqual((got["after"], got["forgotten"]), (20000, True))

    # Coming in

    def test_a_login_leads_to_pages_of_ours_alone(self):
        got = self.run_js("""
          const { afterLogin, loginUrl } = await import("./login-words.js");
          const base = new URL("http://host/cams/");
          const wanted = [null, "", "door", "?cameras=a,b&kiosk=1", "//evil.example", "/x", "\\\\evil", "../x"];
          return [wanted.map((text) => afterLogin(text, base).href),
                  loginUrl("http://host/cams/?cols=2", new URL("wall.js", base)).href,
                  loginUrl("http://host/cams/", new URL("wall.js", base)).href];""")
        home = "http://host/cams/"
        self.assertEqual(got, [[home, home, home + "door", home + "?cameras=a,b&kiosk=1", home, home, home, home],
                               home + "login?next=%3Fcols%3D2", home + "login"])

    def test_a_failed_login_says_why(self):
        got = self.run_js("""
          const { loginWords } = await import("./login-words.js");
          return [loginWords(200), loginWords(401), loginWords(429, "6"), loginWords(503), loginWords(0), loginWords(418)];""")
        self.assertEqual(got[0], "")
        self.assertIn("wrong", got[1])
        self.assertIn("6 s", got[2])
        self.assertEqual(len({*got}), 6)

    # How it comes

    def test_pages_name_the_modules_they_need(self):
        for path, root in (("", "wall.js"), ("nobody", "camera.js")):
            page = self.chromium.page()
            self.addCleanup(page.close)
            page.goto(self.front.url + path)
            page.wait_for("document.querySelector('.toolbar, camhub-player') !== null", 20)
            got = page.evaluate("""({
              named: [...document.querySelectorAll("link[rel=modulepreload]")].map((link) => link.href),
              loaded: performance.getEntriesByType("resource").map((one) => one.name).filter((url) => /[.]js$/.test(url)),
            })""")
            self.assertEqual(sorted(set(got["named"]) | {self.front.url + mock_front.FOLDER + root}), sorted(set(got["loaded"])))
            imports = page.evaluate("""(async () => {
              const files = performance.getEntriesByType("resource").map((one) => one.name).filter((url) => /[.]js$/.test(url));
              const texts = await Promise.all(files.map(async (url) => (await fetch(url)).text()));
              return texts.flatMap((text) => [...text.matchAll(/"[.]\\/([a-z0-9-]+[.]js)"/g)].map((match) => match[1]));
            })()""")
            self.assertEqual({url.rpartition("/")[2] for url in got["named"]} - set(imports), set(), "nobody needs these")

    # What travels

    def test_header(self):
        data = struct.pack("<BBHHHIIqqq", 1, 0, 513, 5, 65535, 4000000000, 40000, 7200000000,
                           1790000000123456, 1790000000000001) + b"abc"
        got = self.run_js(f"""
          const {{ readFrame, bytesOf }} = await import("./wire.js");
          const whole = new Uint8Array({list(data)});
          const frame = readFrame(whole.buffer);
          const bad = [];
          for (let i = 0; i < 40; i += 1) bad.push(readFrame(whole.slice(0, i).buffer));
          bad.push(readFrame(Uint8Array.from(whole, (byte, i) => i ? byte : 2).buffer));
          return {{ ...frame, payload: [...frame.payload], bad: bad.filter(Boolean).length,
            bytes: [[...bytesOf("AP8=")], bytesOf(""), bytesOf("*"), bytesOf(5), bytesOf(undefined)] }};""")
        self.assertEqual(got, {
            "track": 0, "id": 513, "key": True, "damaged": False, "behind": True, "version": 65535, "seq": 4000000000,
            "durationUs": 40000, "ptsUs": 7200000000, "arrivedUs": 1790000000123456, "capturedUs": 1790000000000001,
            "payload": [97, 98, 99], "bad": 0, "bytes": [[0, 255], None, None, None, None]})

    # What to try, what to decode, when to show

    def test_ladder(self):
        got = self.run_js("""
          const { Ladder } = await import("./ladder.js");
          const ladder = new Ladder(["webcodecs", "mse", "mjpeg"]);
          const seen = [ladder.pick(0)];
          seen.push(ladder.broke("webcodecs", 0), ladder.broke("webcodecs", 1000), ladder.broke("webcodecs", 70000));
          seen.push(ladder.broke("webcodecs", 71000), ladder.broke("mse", 72000), ladder.broke("webcodecs", 72000));
          seen.push(ladder.broke("webcodecs", 72000), ladder.pick(72000));
          seen.push(ladder.refuse("webcodecs", "gave up", 72000), ladder.pick(72000), ladder.refusals);
          seen.push(ladder.refuse("mse", "no", 80000), ladder.refuse("mse", "still no", 80000), ladder.pick(80000));
          seen.push(ladder.refuse("mjpeg", "no", 80000), ladder.refuse(null, "no", 80000), ladder.pick(80000));
          seen.push(ladder.pick(373000));
          ladder.forget(); seen.push(ladder.pick(80000));
          return seen;""")
        self.assertEqual(got, ["webcodecs", False, False, False, False, False, True, False, "webcodecs",
                               True, "mse", {"webcodecs": "gave up"}, True, False, "mjpeg", True, False, None,
                               "webcodecs", "webcodecs"])

    def test_choice(self):
        got = self.run_js("""
          const { Choice } = await import("./choice.js");
          const old = "avc1.640029", both = `${old},hvc1.1.6.L153.B0`, camera = { camera: "door", quality: "main" };
          const can = new Map([["webrtc", { form: "", codecs: "", why: "" }],
            ["webcodecs", { form: "unit", codecs: old, why: "" }], ["mse", { form: "fmp4", codecs: both, sounds: "opus", why: "" }],
            ["mjpeg", { form: "jpeg", codecs: "", why: "no canvas" }]]);
          const begin = (modes, muted) => new Choice(can, modes, muted);
          const wish = (choice) => { const { forms, codecs, audio } = choice.wish(camera); return [forms.join(), codecs, audio]; };
          const choice = begin(["webrtc", "webcodecs", "mse", "mjpeg"], true);
          const seen = [choice.pick(0), wish(choice), choice.canDoWithout("door.h264"), choice.canDoWithout("door")];
          seen.push(choice.failed("codec", "no H.265", "webcodecs", undefined, 0), choice.pick(0), wish(choice));
          // It says that it plays H.265, and does not: the server is asked for H.264, and keeps making it.
          seen.push(choice.failed("codec", "broken H.265", "mse", "hvc1.2.4.L153", 0), choice.pick(0), wish(choice));
          seen.push(choice.canDoWithout("door.h264"), choice.note("mse"));
          seen.push(choice.failed("codec", "nothing", "mse", "avc1.640029", 0), choice.pick(0), wish(choice));
          seen.push(choice.refusals, choice.nothingLeft("why"), choice.pick(0));
          const loud = begin(["webcodecs", "mse"], false);
          seen.push(loud.pick(0), wish(loud));
          for (let i = 0; i < 3; i += 1) seen.push(loud.failed("broken", "gave up", "mse", "hvc1.1.6.L153", i));
          seen.push(loud.pick(10), wish(loud), loud.pick(310000), wish(loud));
          const none = begin(["mjpeg"], true);
          seen.push(none.pick(0), none.nothingLeft(""), begin([], true).nothingLeft(""));
          return seen;""")
        old, both, every = "avc1.640029", "avc1.640029,hvc1.1.6.L153.B0", "avc1.640029,avc1.64002A,avc1.640033,hvc1.1.6.L153.B0"
        self.assertEqual(got, [
            "webcodecs", ["unit", old, False], True, False,
            True, "mse", ["fmp4", both, False],
            True, "mse", ["fmp4", old, False], False, "MSE: no H.265",
            True, None, ["fmp4", every, False],
            {"mjpeg": "no canvas", "webcodecs": "no H.265", "mse": "nothing"}, "no H.265", "webcodecs",
            "mse", ["fmp4", both + ",opus", True], False, False, True,
            "mse", ["fmp4", old + ",opus", True], "mse", ["fmp4", both + ",opus", True],
            None, "no canvas", "This browser has neither WebCodecs nor Media Source Extensions nor canvas pictures"])

    def test_decoder_that_cannot_keep_up(self):
        got = self.run_js("""
          const { DecodeQueue } = await import("./decodequeue.js");
          const queue = new DecodeQueue();
          const frame = (key, behind = false) => ({ key, behind, durationUs: 40000 });
          const seen = [queue.admit(frame(false), 0), queue.admit(frame(true, true), 0)];
          for (let i = 1; i < 250; i += 1) seen.push(queue.admit(frame(false, true), i));
          seen.push(queue.admit(frame(false), 250), queue.admit(frame(false), 200)); // live ones behind the burst
          const burst = [...new Set(seen.slice(1))];
          const overtaken = queue.admit(frame(true), 180);
          return { first: seen[0], burst, overtaken, caught: queue.admit(frame(false), 1), busy: queue.admit(frame(false), 20),
            over: queue.admit(frame(false), 40), still: queue.admit(frame(false), 3), key: queue.admit(frame(true), 40),
            then: queue.admit(frame(false), 1), slow: queue.admit({ key: false, behind: false, durationUs: 1e6 }, 5) };""")
        self.assertEqual(got, {"first": "drop", "burst": ["decode"], "overtaken": "reset", "caught": "decode", "busy": "decode", "over": "drop",
                               "still": "drop", "key": "reset", "then": "decode", "slow": "decode"})

    def test_pictures_wait_only_when_they_come_in_clumps(self):
        got = self.run_js("""
          const { Pacing } = await import("./pacing.js");
          // late(i): ms after its time; the waits, and the gaps between pictures as shown.
          const run = (late, frames = 400) => {
            const pacing = new Pacing();
            let last = 0, shown = [];
            for (let i = 0; i < frames; i += 1) {
              const now = Math.max(last, 1000 + i * 40 + late(i)); // over one connection
              pacing.arrived(last = now, i * 40000);
              shown.push(pacing.due(now, i * 40000) - now);
            }
            return { wait: pacing.waitMs, most: Math.max(...shown), last: shown.at(-1) };
          };
          const tidy = (i) => i % 3 * 5, clumps = (i) => (3 - i % 4) * 40, wild = (i) => i % 20 ? 0 : 900,
            few = (i) => i % 8 ? 0 : 38;
          return { tidy: run(tidy), clumps: run(clumps), calmed: run((i) => i < 200 ? clumps(i) : tidy(i)), wild: run(wild),
            few: run(few) };""")
        self.assertEqual(got["tidy"], {"wait": 0, "most": 0, "last": 0})
        self.assertEqual(got["few"], {"wait": 0, "most": 0, "last": 0})
        self.assertAlmostEqual(got["clumps"]["wait"], 120, delta=1)
        self.assertEqual(got["calmed"]["wait"], 0)
        self.assertLessEqual(got["wild"]["most"], 200)

    def test_watch(self):
        got = self.run_js("""
          const { Watch } = await import("./watch.js");
          const run = (interval, live, more = () => {}) => {
            const watch = new Watch(), seen = [];
            let now = 0, last = "";
            watch.begin(0);
            for (let i = 0; i < 20 && live; i += 1) {
              watch.data(now += interval);
              watch.presented(now, i > 0);
            }
            const start = now;
            for (; now < start + 60000 && seen.length < 3; now += 100) {
              more(watch, now - start, now);
              const { frozenMs, wrong } = watch.judge(now, live), said = wrong || (frozenMs ? "frozen" : "");
              if (said !== last) seen.push([said, now - start]);
              last = said;
            }
            return seen;
          };
          const data = (watch, since, now) => watch.data(now);
          const decodes = (watch, since, now) => { watch.data(now); if (since < 30000) watch.worked(now); };
          return { none: run(40, true), stuck: run(40, true, data), slow: run(2000, true), first: run(40, false, data),
            join: run(40, false, decodes), nothing: run(40, false) };""")
        self.assertEqual(got["none"], [["frozen", 2600], ["silent", 10100]])
        self.assertEqual(got["stuck"], [["frozen", 2600], ["stuck", 5100]])
        self.assertGreater(got["slow"][0][1], 6000)
        self.assertEqual(got["first"][-1], ["stuck", 15100])
        self.assertEqual(got["join"][-1], ["stuck", 32400])
        self.assertEqual(got["nothing"][-1], ["silent", 10100])

    def test_quality_by_width(self):
        got = self.run_js("""
          const { AutoQuality } = await import("./quality.js");
          const auto = new AutoQuality();
          return [900, 959, 960, 900, 801, 799, 900, 2000].map((width) => auto.pixels(width));""")
        self.assertEqual(got, [900, 959, 960, 960, 960, 799, 900, 2000])

    def test_source_that_never_opens_leaves_no_url(self):
        got = self.run_js("""
          const { Mse } = await import("./mse.js");
          const { createObjectURL, revokeObjectURL } = URL;
          const made = [], revoked = [];
          URL.createObjectURL = (what) => { made.push(createObjectURL(what)); return made.at(-1); };
          URL.revokeObjectURL = (url) => { revoked.push(url); revokeObjectURL(url); };
          try {
            const mse = new Mse({ video: document.createElement("video"), targetMs: 60, report: {} });
            mse.config({ version: 1, codec: "avc1.640029", init: "AAAA" });
            mse.frame({ version: 1, key: true, behind: true, ptsUs: 0, durationUs: 40000, payload: new Uint8Array(1) });
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
          const { delayText, describe, sentence, skippedText, errorText } = await import("./words.js");
          const now = new Date(2026, 4, 3, 14, 0).getTime(), then = new Date(2026, 4, 3, 12, 31).getTime();
          const facts = { camera: null, link: "open", linkDownFor: 0, stillFor: 0, why: "", hasPicture: true, unknown: false,
            frozenSince: 0, live: false, unsupported: "", note: "", paused: false, blocked: false };
          const camera = (state, reason = "no answer") => ({ camera: { state, since: then, reason } });
          const say = (more) => describe({ ...facts, ...more }, now);
          return {
            live: say({ live: true }), first: say({ hasPicture: false }), down: say(camera("down")),
            old: describe({ ...facts, ...camera("down") }, now + 86400000),
            stalled: say(camera("stalled")), refused: say(camera("refused", "")), off: say(camera("off", "")),
            frozen: say({ live: true, frozenSince: then }), blip: say({ link: "waiting", linkDownFor: 300 }),
            old_link: say({ link: "waiting", linkDownFor: 300, stillFor: 9000, why: "No data" }),
            switching: say({}), waiting: say({ stillFor: 9000, why: "no data" }),
            lost: say({ link: "waiting", linkDownFor: 3000 }), black: say({ link: "waiting", hasPicture: false }),
            opening: say({ link: "opening", hasPicture: false }), blocked: say({ blocked: true }),
            cannot: say({ unsupported: "this browser cannot play H.265" }), paused: say({ paused: true }),
            damaged: say({ live: true, damaged: true, note: "MJPEG" }),
            ways: ["ok", "thin"].map((way) => say({ live: true, direct: true, way, note: "MSE" }).detail),
            unknown: say({ unknown: true, hasPicture: false, why: "there is no camera “x” here" }),
            read: sentence("Front door", say(camera("down"))), readLive: sentence("Front door", say({ live: true })),
            skipped: [skippedText({ ms: 1500 }), skippedText({ frames: 3 }), skippedText(null)],
            error: errorText("stream not found"), codec: errorText("the camera delivers H.265, which is not among codecs"),
            odd: errorText("nothing that the camera has is among codecs and forms"),
            delay: [delayText(null), delayText({ p50: 30.6, basis: "arrival" }), delayText({ p50: 1432, basis: "capture" })] };""")
        self.assertEqual(got["live"], {"state": "playing", "headline": "", "detail": "", "dim": False})
        self.assertEqual(got["damaged"], {"state": "playing", "headline": "", "detail":
                                          "Damaged on the way from the camera", "dim": False})
        self.assertEqual(got["ways"], ["", "Slow connection: a smaller picture"])
        self.assertEqual(got["down"], {"state": "offline", "headline": "Offline since 12:31",
                                       "detail": "No answer", "dim": True})
        self.assertRegex(got["old"]["headline"], r"since .*3.*12:31")
        self.assertEqual(got["stalled"]["headline"], "Picture frozen since 12:31")
        self.assertEqual(got["frozen"]["state"], "stalled")
        self.assertEqual((got["blip"]["headline"], got["switching"]["headline"]), ("", ""))
        self.assertEqual(got["waiting"], {"state": "connecting", "headline": "Waiting for a new picture", "detail": "No data",
                                          "dim": True})
        self.assertTrue(got["old_link"]["dim"])
        # Without a picture a tile always says why.
        for name in ("first", "black", "opening", "cannot", "paused", "lost", "off", "refused", "blocked", "unknown"):
            self.assertNotEqual(got[name]["headline"], "", name)
        self.assertEqual(got["read"], "Front door: Offline since 12:31, No answer")
        self.assertEqual(got["readLive"], "Front door: live")
        self.assertEqual(got["skipped"], ["Slow connection: 1.5 s skipped", "Slow connection: 3 pictures skipped",
                                          "Slow connection: pictures skipped"])
        self.assertEqual(got["delay"], ["", "31 ms", "1.4 s since capture"])
        self.assertEqual(got["error"], "stream not found")
        self.assertEqual(got["codec"], "this browser cannot play H.265")
        self.assertEqual(got["odd"], "this browser can play nothing that the camera has")

    def test_streams(self):
        got = self.run_js("""
          const { camerasOf, chosen } = await import("./streams.js");
          const all = camerasOf({ b: { order: 1, group: "Yard" }, "a.sub": { sub: true, camera: "a", order: 0 },
            a: { order: 0, title: "A <b>" }, c: null, "x.sub": { sub: true, camera: "x" },
            "a.h264": { transcoded: true, camera: "a" }, "a.sub.h264": { transcoded: true, camera: "a" } });
          return [all, chosen(all, "b, a,nope,b").map((one) => one.name), chosen(all, null).length];""")
        self.assertEqual([one["name"] for one in got[0]], ["a", "c", "b"])
        self.assertEqual(got[0][0]["title"], "A <b>")
        self.assertEqual([one["group"] for one in got[0]], ["", "", "Yard"])
        self.assertEqual(got[1:], [["b", "a"], 3])


if __name__ == "__main__":
    web_rig.main()
