/* How far the server's clock is from this page's, from exchanges as in NTP (RFC 5905 section 8). Pure.
 *
 * Of the exchanges of the last minutes the one counts that is worth most: its offset is right within half of
 * its round trip, and within what two clocks may have drifted since. An exchange that contradicts it (somebody
 * set a clock) makes all older ones worthless. */

const KEEP_MS = 120000;
const SAMPLES_MAX = 24;
const DRIFT = 50e-6; // two cheap quartzes
const ROUND_TRIP_MAX_MS = 10000;

export class ClockSync {
  #samples = [];

  /* t0, t3: this page's clock (ms, monotonic) when the request left and the answer came; t1, t2: the
   * server's (us since 1970) when it read and wrote. What cannot be is ignored. */
  add(t0, t1Us, t2Us, t3) {
    const [t1, t2] = [t1Us / 1000, t2Us / 1000];
    const roundTrip = t3 - t0 - (t2 - t1);
    if (![t0, t1, t2, t3].every(Number.isFinite) || t2 < t1 || !(t3 - t0 >= 0) || roundTrip > ROUND_TRIP_MAX_MS)
      return;
    const one = { at: t3, offset: (t1 - t0 + (t2 - t3)) / 2, error: Math.max(0, roundTrip) / 2 };
    const agrees = (other) => Math.abs(one.offset - other.offset) <= 1 + one.error + errorAt(other, t3);
    this.#samples = this.#samples.filter((other) => t3 - other.at < KEEP_MS && agrees(other));
    this.#samples.push(one);
    if (this.#samples.length > SAMPLES_MAX)
      this.#samples.shift();
  }

  /* Another server, or the same after a long time. */
  reset() {
    this.#samples = [];
  }

  /* { offsetMs (the server's ms since 1970 minus this page's clock), uncertaintyMs }; null before the first. */
  at(now) {
    let best = null;
    for (const sample of this.#samples)
      if (best === null || errorAt(sample, now) < errorAt(best, now))
        best = sample;
    return best && { offsetMs: best.offset, uncertaintyMs: errorAt(best, now) };
  }

  /* How long ago, in ms, the server's clock showed stampUs; null while nothing is known of that clock. */
  age(now, stampUs) {
    const clock = this.at(now);
    return clock && now + clock.offsetMs - stampUs / 1000;
  }
}

function errorAt(sample, now) {
  return sample.error + Math.max(0, now - sample.at) * DRIFT;
}
