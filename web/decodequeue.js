/* What to do with a frame when the decoder cannot keep up. Pure.
 *
 * The burst at the join is decoded whatever it takes: nothing can be seen without it. After it the decoder may
 * be behind for a moment (a busy computer catches up fast); when it is further behind than that, frames are
 * left out up to the next key frame, and what waits in front of the decoder is thrown away then. */

const BEHIND_MAX_MS = 1500;
const FRAMES_MIN = 12; // fewer than these are no queue, however slow the camera

export class DecodeQueue {
  #needKey = true;
  #overflowed = false;
  #catchingUp = true;

  /* "decode", "drop", or "reset": throw away what waits, then decode. queued: frames in front of the decoder. */
  admit({ key, behind, durationUs }, queued) {
    if (this.#needKey && !key)
      return "drop";
    const reset = this.#overflowed && key;
    if (key) {
      this.#needKey = false;
      this.#overflowed = false;
    }
    if (behind)
      this.#catchingUp = true;
    else if (queued <= 2)
      this.#catchingUp = false;
    if (reset)
      return "reset";
    if (!behind && !this.#catchingUp && queued >= FRAMES_MIN && queued * durationUs > BEHIND_MAX_MS * 1000) {
      this.#needKey = true;
      this.#overflowed = true;
      return "drop";
    }
    return "decode";
  }

  /* Nothing can be decoded before another key frame. */
  restart() {
    this.#needKey = true;
    this.#overflowed = false;
    this.#catchingUp = true;
  }
}
