/* A short remark at the lower edge that goes by itself, and is read out. */

import { make } from "./dom.js";

const SHOWN_MS = 3500;

let element = null;
let timer = 0;

export function toast(text) {
  if (!element) {
    element = make("p", { class: "toast", role: "status" });
    document.body.append(element);
  }
  clearTimeout(timer);
  element.textContent = text;
  timer = setTimeout(() => { element.textContent = ""; }, SHOWN_MS);
}
