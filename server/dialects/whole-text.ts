/** What an upstream sent in one piece, as text. Pure; shared by the shapes we call. */

/**
 * The beginning of a JSON value without its end: the connection ended inside it. A web page is no half of anything, and neither
 * is what goes wrong before its end.
 */
export function isHalf(body: string): boolean {
  if (!/^\s*[[{]/.test(body)) return false;
  try {
    JSON.parse(body);
    return false;
  } catch (thrown) {
    // The engine names the place where it could not go on; none is named where the text was at its end.
    const words = thrown instanceof Error ? thrown.message : "";
    const place = /at position (\d+)/.exec(words)?.[1];
    return place === undefined ? /^Unexpected end|^Unterminated/.test(words) : Number(place) >= body.length;
  }
}
