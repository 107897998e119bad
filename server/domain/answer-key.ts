/**
 * Which requests must get the same answer: everything of a request that can change what a model says, as one text. Pure. Two
 * requests with equal texts may share an answer; a field nobody here knows keeps them apart.
 */
import type { ChatRequest } from "./chat.ts";

/** Fields of a client's body that say how an answer travels, who asks, or what is done with it afterwards. */
const sayNothing: ReadonlySet<string> = new Set([
  "stream",
  "stream_options",
  "include_obfuscation",
  "user",
  "safety_identifier",
  "metadata",
  "client_metadata",
  "prompt_cache_key",
  "prompt_cache_retention",
  "store",
  "keep_alive",
]);

/**
 * The alias, the conversation, the tools, the sampling, the form; and the body as it came, since what is in it goes to an
 * upstream of its own wire shape unread.
 */
export function answerKeyOf(request: ChatRequest): string {
  const { stream, includeUsage, wire, endUser, cacheKey, notes, cachePrompt, sampling, ...said } = request;
  const body = Object.entries(wire?.body ?? {}).filter(([name]) => !sayNothing.has(name));
  return canonicalJson({
    ...said,
    sampling: { ...sampling, logitBias: [...sampling.logitBias].sort(([left], [right]) => left - right) },
    wire: wire === undefined ? null : { ...wire, body: Object.fromEntries(body) },
  });
}

/** JSON with the keys of every object in order: equal values are equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(
      Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)),
    );
  });
}
