/**
 * A prompt as it was sent → the tokens a worker computes. Runs in the preparation process; knows no library, only what a
 * vocabulary can do. Bounded: what cannot fit into the context is not tokenised to its end.
 */
import { Failure } from "../../../domain/failure.ts";
import { promptTokens } from "./prompt-tokens.ts";
import type { PromptInput, RawPrompts } from "./protocol.ts";
import { chatTemplate } from "./template.ts";
import type { Vocabulary } from "./vocabulary.ts";

export interface PreparedPrompt {
  readonly tokens: readonly number[];
  readonly echo: string | null;
}

/** Does not fit; `exact` says whether this is the count or only the least it can be. */
export interface TooLong {
  readonly promptTokens: number;
  readonly exact: boolean;
}

export type Preparation = { readonly prompts: readonly PreparedPrompt[] } | { readonly tooLong: TooLong };

export interface PreparationLimits {
  readonly contextLength: number;
  readonly templateTimeLimitMs: number;
}

/** A text this many times longer than the context has tokens is looked at in pieces before it is tokenised as a whole. */
const suspiciousCharactersPerToken = 8;
/** Characters of one such piece. */
const pieceCharacters = 32_768;
/** Tokens of pieces differ a little from those of the whole; at this multiple of the context there is no doubt. */
const certainExcess = 2;

/** Prepares prompts of one model; remembers the tokens of what it has seen. */
export type PreparePrompts = (prompt: PromptInput, limits: PreparationLimits) => Preparation;

export function promptPreparation(vocabulary: Vocabulary, template: string | null): PreparePrompts {
  const render = chatTemplate({ template, bosText: vocabulary.bosText, eosText: vocabulary.eosText });
  const tokensOf = promptTokens({ ...vocabulary, tokenize: (text) => vocabulary.tokenize(text, true) });

  /** Null: more than the context holds, by far. */
  function bounded(text: string, contextLength: number): readonly number[] | null {
    if (text.length > contextLength * suspiciousCharactersPerToken) {
      let atLeast = 0;
      for (let from = 0; from < text.length; from += pieceCharacters) {
        atLeast += vocabulary.tokenize(text.slice(from, from + pieceCharacters), true).length;
        if (atLeast > contextLength * certainExcess) return null;
      }
    }
    return tokensOf(text);
  }

  /** The tokens of one prompt that is not a conversation. */
  function raw(prompt: string | readonly number[], input: RawPrompts, contextLength: number): readonly number[] | null {
    const { infill, size } = vocabulary;
    if (typeof prompt !== "string" && prompt.some((token) => token >= size)) {
      throw new Failure("invalid_request", `Token ids of this model are below ${size}.`, { param: "prompt" });
    }
    if (input.suffix === null) return typeof prompt === "string" ? bounded(prompt, contextLength) : prompt;
    if (infill === null) {
      throw new Failure("invalid_request", "This model was not trained to fill in before a suffix: leave it out.", {
        param: "suffix",
      });
    }
    // Text on both sides of the gap is text: a special token's name in somebody's source file is not that token.
    const before = typeof prompt === "string" ? [...vocabulary.tokenize(prompt, false)] : prompt;
    const after = vocabulary.tokenize(input.suffix, false);
    const tokens = [infill.prefix, ...before, infill.suffix, ...after, infill.middle];
    const bos = vocabulary.prependBos ? vocabulary.bosToken : null;
    return bos === null ? tokens : [bos, ...tokens];
  }

  return (prompt, { contextLength, templateTimeLimitMs }) => {
    const param = prompt.type === "chat" ? "messages" : "prompt";
    const prompts: PreparedPrompt[] = [];
    const sources = prompt.type === "chat" ? [render(prompt, templateTimeLimitMs)] : prompt.prompts;
    for (const source of sources) {
      const tokens =
        prompt.type === "raw" ? raw(source, prompt, contextLength) : bounded(String(source), contextLength);
      if (tokens === null) return { tooLong: { promptTokens: contextLength, exact: false } };
      if (tokens.length >= contextLength) return { tooLong: { promptTokens: tokens.length, exact: true } };
      if (tokens.length === 0) throw new Failure("invalid_request", "The prompt is empty.", { param });
      const wantsEcho = prompt.type === "raw" && prompt.echo;
      const text = typeof source === "string" ? source : wantsEcho ? vocabulary.detokenize(source) : "";
      prompts.push({ tokens, echo: wantsEcho ? text : null });
    }
    return { prompts };
  };
}
