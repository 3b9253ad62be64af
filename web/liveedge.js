/* Where in the buffer to play. Pure logic without a clock or a DOM.
 *
 * Each append is a sample: at time `now` the media reached to `end`. now - end is smallest for the frame
 * that came with the least delay; the smallest of the last seconds is the base, and what other frames need
 * more is jitter. The ideal edge is now - base: it moves as time does, without the saw teeth of whole frames.
 * The target distance from it is one frame interval (its picture cannot be shown before it came) plus the
 * measured jitter, never under the wanted minimum. Each time a browser runs dry all the same the target goes up
 * by a step, and comes slowly down again to find out whether it can. A browser that runs dry with each frame
 * (Chromium then paints what comes at once, while its clock falls behind) is set to the edge anew. */

const WINDOW_MS = 10000; // samples older than this are forgotten
const SAMPLES_MAX = 600;
const JUDGE_EVERY_MS = 500;
const JITTER_QUANTILE = 0.98;
const MARGIN_S = 0.02; // the browser wants a frame one refresh of the screen before its time
const TARGET_MAX_S = 0.7;
const SEEK_EXCESS_S = 0.7; // further behind than this: jump
const CORRECT_FROM_S = 0.008; // a rate other than 1 begins here
const CORRECT_UNTIL_S = 0.003; // and ends here
const RATE_MAX = 1.1;
const RATE_MIN = 0.9; // only while too near to the edge to go on without running dry
const UNDERRUN_STEP_S = 0.01;
const UNDERRUN_EVERY_MS = 1000; // those that follow sooner are one
const UNDERRUN_MAX_S = 0.3;
const UNDERRUN_DECAY = 0.0002; // seconds of allowance forgotten per second
const CASCADE_COUNT = 5; // underruns within
const CASCADE_MS = 1500; // this time
const CASCADE_EXCESS_S = 0.05; // and the clock this far behind where it should be
const JUMP_S = 2; // media and time apart by more than this at one step: the timeline is another one
const SETTLE_MS = 300; // the burst at the join is over when this long no more came than time went by,
const SETTLE_RATIO = 1.5; // roughly
const SAMPLES_MIN = 8; // fewer say nothing

export class LiveEdge {
  #minimum;
  #rates;
  #samples = [];
  #base = null;
  #jitter = 0;
  #interval = 0;
  #allowance = 0;
  #allowanceAt = 0;
  #raisedAt = -Infinity;
  #underruns = [];
  #judgedAt = -Infinity;
  #settled = false;
  #anchor = null;
  #last = null;
  #correcting = false;

  /* rates: false where changing playbackRate makes the browser buffer again (Safari): only jumps then. */
  constructor({ targetMs = 60, rates = true } = {}) {
    this.#minimum = Math.max(0, targetMs) / 1000;
    this.#rates = rates;
  }

  /* The wanted minimum (ms); playback moves there as after any other excess. */
  set minimumMs(ms) {
    this.#minimum = Math.max(0, ms) / 1000;
  }

