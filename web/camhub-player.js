/* <camhub-player camera="door">: one live camera. docs/embed.md is its manual.
 *
 * Attributes
 *   camera       the camera's name, as in api/streams
 *   src          URL of camhub, when it is not where this file came from
 *   label        the name shown on the picture; "" for none (default: the camera's name)
 *   target-ms    how far behind the newest picture MSE plays at least (default 40); may be changed while it plays
 *   modes        transports in the order to try (default "webrtc,webcodecs,mse,mjpeg")
 *   quality      main (the default), sub, or auto: by the width of the element
 *   muted        "false": with the camera's sound, which needs WebRTC or MSE (default: without)
 *   smooth       pictures by WebRTC rather evenly than as soon as they come
 *   show-delay   the delay stands in the picture's corner
 *   overlay      what programs find in the pictures is drawn over them, where there are such programs
 *   overlay-late-ms  what comes later than this after its frame is not drawn (default 500)
 *   delay-basis  "capture": the delay is told from the camera's clock, where it has one (default: from the arrival)
 * Events: analysed (the first result of a program came), playing (pictures move), stalled (they do not any more), statechange (detail: { state, headline, detail,
 *   transport }), delay (detail as the property, once a second while pictures move); state is playing, connecting,
 *   stalled, offline, unsupported or paused.
 * Properties: state, sentence (the state in words), delay (null or { ms, p50, p95, max, basis, uncertaintyMs }), stats
 *   (for measuring), muted, hold (true: the subscription is given up, the picture kept). Methods: snapshot().
 * A page that gives the element a role of its own names it itself. */

import { capabilities } from "./capabilities.js";
import { connectionTo } from "./connection.js";
import { AutoQuality } from "./quality.js";
import { ROOT } from "./root.js";
import { Session } from "./session.js";
import { View } from "./view.js";
import { delayText, describe, FACTS, sentence } from "./words.js";

const MODES = "webrtc,webcodecs,mse,mjpeg";
const QUALITIES = ["main", "sub", "auto"];
const TARGET_MS = 40;
const HIDDEN_PAUSE_MS = 1000; // a page in the background for this long: nothing is sent any more,
const UNSEEN_PAUSE_MS = 5000; // the same for what was scrolled away,
const LET_GO_MS = 60000; // and after this long it gives its place among the viewers up
const DELAY_EVERY_MS = 1000;

export class CamhubPlayer extends HTMLElement {
  static observedAttributes = ["camera", "src", "label", "target-ms", "modes", "quality", "show-delay", "delay-basis",
    "muted", "smooth", "overlay", "overlay-late-ms"];

