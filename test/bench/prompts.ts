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
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function words(count: number, seed: number): string {
  const random = randomFrom(seed);
  const chosen: string[] = [];
  for (let index = 0; index < count; index += 1) {
    chosen.push(vocabulary[Math.floor(random() * vocabulary.length)] ?? "time");
  }
  return chosen.join(" ");
}

export interface Prompts {
  /** Text of about `tokens` tokens, different for each seed from its first words on. */
  text(tokens: number, seed: number): string;
  /** Tokens the chat template adds around one user message. */
  readonly overheadTokens: number;
}

/** Asks `contestant` what 50 and 150 words cost and interpolates. */
export async function sizedPrompts(contestant: Contestant): Promise<Prompts> {
  const costOf = async (count: number): Promise<number> => {
    const messages = [{ role: "user", content: words(count, 4_000_000_000 + count) }] as const;
    const result = await streamChat({ url: contestant.url, model: contestant.model, messages, maxTokens: 1 });
    return result.promptTokens;
  };
  const short = await costOf(50);
  const long = await costOf(150);
  const tokensPerWord = (long - short) / 100;
  if (!(tokensPerWord > 0)) throw new Error(`${contestant.name}: 50 words cost ${short} tokens and 150 words ${long}`);
  return {
    text: (tokens, seed) => words(Math.max(1, Math.round(tokens / tokensPerWord)), seed),
    overheadTokens: Math.max(0, Math.round(short - 50 * tokensPerWord)),
  };
}

/** Refuses a figure whose prompt was not what its row says: `expected` tokens within 5 %, plus a few for a template. */
export function expectPromptTokens(name: string, actual: number, expected: number): void {
  if (Math.abs(actual - expected) > expected * 0.05 + 40) {
    throw new Error(`${name}: the prompt has ${actual} tokens where about ${expected} were meant`);
  }
}
