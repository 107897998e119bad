/** How fast this machine computes prompts and steps, from the steps it has made. Pure state, no clock. */

/** Weight of the newest step in the running average. */
const newest = 0.3;
/** Fewer prompt tokens than this say more about the step's fixed cost than about speed. */
const smallestSample = 32;

export class StepSpeed {
  #millisPerPromptToken: number | null = null;
  #decodeStepMs = 0;

  /** Null before the first prompt was computed. */
  get prefillTokensPerSecond(): number | null {
    return this.#millisPerPromptToken === null ? null : 1_000 / Math.max(this.#millisPerPromptToken, 1e-6);
  }

  /** What a step of running streams costs without any prompt tokens. */
  get decodeStepMs(): number {
    return this.#decodeStepMs;
  }

  record(
    turns: readonly { readonly job: { readonly phase: string }; readonly tokens: readonly number[] }[],
    ms: number,
  ): void {
    let promptTokens = 0;
    let decoding = 0;
    for (const turn of turns) {
      if (turn.job.phase === "decode") decoding += 1;
      else promptTokens += turn.tokens.length;
    }
    if (promptTokens === 0) {
      this.#decodeStepMs = average(this.#decodeStepMs === 0 ? null : this.#decodeStepMs, ms);
    } else if (promptTokens >= smallestSample) {
      const prefillMs = Math.max(0, ms - (decoding > 0 ? this.#decodeStepMs : 0));
      this.#millisPerPromptToken = average(this.#millisPerPromptToken, prefillMs / promptTokens);
    }
  }
}

function average(previous: number | null, value: number): number {
  return previous === null ? value : previous + (value - previous) * newest;
}
