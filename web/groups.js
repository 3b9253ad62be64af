/* The groups of cameras on the wall: a quiet row of tabs above it. */

import { make } from "./dom.js";

/* The groups in the order of their first camera; none when all cameras are in the same one, or in none. Pure. */
export function groupsOf(cameras) {
  const groups = new Set(cameras.map((camera) => camera.group));
  const some = groups.size > 1;
  groups.delete("");
  return some ? [...groups] : [];
}

/* The search part of the wall's address with that group ("" for all), the rest of it as it is. Pure. */
export function searchWith(search, group) {
  const parameters = new URLSearchParams(search);
  parameters.delete("group");
  if (group)
    parameters.set("group", group);
  const text = parameters.toString();
  return text ? `?${text}` : "";
}

export class Tabs {
  #element;
  #list = make("ul", { role: "list" });
  #made = "";

  /* element: the <nav>; onGroup(name): a person chose one. */
  constructor(element, onGroup) {
    this.#element = element;
    element.append(this.#list);
    element.addEventListener("click", (event) => {
      const link = event.target.closest("a");
      if (!link || event.button !== 0 || event.ctrlKey || event.shiftKey || event.metaKey)
        return;
      event.preventDefault();
      onGroup(link.dataset.group);
    });
  }

  get height() {
    return this.#element.hidden ? 0 : this.#element.offsetHeight;
  }

  set inert(value) {
    this.#element.inert = value;
  }

  /* groups: names; current: the one that is shown, "" for all. */
  show(groups, current) {
    const made = JSON.stringify([groups, current, location.search]);
    this.#element.hidden = groups.length === 0;
    if (made === this.#made)
      return;
    const focused = this.#list.contains(document.activeElement) ? document.activeElement.dataset.group : null;
    this.#made = made;
    this.#list.replaceChildren(...["", ...groups].map((group) => tab(group, group === current)));
    if (focused !== null)
      [...this.#list.querySelectorAll("a")].find((link) => link.dataset.group === focused)?.focus();
  }
}

function tab(group, isCurrent) {
  const link = make("a", { href: `./${searchWith(location.search, group)}`, "data-group": group }, group || "All");
  if (isCurrent)
    link.setAttribute("aria-current", "page");
  return make("li", {}, link);
}
