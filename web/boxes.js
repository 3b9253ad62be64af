/* Draws what programs found on a canvas over the picture, in the pixels of the screen. Their words are drawn as text:
 * nothing of them becomes markup. */

import { boxIn, placeOf } from "./overlay.js";

const FONT = "system-ui, -apple-system, \"Segoe UI\", Roboto, \"Noto Sans\", sans-serif";
const TEXT_SHARE = 0.026; // of the picture's height,
const LINE_SHARE = 0.003;
const TEXT_MIN = 10; // within these, in CSS pixels
const TEXT_MAX = 22;
const BACK = "rgb(0 0 0 / 0.8)";

export class Boxes {
  #canvas;
  #drawn = []; // as drawn: results, to know what is new
  #picture = null;
  #sized = new ResizeObserver(() => this.#paint());

  constructor(canvas) {
    this.#canvas = canvas;
    this.#sized.observe(canvas);
  }

  /* drawn: as Overlay.drawn() gives it; picture: { width, height }. */
  draw(drawn, picture) {
    const same = drawn.length === this.#drawn.length && drawn.every(({ result }, i) => result === this.#drawn[i]) &&
      picture.width === this.#picture?.width && picture.height === this.#picture?.height;
    if (same)
      return;
    this.#drawn = drawn.map(({ result }) => result);
    this.#picture = picture;
    this.#paint();
  }

  clear() {
    if (this.#drawn.length > 0)
      this.draw([], this.#picture);
  }

  #paint() {
    const canvas = this.#canvas;
    const width = Math.round(canvas.clientWidth * devicePixelRatio);
    const height = Math.round(canvas.clientHeight * devicePixelRatio);
    if (this.#drawn.length === 0 && canvas.width === 1)
      return;
    if (this.#drawn.length === 0) { // nothing to draw costs no memory either
      canvas.width = canvas.height = 1;
      return;
    }
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const context = canvas.getContext("2d");
    const place = placeOf({ width, height }, this.#picture);
    context.clearRect(0, 0, width, height);
    if (!place)
      return;
    const pen = new Pen(context, place, height - nameHeight(canvas.clientWidth) * devicePixelRatio);
    for (const { objects, since, arrivedUs } of this.#drawn) {
      pen.dashed(since > arrivedUs); // its own frame has gone by
      for (const object of objects)
        pen.object(object);
    }
    pen.remarks(this.#drawn.flatMap(({ remarks }) => remarks));
  }
}

/* Of the line with the camera's name at the lower edge, as player-style.js has it, in CSS pixels. */
function nameHeight(width) {
  return 2.1 * Math.min(Math.max(13, 0.042 * width), 34);
}

class Pen {
  #context;
  #place;
  #floor; // nothing of the whole picture is said below this
  #size; // of text, in pixels of the screen
  #line;
  #said = []; // where words stand: { x, y, wide, tall }

  constructor(context, place, floor) {
    const ratio = devicePixelRatio;
    this.#floor = Math.min(floor, place.y + place.height);
    this.#context = context;
    this.#place = place;
    this.#size = Math.round(Math.min(Math.max(place.height * TEXT_SHARE, TEXT_MIN * ratio), TEXT_MAX * ratio));
    this.#line = Math.max(2, Math.round(1.6 * ratio), Math.round(place.height * LINE_SHARE));
    context.font = `600 ${this.#size}px ${FONT}`;
    context.textBaseline = "middle";
    context.lineJoin = "round";
  }

  dashed(on) {
    this.#context.setLineDash(on ? [4 * this.#line, 2 * this.#line] : []);
  }

  object({ box, title, lines, colour }) {
    const context = this.#context;
    const { x, y, width, height } = boxIn(this.#place, box);
    const half = this.#line / 2;
    context.lineWidth = this.#line + 2;
    context.strokeStyle = "rgb(0 0 0 / 0.55)"; // to be seen on what is bright, too
    context.strokeRect(x + half, y + half, width - this.#line, height - this.#line);
    context.lineWidth = this.#line;
    context.strokeStyle = `hsl(${colour} 90% 62%)`;
    context.strokeRect(x + half, y + half, width - this.#line, height - this.#line);
    this.#words([title, ...lines].filter(Boolean), x, y, `hsl(${colour} 90% 80%)`);
  }

  /* What is said of the whole picture, in its lower right corner: above are the buttons of the pages. */
  remarks(texts) {
    const { x, width } = this.#place;
    const y = this.#floor - texts.length * this.#size * 1.3;
    const wide = Math.max(0, ...texts.map((text) => this.#context.measureText(text).width)) + this.#size * 0.8;
    if (texts.length > 0)
      this.#lines(texts, x + width - Math.min(wide, width), y, Math.min(wide, width), "#eef1f4");
  }

  /* Above the box, or where there is no room inside it; never beside the picture, nor over other words, where there is
   * room above them. */
  #words(texts, x, y, colour) {
    const { x: left, y: top, width } = this.#place;
    if (texts.length === 0)
      return;
    const tall = Math.ceil(texts.length * this.#size * 1.3);
    const wide = Math.min(Math.max(...texts.map((text) => this.#context.measureText(text).width)) + this.#size * 0.8,
      width);
    const place = { x: Math.max(left, Math.min(x, left + width - wide)), y: y - tall >= top ? y - tall : y, wide, tall };
    for (let below = this.#under(place); below && below.y - tall >= top; below = this.#under(place))
      place.y = below.y - tall;
    this.#said.push(place);
    this.#lines(texts, place.x, place.y, wide, colour);
  }

  #under({ x, y, wide, tall }) {
    return this.#said.find((one) => x < one.x + one.wide && one.x < x + wide && y < one.y + one.tall && one.y < y + tall);
  }

  #lines(texts, x, y, wide, colour) {
    const context = this.#context;
    const tall = this.#size * 1.3;
    context.fillStyle = BACK;
    context.fillRect(Math.round(x), Math.round(y), Math.ceil(wide), Math.ceil(texts.length * tall));
    context.fillStyle = colour;
    texts.forEach((text, i) =>
      context.fillText(text, Math.round(x + this.#size * 0.4), Math.round(y + (i + 0.5) * tall), wide - this.#size * 0.8));
  }
}
