/* Which transport to try: the first of the list that was not found wanting. Pure.
 *
 * One that cannot play a camera's codec is passed over at once; one that broke (a decoder that gives up) is
 * tried again before it is. Neither is for ever: another day the camera or the driver may be another. */

const BREAKS_MAX = 3;
const BREAKS_WITHIN_MS = 60000;
export const FORGET_MS = 300000;

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

  /* True when that leaves another choice than before. */
  refuse(mode, text, now) {
    const isNew = this.#modes.includes(mode) && !this.#refused.has(mode);
    this.#refused.set(mode, { text, at: now });
    return isNew;
  }

  /* It broke: true when that was once too often, and it is to be refused. */
  broke(mode, now) {
    const recent = (this.#breaks.get(mode) ?? []).filter((at) => now - at < BREAKS_WITHIN_MS);
    const isOver = recent.length + 1 >= BREAKS_MAX;
    this.#breaks.set(mode, isOver ? [] : [...recent, now]);
    return isOver;
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
