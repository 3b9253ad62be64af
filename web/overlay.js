/* What programs found in the pictures, and when it is shown: a result over the frame it was made of, when it is there
 * in time; one that is a little late over the newest frame, until the next one comes; one that is too late not at all.
 * No picture ever waits. Pure: no DOM, no clock. */

const LATE_MS = 500;
const ANALYSERS_MAX = 8;
const KEPT_MAX = 64; // results of each analyser, most of them of frames that are not on the screen yet
const OBJECTS_MAX = 256;
const LINES_MAX = 4; // of an object's attributes
const COUNTS_MAX = 32;
const SEQ_RANGE = 2 ** 32; // frames tell the lower bits of theirs
const MARKS = 64; // values of the lower bits of RTP's time, 0: not told
const MARK_US = 5000;
const AGE_MS = 150; // of a picture of which nobody says it

const isFraction = (number) => Number.isFinite(number) && number >= 0 && number <= 1;
const isText = (text) => typeof text === "string";

function readObject(object) {
  const { box, label, score, track, attributes } = object ?? {};
  if (!Array.isArray(box) || box.length !== 4 || !box.every(isFraction))
    return null;
  const title = [isText(label) ? label : "", Number.isFinite(track) ? `#${track}` : "",
    isFraction(score) ? `${Math.round(score * 100)} %` : ""].filter(Boolean).join(" ");
  const lines = Object.entries(attributes ?? {}).slice(0, LINES_MAX).map(([name, value]) => `${name}: ${value}`);
  return { box, title, lines, colour: colourOf(isText(label) ? label : "") };
}

/* The degrees of a hue: the same for the same label, everywhere. */
function colourOf(label) {
  let hash = 7;
  for (const letter of label)
    hash = (hash * 31 + letter.codePointAt(0)) % 3600;
  return hash * 137 % 360;
}

/* A message "result": { analyser, seq (null: of no frame of this stream, or not told), arrivedUs, objects: [{ box,
 * title, lines, colour }], remarks (texts) }; null when it is none. */
export function readResult({ analyser, seq, arrived_us: arrivedUs, objects, counts, note }) {
  if (!isText(analyser) || !Number.isFinite(arrivedUs) || !Array.isArray(objects))
    return null;
  const remarks = Object.entries(counts ?? {}).slice(0, COUNTS_MAX).map(([name, count]) => `${name}: ${count}`);
  if (isText(note) && note !== "")
    remarks.push(note);
  return { analyser, seq: Number.isFinite(seq) ? seq % SEQ_RANGE : null, arrivedUs, remarks,
    objects: objects.slice(0, OBJECTS_MAX).map(readObject).filter(Boolean) };
}

/* Which frame a picture of WebRTC is, as Overlay.presented() takes it: by its RTP time, the lower bits of which tell when it
 * came to the server (1 + that in 5 ms modulo 63, or nothing), by the server's time, and by its age, which need be right
 * within 150 ms only (null: not known). Without those bits it is about there; null: nothing is known. */
export function frameOf(rtp, serverUs, ageMs) {
  const mark = Number.isFinite(rtp) ? rtp % MARKS : 0;
  if (mark === 0 && ageMs === null)
    return null;
  const aboutUs = serverUs - 1000 * (ageMs ?? AGE_MS);
  if (mark === 0)
    return { seq: null, arrivedUs: aboutUs, withinUs: -1 };
  const about = Math.floor(aboutUs / MARK_US);
  const ahead = (mark - 1 - about % (MARKS - 1) + MARKS - 1) % (MARKS - 1);
  const unit = about + (ahead > (MARKS - 1) / 2 ? ahead - (MARKS - 1) : ahead);
  return { seq: null, arrivedUs: (unit + 0.5) * MARK_US, withinUs: MARK_US / 2 };
}

/* Negative: of no frame for certain. */
const isOf = (result, { seq, arrivedUs, withinUs = 0 }) => Math.abs(result.arrivedUs - arrivedUs) <= withinUs &&
  (result.seq === null || seq === null || result.seq === seq);

