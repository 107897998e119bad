/**
 * Contents of files on the disk: one file each in the data folder's `batch/`, for its owner only, named by its id. Runs in the server.
 * An upload is written piece by piece and never held in memory; what a killed server left behind is removed at the next start.
 */
import { chmodSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { open, rename, statfs } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../domain/failure.ts";

export interface ContentsOptions {
  readonly folder: string;
  readonly fileLimitBytes: number;
  /** Most bytes of everything here. */
  readonly storeBytes: number;
  readonly keepFreeBytes: number;
  /** Bytes of what is kept already. */
  storedBytes(): number;
}

/** What was received and not yet kept. */
export interface Draft {
  readonly path: string;
  readonly bytes: number;
}

/** The disk is asked again after so much. */
const lookEveryBytes = 8 * 2 ** 20;
const draftEnding = ".part";

export class Contents {
  readonly #options: ContentsOptions;
  /** Of uploads under way. */
  #arrivingBytes = 0;

  constructor(options: ContentsOptions) {
    this.#options = options;
  }

  /** Removes what `keeps` does not know. Call once, before anything else. */
  open(keeps: (id: string) => boolean): void {
    const { folder } = this.#options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    for (const name of readdirSync(folder))
      if (!keeps(name)) rmSync(join(folder, name), { recursive: true, force: true });
  }

  path(id: string): string {
    return join(this.#options.folder, id);
  }

  /** Writes a body as it comes. Throws Failure `payload_too_large` or `storage_full`, or what the stream throws; nothing is left then. */
  async receive(id: string, body: AsyncIterable<Uint8Array>): Promise<Draft> {
    const path = this.path(`${id}${draftEnding}`);
    const { fileLimitBytes } = this.#options;
    let bytes = 0;
    let looked = 0;
    try {
      await this.#room();
      const file = await open(path, "wx", 0o600);
      try {
        for await (const chunk of body) {
          bytes += chunk.length;
          this.#arrivingBytes += chunk.length;
          if (bytes > fileLimitBytes) throw tooLarge(fileLimitBytes);
          if (bytes - looked >= lookEveryBytes) {
            looked = bytes;
            await this.#room();
          }
          await file.write(chunk);
        }
        await this.#room();
        await file.sync();
      } finally {
        await file.close();
      }
      return { path, bytes };
    } catch (thrown) {
      rmSync(path, { force: true });
      throw isFullDisk(thrown) ? diskFull(thrown) : thrown;
    } finally {
      this.#arrivingBytes -= bytes;
    }
  }

  keep(id: string, draft: Draft): Promise<void> {
    return rename(draft.path, this.path(id));
  }

  drop({ path }: Draft): void {
    rmSync(path, { force: true });
  }

  remove(id: string): void {
    rmSync(this.path(id), { force: true });
  }

  /** Throws Failure `storage_full` where nothing more may be kept here. */
  async #room(): Promise<void> {
    const { storeBytes, storedBytes } = this.#options;
    if (storedBytes() + this.#arrivingBytes > storeBytes) {
      throw new Failure(
        "storage_full",
        `Files may take ${storeBytes} bytes here in all, and that is used up. Delete some with DELETE /v1/files/<id>, or ask whoever runs this server to raise batch.storeBytes.`,
      );
    }
    await this.roomOnDisk();
  }

  /** Throws Failure `storage_full` where the disk has no more than it is to be left with. */
  async roomOnDisk(): Promise<void> {
    const { folder, keepFreeBytes } = this.#options;
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < keepFreeBytes) throw diskFull(null);
  }
}

export function isFullDisk(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && (thrown.code === "ENOSPC" || thrown.code === "EDQUOT");
}

function diskFull(cause: unknown): Failure {
  return new Failure(
    "storage_full",
    "The disk of this server has no room for more files. Whoever runs it has to free some.",
    {
      cause,
    },
  );
}

function tooLarge(limitBytes: number): Failure {
  return new Failure("payload_too_large", `The file is larger than ${limitBytes} bytes, the most that is taken.`, {
    param: "file",
  });
}
