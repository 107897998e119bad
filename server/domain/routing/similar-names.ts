/** What a person may have meant. Pure. */
import { editDistance } from "../edit-distance.ts";

/** The closest first, at most three. */
export function similarNames(asked: string, known: readonly string[]): readonly string[] {
  return known
    .map((name) => ({ name, distance: editDistance(asked.toLowerCase().slice(0, 100), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(2, name.length / 3))
    .sort((left, right) => left.distance - right.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}
