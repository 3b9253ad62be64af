/* Are pictures being shown? Told by what was presented, not by events. Pure: the caller has the clock (ms). */

const SILENCE_LIMIT_MS = 10000; // without a picture's bytes
const FREEZE_MS = 2500; // without a new picture shown: say so
const FREEZE_INTERVALS = 4; // or this many times the usual interval, for slow cameras
const STUCK_MS = 5000; // frozen for this long although data comes: begin again
const FIRST_MS = 15000; // the same before the first picture

export class Watch {
  #dataAt = 0;
  #presentedAt = 0;
  #workedAt = -Infinity;
  #interval = 0;

  /* What was before does not count. */
  begin(now) {
    this.#dataAt = now;
    this.#presentedAt = now;
  }

  /* A frame came. */
  data(now) {
    this.#dataAt = now;
  }

  /* A picture was shown. follows: it came after another, without a break. */
  presented(now, follows) {
    if (follows)
      this.#interval += (Math.min(now - this.#presentedAt, 10000) - this.#interval) / 8;
    this.#presentedAt = now;
  }

  /* A picture was decoded that is not worth showing. A slow computer may have many before the first that is. */
  worked(now) {
    this.#workedAt = now;
  }

  /* { frozenMs (0: not), wrong: "" or "silent" (nothing comes) or "stuck" (nothing is made of what comes) }. live:
   * pictures were moving. */
  judge(now, live) {
    const frozenMs = now - this.#presentedAt;
    const silentMs = now - this.#dataAt;
    const allowed = Math.max(FREEZE_MS, FREEZE_INTERVALS * this.#interval);
    const patience = live ? Math.max(STUCK_MS, 2 * allowed) : FIRST_MS;
    const working = !live && now - this.#workedAt < FREEZE_MS;
    let wrong = "";
    if (silentMs > Math.max(SILENCE_LIMIT_MS, allowed))
      wrong = "silent";
    else if (frozenMs > patience && silentMs < allowed && !working)
      wrong = "stuck";
    return { frozenMs: frozenMs > allowed ? frozenMs : 0, wrong };
  }
}
