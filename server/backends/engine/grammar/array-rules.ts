/** Arrays: tuples, and lists with counts. Pure. */
import type { Converter } from "./converter.ts";
import { choice, type Expression, isNever, never, ruleNamed, sequence, text } from "./expression.ts";
import type { Facts } from "./facts.ts";
import type { Place } from "./flatten.ts";

export function arrayRule(facts: Facts, converter: Converter, depth: number): Expression {
  const { arrays, minItems, maxItems, unkept } = facts;
  for (const at of unkept) {
    if (at.endsWith("uniqueItems") && maxItems !== null && maxItems <= 1) continue;
    converter.notes.leave(at, "a grammar does not remember earlier items");
  }
  if (arrays.length === 0 && minItems === 0 && maxItems === null) return ruleNamed("array");
  const length = Math.max(0, ...arrays.map(({ first }) => first.length));
  const placesAt = (index: number): readonly Place[] => arrays.flatMap(({ first, rest }) => first[index] ?? rest ?? []);
  const items: Expression[] = [];
  let most = maxItems;
  for (let index = 0; index < length && (most === null || index < most); index += 1) {
    const item = converter.value(placesAt(index), depth + 1);
    // Nothing can stand here: the array has to end before.
    if (isNever(item)) most = index;
    else items.push(item);
  }
  if (most !== null && most < minItems) return never;
  return length === 0
    ? list(converter, converter.value(placesAt(0), depth + 1), minItems, most)
    : tuple(converter, items, facts, placesAt(length), depth, most);
}

function list(converter: Converter, item: Expression, min: number, max: number | null): Expression {
  if (max === 0 || isNever(item)) return min === 0 ? text("[]") : never;
  const more = converter.book.repeated(sequence(text(","), item), Math.max(0, min - 1), max === null ? null : max - 1);
  const filled = sequence(item, more, text("]"));
  return sequence(text("["), min === 0 ? choice([filled, text("]")]) : filled);
}

/** All its items come, although a schema would be content with fewer: that is what a tuple means. */
function tuple(
  converter: Converter,
  items: readonly Expression[],
  facts: Facts,
  after: readonly Place[],
  depth: number,
  max: number | null,
): Expression {
  const start = items.flatMap((item, index) => (index === 0 ? [item] : [text(","), item]));
  const cut = max !== null && max <= items.length;
  // What follows comes only where the schema speaks of it, or asks for so many items.
  const spoken = facts.arrays.some(({ rest }) => rest !== null);
  const min = Math.max(0, facts.minItems - items.length);
  if (cut || (!spoken && min === 0)) return sequence(text("["), ...start, text("]"));
  const item = converter.value(after, depth + 1);
  const room = spoken ? (max === null ? null : max - items.length) : min;
  return sequence(text("["), ...start, converter.book.repeated(sequence(text(","), item), min, room), text("]"));
}
