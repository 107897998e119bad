/**
 * One answer that comes to the load: is it the one that was asked for, when did its frames arrive, and what did the way through a
 * gateway add to it. Pure but for the clock.
 */
import { monotonicUs, stampIn } from "./script.ts";

/** What all answers of a load were like. Times are milliseconds. */
export interface Seen {
  readonly answers: number[];
  readonly firsts: number[];
  readonly gaps: number[];
  requests: number;
  failures: number;
  firstFailure: string | null;
  lost: number;
  reordered: number;
}

export class AnswerInCheck {
  readonly #frames: number | null;
  readonly #sentUs = monotonicUs();
  readonly #gaps: number[] = [];
  #text = "";
  #isOk = false;
  #next = 0;
  #reordered = 0;
  #isDone = false;
  #firstMs = 0;
  #last: { readonly arrivedUs: number; readonly sentUs: number } | null = null;

  constructor(frames: number | null) {
    this.#frames = frames;
  }

  head(text: string): void {
    this.#isOk = text.startsWith("HTTP/1.1 200");
  }

  body(piece: Buffer): void {
    this.#text += piece.toString("latin1");
    if (this.#frames === null) return;
    const arrivedUs = monotonicUs();
    const end = this.#text.lastIndexOf("\n");
    if (end === -1) return;
    const lines = this.#text.slice(0, end).split("\n");
    this.#text = this.#text.slice(end + 1);
    for (const line of lines) if (line.startsWith("data:")) this.#frame(line, arrivedUs);
  }

  #frame(line: string, arrivedUs: number): void {
    if (line.startsWith("data: [DONE]")) this.#isDone = true;
    const stamp = stampIn(line);
    if (stamp === null) return;
    if (stamp.number !== this.#next) this.#reordered += 1;
    this.#next = stamp.number + 1;
    if (this.#last === null) this.#firstMs = (arrivedUs - this.#sentUs - (stamp.sentUs - stamp.receivedUs)) / 1000;
    else this.#gaps.push((arrivedUs - this.#last.arrivedUs - (stamp.sentUs - this.#last.sentUs)) / 1000);
    this.#last = { arrivedUs, sentUs: stamp.sentUs };
  }

  /** Adds it to what was seen; what is wrong with it, or null. */
  end(seen: Seen): string | null {
    if (!this.#isOk) return `refused: ${this.#text.slice(0, 200)}`;
    if (this.#frames === null) {
      const stamp = stampIn(this.#text);
      if (stamp === null) return `not the answer: ${this.#text.slice(0, 200)}`;
      seen.answers.push((monotonicUs() - this.#sentUs - (stamp.sentUs - stamp.receivedUs)) / 1000);
      return null;
    }
    const arrived = this.#last === null ? 0 : this.#gaps.length + 1;
    seen.lost += Math.max(0, this.#frames - arrived);
    seen.reordered += this.#reordered;
    if (this.#last !== null) seen.firsts.push(this.#firstMs);
    for (const gap of this.#gaps) seen.gaps.push(gap);
    if (arrived !== this.#frames) return `${arrived} of ${this.#frames} frames arrived`;
    return this.#isDone ? null : "the stream has no [DONE]";
  }
}
