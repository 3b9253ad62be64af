#!/usr/bin/python3 -B
"""One camera's session, with a connection and a stage that only note what they are told, and the element around
it, in a real browser."""

import web_rig


class Session(web_rig.Parts):
    # A session whose subscriptions are `subs`; what it told is in `events`, the stills it showed are counted.
    SESSION = """
      const { Session } = await import("./session.js");
      const { ClockSync } = await import("./clocksync.js");
      const { describe } = await import("./words.js");
      const { setInterval, fetch } = window, { now } = performance;
      const ticks = [], events = [], subs = [], boxes = [];
      let later = 0, stills = 0, fetches = 0;
      performance.now = () => now.call(performance) + later;
      window.setInterval = (what) => { ticks.push(what); return 0; };
      const canvas = document.createElement("canvas"), video = document.createElement("video");
      const jpeg = await new Promise((done) => canvas.toBlob(done, "image/jpeg"));
      const payload = new Uint8Array(await jpeg.arrayBuffer());
      window.fetch = async () => { fetches += 1; return new Response(jpeg); };
      const connection = { clock: new ClockSync(), link: "open", why: "", connections: 1, retry() {}, webrtc: { ready: false, servers: [] },
        subscribe(wish, to) {
          subs.push({ wish, to, close() {}, pause() {}, change() {} });
          return subs.at(-1);
        } };
      const session = new Session({ connection, base: new URL(location.href), camera: "door", quality: "main",
        pixels: 640, muted: true, targetMs: 40, basis: null, modes: ["webcodecs", "mse", "mjpeg"],
        stage: { video, canvas, hasPicture: false, keepStill() {}, showBoxes(drawn) { boxes.push(drawn); }, showLive() { this.hasPicture = true; },
          showStill(picture) { picture.close(); stills += 1; this.hasPicture = true; } },
        onChange() {}, onPlaying: () => events.push("playing"), onStalled: () => events.push("stalled"), onNotice() {},
        onAnalysed: () => events.push("analysed") });
      const tick = (ms) => { later += ms; ticks.at(-1)(); };
      const settle = () => new Promise((done) => setTimeout(done, 20));
      const until = async (what) => { while (!what()) await settle(); };
      const says = (type, more) => subs.at(-1).to.message({ type, ...more });
      const state = (name, reason = "") => says("state", { state: name, reason, since_ms: 1, server_ms: 2 });
      const frame = () => subs.at(-1).to.frame({ track: 0, seq: 0, key: true, damaged: false, behind: false, version: 1,
        ptsUs: later, durationUs: 40000, arrivedUs: 1, capturedUs: 0, payload });
      const picture = async () => {
        says("config", { form: "jpeg", version: 1, stream: "door", codec: "mjpeg" });
        frame();
        await until(() => session.facts.live);
      };
      const said = () => { const { headline, detail, dim } = describe(session.facts, Date.now()); return [headline, detail, dim]; };
      session.start();
      await until(() => subs.length > 0);
      try {
        %s
      } finally {
        session.stop();
        Object.assign(window, { setInterval, fetch });
        delete performance.now;
      }"""

    def session(self, body):
        return self.run_js(self.SESSION % body)

    def test_results_are_of_the_picture_that_is_shown(self):
        got = self.session("""
          const result = (us, label, seq = 0) => says("result", { analyser: "a", stream: "door", seq, arrived_us: us,
            objects: [{ box: [0, 0, 1, 1], label }] });
          const drawn = () => boxes.at(-1)?.map(({ result, exact }) => [result.objects[0].title, exact]) ?? [];
          await picture();
          result(1, "unasked");
          const unasked = [events.length, boxes.length];
          session.overlay = true;
          const empty = drawn();
          result(1, "now");
          frame();
          const shown = () => session.stats.frames;
          let before = shown();
          await until(() => shown() > before || drawn().length > 0);
          const one = drawn();
          result(5, "of a frame that is not there yet");
          const same = drawn();
          session.overlay = false;
          return { unasked, empty, one, same, off: drawn(), events, wishes: subs.map(({ wish }) => wish.overlay ?? false) };""")
        self.assertEqual(got["unasked"][0], 1, "told of results that nobody asked for")  # "playing"
        self.assertEqual(got["empty"], [])
        self.assertEqual(got["one"], [["now", True]])
        self.assertEqual(got["same"], [["now", True]])
        self.assertEqual(got["off"], [])
        self.assertEqual(got["events"], ["playing", "analysed"])
        self.assertEqual(got["wishes"], [False])

    def test_events_come_when_it_changes(self):
        got = self.session("""
          const seen = [];
          const note = () => { seen.push(events.splice(0).join()); };
          state("down"); says("error", { code: "busy" }); note(); // it never played
          session.retry(); state("up"); await picture(); note();
          state("up", "other words"); note();
          state("down"); note();
          state("down", "other words"); says("error", { code: "busy" }); note();
          session.retry(); state("up"); await picture(); note();
          session.pause(); note();
          session.resume(); await picture(); note();
          session.stop(true); note();
          session.start(); await until(() => subs.length > 3); await picture(); note();
          connection.link = "waiting"; subs.at(-1).to.link("waiting", "gone"); subs.at(-1).to.link("waiting", "gone"); note();
          return seen;""")
        self.assertEqual(got, ["", "playing", "", "stalled", "", "playing", "", "playing", "", "playing", "stalled"])

    def test_what_was_unknown_is_not_when_the_server_is_away(self):
        got = self.session("""
          says("error", { code: "not-found" });
          const seen = [said()];
          connection.link = "waiting";
          session.retry();
          seen.push(said());
          subs.at(-1).to.link("waiting", "The server does not answer");
          seen.push(said());
          return seen;""")
        self.assertEqual(got, [["No such camera", "There is no camera “door” here", False],
                               ["No connection", "Trying again", False],
                               ["No connection", "The server does not answer", False]])

    def test_mode_that_never_begins_is_left(self):
        got = self.session("""
          const { MediaStreamTrackGenerator } = window, seen = [], errors = [];
          window.MediaStreamTrackGenerator = class { constructor() { throw new Error("no generator"); } };
          try {
            for (let i = 0; i < 4; i += 1) {
              const forms = subs.at(-1).wish.forms.join();
              try {
                says("config", { form: forms.split(",")[0], version: 1, stream: "door", codec: "avc1.640029", init: "AAAA" });
              } catch (error) {
                errors.push(error.message);
              }
              seen.push(forms);
              session.retry();
            }
          } finally {
            window.MediaStreamTrackGenerator = MediaStreamTrackGenerator;
          }
          return [seen, errors, session.stats.passedOver];""")
        self.assertEqual(got[0], ["unit,jpeg"] * 3 + ["fmp4,jpeg"])
        self.assertEqual(got[1:], [[], {"webcodecs": "no generator"}])

    def test_mode_whose_configuration_never_comes_is_left(self):
        got = self.session("""
          const seen = [];
          for (let i = 0; i < 4; i += 1) {
            seen.push(subs.at(-1).wish.forms.join());
            later += 16000;
            frame();
            tick(0);
            session.retry();
          }
          return [seen, session.stats.passedOver];""")
        self.assertEqual(got, [["unit,jpeg"] * 3 + ["fmp4,jpeg"],
                               {"webcodecs": "The picture stands still although data comes"}])

    def test_still_of_what_cannot_be_played_is_made_anew(self):
        got = self.session("""
          const seen = [];
          const refuse = async () => {
            for (let i = 0; i < 3; i += 1) {
              says("error", { code: "codec", text: "the camera delivers H.265, which is not among codecs" });
              session.retry();
            }
          };
          const note = async (ms) => { tick(ms); await until(() => stills === fetches); seen.push(stills); };
          await note(0);
          await refuse();
          await note(0); await note(30000);
          await note(31000); // the same in a minute
          await note(1000);
          session.pause(); await note(61000); // nobody sees it
          session.resume(); await note(1000);
          seen.push(said());
          return seen;""")
        self.assertEqual(got[:-1], [0, 1, 1, 2, 2, 2, 3])
        self.assertEqual(got[-1], ["Cannot be shown here", "This browser cannot play H.265", True])

    def test_still_of_what_is_refused(self):
        got = self.session("""
          const seen = [];
          const note = async (ms) => { tick(ms); await until(() => stills === fetches); seen.push([stills, ...said()]); };
          state("down", "no answer"); await note(0);
          state("refused", "no place for another transcoder"); await note(0);
          await note(61000);
          state("up"); await note(61000);
          return seen;""")
        self.assertEqual([one[0] for one in got], [0, 1, 2, 2])
        self.assertEqual(got[1][2:], ["No place for another transcoder", True])
        self.assertRegex(got[1][1], "^Refused since ")

    def test_no_black_picture_is_kept_of_a_video_that_seeks(self):
        got = self.run_js("""
          const { View } = await import("./view.js");
          const root = document.createElement("div").attachShadow({ mode: "open" }), seen = [];
          const view = new View(root, () => {}), { video } = view, frame = root.querySelector(".frame");
          const as = (readyState) => Object.defineProperties(video, {
            videoWidth: { value: 320, configurable: true }, videoHeight: { value: 180, configurable: true },
            readyState: { value: readyState, configurable: true } });
          for (const readyState of [1, 2]) {
            as(readyState);
            view.showLive("video");
            const picture = await view.snapshot();
            view.keepStill();
            seen.push([picture !== null, frame.dataset.surface, view.hasPicture]);
          }
          return seen;""")
        self.assertEqual(got, [[False, "none", False], [True, "canvas", True]])

    def test_form_that_is_none(self):
        got = self.session("""
          const { transportFor } = await import("./capabilities.js");
          for (const form of ["constructor", "toString", "__proto__", "", 7, null, undefined, {}])
            says("config", { form, version: 1, stream: "door" });
          return [["constructor", "toString", "__proto__", "gif"].map(transportFor), session.transport, transportFor("jpeg").name];""")
        self.assertEqual(got, [[None] * 4, "", "mjpeg"])


