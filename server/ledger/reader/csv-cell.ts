/** One cell of a CSV (RFC 4180). Pure. */

export type Cell = string | number | boolean | null;

/**
 * Names come from whoever asks, and a spreadsheet computes what begins so. Such a text gets a `'` in front, and so does one
 * that begins with `'`: taking one away where there is one gives the very text back.
 */
const computedStart = /^[=+\-@\t\r\n'\uff1d\uff0b\uff0d\uff20]/;

export function csvCell(value: Cell): string {
  const plain = value === null ? "" : String(value);
  const text = typeof value === "string" && computedStart.test(plain) ? `'${plain}` : plain;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export const csvLineEnd = "\r\n";
