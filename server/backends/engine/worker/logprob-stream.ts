/**
 * Log-probabilities wait here until the text of their tokens leaves: text is held back while it may be half a character or
 * half a stop string. Pure state.
 */
import type { ChosenLogprob } from "../../../domain/chat.ts";

export class LogprobStream {
  #waiting: ChosenLogprob[] = [];
  /** Bytes of text that have left and whose tokens have not. */
  #ahead = 0;

  /** A token without text of its own (an end-of-turn token) has nothing to be beside. */
  push(entry: ChosenLogprob): void {
    if (entry.bytes.length > 0) this.#waiting.push(entry);
  }

  /** The tokens whose bytes lie wholly in the text that has left by now, this piece included. */
  release(text: string): readonly ChosenLogprob[] {
    this.#ahead += Buffer.byteLength(text);
    let count = 0;
    for (const { bytes } of this.#waiting) {
      if (bytes.length > this.#ahead) break;
      this.#ahead -= bytes.length;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }
}
