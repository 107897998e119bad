/**
 * Which lines of different sources are the same card. Pure. Sources name a card in different words and few of them tell its
 * place, so lines are matched by what is surest first: the vendor's id, the bus address, the model's number, and last the order
 * within a vendor. A line that could belong to a card that is known already never becomes a second one.
 */
import type { FigureSource } from "../domain/hardware.ts";
import type { GpuFacts } from "./facts.ts";

/** All that sources say about one card; at most one line of each source. */
export type Card = readonly GpuFacts[];

/** `sources`: the lines of each source, those that know cards best first. */
export function matchCards(sources: readonly (readonly GpuFacts[])[]): readonly Card[] {
  const cards: GpuFacts[][] = [];
  for (const lines of sources) {
    const before = cards.length;
    const rest = new Set(lines);
    const take = (fits: (card: readonly GpuFacts[], line: GpuFacts) => number) => {
      for (const line of rest) {
        const open = cards.slice(0, before).filter((card) => mayBe(card, line));
        const best = open
          .map((card) => ({ card, score: fits(card, line) }))
          .filter(({ score }) => score > 0)
          .sort((a, b) => b.score - a.score)[0];
        if (best === undefined) continue;
        best.card.push(line);
        rest.delete(line);
      }
    };
    take((card, line) => (card.some((one) => isSamePlace(one, line)) ? 1 : 0));
    take((card, line) => Math.max(...card.map((one) => sharedModel(one.name, line.name))));
    take(() => 1);
    for (const line of rest) {
      // No place in the bus and a vendor whose cards are known: one of those, listed once more.
      const isRepeat =
        line.busAddress === null && cards.slice(0, before).some((card) => card[0]?.vendor === line.vendor);
      if (!isRepeat) cards.push([line]);
    }
  }
  return cards;
}

/** Nothing speaks against it. */
function mayBe(card: readonly GpuFacts[], line: GpuFacts): boolean {
  return card.every(
    (one) =>
      one.source !== line.source &&
      one.vendor === line.vendor &&
      !differ(one.uuid, line.uuid) &&
      !differ(one.busAddress, line.busAddress),
  );
}

function differ(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && a !== b;
}

function isSamePlace(a: GpuFacts, b: GpuFacts): boolean {
  return (a.uuid !== null && a.uuid === b.uuid) || (a.busAddress !== null && a.busAddress === b.busAddress);
}

/** How many words of their names both share, when one of them is a model's number: `3090`, `a770`, `m3`. Else 0. */
function sharedModel(a: string, b: string): number {
  const words = new Set(wordsOf(a));
  const shared = wordsOf(b).filter((word) => words.has(word));
  return shared.some((word) => /\d/.test(word)) ? shared.length : 0;
}

function wordsOf(name: string): readonly string[] {
  return [
    ...new Set(
      name
        .toLowerCase()
        .replace(/\((r|tm)\)/g, "")
        .match(/[a-z]*\d+[a-z]*|[a-z]+/g) ?? [],
    ),
  ];
}

/** The line of the first of these sources that has a value of this kind, with the value. */
export function firstOf<Value>(
  card: Card,
  order: readonly FigureSource[],
  read: (line: GpuFacts) => Value | null,
): { readonly value: Value; readonly source: FigureSource } | null {
  for (const source of order) {
    const line = card.find((one) => one.source === source);
    const value = line === undefined ? null : read(line);
    if (value !== null) return { value, source };
  }
  return null;
}
