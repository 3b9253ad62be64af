/* How old the pictures are that a person sees. Pure: the caller has the clock.
 *
 * Stamps remembers of each frame that came what its picture's age is measured by, until the picture is shown;
 * DelayMeter makes of the ages what is displayed and reported; Measured is both for one camera on one tile. */

const STAMPS_MAX = 1024;
const WINDOW_MS = 5000;
const WINDOW_MAX = 600;
const REPORT_MAX_MS = 3600000; // no server believes more

/* Upper bounds of the buckets of a report in ms, but for the last, which has none. */
export const BUCKETS = [10, 20, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000, 2000];

export class Stamps {
  #list = [];
  #count = 0;
  #shown = null;

  /* A frame came in: { ptsUs, seq, arrivedUs, capturedUs, behind }. */
  put({ ptsUs, seq, arrivedUs, capturedUs, behind }) {
    if (!behind)
      this.#count += 1;
    this.#list.push({ ptsUs, seq, arrivedUs, capturedUs, behind, number: this.#count });
    if (this.#list.length > 2 * STAMPS_MAX)
      this.#list.splice(0, STAMPS_MAX);
  }

  /* The frame nearest to ptsUs, if it is not further away than withinUs; null when there is none. */
  find(ptsUs, withinUs = 0) {
    let best = null;
    for (let i = this.#list.length - 1; i >= 0; i -= 1) {
      const distance = Math.abs(this.#list[i].ptsUs - ptsUs);
      if (distance <= withinUs && (best === null || distance < Math.abs(best.ptsUs - ptsUs)))
        best = this.#list[i];
      if (best && distance === 0)
        break;
    }
    return best;
  }

  /* Frames since the last one shown that never were: what the person missed. stamp: as found. */
  missedBefore(stamp) {
    const missed = this.#shown === null ? 0 : Math.max(0, stamp.number - this.#shown - 1);
    this.#shown = Math.max(this.#shown ?? 0, stamp.number);
    return missed;
  }

  /* What was not shown up to now is not counted as missed: nobody was looking. */
  forgive() {
    this.#shown = null;
  }

  clear() {
    this.#list = [];
    this.#shown = null;
  }
}

export class DelayMeter {
  #window = [];
  #shown = 0;
  #dropped = 0;
  #buckets = new Array(BUCKETS.length + 1).fill(0);
  #reported = [];

  /* At now (ms) a picture appeared that is ageMs old (null: not known), and before it dropped others did not. */
  shown(now, ageMs, dropped = 0) {
    this.#shown += 1;
    this.#dropped += dropped;
    if (ageMs === null)
      return;
    const age = Math.max(0, ageMs); // two clocks may disagree by a little
    const bucket = BUCKETS.findIndex((bound) => age <= bound);
    this.#buckets[bucket < 0 ? BUCKETS.length : bucket] += 1;
    this.#reported.push(age);
    this.#window.push({ at: now, age });
    if (this.#reported.length > WINDOW_MAX)
      this.#reported.shift();
    this.#trim(now);
  }

  /* { ms (of the picture on the screen), p50, p95, max } of the last 5 s; null when no picture appeared then. */
  read(now) {
    this.#trim(now);
    const last = this.#window.at(-1);
    return last ? { ms: last.age, ...quantiles(this.#window.map((one) => one.age)) } : null;
  }

  /* What happened since the last report: { shown, dropped, delay_ms (null: no age was known), buckets }; null:
   * nothing did. */
  report() {
    if (this.#shown === 0)
      return null;
    const { p50, p95, max } = quantiles(this.#reported);
    const delays = [p50, p95, max].map((ms) => Math.min(Math.round(ms * 10) / 10, REPORT_MAX_MS));
    const report = { shown: this.#shown, dropped: this.#dropped, delay_ms: this.#reported.length > 0 ? delays : null,
      buckets: this.#buckets };
    this.#shown = 0;
    this.#dropped = 0;
    this.#buckets = new Array(BUCKETS.length + 1).fill(0);
    this.#reported = [];
    return report;
  }

  #trim(now) {
    let old = Math.max(0, this.#window.length - WINDOW_MAX);
    while (old < this.#window.length && now - this.#window[old].at > WINDOW_MS)
      old += 1;
    this.#window.splice(0, old);
  }
}

export class Measured {
  #clock;
  #stamps = new Stamps();
  #reported = new DelayMeter(); // always from the arrival
  #displayed = new DelayMeter();
  #basis = "arrival";

  /* clock: a ClockSync. */
  constructor(clock) {
    this.#clock = clock;
  }

  came(frame) {
    this.#stamps.put(frame);
  }

  /* At now the picture of about ptsUs appeared. basis: what its age is wanted from, "arrival" or "capture"; the
   * latter only where the camera tells. Which frame that is, as it came in; null: not known. */
  shown(now, ptsUs, withinUs, basis) {
    const stamp = this.#stamps.find(ptsUs, withinUs);
    if (!stamp) {
      this.aged(now, null);
      return null;
    }
    const age = this.#clock.age(now, stamp.arrivedUs);
    const known = basis === "capture" && stamp.capturedUs > 0 ? "capture" : "arrival";
    this.#reported.shown(now, age, this.#stamps.missedBefore(stamp));
    this.#display(now, known === "capture" ? this.#clock.age(now, stamp.capturedUs) : age, known);
    return stamp;
  }

  /* At now a picture appeared that came without a stamp, ageMs after its arrival at the server (null: not known). */
  aged(now, ageMs) {
    this.#reported.shown(now, ageMs);
    if (ageMs !== null)
      this.#display(now, ageMs, "arrival");
  }

  /* How long ago, in ms, the frame of about ptsUs arrived at the server; null when that is not known. */
  age(now, ptsUs, withinUs) {
    const stamp = this.#stamps.find(ptsUs, withinUs);
    return stamp && this.#clock.age(now, stamp.arrivedUs);
  }

  /* { ms (of the picture on the screen), p50, p95, max (of the last 5 s), basis, uncertaintyMs }, or null. */
  read(now) {
    const read = this.#displayed.read(now);
    const clock = this.#clock.at(now);
    return read && clock && { ...read, basis: this.#basis, uncertaintyMs: clock.uncertaintyMs };
  }

  report() {
    return this.#reported.report();
  }

  forgive() {
    this.#stamps.forgive();
  }

  clear() {
    this.#stamps.clear();
  }

  #display(now, ageMs, basis) {
    if (basis !== this.#basis)
      this.#displayed = new DelayMeter();
    this.#basis = basis;
    this.#displayed.shown(now, ageMs);
  }
}

function quantiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => sorted[Math.floor((sorted.length - 1) * share)];
  return { p50: at(0.5), p95: at(0.95), max: sorted.at(-1) };
}
