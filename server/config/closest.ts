/** Finds what was probably meant. Pure. */
import { editDistance } from "../domain/edit-distance.ts";

/** The nearest of `candidates`, ignoring case; null when none is near enough to be worth naming. */
export function closest(word: string, candidates: readonly string[]): string | null {
  const asked = word.slice(0, 100).toLowerCase();
  let best: { readonly name: string; readonly edits: number } | null = null;
  for (const name of candidates) {
    const edits = editDistance(asked, name.toLowerCase());
    if (best === null || edits < best.edits) best = { name, edits };
  }
  return best !== null && best.edits <= Math.max(1, Math.floor(best.name.length / 3)) ? best.name : null;
}
