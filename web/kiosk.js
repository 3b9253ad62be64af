/* The page of a screen that nobody touches (?kiosk=1): it stays awake, and becomes the server's new version by
 * itself, when that can go well: a page that fails to load would stay for ever. */

import { fetchServer } from "./streams.js";

const ASK_MS = 20000;

export function isKiosk(search) {
  const value = new URLSearchParams(search).get("kiosk");
  return value !== null && value !== "0";
}

/* Decides when to load the page again. Pure. */
export class Renewal {
  #first = null;
  #last = null;

  /* version: what the server says, null: no answer. True when another version than the first has been told twice
   * in a row (a server that is just being replaced may speak with two voices). */
  said(version) {
    const again = version !== null && version === this.#last;
    this.#last = version;
    this.#first ??= version;
    return again && version !== this.#first;
  }
}

/* Nobody is in the middle of something that a load would end. */
function mayLoad() {
  return !document.hidden && !document.fullscreenElement && !document.querySelector("dialog[open]");
}

async function pageIsThere() {
  const answer = await fetch(location.href, { cache: "no-store" }).catch(() => null);
  return Boolean(answer?.ok && answer.headers.get("content-type")?.startsWith("text/html"));
}

/* Asks each 20 s, and when the network is back. */
export function renewWith(base) {
  const renewal = new Renewal();
  const ask = async () => {
    const server = await fetchServer(base);
    if (renewal.said(server?.version ?? null) && mayLoad() && await pageIsThere())
      location.reload();
  };
  setInterval(ask, ASK_MS);
  addEventListener("online", ask);
  ask();
}

/* The screen stays on, where the browser lets a page ask for it (not over plain HTTP). */
export function keepAwake() {
  const hold = () => {
    if (!document.hidden)
      navigator.wakeLock?.request("screen").catch(() => {}); // low battery: asked again when next seen
  };
  document.addEventListener("visibilitychange", hold);
  hold();
}

export function runKiosk(base) {
  document.body.classList.add("kiosk");
  keepAwake();
  renewWith(base);
}
