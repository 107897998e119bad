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
