/** Half-precision numbers as bits. Pure. */

const scratch = new DataView(new ArrayBuffer(4));

/** The nearest half-precision number, ties to even, as its 16 bits. */
export function float16Bits(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction === 0 ? 0 : 0x200);
  const shifted = exponent - 112;
  if (shifted >= 31) return sign | 0x7c00;
  if (shifted > 0) {
    const kept = (shifted << 10) | (fraction >>> 13);
    const rest = fraction & 0x1fff;
    const up = rest > 0x1000 || (rest === 0x1000 && (kept & 1) === 1);
    return sign | (up ? kept + 1 : kept);
  }
  if (shifted < -10) return sign;
  const drop = 14 - shifted;
  const whole = fraction | 0x800000;
  const kept = whole >>> drop;
  const rest = whole & ((1 << drop) - 1);
  const half = 1 << (drop - 1);
  const up = rest > half || (rest === half && (kept & 1) === 1);
  return sign | (up ? kept + 1 : kept);
}

/** Little-endian half-precision bytes of the values. */
export function float16Bytes(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 2);
  for (const [index, value] of values.entries()) {
    const bits = float16Bits(value);
    bytes[2 * index] = bits & 0xff;
    bytes[2 * index + 1] = bits >>> 8;
  }
  return bytes;
}

/** Little-endian single-precision bytes of the values. */
export function float32Bytes(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setFloat32(4 * index, value, true);
  return bytes;
}
