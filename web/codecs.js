/* Names of codecs: those that browsers are asked about, and what people call them. Pure. */

/* The server compares the kind and answers with the true string of the camera. */
export const CODECS = ["avc1.640029", "avc1.64002A", "avc1.640033", "hvc1.1.6.L153.B0"];

/* Sound: exact names, as the server's. */
export const SOUNDS = ["mp4a.40.2", "mp4a.40.5", "mp4a.40.29", "opus", "flac"];

/* "H.265" for what people know by name, else the codec string itself. */
export function codecName(mime) {
  const codecs = /codecs="?([^"]*)"?/.exec(mime)?.[1] ?? mime;
  if (/^(hvc1|hev1)/.test(codecs))
    return "H.265";
  if (/^avc[13]/.test(codecs))
    return `H.264 (${codecs.split(",")[0]})`;
  return codecs;
}
