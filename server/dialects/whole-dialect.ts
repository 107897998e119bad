/**
 * The contract of a wire shape that is answered in one piece: embeddings, reranking. Pure: objects in, requests and JSON text
 * out. Beside `dialect.ts`, whose subject is a chat and its stream. `test/contracts/` runs one suite over the registry.
 */
import type { Failure } from "../domain/failure.ts";
import type { RateState } from "../domain/rate.ts";
import type { Timings, Usage } from "../domain/usage.ts";
import type { WireFailure } from "./dialect.ts";

/** One decoded body: what is asked of the spine, and how its answer is to be written. */
export interface WholeCall<Request extends { readonly model: string }, Result> {
  readonly request: Request;
  /** Tokens it may cost, before anybody has counted: for rate limits. */
  readonly estimatedTokens: number;
  /** JSON text. */
  encode(result: Result, usage: Usage, timings?: Timings): string;
}

export interface WholeDialect<Request extends { readonly model: string }, Result> {
  readonly id: string;
  /** `unknown` is a parsed JSON body. Throws Failure `invalid_request` with `param`. */
  decode(body: unknown): WholeCall<Request, Result>;
  encodeFailure(failure: Failure): WireFailure;
  /** What a caller's rate limits allow it now, as this wire says it. */
  rateHeaders?(state: RateState): Readonly<Record<string, string>>;
}
