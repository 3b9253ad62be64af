/* The two dialogs: how to embed a camera, and the keys. The browser's own <dialog> keeps the focus inside, closes
 * on Escape and gives the focus back. */

import { copyText } from "./actions.js";
import { make } from "./dom.js";

const COPIED_MS = 2500;

function openDialog(kind, title, ...content) {
  const heading = make("h2", { id: "dialog-title" }, title);
  const close = make("button", { type: "button", class: "plain" }, "Close");
  const dialog = make("dialog", { class: `card ${kind}`, "aria-labelledby": "dialog-title" }, heading, ...content,
    make("p", { class: "last" }, close));
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog && isOutside(dialog, event))
      dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/* The backdrop belongs to the dialog; its padding does, too. */
function isOutside(dialog, { clientX: x, clientY: y }) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return x < left || x > right || y < top || y > bottom;
}

/* A text with a button that copies it. */
function snippet(id, words, text, rows) {
  const area = make("textarea", { id, readonly: true, rows: String(rows), spellcheck: "false" });
  const button = make("button", { type: "button", class: "plain", "aria-label": `Copy: ${words}` }, "Copy");
  const said = make("span", { class: "muted", role: "status" });
  area.value = text;
  area.addEventListener("focus", () => area.select());
  button.addEventListener("click", async () => {
    said.textContent = await copyText(text) ? "Copied" : "Select it and copy it by hand";
    setTimeout(() => { said.textContent = ""; }, COPIED_MS);
  });
  return make("div", { class: "snippet" }, make("div", {}, make("label", { for: id }, words), said, button), area);
}

/* snippets: as made by embedSnippets(). */
export function showEmbed(title, link, snippets) {
  return openDialog("wide", `Embed ${title}`,
    snippet("embed-link", "Its page", link, 1),
    snippet("embed-frame", "In a frame", snippets.frame, 3),
    snippet("embed-element", "As an element of your page", snippets.element, 3),
    make("p", { class: "muted" }, "A page of another site must be listed under ", make("code", {}, "embed: origins:"),
      " in the configuration."));
}

/* rows: [[key, what it does]]; several keys of a row are parted by blanks. */
export function showKeys(rows) {
  const list = make("dl", { class: "keys" });
  for (const [keys, what] of rows) {
    const names = keys.split(" ").map((key) => make("kbd", {}, key));
    list.append(make("dt", {}, ...names.flatMap((name, i) => (i > 0 ? [" ", name] : [name]))), make("dd", {}, what));
  }
  return openDialog("wide", "Keys", list);
}
