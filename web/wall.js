/* The wall: all cameras of api/streams, as large as the screen allows. A tile stays where it is whatever
 * happens to its camera; the list is asked for again every 5 s. Opening a camera enlarges its tile, so the
 * picture goes on without a new connection; the address (#door) leads there and back.
 * ?cameras=a,b  these, in this order    ?group=Yard  that group    ?cols=3  so many columns    ?kiosk=1  see kiosk.js */

import { cameraUrl, copyText, embedSnippets, saveSnapshot } from "./actions.js";
import { showEmbed, showKeys } from "./dialogs.js";
import { groupsOf, searchWith, Tabs } from "./groups.js";
import { isKiosk, runKiosk } from "./kiosk.js";
import { layout, neighbour } from "./layout.js";
import { canFillScreen, decoded, hideIdlePointer, isPlainKey, toggleFullScreen } from "./page.js";
import { ROOT } from "./root.js";
import { camerasOf, chosen, fetchServer, fetchStreams } from "./streams.js";
import { loginUrl } from "./login-words.js";
import { Tile } from "./tile.js";
import { toast } from "./toast.js";
import { Toolbar } from "./toolbar.js";

const POLL_MS = 5000;
const GONE_AFTER_POLLS = 2; // a server that is just starting may not know all cameras yet
const GAP = 6;
const PHONE_GAP = 4;

const parameters = new URLSearchParams(location.search);
const wanted = parameters.get("cameras");
const forcedColumns = Math.min(Math.max(Number.parseInt(parameters.get("cols") ?? "0", 10) || 0, 0), 64);
const kiosk = isKiosk(location.search);
const list = document.getElementById("tiles");
const notice = document.getElementById("notice");
const tiles = new Map(); // by name
let columns = 1;
let open = null;
let openedHere = false;
let pollTimer = 0;
let polls = 0;
let targetMs = null; // the server's wish, once known
let delay = false; // shown in the tiles
let overlay = true; // the same of what programs find
let analysed = false; // some programs do, or did

const toolbar = new Toolbar({
  snapshot: () => saveSnapshot(open.player, ROOT, open.name).then((file) => toast(`Saved as ${file}`),
    (error) => toast(`No snapshot: ${error.message}`)),
  link: async () => {
    const url = cameraUrl(ROOT, open.name);
    toast(await copyText(url) ? "Link copied" : url);
  },
  embed: () => showEmbed(open.camera.title, cameraUrl(ROOT, open.name), embedSnippets(ROOT, open.name, open.camera.title)),
  delay: toggleDelay,
  overlay: toggleOverlay,
  ...(canFillScreen() && { full: toggleFullScreen }),
  keys: () => showKeys(KEYS),
  wall: leave,
});

const KEYS = [
  ["← ↑ → ↓", "From camera to camera, also while one is open"],
  ["Enter", "Opens the camera"],
  ["Escape", "Back to all cameras"],
  ["F", "Full screen"],
  ["D", "How old the pictures are, in each tile"],
  ["O", "What programs find in the pictures, where some look"],
  ["S", "Saves a picture of the open camera"],
  ["C", "Copies the link of the open camera"],
  ["E", "How to embed the open camera in a page"],
  ["?", "These keys"],
];

const tabs = new Tabs(document.getElementById("groups"), (group) => {
  history.pushState(null, "", `${location.pathname}${searchWith(location.search, group)}`);
  follow();
});

function group() {
  return new URLSearchParams(location.search).get("group") ?? "";
}

/* The tiles that are to be seen, as they stand. */
function shown() {
  return [...list.children].map((item) => tiles.get(item.firstElementChild.dataset.camera))
    .filter((tile) => !tile.item.hidden);
}

function update(cameras) {
  const seen = new Set(cameras.map((camera) => camera.name));
  for (const tile of [...tiles.values()].filter((one) => !seen.has(one.name))) {
    tile.missed += 1;
    if (tile.missed >= GONE_AFTER_POLLS)
      removeTile(tile);
  }
  for (const camera of cameras) {
    if (tiles.has(camera.name))
      tiles.get(camera.name).update(camera);
    else
      tiles.set(camera.name, makeTile(camera));
  }
  place(cameras.map((camera) => camera.name));
  follow();
}

