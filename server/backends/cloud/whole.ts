/**
 * Questions to a provider that are answered in one piece: embeddings, reranking. One call, one result, one end. Runs in the server
 * process. Tries once; knows wire shapes by their contract only.
 */
import type { CallFacts } from "../../dialects/called.ts";
import type { CalledWholeDialect, WholeReading } from "../../dialects/called-whole.ts";
import type { EndEvent } from "../../domain/chat.ts";
import type { WholeEvent } from "../../domain/embedding.ts";
import { asFailure } from "../../domain/failure.ts";
import { noTimings, noUsage, type Timings } from "../../domain/usage.ts";
import type { ChatContext } from "../backend.ts";
import { type Asked, ask, failureWithoutSecret, takeKey, withoutSecret } from "./ask.ts";
import { type Answer, type CallControl, callControl, headerOf, upstreamIdOf } from "./call.ts";
import type { TakenKey } from "./keys/key-pool.ts";
import { asUpstreamFailure, readBody } from "./read-answer.ts";

export interface WholeQuestion<Request extends { readonly model: string }, Result> {
  readonly request: Request;
  readonly dialect: CalledWholeDialect<Request, Result>;
  /** Throws a Failure for a model that is not there, or cannot do this. */
  facts(): CallFacts;
  readonly context: ChatContext;
  readonly signal: AbortSignal;
}

/** Throws a Failure only before the first event. */
export async function* askWhole<Request extends { readonly model: string }, Result>(
  asked: Asked,
  { request, dialect, facts: factsOf, context, signal }: WholeQuestion<Request, Result>,
): AsyncGenerator<WholeEvent<Result>> {
  const { settings, clock, keys } = asked;
  const facts = factsOf();
  const startMs = clock.monotonicMs();
  const timings = (): Timings => ({ ...noTimings, prefillMs: clock.monotonicMs() - startMs });
  const aborted = (): EndEvent => ({ type: "aborted", usage: noUsage, timings: timings() });
  if (signal.aborted) {
    yield aborted();
    return;
  }
  const control = callControl(signal);
  let key: TakenKey | null = null;
  let answer: Answer | null = null;
  let reading: WholeReading<Result>;
  try {
    key = takeKey(asked);
    answer = await ask(asked, {
      call: dialect.encodeRequest(request, facts),
      accept: "application/json",
      limitMs: settings.timeouts.wholeMs,
      decodeFailure: dialect.decodeFailure,
      ...{ key, control, context },
    });
    reading = dialect.read(await bodyOf(asked, answer, control), request, facts);
  } catch (thrown) {
    answer?.body.destroy();
    if (signal.aborted) {
      if (key !== null) keys.left(key.id);
      yield aborted();
      return;
    }
    const failure = failureWithoutSecret(asFailure(thrown), key);
    if (key !== null) keys.failed(key.id, failure);
    throw failure;
  } finally {
    control.leave();
  }
  const { upstream } = reading;
  const spent = { usage: upstream.usage, upstream, timings: timings(), ...upstreamIdOf(answer) };
  if (reading.type === "failed") {
    if (key !== null) keys.failed(key.id, reading.failure);
    yield withoutSecret({ type: "failed", failure: reading.failure, ...spent }, key);
    return;
  }
  if (key !== null) keys.worked(key.id);
  // Whoever has left gets nothing, and it was billed all the same.
  if (signal.aborted) {
    yield { type: "aborted", ...spent };
    return;
  }
  yield { type: "result", result: reading.result };
  yield { type: "finished", finishReason: "stop", ...spent };
}

async function bodyOf({ settings, clock }: Asked, answer: Answer, control: CallControl): Promise<string> {
  const reading = { answer, settings, control, clock };
  try {
    return await readBody(reading, headerOf(answer, "content-type"));
  } catch (thrown) {
    throw asUpstreamFailure(reading, thrown);
  }
}
