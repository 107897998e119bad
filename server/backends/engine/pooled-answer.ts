/**
 * One request for vectors or scores from acceptance to its last event: ready → prepare → turn → compute. Runs in the server
 * process. What the model gives is brought here to what clients are promised: length 1, or 0 to 1.
 */
import type { EmbedInput, EmbedRequest, RerankRequest, Scores, Vectors, WholeEvent } from "../../domain/embedding.ts";
import { asFailure, Failure } from "../../domain/failure.ts";
import type { PooledAbility } from "../../domain/model.ts";
import type { Clock } from "../../domain/ports.ts";
import { noUsage } from "../../domain/usage.ts";
import type { ChatContext } from "../backend.ts";
import { abortable } from "./abortable.ts";
import { EventQueue } from "./event-queue.ts";
import { callerOf } from "./generation.ts";
import type { ModelHost } from "./model-host.ts";
import type { PooledEvent, PooledInput } from "./protocol.ts";
import type { Residency, Stay } from "./residency.ts";
import { Times } from "./times.ts";
import { unitVector } from "./unit-vector.ts";
import type { HeldSlot } from "./waiting-line.ts";
import type { WorkerLink } from "./worker-link.ts";

interface Ports {
  readonly clock: Clock;
  readonly residency: Pick<Residency, "stay">;
}

export async function* embeddings(
  host: ModelHost,
  request: EmbedRequest,
  context: ChatContext,
  signal: AbortSignal,
  ports: Ports,
): AsyncIterable<WholeEvent<Vectors>> {
  const ability = abilityOf(host);
  const { dimensions } = request;
  checkDimensions(dimensions, ability, host.file.alias);
  const nameOf = (index: number) => (request.inputs.length === 1 ? "input" : `input[${index}]`);
  for (const [index, input] of request.inputs.entries()) checkTokens(input, nameOf(index), ability);
  const batch: Batch<Vectors> = {
    inputs: request.inputs,
    nameOf,
    param: "input",
    result: (vectors) => vectors.map((vector) => unitVector(vector, dimensions)),
  };
  yield* computed(host, batch, context, signal, ports);
}

export async function* scores(
  host: ModelHost,
  request: RerankRequest,
  context: ChatContext,
  signal: AbortSignal,
  ports: Ports,
): AsyncIterable<WholeEvent<Scores>> {
  const { scoresAreProbabilities } = abilityOf(host);
  const { query, documents } = request;
  const batch: Batch<Scores> = {
    inputs: documents.map((document) => ({ type: "pair", query, document })),
    nameOf: (index) => `documents[${index}]`,
    param: "documents",
    result: (vectors) => {
      const raw = vectors.map((vector) => vector[0] ?? 0);
      return scoresAreProbabilities ? raw : raw.map((logit) => 1 / (1 + Math.exp(-logit)));
    },
  };
  yield* computed(host, batch, context, signal, ports);
}

interface Batch<Result> {
  readonly inputs: readonly PooledInput[];
  /** How the client wrote input `index`. */
  nameOf(index: number): string;
  /** The field at fault when it is none of the inputs. */
  readonly param: string;
  result(vectors: readonly Float32Array[]): Result;
}

/** A place among the requests that the worker computes in turns. */
interface Turn {
  readonly link: WorkerLink;
  /** Tokens of each input. */
  readonly counts: readonly number[];
  readonly slot: HeldSlot;
}

