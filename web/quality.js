/* quality="auto": which of a camera's streams an element of some width wants. Pure. The server decides by the
 * number of pixels it is told; this keeps an element whose width wavers around the limit from switching to
 * and fro. */

const LARGE_FROM = 960; // as in the server
const SMALL_BELOW = 800;

export class AutoQuality {
  #large = null;

  /* The width to tell the server, for an element that is so many device pixels wide. */
  pixels(width) {
    if (this.#large === null || width >= LARGE_FROM || width < SMALL_BELOW)
      this.#large = width >= LARGE_FROM;
    return this.#large ? Math.max(width, LARGE_FROM) : Math.min(width, LARGE_FROM - 1);
  }

  get large() {
    return this.#large;
  }
}