class Element(web_rig.Parts):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.front.add("hall.sub", sub_of="hall")  # second streams have no tile

    def test_no_picture_under_another_name(self):
        got = self.run_js("""
          const player = document.createElement("camhub-player"), seen = [];
          player.setAttribute("camera", "hall.sub");
          document.body.prepend(player);
          const frame = player.shadowRoot.querySelector(".frame");
          const playing = async () => {
            while (player.state !== "playing") await new Promise((done) => setTimeout(done, 20));
          };
          const note = () => seen.push(frame.dataset.surface !== "none");
          try {
            await playing(); note();
            player.remove(); document.body.prepend(player); note(); // it only moves
            player.remove(); player.setAttribute("camera", "nobody"); document.body.prepend(player); note();
            player.setAttribute("camera", "hall.sub"); await playing(); note();
            player.setAttribute("modes", "webcodecs,mjpeg"); note();
            await playing();
            player.setAttribute("src", "elsewhere/"); note();
          } finally {
            player.remove();
          }
          return seen;""")
        self.assertEqual(got, [True, True, False, True, True, False])

    def test_src_that_is_no_address(self):
        got = self.run_js("""
          const player = document.createElement("camhub-player"), seen = [], thrown = [];
          const words = () => player.shadowRoot?.querySelector(".said").innerText.replace(/\\s+/g, " ");
          addEventListener("error", (event) => { thrown.push(event.message); event.preventDefault(); }, { once: true });
          player.setAttribute("camera", "hall.sub");
          player.setAttribute("src", "https://");
          document.body.prepend(player);
          try {
            seen.push(player.state, words(), player.sentence);
            player.setAttribute("label", "Hall");
            player.setAttribute("src", "mailto:somebody");
            seen.push(player.sentence);
            player.setAttribute("src", "./");
            for (let i = 0; i < 1000 && player.state !== "playing"; i += 1) await new Promise((done) => setTimeout(done, 20));
            seen.push(player.state);
          } finally {
            player.remove();
          }
          return [seen, thrown];""")
        self.assertEqual(got, [["unsupported", "Cannot be shown here The attribute src is no address",
                                "hall.sub: Cannot be shown here, The attribute src is no address",
                                "Hall: Cannot be shown here, The attribute src is no address", "playing"], []])


if __name__ == "__main__":
    web_rig.main()
