/* The floor: one camera's pictures as soon as a page can show them, with nothing between, and nothing that a
 * player needs besides: no recovery, no measuring, no words. floor.html?ws=PORT&mode=webcodecs|mse|mjpeg */

const HEADER_BYTES = 16;
const MSE_BEHIND_S = 0.06; // behind the ideal edge: one interval, which is the picture's own, and what the browser wants
const MSE_WINDOW = 100; // appends by which the edge is judged
const MSE_JUMP_S = 0.3;
const MSE_RATE_CHANGE_MAX = 0.1;
const MSE_SLACK_S = 0.005;

const params = new URLSearchParams(location.search);
const paths = { webcodecs: "h264", mse: "h264?fmp4", mjpeg: "jpeg" };
const mode = params.get("mode");

function add(name) {
  const element = document.createElement(name);
  document.body.append(element);
  return element;
}

function video() {
  const element = add("video");
  element.muted = true;
  element.autoplay = true;
  return element;
}

/* Decoded pictures into a track of a media stream. */
function webcodecs({ codec }) {
  const track = new MediaStreamTrackGenerator({ kind: "video" });
  const writer = track.writable.getWriter();
  const decoder = new VideoDecoder({
    output: (frame) => writer.write(frame),
    error: (error) => { throw error; },
  });
  decoder.configure({ codec, optimizeForLatency: true });
  video().srcObject = new MediaStream([track]);
  return ({ isKey, timestamp, data }) =>
    decoder.decode(new EncodedVideoChunk({ type: isKey ? "key" : "delta", timestamp, data }));
}

/* Fragments appended as they come; the playhead is held at a distance from the edge, which is where the media
 * would reach if each picture took as little as the quickest of the last seconds. */
function mse({ codec, init }) {
  const element = video();
  const source = new MediaSource();
  const queue = [Uint8Array.from(atob(init), (char) => char.charCodeAt(0))];
  const leads = []; // end of the media minus the time, at each append
  let buffer = null;
  const pump = () => {
    if (buffer && !buffer.updating && queue.length > 0)
      buffer.appendBuffer(queue.shift());
  };
  const appended = () => {
    if (buffer.buffered.length > 0)
      steer(element, buffer.buffered.end(buffer.buffered.length - 1), leads);
    pump();
  };
  source.addEventListener("sourceopen", () => {
    buffer = source.addSourceBuffer(`video/mp4; codecs="${codec}"`);
    buffer.addEventListener("updateend", appended);
    pump();
  });
  element.src = URL.createObjectURL(source);
  return ({ data }) => {
    queue.push(data);
    pump();
  };
}

function steer(element, end, leads) {
  const now = performance.now() / 1000;
  leads.push(end - now);
  if (leads.length > MSE_WINDOW)
    leads.shift();
  // When pictures are late for once: not further than they reach.
  const edge = Math.min(Math.max(...leads) + now, end + MSE_BEHIND_S);
  const excess = edge - element.currentTime - MSE_BEHIND_S;
  const change = Math.abs(excess) < MSE_SLACK_S ? 0 : excess;
  if (excess > MSE_JUMP_S || element.currentTime < element.buffered.start(0))
    element.currentTime = end - MSE_BEHIND_S;
  else
    element.playbackRate = 1 + Math.max(-MSE_RATE_CHANGE_MAX, Math.min(MSE_RATE_CHANGE_MAX, change));
}

/* JPEGs onto a canvas. */
function mjpeg() {
  const canvas = add("canvas");
  const context = canvas.getContext("2d", { alpha: false });
  return async ({ data }) => {
    const bitmap = await createImageBitmap(new Blob([data], { type: "image/jpeg" }));
    if (canvas.width !== bitmap.width) {
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
    }
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
  };
}

const socket = new WebSocket(`ws://${location.hostname}:${params.get("ws")}/${paths[mode]}`);
let show = null;
socket.binaryType = "arraybuffer";
socket.onmessage = ({ data }) => {
  if (typeof data === "string") {
    show = { webcodecs, mse, mjpeg }[mode](JSON.parse(data));
    return;
  }
  const header = new DataView(data);
  show({
    isKey: header.getUint32(4, true) === 1,
    timestamp: Number(header.getBigInt64(8, true)),
    data: new Uint8Array(data, HEADER_BYTES),
  });
};
