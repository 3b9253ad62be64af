/* One camera's connection, kept alive for ever: a WebSocket, the transport that shows what comes over it, the
 * watch over both, and the facts a tile needs to say what is going on. Everything that goes wrong ends the
 * same way: this connection is thrown away, the last picture stays, a new connection is made after a pause. */

import { Backoff } from "./backoff.js";
import { Mjpeg } from "./mjpeg.js";
import { Mse } from "./mse.js";
import { errorText, skippedText } from "./words.js";

const TRANSPORTS = { mse: Mse, mjpeg: Mjpeg };
const TICK_MS = 500;
const OPEN_LIMIT_MS = 15000; // for the socket to open: browsers open a wall of them one after the other
const PROBE_LIMIT_MS = 5000;
const SILENCE_LIMIT_MS = 10000; // without a picture's bytes from a camera that is up
const DOWN_SILENCE_LIMIT_MS = 60000; // without a word while the camera is down: is the socket still there?
const FREEZE_MS = 2500; // without a new picture shown: say so
const FREEZE_INTERVALS = 4; // or this many times the usual interval, for slow cameras
const FREEZE_LIMIT_MS = 5000; // frozen for this long although data comes: begin again
const UNSUPPORTED_PAUSE_MS = 15000;
const CAMERA_STATES = ["off", "connecting", "up", "stalled", "down", "refused"];

export class Session {
  facts = {
    camera: null,
    link: "opening",
    linkDownFor: 0,
    why: "",
    unknown: false,
    hasPicture: false,
    frozenSince: 0,
    live: false,
    unsupported: "",
    damaged: false,
    note: "",
    paused: false,
    blocked: false,
  };

  connections = 0;
  #options;
  #backoff = new Backoff();
  #modes;
  #mode = 0;
  #refusals = {};
  #socket = null;
  #transport = null;
  #retryTimer = 0;
  #tickTimer = 0;
  #openingAt = 0;
  #everOpened = false;
  #linkLostAt = 0;
  #messageAt = 0;
  #dataAt = 0;
  #presentedAt = 0;
  #interval = 0;
  #running = false;

  /* options: { base (URL of the server's root), camera, targetMs, modes (names, in order), stage (View),
   * onChange() when the facts changed, onPlaying(), onStalled(), onNotice(text) for what passes }. */
  constructor(options) {
    this.#options = options;
    this.#modes = options.modes.filter((mode) => TRANSPORTS[mode]?.offer());
  }

  get transport() {
    return this.#transport ? this.#modes[this.#mode] : "";
  }

