/* JPEG pictures from the socket onto a canvas: one decoded at a time, and when several came meanwhile only
 * the newest, so that a slow computer shows fewer pictures but never late ones. */

const BAD_PICTURES_MAX = 5;

export class Mjpeg {
  surface = "canvas";
  targetMs = 0; // of no use here: each picture is shown at once
  #canvas;
  #report;
  #newest = null;
  #decoding = false;
  #bad = 0;
  #frames = 0;
  #overtaken = 0;
  #dead = false;

  static async ask() {
    const can = "createImageBitmap" in globalThis;
    return { form: "jpeg", codecs: "", why: can ? "" : "this browser cannot decode pictures for a canvas" };
  }

  /* report: { presented(ptsUs, withinUs), failed(kind, text), blocked() }. */
  constructor({ canvas, report }) {
    this.#canvas = canvas;
    this.#report = report;
  }

  get stats() {
    return { frames: this.#frames, overtaken: this.#overtaken };
  }

  config() {}

  frame(frame) {
    if (this.#dead)
      return;
    if (this.#newest)
      this.#overtaken += 1;
    this.#newest = frame;
    if (!this.#decoding)
      this.#work();
  }

  tick() {}

  jump() {}

  close() {
    this.#dead = true;
    this.#newest = null;
  }

  async #work() {
    this.#decoding = true;
    while (this.#newest && !this.#dead) {
      const { payload, ptsUs } = this.#newest;
      this.#newest = null;
      try {
        this.#draw(await createImageBitmap(new Blob([payload], { type: "image/jpeg" })), ptsUs);
        this.#bad = 0;
      } catch (error) {
        this.#bad += 1;
        if (this.#bad >= BAD_PICTURES_MAX && !this.#dead)
          this.#report.failed("broken", "the pictures that come are damaged");
      }
    }
    this.#decoding = false;
  }

  #draw(bitmap, ptsUs) {
    if (!this.#dead) {
      const canvas = this.#canvas;
      if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
        canvas.width = bitmap.width;
        canvas.height = bitmap.height;
      }
      canvas.getContext("2d", { alpha: false }).drawImage(bitmap, 0, 0);
      this.#frames += 1;
      this.#report.presented(ptsUs, 0);
    }
    bitmap.close();
  }
}
