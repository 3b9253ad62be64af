/* Which transport to try: the first of the list that was not found wanting. Pure.
 *
 * One that cannot play a camera's codec is passed over at once; one that broke (a decoder that gives up) is
 * tried again before it is. Neither is for ever: another day the camera or the driver may be another. */

const BREAKS_MAX = 3;
const BREAKS_WITHIN_MS = 60000;
const FORGET_MS = 300000;

export class Ladder {
  #modes;
  #refused = new Map(); // mode -> { text, at }
  #breaks = new Map(); // mode -> [times]

  constructor(modes) {
    this.#modes = modes;
  }

  get modes() {
    return this.#modes;
  }

  /* The mode to try at now (ms); null when all were refused. */
  pick(now) {
    for (const [mode, { at }] of this.#refused)
      if (now - at > FORGET_MS)
        this.#refused.delete(mode);
    return this.#modes.find((mode) => !this.#refused.has(mode)) ?? null;
  }

  refuse(mode, text, now) {
    this.#refused.set(mode, { text, at: now });
  }

  /* It broke: true when that was once too often, and it is refused. */
  broke(mode, text, now) {
    const recent = (this.#breaks.get(mode) ?? []).filter((at) => now - at < BREAKS_WITHIN_MS);
    recent.push(now);
    this.#breaks.set(mode, recent);
    if (recent.length < BREAKS_MAX)
      return false;
    this.#breaks.delete(mode);
    this.refuse(mode, text, now);
    return true;
  }

  /* Why the modes before this one are not used: { mode: text }. */
  get refusals() {
    return Object.fromEntries([...this.#refused].map(([mode, { text }]) => [mode, text]));
  }

  /* Begin again at the first. */
  forget() {
    this.#refused.clear();
    this.#breaks.clear();
  }
}
