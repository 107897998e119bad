/**
 * Lines of a batch's files: what a client sends and what it gets back. Pure; imports the domain only. A file is judged line by
 * line before anything of it runs, so that a typo in line 9,000 is known at once.
 */
import { z } from "zod";
import type { BatchProblem } from "../../domain/batch.ts";

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
  body: z.record(z.string(), z.unknown()),
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

  /** Null: an empty line, or one with a problem, which is noted. */
  read(text: string): BatchLine | null {
    this.#number += 1;
    if (text.trim() === "") return null;
    if (this.problems.length >= mostProblems) return null;
    const parsed = parsedLine(text);
    if (typeof parsed === "string") return this.#problem("invalid_json_line", parsed, null);
    const judged = line.safeParse(parsed);
    if (!judged.success) {
      const [issue] = judged.error.issues;
      const field = issue?.path.join(".") ?? "";
      return this.#problem("invalid_request", `This line is no request: ${field === "" ? "" : `${field}: `}${issue?.message ?? "wrong"}.`, field || null);
    }
    const { custom_id: customId, url, body } = judged.data;
    if (url !== this.#endpoint) {
      return this.#problem("mismatched_endpoint", `This line is for ${url}, the batch for ${this.#endpoint}.`, "url");
    }
    if (this.#ids.has(customId)) {
      return this.#problem("duplicate_custom_id", `The custom_id "${customId}" was there before.`, "custom_id");
    }
    this.#ids.add(customId);
    if (this.#ids.size > mostLines) return this.#problem("too_many_tasks", `A batch has ${mostLines} lines at most.`, null);
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
export function unrunLine(customId: string, code: string, message: string): string {
  return `${JSON.stringify({ id: `batch_req_${customId}`, custom_id: customId, response: null, error: { code, message } })}\n`;
}

/** The custom_id of a line we wrote; null: it is torn. */
export function writtenId(text: string): string | null {
  const parsed = parsedLine(text);
  if (typeof parsed === "string") return null;
  return "custom_id" in parsed && typeof parsed.custom_id === "string" ? parsed.custom_id : null;
}
