/* The page's one connection to a server: a WebSocket to /ws that all <camhub-player> elements of the page share,
 * made anew for ever, with the exchange of clocks and the reports. It knows subscriptions, not pictures.
 *
 * A subscriber is { link(link, why), message(message), frame(frame), report() }: link is "opening", "open" or
 * "waiting" (for the next try); after each "open" everything begins anew, the subscription having been asked
 * for again. report() gives an object for the server, or null. webrtc({ exists, ready, servers }) tells, each time the
 * server does, whether it has WebRTC, takes offers now, and what RTCPeerConnection needs to know. */

import { Backoff } from "./backoff.js";
import { ClockSync } from "./clocksync.js";
import { readFrame } from "./wire.js";

const TICK_MS = 1000;
const OPEN_LIMIT_MS = 15000;
const PROBE_LIMIT_MS = 5000;
const CLOCK_EVERY_MS = 10000;
const CLOCK_AT_FIRST = 5; // exchanges in a row
const CLOCK_EACH = 2;
const QUIET_MS = 4000; // without a message: one more
const SILENCE_MS = 6000; // after which an exchange that is not answered means that nobody is there
const SILENT_TICKS = 3;
const REPORT_EVERY_MS = 5000;
const REPORTS_MAX = 32; // in one message
const IDLE_MS = 5000; // without subscribers: an element that only moves in the page comes back sooner
const ID_MAX = 65535;

/* Until a server says something else, and where it never does. */
export const DENIED = "You may not see this camera";
export const NO_WEBRTC = { exists: false, ready: false, servers: [] };

const connections = new Map();

/* The connection to the server whose root is base (a URL). */
export function connectionTo(base) {
  const url = new URL("ws", base);
  url.protocol = url.protocol.replace("http", "ws");
  if (!connections.has(url.href))
    connections.set(url.href, new Connection(url, new URL("api/streams", base)));
  return connections.get(url.href);
}

class Subscription {
  id;
  asked = false; // in the socket that is open now
  paused = false;
  listens = false; // while it is paused too: to what the server says,
  results = false; // and to what programs find
  options;
  subscriber;
  #owner;

  constructor(owner, id, options, subscriber) {
    this.#owner = owner;
    this.id = id;
    this.options = options;
    this.subscriber = subscriber;
  }

  /* Other options (as in the protocol's "subscribe"); also to ask again after an "error". */
  change(options) {
    this.options = options;
    this.#owner.ask(this);
  }

  /* listens: pictures come otherwise, and only what is said is wanted here; results: and what programs find in them. */
  pause(on, listens = false, results = false) {
    const { paused, results: had } = this;
    this.paused = on;
    this.listens = on && listens;
    this.results = on && results;
    if (!this.asked && (!on || listens))
      this.#owner.ask(this);
    else if (this.asked && (on !== paused || this.results !== had))
      this.#owner.send(this.pausing);
  }

  get pausing() {
    return { type: "pause", id: this.id, on: this.paused, ...(this.results && { results: true }) };
  }

  /* A message about it. */
  say(message) {
    if (this.asked)
      this.#owner.send({ ...message, id: this.id });
  }

  close() {
    this.#owner.forget(this);
  }
}

export class Connection {
  clock = new ClockSync();
  connections = 0;
  webrtc = NO_WEBRTC;
  #url;
  #probeUrl;
  #backoff = new Backoff();
  #subscriptions = new Map();
  #nextId = 1;
  #socket = null;
  #opened = false;
  #why = "";
  #retryTimer = 0;
  #idleTimer = 0;
  #tickTimer = 0;
  #openingAt = 0;
  #messageAt = 0;
  #silentTicks = 0;
  #exchanges = 0; // still to be made in this round
  #clockAt = 0; // when the last request left,
  #clockWaits = false; // and whether it is unanswered
  #reportedAt = 0;

  constructor(url, probeUrl) {
    this.#url = url;
    this.#probeUrl = probeUrl;
  }

