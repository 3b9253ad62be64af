/* What programs find in one camera's pictures, on their way onto the stage: whichever way the pictures come. */

import { frameOf, Overlay, readResult } from "./overlay.js";

export class Found {
  #options;
  #on;
  #overlay = new Overlay();
  #analysed = false; // a result came, ever

  /* options: { connection, stage (View), overlay (it is wanted), lateMs, onAnalysed() at the first result }. */
  constructor(options) {
    this.#options = options;
    this.#on = options.overlay === true;
    this.lateMs = options.lateMs;
  }

  get stats() {
    return this.#overlay.stats;
  }

  get on() {
    return this.#on;
  }

  set on(on) {
    this.#on = on;
    this.clear();
  }

  set lateMs(ms) {
    this.#overlay.lateMs = ms;
  }

  /* The server's message. */
  result(message) {
    const result = readResult(message);
    if (!result || !this.#on)
      return;
    if (!this.#analysed) {
      this.#analysed = true;
      this.#options.onAnalysed();
    }
    if (this.#overlay.came(result))
      this.#draw();
  }

  /* Which frame a picture of WebRTC is, by its age in ms (null: not told) and its RTP time; null: not known. */
  frameOf(now, ageMs, rtp) {
    const clock = this.#options.connection.clock.at(now);
    return clock && frameOf(rtp, 1000 * (now + clock.offsetMs), ageMs);
  }

  /* It is on the screen: as Overlay.presented() takes it; null: nobody knows which one it is, and what stands there is of
   * another one. */
  presented(frame) {
    if (!this.#on || !this.#analysed)
      return;
    if (frame)
      this.#overlay.presented(frame);
    else
      this.#overlay.lost();
    this.#draw();
  }

  clear() {
    this.#overlay.clear();
    this.#hide();
  }

  #draw() {
    this.#options.stage.showBoxes(this.#overlay.drawn());
  }

  #hide() {
    this.#options.stage.showBoxes([]);
  }
}
