#!/usr/bin/python3 -B
"""The page's connection, the clock of the server and the delay that follows from it, run in a real browser."""

import web_rig


class Link(web_rig.Parts):
    # The page's one connection

    CONNECTION = """
      const { connectionTo } = await import("./connection.js");
      const { WebSocket, fetch, setInterval } = window, { now } = performance;
      const sockets = [], said = [], ticks = [];
      let later = 0, answer = null;
      window.WebSocket = class {
        constructor() { sockets.push(this); this.sent = []; }
        send(text) { this.sent.push(JSON.parse(text)); }
        close() { this.closed = true; }
        says(message) { this.onmessage({ data: JSON.stringify(message) }); }
        of(type) { return this.sent.filter((message) => message.type === type); }
        answers(offsetMs) {
          const { t0 } = this.of("clock").at(-1), us = (performance.now() + offsetMs) * 1000;
          this.says({ type: "clock", t0, t1_us: us, t2_us: us });
        }
      };
      window.fetch = () => new Promise((done) => answer = done);
      window.setInterval = (what, every) => { ticks.push(what); return setInterval(() => {}, every); };
      performance.now = () => now.call(performance) + later;
      const tick = (ms) => { later += ms; ticks.forEach((what) => what()); };
      const settle = () => new Promise((done) => setTimeout(done));
      const subscriber = (name, reports = null) => ({
        link: (link, why) => said.push([name, link, why]), message: (message) => said.push([name, message.type]),
        frame: (frame) => said.push([name, frame.ptsUs]), report: () => reports });
      const connection = connectionTo(new URL("./" + Math.random() + "/", location.href));
      try {
        %s
      } finally {
        Object.assign(window, { WebSocket, fetch, setInterval });
        delete performance.now;
      }"""

    def connect(self, body):
        return self.run_js(self.CONNECTION % body)

    def test_socket_that_opens_while_it_is_asked_why_not(self):
        got = self.connect("""
          connection.subscribe({ src: "door" }, subscriber("a"));
          tick(16000);
          sockets[0].onopen();
          answer(new Response("{}"));
          await settle();
          return { link: connection.link, closed: sockets[0].closed === true, sockets: sockets.length };""")
        self.assertEqual(got, {"link": "open", "closed": False, "sockets": 1})

    def test_refused_socket_is_explained(self):
        got = self.connect("""
          const seen = [];
          connection.subscribe({ src: "door" }, subscriber("a"));
          for (const status of [200, 401, 503, 0]) {
            sockets.at(-1).onclose();
            answer(status ? new Response("{}", { status }) : Promise.reject(new Error("no")));
            await settle();
            seen.push(connection.why);
            connection.retry();
          }
          return seen;""")
        self.assertEqual(got, ["The server does not take the connection", "You may not see this camera",
                               "The server answers 503", "The server does not answer"])

    def test_all_players_share_a_socket_that_comes_back(self):
        got = self.connect("""
          const a = connection.subscribe({ src: "a" }, subscriber("a", { shown: 1 }));
          const b = connection.subscribe({ src: "b" }, subscriber("b"));
          sockets[0].onopen();
          a.pause(true);
          a.pause(false);
          b.pause(true);
          sockets[0].says({ type: "state", id: b.id });
          sockets[0].says({ type: "state", id: 999 });
          sockets[0].says(null);
          sockets[0].says({ type: "error", code: "request" });
          sockets[0].onmessage({ data: "{" });
          tick(5001);
          sockets[0].onclose();
          connection.retry();
          sockets[1].onopen();
          b.pause(false);
          a.close();
          b.close();
          return { first: sockets[0].sent.filter(({ type }) => type !== "clock"),
                   second: sockets[1].sent.filter(({ type }) => type !== "clock"), said, ids: [a.id, b.id] };""")
        one, two = got["ids"]
        self.assertEqual(got["first"], [
            {"type": "subscribe", "id": one, "src": "a"}, {"type": "subscribe", "id": two, "src": "b"},
            {"type": "pause", "id": one, "on": True}, {"type": "pause", "id": one, "on": False},
            {"type": "pause", "id": two, "on": True}, {"type": "report", "reports": [{"id": one, "shown": 1}]}])
        # What is paused is not asked for before it is wanted again.
        self.assertEqual(got["second"], [
            {"type": "subscribe", "id": one, "src": "a"}, {"type": "subscribe", "id": two, "src": "b"},
            {"type": "unsubscribe", "id": one}, {"type": "unsubscribe", "id": two}])
        self.assertIn(["b", "state"], got["said"])
        self.assertEqual([said[1] for said in got["said"] if said[0] == "a"],
                         ["opening", "open", "waiting", "opening", "open"])

    def test_server_that_falls_silent_is_left(self):
        got = self.connect("""
          connection.subscribe({ src: "a" }, subscriber("a"));
          sockets[0].onopen();
          for (let i = 0; i < 5; i += 1) sockets[0].answers(0);
          const rounds = [sockets[0].of("clock").length];
          tick(10001);
          sockets[0].answers(0);
          sockets[0].answers(0);
          rounds.push(sockets[0].of("clock").length);
          tick(10001);
          tick(8000); // as after a sleep: what came meanwhile is still to be read
          const early = connection.link;
          sockets[0].says({ type: "state" });
          tick(5000);
          const heard = connection.link;
          for (let i = 0; i < 6; i += 1) tick(3000);
          return { rounds, early, heard, late: connection.link, why: connection.why };""")
        self.assertEqual(got, {"rounds": [5, 7], "early": "open", "heard": "open", "late": "waiting",
                               "why": "The server does not answer"})

    def test_reports_fit_into_messages(self):
        got = self.connect("""
          const buckets = Array(14).fill(100000);
          for (let i = 0; i < 128; i += 1)
            connection.subscribe({}, subscriber("a", { transport: "webcodecs", shown: 100000, dropped: 100000,
              delay_ms: [3600000, 3600000, 3600000], buckets }));
          sockets[0].onopen();
          tick(5001);
          const reports = sockets[0].of("report");
          return [reports.map((message) => message.reports.length).reduce((a, b) => a + b),
                  Math.max(...reports.map((message) => JSON.stringify(message).length))];""")
        self.assertEqual(got[0], 128)
        self.assertLess(got[1], 16384)

    # Whose clock says what

    def test_clock_of_the_server(self):
        got = self.run_js("""
          const { ClockSync } = await import("./clocksync.js");
          const clock = new ClockSync();
          const seen = [clock.at(0), clock.age(0, 1)];
          // The server is 5000 ms ahead; the way there takes the first number of ms, the way back the second.
          const ask = (at, there, back, offset = 5000) => {
            const t1 = (at + there + offset) * 1000;
            clock.add(at, t1, t1 + 1000, at + there + 1 + back);
          };
          ask(100, 60, 20); seen.push(clock.at(181));
          ask(200, 2, 2); seen.push(clock.at(205));
          ask(300, 1, 90); seen.push(clock.at(392));
          seen.push(clock.age(1000, 5990000), clock.at(60205).uncertaintyMs);
          for (const bad of [[NaN, 1, 1, 2], [400, undefined, 1, 500], [400, 5000, 4000, 500], [500, 1e9, 1e9, 400], [0, 1, 1, 9e9]])
            clock.add(...bad);
          seen.push(clock.at(1000).offsetMs);
          ask(2000, 30, 30, 905000); seen.push(clock.at(2061)); // somebody set a clock
          return seen;""")
        self.assertEqual(got[:2], [None, None])
        self.assertEqual((got[2]["offsetMs"], got[2]["uncertaintyMs"]), (5020, 40))
        self.assertAlmostEqual(got[3]["offsetMs"], 5000)
        self.assertAlmostEqual(got[4]["offsetMs"], 5000, msg="the best exchange counts, not the last")
        self.assertAlmostEqual(got[5], 10)
        self.assertAlmostEqual(got[6], 2 + 60000 * 50e-6)
        self.assertAlmostEqual(got[7], 5000)
        self.assertAlmostEqual(got[8]["offsetMs"], 905000, delta=1)

    # How old pictures are

    def test_measured_delay(self):
        got = self.run_js("""
          const { Measured } = await import("./delay.js");
          const { ClockSync } = await import("./clocksync.js");
          const clock = new ClockSync(), measured = new Measured(clock);
          const frame = (i, more) => ({ ptsUs: i * 40000, arrivedUs: (10000 + i * 40) * 1000, capturedUs: 0,
            behind: false, ...more });
          const none = [measured.read(0), measured.report()];
          clock.add(0, 10000 * 1000, 10000 * 1000, 0);
          measured.came(frame(0, { behind: true }));
          for (let i = 1; i < 11; i += 1) measured.came(frame(i));
          measured.shown(40 + 7, 40000, 0, "arrival");
          measured.shown(80 + 30, 80010, 11, "arrival");
          measured.shown(200 + 2500, 200000, 0, "arrival"); // two were never shown
          measured.shown(240 + 5, 7777777, 1000, "arrival"); // nobody knows which
          const read = measured.read(2800), report = measured.report();
          measured.shown(3000, 240000, 0, "capture");
          const basis = measured.read(3000).basis;
          measured.came(frame(11, { capturedUs: (10000 + 11 * 40 - 100) * 1000 }));
          measured.shown(440 + 5, 440000, 0, "capture");
          const capture = measured.read(446), later = measured.read(9000), again = measured.report().shown;
          const nothing = measured.report();
          // A new beginning: older frames come in a burst, and are not missed.
          for (let i = 12; i < 20; i += 1) measured.came(frame(i, { behind: i < 19 }));
          measured.shown(800, 19 * 40000, 0, "arrival");
          return { none, read, report, basis, capture, later, again, nothing, rejoin: measured.report() };""")
        self.assertEqual((got["rejoin"]["shown"], got["rejoin"]["dropped"]), (1, 0))
        self.assertEqual(round(got["capture"]["max"]), 105, "two bases in one figure")
        self.assertEqual(got["none"], [None, None])
        self.assertEqual([round(got["read"][key]) for key in ("ms", "p50", "p95", "max")], [2500, 30, 30, 2500])
        self.assertEqual((got["read"]["basis"], got["basis"]), ("arrival", "arrival"))
        self.assertEqual((got["report"]["shown"], got["report"]["dropped"]), (4, 2))
        self.assertEqual(got["report"]["buckets"], [1, 0, 1] + [0] * 10 + [1])
        self.assertEqual(got["report"]["delay_ms"], [30, 30, 2500])
        self.assertEqual((got["capture"]["basis"], round(got["capture"]["ms"])), ("capture", 105))
        self.assertIsNone(got["later"])
        self.assertEqual((got["again"], got["nothing"]), (2, None))

    def test_delay_before_the_clock_is_known(self):
        got = self.run_js("""
          const { Measured } = await import("./delay.js");
          const { ClockSync } = await import("./clocksync.js");
          const measured = new Measured(new ClockSync());
          measured.came({ ptsUs: 0, arrivedUs: 5, capturedUs: 0, behind: false });
          measured.shown(10, 0, 0, "arrival");
          return [measured.read(10), measured.report()];""")
        self.assertIsNone(got[0])
        self.assertEqual((got[1]["shown"], got[1]["delay_ms"], sum(got[1]["buckets"])), (1, None, 0))


if __name__ == "__main__":
    web_rig.main()
