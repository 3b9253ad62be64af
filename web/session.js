/* One camera on one tile, kept going for ever: a subscription, the transport that shows what comes of it, the
 * watch over both, and the facts a tile needs to say what is going on. Everything that goes wrong ends the
 * same way: subscription and transport are thrown away, the last picture stays, both are made anew after a pause.
 *
 * Beside them WebRTC (direct.js) tries to get through. Whoever has a picture first shows it; once WebRTC has pictures of
 * now it leads, and the subscription only listens. When it is doubted both run, and whoever has newer pictures shows them. */

import { Backoff } from "./backoff.js";
import { capabilities, transportFor } from "./capabilities.js";
import { Choice } from "./choice.js";
import { DENIED } from "./connection.js";
import { Measured } from "./delay.js";
import { Direct } from "./direct.js";
import { Found } from "./found.js";
import { Still } from "./still.js";
import { Watch } from "./watch.js";
import { readState } from "./wire.js";
import { errorText, FACTS, skippedText } from "./words.js";

const PICTURES = 0; // track
const TICK_MS = 500;
const UNSUPPORTED_PAUSE_MS = 2000; // doubles: what failed once may have been a bad moment of this machine
const UNSUPPORTED_PAUSE_MAX_MS = 16000;
const DIRECT = "webrtc"; // mode

export class Session {
  facts = { ...FACTS };
  #options;
  #can = null; // what the browser can, once known
  #choice = null; // once that is known
  #name = ""; // of the transport; MJPEG comes also when another mode was asked for
  #transport = null;
  #direct;
  #surface = ""; // that is seen while pictures move,
  #seen = null; // and which of them
  #subscription = null;
  #answered = false; // the server said something of it
  #config = null;
  #backoff = new Backoff();
  #measured;
  #retryTimer = 0;
  #tickTimer = 0;
  #lostAt = 0;
  #movedAt = 0; // when a picture last moved, or somebody began to look
  #moving = false; // as was told
  #unsupportedPause = UNSUPPORTED_PAUSE_MS;
  #still;
  #watch = new Watch();
  #found;
  #attempts = 0;
  #running = false;

