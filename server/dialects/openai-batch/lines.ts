/**
 * Lines of a batch's files: what a client sends and what it gets back. Pure; imports the domain only. A file is judged line by
 * line before anything of it runs, so that a typo in line 9,000 is known at once.
 */
import { z } from "zod";
import type { BatchProblem } from "../../domain/batch.ts";
import { noUsage, type Usage } from "../../domain/usage.ts";

export interface BatchLine {
  readonly customId: string;
  /** Judged by the endpoint's own dialect when it runs. */
  readonly body: Readonly<Record<string, unknown>>;
}

export const batchEndpoints = Object.freeze([
  "/v1/chat/completions",
  "/v1/responses",
  "/v1/completions",
  "/v1/embeddings",
  "/v1/messages",
] as const);
export type BatchEndpoint = (typeof batchEndpoints)[number];

/** As OpenAI has it. */
export const mostLines = 50_000;

const line = z.object({
  custom_id: z.string().min(1).max(512),
  method: z.literal("POST"),
  url: z.string(),
  body: z.looseObject({
    model: z.string().min(1),
    stream: z.literal(false, { error: "a batch has no streams" }).nullish(),
  }),
});

/** Reads a file piece by piece; ask for `problems` at its end. */
export class LineJudge {
  readonly problems: BatchProblem[] = [];
  readonly #endpoint: string;
  readonly #ids = new Set<string>();
  #number = 0;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  get lines(): number {
    return this.#ids.size;
  }

  /** So much is wrong that reading on says nothing new. */
  get isFull(): boolean {
    return this.problems.length >= mostProblems || this.#ids.size > mostLines;
  }

  /** Null: an empty line, or one with a problem, which is noted. `text` is null where the line cannot be one. */
  read(text: string | null): BatchLine | null {
    this.#number += 1;
    if (text === null)
      return this.#problem("unreadable_line", "This line is longer than a request may be, or is not UTF-8.", null);
    if (text.trim() === "") return null;
    if (this.isFull) return null;
    const parsed = parsedLine(text);
    if (typeof parsed === "string") return this.#problem("invalid_json_line", parsed, null);
    const judged = line.safeParse(parsed);
    if (!judged.success) {
      const [issue] = judged.error.issues;
      const field = issue?.path.join(".") ?? "";
      return this.#problem(
        "invalid_request",
        `This line is no request: ${field === "" ? "" : `${field}: `}${issue?.message ?? "wrong"}.`,
        field || null,
      );
    }
    const { custom_id: customId, url, body } = judged.data;
    if (url !== this.#endpoint) {
      return this.#problem("mismatched_endpoint", `This line is for ${url}, the batch for ${this.#endpoint}.`, "url");
    }
    if (this.#ids.has(customId)) {
      return this.#problem("duplicate_custom_id", `The custom_id "${customId}" was there before.`, "custom_id");
    }
    this.#ids.add(customId);
    if (this.#ids.size > mostLines)
      return this.#problem("too_many_tasks", `A batch has ${mostLines} lines at most.`, null);
    return { customId, body };
  }

  #problem(code: string, message: string, param: string | null): null {
    this.problems.push({ line: this.#number, code, message, param });
    return null;
  }
}

/** More say nothing new. */
const mostProblems = 100;

function parsedLine(text: string): object | string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : "This line is no JSON object.";
  } catch {
    return "This line is no JSON.";
  }
}

export interface LineAnswer {
  readonly requestId: string;
  readonly status: number;
  /** JSON text. */
  readonly body: string;
}

/** The line of an output file, or of an error file where the status is no success. */
export function answerLine(customId: string, { requestId, status, body }: LineAnswer): string {
  const head = `{"id":${JSON.stringify(`batch_${requestId}`)},"custom_id":${JSON.stringify(customId)}`;
  return `${head},"response":{"status_code":${status},"request_id":${JSON.stringify(requestId)},"body":${body}},"error":null}\n`;
}

/** The line of one that was not run. */
export function unrunLine(requestId: string, customId: string, code: string, message: string): string {
  return `${JSON.stringify({ id: `batch_req_${requestId}`, custom_id: customId, response: null, error: { code, message } })}\n`;
}

const tokens = z.number().int().min(0).catch(0);
const written = z.object({
  custom_id: z.string(),
  response: z
    .object({
      body: z
        .object({
          usage: z.object({
            prompt_tokens: tokens,
            completion_tokens: tokens,
            input_tokens: tokens,
            output_tokens: tokens,
            cache_read_input_tokens: tokens,
            cache_creation_input_tokens: tokens,
            prompt_tokens_details: z.object({ cached_tokens: tokens }).catch({ cached_tokens: 0 }),
            input_tokens_details: z.object({ cached_tokens: tokens }).catch({ cached_tokens: 0 }),
            completion_tokens_details: z.object({ reasoning_tokens: tokens }).catch({ reasoning_tokens: 0 }),
            output_tokens_details: z.object({ reasoning_tokens: tokens }).catch({ reasoning_tokens: 0 }),
          }),
        })
        .nullable()
        .catch(null),
    })
    .nullable()
    .catch(null),
});

/** Of a line we wrote: whose it is and what it used, in whichever endpoint's words. Null: it is torn. */
export function writtenLine(text: string): { readonly customId: string; readonly usage: Usage } | null {
  const parsed = parsedLine(text);
  const judged = typeof parsed === "string" ? null : written.safeParse(parsed);
  if (judged === null || !judged.success) return null;
  const { custom_id: customId, response } = judged.data;
  const said = response?.body?.usage;
  if (said === undefined) return { customId, usage: noUsage };
  const besides = said.cache_read_input_tokens + said.cache_creation_input_tokens;
  const usage: Usage = {
    promptTokens: said.prompt_tokens + said.input_tokens + besides,
    cachedTokens:
      said.prompt_tokens_details.cached_tokens + said.input_tokens_details.cached_tokens + said.cache_read_input_tokens,
    completionTokens: said.completion_tokens + said.output_tokens,
    reasoningTokens: said.completion_tokens_details.reasoning_tokens + said.output_tokens_details.reasoning_tokens,
  };
  return { customId, usage };
}
