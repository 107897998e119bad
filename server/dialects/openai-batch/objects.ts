/** Files and batches as OpenAI's clients read them, and what they may ask for. Pure; imports the domain only. */
import { z } from "zod";
import type { Batch, BatchFile } from "../../domain/batch.ts";
import { badField, fieldFailure } from "../field-failure.ts";
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
  const ended = batch.endedAtMs === null ? null : seconds(batch.endedAtMs);
  const endedAs = (status: Batch["status"]) => (batch.status === status ? ended : null);
  return {
    id: batch.id,
    object: "batch",
    endpoint: batch.endpoint,
    errors:
      batch.errors.length === 0 ? null : { object: "list", data: batch.errors.map(({ line, ...said }) => ({ ...said, line })) },
    input_file_id: batch.inputFile,
    completion_window: "24h",
    status: batch.status,
    output_file_id: batch.completed > 0 ? batch.outputFile : null,
    error_file_id: batch.failed > 0 ? batch.errorFile : null,
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
    metadata: batch.metadata,
  };
}

const wish = z.object({
  input_file_id: z.string().min(1),
  endpoint: z.string(),
  completion_window: z.literal("24h"),
  metadata: z.record(z.string().max(64), z.string().max(512)).nullish(),
});

export interface BatchWish {
  readonly inputFile: string;
  readonly endpoint: BatchEndpoint;
  readonly metadata: Readonly<Record<string, string>> | null;
}

/** Throws Failure `invalid_request` with `param`. */
export function decodeBatch(body: unknown): BatchWish {
  const parsed = wish.safeParse(body);
  if (!parsed.success) throw fieldFailure(parsed.error);
  const { input_file_id: inputFile, endpoint, metadata } = parsed.data;
  const known = batchEndpoints.find((one) => one === endpoint);
  if (known === undefined) throw badField("endpoint", `'endpoint' must be one of ${batchEndpoints.join(", ")}.`);
  return { inputFile, endpoint: known, metadata: metadata ?? null };
}

/** One page of a list that is newest first. */
export function pageOf(objects: readonly { readonly id: string }[], query: URLSearchParams, mostItems: number): object {
  const asked = query.get("limit");
  const limit = asked === null ? Math.min(20, mostItems) : Number(asked);
  if (!Number.isInteger(limit) || limit < 1 || limit > mostItems) {
    throw badField("limit", `'limit' must be a whole number from 1 to ${mostItems}.`);
  }
  const after = query.get("after");
  const start = after === null ? 0 : objects.findIndex(({ id }) => id === after) + 1;
  const data = objects.slice(start, start + limit);
  return {
    object: "list",
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: start + data.length < objects.length,
  };
}
