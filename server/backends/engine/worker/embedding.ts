/**
 * What a worker does whose model makes vectors or scores: load, prepare, compute, end. Runs in a worker process; `main.ts`
 * hands it every message that is not about the process itself.
 */
import { asFailure, Failure } from "../../../domain/failure.ts";
import type { PooledAbility } from "../../../domain/model.ts";
import type { FromWorker, ToWorker } from "../protocol.ts";
import { EmbedLoop } from "./embed-loop.ts";
import { loadEmbedder, type NativeEmbedder } from "./native-embedder.ts";

export class Embedding {
  readonly #embedder: NativeEmbedder;
  readonly #loop: EmbedLoop;
  readonly #send: (message: FromWorker) => void;
  /** Being prepared, or prepared and not yet computed. */
  readonly #prepared = new Map<string, readonly Uint32Array[]>();

  private constructor(embedder: NativeEmbedder, slots: number, send: (message: FromWorker) => void) {
    this.#embedder = embedder;
    this.#send = send;
    this.#loop = new EmbedLoop(embedder, slots, {
      monotonicMs: () => performance.now(),
      emit: (id, event) => send({ type: "pooled", id, event }),
    });
  }

  /** Throws the library's error. */
  static async load(
    options: Extract<ToWorker, { type: "load" }>,
    ability: PooledAbility,
    send: (message: FromWorker) => void,
  ): Promise<Embedding> {
    const embedder = await loadEmbedder(options, ability);
    const { contextLength, vocabularySize, gpu, memory } = embedder;
    send({ type: "loaded", contextLength, slots: options.slots, vocabularySize, gpu, memory });
    return new Embedding(embedder, options.slots, send);
  }

  receive(message: ToWorker): void {
    if (message.type === "prepare-inputs") void this.#prepare(message);
    else if (message.type === "embed") this.#embed(message);
    else if (message.type === "drop-inputs") this.#prepared.delete(message.id);
    else if (message.type === "cancel") this.#loop.cancel(message.id);
  }

  view(): ReturnType<EmbedLoop["view"]> {
    return this.#loop.view();
  }

  /** Input by input, with a look at the messages between them: megabytes of text must not make this process seem dead. */
  async #prepare({ id, inputs }: Extract<ToWorker, { type: "prepare-inputs" }>): Promise<void> {
    const prepared: Uint32Array[] = [];
    this.#prepared.set(id, prepared);
    try {
      for (const input of inputs) {
        const tokens = this.#embedder.tokens(input);
        if (tokens.length === 0) throw new Failure("invalid_request", "An input is empty.");
        prepared.push(tokens);
        await new Promise<void>((resolve) => setImmediate(resolve));
        // Dropped meanwhile: nobody waits for the answer any more.
        if (!this.#prepared.has(id)) return;
      }
      this.#send({ type: "inputs-prepared", id, counts: prepared.map((tokens) => tokens.length) });
    } catch (thrown) {
      this.#prepared.delete(id);
      const { code, message } = asFailure(thrown);
      this.#send({ type: "inputs-refused", id, code, message });
    }
  }

  #embed({ id, caller }: Extract<ToWorker, { type: "embed" }>): void {
    const inputs = this.#prepared.get(id);
    this.#prepared.delete(id);
    if (inputs !== undefined) this.#loop.submit({ id, caller, inputs });
  }
}
