/* One tile of the wall: a link to the camera's own page, with its player inside. */

import "./camhub-player.js";
import { make } from "./dom.js";

export class Tile {
  item;
  link;
  player;
  camera;
  missed = 0; // lists in a row that did not have it

  /* camera: as in camerasOf(). onOpen(tile), onFocus(tile): a person did. */
  constructor(camera, onOpen, onFocus) {
    this.camera = camera;
    this.player = make("camhub-player", { role: "presentation", camera: camera.name, quality: "auto", overlay: true });
    this.link = make("a", { class: "tile", href: `./${encodeURIComponent(camera.name)}`, "data-camera": camera.name,
      tabindex: "-1" }, this.player);
    this.item = make("li", {}, this.link);
    this.link.addEventListener("click", (event) => {
      if (event.button !== 0 || event.ctrlKey || event.shiftKey || event.metaKey)
        return; // a new tab or window shows the camera's own page
      event.preventDefault();
      onOpen(this);
    });
    this.link.addEventListener("focus", () => onFocus(this));
    this.player.addEventListener("statechange", () => this.#name());
    this.update(camera);
  }

  get name() {
    return this.camera.name;
  }

  /* A link is read out as its label: the camera and what it does now. */
  #name() {
    this.link.setAttribute("aria-label", this.player.sentence || this.camera.title);
  }

  /* What the list says about it now. */
  update(camera) {
    this.camera = camera;
    this.missed = 0;
    if (this.player.getAttribute("label") !== camera.title)
      this.player.setAttribute("label", camera.title);
  }

  set targetMs(value) {
    if (value !== null)
      this.player.setAttribute("target-ms", value);
  }

  set delay(on) {
    this.player.toggleAttribute("show-delay", on);
  }

  set overlay(on) {
    this.player.toggleAttribute("overlay", on);
  }

  /* Nobody sees it now, and will not soon. */
  set held(value) {
    if (this.player.hold !== value)
      this.player.hold = value;
  }
}
