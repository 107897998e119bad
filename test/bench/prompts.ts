/**
 * Prompts of a wanted length in tokens. The weights are random, so the text may be any text: words drawn by a seed. How
 * many tokens a word costs is asked of a server once (its usage), never assumed; both servers then get the same text.
 */
import { streamChat } from "./client.ts";
import type { Contestant } from "./scenario.ts";

const vocabulary = [
  ..."time year people way day man thing woman life child world school state family student group country problem".split(
    " ",
  ),
  ..."hand part place case week company system program question work government number night point home water room".split(
    " ",
  ),
  ..."mother area money story fact month lot right study book eye job word business issue side kind head house".split(
    " ",
  ),
  ..."service friend father power hour game line end member law car city community name president team minute".split(
    " ",
  ),
];

/** A small, fast, seeded source of numbers (mulberry32): the same seed gives the same words on every machine. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * `count` words drawn by `seed`. The vocabulary is dealt out like a deck of cards, again and again: every text then holds
 * each word about equally often, and its cost in tokens grows evenly with its length.
 */
export function words(count: number, seed: number): string {
  const random = randomFrom(seed);
  const chosen: string[] = [];
  while (chosen.length < count) {
    const deck = [...vocabulary];
    while (deck.length > 0) chosen.push(...deck.splice(Math.floor(random() * deck.length), 1));
  }
  return chosen.slice(0, count).join(" ");
}

export interface Prompts {
  /** Text of about `tokens` tokens, different for each seed from its first words on. */
  text(tokens: number, seed: number): string;
  /** Tokens the chat template adds around one user message. */
  readonly overheadTokens: number;
}

/** Asks `contestant` what the vocabulary costs once and twice; the difference is one deck without the template. */
export async function sizedPrompts(contestant: Contestant): Promise<Prompts> {
  const costOf = async (count: number): Promise<number> => {
    const messages = [{ role: "user", content: words(count, 4_000_000_000) }] as const;
    const result = await streamChat({ url: contestant.url, model: contestant.model, messages, maxTokens: 1 });
    return result.promptTokens;
  };
  const once = await costOf(vocabulary.length);
  const twice = await costOf(vocabulary.length * 2);
  const deckTokens = twice - once;
  if (!(deckTokens > 0)) throw new Error(`${contestant.name}: a text costs ${once} tokens and its double ${twice}`);
  const tokensPerWord = deckTokens / vocabulary.length;
  return {
    text: (tokens, seed) => words(Math.max(1, Math.round(tokens / tokensPerWord)), seed),
    overheadTokens: Math.max(0, once - deckTokens),
  };
}

/** Refuses a figure whose prompt was not what its row says: `expected` tokens within 5 %, plus a few for a template. */
export function expectPromptTokens(name: string, actual: number, expected: number): void {
  if (Math.abs(actual - expected) > expected * 0.05 + 40) {
    throw new Error(`${name}: the prompt has ${actual} tokens where about ${expected} were meant`);
  }
}
