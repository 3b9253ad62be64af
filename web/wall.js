/* The wall: all cameras of api/streams, as large as the screen allows. A tile stays where it is whatever
 * happens to its camera; the list is asked for again every 5 s. Opening a camera enlarges its tile, so the
 * picture goes on without a new connection; the address (#door) leads there and back. */

import "./camhub-player.js";
import { layout, neighbour } from "./layout.js";
import { decoded, hideIdlePointer, isPlainKey, toggleFullScreen } from "./page.js";
import { camerasOf, chosen, fetchStreams, fetchTarget } from "./streams.js";

const POLL_MS = 5000;
const GONE_AFTER_POLLS = 2; // a server that is just starting may not know all cameras yet
const GAP = 6;
const PHONE_GAP = 4;
const SUB_BELOW_PIXELS = 960; // a tile less wide than this takes the small stream, where there is one

const parameters = new URLSearchParams(location.search);
const wanted = parameters.get("cameras");
const forcedColumns = Math.min(Math.max(Number.parseInt(parameters.get("cols") ?? "0", 10) || 0, 0), 64);
const list = document.getElementById("tiles");
const notice = document.getElementById("notice");
const tiles = new Map(); // name -> { camera, item, link, player, missed }
let columns = 1;
let tileWidth = 0;
let open = null;
let openedHere = false;
let pollTimer = 0;
let polls = 0;
let targetMs = null; // the server's wish, once known

function makeTile(camera) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  const player = document.createElement("camhub-player");
  const tile = { camera, item, link, player, missed: 0 };
  link.className = "tile";
  link.href = `./${encodeURIComponent(camera.name)}`;
  link.dataset.camera = camera.name;
  link.tabIndex = -1;
  player.setAttribute("role", "presentation");
  if (targetMs !== null)
    player.setAttribute("target-ms", targetMs);
  link.append(player);
  item.append(link);
  link.addEventListener("click", (event) => {
    if (event.button !== 0 || event.ctrlKey || event.shiftKey || event.metaKey)
      return; // a new tab or window shows the camera's own page
    event.preventDefault();
    if (open !== tile)
      enter(camera.name);
  });
  link.addEventListener("focus", () => roving(link));
  player.addEventListener("statechange", () => name(tile));
  return tile;
}

/* A link is read out as its label: the camera and what it does now. */
function name(tile) {
  tile.link.setAttribute("aria-label", tile.player.sentence || tile.camera.title);
}

