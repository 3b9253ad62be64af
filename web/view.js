/* What a <camhub-player> shows: the moving picture, the last picture when there is none, the name, the words
 * about what is wrong. It knows nothing of connections; it is told. */

import { Boxes } from "./boxes.js";
import { sheet } from "./player-style.js";

const NOTICE_MS = 4000;
const STILL_SIDE_MAX = 1920; // a still needs no more pixels than this
const JPEG_QUALITY = 0.92;

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className)
    made.className = className;
  made.append(...children);
  return made;
}

export class View {
  video = element("video");
  canvas = element("canvas");
  #boxes;
  #frame;
  #label;
  #name = element("span", "name");
  #note = element("span", "note");
  #said;
  #spinner = element("div", "spinner");
  #headline = element("div", "headline");
  #detail = element("div", "detail");
  #notice = element("div", "notice");
  #delay = element("div", "delay");
  #button = element("button", "", "Play");
  #status = element("div", "status");
  #noticeTimer = 0;

  /* onPlay: the person pressed the button that a browser's autoplay rules made necessary. */
  constructor(root, onPlay) {
    root.adoptedStyleSheets = [sheet];
    const { video } = this;
    video.muted = true;
    video.playsInline = true;
    video.disablePictureInPicture = true;
    video.setAttribute("aria-hidden", "true"); // the status line says what there is to say
    this.canvas.setAttribute("aria-hidden", "true");
    const boxes = element("canvas", "boxes");
    boxes.setAttribute("aria-hidden", "true");
    boxes.width = boxes.height = 1;
    this.#boxes = new Boxes(boxes);
    video.tabIndex = -1;
    this.#label = element("div", "label", element("span", "dot"), this.#name, this.#note);
    this.#said = element("div", "said", this.#spinner, this.#headline, this.#detail);
    this.#label.setAttribute("aria-hidden", "true");
    this.#said.setAttribute("aria-hidden", "true");
    this.#status.setAttribute("role", "status");
    this.#status.setAttribute("aria-live", "polite");
    this.#button.type = "button";
    this.#button.hidden = true;
    this.#notice.hidden = true;
    this.#delay.hidden = true;
    this.#delay.setAttribute("aria-hidden", "true"); // it changes each second
    this.#button.addEventListener("click", (event) => {
      event.preventDefault();
      event.stopPropagation();
      onPlay();
    });
    this.#frame = element("div", "frame", video, this.canvas, boxes, this.#label, this.#said, this.#notice,
      this.#delay, this.#button, this.#status);
    this.#frame.dataset.surface = "none";
    root.append(this.#frame);
  }

  get hasPicture() {
    return this.#frame.dataset.surface !== "none";
  }

  /* A video of its own for a session that comes by itself: it is seen when it is shown. */
  attach(video) {
    video.className = "direct";
    this.canvas.after(video);
  }

  detach(video) {
    if (video === this.#moving)
      this.keepStill();
    video.remove();
  }

  /* The first new picture is there: show it instead of the still. surface: "video", "canvas" or "direct", the latter
   * with the video that was attached. */
  showLive(surface, video = null) {
    for (const one of this.#frame.querySelectorAll("video.direct"))
      one.toggleAttribute("data-shown", one === video);
    this.#frame.dataset.surface = surface;
  }

  /* The video is about to go: what it shows last stays, as a still. In the middle of a seek it gives none. */
  keepStill() {
    const video = this.#moving;
    if (!video)
      return;
    if (drawable(video))
      this.#paint(video, video.videoWidth, video.videoHeight);
    else
      this.clear();
  }

  /* A picture that came otherwise (an ImageBitmap, which is closed). */
  showStill(picture) {
    this.#paint(picture, picture.width, picture.height);
    picture.close();
  }

  /* What is shown now as a JPEG (a Promise of a Blob); null: nothing. */
  async snapshot() {
    const video = this.#moving;
    if (this.#frame.dataset.surface === "canvas")
      return toJpeg(this.canvas);
    if (!video || !drawable(video))
      return null;
    const copy = document.createElement("canvas");
    copy.width = video.videoWidth;
    copy.height = video.videoHeight;
    copy.getContext("2d", { alpha: false }).drawImage(video, 0, 0);
    return toJpeg(copy);
  }

  /* Another camera: its predecessor's picture must not stand under its name. */
  clear() {
    this.showLive("none");
  }

  /* said: from describe(); label: the camera's title ("" hides the label); status: for screen readers. */
  show(said, label, status, blocked) {
    const { dataset } = this.#frame;
    if (dataset.state !== said.state)
      dataset.state = said.state;
    this.#frame.toggleAttribute("data-dim", said.dim);
    this.#label.hidden = label === "";
    setText(this.#name, label);
    setText(this.#note, said.state === "playing" ? said.detail.replace(/:.*/s, "") : "");
    this.#said.hidden = said.headline === "" || blocked;
    this.#spinner.hidden = said.state !== "connecting" || said.dim;
    setText(this.#headline, said.headline);
    setText(this.#detail, said.detail);
    this.#button.hidden = !blocked;
    setText(this.#status, status);
  }

  /* What programs found in the picture that is shown: as Overlay.drawn() gives it. */
  showBoxes(drawn) {
    const { canvas } = this;
    const video = this.#moving;
    if (drawn.length > 0)
      this.#boxes.draw(drawn, video ? { width: video.videoWidth, height: video.videoHeight }
        : { width: canvas.width, height: canvas.height });
    else
      this.#boxes.clear();
  }

  /* The delay in words; "" for none. */
  showDelay(text) {
    setText(this.#delay, text);
    this.#delay.hidden = text === "";
  }

  /* A short remark that goes by itself. */
  notice(text) {
    setText(this.#notice, text);
    this.#notice.hidden = false;
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => { this.#notice.hidden = true; }, NOTICE_MS);
  }

  /* The video that is seen, or null. */
  get #moving() {
    const { surface } = this.#frame.dataset;
    return surface === "video" ? this.video : this.#frame.querySelector("video[data-shown]");
  }

  #paint(picture, width, height) {
    const { canvas } = this;
    const scale = Math.min(1, STILL_SIDE_MAX / Math.max(width, height));
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    canvas.getContext("2d", { alpha: false }).drawImage(picture, 0, 0, canvas.width, canvas.height);
    this.showLive("canvas");
  }
}

/* Else what is drawn of it is black. */
function drawable(video) {
  return video.videoWidth > 0 && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
}

function toJpeg(canvas) {
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", JPEG_QUALITY));
}

/* Writes only what changed: a screen reader reads each writing. */
function setText(where, text) {
  if (where.textContent !== text)
    where.textContent = text;
}
