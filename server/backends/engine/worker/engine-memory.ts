/**
 * What the engine took, from the lines it writes while it loads: the only place where weights, KV and compute buffers are
 * told apart. Pure text in, bytes out. Its figures have two decimals of a MiB, so they are exact to 5 KiB.
 */
import type { EngineMemory } from "../protocol.ts";

const mebibyte = 2 ** 20;

type Kind = "model" | "KV" | "RS" | "output" | "compute";

interface BufferLine {
  readonly kind: Kind;
  readonly name: string;
  readonly bytes: number;
}

const bufferPattern = /(\S+)\s+(model|KV|RS|output|compute) buffer size =\s*(\d+(?:\.\d+)?) MiB/g;
/** Buffers of the machine's own memory: the CPU's, and what a GPU's driver pins there. */
const ramPattern = /^(CPU|AMX|BLAS)|_Host$/;

export class EngineMemoryLog {
  #model: BufferLine[] = [];
  #context: BufferLine[] = [];
  #compute: BufferLine[] = [];

  /** Any text of the engine's log, one line or several. The lines of an attempt that was begun again do not count. */
  note(text: string): void {
    for (const line of text.split("\n")) {
      if (line.includes("loading model tensors")) this.#model = [];
      if (line.includes("constructing llama_context")) [this.#context, this.#compute] = [[], []];
      if (/\breserving \.\.\./.test(line)) this.#compute = [];
      for (const [, name = "", kind, mebibytes] of line.matchAll(bufferPattern)) {
        const found: BufferLine = { kind: kind as Kind, name, bytes: Math.round(Number(mebibytes) * mebibyte) };
        if (kind === "model") this.#model.push(found);
        else if (kind === "compute") this.#compute.push(found);
        else this.#context.push(found);
      }
    }
  }

  /** `modelBytes`: of all tensors, as the engine counts them. Null: the log did not say enough. */
  figures(modelBytes: number): EngineMemory | null {
    if (this.#model.length === 0 || this.#compute.length === 0) return null;
    const ramOf = (lines: readonly BufferLine[]) => total(lines.filter(({ name }) => ramPattern.test(name)));
    const vramOf = (lines: readonly BufferLine[]) => total(lines) - ramOf(lines);
    // What is repacked for the CPU is a copy; the pages of the file behind it are dropped when memory is short.
    const ramWeights = Math.min(ramOf(this.#model), modelBytes);
    const kv = this.#context.filter(({ kind }) => kind !== "output");
    const output = this.#context.filter(({ kind }) => kind === "output");
    const working = [...this.#compute, ...output];
    return {
      weights: ramWeights + vramOf(this.#model),
      kv: total(kv),
      compute: total(working),
      ramBytes: ramWeights + ramOf(kv) + ramOf(working),
      vramBytes: vramOf(this.#model) + vramOf(kv) + vramOf(working),
    };
  }
}

function total(lines: readonly BufferLine[]): number {
  return lines.reduce((sum, { bytes }) => sum + bytes, 0);
}
