/* A still of the camera where no picture can move: what cannot be played, or has no place among what is transcoded, can
 * perhaps be seen once in a while. */

import { fetchStill } from "./streams.js";

const EVERY_MS = 60000;

export class Still {
  #options;
  #wanted;
  #shown;
  #dueAt = 0; // when one is worth more than what stands there

  /* options: { stage (View), base (URL of the server's root), camera }; wanted(), shown(): of the moment. */
  constructor(options, wanted, shown) {
    this.#options = options;
    this.#wanted = wanted;
    this.#shown = shown;
  }

  /* A picture moved: that is worth more for a while. */
  moved(now) {
    this.#dueAt = now + EVERY_MS;
  }

  async tick(now) {
    const { base, camera, stage } = this.#options;
    if (now < this.#dueAt || !this.#wanted())
      return;
    this.#dueAt = now + EVERY_MS;
    const picture = await fetchStill(base, camera);
    if (!picture || !this.#wanted())
      return;
    stage.showStill(picture);
    this.#shown();
  }
}
