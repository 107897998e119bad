/** A caller's word on whether an answer did what it was for. Types only. */

export interface Feedback {
  readonly requestId: string;
  readonly ok: boolean;
  readonly note: string | null;
  /** Epoch milliseconds. */
  readonly saidAtMs: number;
}

export interface FeedbackStore {
  /** The last word counts. False: there is no such request. Throws Failure `ledger_unavailable`. */
  keep(feedback: Feedback): boolean;
}
