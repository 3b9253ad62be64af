/* How long to wait before the next try: 0.25 s doubled up to 5 s, jittered so that a wall of players
 * does not come back as one, and forgotten once the connection was good for 10 s. Pure: the caller has
 * the clock. */

export class Backoff {
  #first;
  #max;
  #goodAfter;
  #random;
  #failures = 0;
  #goodSince = null;

  constructor({ first = 250, max = 5000, goodAfter = 10000, random = Math.random } = {}) {
    this.#first = first;
    this.#max = max;
    this.#goodAfter = goodAfter;
    this.#random = random;
  }

  /* Pictures are being shown (any number of calls). */
  good(now) {
    this.#goodSince ??= now;
  }

  /* The connection failed or was lost: the delay in ms until the next try. */
  failed(now) {
    if (this.#goodSince !== null && now - this.#goodSince >= this.#goodAfter)
      this.#failures = 0;
    this.#goodSince = null;
    const whole = Math.min(this.#max, this.#first * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    return whole * (0.5 + 0.5 * this.#random());
  }

  /* Somebody asked for a try now: begin again with short delays. */
  reset() {
    this.#failures = 0;
    this.#goodSince = null;
  }
}