  get stats() {
    return { transport: this.transport, connections: this.connections, ...this.#transport?.stats };
  }

  start() {
    if (this.#running)
      return;
    this.#running = true;
    this.facts.paused = false;
    this.#linkLostAt = performance.now();
    this.#backoff.reset();
    this.#tickTimer = setInterval(() => this.#tick(), TICK_MS);
    this.#open();
  }

  /* paused: nobody can see it now; false when it is over for good. */
  stop(paused = false) {
    this.#running = false;
    clearTimeout(this.#retryTimer);
    clearInterval(this.#tickTimer);
    this.#drop();
    this.facts.paused = paused;
    this.facts.why = "";
    if (paused)
      this.#options.onChange();
  }

  /* Without another connection. */
  set targetMs(ms) {
    this.#options.targetMs = ms;
    if (this.#transport)
      this.#transport.targetMs = ms;
  }

  /* The page can be seen again after it was hidden. */
  shown() {
    const now = performance.now();
    this.#presentedAt = Math.max(this.#presentedAt, now - FREEZE_MS / 2);
    this.#transport?.jump();
    this.retry();
  }

  /* Something got better: do not wait for the next try. */
  retry() {
    if (!this.#running || this.#socket)
      return;
    clearTimeout(this.#retryTimer);
    this.#backoff.reset();
    this.#open();
  }

  play() {
    this.facts.blocked = false;
    this.#transport?.jump();
    this.#options.onChange();
  }

  #open() {
    if (this.#modes.length === 0) {
      this.facts.unsupported = "This browser has neither Media Source Extensions nor canvas pictures";
      this.#options.onChange();
      return;
    }
    const { base, camera, stage, targetMs } = this.#options;
    const Transport = TRANSPORTS[this.#modes[this.#mode]];
    const report = {
      presented: () => this.#presented(),
      failed: (kind, text) => this.#failed(kind, text),
      blocked: () => this.#change({ blocked: true }),
    };
    this.connections += 1;
    this.#openingAt = performance.now();
    this.#transport = new Transport(Transport === Mse ? stage.video : stage.canvas, { targetMs, report });
    const url = new URL(`api/ws?src=${encodeURIComponent(camera)}`, base);
    url.protocol = url.protocol.replace("http", "ws");
    try {
      this.#socket = new WebSocket(url);
    } catch (error) {
      this.#lost(error.message);
      return;
    }
    this.#everOpened = false;
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = () => this.#opened(Transport.offer());
    this.#socket.onmessage = (event) => this.#message(event.data);
    this.#socket.onclose = () => this.#closed();
    this.#change({ link: "opening" });
  }

  #opened(offer) {
    const now = performance.now();
    this.#everOpened = true;
    this.#messageAt = now;
    this.#dataAt = now;
    this.#presentedAt = now;
    this.#socket.send(JSON.stringify(offer));
    this.#change({ link: "open", linkDownFor: 0, blocked: false, damaged: false });
  }

  #message(data) {
    const now = performance.now();
    this.#messageAt = now;
    if (data instanceof ArrayBuffer) {
      this.#dataAt = now;
      this.#transport.binary(data);
      return;
    }
    let message;
    try {
      message = JSON.parse(data);
    } catch (error) {
      return;
    }
    if (message === null || typeof message !== "object")
      return;
    if (message.type === "state")
      this.#cameraState(message.value);
    else if (message.type === "skipped")
      this.#options.onNotice(skippedText(message.value));
    else if (message.type === "damaged")
      this.#change({ damaged: message.value?.on === true });
    else if (message.type === "error")
      this.#serverError(String(message.value ?? ""));
    else
      this.#transport.text(message);
  }

  #cameraState(value) {
    if (!value || !CAMERA_STATES.includes(value.state))
      return;
    // The server's clock may differ from this computer's: what counts is how long ago it was.
    const serverNow = Number.isFinite(value.server_ms) ? value.server_ms : Date.now();
    const since = value.since_ms > 0 ? Date.now() - (serverNow - value.since_ms) : 0;
    const reason = typeof value.reason === "string" ? value.reason.slice(0, 300) : "";
    if (value.state === "up" && this.facts.camera?.state !== "up") {
      this.#dataAt = performance.now();
      this.#presentedAt = performance.now();
    }
    if (value.state !== "up")
      this.facts.live = false;
    this.#change({ camera: { state: value.state, since, reason }, frozenSince: 0, unknown: false });
  }

  #serverError(value) {
    const text = errorText(value);
    if (/codec/i.test(value))
      this.#failed("codec", text);
    else
      this.#lost(/not found/i.test(value) ? this.#noSuchCamera() : text);
  }

  #noSuchCamera() {
    this.facts.unknown = true;
    return `There is no camera “${this.#options.camera}” here`;
  }

  #presented() {
    const now = performance.now();
    const first = !this.facts.live;
    if (!first)
      this.#interval += (Math.min(now - this.#presentedAt, 10000) - this.#interval) / 8;
    this.#presentedAt = now;
    this.#backoff.good(now);
    if (!first && !this.facts.frozenSince)
      return;
    if (this.facts.camera && this.facts.camera.state !== "up")
      return; // the last pictures before it went down
    this.#options.stage.showLive(this.#modes[this.#mode]);
    this.#refusals = {};
    this.#change({ live: true, hasPicture: true, frozenSince: 0, unsupported: "", unknown: false, why: "",
      blocked: false });
    this.#options.onPlaying();
  }

  #failed(kind, text) {
    if (kind !== "codec") {
      this.#lost(text);
      return;
    }
    this.#refusals[this.#modes[this.#mode]] = text;
    this.#mode = (this.#mode + 1) % this.#modes.length;
    const all = this.#modes.every((mode) => this.#refusals[mode]);
    const name = this.#modes[this.#mode].toUpperCase();
    // That a camera sends JPEG is no fault; that the browser cannot play a better form is worth knowing.
    const why = /^this browser/.test(text) ? `: ${text}` : "";
    this.facts.note = this.#mode === 0 ? "" : name + why;
    this.facts.unsupported = all ? this.#refusals.mse ?? text : this.facts.unsupported;
    if (all)
      this.#refusals = {};
    this.#lost("", all ? UNSUPPORTED_PAUSE_MS : 0);
  }

  #closed() {
    if (this.#everOpened)
      this.#lost("");
    else
      this.#probe();
  }

  /* A refused WebSocket tells a page nothing; an ordinary request does. */
  async #probe() {
    const socket = this.#socket;
    const isStill = () => this.#socket === socket && !this.#everOpened; // it may open meanwhile
    const { base, camera } = this.#options;
    this.#openingAt = Infinity; // asked once
    let why = "The server does not answer";
    try {
      const url = new URL(`api/streams?src=${encodeURIComponent(camera)}`, base);
      const answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(PROBE_LIMIT_MS) });
      if (answer.status === 404)
        why = isStill() ? this.#noSuchCamera() : "";
      else if (answer.status === 401 || answer.status === 403)
        why = "You may not see this camera";
      else if (!answer.ok)
        why = `The server answers ${answer.status}`;
      else
        why = "The server does not take the connection";
    } catch (error) {
      // No answer: the sentence above is true.
    }
    if (isStill())
      this.#lost(why);
  }

  #lost(why, pause = null) {
    const now = performance.now();
    if (this.#linkLostAt === 0)
      this.#linkLostAt = now;
    this.#drop();
    if (!this.#running)
      return;
    const delay = pause ?? this.#backoff.failed(now);
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#open(), delay);
    this.#change({ link: "waiting", why: why || this.facts.why, live: false, frozenSince: 0 });
    this.#options.onStalled();
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#options.stage.keepStill();
    this.facts.live = false;
    this.facts.link = "waiting";
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    this.#transport?.close();
    this.#transport = null;
  }

  #tick() {
    const now = performance.now();
    if (this.facts.link !== "open") {
      this.facts.linkDownFor = this.#linkLostAt ? now - this.#linkLostAt : 0;
      if (this.#socket && now - this.#openingAt > OPEN_LIMIT_MS && !this.#everOpened)
        this.#probe();
      this.#options.onChange();
      return;
    }
    this.#linkLostAt = 0;
    this.#transport.tick();
    if (document.hidden)
      this.#presentedAt = now;
    const { camera } = this.facts;
    if (camera && camera.state !== "up") {
      if (now - this.#messageAt > DOWN_SILENCE_LIMIT_MS)
        this.#lost("");
      return;
    }
    this.#judge(now);
  }

  /* The camera is said to be up: are pictures being shown? */
  #judge(now) {
    const frozenFor = now - this.#presentedAt;
    const allowed = Math.max(FREEZE_MS, FREEZE_INTERVALS * this.#interval);
    if (this.facts.blocked)
      return;
    if (now - this.#dataAt > Math.max(SILENCE_LIMIT_MS, allowed)) {
      this.#lost("No data comes from the server");
    } else if (frozenFor > Math.max(FREEZE_LIMIT_MS, 2 * allowed) && now - this.#dataAt < allowed) {
      this.#lost("The picture stands still although data comes");
    } else if (this.facts.live && frozenFor > allowed && !this.facts.frozenSince) {
      this.#change({ frozenSince: Date.now() - frozenFor });
      this.#options.onStalled();
    }
  }

  #change(facts) {
    Object.assign(this.facts, facts);
    this.#options.onChange();
  }
}
