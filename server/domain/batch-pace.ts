/** How many lines of batches may be under way, so that whoever waits for an answer does not wait for a batch. Pure. */

export interface PaceFacts {
  /** `batch.atOnce` of the settings. */
  readonly most: number;
  /** Requests under way that are no lines of a batch. */
  readonly interactive: number;
  /** Requests of anybody that wait for a slot of the engine. */
  readonly waiting: number;
}

/** Where somebody waits another line would only wait too; beside others one line goes on, so that a busy box gets done with it. */
export function linesAtOnce({ most, interactive, waiting }: PaceFacts): number {
  if (waiting > 0) return 0;
  return interactive > 0 ? 1 : most;
}

/** Tries of one line that met something passing: a full queue, a provider's limit, a model that cannot be had just now. */
export const mostTries = 5;
const longestPauseMs = 300_000;

/** Before the next try; each pause is twice as long as the one before. */
export function pauseMs(retryAfterSeconds: number, tries: number): number {
  return Math.min(longestPauseMs, retryAfterSeconds * 1_000 * 2 ** (tries - 1));
}
