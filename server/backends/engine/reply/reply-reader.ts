/**
 * The text of one answer → events: text, reasoning and tool calls. Pure state, runs in the server process. One per answer.
 *
 * The rules: calls are looked for only when tools were sent and may be called, and only tools that were sent are called;
 * everything else is text, byte for byte. A call that has been said is never taken back. The events say the same however the
 * text was cut into pieces.
 */
import type { ChatEvent, ChatRequest, FinishReason } from "../../../domain/chat.ts";
import { ReplyOutput } from "./calls.ts";
import type { ReplyFamily } from "./family.ts";
import { forcedCalls } from "./forced-calls.ts";
import type { ReplyFormat } from "./format-of.ts";
import { replyFamilies } from "./index.ts";
import { ReplyInput, type Reading } from "./input.ts";
import { opensThinking, thinking } from "./thinking.ts";

export interface ReplyFacts {
  readonly request: Pick<ChatRequest, "tools" | "toolChoice" | "parallelToolCalls" | "responseFormat">;
  readonly format: ReplyFormat;
  /** The last few tokens of the prompt as text. */
  readonly promptEnd: string;
  /** Ids of calls, unique over all requests. */
  readonly newToolCallId: () => string;
}

export class ReplyReader {
  readonly #input = new ReplyInput();
  readonly #output: ReplyOutput;
  readonly #reading: Reading;
  readonly #parallel: boolean;
  #tokens = 0;
  /** Tokens that have led to nothing visible yet. */
  #openTokens = 0;
  #reasoningTokens = 0;

  constructor(facts: ReplyFacts) {
    const { tools, toolChoice, responseFormat } = facts.request;
    const forced = toolChoice.type === "required" || toolChoice.type === "named";
    const callable = forced || (toolChoice.type === "auto" && responseFormat.type === "text");
    this.#output = new ReplyOutput(callable ? tools : [], facts.newToolCallId);
    this.#parallel = facts.request.parallelToolCalls;
    this.#reading = readingOf(facts, this.#input, this.#output);
  }

  /** `tokens` is the number of answer tokens made so far. */
  push(text: string, tokens: number): ChatEvent[] {
    this.#input.push(text);
    this.#openTokens += Math.max(0, tokens - this.#tokens);
    this.#tokens = Math.max(tokens, this.#tokens);
    return this.#read();
  }

  /** The answer is over: what was held back. */
  end(): ChatEvent[] {
    this.#input.end();
    const { thinking: cutShort } = this.#output;
    const events = this.#read();
    if (cutShort) this.#reasoningTokens += this.#openTokens;
    return events;
  }

  /** One call is all that was asked for, and it is complete: what follows is not wanted. */
  get satisfied(): boolean {
    return !this.#parallel && this.#output.completeCalls > 0;
  }

  get reasoningTokens(): number {
    return Math.round(this.#reasoningTokens);
  }

  /** How the answer ended for the client. Said after `end`. */
  finishReason(ended: FinishReason): FinishReason {
    const { calls, completeCalls, endedInCall } = this.#output;
    const cutShort = ended === "length" && endedInCall;
    if (this.satisfied) return "tool-calls";
    return calls > 0 && completeCalls === calls && !cutShort ? "tool-calls" : ended;
  }

  #read(): ChatEvent[] {
    if (this.satisfied) return [];
    const { reasoningLength, otherLength } = this.#output;
    this.#reading.next();
    const reasoning = this.#output.reasoningLength - reasoningLength;
    const all = reasoning + this.#output.otherLength - otherLength;
    if (all > 0) {
      // Pieces that wait for a slow reader are joined; the tokens of one are shared out by length.
      this.#reasoningTokens += (this.#openTokens * reasoning) / all;
      this.#openTokens = 0;
    }
    const events = this.#output.taken();
    if (!this.satisfied) return events;
    // The same piece may hold more than the one call.
    return events.slice(0, events.findLastIndex((event) => "index" in event && event.index === 0) + 1);
  }
}

function* readingOf(facts: ReplyFacts, input: ReplyInput, output: ReplyOutput): Reading {
  const family: ReplyFamily = replyFamilies[facts.format];
  // Nothing is read before the first text has arrived.
  yield* input.more();
  const { toolChoice, responseFormat } = facts.request;
  if (toolChoice.type === "required" || toolChoice.type === "named") {
    yield* forcedCalls(input, output, family);
    return;
  }
  // A grammar for the answer leaves no room for reasoning.
  if (responseFormat.type === "text") {
    yield* thinking(input, output, family.thinking, opensThinking(facts.promptEnd, family.thinking));
  }
  yield* family.read(input, output);
}
