/**
 * One batch from its first line to its last, or to whatever ends it. Runs in the server. It can be left at any moment, by a kill too,
 * and gone on with: what is in the output and error files is done, everything else is not.
 */
import {
  answerLine,
  type BatchEndpoint,
  type BatchLine,
  LineJudge,
  unrunLine,
} from "../dialects/openai-batch/lines.ts";
import type { Batch, BatchRecords } from "../domain/batch.ts";
import { mostTries, pauseMs } from "../domain/batch-pace.ts";
import type { Caller } from "../domain/caller.ts";
import { Failure } from "../domain/failure.ts";
import type { Clock, Log } from "../domain/ports.ts";
import { noUsage } from "../domain/usage.ts";
import { newRequestId } from "../platform/ids.ts";
import { waited } from "../platform/wait.ts";
import { type AskPorts, askLine, type LineResult } from "./ask.ts";
import type { Contents } from "./contents.ts";
import type { Places } from "./places.ts";
import { textLines } from "./text-lines.ts";
import { Written } from "./written.ts";

/** What ends a batch before its last line; `pause`: this server stops, and the batch goes on at the next start. */
export type Ending = "cancelled" | "expired" | "key_ended" | "pause";

export interface RunPorts extends AskPorts {
  readonly records: Pick<BatchRecords, "change" | "addFile">;
  readonly contents: Pick<Contents, "path" | "remove" | "roomOnDisk">;
  readonly places: Places;
  readonly clock: Clock;
  readonly log: Log;
  readonly mostLineBytes: number;
  /** Lines of one batch at the same time. */
  readonly atOnce: number;
  /** Who made the batch, with its limits as they are now; null: that key is no good any more. */
  ownerOf(batch: Batch): Caller | null;
}

/** A full disk is tried again after so long. */
const fullDiskMs = 10_000;

export const keyEnded = "The key that made this batch was revoked or has expired, so the batch was stopped.";

const noFiles = Object.freeze({ outputFile: null, errorFile: null });

const unrunWords: Readonly<Record<"cancelled" | "expired", readonly [string, string]>> = Object.freeze({
  cancelled: ["batch_cancelled", "This request was not executed, because the batch was cancelled."],
  expired: ["batch_expired", "This request could not be executed before the completion window expired."],
});

export class Run {
  readonly batch: Batch;
  /** Resolves when nothing of it runs any more. */
  readonly over: Promise<void>;
  readonly #ports: RunPorts;
  readonly #stop = new AbortController();
  #ending: Ending | null = null;

  /** The batch is validated, and has the names of its output files. */
  constructor(batch: Batch, ports: RunPorts, ending: Ending | null = null) {
    this.batch = batch;
    this.#ports = ports;
    if (ending !== null) this.end(ending);
    this.over = this.#whole();
  }

