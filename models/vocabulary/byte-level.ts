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

/** Two neighbouring pieces, wherever they occur. */
interface Pair {
  readonly left: string;
  readonly right: string;
  readonly words: Set<Word>;
  /** Of all words it occurs in, as often as it does. */
  weight: number;
}

/** All pairs, in the order they were first seen. */
class Pairs {
  #pairs: Pair[] = [];
  #byPieces = new Map<string, Pair>();
  #looks = 0;

  /** Counts the pairs of a word in (+1) or out (-1). */
  count(word: Word, times: 1 | -1): void {
    for (const [index, right] of word.pieces.entries()) {
      const left = word.pieces[index - 1];
      if (left === undefined) continue;
      const pair = this.#pairOf(left, right);
      pair.weight += times * word.weight;
      if (times === 1) pair.words.add(word);
      else pair.words.delete(word);
    }
  }

  /** The heaviest, the earliest of equals; null when no word has two pieces left. */
  heaviest(): Pair | null {
    this.#forgetMerged();
    let best: Pair | null = null;
    for (const pair of this.#pairs) if (pair.weight > (best?.weight ?? 0)) best = pair;
    return best;
  }

  /** Most pairs are gone after a while; without this, learning takes three times as long. */
  #forgetMerged(): void {
    this.#looks += 1;
    if (this.#looks % 64 !== 0) return;
    this.#pairs = this.#pairs.filter((pair) => pair.weight > 0);
    this.#byPieces = new Map(this.#pairs.map((pair) => [`${pair.left} ${pair.right}`, pair]));
  }

  #pairOf(left: string, right: string): Pair {
    // A space never occurs in a spelled piece.
    const pieces = `${left} ${right}`;
    const known = this.#byPieces.get(pieces);
    if (known !== undefined) return known;
    const pair: Pair = { left, right, words: new Set(), weight: 0 };
    this.#byPieces.set(pieces, pair);
    this.#pairs.push(pair);
    return pair;
  }
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
  const pairs = new Pairs();
  for (const [rank, text] of texts.entries()) {
    pairs.count({ weight: Math.floor(10_000_000 / (rank + 20)), pieces: [...spell(text)] }, 1);
  }
  for (let best = pairs.heaviest(); best !== null; best = pairs.heaviest()) {
    const { left, right } = best;
    addMerge(vocabulary, left, right);
    for (const word of [...best.words]) {
      const pieces = mergedPieces(word.pieces, left, right);
      if (pieces.length === word.pieces.length) continue;
      pairs.count(word, -1);
      word.pieces = pieces;
      pairs.count(word, 1);
    }
  }
  return vocabulary;
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
