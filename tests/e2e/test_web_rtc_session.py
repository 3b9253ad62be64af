#!/usr/bin/python3 -B
"""One WebRTC session of the player by itself: what it makes of what the browser reports, with a clock of its own."""

import web_rig


class OneSession(web_rig.Parts):
    """What one session makes of the pictures that a browser reports, with a clock of its own."""

    # shown(ms, rtp, captured): so much later a picture of that RTP time is reported.
    SESSION = """
      const { WebRtc } = await import("./webrtc.js");
      const { RTCPeerConnection } = window, { requestVideoFrameCallback } = HTMLVideoElement.prototype;
      const told = [];
      let at = 1000, callback = null;
      performance.now = () => at;
      window.RTCPeerConnection = class {
        addTransceiver() {}
        async setLocalDescription() { this.localDescription = { sdp: "v=0" }; }
        async setRemoteDescription() {}
        async getStats() { return new Map([["t", { type: "transport", packetsReceived: this.packets }]]); }
        getReceivers() { return []; }
        close() {}
      };
      HTMLVideoElement.prototype.requestVideoFrameCallback = (what) => { callback = what; return 1; };
      try {
        const rtc = new WebRtc({ servers: [], sound: false, report: { offer() {}, presented: (now, age) => told.push(age),
          failed: (kind) => told.push(kind), blocked() {} } });
        Object.defineProperty(rtc.video, "paused", { value: false, writable: true });
        const shown = (ms, rtpTimestamp, captureTime) => {
          at += ms;
          callback(at, { rtpTimestamp, captureTime });
          return rtc.isCurrent;
        };
        %s
      } finally {
        Object.assign(window, { RTCPeerConnection });
        Object.assign(HTMLVideoElement.prototype, { requestVideoFrameCallback });
        delete performance.now;
      }"""

    def session(self, body):
        return self.run_js(self.SESSION % body)

    def test_burst_at_the_join_is_not_of_now(self):
        got = self.session("""
          const near = 2 ** 32 - 500, seen = [];
          for (let i = 0; i < 20; i += 1) seen.push(shown(16, (near + i * 3 * 90) >>> 0));
          const burst = seen.some(Boolean);
          return [burst, shown(40, (near + 19 * 3 * 90 + 3600) >>> 0), shown(16, near)];""")
        self.assertEqual(got, [False, True, True])

    def test_where_times_are_not_told_it_takes_a_moment(self):
        got = self.session("return [shown(10), shown(100), shown(100), shown(60)];")
        self.assertEqual(got, [False, False, False, True])

    def test_what_is_not_played_is_not_seen(self):
        got = self.session("rtc.video.paused = true; shown(40, 1); rtc.video.paused = false; shown(40, 2); return [told, rtc.stats.frames];")
        self.assertEqual(got, [[None], 1])

    def test_age_is_told_when_it_can_be(self):
        got = self.session("""
          shown(40, 1, 1030); shown(40, 2, undefined); shown(40, 3, -90000); shown(40, 4, 1170);
          return told;""")
        self.assertEqual(got, [10, None, None, -10])

    def test_silence_is_certain_only_when_looked_at_twice(self):
        got = self.session("""
          const seen = [rtc.silentMs(at)];
          const look = async (ms, packets) => {
            RTCPeerConnectionPackets = packets;
            at += ms;
            await rtc.listen();
            seen.push(rtc.silentMs(at));
          };
          window.RTCPeerConnectionPackets = 0;
          window.RTCPeerConnection.prototype.getStats = async () => new Map([["t", { type: "transport",
            packetsReceived: RTCPeerConnectionPackets }]]);
          await look(5000, 7); // nobody knows what came meanwhile
          await look(200, 7);
          await look(200, 8);
          await look(300, 8);
          shown(10, 1); seen.push(rtc.silentMs(at));
          await look(200, 8);
          return seen;""")
        self.assertEqual(got, [0, 0, 200, 0, 300, 0, 0])

    def test_it_is_given_up_in_time(self):
        got = self.session("""
          at += 60000; rtc.tick(at); // it is not offered yet
          const before = [...told];
          rtc.offer(); at += 7000; rtc.tick(at); // whether it is answered is for others to judge
          const asked = [...told];
          rtc.answer(""); at += 4900; rtc.tick(at);
          const answered = [...told];
          at += 200; rtc.tick(at); at += 5000; rtc.tick(at);
          return [before, asked, answered, told];""")
        self.assertEqual(got, [[], [], [], ["path"]])


if __name__ == "__main__":
    web_rig.main()
