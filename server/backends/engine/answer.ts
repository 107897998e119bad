/**
 * One chat request from acceptance to its last event: prepare → ready → one answer, or several that share their prompt.
 * Runs in the server process.
 */
import { answersOf, type ChatEvent, type ChatRequest } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import type { RequestNote } from "../../domain/note.ts";
import { noUsage } from "../../domain/usage.ts";
import type { ChatContext } from "../backend.ts";
import { abortable } from "./abortable.ts";
import { callerOf, type GenerationPorts, generation, type GenerationWish } from "./generation.ts";
import { loaded } from "./load-only.ts";
import type { ModelHost } from "./model-host.ts";
import type { PreparedPrompt, TooLong } from "./preparation/prompts.ts";
import { promptInput } from "./prompt-input.ts";
import { grammarFor } from "./request-grammar.ts";
import type { Residency, Stay } from "./residency.ts";
import { severalAnswers } from "./several-answers.ts";
import { Times } from "./times.ts";

export interface AnswerPorts extends GenerationPorts {
  readonly residency: Pick<Residency, "stay">;
}

export async function* answer(
  host: ModelHost,
  asked: ChatRequest,
  context: ChatContext,
  signal: AbortSignal,
  ports: AnswerPorts,
): AsyncIterable<ChatEvent> {
  if (asked.loadOnly === true) {
    yield* loaded(host, signal, ports);
    return;
  }
  const { request, notes } = host.cleaned(asked);
  // Before anything is loaded or computed: a schema that cannot be kept is refused at once.
  const { gbnf, unenforced } = grammarFor(request, host.replyFormat);
  const times = new Times(ports.clock);
  const place = host.line.arrive({ ...callerOf(context), side: request.tools.length === 0 });
  try {
    const allNotes = [...notes, ...unenforced.map(unkept), ...unkeptGrammars(request)];
    yield* letIn({ host, request, context, gbnf, place, times }, allNotes, signal, ports);
  } finally {
    place.leave();
  }
}

/** What was let into the line. */
async function* letIn(
  entry: Omit<GenerationWish, "prompt" | "choice" | "onComputed">,
  notes: readonly RequestNote[],
  signal: AbortSignal,
  ports: AnswerPorts,
): AsyncIterable<ChatEvent> {
  const { host, request, times } = entry;
  let prompts: readonly PreparedPrompt[];
  let stay: Stay;
  try {
    const prepared = await abortable(host.prepare(promptInput(request)), signal);
    if ("tooLong" in prepared) throw overflow(host, request, prepared.tooLong);
    prompts = prepared.prompts;
    times.mark("queueMs");
    // Loaded only for what can be answered: a prompt that is refused must not push another model out.
    stay = await ports.residency.stay(host, signal);
    times.mark("loadMs");
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    yield { type: "aborted", usage: noUsage, timings: times.known() };
    return;
  }
  try {
    yield* computed(entry, prompts, stay, notes, signal, ports);
  } finally {
    stay.end();
  }
}

/** Everything its answers need is here. */
async function* computed(
  entry: Omit<GenerationWish, "prompt" | "choice" | "onComputed">,
  prompts: readonly PreparedPrompt[],
  stay: Stay,
  notes: readonly RequestNote[],
  signal: AbortSignal,
  ports: AnswerPorts,
): AsyncIterable<ChatEvent> {
  const { host, request, context, place } = entry;
  const promptTokens = prompts.reduce((sum, prompt) => sum + prompt.tokens.length, 0);
  yield { type: "accepted", promptTokens, queuePosition: place.position(promptTokens), notes };
  let toCompute = answersOf(request);
  // The model is in use until the last answer is computed, not until a slow reader has read it.
  const onComputed = () => {
    toCompute -= 1;
    if (toCompute === 0) stay.end();
  };
  const wishes = prompts.flatMap((prompt, at) =>
    Array.from({ length: request.choices }, (_, n): GenerationWish => {
      const choice = at * request.choices + n;
      const own = { request: ofChoice(request, n), context: suffixed(context, choice) };
      return { ...entry, ...own, prompt, choice, onComputed };
    }),
  );
  const [only] = wishes;
  if (only !== undefined && answersOf(request) === 1) yield* generation(only, signal, ports);
  else yield* severalAnswers(wishes, request.choices, host.slots, signal, ports);
}

/** With a seed, answers beside each other differ, and the same request gives the same answers again. */
function ofChoice(request: ChatRequest, n: number): ChatRequest {
  const { seed } = request.sampling;
  return n === 0 || seed === null ? request : { ...request, sampling: { ...request.sampling, seed: (seed + n) >>> 0 } };
}

function unkept(detail: string): RequestNote {
  return { code: "tool_schema_unenforced", detail };
}

/** A custom tool is offered to the model as a function of one text, and no grammar of its own holds that text. */
function unkeptGrammars({ tools }: ChatRequest): readonly RequestNote[] {
  const held = tools.filter(({ custom }) => custom !== undefined && custom.grammar !== null);
  return held.map(({ name }) => ({ code: "tool_grammar_unenforced", detail: name.slice(0, 200) }));
}

/** The worker knows each answer by a name of its own. */
function suffixed(context: ChatContext, choice: number): ChatContext {
  return choice === 0 ? context : { ...context, requestId: `${context.requestId}#${choice}` };
}

export function overflow(host: ModelHost, request: ChatRequest, { promptTokens, exact }: TooLong): Failure {
  const has = exact ? `has ${promptTokens}` : `has more than ${promptTokens}`;
  // One token at least is left for the answer.
  const mostPromptTokens = host.contextLength - 1;
  const overflow = { promptTokens: exact ? promptTokens : promptTokens + 1, mostPromptTokens };
  return new Failure(
    "context_length_exceeded",
    `maximum context length is ${host.contextLength} tokens for "${host.file.alias}"; this prompt ${has}. ` +
      "Shorten it, or serve the model with a longer context.",
    { param: request.completion === null ? "messages" : "prompt", overflow },
  );
}
