/**
 * The contract of a wire shape that we call and that is answered in one piece: embeddings, reranking. Pure: objects in, one HTTP
 * call out, JSON text back in. Beside `called.ts`, whose subject is a chat; `encodeRequest` and `decodeFailure` are as there.
 * `test/contracts/` runs one suite over the registry `calledWhole` in `index.ts`.
 */
import type { Failure } from "../domain/failure.ts";
import type { UpstreamUsage } from "../domain/upstream-usage.ts";
import type { CallFacts, UpstreamRefusal, WireCall } from "./called.ts";

/** What came back. `upstream` is said in both cases: a broken answer may have been billed. */
export type WholeReading<Result> =
  | { readonly type: "read"; readonly result: Result; readonly upstream: UpstreamUsage }
  | { readonly type: "failed"; readonly failure: Failure; readonly upstream: UpstreamUsage };

export interface CalledWholeDialect<Request extends { readonly model: string }, Result> {
  readonly id: string;
  /** Throws Failure `unsupported` for what this shape cannot carry. */
  encodeRequest(request: Request, facts: CallFacts): WireCall;
  /**
   * An answer under a success status. Never throws; what is not whole (one result per input, each once, all of one kind) is
   * `upstream_failed`, and what ends too early `upstream_cut`: never a result made up here.
   */
  read(body: string, request: Request, facts: CallFacts): WholeReading<Result>;
  decodeFailure(refusal: UpstreamRefusal): Failure;
}
