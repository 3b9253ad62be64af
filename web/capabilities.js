/* What this browser can show: for each transport the form of pictures it takes, the codecs it can decode, or
 * why it is passed over. Asked once per page. */

import { Mjpeg } from "./mjpeg.js";
import { Mse } from "./mse.js";
import { WebCodecs } from "./webcodecs.js";
import { WebRtc } from "./webrtc.js";

/* The first does not show what comes of a subscription: direct.js. */
export const TRANSPORTS = { webrtc: WebRtc, webcodecs: WebCodecs, mse: Mse, mjpeg: Mjpeg };

const FORMS = { unit: WebCodecs, fmp4: Mse, jpeg: Mjpeg };

let asked = null;

/* The transport that shows a form of pictures, and its name. */
export function transportFor(form) {
  const Transport = Object.hasOwn(FORMS, form) ? FORMS[form] : null;
  const name = Object.keys(TRANSPORTS).find((key) => TRANSPORTS[key] === Transport);
  return Transport ? { name, Transport } : null;
}

/* A Map of name -> { form, codecs (with commas; "" for none needed), why ("" or why it cannot be used) }. */
export function capabilities() {
  asked ??= ask();
  return asked;
}

/* Of these modes those that this browser lacks: { mode: why }. */
export function passedOver(can, modes) {
  return Object.fromEntries(modes.filter((mode) => can.get(mode)?.why).map((mode) => [mode, can.get(mode).why]));
}

async function ask() {
  const names = Object.keys(TRANSPORTS);
  const answers = await Promise.all(names.map((name) => TRANSPORTS[name].ask()));
  return new Map(names.map((name, i) => [name, answers[i]]));
}
