/* One camera's pictures by WebRTC, beside the subscription that brings them by the WebSocket: when a session is
 * asked for, when it leads (its pictures are on the screen), when it is doubted, when it is made anew. The
 * WebSocket carries offer and answer. What leads stays until its successor has pictures of now. */

import { NO_WEBRTC } from "./connection.js";
import { Tries } from "./tries.js";
import { WebRtc } from "./webrtc.js";

const TICK_MS = 150;
const LISTEN_MS = 250; // without a picture: does anything come?
const SILENT_MS = 550; // nothing at all from then on: doubted. The server is never silent for so long
const STALL_MS = 400; // between two ticks: this page stood still, and knows nothing of what came
const STILL_MS = 2500; // the same for what comes without making pictures,
const STILL_INTERVALS = 4; // or so many times the usual interval
const NEWER_MS = 50; // a picture that came to the server so long after the one that is shown is another one
const OVERTAKE_MS = 500; // newer pictures for so long by another way, and none by this: it is given up
const ANSWER_LIMIT_MS = 8000;
const KINDS = { 406: "refused", 415: "refused", 422: "refused" }; // of answers that will be the same tomorrow
const TEXT_MAX = 300;
const LINKS = ["ok", "thin", "keys-only"];

export class Direct {
  wanted = false; // WebRTC is among the modes, and the browser has it
  leads = false; // its pictures are on the screen,
  #doubted = false; // but it is not certain that more will come
  #options;
  #tries = new Tries();
  #subscription = null; // while it runs
  #server = NO_WEBRTC;
  #cameraIsUp = false;
  #coming = null; // { rtc, number, offeredAt (0: it is only prepared), answered, link (as the server said) }
  #leading = null; // the same, on the screen
  #stale = false; // another one is wanted in its place
  #shownAt = 0;
  #interval = 0;
  #newerSince = 0; // others have newer pictures since then
  #number = 0;
  #timer = 0;
  #tickedAt = 0;

  /* options: { stage (View), sound() (is it wanted), smooth() (rather even than soon), lacks(hasSound) (others bring sound, and this does not),
   * changed() (leads or flows is another), presented(now, { ageMs (or null), rtp (its RTP time), video }) (a picture of what leads),
   * blocked() (the browser wants a click) }. */
  constructor(options) {
    this.#options = options;
  }

