/** Files and batches as OpenAI's clients read them, and what they may ask for. Pure; imports the domain only. */
import { z } from "zod";
import { type Batch, type BatchFile, isOver } from "../../domain/batch.ts";
import { badField, fieldFailure } from "../field-failure.ts";
import { limitOf, listPage, type Page } from "../list-page.ts";
import { batchEndpoints, type BatchEndpoint } from "./lines.ts";

const seconds = (ms: number) => Math.floor(ms / 1000);

export function fileObject(file: BatchFile): object {
  return {
    id: file.id,
    object: "file",
    bytes: file.bytes,
    created_at: seconds(file.createdAtMs),
    expires_at: seconds(file.expiresAtMs),
    filename: file.name,
    purpose: file.purpose,
    status: "processed",
    status_details: null,
  };
}

export function batchObject(batch: Batch): object {
  const { promptTokens, cachedTokens, completionTokens, reasoningTokens } = batch.usage;
  const ended = batch.endedAtMs === null ? null : seconds(batch.endedAtMs);
  const endedAs = (status: Batch["status"]) => (batch.status === status ? ended : null);
  return {
    id: batch.id,
    object: "batch",
    endpoint: batch.endpoint,
    errors:
      batch.errors.length === 0
        ? null
        : { object: "list", data: batch.errors.map(({ line, ...said }) => ({ ...said, line })) },
    input_file_id: batch.inputFile,
    completion_window: "24h",
    status: batch.status,
    // Not before its end: until then lines are still written.
    output_file_id: isOver(batch) && batch.completed > 0 ? batch.outputFile : null,
    error_file_id: isOver(batch) && batch.failed > 0 ? batch.errorFile : null,
    created_at: seconds(batch.createdAtMs),
    in_progress_at: batch.startedAtMs === null ? null : seconds(batch.startedAtMs),
    expires_at: seconds(batch.expiresAtMs),
    finalizing_at: endedAs("completed"),
    completed_at: endedAs("completed"),
    failed_at: endedAs("failed"),
    expired_at: endedAs("expired"),
    cancelling_at: batch.cancellingAtMs === null ? null : seconds(batch.cancellingAtMs),
    cancelled_at: endedAs("cancelled"),
    request_counts: { total: batch.total, completed: batch.completed, failed: batch.failed },
    usage: {
      input_tokens: promptTokens,
      input_tokens_details: { cached_tokens: cachedTokens },
      output_tokens: completionTokens,
      output_tokens_details: { reasoning_tokens: reasoningTokens },
      total_tokens: promptTokens + completionTokens,
    },
    metadata: batch.metadata,
  };
}

/** From an hour to thirty days, as OpenAI has it. */
const keepSeconds = z.coerce.number().int().min(3_600).max(2_592_000);
const expiresAfter = z.object({ anchor: z.literal("created_at"), seconds: keepSeconds });

const wish = z.object({
  input_file_id: z.string().min(1),
  endpoint: z.string(),
  completion_window: z.literal("24h"),
  metadata: z.record(z.string().max(64), z.string().max(512)).nullish(),
  output_expires_after: expiresAfter.nullish(),
});

export interface BatchWish {
  readonly inputFile: string;
  readonly endpoint: BatchEndpoint;
  readonly metadata: Readonly<Record<string, string>> | null;
  /** Null: as long as the box keeps files. */
  readonly outputKeepMs: number | null;
}

/** Throws Failure `invalid_request` with `param`. */
export function decodeBatch(body: unknown): BatchWish {
  const parsed = wish.safeParse(body);
  if (!parsed.success) throw fieldFailure(parsed.error);
  const { input_file_id: inputFile, endpoint, metadata, output_expires_after: kept } = parsed.data;
  const known = batchEndpoints.find((one) => one === endpoint);
  if (known === undefined) throw badField("endpoint", `'endpoint' must be one of ${batchEndpoints.join(", ")}.`);
  const outputKeepMs = kept ? kept.seconds * 1_000 : null;
  return { inputFile, endpoint: known, metadata: metadata ?? null, outputKeepMs };
}

const fileWish = z.object({ purpose: z.string(), expires_after: expiresAfter.nullish() });

/** The fields beside an uploaded file; gives how long it is to be kept, null: as long as the box keeps files. Throws like `decodeBatch`. */
export function decodeFileFields(fields: ReadonlyMap<string, string>): { readonly keepMs: number | null } {
  const anchor = fields.get("expires_after[anchor]");
  const seconds = fields.get("expires_after[seconds]");
  const says = anchor !== undefined || seconds !== undefined;
  const parsed = fileWish.safeParse({
    purpose: fields.get("purpose"),
    ...(says ? { expires_after: { anchor, seconds } } : {}),
  });
  if (!parsed.success) throw fieldFailure(parsed.error);
  const { purpose, expires_after: kept } = parsed.data;
  if (purpose !== "batch") throw badField("purpose", "'purpose' must be batch: files are kept for batches only.");
  return { keepMs: kept ? kept.seconds * 1_000 : null };
}

/** One page of a list in its order: `limit` and `after` of the query. Throws Failure `invalid_request` with `param`. */
export function pageOf<Item extends { readonly id: string }>(
  items: readonly Item[],
  query: URLSearchParams,
  mostItems: number,
): Page<Item> {
  const limit = limitOf(query, mostItems);
  const after = query.get("after");
  const start = after === null ? 0 : items.findIndex(({ id }) => id === after) + 1;
  if (after !== null && start === 0) throw badField("after", `There is no "${after}" in this list.`);
  return listPage(items, start, limit);
}
