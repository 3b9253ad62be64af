/* What a page shows, and when, read from the clock in the pictures. Injected before the page's own scripts, into
 * camhub's pages and into the floor's: both are measured by the same code. It looks into open shadow roots
 * and watches the browser's own functions, and changes nothing but the players' `modes` and
 * `delay-basis`.
 *
 * globalThis.glassOptions: { modes and basis ("" leaves what the page says), every (of a tile's pictures one in so many is
 * read; all are counted) }. */

(() => {
  const { modes = "", basis = "", every = 1 } = globalThis.glassOptions ?? {};
  const SPIN_MS = 4;
  const FRESH_MS = 300;
  const IN_FLIGHT = 500; // pictures that may be between decoder and screen
  const barcode = new Barcode();
  const attachShadow = Element.prototype.attachShadow;
  const surfaces = new Map(); // <video> or <canvas> -> Surface
  let offset = Date.now() - performance.now(); // of the wall clock, from performance.now(); setClock() is exact
  const given = new Set(); // numbers of the pictures that were given to decoders, by their stamps
  let jpegs = 0; // the same of those that have none, counted
  let begun = 0; // the navigation, or when the player was put back into the page; the next two are counted from it
  let first = null; // when a current picture was shown first
  let steps = {}; // on the way to it: name -> when it was reached first
  let { promise: whenFirst, resolve: tellFirst } = Promise.withResolvers();
  let taken = null; // the player that was taken out, and where it was

  /* Date.now() counts whole milliseconds: its offset from performance.now() is largest right after a step. */
  function setClock() {
    const until = performance.now() + SPIN_MS;
    let largest = -Infinity;
    for (let now = performance.now(); now < until; now = performance.now())
      largest = Math.max(largest, Date.now() - now);
    offset = largest;
  }

  function reached(step, now = performance.now()) {
    steps[step] ??= now - begun;
  }

  class Surface {
    element;
    player;
    frames = []; // { clock, age (ms, when the script heard of it), shot }
    delays = []; // [number, age, the delay that the player displays, its basis]
    bad = 0;
    presented = 0;

    constructor(element) {
      this.element = element;
      this.player = element.getRootNode().host ?? null;
    }

    reset() {
      this.frames = [];
      this.delays = [];
      this.bad = this.presented = 0;
    }

    /* At `now` (performance.now()) the element shows another picture; on the screen it is expected at `due` (null:
     * not known). A video's is kept and read later: the page's own scripts, which time the same picture, come first. */
    shown(now, due) {
      const { element } = this;
      if (element.classList.contains("direct") && !element.hasAttribute("data-shown"))
        return; // WebRTC's, which nobody sees before it takes over
      this.presented += 1;
      if (this.presented % every !== 0 && first !== null)
        return;
      const shot = { number: this.presented, now, due, jpegs };
      if (due === null) {
        requestAnimationFrame((next) => { shot.due = next; });
        shot.clock = barcode.read(element, element.width, element.height);
        setTimeout(() => this.#note(shot));
        return;
      }
      const picture = globalThis.VideoFrame && element.readyState >= element.HAVE_CURRENT_DATA ? new VideoFrame(element) : null;
      const read = () => {
        shot.clock = barcode.read(picture ?? element, element.videoWidth, element.videoHeight);
        picture?.close();
        this.#note(shot);
      };
      if (picture)
        setTimeout(read);
      else
        read();
    }

    #note(shot) {
      const { clock, now } = shot;
      if (!clock) {
        this.bad += 1;
        return;
      }
      const age = Barcode.age(clock.units, now + offset);
      reached("picture", now);
      this.frames.push({ clock, age, shot });
      if (first === null && age <= FRESH_MS) {
        first = now - begun;
        tellFirst({ first, ...steps });
      }
      const delay = this.player?.delay;
      if (delay && Number.isFinite(delay.ms) && shot.number === this.presented)
        this.delays.push([clock.number, age, delay.ms, delay.basis]);
    }

    /* frames: [number, age, age when it is expected on the screen, JPEGs given to the decoder until then] */
    result() {
      const { delays, bad, presented } = this;
      const frames = this.frames.map(({ clock, age, shot }) =>
        [clock.number, age, shot.due === null ? null : age + shot.due - shot.now, shot.jpegs]);
      return { frames, delays, bad, presented, given: [...given], transport: this.player?.stats?.transport ?? "" };
    }
  }

  function watchVideo(video) {
    const surface = new Surface(video);
    surfaces.set(video, surface);
    const shown = (_, metadata) => {
      const now = performance.now();
      video.requestVideoFrameCallback(shown);
      surface.shown(now, metadata.expectedDisplayTime);
    };
    video.requestVideoFrameCallback(shown);
  }

  function isPicture(canvas) {
    return canvas instanceof HTMLCanvasElement && canvas.isConnected && canvas.width >= 160;
  }

  /* A page's script drew a picture that came into a canvas that can be seen. A still of a video is none. */
  function drawn(canvas, source) {
    if (!isPicture(canvas) || source instanceof HTMLVideoElement)
      return;
    if (!surfaces.has(canvas))
      surfaces.set(canvas, new Surface(canvas));
    surfaces.get(canvas).shown(performance.now(), null);
  }

  function look(root) {
    for (const video of root.querySelectorAll("video"))
      if (!surfaces.has(video))
        watchVideo(video);
  }

  function follow(root) {
    new MutationObserver(() => look(root)).observe(root, { childList: true, subtree: true });
    look(root);
  }

  function take(bytes) {
    for (const number of stampNumbers(bytes))
      given.add(number);
  }

  /* A function of the browser that says what it did after it did it. */
  function after(prototype, name, tell) {
    const before = prototype?.[name];
    if (before)
      prototype[name] = function wrapped(...args) {
        const result = before.apply(this, args);
        tell(this, ...args);
        return result;
      };
  }

  Element.prototype.attachShadow = function attach(options) {
    if (this.localName === "camhub-player") {
      for (const [name, value] of [["modes", modes], ["delay-basis", basis]])
        if (value)
          this.setAttribute(name, value);
    }
    const root = attachShadow.call(this, options);
    reached("player");
    follow(root);
    return root;
  };
  after(CanvasRenderingContext2D.prototype, "drawImage", ({ canvas }, source) => drawn(canvas, source));
  after(globalThis.ImageBitmapRenderingContext?.prototype, "transferFromImageBitmap",
    ({ canvas }) => drawn(canvas, null));
  after(globalThis.VideoDecoder?.prototype, "decode", (_, chunk) => {
    const bytes = new Uint8Array(chunk.byteLength);
    chunk.copyTo(bytes);
    take(bytes);
  });
  after(globalThis.SourceBuffer?.prototype, "appendBuffer", (_, data) =>
    take(ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data)));
  after(globalThis, "createImageBitmap", () => { jpegs += 1; });
  globalThis.WebSocket = class extends WebSocket {
    constructor(...where) {
      super(...where);
      this.addEventListener("open", () => reached("socket"));
      this.addEventListener("message", ({ data }) => typeof data !== "string" && reached("media"));
    }
  };
  follow(document);

  globalThis.glass = {
    setClock,
    whenFirst: () => whenFirst, // { first: ms to the first picture that was current, and the steps before it }
    /* The player leaves the page, and comes back to it: from then on first is counted anew. */
    takeOut() {
      const player = document.querySelector("camhub-player");
      taken = { player, parent: player.parentNode, before: player.nextSibling };
      player.remove();
    },
    putBack() {
      const { player, parent, before } = taken;
      first = null;
      steps = {};
      ({ promise: whenFirst, resolve: tellFirst } = Promise.withResolvers());
      begun = performance.now();
      parent.insertBefore(player, before);
      return whenFirst;
    },
    reset() {
      setClock();
      for (const number of [...given].slice(0, -IN_FLIGHT))
        given.delete(number);
      for (const surface of surfaces.values())
        surface.reset();
    },
    count: () => [...surfaces.values()].reduce((sum, surface) => sum + surface.presented, 0),
    results: () => [...surfaces.values()].filter(({ presented }) => presented > 0)
      .map((surface) => surface.result()),
  };
})();