  /* Seconds to stay behind the ideal edge. */
  get target() {
    return Math.min(this.#needed() + this.#allowance, Math.max(TARGET_MAX_S, this.#minimum));
  }

  get jitter() {
    return this.#jitter;
  }

  get interval() {
    return this.#interval;
  }

  /* The frame interval (s) as far as it can be told before the first sample. */
  expect(interval) {
    if (this.#interval === 0)
      this.#interval = Math.min(Math.max(interval, 0), TARGET_MAX_S / 2);
  }

  /* Forget the samples: the timeline or the connection is another one. */
  restart() {
    this.#samples = [];
    this.#base = null;
    this.#settled = false;
    this.#anchor = null;
    this.#last = null;
  }

  /* At now (ms, any monotonic clock) the buffered media reached to end (s). */
  appended(now, end) {
    const last = this.#last;
    this.#last = { now, end };
    if (last === null)
      return;
    const wall = (now - last.now) / 1000;
    const media = end - last.end;
    if (media < 0 || Math.abs(media - wall) > JUMP_S) {
      this.restart();
      this.#last = { now, end };
      return;
    }
    if (media === 0)
      return;
    // The group of pictures at the join comes in a burst that says nothing about the network.
    if (!this.#settled) {
      this.#settle(now, end);
      return;
    }
    this.#samples.push({ now, end, delay: now / 1000 - end });
    while (this.#samples.length > SAMPLES_MAX || now - this.#samples[0].now > WINDOW_MS)
      this.#samples.shift();
    if (this.#samples.length < SAMPLES_MIN)
      return;
    if (now - this.#judgedAt >= JUDGE_EVERY_MS || this.#base === null)
      this.#judge(now);
    else
      this.#base = Math.min(this.#base, now / 1000 - end);
  }

  /* Playback ran dry at position although media keeps coming. */
  underrun(now, position) {
    this.#fade(now);
    this.#underruns = this.#underruns.filter((at) => now - at < CASCADE_MS);
    this.#underruns.push(now);
    const lag = this.lag(now, position);
    const onTarget = lag !== null && lag >= this.target - CORRECT_FROM_S;
    if (!onTarget || now - this.#raisedAt < UNDERRUN_EVERY_MS)
      return;
    this.#raisedAt = now;
    this.#allowance = Math.min(UNDERRUN_MAX_S, this.#allowance + UNDERRUN_STEP_S);
  }

  /* What to do at now with the playhead at position and these buffered ranges ([start, end] in s):
   * { seek: seconds or null, rate }. */
  decide(now, position, ranges) {
    if (ranges.length === 0)
      return { seek: null, rate: 1 };
    this.#fade(now);
    const [start, edge] = ranges[ranges.length - 1];
    const wanted = Math.max(start, edge - this.target);
    // Also when the playhead stands in an older range: what is between will never come.
    if (position < start || position > edge + SEEK_EXCESS_S)
      return this.#jump(wanted);
    if (edge - position - this.target > SEEK_EXCESS_S || this.#cascades(now, edge - position))
      return this.#jump(wanted);
    return { seek: null, rate: this.#rates ? this.#rate(now, position, edge) : 1 };
  }

  /* Seconds the playhead is behind the ideal edge; null while unknown. */
  lag(now, position) {
    return this.#base === null ? null : now / 1000 - this.#base - position;
  }

  #settle(now, end) {
    this.#anchor ??= { now, end };
    const wall = now - this.#anchor.now;
    if (wall < SETTLE_MS)
      return;
    this.#settled = (end - this.#anchor.end) * 1000 < SETTLE_RATIO * wall;
    this.#anchor = { now, end };
  }

  #needed() {
    return Math.max(this.#minimum, this.#interval + this.#jitter + MARGIN_S);
  }

  #cascades(now, buffered) {
    return this.#underruns.length >= CASCADE_COUNT && now - this.#underruns[0] < CASCADE_MS &&
      buffered - this.target > CASCADE_EXCESS_S;
  }

  #jump(to) {
    this.#correcting = false;
    this.#underruns = [];
    return { seek: to, rate: 1 };
  }

  #rate(now, position, edge) {
    const lag = this.lag(now, position);
    if (lag === null)
      return 1;
    // Never faster than what is there allows, should the base be out of date.
    const excess = Math.min(lag, edge - position + this.#interval) - this.target;
    if (Math.abs(excess) <= (this.#correcting ? CORRECT_UNTIL_S : CORRECT_FROM_S)) {
      this.#correcting = false;
      return 1;
    }
    this.#correcting = true;
    const rate = Math.round((1 + excess / 2) * 100) / 100;
    return Math.min(RATE_MAX, Math.max(RATE_MIN, excess > 0 ? Math.max(rate, 1.01) : Math.min(rate - 0.02, 0.98)));
  }

  #judge(now) {
    const samples = this.#samples;
    const delays = samples.map((sample) => sample.delay).sort((a, b) => a - b);
    this.#judgedAt = now;
    this.#base = delays[0];
    this.#jitter = delays[Math.floor((delays.length - 1) * JITTER_QUANTILE)] - delays[0];
    this.#interval = (samples[samples.length - 1].end - samples[0].end) / (samples.length - 1);
  }

  #fade(now) {
    const seconds = Math.max(0, now - this.#allowanceAt) / 1000;
    this.#allowance = Math.max(0, this.#allowance - seconds * UNDERRUN_DECAY);
    this.#allowanceAt = now;
  }
}
