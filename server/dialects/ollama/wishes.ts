/** What Ollama's chat and generate bodies have in common, as a `ChatRequest` without its prompt. Pure. */
import type { ChatRequest, ReasoningWish, ResponseFormat } from "../../domain/chat.ts";
import type { RequestNote } from "../../domain/note.ts";
import { badField } from "../field-failure.ts";
import { maxTokensOf, samplingOf, stopOf, unkeptOptions } from "./options.ts";
import type { WireShared } from "./schema.ts";

type Shared = Omit<ChatRequest, "messages" | "completion" | "tools" | "toolChoice" | "wire">;

/** Throws Failure `invalid_request` with `param`. `loadOnly`: there is no prompt, the model is to be loaded. */
export function sharedWishes(wire: WireShared, loadOnly: boolean): Shared {
  if ((wire.top_logprobs ?? 0) > 0 && wire.logprobs !== true) {
    throw badField("top_logprobs", "'top_logprobs' needs 'logprobs' to be true.");
  }
  if (loadOnly && isZero(wire.keep_alive)) {
    const advice = "whoever runs it can say 'lanthorn models unload'";
    throw badField("keep_alive", `When a model leaves memory is decided by this box, not by 'keep_alive': ${advice}.`);
  }
  const options = wire.options ?? {};
  const reasoning = reasoningOf(wire.think);
  const notes = [...keepAliveNote(wire.keep_alive), ...unkeptOptions(options)];
  return {
    model: wire.model,
    parallelToolCalls: true,
    responseFormat: responseFormatOf(wire.format),
    sampling: samplingOf(options),
    maxTokens: maxTokensOf(options),
    choices: 1,
    logprobs: wire.logprobs === true ? { top: wire.top_logprobs ?? 0 } : null,
    stop: stopOf(options),
    ignoreEos: false,
    cachePrompt: true,
    cacheKey: null,
    stream: wire.stream ?? true,
    // The last line always says it.
    includeUsage: true,
    ...(reasoning === null ? {} : { reasoning }),
    ...(notes.length === 0 ? {} : { notes }),
    ...(loadOnly ? { loadOnly } : {}),
  };
}

function responseFormatOf(format: WireShared["format"]): ResponseFormat {
  if (format === undefined || format === null || format === "") return { type: "text" };
  return format === "json" ? { type: "json-object" } : { type: "json-schema", schema: format, param: "format" };
}

function reasoningOf(think: WireShared["think"]): ReasoningWish | null {
  if (think === undefined || think === null) return null;
  const wish = { budgetTokens: null, summary: null } as const;
  if (think === true) return { ...wish, effort: null, summary: "auto" };
  if (think === false) return { ...wish, effort: "none" };
  return { ...wish, effort: think === "max" ? "xhigh" : think };
}

/** How long a model stays in memory is for everybody on this box, so no single request decides it. */
function keepAliveNote(keepAlive: WireShared["keep_alive"]): readonly RequestNote[] {
  return keepAlive === undefined || keepAlive === null ? [] : [{ code: "wish_not_kept", detail: "keep_alive" }];
}

function isZero(keepAlive: WireShared["keep_alive"]): boolean {
  return keepAlive !== undefined && keepAlive !== null && Number.parseFloat(String(keepAlive)) === 0;
}
