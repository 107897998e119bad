/**
 * Text of a rendered prompt → tokens, remembering what it has already seen. Runs in the preparation
 * process.
 *
 * An agent sends its whole history every turn; tokenising 30,000 tokens again takes tens of milliseconds in which no stream
 * advances. Byte-level BPE splits at special tokens before anything else and looks at each stretch alone, so the stretches
 * between them (one message each) can be remembered exactly.
 */

export interface TokenizerFacts {
  tokenize(text: string): Uint32Array;
  /** False: stretches influence each other (SentencePiece), nothing is remembered. */
  readonly splitsAtSpecialTokens: boolean;
  readonly prependBos: boolean;
  readonly bosToken: number | null;
}

/** What special tokens look like in the families that use byte-level BPE: `<|im_start|>`, `<|eot_id|>`. */
const marker = /<\|[A-Za-z0-9_]{1,40}\|>/g;
/** Characters of remembered text. */
const rememberedLimit = 2_000_000;

export type PromptTokens = (text: string) => number[];

export function promptTokens(facts: TokenizerFacts): PromptTokens {
  const remembered = new Map<string, Uint32Array>();
  const isSpecial = new Map<string, boolean>();
  let rememberedLength = 0;

  const special = (text: string): boolean => {
    const known = isSpecial.get(text);
    if (known !== undefined) return known;
    const answer = facts.tokenize(text).length === 1;
    if (isSpecial.size < 1_000) isSpecial.set(text, answer);
    return answer;
  };

  const stretch = (text: string): Uint32Array => {
    const known = remembered.get(text);
    if (known !== undefined) {
      // Seen again: the newest in the order in which stretches are forgotten.
      remembered.delete(text);
      remembered.set(text, known);
      return known;
    }
    const tokens = facts.tokenize(text);
    remembered.set(text, tokens);
    rememberedLength += text.length;
    for (const oldest of remembered.keys()) {
      if (rememberedLength <= rememberedLimit) break;
      remembered.delete(oldest);
      rememberedLength -= oldest.length;
    }
    return tokens;
  };

  return (text) => {
    const tokens: number[] = [];
    for (const part of facts.splitsAtSpecialTokens ? stretches(text, special) : [text]) {
      for (const token of facts.splitsAtSpecialTokens ? stretch(part) : facts.tokenize(part)) tokens.push(token);
    }
    if (facts.prependBos && facts.bosToken !== null && tokens[0] !== facts.bosToken) tokens.unshift(facts.bosToken);
    return tokens;
  };
}

/** Cuts before each special token. */
function stretches(text: string, special: (text: string) => boolean): string[] {
  const parts: string[] = [];
  let from = 0;
  for (const match of text.matchAll(marker)) {
    if (match.index === from || !special(match[0])) continue;
    parts.push(text.slice(from, match.index));
    from = match.index;
  }
  if (from < text.length) parts.push(text.slice(from));
  return parts;
}
