/* JPEG pictures from the socket onto a canvas: one decoded at a time, and when several came meanwhile only
 * the newest, so that a slow computer shows fewer pictures but never late ones. */

const BAD_PICTURES_MAX = 5;

export class Mjpeg {
  #canvas;
  #report;
  #newest = null;
  #decoding = false;
  #bad = 0;
  #frames = 0;
  #overtaken = 0;
  #dead = false;
  targetMs = 0; // set by the session, of no use here: each picture is shown at once

  static offer() {
    return "createImageBitmap" in globalThis ? { type: "mjpeg" } : null;
  }

  /* report as for Mse. */
  constructor(canvas, { report }) {
    this.#canvas = canvas;
    this.#report = report;
  }

  get joined() {
    return true;
  }

  get stats() {
    return { frames: this.#frames, overtaken: this.#overtaken };
  }

  text(message) {
    return message.type === "mjpeg";
  }

  binary(buffer) {
    if (this.#dead)
      return;
    if (this.#newest)
      this.#overtaken += 1;
    this.#newest = buffer;
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
      const picture = new Blob([this.#newest], { type: "image/jpeg" });
      this.#newest = null;
      try {
        this.#draw(await createImageBitmap(picture));
        this.#bad = 0;
      } catch (error) {
        this.#bad += 1;
        if (this.#bad >= BAD_PICTURES_MAX && !this.#dead)
          this.#report.failed("broken", "the pictures that come are damaged");
      }
    }
    this.#decoding = false;
  }

  #draw(bitmap) {
    if (!this.#dead) {
      const canvas = this.#canvas;
      if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
        canvas.width = bitmap.width;
        canvas.height = bitmap.height;
      }
      canvas.getContext("2d", { alpha: false }).drawImage(bitmap, 0, 0);
      this.#frames += 1;
      this.#report.presented();
    }
    bitmap.close();
  }
}
