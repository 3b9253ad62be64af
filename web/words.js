/* What a tile says, from what is known. Pure. */

const QUIET_MS = 1500; // a break shorter than this is not worth words while a picture is there

/* What is known at the beginning; see describe(). */
export const FACTS = {
  camera: null, link: "opening", linkDownFor: 0, stillFor: 0, why: "", unknown: false, hasPicture: false, frozenSince: 0,
  live: false, direct: false, unsupported: "", damaged: false, way: "ok", note: "", paused: false, blocked: false,
};

const WAYS = { thin: "slow connection: a smaller picture", "keys-only": "slow connection: a picture now and then" };
const DAMAGED = "damaged on the way from the camera";

/* "12:31", with the day when it is not today's. */
export function clock(at, now) {
  const date = new Date(at);
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  if (date.toDateString() === new Date(now).toDateString())
    return time;
  return `${date.toLocaleDateString([], { day: "numeric", month: "short" })}, ${time}`;
}

function since(text, at, now) {
  return at > 0 ? `${text} since ${clock(at, now)}` : text;
}

/* Reasons come from many places; as the second line of a tile they begin with a capital. */
function capital(text) {
  return text ? text[0].toUpperCase() + text.slice(1) : "";
}

/* facts:
 *   camera       null or { state, since (ms, this computer's clock), reason } as the server last said
 *   link         "opening" | "open" | "waiting" (for the next try)
 *   linkDownFor  ms without a connection, 0 while there is one
 *   stillFor     ms since a picture last moved, or since somebody began to look
 *   why          why the last connection ended, "" when unknown
 *   unknown      the server knows no camera of this name
 *   hasPicture   a picture (perhaps an old one) is on the tile
 *   frozenSince  0, or since when (ms) no new picture was shown although the camera is up
 *   live         pictures are moving
 *   direct       they come without the connection
 *   unsupported  "" or why no transport can show this camera
 *   damaged      parts of the moving pictures were lost on the way from the camera
 *   way          what the way to here lets the server send: "ok" | "thin" (a smaller picture) | "keys-only"
 *   note         "" or why this transport was chosen
 *   paused       nobody can see the tile
 *   blocked      the browser wants a click before it plays
 * Result: { state, headline, detail, dim }; state is "playing", "connecting", "stalled", "offline",
 * "unsupported" or "paused"; an empty headline means that the picture speaks for itself. */
export function describe(facts, now) {
  const say = (state, headline, detail = "") =>
    ({ state, headline, detail: capital(detail), dim: headline !== "" && facts.hasPicture });

  if (facts.unsupported)
    return say("unsupported", "Cannot be shown here", facts.unsupported);
  if (facts.paused)
    return say("paused", "Paused", "");
  if (facts.unknown)
    return say("offline", "No such camera", facts.why);
  if (facts.link !== "open" && !(facts.direct && facts.live))
    return withoutLink(facts, say);
  if (facts.camera && facts.camera.state !== "up")
    return cameraNotUp(facts.camera, now, say);
  if (facts.blocked)
    return say("stalled", "Press to play", "The browser wants a click first");
  if (facts.live && !facts.frozenSince)
    return say("playing", "", facts.damaged ? DAMAGED : (facts.direct ? WAYS[facts.way] ?? "" : facts.note));
  if (facts.frozenSince)
    return say("stalled", since("Picture frozen", facts.frozenSince, now), "No new picture comes");
  if (!facts.hasPicture)
    return say("connecting", "Waiting for the first picture");
  return facts.stillFor < QUIET_MS ? say("connecting", "") : say("connecting", "Waiting for a new picture", facts.why);
}

function withoutLink(facts, say) {
  if (facts.hasPicture && Math.max(facts.linkDownFor, facts.stillFor) < QUIET_MS)
    return say("connecting", "", facts.why);
  if (facts.link === "opening" && !facts.why)
    return say("connecting", "Connecting…");
  return say("offline", "No connection", facts.why || "Trying again");
}

function cameraNotUp(camera, now, say) {
  switch (camera.state) {
  case "connecting":
    return say("connecting", "Connecting to the camera", camera.reason);
  case "stalled":
    return say("stalled", since("Picture frozen", camera.since, now), camera.reason);
  case "refused":
    return say("offline", since("Refused", camera.since, now), camera.reason || "The camera does not take the login");
  case "off":
    return say("offline", "Switched off", camera.reason);
  default:
    return say("offline", since("Offline", camera.since, now), camera.reason || "Trying again");
  }
}

/* One sentence for the status line that screen readers read out. */
export function sentence(label, said) {
  const what = said.headline || (said.state === "playing" ? "live" : "connecting");
  return [`${label}: ${what}`, said.detail].filter(Boolean).join(", ");
}

/* The text of an error message of the server, for people. */
export function errorText(value) {
  const text = String(value).slice(0, 300);
  const codec = /delivers (\S+), which is not among codecs/.exec(text)?.[1];
  if (codec)
    return `this browser cannot play ${codec}`;
  return /is among codecs and forms/.test(text) ? "this browser can play nothing that the camera has" : text;
}

/* "31 ms" or "1.4 s": the delay of the picture as it stands in its corner. said: as the element's property. */
export function delayText(said) {
  if (said === null)
    return "";
  const number = said.p50 < 1000 ? `${Math.round(said.p50)} ms` : `${(said.p50 / 1000).toFixed(1)} s`;
  return said.basis === "capture" ? `${number} since capture` : number;
}

/* A short note for { ms | frames } that a slow connection made the server leave out. */
export function skippedText(value) {
  if (value?.ms > 0)
    return `Slow connection: ${(value.ms / 1000).toFixed(1)} s skipped`;
  if (value?.frames > 0)
    return `Slow connection: ${value.frames} pictures skipped`;
  return "Slow connection: pictures skipped";
}
