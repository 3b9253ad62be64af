/* One camera on one tile, kept going for ever: a subscription, the transport that shows what comes of it, the
 * watch over both, and the facts a tile needs to say what is going on. Everything that goes wrong ends the
 * same way: subscription and transport are thrown away, the last picture stays, both are made anew after a pause. */

import { Backoff } from "./backoff.js";
import { capabilities, passedOver, transportFor } from "./capabilities.js";
import { Measured } from "./delay.js";
import { Ladder } from "./ladder.js";
import { fetchStill } from "./streams.js";
import { Watch } from "./watch.js";
import { readState } from "./wire.js";
import { errorText, FACTS, skippedText } from "./words.js";

const PICTURES = 0; // track
const TICK_MS = 500;
const UNSUPPORTED_PAUSE_MS = 2000; // doubles: what failed once may have been a bad moment of this machine
const UNSUPPORTED_PAUSE_MAX_MS = 16000;
const STILL_EVERY_MS = 60000;

export class Session {
  facts = { ...FACTS };
  #options;
  #can = null; // what the browser can, once known
  #ladder = null;
  #mode = null; // that was asked for
  #name = ""; // of the transport; MJPEG comes also when another mode was asked for
  #transport = null;
  #subscription = null;
  #config = null;
  #backoff = new Backoff();
  #measured;
  #retryTimer = 0;
  #tickTimer = 0;
  #lostAt = 0;
  #movedAt = 0; // when a picture last moved, or somebody began to look
  #moving = false; // as was told
  #unsupportedPause = UNSUPPORTED_PAUSE_MS;
  #stillDue = 0; // when a still is worth more than what stands there
  #watch = new Watch();
  #attempts = 0;
  #running = false;

  /* options: { connection, base (URL of the server's root), camera, quality, pixels (of the element's width, for
   * quality "auto"), muted, targetMs, basis ("arrival" or "capture"), modes (names, in order), stage (View),
   * onChange() when the facts changed, onPlaying(), onStalled(), onNotice(text) for what passes }. */
  constructor(options) {
    this.#options = options;
    this.#measured = new Measured(options.connection.clock);
  }

  get transport() {
    return this.#transport ? this.#name : "";
  }

