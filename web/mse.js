/* Fragmented MP4 from the socket into a <video> by Media Source Extensions: a bounded queue in front of the
 * SourceBuffer, the jump to the end of the group of pictures at the join, the live edge kept, the buffer
 * trimmed. Whatever goes wrong is reported once; the session then throws this object away and makes another. */

import { Fmp4Reader } from "./fmp4.js";
import { LiveEdge } from "./liveedge.js";

// What is asked of the browser; the server answers with the true codec string of the camera.
const CODECS = ["avc1.640029", "avc1.64002A", "avc1.640033", "hvc1.1.6.L153.B0"];
const QUEUE_BYTES_MAX = 32 << 20; // the largest group of pictures a server keeps, twice
const APPEND_BYTES_MAX = 1 << 20; // one append: small enough that the page stays responsive
const JOIN_QUIET_MS = 20; // the burst at the join is over after this silence,
const JOIN_LIMIT_MS = 1000; // or is not waited for any longer
const SEEK_PAUSE_MS = 500;
const TRIM_EVERY_MS = 2000;
const KEYS_MAX = 1000;

const Source = () => globalThis.ManagedMediaSource ?? globalThis.MediaSource;
const isApple = () => /^Apple/.test(navigator.vendor ?? "");

export class Mse {
  #video;
  #report;
  #live;
  #reader = new Fmp4Reader();
  #source = null;
  #url = ""; // of the source, until the video has it
  #buffer = null;
  #queue = [];
  #queueBytes = 0;
  #keys = [];
  #fragments = 0; // appended before the join
  #appending = false;
  #joined = false;
  #joinTimer = 0;
  #firstAt = 0;
  #messageAt = 0;
  #appendedAt = 0;
  #trimmedAt = 0;
  #seekedAt = -Infinity;
  #frames = 0;
  #frameCallback = 0;
  #listeners = new AbortController();
  #failed = false;
  #dead = false;

  /* What to send to the server, or null when this browser has no Media Source Extensions. */
  static offer() {
    const source = globalThis.MediaSource ?? globalThis.ManagedMediaSource;
    if (!source)
      return null;
    const list = CODECS.filter((codec) => source.isTypeSupported(`video/mp4; codecs="${codec}"`));
    return list.length > 0 ? { type: "mse", value: list.join(",") } : null;
  }

  /* report: { presented(), failed(kind, text), blocked() }; kind "codec" (another transport may do) or
   * "broken" (a new connection may do). */
  constructor(video, { targetMs, report }) {
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

  get joined() {
    return this.#joined;
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

  /* A text message; true when it was for this transport. */
  text(message) {
    if (message.type === "mse") {
      this.#begin(String(message.value));
      return true;
    }
    if (message.type === "config") {
      const value = message.value?.mime ?? message.value?.codecs ?? message.value;
      this.#push({ mime: asMime(String(value)), bytes: 0 });
      return true;
    }
    return false;
  }

  binary(buffer) {
    if (this.#dead || this.#failed || !this.#source)
      return;
    this.#messageAt = performance.now();
    this.#firstAt ||= this.#messageAt;
    this.#push({ buffer, bytes: buffer.byteLength, found: this.#reader.read(buffer) });
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
    clearTimeout(this.#joinTimer);
    if (this.#frameCallback)
      this.#video.cancelVideoFrameCallback(this.#frameCallback);
    this.#queue = [];
    this.#revoke();
    this.#video.pause();
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  #begin(mime) {
    const source = Source();
    if (!source.isTypeSupported(mime)) {
      this.#unplayable(mime);
      return;
    }
    if (this.#source) {
      this.#push({ mime, bytes: 0 });
      return;
    }
    this.#source = new source();
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
    this.#queueBytes += item.bytes;
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
        if (!Source().isTypeSupported(mime)) {
          this.#unplayable(mime);
          return;
        }
        buffer.changeType(mime);
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
    while (this.#queue.length > 0 && this.#queue[0].buffer &&
           (parts.length === 0 || bytes + this.#queue[0].bytes <= APPEND_BYTES_MAX)) {
      const item = this.#queue.shift();
      parts.push(item.buffer);
      bytes += item.bytes;
      this.#keys.push(...item.found.keys);
      this.#fragments += item.found.fragments;
    }
    this.#queueBytes -= bytes;
    if (this.#keys.length > KEYS_MAX)
      this.#keys.splice(0, this.#keys.length - KEYS_MAX);
    this.#appending = true;
    buffer.appendBuffer(parts.length === 1 ? parts[0] : joined(parts, bytes));
  }

  #updated() {
    if (this.#dead)
      return;
    const now = performance.now();
    if (this.#appending) {
      this.#appending = false;
      this.#appendedAt = now;
      const ranges = this.#ranges();
      if (ranges.length > 0) {
        this.#live.appended(now, ranges[ranges.length - 1][1]);
        if (this.#joined)
          this.#control();
        else
          this.#tryJoin(now);
      }
    }
    this.#pump();
  }

  #tryJoin(now) {
    clearTimeout(this.#joinTimer);
    const quiet = this.#queue.length === 0 && now - this.#messageAt >= JOIN_QUIET_MS;
    if (!quiet && now - this.#firstAt < JOIN_LIMIT_MS) {
      this.#joinTimer = setTimeout(() => !this.#dead && this.#tryJoin(performance.now()), JOIN_QUIET_MS);
      return;
    }
    this.#joined = true;
    const [start, edge] = this.#ranges().at(-1) ?? [0, 0];
    this.#live.expect((edge - start) / Math.max(1, this.#fragments));
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
    const presented = () => {
      this.#frameCallback = video.requestVideoFrameCallback(presented);
      this.#presented();
    };
    this.#frameCallback = video.requestVideoFrameCallback(presented);
  }

  #countByQuality() {
    const quality = this.#video.getVideoPlaybackQuality?.();
    const count = quality ? quality.totalVideoFrames - quality.droppedVideoFrames : 0;
    if (count > this.#frames) {
      this.#frames = count - 1;
      this.#presented();
    }
  }

  #presented() {
    if (this.#dead || !this.#joined)
      return;
    this.#frames += 1;
    this.#report.presented();
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
    whole.set(new Uint8Array(part), at);
    at += part.byteLength;
  }
  return whole;
}

function asMime(value) {
  return value.includes("/") ? value : `video/mp4; codecs="${value}"`;
}

/* "H.265" for what people know by name, else the codec string itself. */
export function codecName(mime) {
  const codecs = /codecs="?([^"]*)"?/.exec(mime)?.[1] ?? mime;
  if (/^(hvc1|hev1)/.test(codecs))
    return "H.265";
  if (/^avc[13]/.test(codecs))
    return `H.264 (${codecs.split(",")[0]})`;
  return codecs;
}
