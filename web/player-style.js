/* The looks of <camhub-player>. A constructed style sheet, because the pages' policy forbids inline styles. */

export const sheet = new CSSStyleSheet();

sheet.replaceSync(`
  :host {
    display: block;
    position: relative;
    aspect-ratio: 16 / 9;
    container-type: inline-size;
    overflow: hidden;
    background: var(--camhub-tile, #14181e);
    color: #eef1f4;
    font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
    line-height: 1.3;
    user-select: none;
    -webkit-user-select: none;
  }
  :host([hidden]) { display: none; }

  .frame { position: absolute; inset: 0; font-size: clamp(13px, 4.2cqi, 34px); }

  video, canvas {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    object-fit: contain;
    transition: filter 0.25s;
  }
  .frame[data-surface="none"] :is(video, canvas),
  .frame[data-surface="video"] canvas,
  .frame[data-surface="canvas"] video,
  .frame[data-surface="direct"] :is(video, canvas):not([data-shown]),
  .frame[data-surface="video"] video.direct { visibility: hidden; }
  .frame[data-dim] :is(video, canvas) { filter: grayscale(0.8) brightness(0.33); }

  canvas.boxes { object-fit: fill; pointer-events: none; transition: none; }
  .frame canvas.boxes.boxes { visibility: hidden; filter: none; }
  .frame[data-state="playing"] canvas.boxes.boxes { visibility: visible; }

  .label {
    position: absolute;
    inset: auto 0 0 0;
    display: flex;
    align-items: center;
    gap: 0.55em;
    padding: 1.1em 0.75em 0.45em;
    background: linear-gradient(to top, rgb(0 0 0 / 0.62), transparent);
    pointer-events: none;
  }
  .label[hidden] { display: none; }
  .name {
    min-width: 0;
    overflow: hidden;
    white-space: nowrap;
    text-overflow: ellipsis;
    font-weight: 600;
    letter-spacing: 0.01em;
    text-shadow: 0 0 2px rgb(0 0 0 / 0.9), 0 1px 4px rgb(0 0 0 / 0.8);
  }
  .note { margin-left: auto; font-size: 0.8em; white-space: nowrap; text-shadow: 0 0 3px rgb(0 0 0 / 0.9); }

  /* Colour, shape and words all tell the state: a full disc is live, a ring is not. */
  .dot {
    flex: none;
    box-sizing: border-box;
    width: 0.68em;
    height: 0.68em;
    border: 0.15em solid #f0b429;
    border-radius: 50%;
    box-shadow: 0 0 0.3em rgb(0 0 0 / 0.6);
  }
  .frame[data-state="playing"] .dot { border-color: #3ecf7a; background: #3ecf7a; }
  .frame[data-state="offline"] .dot,
  .frame[data-state="unsupported"] .dot { border-color: #ff6b5e; border-radius: 0.08em; }
  .frame[data-state="paused"] .dot { border-color: #97a1ac; }

  @media (forced-colors: active) {
    .dot { forced-color-adjust: none; border-color: LinkText; }
    .frame[data-state="playing"] .dot { border-color: LinkText; background: LinkText; }
  }

  .said {
    position: absolute;
    inset: 0;
    display: flex;
    flex-direction: column;
    align-items: center;
    justify-content: center;
    gap: 0.35em;
    padding: 1.2em 6% 1.9em; /* the name below stays free */
    text-align: center;
    text-wrap: balance;
    overflow-wrap: anywhere;
    pointer-events: none;
  }
  .said[hidden] { display: none; }
  .headline { font-size: 1.45em; font-weight: 600; line-height: 1.2; text-shadow: 0 1px 4px rgb(0 0 0 / 0.8); }
  .detail {
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 3;
    overflow: hidden;
    color: #d3d9df;
    text-shadow: 0 1px 3px rgb(0 0 0 / 0.8);
  }
  .frame[data-state="offline"] .headline,
  .frame[data-state="unsupported"] .headline { color: #ff8d82; }
  .frame[data-state="stalled"] .headline { color: #f6c55a; }

  .spinner {
    width: 1.5em;
    height: 1.5em;
    margin-bottom: 0.3em;
    border: 0.16em solid rgb(255 255 255 / 0.18);
    border-top-color: #c3cad2;
    border-radius: 50%;
    animation: turn 1.1s linear infinite;
  }
  .spinner[hidden] { display: none; }
  @keyframes turn { to { transform: rotate(1turn); } }
  @media (prefers-reduced-motion: reduce) {
    .spinner { animation: none; }
    video, canvas { transition: none; }
  }

  .notice {
    position: absolute;
    inset: 0.6em 0.6em auto auto;
    max-width: 80%;
    padding: 0.25em 0.7em;
    border-radius: 0.5em;
    background: rgb(0 0 0 / 0.72);
    color: #f6c55a;
    font-size: 0.85em;
  }
  .notice[hidden] { display: none; }

  .delay {
    position: absolute;
    inset: 0.6em auto auto 0.6em;
    padding: 0.15em 0.55em;
    border-radius: 0.4em;
    background: rgb(0 0 0 / 0.66);
    font-size: 0.8em;
    font-variant-numeric: tabular-nums;
    pointer-events: none;
  }
  .delay[hidden] { display: none; }

  button {
    position: absolute;
    inset: 0;
    margin: auto;
    width: fit-content;
    height: fit-content;
    padding: 0.6em 1.4em;
    border: 0;
    border-radius: 0.6em;
    background: #eef1f4;
    color: #101418;
    font: inherit;
    font-weight: 600;
    cursor: pointer;
  }
  button:focus-visible { outline: 3px solid #6cb3ff; outline-offset: 3px; }
  button[hidden] { display: none; }

  .status {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`);
