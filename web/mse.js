/* Fragmented MP4 from the socket into a <video> by Media Source Extensions: a bounded queue in front of the
 * SourceBuffer, the jump to the end of the group of pictures at the join, the live edge kept, the buffer
 * trimmed. Whatever goes wrong is reported once; the session then throws this object away and makes another. */

import { CODECS, SOUNDS, codecName } from "./codecs.js";
import { LiveEdge } from "./liveedge.js";
import { bytesOf } from "./wire.js";

const QUEUE_BYTES_MAX = 32 << 20; // the largest group of pictures a server keeps, twice
const APPEND_BYTES_MAX = 1 << 20; // one append: small enough that the page stays responsive
const SEEK_PAUSE_MS = 500;
const TRIM_EVERY_MS = 2000;
const KEYS_MAX = 1000;
const STAMP_WITHIN_US = 2000; // a video element rounds its frames' times
const COUNTED_WITHIN_US = 100000; // where frames are only counted

const SOUND = 1; // track

const Source = () => globalThis.ManagedMediaSource ?? globalThis.MediaSource;
const isApple = () => /^Apple/.test(navigator.vendor ?? "");

export class Mse {
  surface = "video";
  #video;
  #report;
  #live;
  #source = null;
  #url = ""; // of the source, until the video has it
  #buffer = null;
  #mime = ""; // of the source buffer
  #config = null; // of the newest frame in the queue
  #next = null; // from the server, for the frames that will come
  #queue = []; // { mime } or { bytes, pts, key, behind }
  #queueBytes = 0;
  #keys = [];
  #appending = null; // what is being appended: { behind }
  #behind = false; // the newest picture in the queue
  #joined = false;
  #appendedAt = 0;
  #trimmedAt = 0;
  #seekedAt = -Infinity;
  #frames = 0;
  #frameCallback = 0;
  #listeners = new AbortController();
  #failed = false;
  #dead = false;

  static async ask() {
    const source = Source();
    const codecs = source ? CODECS.filter((codec) => source.isTypeSupported(asMime(codec))) : [];
    const sounds = source ? SOUNDS.filter((codec) => source.isTypeSupported(`audio/mp4; codecs="${codec}"`)) : [];
    const why = source ? "this browser's Media Source Extensions play no H.264" : "this browser has no Media Source Extensions";
    return { form: "fmp4", codecs: codecs.join(","), sounds: sounds.join(","), why: codecs.length > 0 ? "" : why };
  }

