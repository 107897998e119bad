/**
 * Answers that clients asked to be kept, with what they answer, so that a conversation goes on by a name. Pure types; kept by
 * `server/ledger`, read by `server/http`, and gone after their time.
 */

export interface StoredResponse {
  readonly id: string;
  /** The one it goes on from; null: the first. */
  readonly previousId: string | null;
  /** Epoch milliseconds, as is the next. */
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** The items of this turn alone, as the client sent them. */
  readonly input: readonly Readonly<Record<string, unknown>>[];
  /** The response object, as the client got it. */
  readonly response: Readonly<Record<string, unknown>>;
}

export interface FoundResponse extends StoredResponse {
  /** Of JSON text that it takes. */
  readonly characters: number;
}

/** `caller` is `callerId`: nobody reads what another has. Every method is done when it returns and throws `ledger_unavailable`. */
export interface StoredResponses {
  keep(caller: string, response: StoredResponse): void;
  /** Null: none, deleted, expired or somebody else's. */
  find(caller: string, id: string, nowMs: number): FoundResponse | null;
  /** The response that has this item in its input or output; null as above. */
  holderOf(caller: string, itemId: string, nowMs: number): FoundResponse | null;
  /** They stay at least until then. */
  prolong(caller: string, ids: readonly string[], expiresAtMs: number): void;
  /** False as `find`'s null. */
  remove(caller: string, id: string, nowMs: number): boolean;
  /** Everything of this caller: its key has ended. */
  forget(caller: string): void;
}