  get link() {
    if (!this.#socket)
      return "waiting";
    return this.#opened ? "open" : "opening";
  }

  get why() {
    return this.#why;
  }

  subscribe(options, subscriber) {
    while (this.#subscriptions.has(this.#nextId))
      this.#nextId = this.#nextId % ID_MAX + 1;
    const made = new Subscription(this, this.#nextId, options, subscriber);
    this.#nextId = this.#nextId % ID_MAX + 1;
    this.#subscriptions.set(made.id, made);
    clearTimeout(this.#idleTimer);
    if (this.#opened)
      this.ask(made);
    else if (!this.#socket && !this.#retryTimer)
      this.#open();
    return made;
  }

  /* Somebody will subscribe soon. */
  warm() {
    if (this.#subscriptions.size > 0 || this.#socket)
      return;
    this.#open();
    this.#endSoon();
  }

  /* Something got better: do not wait for the next try, and find out whether the socket still lives. */
  retry() {
    if (this.#opened && !this.#clockWaits)
      this.#exchange(performance.now());
    if (this.#socket || this.#subscriptions.size === 0)
      return;
    this.#backoff.reset();
    this.#open();
  }

  /* For subscriptions. */
  ask(subscription) {
    const { paused, listens, asked, id, options } = subscription;
    if (!this.#opened || (paused && !listens && !asked))
      return;
    subscription.asked = true;
    this.send({ type: "subscribe", id, ...options });
    if (paused && !asked)
      this.send(subscription.pausing);
  }

  forget(subscription) {
    this.#subscriptions.delete(subscription.id);
    if (subscription.asked)
      this.send({ type: "unsubscribe", id: subscription.id });
    if (this.#subscriptions.size === 0)
      this.#endSoon();
  }

  send(message) {
    if (this.#opened)
      this.#socket.send(JSON.stringify(message));
  }

  #open() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = 0;
    this.#openingAt = performance.now();
    this.#opened = false;
    this.connections += 1;
    let socket;
    try {
      socket = new WebSocket(this.#url);
    } catch (error) {
      this.#lost(error.message);
      return;
    }
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#ready();
    socket.onmessage = (event) => this.#message(event.data);
    socket.onclose = () => (this.#opened ? this.#lost("") : this.#probe());
    this.#tickTimer ||= setInterval(() => this.#tick(performance.now()), TICK_MS);
    this.#tell("opening");
  }

  #ready() {
    const now = performance.now();
    this.#opened = true;
    this.#why = "";
    this.#messageAt = now;
    this.#reportedAt = now;
    this.#silentTicks = 0;
    this.clock.reset();
    this.#backoff.good(now);
    this.#tell("open");
    for (const subscription of this.#subscriptions.values())
      this.ask(subscription);
    this.#exchanges = CLOCK_AT_FIRST;
    this.#exchange(now);
  }

  #message(data) {
    const now = performance.now();
    this.#messageAt = now;
    if (data instanceof ArrayBuffer) {
      const frame = readFrame(data);
      if (frame)
        this.#subscriptions.get(frame.id)?.subscriber.frame(frame);
      return;
    }
    let message;
    try {
      message = JSON.parse(data);
    } catch (error) {
      return;
    }
    if (message?.type === "clock")
      this.#clockAnswer(message, now);
    else if (message?.type === "webrtc")
      this.#tellWebrtc({ exists: true, ready: message.ready === true, servers: serversOf(message.servers) });
    else if (message && typeof message === "object")
      this.#forSubscriber(message);
  }

  #forSubscriber(message) {
    const subscription = this.#subscriptions.get(message.id);
    if (!subscription)
      return;
    if (message.type === "error")
      subscription.asked = false;
    subscription.subscriber.message(message);
  }

  #exchange(now) {
    this.#clockAt = now;
    this.#clockWaits = true;
    this.send({ type: "clock", t0: now });
  }

  #clockAnswer({ t0, t1_us: t1, t2_us: t2 }, now) {
    if (!this.#clockWaits || t0 !== this.#clockAt)
      return;
    this.#clockWaits = false;
    this.clock.add(t0, t1, t2, now);
    this.#exchanges -= 1;
    if (this.#exchanges > 0)
      this.#exchange(now);
  }

  #tick(now) {
    if (!this.#opened) {
      if (this.#socket && now - this.#openingAt > OPEN_LIMIT_MS)
        this.#probe();
      return;
    }
    // Ticks are counted beside the time: after a sleep messages may wait behind this one.
    const silent = this.#clockWaits && now - Math.max(this.#clockAt, this.#messageAt) > SILENCE_MS;
    this.#silentTicks = silent ? this.#silentTicks + 1 : 0;
    if (this.#silentTicks >= SILENT_TICKS) {
      this.#lost("The server does not answer");
      return;
    }
    const due = now - this.#clockAt >= CLOCK_EVERY_MS;
    const quiet = now - Math.max(this.#clockAt, this.#messageAt) >= QUIET_MS; // is anybody there?
    if (!silent && (due || (quiet && !this.#clockWaits))) {
      this.#exchanges = CLOCK_EACH;
      this.#exchange(now);
    }
    if (now - this.#reportedAt >= REPORT_EVERY_MS)
      this.#report(now);
  }

  #report(now) {
    this.#reportedAt = now;
    const reports = [];
    for (const { id, asked, subscriber } of this.#subscriptions.values()) {
      const report = asked ? subscriber.report() : null;
      if (report)
        reports.push({ id, ...report });
    }
    for (let at = 0; at < reports.length; at += REPORTS_MAX)
      this.send({ type: "report", reports: reports.slice(at, at + REPORTS_MAX) });
  }

  /* A refused WebSocket tells a page nothing; an ordinary request does. */
  async #probe() {
    const socket = this.#socket;
    const isStill = () => this.#socket === socket && !this.#opened; // it may open meanwhile
    let why = "The server does not answer";
    this.#openingAt = Infinity; // asked once
    try {
      const answer = await fetch(this.#probeUrl, { cache: "no-store", signal: AbortSignal.timeout(PROBE_LIMIT_MS) });
      if (answer.status === 401 || answer.status === 403)
        why = DENIED;
      else
        why = answer.ok ? "The server does not take the connection" : `The server answers ${answer.status}`;
    } catch (error) {
      // No answer: the sentence above is true.
    }
    if (isStill())
      this.#lost(why);
  }

  #lost(why) {
    this.#drop();
    this.#why = why;
    if (this.#subscriptions.size === 0)
      return;
    this.#retryTimer = setTimeout(() => this.#open(), this.#backoff.failed(performance.now()));
    this.#tell("waiting");
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#opened = false;
    this.#clockWaits = false;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = 0;
    this.webrtc = NO_WEBRTC;
    for (const subscription of this.#subscriptions.values())
      subscription.asked = false;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  #endSoon() {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#end(), IDLE_MS);
  }

  #end() {
    this.#drop();
    clearInterval(this.#tickTimer);
    this.#tickTimer = 0;
  }

  #tellWebrtc(webrtc) {
    this.webrtc = webrtc;
    for (const { subscriber } of [...this.#subscriptions.values()])
      subscriber.webrtc?.(webrtc);
  }

  #tell(link) {
    for (const { subscriber } of [...this.#subscriptions.values()])
      subscriber.link(link, this.#why);
  }
}

/* What may be given to RTCPeerConnection, which throws at anything else. */
function serversOf(list) {
  const isText = (value) => value === undefined || typeof value === "string";
  /* A browser makes no connection at all with a TURN server that it has no name and password for. */
  const hasKey = (one) => typeof one.username === "string" && typeof one.credential === "string";
  const isServer = (one) => one !== null && typeof one === "object" && isText(one.username) && isText(one.credential) &&
    [one.urls].flat().every((url) => /^stuns?:/.test(url) || (/^turns?:/.test(url) && hasKey(one)));
  return Array.isArray(list) ? list.filter(isServer) : [];
}
