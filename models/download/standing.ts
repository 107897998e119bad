/**
 * Where one download stands: its record, its bytes, its pace, and the view of it that people get. State only; runs in the
 * server process and in commands.
 */
import type { DownloadState, DownloadView } from "../../server/domain/download.ts";
import { defaultAlias } from "../store.ts";
import { Pace } from "./pace.ts";
import type { DownloadRecord, FileRecord } from "./record.ts";
import { type DownloadTrouble, viewOf } from "./trouble.ts";

export class Standing {
  record: DownloadRecord;
  /** Of each file. */
  readonly doneBytes: number[] = [];
  /** Epoch milliseconds of the next try; null: none is planned. */
  untilMs: number | null = null;
  /** Monotonic milliseconds of the last new byte, or of the beginning. */
  lastByteMs = 0;
  /** Monotonic milliseconds of the last time somebody was told. */
  toldAtMs = 0;
  readonly #pace = new Pace();
  readonly #onProgress: (toldAtMs: number) => void;

  constructor(record: DownloadRecord, onProgress: (toldAtMs: number) => void) {
    this.record = record;
    this.#onProgress = onProgress;
  }

  get id(): string {
    return this.record.id;
  }

  get state(): DownloadState {
    return this.record.state;
  }

  /** Returns whether anything that is shown has changed. */
  enter(state: DownloadState, reason: string, nowMs: number, trouble: DownloadTrouble | null): boolean {
    const { record } = this;
    if (record.state === state && record.reason === reason && trouble === null) return false;
    const since = record.state === state ? record.since : nowMs;
    this.record = { ...record, state, reason: reason.slice(0, 1000), since, trouble: shortened(trouble) };
    this.untilMs = null;
    if (state !== "downloading") this.#pace.reset();
    return true;
  }

  /** Its files are known. */
  get isKnown(): boolean {
    return this.record.files.length > 0;
  }

  know(commit: string, files: readonly FileRecord[]): void {
    this.record = { ...this.record, commit, files: [...files] };
    for (const index of files.keys()) this.doneBytes[index] = 0;
  }

  forget(): void {
    this.record = { ...this.record, commit: null, files: [] };
    this.doneBytes.length = 0;
  }

  /** New bytes of the file with this number. */
  cameIn(index: number, fresh: number, nowMs: number): void {
    if (fresh === 0) return;
    this.doneBytes[index] = (this.doneBytes[index] ?? 0) + fresh;
    this.lastByteMs = nowMs;
    this.#pace.add(fresh, nowMs);
    this.#onProgress(this.toldAtMs);
  }

  get allDoneBytes(): number {
    return this.doneBytes.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Still to be fetched, as far as it is known. */
  get missingBytes(): number {
    return Math.max(0, this.#totalBytes - this.allDoneBytes);
  }

  get #totalBytes(): number {
    return this.record.files.reduce((sum, file) => sum + file.bytes, 0);
  }

  /** `nowMs` is monotonic. */
  view(nowMs: number): DownloadView {
    const { id, model, alias, repository, commit, state, since, reason, files, trouble, createdAtMs } = this.record;
    const measured = state === "downloading" ? this.#pace.perSecond(nowMs) : null;
    const bytesPerSecond = measured === null || measured <= 0 ? null : Math.max(1, Math.round(measured));
    const [first] = files;
    return {
      id,
      model,
      alias: first === undefined ? alias : defaultAlias(first.fileName),
      repository,
      commit,
      state,
      since,
      reason,
      until: this.untilMs,
      bytes: this.isKnown ? this.#totalBytes : null,
      doneBytes: this.allDoneBytes,
      bytesPerSecond,
      leftMs: bytesPerSecond === null ? null : Math.round((this.missingBytes * 1000) / bytesPerSecond),
      files: files.map(({ path, fileName, bytes }, index) => ({
        path,
        fileName,
        bytes,
        doneBytes: this.doneBytes[index] ?? 0,
      })),
      trouble,
      createdAtMs,
    };
  }
}

/** A record holds bounded texts, whatever a server's answer put into a message. */
function shortened(trouble: DownloadTrouble | null): DownloadRecord["trouble"] {
  if (trouble === null) return null;
  const { code, message, why, next } = viewOf(trouble);
  return {
    code,
    message: message.slice(0, 1000),
    why: why.slice(0, 1000),
    next: next.map((line) => line.slice(0, 500)),
  };
}
