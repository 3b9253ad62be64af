/* Reads from fragmented MP4 (ISO/IEC 14496-12) the little the player needs: whether a message begins a new
 * initialisation segment, and when key frames come, so that the buffer is trimmed at one. It decodes nothing
 * and trusts nothing: what it does not understand it leaves to the browser. */

const SAMPLE_IS_NON_SYNC = 0x10000;
const BOXES_MAX = 4096;

function* boxes(view, start, end) {
  let at = start;
  for (let count = 0; at + 8 <= end && count < BOXES_MAX; count += 1) {
    let size = view.getUint32(at);
    let header = 8;
    if (size === 1 && at + 16 <= end) {
      size = Number(view.getBigUint64(at + 8));
      header = 16;
    } else if (size === 0) {
      size = end - at;
    }
    if (size < header || at + size > end)
      return;
    yield { type: view.getUint32(at + 4), start: at + header, end: at + size };
    at += size;
  }
}

const code = (text) => [...text].reduce((sum, letter) => sum * 256 + letter.charCodeAt(0), 0);
const FTYP = code("ftyp");
const MOOV = code("moov");
const MOOF = code("moof");
const MVEX = code("mvex");
const TRAK = code("trak");
const TRAF = code("traf");
const MDIA = code("mdia");
const TKHD = code("tkhd");
const MDHD = code("mdhd");
const HDLR = code("hdlr");
const VIDE = code("vide");
const TREX = code("trex");
const TFHD = code("tfhd");
const TFDT = code("tfdt");
const TRUN = code("trun");

function child(view, parent, type) {
  for (const box of boxes(view, parent.start, parent.end))
    if (box.type === type)
      return box;
  return null;
}

function videoTrack(view, moov) {
  for (const trak of boxes(view, moov.start, moov.end)) {
    const mdia = trak.type === TRAK && child(view, trak, MDIA);
    const hdlr = mdia && child(view, mdia, HDLR);
    if (!hdlr || view.getUint32(hdlr.start + 8) !== VIDE)
      continue;
    const tkhd = child(view, trak, TKHD);
    const mdhd = child(view, mdia, MDHD);
    if (!tkhd || !mdhd)
      return null;
    const id = view.getUint32(tkhd.start + (view.getUint8(tkhd.start) === 1 ? 20 : 12));
    const timescale = view.getUint32(mdhd.start + (view.getUint8(mdhd.start) === 1 ? 20 : 12));
    return timescale > 0 ? { id, timescale, flags: defaultFlags(view, moov, id) } : null;
  }
  return null;
}

function defaultFlags(view, moov, id) {
  const mvex = child(view, moov, MVEX);
  if (mvex)
    for (const trex of boxes(view, mvex.start, mvex.end))
      if (trex.type === TREX && view.getUint32(trex.start + 4) === id)
        return view.getUint32(trex.start + 20);
  return SAMPLE_IS_NON_SYNC;
}

/* The flags of the first sample of a track fragment: trun's own, else tfhd's, else trex's. */
function firstSampleFlags(view, tfhd, trun, fallback) {
  const given = view.getUint32(tfhd.start) & 0xffffff;
  const run = view.getUint32(trun.start) & 0xffffff;
  const samples = trun.start + 8 + (run & 0x1 ? 4 : 0);
  if (run & 0x4)
    return view.getUint32(samples);
  if (run & 0x400)
    return view.getUint32(samples + (run & 0x100 ? 4 : 0) + (run & 0x200 ? 4 : 0));
  if (given & 0x20) {
    const before = (given & 0x1 ? 8 : 0) + (given & 0x2 ? 4 : 0) + (given & 0x8 ? 4 : 0) + (given & 0x10 ? 4 : 0);
    return view.getUint32(tfhd.start + 8 + before);
  }
  return fallback;
}

function fragment(view, traf, track) {
  const tfhd = child(view, traf, TFHD);
  const tfdt = child(view, traf, TFDT);
  const trun = child(view, traf, TRUN);
  if (!tfhd || !tfdt || !trun || view.getUint32(tfhd.start + 4) !== track.id)
    return null;
  const ticks = view.getUint8(tfdt.start) === 1
    ? Number(view.getBigUint64(tfdt.start + 4))
    : view.getUint32(tfdt.start + 4);
  const flags = firstSampleFlags(view, tfhd, trun, track.flags);
  return { time: ticks / track.timescale, key: (flags & SAMPLE_IS_NON_SYNC) === 0 };
}

export class Fmp4Reader {
  #track = null;

  /* One binary message: { init: it has an initialisation segment, fragments: how many, keys: times of key
   * frames in s }. */
  read(buffer) {
    const view = new DataView(buffer);
    const found = { init: false, fragments: 0, keys: [] };
    try {
      for (const box of boxes(view, 0, view.byteLength)) {
        if (box.type === FTYP || box.type === MOOV)
          found.init = true;
        if (box.type === MOOV)
          this.#track = videoTrack(view, box);
        if (box.type === MOOF)
          found.fragments += 1;
        if (box.type === MOOF && this.#track)
          this.#keys(view, box, found.keys);
      }
    } catch (error) {
      if (!(error instanceof RangeError))
        throw error;
    }
    return found;
  }

  #keys(view, moof, keys) {
    for (const traf of boxes(view, moof.start, moof.end)) {
      const one = traf.type === TRAF ? fragment(view, traf, this.#track) : null;
      if (one && one.key)
        keys.push(one.time);
    }
  }
}
