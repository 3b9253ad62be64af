/* Access units from the socket through a VideoDecoder, each picture shown as soon as it is decoded: in a <video>
 * by a MediaStreamTrackGenerator where the browser has one (the compositor then does the work), else on the canvas.
 * Pictures wait for their turn only while the network brings them in clumps (pacing.js). */

import { CODECS, codecName } from "./codecs.js";
import { DecodeQueue } from "./decodequeue.js";
import { Pacing } from "./pacing.js";
import { bytesOf } from "./wire.js";

const WAITING_MAX = 8; // decoded pictures that wait for their turn: decoders have few to give
const UNWRITTEN_MAX = 8; // pictures in front of the <video>
const HURRY_FROM = 3; // with more than this in front of the decoder, pictures are passed over,
const HURRY_MS = 100; // but not for longer than this

export class WebCodecs {
  surface;
  targetMs = 0; // of no use here: see pacing.js
  #video;
  #canvas;
  #report;
  #decoder = null;
  #config = null; // as the decoder has it
  #next = null; // from the server, for the frames that will come
  #queue = new DecodeQueue();
  #pacing = new Pacing();
  #behind = new Set(); // times of pictures not worth showing
  #waiting = []; // { picture, due }
  #timer = 0;
  #writer = null;
  #frameCallback = 0;
  #presentedAt = 0;
  #frames = 0;
  #overtaken = 0;
  #failed = false;
  #dead = false;

  static async ask() {
    const answer = (codecs, why) => ({ form: "unit", codecs: codecs.join(","), why });
    if (!globalThis.isSecureContext)
      return answer([], "WebCodecs needs a secure page (https)");
    if (!("VideoDecoder" in globalThis))
      return answer([], "this browser has no WebCodecs");
    const can = await Promise.all(CODECS.map((codec) =>
      VideoDecoder.isConfigSupported({ codec, optimizeForLatency: true }).then(({ supported }) => supported, () => false)));
    const codecs = CODECS.filter((codec, i) => can[i]);
    return answer(codecs, codecs.length > 0 ? "" : "this browser's WebCodecs decode no H.264");
  }

  /* report: { presented(ptsUs, withinUs), working() (pictures are decoded, though not shown), failed(kind, text),
   * blocked() }; kind "codec" (another transport may do)
   * or "broken" (another try may do). */
  constructor({ video, canvas, report }) {
    this.#video = video;
    this.#canvas = canvas;
    this.#report = report;
    this.surface = "MediaStreamTrackGenerator" in globalThis && "requestVideoFrameCallback" in video ? "video" : "canvas";
    if (this.surface === "video")
      this.#generate();
  }

  get stats() {
    return {
      frames: this.#frames,
      overtaken: this.#overtaken,
      surface: this.surface,
      waitMs: this.#pacing.waitMs,
      queued: this.#decoder?.state === "configured" ? this.#decoder.decodeQueueSize : 0,
    };
  }

  config(message) {
    this.#next = { version: message.version, codec: String(message.codec), description: bytesOf(message.description) };
  }

