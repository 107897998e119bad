/** What the shapes answered in one piece have in common when they are called: the body judged, and results put in order. Pure. */
import { parsedJson } from "../domain/json-text.ts";
import { Failure } from "../domain/failure.ts";
import type { UpstreamUsage } from "../domain/upstream-usage.ts";
import type { CallTraits } from "./called.ts";
import type { WholeReading } from "./called-whole.ts";
import { failureInAnswer } from "./openai-chat/called-failure.ts";
import { at, isWireObject, type WireObject } from "./usage/figures.ts";
import { readOpenaiChatFrame } from "./usage/openai-chat.ts";
import { noUpstreamUsage } from "./usage/upstream-usage.ts";
import { isHalf } from "./whole-text.ts";

/** `read` gets an object without an error in it, and throws a Failure for what is no answer. */
export function wholeReading<Result>(
  body: string,
  traits: CallTraits,
  read: (answer: WireObject) => Result,
): WholeReading<Result> {
  let upstream = noUpstreamUsage;
  try {
    const answer = parsedJson(body);
    if (!isWireObject(answer)) throw isHalf(body) ? brokenOff() : notWhole("it is not the JSON it should be");
    upstream = usageOf(answer, traits);
    const { error } = answer;
    if (error !== undefined && error !== null && error !== false) throw failureInAnswer(error);
    return { type: "read", result: read(answer), upstream };
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    return { type: "failed", failure: thrown, upstream };
  }
}

/** All tokens are the prompt's: some say their sum only (Jina, vLLM). */
function usageOf(answer: WireObject, traits: CallTraits): UpstreamUsage {
  const { usage } = answer;
  const total = at(usage, "total_tokens");
  if (!isWireObject(usage) || at(usage, "prompt_tokens") !== undefined || total === undefined) {
    return readOpenaiChatFrame(answer, traits);
  }
  const read = readOpenaiChatFrame({ ...answer, usage: { ...usage, prompt_tokens: total } }, traits);
  return { ...read, raw: usage };
}

/** One entry for each of `count` inputs, in their order. Throws Failure when one is missing, there twice, or of no input. */
export function inOrder(entries: unknown, count: number, what: string): readonly unknown[] {
  if (!Array.isArray(entries)) throw notWhole(`it holds no ${what}`);
  if (entries.length !== count) throw notWhole(`it holds ${entries.length} ${what} for ${count} inputs`);
  const ordered = new Map<number, unknown>();
  for (const [place, entry] of entries.entries()) {
    // Some leave the number out and keep the order.
    const index: unknown = at(entry, "index") ?? place;
    if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= count || ordered.has(index)) {
      throw notWhole(`its ${what} cannot be told apart`);
    }
    ordered.set(index, entry);
  }
  return Array.from({ length: count }, (_, index) => ordered.get(index));
}

export function notWhole(why: string): Failure {
  return new Failure("upstream_failed", `The upstream's answer cannot be used: ${why}.`);
}

function brokenOff(): Failure {
  return new Failure("upstream_cut", "The upstream's answer broke off before its end.");
}
