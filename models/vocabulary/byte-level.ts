/**
 * The byte-level BPE vocabulary of the constructed models: bytes written as printable characters (the "gpt2" tokenizer
 * of GGUF), and merges learned from a list of texts. Pure; used by the demo and by the random models.
 */

/** Bytes that stand for themselves; the others are moved to U+0100 and up, in order. */
function standsForItself(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
}

function byteCharacters(): readonly string[] {
  const characters: string[] = [];
  let moved = 0;
  for (let byte = 0; byte < 256; byte += 1) {
    characters.push(String.fromCodePoint(standsForItself(byte) ? byte : 0x100 + moved));
    if (!standsForItself(byte)) moved += 1;
  }
  return characters;
}

/** One printable character per byte value. */
export const characterOfByte: readonly string[] = Object.freeze(byteCharacters());

const utf8 = new TextEncoder();

/** How a token of these bytes is spelled in the vocabulary. */
export function spell(content: string | Uint8Array): string {
  let spelled = "";
  for (const byte of typeof content === "string" ? utf8.encode(content) : content) {
    spelled += characterOfByte[byte] ?? "";
  }
  return spelled;
}

export interface ByteLevelVocabulary {
  /** Spelled tokens; the first 256 are the bytes in order. */
  readonly tokens: string[];
  /** "left right", earlier ones win. */
  readonly merges: string[];
  readonly idOf: Map<string, number>;
}

function emptyVocabulary(): ByteLevelVocabulary {
  const tokens = [...characterOfByte];
  return { tokens, merges: [], idOf: new Map(tokens.map((token, id) => [token, id])) };
}

function addMerge(vocabulary: ByteLevelVocabulary, left: string, right: string): boolean {
  const joined = left + right;
  if (vocabulary.idOf.has(joined)) return false;
  vocabulary.idOf.set(joined, vocabulary.tokens.length);
  vocabulary.tokens.push(joined);
  vocabulary.merges.push(`${left} ${right}`);
  return true;
}

interface Word {
  readonly weight: number;
  pieces: string[];
}

/** Two spelled pieces as one key. A space never occurs in a spelled piece. */
function pairsOf(pieces: readonly string[]): string[] {
  return pieces.slice(1).map((right, index) => `${pieces[index] ?? ""} ${right}`);
}

function mergedPieces(pieces: readonly string[], left: string, right: string): string[] {
  const merged: string[] = [];
  for (let index = 0; index < pieces.length; index += 1) {
    const piece = pieces[index] ?? "";
    if (piece === left && pieces[index + 1] === right) {
      merged.push(left + right);
      index += 1;
    } else {
      merged.push(piece);
    }
  }
  return merged;
}

/**
 * Learns merges until every text is one token: the pair with the greatest weight first, the earliest seen on a tie.
 * The n-th text weighs as much as the n-th most frequent word of a language does (Zipf). Each text is bytes or a string.
 */
export function learnVocabulary(texts: readonly (string | Uint8Array)[]): ByteLevelVocabulary {
  const vocabulary = emptyVocabulary();
  const words: Word[] = texts.map((text, rank) => ({
    weight: Math.floor(10_000_000 / (rank + 20)),
    pieces: [...spell(text)],
  }));
  const weightOf = new Map<string, number>();
  const wordsWith = new Map<string, Set<Word>>();
  const count = (word: Word, sign: 1 | -1): void => {
    for (const pair of pairsOf(word.pieces)) {
      const weight = (weightOf.get(pair) ?? 0) + sign * word.weight;
      if (weight === 0) weightOf.delete(pair);
      else weightOf.set(pair, weight);
      const holders = wordsWith.get(pair) ?? new Set();
      if (sign === 1) holders.add(word);
      wordsWith.set(pair, holders);
    }
  };
  for (const word of words) count(word, 1);
  for (;;) {
    let best: string | null = null;
    let bestWeight = 0;
    for (const [pair, weight] of weightOf) {
      if (weight > bestWeight) {
        best = pair;
        bestWeight = weight;
      }
    }
    if (best === null) return vocabulary;
    const space = best.indexOf(" ");
    const left = best.slice(0, space);
    const right = best.slice(space + 1);
    addMerge(vocabulary, left, right);
    const holders = wordsWith.get(best) ?? new Set<Word>();
    wordsWith.delete(best);
    for (const word of holders) {
      const pieces = mergedPieces(word.pieces, left, right);
      if (pieces.length === word.pieces.length) continue;
      count(word, -1);
      word.pieces = pieces;
      count(word, 1);
    }
    weightOf.delete(best);
  }
}

/** The letters by how often English uses them. */
const letters = [..."etaoinsrhldcumfpgwybvkxjqz"];

/**
 * Grows a vocabulary to exactly `size` tokens with letter sequences, short and frequent ones first, so that a tokenizer of
 * a true model's size splits words it never saw into pieces of three or four letters.
 */
export function growVocabulary(vocabulary: ByteLevelVocabulary, size: number): void {
  const space = spell(" ");
  let shorter = letters.flatMap((letter) => [letter, space + letter]);
  for (const letter of letters) if (vocabulary.tokens.length < size) addMerge(vocabulary, space, letter);
  while (vocabulary.tokens.length < size) {
    const longer: string[] = [];
    for (const start of shorter) {
      for (const letter of letters) {
        if (vocabulary.tokens.length >= size) return;
        addMerge(vocabulary, start, letter);
        longer.push(start + letter);
      }
    }
    shorter = longer;
  }
}