function makeTile(camera) {
  const tile = new Tile(camera, () => open !== tile && enter(tile), () => roving(tile));
  tile.targetMs = targetMs;
  tile.delay = delay;
  tile.overlay = overlay;
  tile.player.addEventListener("analysed", showAnalysed);
  return tile;
}

/* Puts the tiles in order, moving none that stands right already: a moved player would begin anew. A tile that
 * is missing from the list, perhaps only this once, stays where it is. */
function place(names) {
  const listed = new Set(names.map((key) => tiles.get(key).item));
  const next = (item) => {
    let at = item;
    while (at && !listed.has(at))
      at = at.nextElementSibling;
    return at;
  };
  let at = next(list.firstElementChild);
  for (const key of names) {
    const { item } = tiles.get(key);
    if (item === at)
      at = next(at.nextElementSibling);
    else
      list.insertBefore(item, at);
  }
}

function removeTile(tile) {
  const focused = tile.link === document.activeElement;
  tile.item.remove();
  tiles.delete(tile.name);
  if (open === tile)
    leave();
  if (focused)
    shown()[0]?.link.focus();
}

function arrange() {
  const { clientWidth, clientHeight } = document.documentElement;
  const gap = Math.min(clientWidth, clientHeight) < 500 ? PHONE_GAP : GAP;
  const bar = tabs.height;
  const seen = shown();
  const plan = layout(seen.length, clientWidth, clientHeight - bar, gap, forcedColumns);
  columns = plan.columns;
  const { style } = document.documentElement;
  style.setProperty("--bar", `${bar}px`);
  style.setProperty("--gap", `${gap}px`);
  style.setProperty("--tile-width", `${plan.width}px`);
  style.setProperty("--tile-height", `${plan.height}px`);
  style.setProperty("--wall-width", `${plan.columns * (plan.width + gap) - gap}px`);
  document.body.classList.toggle("scrolls", plan.scroll);
  if (!seen.some((tile) => tile.link.tabIndex === 0) && seen.length > 0)
    roving(seen[0]);
}

/* Of the tiles behind an open one only those play that an arrow key leads to. */
function holdOthers() {
  const seen = shown();
  const near = open ? [-1, 0, 1].map((by) => seen.at((seen.indexOf(open) + by) % seen.length)) : null;
  for (const tile of tiles.values())
    tile.held = near !== null && !near.includes(tile);
}

/* One stop for Tab; arrow keys move it. */
function roving(current) {
  for (const tile of tiles.values())
    tile.link.tabIndex = tile === current && !kiosk ? 0 : -1;
}

function enter(tile) {
  openedHere = true;
  location.hash = encodeURIComponent(tile.name);
}

function leave() {
  if (openedHere) {
    openedHere = false;
    history.back();
  } else {
    history.replaceState(null, "", location.pathname + location.search);
    follow();
  }
}

/* Makes the page what its address says: the group, and the camera that is open. */
function follow() {
  const all = [...tiles.values()];
  tabs.show(kiosk || wanted ? [] : groupsOf(all.map((tile) => tile.camera)), group());
  for (const tile of all)
    tile.item.hidden = group() !== "" && tile.camera.group !== group();
  document.getElementById("unknown").hidden = tiles.size === 0 || shown().length > 0;
  document.getElementById("unknown-names").textContent = `There is no camera in a group “${group()}” here.`;
  openWhat(shown().find((tile) => tile.name === decoded(location.hash.slice(1))) ?? null);
  holdOthers();
  arrange();
}

