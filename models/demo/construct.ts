/**
 * Builds a chat model whose every logit is known: real architecture, tokenizer and weights, but the weights are written
 * down instead of learned. Pure; nothing is random but a small tilt that keeps two logits from being equal.
 *
 * How it works. A token's embedding says which state the reply is in after that token; the output row of a token asks for
 * the states that it follows. So a reply is a chain, and a list of replies is a table. One attention head looks for trigger
 * words: at a token after which a reply may begin, it compares all earlier trigger words and user-role names and attends
 * to the nearest of them (see attention.ts); what it finds turns one fact of the state around, and with it the first token.
 */
import { type ByteLevelVocabulary, learnVocabulary, spell } from "../vocabulary/byte-level.ts";
import { endOfText, messageEnd, messageStart, specialTokens, tokenTypes } from "../vocabulary/chatml.ts";
import { commonTexts } from "../vocabulary/words.ts";
import { addRow, type Flag, flags, stateRow, width } from "./directions.ts";
import {
  contentAfterQuote,
  contentAfterWord,
  controlPreference,
  endPreference,
  leaves,
  lineBreakAfterStructure,
  preference,
  shortAfterQuote,
  shortAfterWord,
  shortStringContent,
  stringContent,
} from "./preferences.ts";
import { formsOf, type Piece, type Step, type Voice } from "./voices.ts";

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
  readonly tokens: readonly string[];
  readonly tokenTypeOf: readonly number[];
  readonly merges: readonly string[];
  /** Rows of `width` per token. */
  readonly embedding: Float32Array;
  readonly output: Float32Array;
  readonly endOfTextId: number;
  readonly messageEndId: number;
}

/** The number of the token that is exactly this text. Throws when the vocabulary has none. */
export function tokenId(model: DemoModel, piece: Piece): number {
  const special = specialTokens.find((token) => token.text === piece);
  const id = model.tokens.indexOf(special === undefined ? spell(piece) : special.text);
  if (id === -1) throw new Error("no token is spelled like this");
  return id;
}

