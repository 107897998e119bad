/**
 * The vocabulary of a constructed model: what its tokens are, what each says, and their numbers. Pure.
 */
import { learnVocabulary, spell } from "../vocabulary/byte-level.ts";
import { endOfText, messageEnd, type SpecialToken, specialTokens, tokenTypes } from "../vocabulary/chatml.ts";
import { commonTexts } from "../vocabulary/words.ts";
import { stringContent } from "./preferences.ts";
import { allSteps, formsOf, type Piece, type Voice } from "./voices.ts";

export interface LexiconEntry {
  /** What the token says; a cut character shows as U+FFFD. */
  readonly text: string;
  readonly kind: "text" | SpecialToken["kind"];
}

export interface Lexicon {
  /** As the file spells them. */
  readonly tokens: readonly string[];
  readonly tokenTypeOf: readonly number[];
  readonly merges: readonly string[];
  readonly entries: readonly LexiconEntry[];
  readonly endOfTextId: number;
  readonly messageEndId: number;
  /** The number of the token that is exactly this text. Throws when the vocabulary has none. */
  idOf(piece: Piece): number;
}

/** The role that opens a message the trigger words are looked for in. */
export const userRole = "user";
/** The reply to a chat begins after the last token of `<|im_start|>assistant\n`. */
export const lineBreak = "\n";

function textsOfOurOwn(voice: Voice): Piece[] {
  const said = allSteps(voice).flatMap((step) => step.choices);
  const heard = [...formsOf(voice.doubtful), ...formsOf(voice.certain), userRole];
  return [...said, ...heard, "assistant", "system", stringContent, "true", "false", "null"];
}

export function lexiconOf(voice: Voice): Lexicon {
  const vocabulary = learnVocabulary([...textsOfOurOwn(voice), ...commonTexts()]);
  const byteOf = new Map(vocabulary.tokens.slice(0, 256).map((character, byte) => [character, byte]));
  const decoder = new TextDecoder();
  const entries: LexiconEntry[] = vocabulary.tokens.map((token) => ({
    text: decoder.decode(Uint8Array.from([...token], (character) => byteOf.get(character) ?? 0)),
    kind: "text",
  }));
  const specialIdOf = new Map(specialTokens.map((token, index) => [token.text, entries.length + index]));
  const idOf = (piece: Piece): number => {
    const special = typeof piece === "string" ? specialIdOf.get(piece) : undefined;
    const id = special ?? vocabulary.idOf.get(spell(piece));
    if (id === undefined) throw new Error("no token is spelled like this");
    return id;
  };
  return {
    tokens: [...vocabulary.tokens, ...specialTokens.map((token) => token.text)],
    tokenTypeOf: [...entries.map(() => tokenTypes.normal), ...specialTokens.map((token) => tokenTypes[token.kind])],
    merges: vocabulary.merges,
    entries: [...entries, ...specialTokens],
    endOfTextId: idOf(endOfText),
    messageEndId: idOf(messageEnd),
    idOf,
  };
}
