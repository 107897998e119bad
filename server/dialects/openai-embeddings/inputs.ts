/**
 * `input` of an embeddings body → inputs. Pure. By hand and not by schema: a list may hold millions of entries, and the first
 * wrong one must end the matter instead of being the first of a million issues.
 */
import type { EmbedInput } from "../../domain/embedding.ts";
import { badField } from "../field-failure.ts";

/** As many as OpenAI takes. */
const mostInputs = 2_048;

/** Throws Failure `invalid_request` that names the entry. */
export function inputsOf(input: unknown): readonly EmbedInput[] {
  if (typeof input === "string") return [textInput(input, "input")];
  if (!Array.isArray(input)) {
    const wanted = "a text, a list of texts, a list of tokens, or a list of lists of tokens";
    throw badField("input", `Invalid value for 'input': must be ${wanted}.`);
  }
  const entries: readonly unknown[] = input;
  if (entries.length === 0) throw badField("input", "'input' must not be empty.");
  // A flat list of tokens is one input; how long that may be, the model says.
  if (typeof entries[0] === "number") return [tokensInput(entries, "input")];
  if (entries.length > mostInputs) {
    throw badField("input", `'input' holds ${entries.length} inputs; at most ${mostInputs} are taken at once.`);
  }
  const first = typeof entries[0];
  return entries.map((entry, index) => {
    const name = `input[${index}]`;
    if (typeof entry === "string" && first === "string") return textInput(entry, name);
    if (Array.isArray(entry) && first !== "string") return tokensInput(entry, name);
    throw badField(name, `Invalid value for '${name}': must be ${first === "string" ? "a text" : "a list of tokens"}.`);
  });
}

function textInput(text: string, name: string): EmbedInput {
  if (text === "") throw badField(name, `'${name}' must not be empty.`);
  return { type: "text", text };
}

function tokensInput(entries: readonly unknown[], name: string): EmbedInput {
  if (entries.length === 0) throw badField(name, `'${name}' must not be empty.`);
  const tokens = entries.map((entry, index) => {
    if (typeof entry === "number" && Number.isSafeInteger(entry) && entry >= 0) return entry;
    const place = `${name}[${index}]`;
    throw badField(place, `Invalid value for '${place}': must be a token, a whole number of 0 or more.`);
  });
  return { type: "tokens", tokens };
}
