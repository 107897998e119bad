/** Single-precision numbers as the wire carries them. Pure: no Node buffer, so that every byte order gives the same. */

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Base64 of the little-endian bytes. */
export function float32Base64(values: Float32Array): string {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setFloat32(4 * index, value, true);
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += digits.charAt(group >> 18) + digits.charAt((group >> 12) & 63);
    text += left > 1 ? digits.charAt((group >> 6) & 63) : "=";
    text += left > 2 ? digits.charAt(group & 63) : "=";
  }
  return text;
}

/** A JSON list. Nine significant digits name a single-precision number exactly; the double's seventeen say nothing more. */
export function float32Texts(values: Float32Array): string {
  const texts = Array.from(values, (value) => String(Number(value.toPrecision(9))));
  return `[${texts.join(",")}]`;
}

/** The numbers of `float32Base64`; null: it is none. */
export function float32OfBase64(text: string): Float32Array | null {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  if (bytes.length % 4 !== 0) return null;
  for (let at = 0, to = 0; at < text.length; at += 4) {
    const group =
      (digitOf(text, at) << 18) | (digitOf(text, at + 1) << 12) | (digitOf(text, at + 2) << 6) | digitOf(text, at + 3);
    // What is beyond the end of the bytes is padding, and writing there does nothing.
    bytes[to] = group >> 16;
    bytes[to + 1] = group >> 8;
    bytes[to + 2] = group;
    to += 3;
  }
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(4 * index, true));
}

const digitValues: ReadonlyMap<number, number> = new Map(
  Array.from(digits, (digit, value): [number, number] => [digit.charCodeAt(0), value]),
);

/** 0 for padding. */
function digitOf(text: string, at: number): number {
  return digitValues.get(text.charCodeAt(at)) ?? 0;
}
