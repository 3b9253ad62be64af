#!/usr/bin/python3 -B
"""Which result of a program belongs on which frame: the pure part of the boxes."""

import web_rig


class Overlay(web_rig.Parts):
    """Which results stand on which frame. A result of frame n is called "An" for analyser A; frames are 40 ms apart."""

    SCRIPT = """
      const { Overlay } = await import("./overlay.js");
      const overlay = new Overlay();
      const us = (n) => 1e6 + n * 40000;
      const came = (name, n, seq = n) => overlay.came({ analyser: name[0], name, seq, arrivedUs: us(n), objects: [], remarks: [] });
      const shown = (n) => overlay.presented({ seq: n, arrivedUs: us(n) });
      const drawn = () => overlay.drawn().map(({ result, exact }) => result.name + (exact ? "!" : "")).join();
      const out = [];
      const look = () => out.push(drawn());
      %s
      return [out, overlay.stats];"""

    def check(self, body, drawn, **stats):
        out, said = self.run_js(self.SCRIPT % body)
        self.assertEqual(out, drawn)
        for name, value in stats.items():
            self.assertEqual(said[name], value, name)

    def test_before_its_frame_and_after(self):
        self.check("""look(); came("A5", 5); look(); shown(4); look(); shown(5); look(); shown(6); look();
                      out.push(came("A6", 6)); look(); out.push(came("A8", 8)); look();""",
                   ["", "", "", "A5!", "A5", True, "A6!", False, "A6!"], results=3, exact=1, held=1, late=0)

    def test_several_programs(self):
        self.check("""shown(1); came("A1", 1); came("B0", 0); look(); shown(2); came("B2", 2); look();""",
                   ["A1!,B0", "A1,B2!"])

    def test_of_two_frames_that_came_at_once(self):
        self.check("""came("A7", 7, 7); came("A8", 7, 8); overlay.presented({ seq: 7, arrivedUs: us(7) }); look();
                      overlay.presented({ seq: 8, arrivedUs: us(7) }); look();""", ["A7!", "A8!"])

    def test_of_another_stream_of_the_camera(self):
        """It has no number here, and a time between two frames."""
        self.check("""came("A1", 1.5, null); shown(1); look(); shown(2); look(); came("A3", 3, null); shown(3); look();""",
                   ["", "A1", "A3!"])

    def test_too_late(self):
        self.check("""shown(20); out.push(came("A7", 7)); look(); out.push(came("A8", 8)); look(); shown(32); look();
                      shown(33); look();""", [False, "", True, "A8", "A8", ""], late=1)

    def test_kept_for_so_long_as_wanted(self):
        self.check("""overlay.lateMs = 80; came("A1", 1); shown(1); look(); shown(3); look(); shown(4); look();
                      overlay.lateMs = NaN; came("A4", 4); shown(16); look(); shown(17); look();""",
                   ["A1!", "A1", "", "A4", ""])

    def test_on_a_picture_that_nobody_can_tell(self):
        self.check("""came("A1", 1); shown(1); look(); overlay.lost(); look(); out.push(came("A2", 2)); look();
                      shown(2); look();""", ["A1!", "", False, "", "A2!"], late=0)

    def test_bounds(self):
        self.check("""for (let n = 0; n < 200; n += 1) came("A" + n, n); shown(135); look(); shown(136); look();
                      overlay.clear(); shown(150); look();
                      for (const name of "ABCDEFGHIJ") came(name, 150); look();""",
                   ["", "A136!", "", "C!,D!,E!,F!,G!,H!,I!,J!"])

    def test_pictures_of_webrtc(self):
        """Of which the millisecond is known, within 5, and no number: by the lower bits of their times."""
        got = self.run_js("""
          const { frameOf } = await import("./overlay.js");
          const server = 1700000000000000, rtp = (us) => 4711 * 64 + 1 + Math.floor(us / 5000) % 63;
          const off = (ageUs, told) => {
            const arrived = server - ageUs, frame = frameOf(rtp(arrived), server, told);
            return [frame.seq, Math.abs(frame.arrivedUs - arrived) <= frame.withinUs, frame.withinUs];
          };
          const seen = [];
          for (let us = 0; us < 300000; us += 1237)
            seen.push(off(us, us / 1000), off(us, us / 1000 + 150), off(us, us / 1000 - 150), off(us, null));
          return [new Set(seen.map(String)).size, seen[0], off(700000, 700)[1], off(700000, null)[1],
            frameOf(64, server, 20), frameOf(undefined, server, 20), frameOf(64, server, null), frameOf(undefined, server, null)];""")
        about = {"seq": None, "arrivedUs": 1699999999980000, "withinUs": -1}
        self.assertEqual(got, [1, [None, True, 2500], True, False, about, about, None, None])

    def test_on_pictures_of_webrtc(self):
        self.check("""const near = (n) => overlay.presented({ seq: null, arrivedUs: us(n) + 2000, withinUs: 2500 });
                      came("A5", 5); came("A6", 6); near(5); look(); near(6); look(); near(7); look();
                      out.push(came("A7", 7)); look(); came("B7", 7.06, null); look();
                      overlay.presented({ seq: null, arrivedUs: us(7), withinUs: -1 }); look();""",
                   ["A5!", "A6!", "A6", True, "A7!", "A7!,B7!", "A6"], exact=2, held=2, late=0)

    def test_places_of_boxes(self):
        got = self.run_js("""
          const { placeOf, boxIn } = await import("./overlay.js");
          const wide = placeOf({ width: 1000, height: 1000 }, { width: 1600, height: 900 });
          const high = placeOf({ width: 1000, height: 300 }, { width: 640, height: 480 });
          return [wide, high, placeOf({ width: 10, height: 10 }, { width: 0, height: 0 }),
            boxIn(wide, [0, 0, 1, 1]), boxIn(high, [0.5, 0.5, 0.0001, 0.0001]), boxIn(wide, [0.333, 0.1, 0.333, 0.9])];""")
        self.assertEqual(got[0], {"x": 0, "y": 218.75, "width": 1000, "height": 562.5})
        self.assertEqual(got[1], {"x": 300, "y": 0, "width": 400, "height": 300})
        self.assertIsNone(got[2])
        self.assertEqual(got[3], {"x": 0, "y": 219, "width": 1000, "height": 562})
        self.assertEqual(got[4], {"x": 500, "y": 150, "width": 1, "height": 1})
        self.assertEqual(got[5], {"x": 333, "y": 275, "width": 333, "height": 506})


if __name__ == "__main__":
    web_rig.main()
