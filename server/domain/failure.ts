/**
 * The one failure type of the product. Pure: no I/O, no clock, imported by every room and by the renderer.
 *
 * A Failure carries a machine code, a message that is safe to show to whoever asked (no path, no stack, no key) and the
 * cause for the log. Whether a retry or a fallback may help is a property of the code, not of the place that threw it.
 */

/** What each code allows. `httpStatus` is what every HTTP dialect answers before a response has begun. */
export interface FailureKind {
  readonly httpStatus: number;
  /** The same target may succeed when asked again. */
  readonly mayRetry: boolean;
  /** Another target may succeed where this one did not. */
  readonly mayFallBack: boolean;
  /** Who is left alone for a while after it: the key it was asked with, or the whole target. Absent: nobody. */
  readonly coolsDown?: "key" | "target";
}

export const failureKinds = Object.freeze({
  /** The body or a field of it is wrong; `param` names the field. */
  invalid_request: { httpStatus: 400, mayRetry: false, mayFallBack: false },
  /** Prompt plus room for the answer does not fit into one slot's context. */
  context_length_exceeded: { httpStatus: 400, mayRetry: false, mayFallBack: true },
  /** No key, or one we do not know. The two are told apart by the message only. */
  unknown_key: { httpStatus: 401, mayRetry: false, mayFallBack: false },
  /** A known caller that may not do this, or a foreign Host or Origin. */
  forbidden: { httpStatus: 403, mayRetry: false, mayFallBack: false },
  /** The caller's key is for other aliases and models. */
  model_not_allowed: { httpStatus: 403, mayRetry: false, mayFallBack: false },
  /** No such path or thing. */
  not_found: { httpStatus: 404, mayRetry: false, mayFallBack: false },
  model_not_found: { httpStatus: 404, mayRetry: false, mayFallBack: false },
  method_not_allowed: { httpStatus: 405, mayRetry: false, mayFallBack: false },
  payload_too_large: { httpStatus: 413, mayRetry: false, mayFallBack: false },
  unsupported_media_type: { httpStatus: 415, mayRetry: false, mayFallBack: false },
  /** The caller's own rate is used up. */
  rate_limited: { httpStatus: 429, mayRetry: false, mayFallBack: false },
  /** The model's queue is at its bound. */
  queue_full: { httpStatus: 429, mayRetry: false, mayFallBack: true },
  /** Something unexpected of our own; the details are in the log only. */
  internal: { httpStatus: 500, mayRetry: false, mayFallBack: false },
  /** The worker process ended while it held this request. */
  worker_died: { httpStatus: 503, mayRetry: false, mayFallBack: true },
  /** The model cannot be loaded, or keeps crashing; the message says why. */
  model_unavailable: { httpStatus: 503, mayRetry: false, mayFallBack: true },
  /** The model needs more memory than models may take here, or than pinned ones leave; the message has the figures. */
  no_room: { httpStatus: 503, mayRetry: false, mayFallBack: true },
  /** The rented machine it runs on is asleep, or on its way; the message says when it is expected. */
  rental_asleep: { httpStatus: 503, mayRetry: false, mayFallBack: true },
  /** It could not be started or rented; the message says why. */
  rental_failed: { httpStatus: 503, mayRetry: false, mayFallBack: true },
  /** The rented machine went away with the request. Nobody is left alone for it: others of the same name may be well. */
  rental_lost: { httpStatus: 503, mayRetry: true, mayFallBack: true },
  /** Whoever asked had the answer stopped from elsewhere. */
  cancelled: { httpStatus: 409, mayRetry: false, mayFallBack: false },
  /** Somebody uses the model that is to be unloaded. Said to the admin only. */
  model_busy: { httpStatus: 409, mayRetry: true, mayFallBack: false },
  /** An answer in one piece takes longer than the way to its reader allows; the message says what to do. */
  stream_needed: { httpStatus: 400, mayRetry: false, mayFallBack: false },
  /** The box is stopping; new work is refused. */
  shutting_down: { httpStatus: 503, mayRetry: false, mayFallBack: true },
  /** A content part, tool or wish that this target cannot serve; `param` names it. */
  unsupported: { httpStatus: 400, mayRetry: false, mayFallBack: true },
  /** A budget is used up. Nothing was sent upstream. */
  budget_exceeded: { httpStatus: 402, mayRetry: false, mayFallBack: false },
  /** The upstream finds the request wrong; its words are passed on. */
  upstream_invalid_request: { httpStatus: 400, mayRetry: false, mayFallBack: false },
  /** The provider's filter withheld the answer. */
  content_filtered: { httpStatus: 400, mayRetry: false, mayFallBack: false },
  /** The upstream does not take our key for it (401, 403). */
  upstream_key_refused: { httpStatus: 502, mayRetry: true, mayFallBack: true, coolsDown: "key" },
  /** Our account there has no credit or quota left. */
  upstream_quota: { httpStatus: 502, mayRetry: true, mayFallBack: true, coolsDown: "key" },
  upstream_model_missing: { httpStatus: 502, mayRetry: false, mayFallBack: true, coolsDown: "target" },
  upstream_rate_limited: { httpStatus: 429, mayRetry: true, mayFallBack: true, coolsDown: "key" },
  /** 503 and 529: it has too much to do. */
  upstream_overloaded: { httpStatus: 503, mayRetry: true, mayFallBack: true, coolsDown: "target" },
  /** Any other 5xx, or an answer that is none. */
  upstream_failed: { httpStatus: 502, mayRetry: true, mayFallBack: true, coolsDown: "target" },
  /** Connection refused, reset, no such name, TLS. */
  upstream_unreachable: { httpStatus: 502, mayRetry: true, mayFallBack: true, coolsDown: "target" },
  /** Nothing came in the time it had. */
  upstream_timeout: { httpStatus: 504, mayRetry: true, mayFallBack: true, coolsDown: "target" },
  /** The answer broke off after it had begun. */
  upstream_cut: { httpStatus: 502, mayRetry: true, mayFallBack: true, coolsDown: "target" },
  /** Every place that could answer is cooling down or was tried; the message names them. */
  no_target: { httpStatus: 503, mayRetry: false, mayFallBack: false },
  /** No room on the disk, or in what this box keeps for clients; the message says which. */
  storage_full: { httpStatus: 507, mayRetry: false, mayFallBack: false },
  /** The ledger cannot be written; what costs money is refused. */
  ledger_unavailable: { httpStatus: 503, mayRetry: false, mayFallBack: false },
  /** Settings, data folder or keys do not allow a start as asked: exit 78. Said at a terminal, not over HTTP. */
  cannot_start: { httpStatus: 500, mayRetry: false, mayFallBack: false },
} satisfies Record<string, FailureKind>);

