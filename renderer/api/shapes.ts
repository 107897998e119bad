/**
 * What the server answers, as the page reads it. Runs in the browser; `zod/mini`, because it travels with the page. Fields
 * that nothing here shows are not named, so that a newer server never breaks an older page.
 */
import * as z from "zod/mini";

// The just-in-time parser needs `eval`, which the policy of the page forbids and the browser would report.
z.config({ jitless: true });

const count = z.number().check(z.int(), z.nonnegative());

export const modelList = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      context_length: z.optional(count),
      slots: z.optional(count),
      demo: z.optional(z.boolean()),
      /** What it can be asked for; a server of an earlier build had chat models only. */
      capabilities: z.optional(z.array(z.string())),
    }),
  ),
});
export type ListedModel = z.output<typeof modelList>["data"][number];

/** `GET /admin/state`. */
export const boxState = z.object({
  box: z.optional(z.object({ name: z.optional(z.string()), version: z.optional(z.string()) })),
  models: z.array(
    z.object({
      id: z.string(),
      state: z.enum(["unloaded", "loading", "ready", "backing-off", "failed", "stopping"]),
      since: z.number(),
      reason: z.string(),
      until: z.nullable(z.number()),
      slots: z.array(z.object({ state: z.enum(["idle", "waiting", "prefill", "decode"]) })),
    }),
  ),
  queue: z.array(
    z.object({ caller: z.string(), model: z.string(), position: z.number(), expectedMs: z.nullable(z.number()) }),
  ),
  rss: z.optional(z.number()),
});
export type BoxState = z.output<typeof boxState>;
export type ModelView = BoxState["models"][number];

/** `GET /ready`: its status says whether; a reason may stand beside it. */
export const readiness = z.object({ reason: z.nullish(z.string()) });

export const versionAnswer = z.object({ version: z.string(), fingerprint: z.nullish(z.string()) });

/** Every refusal of the server, in OpenAI's shape or in the admin's. */
export const errorAnswer = z.object({ error: z.object({ message: z.string(), code: z.nullish(z.string()) }) });

/** One chunk of `POST /v1/chat/completions`. */
export const chatChunk = z.object({
  choices: z.array(
    z.object({
      delta: z.optional(z.object({ content: z.nullish(z.string()), reasoning_content: z.nullish(z.string()) })),
      finish_reason: z.nullish(z.string()),
    }),
  ),
  usage: z.nullish(
    z.object({
      prompt_tokens: count,
      completion_tokens: count,
      prompt_tokens_details: z.nullish(z.object({ cached_tokens: z.nullish(count) })),
    }),
  ),
});