async function* computed<Result>(
  host: ModelHost,
  batch: Batch<Result>,
  context: ChatContext,
  signal: AbortSignal,
  { clock, residency }: Ports,
): AsyncIterable<WholeEvent<Result>> {
  const times = new Times(clock);
  const { requestId, callerName } = context;
  checkTexts(batch, host);
  const place = host.line.arrive({ ...callerOf(context), side: false });
  let turn: Turn | null = null;
  let stay: Stay | null = null;
  /** The worker that keeps our prepared inputs and has not been told what to do with them. */
  let keeper: WorkerLink | null = null;
  try {
    stay = await residency.stay(host, signal);
    while (turn === null) {
      const link: WorkerLink = await abortable(host.ready(), signal);
      times.mark("loadMs");
      keeper = link;
      const counts = await abortable(prepared(link, requestId, batch), signal);
      if (counts === null) continue;
      checkLengths(counts, batch, host);
      const slot = await place.enter(sum(counts), signal);
      times.mark("queueMs");
      if (link.alive) turn = { link, counts, slot };
      else {
        slot.cost(0);
        slot.giveBack();
      }
    }
    keeper = null;
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    yield { type: "aborted", usage: noUsage, timings: times.known() };
    return;
  } finally {
    place.leave();
    keeper?.dropInputs(requestId);
    if (turn === null) stay?.end();
  }

  const { link, counts, slot } = turn;
  const queue = new EventQueue<PooledEvent>(() => null);
  context.computing?.();
  // The slot is given back when the worker says that it is done, not when the reader has read it.
  link.embed(requestId, callerName, (event) => {
    if (event.type !== "vector") {
      slot.cost(event.promptTokens);
      slot.giveBack();
      stay?.end();
    }
    queue.push(event);
  });
  const cancel = () => link.cancel(requestId);
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  const vectors: Float32Array[] = [];
  /** What we know of the usage if the process dies without saying. */
  let seenTokens = 0;
  let ended = false;
  try {
    while (!ended) {
      const event = await queue.next();
      if (event.type === "vector") {
        seenTokens += counts[vectors.length] ?? 0;
        vectors.push(vectorOf(event.vector));
        continue;
      }
      ended = true;
      const usage = { ...noUsage, promptTokens: Math.max(event.promptTokens, seenTokens) };
      const timings = { ...times.known(), prefillMs: event.computeMs };
      if (event.type === "cancelled") yield { type: "aborted", usage, timings };
      else if (event.type === "failed") {
        yield { type: "failed", failure: new Failure(event.code, event.message), usage, timings };
      } else {
        yield { type: "result", result: batch.result(vectors) };
        yield { type: "finished", finishReason: "stop", usage, timings };
      }
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    if (!ended) {
      cancel();
      stay?.end();
    }
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** Tokens of each input; null when the worker died over it: nothing was lost, the next one prepares them again. */
async function prepared(link: WorkerLink, id: string, batch: Batch<unknown>): Promise<readonly number[] | null> {
  try {
    return await link.prepareInputs(id, batch.inputs);
  } catch (thrown) {
    const { code, message } = asFailure(thrown);
    if (code === "worker_died") return null;
    throw new Failure(code, message, { param: batch.param });
  }
}

/** More than this many characters per token no tokenizer makes of a real text, as the preparer has it for prompts. */
const mostCharactersPerToken = 512;

/** Refuses what is hopelessly long before anybody spends seconds on counting it. */
function checkTexts(batch: Batch<unknown>, host: ModelHost): void {
  const { contextLength } = host;
  const most = contextLength * mostCharactersPerToken;
  for (const [index, input] of batch.inputs.entries()) {
    const length = lengthOf(input);
    if (length <= most) continue;
    const name = batch.nameOf(index);
    const unit = input.type === "tokens" ? "tokens" : "characters";
    throw new Failure(
      "context_length_exceeded",
      `maximum context length is ${contextLength} tokens for "${host.file.alias}"; ${name} has ${length} ${unit}.`,
      { param: name },
    );
  }
}

function lengthOf(input: PooledInput): number {
  if (input.type === "text") return input.text.length;
  return input.type === "tokens" ? input.tokens.length : input.query.length + input.document.length;
}

function checkLengths(counts: readonly number[], batch: Batch<unknown>, host: ModelHost): void {
  const { contextLength } = host;
  const index = counts.findIndex((count) => count > contextLength);
  if (index === -1) return;
  const name = batch.nameOf(index);
  throw new Failure(
    "context_length_exceeded",
    `maximum context length is ${contextLength} tokens for "${host.file.alias}"; ${name} has ${counts[index]}. ` +
      "Shorten it or split it; nothing was cut.",
    { param: name },
  );
}

function checkDimensions(dimensions: number | null, { embeddingLength }: PooledAbility, alias: string): void {
  if (dimensions === null || (dimensions >= 1 && dimensions <= embeddingLength)) return;
  throw new Failure(
    "invalid_request",
    `'dimensions' must be from 1 to ${embeddingLength}, the length of the vectors of "${alias}"; it is ${dimensions}.`,
    { param: "dimensions" },
  );
}

function checkTokens(input: EmbedInput, name: string, { vocabularySize }: PooledAbility): void {
  if (input.type !== "tokens") return;
  const index = input.tokens.findIndex((token) => token >= vocabularySize);
  if (index === -1) return;
  const param = `${name}[${index}]`;
  throw new Failure(
    "invalid_request",
    `${param} is ${input.tokens[index]}, but this model's tokens are 0 to ${vocabularySize - 1}.`,
    { param },
  );
}

/** The engine hands only models here that have one. */
function abilityOf(host: ModelHost): PooledAbility {
  const { pooled } = host.file;
  if (pooled === null) throw new Failure("internal", "A chat model was asked for a vector.");
  return pooled;
}

function vectorOf(base64: string): Float32Array {
  const bytes = Buffer.from(base64, "base64");
  // A copy: a buffer from the pool may begin at any byte, and numbers may not.
  return new Float32Array(Uint8Array.from(bytes).buffer);
}
