/* What both pages do: read their address, fill the screen on F, hide the pointer when nobody moves it. */

const IDLE_MS = 3000;

/* A part of the address; as it stands when it is not what decodes. */
export function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    return part;
  }
}

/* False in a frame whose page does not allow it, and on telephones that cannot. */
export function canFillScreen() {
  return document.fullscreenEnabled === true;
}

export function toggleFullScreen() {
  if (document.fullscreenElement)
    document.exitFullscreen();
  else
    document.documentElement.requestFullscreen?.().catch(() => {}); // refused: nothing to tell
}

/* True when the key is meant for the page: no modifier, no text being typed, no dialog in front. */
export function isPlainKey(event) {
  return !event.ctrlKey && !event.altKey && !event.metaKey && !event.defaultPrevented &&
    !/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && !document.querySelector("dialog[open]");
}

/* body.idle says that nothing moves: the pointer and the toolbar go. */
export function hideIdlePointer() {
  let timer = 0;
  const moved = () => {
    document.body.classList.remove("idle");
    clearTimeout(timer);
    timer = setTimeout(() => document.body.classList.add("idle"), IDLE_MS);
  };
  for (const type of ["pointermove", "pointerdown", "keydown"])
    document.addEventListener(type, moved, { passive: true });
  moved();
}