  get stats() {
    return { ...this.#leading?.rtc.stats, ...(this.leads && { link: this.link }) };
  }

  /* It leads and can be relied on: nobody else need show pictures. */
  get flows() {
    return this.leads && !this.#doubted;
  }

  /* What its way to here lets the server send: "ok", "thin" (a smaller picture) or "keys-only". */
  get link() {
    return this.#leading?.link ?? "ok";
  }

  /* Why there are no pictures by it, "" when nothing is wrong. */
  get why() {
    return this.leads ? "" : this.#tries.why;
  }

  /* It cannot be had for this camera, in this browser or where it is, and is not tried now. */
  get isHopeless() {
    return !this.leads && !this.#coming && this.#tries.isHopeless && !this.#tries.isDue(performance.now());
  }

  /* Without its sound. */
  set muted(muted) {
    if (this.#leading)
      this.#leading.rtc.video.muted = muted;
  }

  /* The server, as far as it has said, has none. */
  get isMissing() {
    return !this.leads && !this.#server.exists;
  }

  start(subscription) {
    if (!this.wanted)
      return;
    this.#subscription = subscription;
    this.#timer ||= setInterval(() => this.#tick(performance.now()), TICK_MS);
    this.#pump();
    if (!this.#coming && !this.#leading && this.#tries.isDue(performance.now()))
      this.#prepare(); // while the connection is being made
  }

  /* Nobody looks any more, or all begins anew. */
  stop() {
    this.#subscription = null;
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#dropComing();
    this.#dropLeading();
  }

  /* { exists, ready, servers } as the connection was told. isAway: the server said that the sessions that were are gone. */
  server(said, isAway = false) {
    if (said.ready && !this.#server.ready)
      this.#tries.forget();
    this.#server = said;
    if (!said.ready && this.#coming?.offeredAt && !this.#coming.answered)
      this.#dropComing(); // nobody is there to answer
    if (!said.exists && this.link !== "ok") { // another connection hears nothing of its way
      this.#leading.link = "ok";
      this.#options.changed();
    }
    if (isAway && this.#coming)
      this.#comingFailed("busy", "the server's WebRTC is away");
    if (isAway && this.#leading)
      this.#lost("the server's WebRTC is away");
    this.#pump();
  }

  camera(isUp) {
    if (isUp && !this.#cameraIsUp && this.#leading)
      this.#forgive(performance.now()); // nobody expected pictures until now
    this.#cameraIsUp = isUp;
    this.#pump();
    if (this.#coming?.offeredAt === 0)
      this.#dropComing(); // it cannot be had now
  }

  /* Another stream, or another network: what leads is replaced. */
  renew() {
    this.#stale = this.#leading !== null;
    this.#dropComing();
    this.retry();
  }

  /* Something got better: perhaps there is a way now. */
  retry() {
    this.#tries.forget();
    this.#pump();
  }

  play() {
    this.#leading?.rtc.play();
    this.#coming?.rtc.play();
  }

  message({ type, offer, code, text, sdp, link }) {
    const coming = this.#coming;
    const session = [coming, this.#leading].find((one) => one?.number === offer);
    if (type === "webrtc/link" && session && LINKS.includes(link)) {
      session.link = link;
      if (session === this.#leading)
        this.#options.changed();
      return;
    }
    if (!coming || offer !== coming.number)
      return;
    if (type === "webrtc/answer") {
      coming.answered = true;
      coming.rtc.answer(String(sdp));
    } else if (type === "webrtc/error") {
      this.#comingFailed(KINDS[code] ?? "busy", String(text ?? "").slice(0, TEXT_MAX));
    }
  }

  /* Another way has a picture that came to the server ageMs ago (null: not known): whether it is to be shown. */
  yieldsTo(now, ageMs) {
    if (!this.leads)
      return true;
    const isNewer = ageMs === null || now - ageMs > this.#shownAt + NEWER_MS;
    if (isNewer)
      this.#newerSince ||= now;
    if (isNewer && now - this.#newerSince > OVERTAKE_MS)
      this.#lost("the pictures by WebRTC stopped");
    return isNewer;
  }

  /* --- what comes */

  #pump() {
    const now = performance.now();
    const wanted = this.#subscription?.asked && this.#cameraIsUp && (!this.#leading || this.#stale);
    if (wanted && this.#server.ready && !this.#coming?.offeredAt && this.#tries.isDue(now))
      this.#begin(now);
  }

  #begin(now) {
    if (this.#coming && this.#server.servers.length > 0)
      this.#dropComing(); // it knows nothing of them
    if (!this.#coming)
      this.#prepare();
    this.#coming.offeredAt = now;
    this.#coming.rtc.offer();
  }

  #prepare() {
    const { stage, blocked, sound } = this.#options;
    this.#number += 1;
    const coming = { number: this.#number, offeredAt: 0, answered: false, link: "ok", rtc: null };
    coming.rtc = new WebRtc({ servers: this.#server.servers, sound: sound(), report: {
      offer: (sdp) => this.#offer(coming, sdp),
      presented: (at, age, rtp) => this.#presented(coming, at, age, rtp),
      failed: (kind, text) => this.#failed(coming, kind, text),
      blocked,
    } });
    this.#coming = coming;
    stage.attach(coming.rtc.video);
  }

  #offer(coming, sdp) {
    const smooth = this.#options.smooth();
    if (this.#coming === coming)
      this.#subscription.say({ type: "webrtc/offer", offer: coming.number, sdp, ...(smooth && { smooth }) });
  }

  #presented(from, now, ageMs, rtp) {
    const before = this.#leading;
    if (from === this.#coming && from.rtc.isCurrent)
      this.#takeOver(from);
    if (from !== this.#leading)
      return;
    if (from === before)
      this.#interval += (Math.min(now - this.#shownAt, 10000) - this.#interval) / 8;
    this.#shownAt = now;
    this.#tries.good(now);
    if (this.#doubted)
      this.#doubt(false);
    this.#options.presented(now, { ageMs, rtp, video: from.rtc.video });
    if (before && before !== from)
      this.#end(before);
  }

  #takeOver(coming) {
    if (this.#options.lacks(coming.rtc.hasSound)) {
      this.#comingFailed("refused", "the sound does not come by WebRTC");
      return;
    }
    this.#coming = null;
    this.#leading = coming;
    this.#interval = 0;
    this.#stale = this.#doubted = false;
    this.leads = true;
    this.#options.changed();
  }

  #failed(from, kind, text) {
    if (from === this.#coming)
      this.#comingFailed(kind, text);
    else if (from === this.#leading)
      this.#lost(text);
  }

  #comingFailed(kind, text) {
    this.#dropComing();
    this.#tries.failed(performance.now(), kind, text);
    this.#pump();
  }

  #lost(text) {
    this.#dropLeading();
    this.#tries.failed(performance.now(), "lost", text);
    this.#options.changed();
    this.#pump();
  }

  #dropComing() {
    const coming = this.#coming;
    this.#coming = null;
    if (coming)
      this.#end(coming);
  }

  #dropLeading() {
    const leading = this.#leading;
    this.#leading = null;
    this.#stale = this.leads = this.#doubted = false;
    if (leading)
      this.#end(leading);
  }

  /* If it is seen, its last picture stays as a still. */
  #end({ rtc }) {
    this.#options.stage.detach(rtc.video);
    rtc.close();
  }

  /* --- whether it goes on */

  #tick(now) {
    const coming = this.#coming;
    if (coming?.offeredAt && !coming.answered && now - coming.offeredAt > ANSWER_LIMIT_MS)
      this.#comingFailed("busy", "the server does not answer");
    this.#coming?.rtc.tick(now);
    this.#leading?.rtc.tick(now);
    if (this.#leading && this.#cameraIsUp)
      this.#judge(now, this.#leading.rtc);
    this.#pump();
  }

  #forgive(now) {
    this.#shownAt = now;
    this.#leading.rtc.heard();
  }

  #judge(now, rtc) {
    const stood = now - this.#tickedAt > STALL_MS;
    this.#tickedAt = now;
    if (document.hidden) // browsers show nothing then
      this.#forgive(now);
    else if (stood)
      rtc.heard();
    const stillMs = now - this.#shownAt;
    const silentMs = rtc.silentMs(now);
    const patience = Math.max(STILL_MS, STILL_INTERVALS * this.#interval);
    if (stillMs > LISTEN_MS)
      rtc.listen();
    const isSilent = silentMs > SILENT_MS;
    if (isSilent)
      this.#stale = true; // whatever others show meanwhile
    const isSparse = this.link === "keys-only"; // the next comes when the camera has one
    if (!this.#doubted && (isSilent || (stillMs > patience && !isSparse)))
      this.#doubt(true);
  }

  #doubt(on) {
    this.#doubted = on;
    this.#newerSince = 0;
    this.#options.changed();
  }
}
