/**
 * The bytes a token stands for, from the text its vocabulary has for it. Pure. Needed where text is not enough: a token may be
 * a part of a character, and a client that asks for log-probabilities puts the bytes together itself.
 */

/**
 * Byte-level BPE writes each byte as one printable character: those of Latin-1 that print stand for themselves, the other
 * 68 bytes for the characters from U+0100 on, in order.
 */
function byteOfCharacter(): ReadonlyMap<string, number> {
  const bytes = new Map<string, number>();
  let others = 0;
  for (let byte = 0; byte < 256; byte += 1) {
    const prints = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    bytes.set(String.fromCodePoint(prints ? byte : 0x100 + others), byte);
    if (!prints) others += 1;
  }
  return bytes;
}

const encoder = new TextEncoder();
const byteToken = /^<0x([0-9A-F]{2})>$/;

/** `tokenizer` is `tokenizer.ggml.model` of the file. */
export function tokenBytes(tokenizer: string): (text: string) => readonly number[] {
  if (tokenizer === "gpt2") {
    const known = byteOfCharacter();
    return (text) => [...text].flatMap((character) => known.get(character) ?? [...encoder.encode(character)]);
  }
  return (text) => {
    const byte = byteToken.exec(text)?.[1];
    if (byte !== undefined) return [Number.parseInt(byte, 16)];
    // SentencePiece writes a space as U+2581.
    return [...encoder.encode(text.replaceAll("\u2581", " "))];
  };
}
