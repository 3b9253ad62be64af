/* When to show decoded pictures. Pure.
 *
 * At once, as long as that looks well: no delay is less than none. But where the network brings pictures in
 * clumps, showing them at once shows the last of each clump only: the picture judders. Then, and only then,
 * each picture waits for its turn, as long as most of the late ones need. Both are decided by what came in
 * the last seconds: how many pictures came so close on their predecessor's heels that it was hardly seen. */

const WINDOW = 100; // pictures
const JUDGE_EVERY = 25;
const CLUMP = 0.25; // of an interval
const JUDDER_FROM = 0.15; // this share of pictures in clumps: begin to wait
const JUDDER_UNTIL = 0.03; // stop
const LATE_QUANTILE = 0.9;
const WAIT_MAX_MS = 200;
const GAP_MAX_MS = 2000; // the camera was away, or the timeline is another one

export class Pacing {
  #samples = []; // { offset: arrival minus media time, ms; gap, interval }
  #last = null;
  #count = 0;
  #base = 0;
  #waitMs = 0;

  /* How long pictures wait for their turn; 0: they are shown at once. */
  get waitMs() {
    return this.#waitMs;
  }

  /* A live picture of the time ptsUs arrived at now (ms). */
  arrived(now, ptsUs) {
    const last = this.#last;
    const offset = now - ptsUs / 1000;
    this.#last = { now, ptsUs, offset };
    if (last === null)
      return;
    if (Math.abs(offset - last.offset) > GAP_MAX_MS || ptsUs <= last.ptsUs) {
      this.restart();
      return;
    }
    this.#samples.push({ offset, gap: now - last.now, interval: (ptsUs - last.ptsUs) / 1000 });
    if (this.#samples.length > WINDOW)
      this.#samples.shift();
    this.#count += 1;
    if (this.#count % JUDGE_EVERY === 0 && this.#samples.length >= WINDOW / 2)
      this.#judge();
  }

  /* When (ms) to show the picture of ptsUs; at now at the earliest. */
  due(now, ptsUs) {
    return this.#waitMs === 0 ? now : Math.min(Math.max(now, ptsUs / 1000 + this.#base + this.#waitMs), now + WAIT_MAX_MS);
  }

  restart() {
    this.#last = null;
    this.#samples = [];
    this.#waitMs = 0;
    this.#count = 0;
  }

  #judge() {
    const offsets = this.#samples.map((one) => one.offset).sort((a, b) => a - b);
    const judder = this.#samples.filter((one) => one.gap < CLUMP * one.interval).length / this.#samples.length;
    this.#base = offsets[0];
    if (judder < JUDDER_UNTIL || (this.#waitMs === 0 && judder < JUDDER_FROM))
      this.#waitMs = 0;
    else
      this.#waitMs = Math.min(WAIT_MAX_MS, offsets[Math.floor((offsets.length - 1) * LATE_QUANTILE)] - offsets[0]);
  }
}