  #view = null;
  #session = null;
  #pictured = ""; // whose picture the view may hold
  #said = null;
  #reported = "";
  #sentence = "";
  #named = true;
  #onScreen = null; // not known yet
  #hold = false;
  #pauseTimer = 0;
  #delayTimer = 0;
  #auto = new AutoQuality();
  #width = 0; // of the element in device pixels
  #seen = new IntersectionObserver((entries) => {
    this.#onScreen = entries[entries.length - 1].isIntersecting;
    this.#visibility();
  }, { rootMargin: "50%" });

  #sized = new ResizeObserver((entries) => this.#resized(entries[entries.length - 1].contentRect.width));
  #onVisibility = () => this.#visibility();
  #onOnline = () => this.#session?.retry();

  get state() {
    return this.#said?.state ?? "connecting";
  }

  get sentence() {
    return this.#sentence;
  }

  get delay() {
    return this.#session?.delay ?? null;
  }

  get stats() {
    return { state: this.state, ...this.#session?.stats };
  }

  get hold() {
    return this.#hold;
  }

  set hold(value) {
    this.#hold = Boolean(value);
    this.#visibility();
  }

  get muted() {
    return this.getAttribute("muted") !== "false";
  }

  set muted(value) {
    this.setAttribute("muted", String(Boolean(value)));
  }

  /* A Promise of the picture that is shown, as a JPEG in a Blob; of null when there is none. */
  async snapshot() {
    return this.#view?.snapshot() ?? null;
  }

  connectedCallback() {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    this.#view ??= new View(root, () => this.#session?.play());
    this.#named = !this.hasAttribute("role") || this.getAttribute("role") === "group";
    if (this.#named)
      this.setAttribute("role", "group");
    document.addEventListener("visibilitychange", this.#onVisibility);
    globalThis.addEventListener("online", this.#onOnline);
    this.#width = this.clientWidth * devicePixelRatio;
    this.#seen.observe(this);
    this.#sized.observe(this);
    this.#delayTimer = setInterval(() => this.#tellDelay(), DELAY_EVERY_MS);
    this.#restart();
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#onVisibility);
    globalThis.removeEventListener("online", this.#onOnline);
    this.#seen.disconnect();
    this.#sized.disconnect();
    this.#onScreen = null;
    clearTimeout(this.#pauseTimer);
    clearInterval(this.#delayTimer);
    this.#session?.stop();
    this.#session = null;
  }

  attributeChangedCallback(name, before, after) {
    const session = this.#session;
    if (!this.#view || !this.isConnected || before === after)
      return;
    if (!session)
      this.#restart();
    else if (name === "label")
      this.#render();
    else if (name === "target-ms")
      session.targetMs = this.#targetMs();
    else if (name === "show-delay")
      this.#showDelay();
    else if (name === "muted")
      session.muted = this.muted;
    else if (name === "overlay")
      session.overlay = after !== null;
    else if (name === "overlay-late-ms")
      session.lateMs = this.#lateMs();
    else if (name === "delay-basis")
      session.basis = after;
    else if (name === "quality" || (name === "camera" && sameCamera(before, after)))
      session.choose(this.#choice());
    else
      this.#restart();
  }

  #restart() {
    clearTimeout(this.#pauseTimer);
    this.#session?.stop();
    this.#session = null;
    const base = this.#base();
    const whose = `${base?.href} ${cameraOf(this.getAttribute("camera"))}`;
    if (whose !== this.#pictured)
      this.#view.clear();
    this.#pictured = whose;
    if (base)
      this.#begin(base);
    this.#render();
  }

  /* The URL of the server's root; null when src is none. */
  #base() {
    try {
      const base = new URL(this.getAttribute("src") || ".", this.hasAttribute("src") ? document.baseURI : ROOT);
      return /^https?:$/.test(base.protocol) ? base : null;
    } catch (error) {
      return null;
    }
  }

  #begin(base) {
    this.#session = new Session({
      ...this.#choice(),
      base,
      connection: connectionTo(base),
      targetMs: this.#targetMs(),
      basis: this.getAttribute("delay-basis"),
      muted: this.muted,
      smooth: this.hasAttribute("smooth"),
      overlay: this.hasAttribute("overlay"),
      lateMs: this.#lateMs(),
      modes: (this.getAttribute("modes") ?? MODES).split(",").map((mode) => mode.trim()),
      stage: this.#view,
      onChange: () => this.#render(),
      onPlaying: () => this.#emit("playing"),
      onStalled: () => this.#emit("stalled"),
      onNotice: (text) => this.#view.notice(text),
      onAnalysed: () => this.#emit("analysed"),
    });
    this.#view.video.muted = this.muted;
    this.#session.facts.hasPicture = this.#view.hasPicture;
    if (this.hasAttribute("camera") && !this.#hold && !document.hidden)
      connectionTo(base).warm(); // whether it is on the screen turns out later
    this.#visibility();
  }

  #choice() {
    const quality = QUALITIES.find((one) => one === this.getAttribute("quality")) ?? "main";
    return { camera: this.getAttribute("camera") ?? "", quality, pixels: this.#auto.pixels(Math.round(this.#width)) };
  }

  #resized(width) {
    const before = this.#auto.large;
    this.#width = width * devicePixelRatio;
    const choice = this.#choice();
    if (choice.quality === "auto" && this.#auto.large !== before)
      this.#session?.choose(choice);
  }

  #targetMs() {
    const target = Number.parseFloat(this.getAttribute("target-ms") ?? "");
    return Number.isFinite(target) ? Math.min(Math.max(target, 0), 60000) : TARGET_MS;
  }

  #lateMs() {
    return Number.parseFloat(this.getAttribute("overlay-late-ms") ?? "");
  }

  #visibility() {
    const session = this.#session;
    if (!session)
      return;
    clearTimeout(this.#pauseTimer);
    if (this.#hold || !this.hasAttribute("camera"))
      session.stop(true);
    else if (this.#onScreen && !document.hidden)
      session.resume();
    else if (this.#onScreen !== null)
      this.#pauseTimer = setTimeout(() => this.#unseen(), this.#onScreen ? HIDDEN_PAUSE_MS : UNSEEN_PAUSE_MS);
  }

  #unseen() {
    this.#session.pause();
    this.#pauseTimer = setTimeout(() => this.#session.stop(true), LET_GO_MS);
  }

  #render() {
    const session = this.#session;
    const facts = session?.facts ?? { ...FACTS, unsupported: "the attribute src is no address" };
    const said = describe(facts, Date.now());
    const label = this.getAttribute("label") ?? this.getAttribute("camera") ?? "";
    const name = label || (this.getAttribute("camera") ?? "camera");
    this.#said = said;
    this.#sentence = sentence(name, said);
    this.#view.show(said, label, this.#sentence, facts.blocked);
    if (this.#named && this.getAttribute("aria-label") !== this.#sentence)
      this.setAttribute("aria-label", this.#sentence);
    const report = `${said.state}\n${said.headline}\n${said.detail}\n${session?.transport}`;
    if (report === this.#reported)
      return;
    this.#reported = report;
    const { state, headline, detail } = said;
    this.#emit("statechange", { state, headline, detail, transport: session?.transport ?? "" });
    this.#showDelay();
  }

  #tellDelay() {
    const { delay } = this;
    if (delay && !document.hidden)
      this.#emit("delay", delay);
    this.#showDelay();
  }

  #showDelay() {
    this.#view.showDelay(this.hasAttribute("show-delay") && this.state === "playing" ? delayText(this.delay) : "");
  }

  #emit(type, detail = undefined) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}

/* door and door.sub are one camera in two sizes: the old picture may stay until the new one comes. */
function cameraOf(stream) {
  return (stream ?? "").replace(/\.sub$/, "");
}

function sameCamera(before, after) {
  return before !== null && after !== null && cameraOf(before) === cameraOf(after);
}

capabilities(); // asked while the page is still being built
customElements.define("camhub-player", CamhubPlayer);