/** Small, repeatable and different for neighbours: 0 up to 0.04 of a logit. (Integer mixing, the same on every machine.) */
function tilt(id: number): number {
  let mixed = Math.imul(id + 1, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
  return ((mixed ^ (mixed >>> 13)) >>> 0) / 0x100000000 / 25;
}

/** Rows of the two matrices, filled fact by fact. */
class Matrices {
  readonly embedding: Float32Array;
  readonly output: Float32Array;

  constructor(tokenCount: number) {
    this.embedding = new Float32Array(tokenCount * width);
    this.output = new Float32Array(tokenCount * width);
  }

  embed(id: number, state: number, yes: ReadonlySet<Flag>): void {
    for (const flag of Object.keys(flags) as Flag[]) {
      addRow(this.embedding, id * width, flags[flag], yes.has(flag) ? 1 : -1);
    }
    addRow(this.embedding, id * width, stateRow(state), 1);
  }

  /** Adds `logit` to token `id` wherever it may come. */
  always(id: number, logit: number): void {
    addRow(this.output, id * width, flags.always, logit / width);
  }

  /** Adds `logit` to token `id` after a token in `state`. */
  after(state: number, id: number, logit: number): void {
    addRow(this.output, id * width, stateRow(state), logit / width);
  }

  /** Adds `logit` to token `id` where the flag is yes, nothing where it is no. */
  where(flag: Flag, id: number, logit: number): void {
    addRow(this.output, id * width, flags[flag], logit / 2 / width);
    this.always(id, logit / 2);
  }
}

/** States that are no step of a reply. */
const states = Object.freeze({ word: 0, quote: 1, structure: 2, lineBreak: 3, ended: 4 });
const firstReplyState = 5;

function allSteps(voice: Voice): readonly Step[] {
  return [...voice.plain, ...voice.low, ...voice.high];
}

function vocabularyOf(voice: Voice): ByteLevelVocabulary {
  const own = [...allSteps(voice).flatMap((step) => step.choices), ...formsOf(voice.doubtful), ...formsOf(voice.certain)];
  return learnVocabulary([...own, "user", "assistant", "system", stringContent, "true", "false", "null", ...commonTexts()]);
}

/** The text of each vocabulary entry; cut characters become U+FFFD. */
function textsOf(tokens: readonly string[]): string[] {
  const byteOf = new Map(tokens.slice(0, 256).map((spelled, byte) => [spelled, byte]));
  const decoder = new TextDecoder();
  return tokens.map((token) => decoder.decode(Uint8Array.from([...token], (character) => byteOf.get(character) ?? 0)));
}

function stateOfText(text: string): number {
  return text === "\n" ? states.lineBreak : states[leaves(text)];
}

export function constructDemo(voice: Voice): DemoModel {
  const vocabulary = vocabularyOf(voice);
  const idOf = (piece: Piece): number => {
    const id = vocabulary.idOf.get(spell(piece));
    if (id === undefined) throw new Error("a text of the voice is no token");
    return id;
  };
  const plainTexts = textsOf(vocabulary.tokens);
  const firstSpecial = plainTexts.length;
  const tokens = [...vocabulary.tokens, ...specialTokens.map((token) => token.text)];
  const specialId = (text: string): number => firstSpecial + specialTokens.findIndex((token) => token.text === text);
  const messageEndId = specialId(messageEnd);
  const lineBreakId = idOf("\n");

  const steps = allSteps(voice);
  const stepStates = new Map<number, number>();
  for (const [index, step] of steps.entries()) {
    for (const choice of step.choices) {
      if (stepStates.has(idOf(choice))) throw new Error("a token occurs twice in the replies of a voice");
      stepStates.set(idOf(choice), firstReplyState + index);
    }
  }
  const doubtful = new Set(formsOf(voice.doubtful).map(idOf));
  const certain = new Set(formsOf(voice.certain).map(idOf));
  const userId = idOf("user");

  const matrices = new Matrices(tokens.length);
  for (const id of tokens.keys()) {
    const text = plainTexts[id];
    const special = specialTokens[id - firstSpecial];
    const state =
      stepStates.get(id) ?? (id === messageEndId ? states.ended : text === undefined ? states.word : stateOfText(text));
    const yes = new Set<Flag>(["always"]);
    if (state === states.structure || state === states.lineBreak) yes.add("replyBegins");
    if (doubtful.has(id)) yes.add("doubtful");
    if (certain.has(id)) yes.add("certain");
    if (id === userId) yes.add("userRole");
    matrices.embed(id, state, yes);
    const own = special?.kind === "control" ? controlPreference : preference(text ?? special?.text ?? "");
    matrices.always(id, (id === messageEndId ? endPreference : own) + tilt(id));
  }

  const offer = (step: Step | undefined, add: (id: number, below: number) => void): void => {
    for (const [index, choice] of (step?.choices ?? []).entries()) add(idOf(choice), index * (step?.gap ?? 0));
  };
  // The replies' logits are meant as they are written: what a token is preferred by everywhere is taken off again.
  const exactly = (id: number, logit: number): number =>
    logit - (id === messageEndId ? endPreference : preference(plainTexts[id] ?? "")) - tilt(id);
  offer(voice.plain[0], (id, below) => matrices.where("replyBegins", id, exactly(id, logits.begin - below)));
  offer(voice.low[0], (id, below) => matrices.where("doubtHeard", id, exactly(id, logits.redirected - below)));
  offer(voice.high[0], (id, below) => matrices.where("certaintyHeard", id, exactly(id, logits.redirected - below)));
  const lastStates = [voice.plain, voice.low, voice.high].map((reply) => steps.indexOf(reply.at(-1) ?? { choices: [], gap: 0 }));
  for (const [index] of steps.entries()) {
    const state = firstReplyState + index;
    if (lastStates.includes(index)) {
      matrices.after(state, messageEndId, exactly(messageEndId, logits.next));
      matrices.after(state, lineBreakId, exactly(lineBreakId, logits.lineBreak));
    } else {
      offer(steps[index + 1], (id, below) => matrices.after(state, id, exactly(id, logits.next - below)));
    }
  }
  matrices.after(states.ended, lineBreakId, exactly(lineBreakId, logits.next));
  matrices.after(states.word, lineBreakId, exactly(lineBreakId, logits.lineBreak));
  matrices.after(states.structure, lineBreakId, exactly(lineBreakId, lineBreakAfterStructure));
  for (const [text, afterQuote, afterWord] of [
    [stringContent, contentAfterQuote, contentAfterWord],
    [shortStringContent, shortAfterQuote, shortAfterWord],
  ] as const) {
    matrices.after(states.quote, idOf(text), exactly(idOf(text), afterQuote));
    matrices.after(states.word, idOf(text), exactly(idOf(text), afterWord));
  }
  return {
    voice,
    tokens,
    tokenTypeOf: [
      ...vocabulary.tokens.map(() => tokenTypes.normal),
      ...specialTokens.map((token) => tokenTypes[token.kind]),
    ],
    merges: vocabulary.merges,
    embedding: matrices.embedding,
    output: matrices.output,
    endOfTextId: specialId(endOfText),
    messageEndId,
  };
}

/** The token after which the model's reply to a chat begins: the line break of `<|im_start|>assistant\n`. */
export const replyOpening = "\n";
export { messageStart };
