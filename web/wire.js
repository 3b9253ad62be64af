/* The messages of /ws. A binary one is a header of 40 bytes, little-endian, and one frame. Pure; whatever is no such
 * message gives null. */

const VERSION = 1;
const HEADER_BYTES = 40;
const KEY = 1;
const DAMAGED = 2;
const BEHIND = 4;
const CAMERA_STATES = ["off", "connecting", "up", "stalled", "down", "refused"];
const REASON_MAX = 300;
const HIGH = 2 ** 32;

/* Exact up to 2^53, which microseconds since 1970 reach in the year 2255. */
function int64(view, at) {
  return view.getInt32(at + 4, true) * HIGH + view.getUint32(at, true);
}

/* { track, id, key, damaged, behind, version, seq, durationUs, ptsUs, arrivedUs, capturedUs (0: unknown),
 * payload (a view of the message's own bytes) }, or null. */
export function readFrame(buffer) {
  if (buffer.byteLength < HEADER_BYTES)
    return null;
  const view = new DataView(buffer);
  if (view.getUint8(0) !== VERSION)
    return null;
  const flags = view.getUint16(4, true);
  return {
    track: view.getUint8(1),
    id: view.getUint16(2, true),
    key: (flags & KEY) !== 0,
    damaged: (flags & DAMAGED) !== 0,
    behind: (flags & BEHIND) !== 0,
    version: view.getUint16(6, true),
    seq: view.getUint32(8, true),
    durationUs: view.getUint32(12, true),
    ptsUs: int64(view, 16),
    arrivedUs: int64(view, 24),
    capturedUs: int64(view, 32),
    payload: new Uint8Array(buffer, HEADER_BYTES),
  };
}

/* A "state": { state, since (ms, this computer's clock; 0: not known), reason }. now: as Date.now(). The server's
 * clock may differ from this computer's: what counts is how long ago it was. */
export function readState({ state, since_ms: since, server_ms: server, reason }, now) {
  if (!CAMERA_STATES.includes(state))
    return null;
  const serverNow = Number.isFinite(server) ? server : now;
  return { state, since: since > 0 ? now - (serverNow - since) : 0,
    reason: typeof reason === "string" ? reason.slice(0, REASON_MAX) : "" };
}

/* The bytes of a base64 text; null when it is none, or empty. */
export function bytesOf(base64) {
  if (typeof base64 !== "string" || base64 === "")
    return null;
  try {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  } catch (error) {
    return null;
  }
}