function openWhat(next) {
  const last = open;
  if (next === last)
    return;
  open = next;
  last?.link.classList.remove("open");
  open?.link.classList.add("open");
  document.body.classList.toggle("has-open", open !== null);
  document.title = open ? open.camera.title : "Cameras";
  tabs.inert = open !== null;
  for (const tile of tiles.values())
    tile.item.inert = open !== null && tile !== open;
  const held = open !== null && toolbar.element.contains(document.activeElement);
  showToolbar();
  if (!held)
    (open ?? last)?.link.focus({ preventScroll: open !== null });
}

function showToolbar() {
  const found = analysed ? ["overlay"] : [];
  if (kiosk)
    toolbar.show([]);
  else if (open)
    toolbar.show(["snapshot", "link", "embed", "delay", ...found, "full", "keys", "wall"]);
  else
    toolbar.show(tiles.size > 0 ? ["delay", ...found, "full", "keys"] : []);
}

function showAnalysed() {
  analysed = true;
  toolbar.press("overlay", overlay);
  showToolbar();
}

function toggleOverlay() {
  overlay = !overlay;
  for (const tile of tiles.values())
    tile.overlay = overlay;
  toolbar.press("overlay", overlay);
}

function toggleDelay() {
  delay = !delay;
  for (const tile of tiles.values())
    tile.delay = delay;
  toolbar.press("delay", delay);
}

function say(text) {
  if (notice.textContent !== text)
    notice.textContent = text;
  notice.hidden = text === "";
}

async function poll() {
  clearTimeout(pollTimer);
  const mine = ++polls;
  try {
    const all = camerasOf(await fetchStreams(ROOT));
    if (mine !== polls)
      return; // asked again meanwhile
    update(chosen(all, wanted));
    if (!analysed && [...tiles.values()].some((tile) => tile.camera.analysed))
      showAnalysed();
    tellNone(all.length);
    say("");
  } catch (error) {
    if (mine !== polls)
      return;
    if (error.name === "LoginError" && !kiosk)
      location.assign(loginUrl(location.href, ROOT));
    say(`${error.message}. Trying again.`);
  }
  pollTimer = setTimeout(poll, POLL_MS);
}

/* count: how many cameras the server has. */
function tellNone(count) {
  document.getElementById("empty").hidden = count > 0 || tiles.size > 0;
  if (tiles.size === 0) {
    document.getElementById("unknown").hidden = count === 0;
    document.getElementById("unknown-names").textContent = `There is no ${wanted ?? "such camera"} here.`;
  }
  showToolbar();
}

/* An arrow key: the focus goes from tile to tile, or another camera takes the place of the open one. */
function move(key) {
  const seen = shown();
  if (seen.length === 0)
    return;
  if (open) {
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[key];
    const next = by ? seen.at((seen.indexOf(open) + by) % seen.length) : seen.at(key === "Home" ? 0 : -1);
    location.replace(`#${encodeURIComponent(next.name)}`); // Back still leads to the wall
    return;
  }
  const index = seen.findIndex((tile) => tile.link === document.activeElement);
  const stop = Math.max(0, seen.findIndex((tile) => tile.link.tabIndex === 0));
  seen[index < 0 ? stop : neighbour(key, index, seen.length, columns)].link.focus();
}

document.addEventListener("keydown", (event) => {
  if (kiosk || !isPlainKey(event))
    return;
  if (/^(Arrow|Home$|End$)/.test(event.key) && !event.target.closest("nav")) {
    event.preventDefault();
    move(event.key);
  } else {
    toolbar.key(event.key.length === 1 ? event.key.toLowerCase() : event.key);
  }
});
addEventListener("resize", arrange);
addEventListener("online", poll);
for (const type of ["hashchange", "popstate"])
  addEventListener(type, () => {
    if (!location.hash)
      openedHere = false;
    follow();
  });
document.body.append(toolbar.element);
showToolbar();
if (kiosk)
  runKiosk(ROOT);
else
  hideIdlePointer();
fetchServer(ROOT).then((server) => {
  targetMs = server?.targetMs ?? null;
  for (const tile of tiles.values())
    tile.targetMs = targetMs;
});
poll();
