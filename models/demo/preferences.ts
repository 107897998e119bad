/**
 * What a constructed model would rather say next when it cannot say what its reply asks for: under a grammar the likeliest
 * allowed token is taken, and these logits make that end soon with well-formed text. All lie below the replies' own logits.
 * Pure.
 *
 * A quote closes before anything else; then braces and brackets close; the end comes before further digits; white space and
 * escapes are the last resort. So any JSON schema is met with short values: "demo", 1, true, [].
 */

/** Logits of single texts, whatever came before. Those above 4 close or structure JSON. */
const byText: ReadonlyMap<string, number> = new Map([
  ['"', 17],
  ["}", 11],
  ["]", 10],
  [":", 8],
  [",", 7],
  ["{", 6],
  ["[", 5],
  ["true", 4],
  ["1", 3],
  ["false", 2.5],
  ["null", 2],
  ...[..."023456789"].map((digit): [string, number] => [digit, 1]),
]);

/** The end of the reply, once a grammar allows it. */
export const endPreference = 12;
/** Control tokens other than the end: never inside a text. */
export const controlPreference = -24;

/** The word a string holds when any text is allowed. */
export const stringContent = "demo";
/** Its logit after an opening quote, above the quote's own; and after other text, below the quote's. */
export const contentAfterQuote = 20;
export const contentAfterWord = 15;
/** The same for a single letter, for strings too short for the word. */
export const shortStringContent = "d";
export const shortAfterQuote = 16;
export const shortAfterWord = 14;

/** After a number that only white space or further digits may follow: more than a digit. */
export const lineBreakAfterNumber = 3.5;

/** What a text ends with: a quote, a number or structure (after both a reply may begin at once), or a part of words. */
export function ending(text: string): "quote" | "number" | "structure" | "word" {
  const trimmed = text.trim();
  if (trimmed.endsWith('"')) return "quote";
  if (/[0-9]$/.test(trimmed)) return "number";
  return /^(?:true|false|null)$|[{}[\]:,]$/.test(trimmed) ? "structure" : "word";
}

/** The logit of a token everywhere, from its text; U+FFFD stands for cut characters. */
export function preference(text: string): number {
  const own = byText.get(text);
  if (own !== undefined) return own;
  if (/^\s+$/.test(text)) return -6;
  if (/["\\\n\p{Cc}]/u.test(text)) return -8;
  // Words before letters, so that a forced text is spelled with few tokens.
  return [...text].length === 1 ? -3 : -2 + 0.05 * [...text].length;
}
