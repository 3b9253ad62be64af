/* <camhub-player camera="door">: one live camera.
 *
 * Attributes
 *   camera     the stream's name, as in api/streams
 *   src        URL of camhub, when it is not where this file came from
 *   label      the name shown on the picture; "" for none (default: the camera's name)
 *   target-ms  how far behind the newest picture to play at least (default 60); may be changed while it plays
 *   modes      transports in the order to try (default "mse,mjpeg")
 * Events: playing (pictures move), stalled (they do not), statechange (detail: { state, headline, detail,
 *   transport }); state is playing, connecting, stalled, offline, unsupported or paused.
 * Properties: state, sentence (the state in words), stats (for measuring), hold (true: the connection is given
 * up, the picture kept). A page that gives the element a role of its own names it itself. */

import { Session } from "./session.js";
import { View } from "./view.js";
import { describe, sentence } from "./words.js";

const MODES = "mse,mjpeg";
const TARGET_MS = 60;
const UNSEEN_LIMIT_MS = 5000; // scrolled away for this long: give the connection up
const HIDDEN_LIMIT_MS = 60000; // the same for a page in the background

export class CamhubPlayer extends HTMLElement {
  static observedAttributes = ["camera", "src", "label", "target-ms", "modes"];

  #view = null;
  #session = null;
  #said = null;
  #reported = "";
  #sentence = "";
  #named = true;
  #onScreen = null; // not known yet
  #hold = false;
  #pauseTimer = 0;
  #observer = null;
  #onVisibility = () => this.#visibility();
  #onOnline = () => this.#session?.retry();

  get state() {
    return this.#said?.state ?? "connecting";
  }

  get sentence() {
    return this.#sentence;
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

  connectedCallback() {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    this.#view ??= new View(root, () => this.#session?.play());
    this.#named = !this.hasAttribute("role") || this.getAttribute("role") === "group";
    if (this.#named)
      this.setAttribute("role", "group");
    document.addEventListener("visibilitychange", this.#onVisibility);
    globalThis.addEventListener("online", this.#onOnline);
    this.#observer = new IntersectionObserver((entries) => {
      this.#onScreen = entries[entries.length - 1].isIntersecting;
      this.#visibility();
    }, { rootMargin: "50%" });
    this.#observer.observe(this);
    this.#restart();
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#onVisibility);
    globalThis.removeEventListener("online", this.#onOnline);
    this.#observer.disconnect();
    this.#onScreen = null;
    clearTimeout(this.#pauseTimer);
    this.#session?.stop();
    this.#session = null;
  }

  attributeChangedCallback(name, before, after) {
    if (!this.#session || before === after)
      return;
    if (name === "label")
      this.#render();
    else if (name === "target-ms")
      this.#session.targetMs = this.#targetMs();
    else
      this.#restart(name === "camera" && !sameCamera(before, after));
  }

  #restart(another = false) {
    this.#session?.stop();
    if (another)
      this.#view.clear();
    this.#session = new Session({
      base: new URL(this.getAttribute("src") || ".", this.hasAttribute("src") ? document.baseURI : import.meta.url),
      camera: this.getAttribute("camera") ?? "",
      targetMs: this.#targetMs(),
      modes: (this.getAttribute("modes") ?? MODES).split(",").map((mode) => mode.trim()),
      stage: this.#view,
      onChange: () => this.#render(),
      onPlaying: () => this.#emit("playing"),
      onStalled: () => this.#emit("stalled"),
      onNotice: (text) => this.#view.notice(text),
    });
    this.#session.facts.hasPicture = this.#view.hasPicture;
    this.#visibility();
  }

  #targetMs() {
    const target = Number.parseFloat(this.getAttribute("target-ms") ?? "");
    return Number.isFinite(target) ? Math.min(Math.max(target, 0), 60000) : TARGET_MS;
  }

  #visibility() {
    const session = this.#session;
    if (!session)
      return;
    clearTimeout(this.#pauseTimer);
    if (this.#hold || !this.hasAttribute("camera")) {
      session.stop(true);
    } else if (this.#onScreen && !document.hidden) {
      session.shown();
      session.start();
    } else if (this.#onScreen !== null) {
      const after = this.#onScreen ? HIDDEN_LIMIT_MS : UNSEEN_LIMIT_MS;
      this.#pauseTimer = setTimeout(() => session.stop(true), after);
    }
  }

  #render() {
    const session = this.#session;
    if (!session)
      return;
    const said = describe(session.facts, Date.now());
    const label = this.getAttribute("label") ?? this.getAttribute("camera") ?? "";
    const name = label || (this.getAttribute("camera") ?? "camera");
    this.#said = said;
    this.#sentence = sentence(name, said);
    this.#view.show(said, label, this.#sentence, session.facts.blocked);
    if (this.#named && this.getAttribute("aria-label") !== this.#sentence)
      this.setAttribute("aria-label", this.#sentence);
    const report = `${said.state}\n${said.headline}\n${said.detail}\n${session.transport}`;
    if (report === this.#reported)
      return;
    this.#reported = report;
    const { state, headline, detail } = said;
    this.#emit("statechange", { state, headline, detail, transport: session.transport });
  }

  #emit(type, detail = undefined) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}

/* door and door.sub are one camera in two sizes: the old picture may stay until the new one comes. */
function sameCamera(before, after) {
  const camera = (stream) => (stream ?? "").replace(/\.sub$/, "");
  return camera(before) === camera(after);
}

customElements.define("camhub-player", CamhubPlayer);