  /* report: { presented(ptsUs, withinUs), jumps() (what is shown is of no time), failed(kind, text), blocked() }; kind
   * "codec" (another transport may do) or "broken" (another try may do). */
  constructor({ video, targetMs, report }) {
    this.#video = video;
    this.#report = report;
    this.#live = new LiveEdge({ targetMs, rates: !isApple() });
    const on = (target, type, what) =>
      target.addEventListener(type, what, { signal: this.#listeners.signal });
    on(video, "waiting", () => this.#waiting());
    on(video, "error", () => this.#broken(video.error?.message || "the decoder gave up"));
  }

  set targetMs(ms) {
    this.#live.minimumMs = ms;
  }

  get stats() {
    const now = performance.now();
    const position = this.#video.currentTime;
    const ranges = this.#ranges();
    return {
      frames: this.#frames,
      targetMs: this.#live.target * 1000,
      jitterMs: this.#live.jitter * 1000,
      lagMs: (this.#live.lag(now, position) ?? NaN) * 1000,
      bufferedMs: ranges.length ? (ranges[ranges.length - 1][1] - position) * 1000 : 0,
      heldMs: ranges.length ? (ranges[ranges.length - 1][1] - ranges[0][0]) * 1000 : 0,
      queueBytes: this.#queueBytes,
      rate: this.#video.playbackRate,
    };
  }

  config(message) {
    const codecs = [message.codec, message.audio].filter((codec) => typeof codec === "string").join(",");
    this.#next = { version: message.version, mime: asMime(codecs), init: bytesOf(message.init) };
  }

  frame(frame) {
    if (frame.track === SOUND) {
      this.#sound(frame);
      return;
    }
    if (this.#dead || this.#failed || (frame.version !== this.#config?.version && !this.#changed(frame)))
      return;
    if (frame.behind && this.#joined) {
      this.#joined = false; // a new burst: its end is wanted, and it says nothing about the network
      this.#live.restart();
    }
    this.#behind = frame.behind;
    this.#live.expect(frame.durationUs / 1e6);
    this.#push({ bytes: frame.payload, pts: frame.ptsUs / 1e6, key: frame.key, behind: frame.behind });
  }

  /* It goes along with the pictures before it, and says nothing about when those come. */
  #sound(frame) {
    if (this.#dead || this.#failed || frame.version !== this.#config?.version)
      return;
    this.#push({ bytes: frame.payload, pts: frame.ptsUs / 1e6, key: false, behind: this.#behind });
  }

  /* Called about twice a second. */
  tick() {
    if (this.#dead || !this.#joined)
      return;
    if (this.#video.paused && !document.hidden)
      this.#play();
    this.#control();
    if (!("requestVideoFrameCallback" in this.#video))
      this.#countByQuality();
  }

  /* The page is visible again: whatever was missed is not wanted. */
  jump() {
    const ranges = this.#ranges();
    if (this.#dead || !this.#joined || ranges.length === 0)
      return;
    const [start, edge] = ranges[ranges.length - 1];
    this.#seek(Math.max(start, edge - this.#live.target));
    this.#play();
  }

  close() {
    if (this.#dead)
      return;
    this.#dead = true;
    this.#listeners.abort();
    if (this.#frameCallback)
      this.#video.cancelVideoFrameCallback(this.#frameCallback);
    this.#queue = [];
    this.#revoke();
    this.#video.pause();
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  /* A frame of another configuration: true when it can be taken. */
  #changed(frame) {
    if (!frame.key || this.#next?.version !== frame.version || !this.#next.init)
      return false;
    this.#config = this.#next;
    const { mime, init } = this.#config;
    if (!Source().isTypeSupported(mime)) {
      this.#unplayable(mime);
      return false;
    }
    if (!this.#source)
      this.#begin(mime);
    this.#push({ mime, bytes: new Uint8Array(0) });
    this.#push({ bytes: init, pts: 0, key: false, behind: true });
    return true;
  }

  #begin(mime) {
    this.#source = new (Source())();
    this.#url = URL.createObjectURL(this.#source);
    this.#source.addEventListener("sourceopen", () => {
      this.#revoke();
      this.#opened(mime);
    }, { once: true, signal: this.#listeners.signal });
    this.#video.disableRemotePlayback = true; // ManagedMediaSource insists
    this.#video.src = this.#url;
    this.#watchFrames();
  }

  /* A URL keeps its source, with all that is buffered, until the page is closed. */
  #revoke() {
    URL.revokeObjectURL(this.#url);
    this.#url = "";
  }

  #opened(mime) {
    try {
      this.#buffer = this.#source.addSourceBuffer(mime);
      this.#mime = mime;
    } catch (error) {
      this.#unplayable(mime);
      return;
    }
    const on = (type, what) =>
      this.#buffer.addEventListener(type, what, { signal: this.#listeners.signal });
    on("updateend", () => this.#updated());
    on("error", () => this.#broken("the stream could not be read"));
    this.#pump();
  }

  #push(item) {
    if (this.#dead || this.#failed)
      return;
    this.#queue.push(item);
    this.#queueBytes += item.bytes.byteLength;
    if (this.#queueBytes > QUEUE_BYTES_MAX) {
      this.#broken("this computer cannot keep up");
      return;
    }
    this.#pump();
  }

  #pump() {
    const buffer = this.#buffer;
    if (this.#dead || this.#failed || !buffer || buffer.updating || this.#source.readyState !== "open")
      return;
    try {
      if (this.#trim())
        return;
      while (this.#queue.length > 0 && this.#queue[0].mime) {
        const { mime } = this.#queue.shift();
        if (mime !== this.#mime)
          buffer.changeType(mime);
        this.#mime = mime;
      }
      if (this.#queue.length > 0)
        this.#append(buffer);
    } catch (error) {
      this.#broken(error.name === "QuotaExceededError" ? "the browser's buffer is full" : error.message);
    }
  }

  #append(buffer) {
    const parts = [];
    let bytes = 0;
    let behind = true;
    while (this.#queue.length > 0 && !this.#queue[0].mime &&
           (parts.length === 0 || bytes + this.#queue[0].bytes.byteLength <= APPEND_BYTES_MAX)) {
      const item = this.#queue.shift();
      parts.push(item.bytes);
      bytes += item.bytes.byteLength;
      behind = item.behind;
      if (item.key)
        this.#keys.push(item.pts);
    }
    this.#queueBytes -= bytes;
    if (this.#keys.length > KEYS_MAX)
      this.#keys.splice(0, this.#keys.length - KEYS_MAX);
    this.#appending = { behind };
    buffer.appendBuffer(parts.length === 1 ? parts[0] : joined(parts, bytes));
  }

  #updated() {
    if (this.#dead)
      return;
    const now = performance.now();
    const done = this.#appending;
    const ranges = this.#ranges();
    this.#appending = null;
    if (done && ranges.length > 0) {
      this.#appendedAt = now;
      this.#live.appended(now, ranges[ranges.length - 1][1]);
      if (this.#joined)
        this.#control();
      else if (!done.behind)
        this.#join();
    }
    this.#pump();
  }

  #join() {
    this.#joined = true;
    this.jump();
  }

  #control() {
    const video = this.#video;
    if (video.seeking || document.hidden)
      return;
    const now = performance.now();
    const { seek, rate } = this.#live.decide(now, video.currentTime, this.#ranges());
    if (seek !== null && now - this.#seekedAt > SEEK_PAUSE_MS)
      this.#seek(seek);
    if (video.playbackRate !== rate)
      video.playbackRate = rate;
  }

  #seek(to) {
    this.#seekedAt = performance.now();
    this.#video.currentTime = to;
  }

  #play() {
    this.#video.play().catch((error) => {
      if (!this.#dead && error.name === "NotAllowedError")
        this.#report.blocked();
    });
  }

  #waiting() {
    const now = performance.now();
    if (this.#dead || !this.#joined)
      return;
    const mediaComes = now - this.#appendedAt < 1000;
    if (mediaComes && !this.#video.seeking && now - this.#seekedAt > 2 * SEEK_PAUSE_MS)
      this.#live.underrun(now, this.#video.currentTime);
    this.#control();
  }

  /* Removes whole groups of pictures before the one that precedes the playing one; true when it began. To cut
   * anywhere else would take the frames that depend on the cut ones too, up to the next key frame. */
  #trim() {
    const now = performance.now();
    const ranges = this.#ranges();
    if (!this.#joined || ranges.length === 0 || now - this.#trimmedAt < TRIM_EVERY_MS)
      return false;
    this.#trimmedAt = now;
    const edge = ranges[ranges.length - 1][1];
    const position = Math.min(this.#video.currentTime, edge);
    let playing = this.#keys.length - 1;
    while (playing >= 0 && this.#keys[playing] > position)
      playing -= 1;
    if (playing < 1 || this.#keys[playing - 1] - ranges[0][0] < 1)
      return false;
    const cut = this.#keys[playing - 1];
    this.#keys.splice(0, playing - 1);
    this.#buffer.remove(0, cut);
    return true;
  }

  #ranges() {
    const list = [];
    try {
      const buffered = this.#buffer?.buffered;
      for (let i = 0; buffered && i < buffered.length; i += 1)
        list.push([buffered.start(i), buffered.end(i)]);
    } catch (error) {
      return []; // the buffer was removed from its source
    }
    return list;
  }

  #watchFrames() {
    const video = this.#video;
    if (!("requestVideoFrameCallback" in video))
      return;
    const presented = (now, { mediaTime }) => {
      this.#frameCallback = video.requestVideoFrameCallback(presented);
      this.#presented(mediaTime, STAMP_WITHIN_US);
    };
    this.#frameCallback = video.requestVideoFrameCallback(presented);
  }

  #countByQuality() {
    const quality = this.#video.getVideoPlaybackQuality?.();
    const count = quality ? quality.totalVideoFrames - quality.droppedVideoFrames : 0;
    if (count > this.#frames) {
      this.#frames = count - 1;
      this.#presented(this.#video.currentTime, COUNTED_WITHIN_US);
    }
  }

  #presented(time, withinUs) {
    if (this.#dead)
      return;
    if (!this.#joined || this.#video.seeking) { // what a jump leaves behind is not what is played
      this.#report.jumps();
      return;
    }
    this.#frames += 1;
    this.#report.presented(time * 1e6, withinUs);
  }

  #unplayable(mime) {
    this.#fail("codec", `this browser cannot play ${codecName(mime)}`);
  }

  #broken(text) {
    this.#fail("broken", text);
  }

  #fail(kind, text) {
    if (this.#dead || this.#failed)
      return;
    this.#failed = true; // reported once; close() is the session's
    this.#queue = [];
    this.#report.failed(kind, text);
  }
}

function joined(parts, bytes) {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

function asMime(value) {
  return value.includes("/") ? value : `video/mp4; codecs="${value}"`;
}
