/* One camera filling its frame: the page behind each tile, and the one to embed elsewhere. */

import "./camhub-player.js";
import { decoded, hideIdlePointer, isPlainKey, toggleFullScreen } from "./page.js";
import { camerasOf, fetchStreams, fetchTarget } from "./streams.js";

const framed = window.top !== window;
const path = location.pathname.split("/").filter(Boolean);
const name = new URLSearchParams(location.search).get("camera") ?? decoded(path[path.length - 1] ?? "");

const player = document.createElement("camhub-player");
player.setAttribute("camera", name);
document.title = name;
document.getElementById("stage").append(player);

fetchStreams(import.meta.url).then((streams) => {
  const title = camerasOf(streams).find((camera) => camera.name === name)?.title ?? name;
  player.setAttribute("label", title);
  document.title = title;
}).catch(() => {}); // the player says what is wrong

fetchTarget(import.meta.url).then((target) => {
  if (target !== null)
    player.setAttribute("target-ms", target); // the player has begun, and takes it on its way
});

hideIdlePointer();
if (!framed)
  document.getElementById("back").hidden = false;

document.addEventListener("keydown", (event) => {
  if (!isPlainKey(event))
    return;
  if (event.key === "f")
    toggleFullScreen();
  else if (event.key === "Escape" && !framed && !document.fullscreenElement)
    location.assign("./");
});