  frame(frame) {
    if (this.#dead || this.#failed || (frame.version !== this.#config?.version && !this.#changed(frame)))
      return;
    const what = this.#queue.admit(frame, this.#decoder.decodeQueueSize);
    if (what === "drop")
      return;
    if (what === "reset")
      this.#reset();
    if (frame.behind) {
      this.#behind.add(frame.ptsUs);
      this.#pacing.restart();
    } else {
      this.#pacing.arrived(performance.now(), frame.ptsUs);
    }
    try {
      this.#decoder.decode(new EncodedVideoChunk({ type: frame.key ? "key" : "delta", timestamp: frame.ptsUs,
        duration: frame.durationUs, data: frame.payload }));
    } catch (error) {
      this.#fail("broken", error.message);
    }
  }

  tick() {
    if (this.surface === "video" && this.#video.paused && !document.hidden)
      this.#play();
  }

  /* The page is visible again. */
  jump() {
    this.tick();
  }

  close() {
    if (this.#dead)
      return;
    this.#dead = true;
    this.#release();
    if (this.#decoder && this.#decoder.state !== "closed")
      this.#decoder.close();
    if (this.surface !== "video")
      return;
    if (this.#frameCallback)
      this.#video.cancelVideoFrameCallback(this.#frameCallback);
    this.#writer.close().catch(() => {});
    this.#video.pause();
    this.#video.srcObject = null;
  }

  /* A frame of another configuration: true when it can be decoded. What was decoded before is still shown. */
  #changed(frame) {
    if (!frame.key || this.#next?.version !== frame.version)
      return false;
    this.#decoder ??= new VideoDecoder({
      output: (picture) => this.#decoded(picture),
      error: (error) => this.#decoderFailed(error),
    });
    try {
      this.#configure(this.#next);
    } catch (error) {
      this.#decoderFailed(error);
      return false;
    }
    this.#queue.restart();
    return true;
  }

  #configure(config) {
    this.#config = config;
    this.#decoder.configure({ codec: config.codec, optimizeForLatency: true,
      ...(config.description && { description: config.description }) });
  }

  #reset() {
    this.#decoder.reset();
    this.#configure(this.#config);
    this.#behind.clear();
  }

  #decoded(picture) {
    const now = performance.now();
    if (this.#dead) {
      picture.close();
      return;
    }
    this.#report.working();
    if (this.#behind.delete(picture.timestamp) || this.#isLate(now)) {
      picture.close();
      return;
    }
    const due = this.#pacing.due(now, picture.timestamp);
    if (due <= now && this.#waiting.length === 0) {
      this.#show(picture);
      return;
    }
    this.#waiting.push({ picture, due });
    if (this.#waiting.length > WAITING_MAX)
      this.#show(this.#waiting.shift().picture);
    this.#schedule(now);
  }

  /* Is a newer picture about to come while this one is late already? */
  #isLate(now) {
    const late = this.#decoder.decodeQueueSize > HURRY_FROM && now - this.#presentedAt < HURRY_MS;
    this.#overtaken += late ? 1 : 0;
    return late;
  }

  #schedule(now) {
    if (this.#timer || this.#waiting.length === 0)
      return;
    this.#timer = setTimeout(() => {
      const at = performance.now();
      this.#timer = 0;
      while (this.#waiting.length > 0 && this.#waiting[0].due <= at + 1)
        this.#show(this.#waiting.shift().picture);
      this.#schedule(at);
    }, Math.max(0, this.#waiting[0].due - now));
  }

  #show(picture) {
    this.#presentedAt = performance.now();
    if (this.surface === "video")
      this.#write(picture);
    else
      this.#draw(picture);
  }

  #write(picture) {
    if (this.#writer.desiredSize < -UNWRITTEN_MAX) {
      this.#overtaken += 1;
      picture.close();
      return;
    }
    this.#writer.write(picture).catch((error) => {
      picture.close();
      this.#fail("broken", error?.message ?? "the picture could not be shown");
    });
  }

  #draw(picture) {
    const canvas = this.#canvas;
    const { displayWidth: width, displayHeight: height, timestamp } = picture;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    canvas.getContext("2d", { alpha: false }).drawImage(picture, 0, 0, width, height);
    picture.close();
    this.#frames += 1;
    this.#report.presented(timestamp, 0);
  }

  #generate() {
    const generator = new MediaStreamTrackGenerator({ kind: "video" });
    const video = this.#video;
    this.#writer = generator.writable.getWriter();
    video.srcObject = new MediaStream([generator]);
    const presented = (now, { mediaTime }) => {
      this.#frameCallback = video.requestVideoFrameCallback(presented);
      this.#frames += 1;
      this.#report.presented(Math.round(mediaTime * 1e6), 1);
    };
    this.#frameCallback = video.requestVideoFrameCallback(presented);
    this.#play();
  }

  #play() {
    this.#video.play().catch((error) => {
      if (!this.#dead && error.name === "NotAllowedError")
        this.#report.blocked();
    });
  }

  #decoderFailed(error) {
    const unknown = error.name === "NotSupportedError";
    this.#fail(unknown ? "codec" : "broken",
      unknown ? `this browser cannot play ${codecName(this.#config.codec)}` : "the decoder gave up");
  }

  #release() {
    clearTimeout(this.#timer);
    for (const { picture } of this.#waiting)
      picture.close();
    this.#waiting = [];
  }

  #fail(kind, text) {
    if (this.#dead || this.#failed)
      return;
    this.#failed = true; // reported once; close() is the session's
    this.#release();
    this.#report.failed(kind, text);
  }
}
