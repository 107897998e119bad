/**
 * What a batch has written so far: its output and its error file. Runs in the server. Each line goes to the disk in one piece and in
 * turn; one that a killed server tore is cut off when the batch goes on, and what is there already says which lines are done.
 */
import { closeSync, openSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { writtenLine } from "../dialects/openai-batch/lines.ts";
import { addUsage, noUsage, type Usage } from "../domain/usage.ts";
import { isFullDisk } from "./contents.ts";
import { textLines } from "./text-lines.ts";

export interface WrittenFacts {
  readonly completed: number;
  readonly failed: number;
  readonly usage: Usage;
}

interface OneFile {
  readonly handle: FileHandle;
  bytes: number;
}

/** No line of ours is longer: answers are bounded by their context. */
const longestLineBytes = 2 ** 30;

export class Written {
  readonly #output: OneFile;
  readonly #errors: OneFile;
  readonly #done: Set<string>;
  #facts: WrittenFacts;
  #last: Promise<unknown> = Promise.resolve();
  /** Resolves when a full disk may be tried again; false: give up. */
  readonly #wait: () => Promise<boolean>;

  private constructor(
    files: { readonly output: OneFile; readonly errors: OneFile },
    done: Set<string>,
    facts: WrittenFacts,
    wait: () => Promise<boolean>,
  ) {
    this.#output = files.output;
    this.#errors = files.errors;
    this.#done = done;
    this.#facts = facts;
    this.#wait = wait;
  }

  /** Makes the files where there are none, else reads and mends them. Throws what the file system throws. */
  static async open(
    paths: { readonly output: string; readonly errors: string },
    wait: () => Promise<boolean>,
  ): Promise<Written> {
    const done = new Set<string>();
    let usage = noUsage;
    const counts = { output: 0, errors: 0 };
    const opened: FileHandle[] = [];
    const mended = async (which: "output" | "errors"): Promise<OneFile> => {
      const path = paths[which];
      closeSync(openSync(path, "a", 0o600));
      let bytes = 0;
      for await (const line of textLines(path, longestLineBytes)) {
        const said = line.whole && line.text !== null ? writtenLine(line.text) : null;
        // Whatever is behind a torn line cannot be trusted: it is answered again.
        if (said === null) break;
        bytes = line.endBytes;
        done.add(said.customId);
        usage = addUsage(usage, said.usage);
        counts[which] += 1;
      }
      const handle = await open(path, "r+");
      opened.push(handle);
      await handle.truncate(bytes);
      return { handle, bytes };
    };
    try {
      const files = { output: await mended("output"), errors: await mended("errors") };
      return new Written(files, done, { completed: counts.output, failed: counts.errors, usage }, wait);
    } catch (thrown) {
      for (const handle of opened) await handle.close();
      throw thrown;
    }
  }

  get facts(): WrittenFacts {
    return this.#facts;
  }

  get bytes(): { readonly output: number; readonly errors: number } {
    return { output: this.#output.bytes, errors: this.#errors.bytes };
  }

  isDone(customId: string): boolean {
    return this.#done.has(customId);
  }

  /** Resolves when the line is in its file; false: it is not, because the disk is full and nobody waits any longer. */
  add(customId: string, text: string, how: { readonly completed: boolean; readonly usage: Usage }): Promise<boolean> {
    const adding = this.#last.then(async () => {
      const file = how.completed ? this.#output : this.#errors;
      if (!(await this.#append(file, Buffer.from(text)))) return false;
      this.#done.add(customId);
      const { completed, failed, usage } = this.#facts;
      this.#facts = {
        completed: completed + (how.completed ? 1 : 0),
        failed: failed + (how.completed ? 0 : 1),
        usage: addUsage(usage, how.usage),
      };
      return true;
    });
    this.#last = adding.catch(() => {});
    return adding;
  }

  async #append(file: OneFile, bytes: Buffer): Promise<boolean> {
    for (;;) {
      try {
        let written = 0;
        while (written < bytes.length) {
          const part = await file.handle.write(bytes, written, bytes.length - written, file.bytes + written);
          written += part.bytesWritten;
        }
        file.bytes += bytes.length;
        return true;
      } catch (thrown) {
        await file.handle.truncate(file.bytes);
        if (!isFullDisk(thrown)) throw thrown;
        if (!(await this.#wait())) return false;
      }
    }
  }

  /** Brings everything to the disk. */
  async close(): Promise<void> {
    await this.#last;
    for (const { handle } of [this.#output, this.#errors]) {
      await handle.sync();
      await handle.close();
    }
  }
}
