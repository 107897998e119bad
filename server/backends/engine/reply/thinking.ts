/**
 * Reasoning that stands between two tags before the answer. Pure.
 *
 * White space around the reasoning, and line breaks between its end and the answer, belong to the tags: templates write
 * them themselves (and clients trim them), so an echoed history renders to the tokens that were generated.
 */
import type { ReplyOutput } from "./calls.ts";
import { possibleMark, type ReplyInput, type Reading } from "./input.ts";

export interface ThinkingTags {
  readonly open: string;
  readonly close: string;
}

/** Read on the end of a prompt: true when the template has begun the reasoning, so that the answer starts inside of it. */
export function opensThinking(promptEnd: string, tags: readonly ThinkingTags[]): boolean {
  const end = promptEnd.trimEnd();
  return tags.some((tag) => end.endsWith(tag.open));
}

/** Reads the reasoning at the beginning of an answer, if there is any. `begun`: the prompt has opened it. */
export function* thinking(
  input: ReplyInput,
  output: ReplyOutput,
  tags: readonly ThinkingTags[],
  begun: boolean,
): Reading {
  const [usual] = tags;
  if (usual === undefined) return;
  output.thinking = begun;
  const tag = yield* opening(input, tags);
  if (tag === null && !begun) {
    // A lone end is what is left of reasoning that the template switched off.
    input.at = 0;
    yield* input.skipSpace();
    for (const { close } of tags) if (yield* input.accept(close)) yield* dropLineBreaks(input);
    input.at = 0;
    return;
  }
  output.thinking = true;
  yield* untilClosed(input, output, tag ?? usual);
  output.thinking = false;
}

/** The opening tag, if the text begins with one; it is settled. */
function* opening(input: ReplyInput, tags: readonly ThinkingTags[]): Reading<ThinkingTags | null> {
  yield* input.skipSpace();
  for (const tag of tags) {
    if (!(yield* input.accept(tag.open))) continue;
    input.drop();
    return tag;
  }
  input.at = 0;
  return null;
}

function* untilClosed(input: ReplyInput, output: ReplyOutput, tag: ThinkingTags): Reading {
  let begun = false;
  for (;;) {
    if (!begun) {
      input.at = 0;
      yield* input.skipSpace();
      input.drop();
      begun = input.text !== "";
    }
    const end = input.text.indexOf(tag.close);
    const arrived = end === -1 ? input.text.length - (input.ended ? 0 : possibleMark(input.text, [tag.close])) : end;
    const shown = input.text.slice(0, arrived).trimEnd().length;
    if (shown > 0) {
      input.at = shown;
      input.bringBack();
      output.reasoning(input.take(input.at));
    }
    if (end !== -1) {
      input.at = end - shown + tag.close.length;
      yield* dropLineBreaks(input);
      return;
    }
    if (input.ended) {
      input.at = input.text.length;
      input.drop();
      return;
    }
    // White space that may be the last of it.
    input.at = arrived - shown;
    input.putAside();
    yield;
  }
}

function* dropLineBreaks(input: ReplyInput): Reading {
  while ((yield* input.more()) && /[\r\n]/.test(input.text.charAt(input.at))) input.at += 1;
  input.drop();
}