export class Overlay {
  #lateUs = LATE_MS * 1000;
  #kept = new Map(); // of each analyser, in the order of the frames' arrival; since: the frame on which they were first
  #shown = null; // the frame on the screen
  #counts = { results: 0, late: 0, exact: 0, held: 0 };

  /* How long after its frame a result may come; and for how long it is shown, when no other comes. */
  set lateMs(ms) {
    this.#lateUs = (Number.isFinite(ms) && ms >= 0 ? ms : LATE_MS) * 1000;
  }

  /* Results that came, and of these those that were too late; frames with a result of their own, and with an older one. */
  get stats() {
    return { ...this.#counts };
  }

  /* A result came, as read. True: it changes what is to be drawn now. */
  came(result) {
    const isOwn = this.#shown !== null && isOf(result, this.#shown);
    const behind = this.#shown && !isOwn ? this.#shown.arrivedUs - result.arrivedUs : -1;
    this.#counts.results += 1;
    if (behind > this.#lateUs) {
      this.#counts.late += 1;
      return false;
    }
    this.#keep({ ...result, since: result.arrivedUs + Math.max(behind, 0) });
    return isOwn || behind >= 0;
  }

  /* A frame is on the screen: { seq (null: not known), arrivedUs, withinUs (so far it may be off; absent: not at all) }. */
  presented(frame) {
    this.#shown = frame;
    for (const [analyser, list] of this.#kept) {
      const left = list.filter(({ since }) => frame.arrivedUs - since <= this.#lateUs);
      if (left.length > 0)
        this.#kept.set(analyser, left);
      else
        this.#kept.delete(analyser);
    }
    const drawn = this.drawn();
    if (drawn.length > 0)
      this.#counts[drawn.some(({ exact }) => exact) ? "exact" : "held"] += 1;
  }

  /* Nobody knows which frame is on the screen now. */
  lost() {
    this.#shown = null;
  }

  /* What belongs on the frame that is shown: [{ result, exact (it was made of this very frame) }]. */
  drawn() {
    return this.#shown ? [...this.#kept.values()].map((list) => this.#pick(list)).filter(Boolean) : [];
  }

  clear() {
    this.#kept.clear();
    this.#shown = null;
  }

  #keep(result) {
    const list = (this.#kept.get(result.analyser) ?? []).filter((one) =>
      one.arrivedUs !== result.arrivedUs || one.seq !== result.seq);
    let at = list.length;
    while (at > 0 && list[at - 1].arrivedUs > result.arrivedUs)
      at -= 1;
    list.splice(at, 0, result);
    if (!this.#kept.has(result.analyser) && this.#kept.size >= ANALYSERS_MAX)
      this.#kept.delete(this.#kept.keys().next().value);
    this.#kept.set(result.analyser, list.slice(-KEPT_MAX));
  }

  #pick(list) {
    const { arrivedUs } = this.#shown;
    const own = list.find((one) => isOf(one, this.#shown));
    if (own)
      return { result: own, exact: true };
    const older = list.findLast((one) => one.arrivedUs < arrivedUs);
    return older ? { result: older, exact: false } : null;
  }
}

/* Where a picture of that size lies in a frame of this one, all of it to be seen (object-fit: contain). */
export function placeOf(frame, picture) {
  if (!(picture.width > 0) || !(picture.height > 0))
    return null;
  const scale = Math.min(frame.width / picture.width, frame.height / picture.height);
  const width = picture.width * scale;
  const height = picture.height * scale;
  return { x: (frame.width - width) / 2, y: (frame.height - height) / 2, width, height };
}

/* A box in a place, on whole pixels: { x, y, width, height }. */
export function boxIn(place, [x, y, width, height]) {
  const left = Math.round(place.x + x * place.width);
  const top = Math.round(place.y + y * place.height);
  return { x: left, y: top, width: Math.max(1, Math.round(place.x + (x + width) * place.width) - left),
    height: Math.max(1, Math.round(place.y + (y + height) * place.height) - top) };
}
