/* The row of buttons in the corner: there while the pointer moves or the keyboard is in it, else out of the way. */

import { icon, make } from "./dom.js";

/* What there may be. key: the key that does the same. */
const ITEMS = {
  snapshot: { words: "Snapshot", key: "s" },
  link: { words: "Copy link", key: "c" },
  embed: { words: "Embed", key: "e" },
  delay: { words: "Delay", key: "d" },
  overlay: { words: "Boxes", key: "o" },
  sound: { words: "Sound", key: "m" },
  full: { words: "Full screen", key: "f" },
  keys: { words: "Keys", key: "?" },
  wall: { words: "All cameras", key: "Escape" },
};

export class Toolbar {
  element = make("div", { class: "toolbar", role: "group", "aria-label": "Actions" });
  #buttons = new Map();

  /* doing: { id: function, or where a link leads } for the ids of ITEMS that this page has. */
  constructor(doing) {
    for (const id of Object.keys(ITEMS).filter((key) => key in doing)) {
      const button = makeButton(id, doing[id]);
      this.#buttons.set(id, button);
      this.element.append(button);
    }
  }

  /* Only these are to be seen. */
  show(ids) {
    for (const [id, button] of this.#buttons)
      button.hidden = !ids.includes(id);
    this.element.hidden = ids.length === 0;
  }

  /* A button that is on or off. */
  press(id, on) {
    this.#buttons.get(id)?.setAttribute("aria-pressed", String(on));
  }

  /* Does what the key of a button that is to be seen stands for. */
  key(key) {
    const id = Object.keys(ITEMS).find((one) => ITEMS[one].key === key);
    const button = this.#buttons.get(id);
    if (button && !button.hidden && !this.element.hidden)
      button.click();
  }
}

function makeButton(id, doing) {
  const { words, key } = ITEMS[id];
  const isLink = typeof doing === "string";
  const button = make(isLink ? "a" : "button", {
    ...(isLink ? { href: doing } : { type: "button" }), "data-do": id, "aria-keyshortcuts": key,
    title: `${words} (${key.length === 1 ? key.toUpperCase() : key})`,
  }, icon(id), make("span", { class: "words" }, words));
  if (!isLink)
    button.addEventListener("click", () => doing());
  return button;
}
