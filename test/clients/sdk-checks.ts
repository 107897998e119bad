/** What the cases over SDKs have in common: an abort seen from both ends, native errors, rows of the ledger. */
import assert from "node:assert/strict";
import { Failure } from "../../server/domain/failure.ts";
import type { RequestStatus } from "../../server/ledger/rows.ts";
import { until } from "../support/real-engine.ts";
import type { ClientBox } from "./box.ts";
import type { NativeError, SdkClient, SdkDriver } from "./client.ts";
import { type Script, waitsForever } from "./scripts.ts";

export interface SdkRun {
  readonly box: ClientBox;
  readonly client: SdkClient;
  /** With the box's own key unless another is given. */
  connect(wishes?: { readonly apiKey?: string; readonly retries?: number }): Promise<SdkDriver>;
}

export interface SdkCase {
  readonly name: string;
  /** A reason when the case does not apply. */
  run(run: SdkRun): Promise<string | undefined>;
}

/** An abort is noticed within a second; five times that is a fault on any machine. */
const abortLimitMs = 5_000;
export const ignore = (): void => {};

/** A case that plays one script, uses the SDK, and leaves these rows. */
export function played(
  script: Script,
  statuses: readonly RequestStatus[],
  use: (driver: SdkDriver) => Promise<void>,
): SdkCase["run"] {
  return async ({ box, connect }) => {
    await box.play(script);
    await use(await connect());
    await rowsAre(box, statuses);
    return undefined;
  };
}

/** The client leaves in the middle: its socket closes, the model is told, the row says so, and the SDK says it its own way. */
export function aborts(
  error: "aborted" | "abortedStream",
  asking: (driver: SdkDriver, signal: AbortSignal, heard: () => void) => Promise<unknown>,
): SdkCase["run"] {
  return async ({ box, client, connect }) => {
    await box.play(waitsForever);
    const leaving = new AbortController();
    const expected = client.errors[error];
    let pieces = 0;
    const answer = asking(await connect(), leaving.signal, () => {
      pieces += 1;
    });
    const ended = expected === null ? answer : fails(answer, expected);
    // Whatever fails first, the other is not left without a listener.
    ended.catch(ignore);
    await until("the model is asked", () => box.asked().length === 1);
    if (error === "abortedStream") await until("the client has a piece", () => pieces > 0);
    leaving.abort();
    await until("the model hears of it", () => box.asked()[0]?.signal.aborted === true, abortLimitMs);
    await ended;
    await rowsAre(box, ["aborted"]);
    return undefined;
  };
}

export function full(seconds: number): Failure {
  return new Failure("queue_full", "64 requests are waiting for this model already.", { retryAfterSeconds: seconds });
}

export async function rowsAre(box: ClientBox, statuses: readonly RequestStatus[]) {
  const rows = await box.rows();
  assert.deepEqual(
    rows.map((row) => row.status),
    statuses,
  );
  return rows;
}

export async function fails(answer: Promise<unknown>, expected: NativeError): Promise<void> {
  const thrown = await answer.then(
    (value) => assert.fail(`no error but ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  assert.deepEqual(nativeError(thrown), expected, String(thrown));
}

/** Class and status of an error as a user of the SDK would look at them. */
function nativeError(thrown: unknown): NativeError {
  if (!(thrown instanceof Error)) return { name: typeof thrown, status: null };
  const told = thrown as { readonly status?: unknown; readonly statusCode?: unknown };
  const status = told.status ?? told.statusCode;
  const name = thrown.name === "Error" ? thrown.constructor.name : thrown.name;
  return { name, status: typeof status === "number" ? status : null };
}
