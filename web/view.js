/* What a <camhub-player> shows: the moving picture, the last picture when there is none, the name, the words
 * about what is wrong. It knows nothing of connections; it is told. */

import { sheet } from "./player-style.js";

const NOTICE_MS = 4000;
const STILL_SIDE_MAX = 1920; // a still needs no more pixels than this

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
  #frame;
  #label;
  #name = element("span", "name");
  #note = element("span", "note");
  #said;
  #spinner = element("div", "spinner");
  #headline = element("div", "headline");
  #detail = element("div", "detail");
  #notice = element("div", "notice");
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
    this.#button.addEventListener("click", (event) => {
      event.preventDefault();
      event.stopPropagation();
      onPlay();
    });
    this.#frame = element("div", "frame", video, this.canvas, this.#label, this.#said, this.#notice,
      this.#button, this.#status);
    this.#frame.dataset.surface = "none";
    root.append(this.#frame);
  }

  get hasPicture() {
    return this.#frame.dataset.surface !== "none";
  }

  /* The first new picture of this transport is there: show it instead of the still. */
  showLive(transport) {
    this.#frame.dataset.surface = transport === "mjpeg" ? "canvas" : "video";
  }

  /* The video is about to go: what it shows last stays, as a still. */
  keepStill() {
    const { video, canvas } = this;
    if (this.#frame.dataset.surface !== "video" || video.videoWidth === 0)
      return;
    const scale = Math.min(1, STILL_SIDE_MAX / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.max(1, Math.round(video.videoWidth * scale));
    canvas.height = Math.max(1, Math.round(video.videoHeight * scale));
    canvas.getContext("2d", { alpha: false }).drawImage(video, 0, 0, canvas.width, canvas.height);
    this.#frame.dataset.surface = "canvas";
  }

  /* Another camera: its predecessor's picture must not stand under its name. */
  clear() {
    this.#frame.dataset.surface = "none";
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

  /* A short remark that goes by itself. */
  notice(text) {
    setText(this.#notice, text);
    this.#notice.hidden = false;
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => { this.#notice.hidden = true; }, NOTICE_MS);
  }
}

/* Writes only what changed: a screen reader reads each writing. */
function setText(where, text) {
  if (where.textContent !== text)
    where.textContent = text;
}
