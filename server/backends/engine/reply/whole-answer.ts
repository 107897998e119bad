/**
 * Answers that are nothing but calls, with no marker to tell: bare JSON (Llama 3, Qwen2.5-Coder) and JSON in a code fence.
 * Pure. Prose before or after makes them text, so such calls are only certain when the answer has ended.
 */
import { HeldCalls, type ReplyOutput } from "./calls.ts";
import type { WholeShape } from "./content.ts";
import type { ReplyInput, Reading } from "./input.ts";
import { envelopes } from "./json-call.ts";

/** One object, a list, or several of them apart by white space, commas or semicolons. */
export const bareCalls: WholeShape = function* (input, output) {
  const held = new HeldCalls();
  for (;;) {
    if (!(yield* envelopes(input, held, output.tools))) return false;
    yield* skipSeparators(input);
    if (!(yield* input.more())) break;
  }
  return settle(input, output, held);
};

/** What a fence may be marked with. */
const languages = ["json", "tool_call", ""];

/** One or more code fences and nothing else, each with calls in it. */
export const fencedCalls: WholeShape = function* (input, output) {
  const held = new HeldCalls();
  for (;;) {
    if (!(yield* input.accept("```"))) return false;
    const language = yield* input.before("\n", 16);
    if (language === null || !languages.includes(language.trim())) return false;
    do {
      if (!(yield* envelopes(input, held, output.tools))) return false;
      yield* skipSeparators(input);
      if (!(yield* input.more())) return false;
    } while (input.text[input.at] !== "`");
    if (!(yield* input.accept("```"))) return false;
    yield* input.skipSpace();
    if (!(yield* input.more())) break;
  }
  return settle(input, output, held);
};

function* skipSeparators(input: ReplyInput): Reading {
  while ((yield* input.more()) && /[\s;,]/.test(input.text.charAt(input.at))) input.at += 1;
}

function settle(input: ReplyInput, output: ReplyOutput, held: HeldCalls): boolean {
  input.drop();
  for (const call of held.calls) output.whole(call.name, call.arguments);
  return true;
}
