/* What both pages do: fill the screen on F, hide the pointer when nobody moves it. */

const IDLE_MS = 3000;

export function toggleFullScreen() {
  if (document.fullscreenElement)
    document.exitFullscreen();
  else
    document.documentElement.requestFullscreen?.().catch(() => {}); // refused: nothing to tell
}

/* True when the key is meant for the page: no modifier, no text being typed. */
export function isPlainKey(event) {
  return !event.ctrlKey && !event.altKey && !event.metaKey && !event.defaultPrevented &&
    !/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
}

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
