/* Reads the clock that barcode.c paints into a picture, from a <video>, a canvas or anything that a canvas
 * draws. A classic script: it is injected into pages. */

globalThis.Barcode = class {
  static COLUMNS = 32;
  static ROWS = 2;
  static ROWS_HEIGHT = 30; // so many rows would fill the picture
  static TIME_SPAN = 2 ** 40; // of the clock, in units of
  static UNIT_MS = 0.1;

  static #CELL = 4; // pixels of a cell in the copy
  #context;

  constructor() {
    const { COLUMNS, ROWS } = Barcode;
    const canvas = document.createElement("canvas");
    canvas.width = COLUMNS * Barcode.#CELL;
    canvas.height = ROWS * Barcode.#CELL;
    this.#context = canvas.getContext("2d", { willReadFrequently: true, alpha: false });
  }

  /* The 64 bits as eight bytes -> { number, units } or null when the checksum is wrong. */
  static parse(bytes) {
    let crc = 0;
    for (const byte of bytes.slice(0, 7)) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit += 1)
        crc = (crc & 0x80 ? (crc << 1) ^ 0x07 : crc << 1) & 0xff;
    }
    if (crc !== bytes[7])
      return null;
    const units = bytes.slice(0, 5).reduce((sum, byte) => sum * 256 + byte, 0);
    return { number: bytes[5] * 256 + bytes[6], units };
  }

  /* How long before nowMs (since 1970) the picture was drawn, in ms; may be negative. */
  static age(units, nowMs) {
    const { TIME_SPAN, UNIT_MS } = Barcode;
    const now = (nowMs / UNIT_MS) % TIME_SPAN;
    const age = (now - units + 1.5 * TIME_SPAN) % TIME_SPAN - TIME_SPAN / 2;
    return age * UNIT_MS;
  }

  /* The clock in a picture of that size, or null. */
  read(source, width, height) {
    const { COLUMNS, ROWS, ROWS_HEIGHT } = Barcode;
    const cell = Barcode.#CELL, context = this.#context;
    const across = COLUMNS * cell, down = ROWS * cell;
    context.drawImage(source, 0, 0, width, ROWS * Math.floor(height / ROWS_HEIGHT), 0, 0, across, down);
    const pixels = context.getImageData(0, 0, across, down).data;
    const bytes = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let i = 0; i < COLUMNS * ROWS; i += 1) {
      const x = (i % COLUMNS) * cell + cell / 2, y = Math.floor(i / COLUMNS) * cell + cell / 2;
      const isWhite = pixels[4 * (y * across + x) + 1] > 127;
      bytes[i >> 3] = bytes[i >> 3] * 2 + Number(isWhite);
    }
    return Barcode.parse(bytes);
  }
};

/* The number in each of the stamps (bench/stamp.h) in a piece of H.264, whatever is around it. */
globalThis.stampNumbers = (bytes) => {
  const UUID = "camhub-bench-001", DIGITS = 32, NUMBER = 20; // the time's digits, then the number's
  const text = (from, to) => String.fromCharCode(...bytes.subarray(from, to));
  const numbers = [];
  for (let at = bytes.indexOf(UUID.charCodeAt(0)); at >= 0; at = bytes.indexOf(UUID.charCodeAt(0), at + 1)) {
    const end = at + UUID.length;
    if (bytes[at + 1] === UUID.charCodeAt(1) && text(at, end) === UUID)
      numbers.push(Number(text(end + NUMBER, end + DIGITS)));
  }
  return numbers;
};
