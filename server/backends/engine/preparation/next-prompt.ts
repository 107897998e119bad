/**
 * Which waiting prompt the preparation process gets next. Pure. One process serves everybody, one prompt at a time, so a short
 * prompt must not wait behind somebody's thirty thousand tokens, and nobody behind an endless row of short ones.
 */

export interface WaitingPrompt {
  readonly characters: number;
  /** How often a later one went first. */
  readonly passedOver: number;
}

/** Characters the process may have before it has answered: enough small prompts that it never waits for us. */
const mostInHand = 32_768;
/** Passed over so often, a prompt goes before shorter ones. */
const patience = 16;

/** Where the next one stands; -1: the process has enough for now. `waiting` is in the order of arrival. */
export function nextPrompt(waiting: readonly WaitingPrompt[], charactersInHand: number): number {
  if (waiting.length === 0) return -1;
  const starved = waiting.findIndex(({ passedOver }) => passedOver >= patience);
  let best = starved === -1 ? 0 : starved;
  if (starved === -1) {
    for (const [at, { characters }] of waiting.entries()) {
      if (characters < (waiting[best]?.characters ?? 0)) best = at;
    }
  }
  const fits = charactersInHand + (waiting[best]?.characters ?? 0) <= mostInHand;
  return charactersInHand === 0 || fits ? best : -1;
}