  /* options: { connection, base (URL of the server's root), camera, quality, pixels (of the element's width, for
   * quality "auto"), muted, smooth, overlay (what programs find is wanted), lateMs (of that),
   * targetMs, basis ("arrival" or "capture"), modes (names, in order), stage (View),
   * onChange() when the facts changed, onPlaying(), onStalled(), onNotice(text) for what passes, onAnalysed() at the first result }. */
  constructor(options) {
    this.#options = options;
    this.#measured = new Measured(options.connection.clock);
    this.#found = new Found(options);
    this.#still = new Still(options, () => this.#wantsStill, () => this.#change({ hasPicture: true }));
    this.#direct = new Direct({
      stage: options.stage,
      sound: () => !options.muted,
      smooth: () => options.smooth === true,
      lacks: (hasSound) => !options.muted && !hasSound && Boolean(this.#config?.audio),
      changed: () => this.#directChanged(),
      presented: (now, picture) => this.#presentedDirect(now, picture),
      blocked: () => this.#blockedDirect(),
    });
  }

  get transport() {
    if (this.#isDirect)
      return DIRECT;
    return this.#transport ? this.#name : "";
  }

  get stats() {
    const shows = this.#isDirect ? this.#direct : this.#transport;
    const { why } = this.#direct;
    return { transport: this.transport, attempts: this.#attempts, connections: this.#options.connection.connections,
      stream: this.#config?.stream ?? "", audio: this.#config?.audio ?? "",
      overlay: this.#found.stats,
      passedOver: { ...this.#choice?.refusals, ...(why && { [DIRECT]: why }) }, ...shows?.stats };
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
    this.#direct.stop();
    this.#change({ paused: true, live: false, direct: false, frozenSince: 0 });
    this.#tune();
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
      this.#change({ paused: false });
      this.#tune();
      this.#fallBack();
      this.#startDirect();
    }
    this.#transport?.jump();
    this.retry();
  }

  /* Something got better: do not wait for the next try. */
  retry() {
    this.#options.connection.retry();
    this.#direct.retry();
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
    this.#direct.play();
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
    this.#direct.renew();
  }

  /* Sound comes in files, or by a session that was asked for with it: all begins anew, under the last picture. */
  set muted(muted) {
    const { stage } = this.#options;
    if (this.#options.muted === muted)
      return;
    this.#options.muted = muted;
    this.#choice = null;
    stage.video.muted = muted;
    if (!this.#running || !this.#can)
      return;
    this.#drop();
    this.#direct.retry(); // what could not be had with sound can perhaps be had without
    this.#subscribe();
  }

  /* With what programs find in the pictures, or without. */
  set overlay(on) {
    if (this.#options.overlay === on)
      return;
    this.#options.overlay = this.#found.on = on;
    if (this.#choice)
      this.#subscription?.change(this.#wish());
    this.#tune();
  }

  set lateMs(ms) {
    this.#found.lateMs = ms;
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
    const { modes, muted } = this.#options;
    this.#choice ??= new Choice(this.#can, modes, muted);
    this.#direct.wanted = modes.includes(DIRECT) && this.#can.get(DIRECT).why === "";
    if (this.#choice.pick(performance.now()) === null && !this.#isAlone) {
      this.#nothingLeft();
      return;
    }
    const { connection } = this.#options;
    this.#attempts += 1;
    this.#subscription = connection.subscribe(this.#wish(), {
      link: (link, why) => this.#link(link, why),
      message: (message) => this.#message(message),
      frame: (frame) => this.#frame(frame),
      webrtc: (said) => this.#direct.server(said, !said.ready),
      report: () => this.#report(),
    });
    this.#tune();
    this.#link(connection.link, connection.why);
    this.#startDirect();
  }

  /* What the subscription is to bring: pictures, words (and what programs find) alone, or nothing. */
  #tune() {
    const { paused, direct } = this.facts;
    this.#subscription?.pause(paused || direct || this.#isAlone, !paused, !paused && this.#found.on);
  }

  #wish() {
    return this.#choice.wish(this.#options);
  }

  #link(link, text) {
    const now = performance.now();
    const why = text || (this.facts.unknown ? "" : this.facts.why);
    this.#answered &&= link === "open";
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
      this.#change(this.facts.direct ? { link, why } : { link, why, live: false, frozenSince: 0 });
    }
    this.#direct.server(this.#options.connection.webrtc);
  }

  #message(message) {
    this.#answered = true;
    if (message.type === "state")
      this.#cameraState(readState(message, Date.now()));
    else if (message.type === "config")
      this.#configure(message);
    else if (message.type === "result")
      this.#found.result(message);
    else if (message.type === "skipped")
      this.#options.onNotice(skippedText(message));
    else if (message.type === "error")
      this.#serverError(String(message.code), errorText(message.text ?? ""));
    else
      this.#direct.message(message);
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
    this.#direct.camera(up);
  }

  #serverError(code, text) {
    if (code === "not-found") {
      this.facts.unknown = true;
      this.#again(`There is no camera “${this.#options.camera}” here`);
    } else if (code === "codec" && this.#isAlone) {
      this.#nothingLeft(text);
    } else if (code === "codec") {
      this.#failed(code, text, this.#choice.mode);
    } else {
      this.#again(code === "busy" ? "Too many viewers at the moment" : text);
      if (code === "denied")
        this.#forget();
    }
  }

  #report() {
    const report = this.#measured.report();
    return report && { transport: this.transport || this.#name, ...report };
  }

  /* --- the transport */

  #configure(message) {
    const found = transportFor(message.form);
    if (!found)
      return;
    if (this.#isAlone) {
      this.#config = message; // of what no transport shows
      return;
    }
    if (this.#choice.canDoWithout(message.stream)) {
      this.#serverError("codec", `by ${this.#choice.mode} this browser cannot play H.265`);
      return;
    }
    this.#config = message;
    if (this.facts.direct)
      return; // for later
    try {
      if (!this.#transport || found.name !== this.#name) {
        this.#dropTransport(message);
        this.#begin(found);
      }
      this.#transport.config(message);
    } catch (error) {
      this.#failed("broken", error.message, found.name);
    }
  }

  #begin({ name, Transport }) {
    const { stage, targetMs } = this.#options;
    this.#name = name;
    this.facts.note = this.#choice.note(name);
    this.#transport = new Transport({ video: stage.video, canvas: stage.canvas, targetMs, report: {
      presented: (ptsUs, withinUs) => this.#presented(ptsUs, withinUs),
      jumps: () => this.#isDirect || this.#found.presented(null),
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
    if (!this.#direct.yieldsTo(now, this.#measured.age(now, ptsUs, withinUs)))
      return;
    const frame = this.#measured.shown(now, ptsUs, withinUs, this.#options.basis);
    this.#moved(now, this.#transport.surface, null, frame);
  }

  /* A picture appeared, by whatever way. frame: which one it is, null: not known. */
  #moved(now, surface, video = null, frame = null) {
    const first = !this.facts.live;
    this.#watch.presented(now, !first);
    this.#backoff.good(now);
    if (this.facts.paused || (this.facts.camera && this.facts.camera.state !== "up")) {
      this.#found.presented(null);
      return; // the last pictures before it went down
    }
    this.#fresh(now);
    this.#still.moved(now);
    if (first || this.facts.frozenSince || this.#seen !== (video ?? surface))
      this.#show(surface, video);
    this.#found.presented(frame);
  }

  #show(surface, video) {
    this.#surface = surface;
    this.#seen = video ?? surface;
    this.#options.stage.showLive(surface, video);
    this.#hear();
    this.#unsupportedPause = UNSUPPORTED_PAUSE_MS;
    this.#change({ live: true, hasPicture: true, frozenSince: 0, unsupported: "", unknown: false, why: "",
      blocked: false });
  }

  /* What is seen is heard, and nothing else. */
  #hear() {
    const { muted, stage } = this.#options;
    stage.video.muted = muted || this.#surface === "direct";
    this.#direct.muted = muted || this.#surface !== "direct";
  }

  /* mode: by which it was tried; without a transport, by what was asked for. */
  #failed(kind, text, mode = this.#transport ? this.#name : this.#choice.mode) {
    const next = this.#choice.failed(kind, text, mode, this.#config?.codec, performance.now());
    this.#again(next ? "" : text, next ? 0 : null);
  }

  #nothingLeft(why = "") {
    this.facts.unsupported = this.#choice.nothingLeft(why);
    this.#again("", this.#unsupportedPause);
    this.#unsupportedPause = Math.min(2 * this.#unsupportedPause, UNSUPPORTED_PAUSE_MAX_MS);
  }

  /* --- WebRTC */

  get #isDirect() {
    return this.#direct.leads && this.#surface === "direct";
  }

  /* Nothing but WebRTC is wanted, or can be had. */
  get #isAlone() {
    return this.#direct.wanted && this.#choice !== null && this.#choice.mode === null;
  }

  /* A server says what it has before it speaks of cameras. */
  get #cannotBeHad() {
    return this.#direct.isHopeless || (this.#direct.isMissing && this.#answered);
  }

  #startDirect() {
    if (!this.facts.paused && this.#subscription)
      this.#direct.start(this.#subscription);
  }

  #directChanged() {
    const { flows, leads, link } = this.#direct;
    const { live } = this.facts;
    if (flows && this.#surface !== "direct" && this.facts.camera?.state !== "up")
      this.#options.stage.keepStill(); // what takes over is not shown yet
    if (flows)
      this.#closeTransport();
    this.#change({ direct: flows, live: live && (leads || this.#surface !== "direct"), damaged: false, way: link });
    this.#tune();
    this.#fallBack();
  }

  /* Where other pictures move, nobody misses these. */
  #blockedDirect() {
    if (!this.facts.live || this.facts.frozenSince)
      this.#change({ blocked: true });
  }

  #presentedDirect(now, { ageMs, rtp, video }) {
    this.#watch.data(now);
    this.#measured.aged(now, ageMs);
    this.#moved(now, "direct", video, this.#found.frameOf(now, ageMs, rtp));
  }

  /* The transport goes on where it was left: the server sends what it has once more. */
  #fallBack() {
    if (this.#config && !this.#transport && !this.facts.paused)
      this.#configure(this.#config);
  }

  /* Who may not see it (any more) does not see what was, either. */
  #forget() {
    this.#options.stage.clear();
    this.#change({ hasPicture: false });
  }

  get #wantsStill() {
    const { unsupported, camera, paused } = this.facts;
    return this.#running && !paused && !document.hidden && (unsupported !== "" || camera?.state === "refused");
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
    this.#answered = false;
    this.facts.link = "waiting";
    this.#direct.stop();
    this.facts.direct = false;
    this.#dropTransport();
  }

  /* config: of its successor. What WebRTC shows goes on. */
  #dropTransport(config = null) {
    const { stage } = this.#options;
    this.#found.clear();
    if (!this.#isDirect) {
      stage.keepStill();
      this.facts.live = false;
    }
    this.facts.hasPicture = stage.hasPicture;
    this.#closeTransport();
    this.#config = config;
  }

  #closeTransport() {
    this.#transport?.close();
    this.#transport = null;
    this.#measured.clear();
  }

  /* --- the watch */

  #tick() {
    const now = performance.now();
    this.facts.stillFor = now - this.#movedAt;
    this.#still.tick(now);
    if (this.facts.link !== "open") {
      this.facts.linkDownFor = this.#lostAt ? now - this.#lostAt : 0;
      if (this.facts.live && !this.facts.direct)
        this.#change({ live: false, frozenSince: 0 });
      if (!this.facts.live && this.#options.connection.why === DENIED)
        this.#forget();
      this.#options.onChange();
      return;
    }
    this.#lostAt = 0;
    this.#transport?.tick();
    if (this.#isAlone && this.#cannotBeHad) {
      this.#nothingLeft(this.#direct.why || "the server has no WebRTC");
      return;
    }
    if (document.hidden || this.facts.paused || (this.#isAlone && !this.#direct.leads))
      this.#watch.begin(now); // nothing is to come
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
    const isSparse = this.facts.direct && this.facts.way === "keys-only"; // the next comes when the camera has one
    if (wrong === "silent" && !isSparse)
      this.#again("No data comes from the server");
    else if (wrong === "stuck" && !isSparse)
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
