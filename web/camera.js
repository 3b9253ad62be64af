/* One camera filling its frame: the page behind each tile, and the one to embed elsewhere. ?kiosk=1: see kiosk.js */

import "./camhub-player.js";
import { cameraUrl, copyText, embedSnippets, saveSnapshot } from "./actions.js";
import { showEmbed, showKeys } from "./dialogs.js";
import { isKiosk, runKiosk } from "./kiosk.js";
import { canFillScreen, decoded, hideIdlePointer, isPlainKey, toggleFullScreen } from "./page.js";
import { loginUrl } from "./login-words.js";
import { ROOT } from "./root.js";
import { camerasOf, fetchServer, fetchStreams } from "./streams.js";
import { toast } from "./toast.js";
import { Toolbar } from "./toolbar.js";

const framed = window.top !== window;
const kiosk = isKiosk(location.search);
const path = location.pathname.split("/").filter(Boolean);
const name = new URLSearchParams(location.search).get("camera") ?? decoded(path[path.length - 1] ?? "");
let title = name;
let delay = false;
let overlay = true;
let analysed = false; // there is something to be drawn, or has been

const player = document.createElement("camhub-player");
player.setAttribute("camera", name);
player.setAttribute("overlay", "");
document.getElementById("stage").append(player);
show(name);

const KEYS = [
  ["F", "Full screen"],
  ["D", "How old the picture is"],
  ["O", "What programs find in the pictures, where some look"],
  ["M", "Sound, where the camera has some"],
  ["S", "Saves the picture"],
  ["C", "Copies the link of this page"],
  ["E", "How to embed the camera in a page"],
  ["Escape", "All cameras"],
  ["?", "These keys"],
];

const toolbar = new Toolbar({
  snapshot: () => saveSnapshot(player, ROOT, name).then((file) => toast(`Saved as ${file}`),
    (error) => toast(`No snapshot: ${error.message}`)),
  link: async () => toast(await copyText(cameraUrl(ROOT, name)) ? "Link copied" : cameraUrl(ROOT, name)),
  embed: () => showEmbed(title, cameraUrl(ROOT, name), embedSnippets(ROOT, name, title)),
  delay: toggleDelay,
  overlay: toggleOverlay,
  sound: toggleSound,
  ...(canFillScreen() && { full: toggleFullScreen }),
  keys: () => showKeys(KEYS),
  wall: "./",
});

function show(text) {
  document.title = text;
  document.getElementById("title").textContent = text;
}

function toggleDelay() {
  delay = !delay;
  player.toggleAttribute("show-delay", delay);
  toolbar.press("delay", delay);
}

function toggleOverlay() {
  overlay = !overlay;
  player.toggleAttribute("overlay", overlay);
  toolbar.press("overlay", overlay);
}

function toggleSound() {
  player.muted = !player.muted;
  toolbar.press("sound", !player.muted);
}

fetchStreams(ROOT).then((streams) => {
  const camera = camerasOf(streams).find((one) => one.name === name);
  title = camera?.title ?? name;
  if (camera?.analysed)
    showAnalysed();
  player.setAttribute("label", title);
  show(title);
}).catch((error) => { // the player says what is wrong
  if (error.name === "LoginError" && !framed && !kiosk)
    location.assign(loginUrl(location.href, ROOT));
});

fetchServer(ROOT).then((server) => {
  if (server && server.targetMs !== null)
    player.setAttribute("target-ms", server.targetMs); // the player has begun, and takes it on its way
});

/* In somebody else's page only what is about the picture. */
function showToolbar() {
  const found = analysed ? ["overlay"] : [];
  toolbar.show(framed ? ["snapshot", "delay", ...found, "sound", "full"]
    : ["snapshot", "link", "embed", "delay", ...found, "sound", "full", "keys", "wall"]);
}

function showAnalysed() {
  analysed = true;
  toolbar.press("overlay", overlay);
  showToolbar();
}

player.addEventListener("analysed", showAnalysed);
showToolbar();

if (kiosk) {
  runKiosk(ROOT);
} else {
  document.body.append(toolbar.element);
  hideIdlePointer();
  document.addEventListener("keydown", (event) => {
    if (isPlainKey(event) && !(event.key === "Escape" && document.fullscreenElement))
      toolbar.key(event.key.length === 1 ? event.key.toLowerCase() : event.key);
  });
}