export type FailureCode = keyof typeof failureKinds;

/** Tokens. Some clients read these figures out of the message to shorten a conversation by as much as is needed. */
export interface Overflow {
  /** At least so many. */
  readonly promptTokens: number;
  readonly mostPromptTokens: number;
}

export interface FailureOptions {
  /** The request field at fault, as the client wrote it: `messages[2].content`. */
  readonly param?: string;
  readonly cause?: unknown;
  /** Integer seconds, 1 to 60. Every 429 and 503 gets one; 5 when nobody knows better. */
  readonly retryAfterSeconds?: number;
  /** How long the upstream itself asks to be left alone, uncut; null or absent: it did not say. */
  readonly coolDownMs?: number | null;
  /** Of a prompt that does not fit: how long it is and how long one may be. */
  readonly overflow?: Overflow;
  /** The reason in one sentence, for a person at a terminal. */
  readonly why?: string;
  /** Paste-ready next steps for a person at a terminal. */
  readonly next?: readonly string[];
}

export class Failure extends Error {
  readonly code: FailureCode;
  readonly param: string | null;
  readonly retryAfterSeconds: number | null;
  readonly coolDownMs: number | null;
  readonly overflow: Overflow | null;
  readonly why: string | null;
  readonly next: readonly string[];

  constructor(code: FailureCode, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Failure";
    this.code = code;
    this.param = options.param ?? null;
    this.coolDownMs = options.coolDownMs ?? null;
    this.overflow = options.overflow ?? null;
    this.why = options.why ?? null;
    this.next = options.next ?? [];
    const status = failureKinds[code].httpStatus;
    const needsRetryAfter = status === 429 || status === 503;
    const asked = options.retryAfterSeconds;
    this.retryAfterSeconds =
      asked === undefined ? (needsRetryAfter ? 5 : null) : Math.min(60, Math.max(1, Math.ceil(asked)));
  }

  get kind(): FailureKind {
    return failureKinds[this.code];
  }
}

/** Anything thrown becomes a Failure; what was not one already is `internal`, with the original as its cause. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  return new Failure("internal", "Something went wrong inside Lanthorn. The log has the details.", { cause: thrown });
}
