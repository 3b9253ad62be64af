/* What to do with a frame when the decoder cannot keep up. Pure.
 *
 * The burst at the join is decoded whatever it takes: nothing can be seen without it. After it the decoder may
 * be behind for a moment (a busy computer catches up fast); when it is further behind than that, frames are
 * left out up to the next key frame. A key frame that finds the decoder so far behind has what waits thrown away. */

const BEHIND_MAX_MS = 1500;
const FRAMES_MIN = 12; // fewer than these are no queue, however slow the camera

export class DecodeQueue {
  #needKey = true;
  #catchingUp = true;

  /* "decode", "drop", or "reset": throw away what waits, then decode. queued: frames in front of the decoder. */
  admit({ key, behind, durationUs }, queued) {
    const tooMany = !behind && queued >= FRAMES_MIN && queued * durationUs > BEHIND_MAX_MS * 1000;
    if (this.#needKey && !key)
      return "drop";
    this.#needKey = false;
    if (behind)
      this.#catchingUp = true;
    else if (queued <= 2)
      this.#catchingUp = false;
    if (key)
      return tooMany ? "reset" : "decode";
    this.#needKey = tooMany && !this.#catchingUp;
    return this.#needKey ? "drop" : "decode";
  }

  /* Nothing can be decoded before another key frame. */
  restart() {
    this.#needKey = true;
    this.#catchingUp = true;
  }
}
