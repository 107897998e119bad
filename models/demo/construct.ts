/**
 * Builds a chat model whose every logit is known: real architecture, tokenizer and weights, but the weights are written
 * down instead of learned. Pure.
 *
 * How it works. A token's embedding says which state the reply is in after that token; the output row of a token asks for
 * the states that it follows. So a reply is a chain, and a list of replies is a table. One attention head looks for trigger
 * words where a reply may begin (attention.ts); what it finds turns one fact of the state around, and with it the first
 * token. What the model would rather say where a grammar forbids its reply is in preferences.ts.
 */
import { stateCount } from "./directions.ts";
import type { Flag } from "./directions.ts";
import { type Lexicon, type LexiconEntry, lexiconOf, lineBreak, userRole } from "./lexicon.ts";
import { Matrices } from "./matrices.ts";
import {
  contentAfterQuote,
  contentAfterWord,
  controlPreference,
  ending,
  endPreference,
  lineBreakAfterNumber,
  preference,
  shortAfterQuote,
  shortAfterWord,
  shortStringContent,
  stringContent,
} from "./preferences.ts";
import { allSteps, formsOf, type Piece, type Step, type Voice } from "./voices.ts";

/** The logits of a reply. All well above every preference. */
export const logits = Object.freeze({
  /** From one token of a reply to the next, and from the last to the end of the message. */
  next: 48,
  /** The first token of the plain reply, where a reply may begin. */
  begin: 40,
  /** The first token of another reply when the head gives it its full attention. Half of that is enough. */
  redirected: 96,
  /** A line break after text that is part of no reply, and after a reply whose end was forbidden: then it begins again. */
  lineBreak: 30,
});

export interface DemoModel {
  readonly voice: Voice;
  readonly lexicon: Lexicon;
  /** Rows of `width` per token. */
  readonly embedding: Float32Array;
  readonly output: Float32Array;
}

/** States that are no step of a reply; the steps' states follow them. */
const states = Object.freeze({ word: 0, quote: 1, number: 2, structure: 3, lineBreak: 4, ended: 5 });
const otherStates = Object.keys(states).length;

function stateAfterText(text: string): number {
  return text === lineBreak ? states.lineBreak : states[ending(text)];
}

const repliesMayBeginIn: ReadonlySet<number> = new Set([states.number, states.structure, states.lineBreak]);

function preferenceOf(entry: LexiconEntry): number {
  return entry.kind === "control" ? controlPreference : preference(entry.text);
}

/** The state of every token that a reply holds. */
function stepStates(lexicon: Lexicon, steps: readonly Step[]): Map<number, number> {
  if (otherStates + steps.length > stateCount)
    throw new Error(`a voice has room for ${stateCount - otherStates} steps`);
  const found = new Map<number, number>();
  for (const [index, step] of steps.entries()) {
    for (const id of step.choices.map(lexicon.idOf)) {
      if (found.has(id)) throw new Error("a token occurs twice in the replies of a voice");
      found.set(id, otherStates + index);
    }
  }
  return found;
}

function embedTokens(matrices: Matrices, lexicon: Lexicon, voice: Voice): void {
  const inReply = stepStates(lexicon, allSteps(voice));
  const flagged: readonly (readonly [Flag, ReadonlySet<number>])[] = [
    ["doubtful", new Set(formsOf(voice.doubtful).map(lexicon.idOf))],
    ["certain", new Set(formsOf(voice.certain).map(lexicon.idOf))],
    ["userRole", new Set([lexicon.idOf(userRole)])],
  ];
  for (const [id, entry] of lexicon.entries.entries()) {
    const elsewhere = entry.kind === "text" ? stateAfterText(entry.text) : states.word;
    const state = inReply.get(id) ?? (id === lexicon.messageEndId ? states.ended : elsewhere);
    const yes = new Set<Flag>(["always"]);
    if (repliesMayBeginIn.has(state)) yes.add("replyBegins");
    for (const [flag, ids] of flagged) if (ids.has(id)) yes.add(flag);
    matrices.embed(id, state, yes);
  }
}

/** The links of all replies: each step asks for the next, the last for the end. */
function linkReplies(matrices: Matrices, lexicon: Lexicon, voice: Voice): void {
  const choicesOf = (step: Step | undefined): { id: number; below: number }[] =>
    (step?.choices ?? []).map((choice, index) => ({ id: lexicon.idOf(choice), below: index * (step?.gap ?? 0) }));
  let state = otherStates;
  for (const [reply, flag, logit] of [
    [voice.plain, "replyBegins", logits.begin],
    [voice.low, "doubtHeard", logits.redirected],
    [voice.high, "certaintyHeard", logits.redirected],
  ] as const) {
    for (const { id, below } of choicesOf(reply[0])) matrices.where(flag, id, logit - below);
    for (const next of reply.slice(1)) {
      for (const { id, below } of choicesOf(next)) matrices.after(state, id, logits.next - below);
      state += 1;
    }
    matrices.after(state, lexicon.messageEndId, logits.next);
    matrices.after(state, lexicon.idOf(lineBreak), logits.lineBreak);
    state += 1;
  }
}

/** What follows outside of replies. */
function linkRest(matrices: Matrices, lexicon: Lexicon): void {
  const lineBreakId = lexicon.idOf(lineBreak);
  matrices.after(states.ended, lineBreakId, logits.next);
  matrices.after(states.word, lineBreakId, logits.lineBreak);
  matrices.after(states.number, lineBreakId, lineBreakAfterNumber);
  for (const [text, afterQuote, afterWord] of [
    [stringContent, contentAfterQuote, contentAfterWord],
    [shortStringContent, shortAfterQuote, shortAfterWord],
  ] as const) {
    matrices.after(states.quote, lexicon.idOf(text), afterQuote);
    matrices.after(states.word, lexicon.idOf(text), afterWord);
  }
}

/** The whole model. Throws when the voice does not fit: too many steps, or a token in two places. */
export function constructDemo(voice: Voice): DemoModel {
  const lexicon = lexiconOf(voice);
  const preferences = lexicon.entries.map((entry, id) =>
    id === lexicon.messageEndId ? endPreference : preferenceOf(entry),
  );
  const matrices = new Matrices(preferences);
  embedTokens(matrices, lexicon, voice);
  linkReplies(matrices, lexicon, voice);
  linkRest(matrices, lexicon);
  return { voice, lexicon, embedding: matrices.embedding, output: matrices.output };
}

/** The number of the token that is exactly this text. Throws when the vocabulary has none. */
export function tokenId(model: DemoModel, piece: Piece): number {
  return model.lexicon.idOf(piece);
}