  /** The first one counts. Lines under way are left at once. */
  end(ending: Ending): void {
    if (this.#ending !== null) return;
    this.#ending = ending;
    this.#stop.abort(new Failure("cancelled", "The batch of this request has ended."));
  }

  /** Never rejects. */
  async #whole(): Promise<void> {
    const { records, clock, log } = this.#ports;
    try {
      await this.#run();
    } catch (thrown) {
      log.error({ batch: this.batch.id, err: thrown }, "a batch failed");
      if (this.#ending === "pause") return;
      const message = "The files of this batch could not be read or written. The server's log has the details.";
      try {
        const errors = [{ line: null, code: "storage_failed", message, param: null }];
        records.change(this.batch.id, { status: "failed", errors, ...noFiles, endedAtMs: clock.now() });
      } catch (err) {
        log.error({ batch: this.batch.id, err }, "a failed batch could not be written down");
      }
    }
  }

  async #run(): Promise<void> {
    const { batch } = this;
    const { contents } = this.#ports;
    const paths = { output: contents.path(batch.outputFile ?? ""), errors: contents.path(batch.errorFile ?? "") };
    const written = await Written.open(paths, () => this.#pause(fullDiskMs));
    try {
      this.#count(written);
      await this.#answer(written);
      const ending = this.#ending;
      if (ending === "cancelled" || ending === "expired") await this.#leaveRest(written, ending);
    } finally {
      await written.close();
    }
    this.#finish(written);
  }

  /** Each worker takes the next line when it is done with its own; the generator hands them out one at a time. */
  async #answer(written: Written): Promise<void> {
    const lines = unwritten(this.batch, written, this.#ports);
    const worker = async () => {
      try {
        while (!this.#stop.signal.aborted) {
          const next = await lines.next();
          if (next.done === true || !(await this.#line(...next.value, written))) return;
        }
      } catch (thrown) {
        // The others must not write on beside it.
        this.#stop.abort(thrown);
        throw thrown;
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: this.#ports.atOnce }, worker));
    await lines.return();
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  /** False: the batch has ended meanwhile. */
  async #line(number: number, line: BatchLine, written: Written): Promise<boolean> {
    for (let tries = 1; ; ) {
      if (!(await this.#hasRoom())) return false;
      const asked = await this.#ask(number, line);
      if (asked === null) return false;
      if ("waitMs" in asked.result) {
        if (!(await this.#pause(asked.result.waitMs))) return false;
        continue;
      }
      const { status, body, usage, retryAfterSeconds } = asked.result;
      if (retryAfterSeconds !== null && tries < mostTries) {
        if (!(await this.#pause(pauseMs(retryAfterSeconds, tries)))) return false;
        tries += 1;
        continue;
      }
      const text = answerLine(line.customId, { requestId: asked.requestId, status, body });
      if (!(await written.add(line.customId, text, { completed: status < 300, usage }))) return false;
      this.#count(written);
      return true;
    }
  }

  async #ask(
    number: number,
    line: BatchLine,
  ): Promise<{ readonly requestId: string; readonly result: LineResult | { readonly waitMs: number } } | null> {
    const { places, clock, ownerOf } = this.#ports;
    const { signal } = this.#stop;
    if (!(await places.enter(signal))) return null;
    try {
      const caller = ownerOf(this.batch);
      if (caller === null) this.end("key_ended");
      if (caller === null || signal.aborted) return null;
      const requestId = newRequestId();
      const notes = [{ code: "batch_line" as const, detail: `${this.batch.id} line ${number}` }];
      const facts = { requestId, caller, dialect: "", startedAtMs: clock.now(), wishes: this.batch.wishes, notes };
      const endpoint = this.batch.endpoint as BatchEndpoint;
      const result = await askLine(endpoint, line.body, facts, this.#ports, signal);
      return result === null ? null : { requestId, result };
    } finally {
      places.leave();
    }
  }

  /** Waits while the disk is full: an answer that cannot be written down would have been paid for nothing. */
  async #hasRoom(): Promise<boolean> {
    for (let said = false; ; said = true) {
      try {
        await this.#ports.contents.roomOnDisk();
        return !this.#stop.signal.aborted;
      } catch (err) {
        if (!(err instanceof Failure)) throw err;
        if (!said)
          this.#ports.log.warn({ batch: this.batch.id, reason: err.message }, "a batch waits for room on the disk");
        if (!(await this.#pause(fullDiskMs))) return false;
      }
    }
  }

  /** False: the batch has ended meanwhile. */
  #pause(ms: number): Promise<boolean> {
    return waited(this.#ports.clock, ms, this.#stop.signal);
  }

  async #leaveRest(written: Written, ending: "cancelled" | "expired"): Promise<void> {
    const [code, message] = unrunWords[ending];
    for await (const [, { customId }] of unwritten(this.batch, written, this.#ports)) {
      const how = { completed: false, usage: noUsage };
      if (!(await written.add(customId, unrunLine(newRequestId(), customId, code, message), how))) return;
    }
    this.#count(written);
  }

  #count({ facts: { completed, failed, usage } }: Written): void {
    this.#ports.records.change(this.batch.id, { completed, failed, usage });
  }

  #finish(written: Written): void {
    const { records, clock, contents } = this.#ports;
    const { id, caller, outputFile, errorFile, outputKeepMs } = this.batch;
    const ending = this.#ending;
    if (ending === "pause") return;
    const nowMs = clock.now();
    if (ending === "key_ended") {
      for (const file of [outputFile, errorFile]) if (file !== null) contents.remove(file);
      const errors = [{ line: null, code: "key_ended", message: keyEnded, param: null }];
      records.change(id, { status: "failed", errors, ...noFiles, endedAtMs: nowMs });
      return;
    }
    const { output, errors } = written.bytes;
    for (const [file, bytes, what] of [
      [outputFile, output, "output"],
      [errorFile, errors, "error"],
    ] as const) {
      if (file === null) continue;
      if (bytes === 0) contents.remove(file);
      else {
        const name = `${id}_${what}.jsonl`;
        const times = { createdAtMs: nowMs, expiresAtMs: nowMs + outputKeepMs };
        records.addFile({ id: file, caller, purpose: "batch_output", name, bytes, ...times });
      }
    }
    records.change(id, { status: ending ?? "completed", endedAtMs: nowMs });
  }
}

async function* unwritten(
  { endpoint, inputFile }: Batch,
  written: Written,
  { contents, mostLineBytes }: RunPorts,
): AsyncGenerator<readonly [number, BatchLine], void, undefined> {
  const judge = new LineJudge(endpoint);
  for await (const { text, number } of textLines(contents.path(inputFile), mostLineBytes)) {
    const line = judge.read(text);
    if (line !== null && !written.isDone(line.customId)) yield [number, line];
  }
}