function update(cameras) {
  const seen = new Set(cameras.map((camera) => camera.name));
  for (const [key, tile] of tiles) {
    tile.missed = seen.has(key) ? 0 : tile.missed + 1;
    if (tile.missed >= GONE_AFTER_POLLS)
      removeTile(key, tile);
  }
  for (const camera of cameras) {
    const tile = tiles.get(camera.name) ?? makeTile(camera);
    tile.camera = camera;
    if (tile.player.getAttribute("label") !== camera.title)
      tile.player.setAttribute("label", camera.title);
    tiles.set(camera.name, tile);
  }
  place(cameras.map((camera) => camera.name));
  arrange();
  follow();
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

function removeTile(key, tile) {
  const focused = tile.link === document.activeElement;
  tile.item.remove();
  tiles.delete(key);
  if (open === tile)
    leave();
  if (focused)
    links()[0]?.focus();
}

function arrange() {
  const { clientWidth, clientHeight } = document.documentElement;
  const gap = Math.min(clientWidth, clientHeight) < 500 ? PHONE_GAP : GAP;
  const plan = layout(tiles.size, clientWidth, clientHeight, gap, forcedColumns);
  columns = plan.columns;
  tileWidth = plan.width;
  const { style } = document.documentElement;
  style.setProperty("--gap", `${gap}px`);
  style.setProperty("--tile-width", `${plan.width}px`);
  style.setProperty("--tile-height", `${plan.height}px`);
  style.setProperty("--wall-width", `${plan.columns * (plan.width + gap) - gap}px`);
  document.body.classList.toggle("scrolls", plan.scroll);
  for (const tile of tiles.values())
    choose(tile);
  if (!links().some((link) => link.tabIndex === 0) && links().length > 0)
    links()[0].tabIndex = 0;
}

/* The small stream for a small tile, and nothing at all for tiles behind an open one. */
function choose(tile) {
  const pixels = (open === tile ? document.documentElement.clientWidth : tileWidth) * devicePixelRatio;
  const stream = tile.camera.sub && pixels < SUB_BELOW_PIXELS ? tile.camera.sub : tile.camera.name;
  if (tile.player.getAttribute("camera") !== stream)
    tile.player.setAttribute("camera", stream);
  tile.player.hold = open !== null && open !== tile;
}

function links() {
  return [...list.querySelectorAll("a")];
}

/* One stop for Tab; arrow keys move it. */
function roving(current) {
  for (const link of links())
    link.tabIndex = link === current ? 0 : -1;
}

function enter(key) {
  openedHere = true;
  location.hash = encodeURIComponent(key);
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

/* Makes the page what its address says. */
function follow() {
  const key = decoded(location.hash.slice(1));
  const next = tiles.get(key) ?? null;
  if (next === open)
    return;
  const last = open;
  open = next;
  last?.link.classList.remove("open");
  next?.link.classList.add("open");
  document.body.classList.toggle("has-open", next !== null);
  closeButton.hidden = next === null;
  document.title = next ? next.camera.title : "Cameras";
  for (const tile of tiles.values()) {
    choose(tile);
    tile.item.inert = next !== null && tile !== next;
  }
  (next ?? last)?.link.focus({ preventScroll: next !== null });
}

const closeButton = document.createElement("button");
closeButton.type = "button";
closeButton.className = "close";
closeButton.textContent = "All cameras";
closeButton.hidden = true;
closeButton.addEventListener("click", leave);
document.body.append(closeButton);

function say(text) {
  if (notice.textContent !== text)
    notice.textContent = text;
  notice.hidden = text === "";
}

async function poll() {
  clearTimeout(pollTimer);
  const mine = ++polls;
  try {
    const all = camerasOf(await fetchStreams(import.meta.url));
    if (mine !== polls)
      return; // asked again meanwhile
    const cameras = chosen(all, wanted);
    update(cameras);
    document.getElementById("empty").hidden = all.length > 0 || tiles.size > 0;
    document.getElementById("unknown").hidden = all.length === 0 || tiles.size > 0;
    document.getElementById("unknown-names").textContent = `There is no ${wanted ?? "such camera"} here.`;
    say("");
  } catch (error) {
    if (mine !== polls)
      return;
    say(`${error.message}. Trying again.`);
  }
  pollTimer = setTimeout(poll, POLL_MS);
}

document.addEventListener("keydown", (event) => {
  if (!isPlainKey(event))
    return;
  if (event.key === "f") {
    toggleFullScreen();
  } else if (event.key === "Escape" && open) {
    leave();
  } else if (!open && links().length > 0) {
    const all = links();
    const index = all.indexOf(document.activeElement);
    if (!/^(Arrow|Home|End)/.test(event.key))
      return;
    event.preventDefault();
    const stop = Math.max(0, all.findIndex((link) => link.tabIndex === 0));
    all[index < 0 ? stop : neighbour(event.key, index, all.length, columns)].focus();
  }
});
addEventListener("resize", arrange);
addEventListener("online", poll);
addEventListener("hashchange", () => {
  if (!location.hash)
    openedHere = false;
  follow();
});
hideIdlePointer();
fetchTarget(import.meta.url).then((target) => {
  targetMs = target;
  for (const { player } of target === null ? [] : tiles.values())
    player.setAttribute("target-ms", target);
});
poll();
