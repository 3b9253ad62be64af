/* How one camera's pictures are asked for: by the first mode that was not found wanting, in the form and the codecs that
 * it takes. Pure. */

import { passedOver } from "./capabilities.js";
import { CODECS } from "./codecs.js";
import { FORGET_MS, Ladder } from "./ladder.js";

const DIRECT = "webrtc"; // a mode that is not asked for like that
const ANY = { form: "fmp4", codecs: CODECS.join(",") }; // where nothing but WebRTC is wanted
const H265 = /^h(vc|ev)1/;
const NONE = "This browser has neither WebCodecs nor Media Source Extensions nor canvas pictures";

export class Choice {
  mode = null; // that is asked for; null: none is left
  #can;
  #wanted;
  #muted;
  #ladder;
  #onlyOld = new Map(); // modes that were to play H.265 and could not, and since when: the server is asked for H.264

  /* can: of capabilities(); modes: their names, in order. Where sound is wanted, first what brings some. */
  constructor(can, modes, muted) {
    const found = modes.filter((mode) => mode !== DIRECT && can.get(mode)?.why === "");
    const hears = (mode) => Boolean(can.get(mode).sounds);
    this.#can = can;
    this.#wanted = modes;
    this.#muted = muted;
    this.#ladder = new Ladder(muted ? found : [...found.filter(hears), ...found.filter((mode) => !hears(mode))]);
  }

  /* Why modes are not used: { mode: text }. */
  get refusals() {
    return { ...passedOver(this.#can, this.#wanted), ...this.#ladder.refusals };
  }

  /* Which mode to try at now (ms). */
  pick(now) {
    for (const [mode, at] of this.#onlyOld)
      if (now - at > FORGET_MS)
        this.#onlyOld.delete(mode);
    this.mode = this.#ladder.pick(now);
    return this.mode;
  }

  /* Members of the message "subscribe". */
  wish({ camera, quality, pixels, overlay }) {
    const { form, sounds } = this.#can.get(this.mode) ?? ANY;
    const codecs = this.#codecs(this.mode);
    const audio = !this.#muted && Boolean(sounds);
    const wish = { src: camera, quality, forms: [form], codecs: audio ? `${codecs},${sounds}` : codecs, audio };
    if (form !== "jpeg" && this.#ladder.modes.includes("mjpeg") && !this.#ladder.refusals.mjpeg)
      wish.forms.push("jpeg");
    if (quality === "auto")
      wish.pixels = pixels;
    if (overlay)
      wish.overlay = true;
    return wish;
  }

  /* What comes is H.264 that the server makes, and another mode plays H.265 itself: no server has to. */
  canDoWithout(stream) {
    const plays = (mode) => this.#codecs(mode).split(",").some((codec) => H265.test(codec));
    const others = this.#ladder.modes.filter((mode) => !this.#ladder.refusals[mode]);
    return String(stream).endsWith(".h264") && !plays(this.mode) && others.some(plays);
  }

  /* That did not work at now. kind: "codec" (it never will) or "broken" (another try may); codec: that came. True: there is
   * something else to try at once. */
  failed(kind, text, mode, codec, now) {
    if (kind !== "codec" && !this.#ladder.broke(mode, now))
      return false;
    if (!H265.test(codec) || this.#onlyOld.has(mode) || this.#codecs(mode, true) === "")
      return this.#ladder.refuse(mode, text, now);
    this.#onlyOld.set(mode, now);
    return true;
  }

  /* All was tried; why: what else is known. The reason for people; then it begins again at the first. */
  nothingLeft(why) {
    const { modes, refusals } = this.#ladder;
    const passed = Object.values(passedOver(this.#can, this.#wanted));
    const reason = modes.map((mode) => refusals[mode]).find(Boolean) || why || passed[0] || NONE;
    this.#ladder.forget();
    this.#onlyOld.clear();
    return reason;
  }

  /* What people are told of this mode: nothing of the first one, of another its name, and why. */
  note(mode) {
    const { modes, refusals } = this.#ladder;
    return mode === modes[0] ? "" : [mode.toUpperCase(), refusals[modes[0]]].filter(Boolean).join(": ");
  }

  #codecs(mode, isOld = this.#onlyOld.has(mode)) {
    const { codecs } = this.#can.get(mode) ?? ANY;
    return isOld ? codecs.split(",").filter((codec) => !H265.test(codec)).join(",") : codecs;
  }
}
