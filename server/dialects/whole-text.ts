/** What an upstream sent in one piece, as text. Pure; shared by the shapes we call. */

/** Begins as JSON and is none: the connection ended inside it. A web page is no half of anything. */
export function isHalf(body: string): boolean {
  if (!/^\s*[[{]/.test(body)) return false;
  try {
    JSON.parse(body);
    return false;
  } catch {
    return true;
  }
}
