/* When to try WebRTC again. Pure: the caller has the clock.
 *
 * A session that ends is made anew at once, a server that is busy is asked again soon; but where there is no way through
 * (UDP and TCP of that port are blocked), or a camera that cannot be played like that, it is not worth a try
 * each few seconds: then minutes go by, unless something changes. */

import { Backoff } from "./backoff.js";

const SLOW_FIRST_MS = 20000;
const SLOW_MAX_MS = 300000;
const REFUSED_MS = 300000;
const LOSSES_MAX = 4; // within
const LOSSES_WITHIN_MS = 60000; // this time: it is no good here

export class Tries {
  why = ""; // the last one failed,
  isHopeless = false; // because it cannot be, or has no way
  #soon;
  #slow;
  #losses = [];
  #dueAt = 0;

  constructor({ random = Math.random } = {}) {
    this.#soon = new Backoff({ first: 100, max: 4000, random });
    this.#slow = new Backoff({ first: SLOW_FIRST_MS, max: SLOW_MAX_MS, goodAfter: 60000, random });
  }

  isDue(now) {
    return now >= this.#dueAt;
  }

  /* Pictures come by it (any number of calls). */
  good(now) {
    this.why = "";
    this.isHopeless = false;
    this.#soon.good(now);
    this.#slow.good(now);
  }

  /* kind: "refused" (not this camera, or not in this browser), "path" (no way), "lost" (there was one), else: not now. */
  failed(now, kind, why) {
    this.why = why;
    this.isHopeless = kind === "refused" || kind === "path";
    if (kind === "refused")
      this.#dueAt = now + REFUSED_MS;
    else if (kind === "path" || (kind === "lost" && this.#isLostTooOften(now)))
      this.#dueAt = now + this.#slow.failed(now);
    else
      this.#dueAt = now + this.#soon.failed(now);
  }

  /* Another network, another server, another stream: what was is no sign any more. */
  forget() {
    this.#dueAt = 0;
    this.isHopeless = false;
    this.#soon.reset();
    this.#slow.reset();
    this.#losses = [];
  }

  #isLostTooOften(now) {
    this.#losses = this.#losses.filter((at) => now - at < LOSSES_WITHIN_MS);
    this.#losses.push(now);
    if (this.#losses.length < LOSSES_MAX)
      return false;
    this.#losses = [];
    return true;
  }
}
