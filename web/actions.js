/* What can be done with a camera: a snapshot, its link, the lines that embed it. */

import { make } from "./dom.js";

const SNAPSHOT_TIMEOUT_MS = 10000;

/* The address of a camera's page. base: of any file beside the pages. */
export function cameraUrl(base, name) {
  return new URL(encodeURIComponent(name), base).href;
}

function escaped(text) {
  const names = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (letter) => names[letter]);
}

/* Lines of HTML that show the camera: { frame, element }. */
export function embedSnippets(base, name, title) {
  const page = escaped(cameraUrl(base, name));
  const player = escaped(new URL("camhub-player.js", base).href);
  return {
    frame: `<iframe src="${page}" title="${escaped(title)}" width="640" height="360" allow="fullscreen"></iframe>`,
    element: `<script type="module" src="${player}"></script>\n` +
      `<camhub-player camera="${escaped(name)}" label="${escaped(title)}"></camhub-player>`,
  };
}

/* door-2026-05-09-18-04-59.jpg, in this computer's time. */
export function snapshotName(name, date) {
  const two = (number) => String(number).padStart(2, "0");
  const parts = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate()), two(date.getHours()),
    two(date.getMinutes()), two(date.getSeconds())];
  return `${name}-${parts.join("-")}.jpg`;
}

/* The picture that the player shows; when it cannot tell, or shows an old one, the server's newest. A Blob, or an
 * Error with words. */
async function snapshot(player, base, name) {
  const shown = player.state === "playing" ? await player.snapshot().catch(() => null) : null;
  if (shown)
    return shown;
  const url = new URL(`api/frame.jpeg?src=${encodeURIComponent(name)}`, base);
  let answer;
  try {
    answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(SNAPSHOT_TIMEOUT_MS) });
  } catch (error) {
    throw new Error("the server does not answer");
  }
  if (!answer.ok)
    throw new Error((await answer.json().catch(() => null))?.error ?? `the server answers ${answer.status}`);
  return answer.blob();
}

/* Saves a JPEG where the browser saves files. Its name, or an Error with words for people. */
export async function saveSnapshot(player, base, name) {
  const file = snapshotName(name, new Date());
  const url = URL.createObjectURL(await snapshot(player, base, name));
  const link = make("a", { href: url, download: file });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60000); // the browser may still be reading
  return file;
}

/* True when the text is on the clipboard. Pages over plain HTTP have no clipboard, but an old command. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (error) {
    return copyOldWay(text);
  }
}

function copyOldWay(text) {
  const area = make("textarea", { class: "unseen", readonly: true });
  const before = document.activeElement;
  area.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(area); // what is beside a dialog takes no focus
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  before?.focus();
  return done;
}