  get stats() {
    const passed = this.#can ? passedOver(this.#can, this.#options.modes) : {};
    return { transport: this.transport, attempts: this.#attempts, connections: this.#options.connection.connections,
      stream: this.#config?.stream ?? "", audio: this.#config?.audio ?? "",
      passedOver: { ...passed, ...this.#ladder?.refusals }, ...this.#transport?.stats };
  }

  /* As Measured.read(); null while no picture moves. */
  get delay() {
    return this.facts.live ? this.#measured.read(performance.now()) : null;
  }

  start() {
    if (this.#running)
      return;
    this.#running = true;
    this.facts.paused = false;
    this.#lostAt = performance.now();
    this.#fresh(this.#lostAt);
    this.#backoff.reset();
    this.#tickTimer = setInterval(() => this.#tick(), TICK_MS);
    this.#subscribe();
  }

  /* paused: nobody can see it now; false when it is over for good. */
  stop(paused = false) {
    this.#running = false;
    clearInterval(this.#tickTimer);
    this.#drop();
    this.facts.paused = paused;
    this.facts.why = "";
    if (paused)
      this.#change({});
  }

  /* Nobody can see it for a while: the server sends nothing, all the rest stays as it is. */
  pause() {
    if (!this.#running || this.facts.paused)
      return;
    this.#subscription?.pause(true);
    this.#change({ paused: true, live: false, frozenSince: 0 });
  }

  /* It can be seen (again). */
  resume() {
    if (!this.#running) {
      this.start();
      return;
    }
    if (this.facts.paused) {
      this.#fresh(performance.now());
      this.#watch.begin(performance.now());
      this.#measured.forgive();
      this.#subscription?.pause(false);
      this.#change({ paused: false });
    }
    this.#transport?.jump();
    this.retry();
  }

  /* Something got better: do not wait for the next try. */
  retry() {
    this.#options.connection.retry();
    if (!this.#running || this.#subscription || !this.#can)
      return;
    this.#backoff.reset();
    this.#subscribe();
  }

  /* A picture moves, or somebody begins to look: what stands there is not called old yet. */
  #fresh(now) {
    this.#movedAt = now;
    this.facts.stillFor = 0;
  }

  play() {
    this.#transport?.jump();
    this.#change({ blocked: false });
  }

  /* Without a new beginning: another minimal distance from the live edge, */
  set targetMs(ms) {
    this.#options.targetMs = ms;
    if (this.#transport)
      this.#transport.targetMs = ms;
  }

  /* another of the camera's streams: { camera, quality, pixels }. */
  choose(choice) {
    Object.assign(this.#options, choice);
    this.#subscription?.change(this.#wish());
  }

  /* Sound comes in files alone, so it needs another transport: a new subscription, under the last picture. */
  set muted(muted) {
    const { stage } = this.#options;
    if (this.#options.muted === muted)
      return;
    this.#options.muted = muted;
    this.#ladder = null;
    stage.video.muted = muted;
    if (!this.#running || !this.#can)
      return;
    this.#drop();
    this.#subscribe();
  }

  set basis(basis) {
    this.#options.basis = basis;
  }

  /* --- the subscription */

  async #subscribe() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = 0;
    this.#can ??= await capabilities();
    if (!this.#running || this.#subscription)
      return;
    this.#ladder ??= new Ladder(this.#modes());
    this.#mode = this.#ladder.pick(performance.now());
    if (this.#mode === null) {
      this.#nothingLeft();
      return;
    }
    const { connection } = this.#options;
    this.#attempts += 1;
    this.#subscription = connection.subscribe(this.#wish(), {
      link: (link, why) => this.#link(link, why),
      message: (message) => this.#message(message),
      frame: (frame) => this.#frame(frame),
      report: () => this.#report(),
    });
    if (this.facts.paused)
      this.#subscription.pause(true);
    this.#link(connection.link, connection.why);
  }

  /* What the browser has; where sound is wanted, first what brings some. */
  #modes() {
    const { modes, muted } = this.#options;
    const found = modes.filter((mode) => this.#can.get(mode)?.why === "");
    const hears = (mode) => Boolean(this.#can.get(mode).sounds);
    return muted ? found : [...found.filter(hears), ...found.filter((mode) => !hears(mode))];
  }

  #wish() {
    const { camera, quality, pixels, muted } = this.#options;
    const { form, codecs, sounds } = this.#can.get(this.#mode);
    const audio = !muted && Boolean(sounds);
    const wish = { src: camera, quality, forms: [form], codecs: audio ? `${codecs},${sounds}` : codecs, audio };
    if (form !== "jpeg" && this.#ladder.modes.includes("mjpeg") && !this.#ladder.refusals.mjpeg)
      wish.forms.push("jpeg");
    if (quality === "auto")
      wish.pixels = pixels;
    return wish;
  }

  #link(link, text) {
    const now = performance.now();
    const why = text || (this.facts.unknown ? "" : this.facts.why);
    if (link !== "open")
      this.facts.unknown = false; // who knows what is there now
    if (link === "open") {
      this.#watch.begin(now);
      this.#change({ link, linkDownFor: 0, blocked: false, damaged: false });
    } else if (link === "opening") {
      this.#change({ link, why });
    } else {
      this.#lostAt ||= now;
      this.#dropTransport();
      this.#change({ link, why, live: false, frozenSince: 0 });
    }
  }

  #message(message) {
    if (message.type === "state")
      this.#cameraState(readState(message, Date.now()));
    else if (message.type === "config")
      this.#configure(message);
    else if (message.type === "skipped")
      this.#options.onNotice(skippedText(message));
    else if (message.type === "error")
      this.#serverError(String(message.code), errorText(message.text ?? ""));
  }

  #cameraState(camera) {
    if (!camera)
      return;
    const { camera: before, live, frozenSince } = this.facts;
    const up = camera.state === "up";
    const still = up && before?.state === "up"; // only the words are new
    if (up && !still)
      this.#watch.begin(performance.now());
    this.#change({ camera, live: live && up, frozenSince: still ? frozenSince : 0, unknown: false });
  }

  #serverError(code, text) {
    if (code === "not-found") {
      this.facts.unknown = true;
      this.#again(`There is no camera “${this.#options.camera}” here`);
    } else if (code === "codec") {
      this.#ladder.refuse(this.#mode, text, performance.now());
      this.#again("", 0);
    } else {
      this.#again(code === "busy" ? "Too many viewers at the moment" : text);
    }
  }

  #report() {
    const report = this.#measured.report();
    return report && { transport: this.#name, ...report };
  }

  /* --- the transport */

  #configure(message) {
    const found = transportFor(message.form);
    if (!found)
      return;
    if (String(message.stream).endsWith(".h264") && this.#canDoWithout()) {
      this.#serverError("codec", `by ${this.#mode} this browser cannot play H.265`);
      return;
    }
    try {
      if (!this.#transport || found.name !== this.#name) {
        this.#dropTransport();
        this.#begin(found);
      }
      this.#config = message;
      this.#transport.config(message);
    } catch (error) {
      this.#failed("broken", error.message, found.name);
    }
  }

  /* Another mode plays H.265 itself, and no server has to make H.264 of it. */
  #canDoWithout() {
    const plays = (mode) => this.#can.get(mode).codecs.includes("hvc1");
    return !plays(this.#mode) && this.#ladder.modes.some((mode) => plays(mode) && !this.#ladder.refusals[mode]);
  }

  #begin({ name, Transport }) {
    const { stage, targetMs } = this.#options;
    const reason = this.#ladder.refusals[this.#ladder.modes[0]];
    this.#name = name;
    this.facts.note = name === this.#ladder.modes[0] ? "" : [name.toUpperCase(), reason].filter(Boolean).join(": ");
    this.#transport = new Transport({ video: stage.video, canvas: stage.canvas, targetMs, report: {
      presented: (ptsUs, withinUs) => this.#presented(ptsUs, withinUs),
      working: () => this.#watch.worked(performance.now()),
      failed: (kind, text) => this.#failed(kind, text),
      blocked: () => this.#change({ blocked: true }),
    } });
  }

  #frame(frame) {
    if (frame.track !== PICTURES) {
      if (this.#name === "mse") // the others know nothing of sound
        this.#transport?.frame(frame);
      return; // no sign that pictures come
    }
    this.#watch.data(performance.now());
    if (!this.#transport)
      return;
    if (frame.damaged !== this.facts.damaged && (frame.damaged || frame.key))
      this.#change({ damaged: frame.damaged });
    this.#measured.came(frame);
    this.#transport.frame(frame);
  }

  #presented(ptsUs, withinUs) {
    const now = performance.now();
    const first = !this.facts.live;
    this.#watch.presented(now, !first);
    this.#backoff.good(now);
    this.#measured.shown(now, ptsUs, withinUs, this.#options.basis);
    if (this.facts.paused || (this.facts.camera && this.facts.camera.state !== "up"))
      return; // the last pictures before it went down
    this.#fresh(now);
    this.#stillDue = now + STILL_EVERY_MS;
    if (!first && !this.facts.frozenSince)
      return;
    this.#options.stage.showLive(this.#transport.surface);
    this.#unsupportedPause = UNSUPPORTED_PAUSE_MS;
    this.#change({ live: true, hasPicture: true, frozenSince: 0, unsupported: "", unknown: false, why: "",
      blocked: false });
  }

  /* mode: by which it was tried; without a transport, by what was asked for. */
  #failed(kind, text, mode = this.#transport ? this.#name : this.#mode) {
    const now = performance.now();
    if (kind === "codec")
      this.#ladder.refuse(mode, text, now);
    const next = kind === "codec" || this.#ladder.broke(mode, text, now);
    this.#again(next ? "" : text, next ? 0 : null);
  }

  #nothingLeft() {
    const { modes, refusals } = this.#ladder;
    const none = "This browser has neither WebCodecs nor Media Source Extensions nor canvas pictures";
    this.facts.unsupported = modes.map((mode) => refusals[mode]).find(Boolean) ?? none;
    this.#ladder.forget();
    this.#again("", this.#unsupportedPause);
    this.#unsupportedPause = Math.min(2 * this.#unsupportedPause, UNSUPPORTED_PAUSE_MAX_MS);
  }

  /* What cannot be played, or has no place among what is transcoded, can perhaps be seen once in a while. */
  get #wantsStill() {
    const { unsupported, camera, paused } = this.facts;
    return this.#running && !paused && !document.hidden && (unsupported !== "" || camera?.state === "refused");
  }

  async #showStill(now) {
    const { base, camera, stage } = this.#options;
    if (!this.#wantsStill || now < this.#stillDue)
      return;
    this.#stillDue = now + STILL_EVERY_MS;
    const picture = await fetchStill(base, camera);
    if (!picture || !this.#wantsStill)
      return;
    stage.showStill(picture);
    this.#change({ hasPicture: true });
  }

  /* --- what goes wrong */

  #again(why, pause = null) {
    const now = performance.now();
    this.#lostAt ||= now;
    this.#drop();
    if (!this.#running)
      return;
    this.#retryTimer = setTimeout(() => this.#subscribe(), pause ?? this.#backoff.failed(now));
    this.#change({ link: "waiting", why: why || this.facts.why, live: false, frozenSince: 0 });
  }

  #drop() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = 0;
    this.#subscription?.close();
    this.#subscription = null;
    this.facts.link = "waiting";
    this.#dropTransport();
  }

  #dropTransport() {
    const { stage } = this.#options;
    stage.keepStill();
    this.facts.hasPicture = stage.hasPicture;
    this.facts.live = false;
    this.#transport?.close();
    this.#transport = null;
    this.#config = null;
    this.#measured.clear();
  }

  /* --- the watch */

  #tick() {
    const now = performance.now();
    this.facts.stillFor = now - this.#movedAt;
    this.#showStill(now);
    if (this.facts.link !== "open") {
      this.facts.linkDownFor = this.#lostAt ? now - this.#lostAt : 0;
      this.#options.onChange();
      return;
    }
    this.#lostAt = 0;
    this.#transport?.tick();
    if (document.hidden || this.facts.paused)
      this.#watch.begin(now);
    else if (!this.facts.camera || this.facts.camera.state === "up")
      this.#judge(now);
    if (!this.facts.live)
      this.#options.onChange();
  }

  /* The camera is said to be up. */
  #judge(now) {
    if (this.facts.blocked)
      return;
    const { frozenMs, wrong } = this.#watch.judge(now, this.facts.live);
    if (wrong === "silent")
      this.#again("No data comes from the server");
    else if (wrong === "stuck")
      this.#failed("broken", "The picture stands still although data comes");
    else if (this.facts.live && frozenMs > 0 && !this.facts.frozenSince)
      this.#change({ frozenSince: Date.now() - frozenMs });
  }

  #change(facts) {
    Object.assign(this.facts, facts);
    this.#options.onChange();
    this.#tell();
  }

  /* Pictures move, or do not any more: each told once. A pause is nobody's fault, and no stall. */
  #tell() {
    const { live, frozenSince, paused } = this.facts;
    const moving = live && !frozenSince;
    if (moving === this.#moving)
      return;
    this.#moving = moving;
    if (moving)
      this.#options.onPlaying();
    else if (!paused)
      this.#options.onStalled();
  }
}
