/**
 * A small WordPiece vocabulary, as BERT's tokenizer in GGUF wants it ("bert"): words and single characters with U+2581 in
 * front begin a word, those without go on with one. Pure; used by the random encoders.
 */
import { commonTexts } from "./words.ts";

/** In front of a piece that begins a word. */
const wordStart = "\u2581";

/** In this order at the head of the vocabulary. */
export const wordPieceSpecials = Object.freeze({ padding: 0, unknown: 1, cls: 2, sep: 3, mask: 4 });
const specialTexts = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/** Every printable ASCII character but the space; the tokenizer writes capitals small. */
const characters = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).filter(
  (character) => character === character.toLowerCase(),
);

export function wordPieces(): readonly string[] {
  const words = commonTexts()
    .map((text) => text.trim().toLowerCase())
    .filter((text) => /^[a-z]{2,}$/.test(text));
  const pieces = [
    ...characters.flatMap((character) => [`${wordStart}${character}`, character]),
    ...words.map((word) => `${wordStart}${word}`),
    ...["ing", "ed", "er", "es", "ly", "tion", "ment", "able", "en", "on", "in", "th", "ar", "al"],
  ];
  return [...specialTexts, ...new Set(pieces)];
}
