/**
 * The text of one answer as its reader sees it: what has arrived and is not settled yet, and a place to read on from. Pure
 * state. Readers are generators that `yield` when they need more text, so that they read the same however it was cut.
 */

/**
 * The worker writes a control token it was asked to show between these two noncharacters, so that the marker `[TOOL_CALLS]`
 * can be told from a model that spells it out: the marker itself is never shown to a client.
 */
export const controlTokenOpen = "\uFDD0";
export const controlTokenClose = "\uFDD1";

/** A step of reading that ends with a `Result`; each `yield` waits for more text or the end of it. */
export type Reading<Result = void> = Generator<void, Result, void>;

interface Range {
  readonly from: number;
  readonly to: number;
}

export class ReplyInput {
  /** Neither given to the client nor dropped. */
  text = "";
  /** Where in `text` to read on. Everything before it is looked at and may still be given back as text. */
  at = 0;
  /** Nothing will be added any more. */
  ended = false;
  /** Read and put aside, before `text`. */
  #aside = "";
  /** Control tokens in `#aside` and `text`. */
  #controls: Range[] = [];
  /** The beginning of a control token whose end has not arrived. */
  #half = "";

  push(piece: string): void {
    let rest = this.#half + piece;
    this.#half = "";
    for (;;) {
      const open = rest.indexOf(controlTokenOpen);
      if (open === -1) break;
      const close = rest.indexOf(controlTokenClose, open);
      this.text += rest.slice(0, open);
      if (close === -1) {
        this.#half = rest.slice(open);
        return;
      }
      const marker = rest.slice(open + 1, close);
      const from = this.#aside.length + this.text.length;
      this.#controls.push({ from, to: from + marker.length });
      this.text += marker;
      rest = rest.slice(close + 1);
    }
    this.text += rest;
  }

  end(): void {
    this.text += this.#half;
    this.#half = "";
    this.ended = true;
  }

  /** Settles the first `length` characters; gives what of them a client may see. */
  take(length: number): string {
    this.bringBack();
    const taken = this.text.slice(0, length);
    this.text = this.text.slice(length);
    this.at = Math.max(0, this.at - length);
    if (this.#controls.length === 0) return taken;
    let shown = "";
    let from = 0;
    const left: Range[] = [];
    for (const control of this.#controls) {
      if (control.from < length) {
        shown += taken.slice(from, control.from);
        from = Math.min(control.to, length);
      }
      if (control.to > length) left.push({ from: Math.max(0, control.from - length), to: control.to - length });
    }
    this.#controls = left;
    return shown + taken.slice(from);
  }

  /**
   * Puts what has been read aside until `bringBack`. Joining every piece to a text that is looked into costs the length of
   * the text each time; a call that is held back may be a whole file.
   */
  putAside(): void {
    this.#aside += this.text.slice(0, this.at);
    this.text = this.text.slice(this.at);
    this.at = 0;
  }

  bringBack(): void {
    if (this.#aside === "") return;
    this.text = this.#aside + this.text;
    this.at += this.#aside.length;
    this.#aside = "";
  }

  /** Settles what has been read, unseen. */
  drop(): void {
    this.bringBack();
    this.take(this.at);
  }

  /** True when there is a character to read, false at the end. */
  *more(): Reading<boolean> {
    while (this.at >= this.text.length) {
      if (this.ended) return false;
      yield;
    }
    return true;
  }

  *skipSpace(): Reading {
    while (yield* this.more()) {
      const space = /^\s*/.exec(this.text.slice(this.at))?.[0].length ?? 0;
      this.at += space;
      if (this.at < this.text.length) return;
    }
  }

  /** Reads exactly this text, or nothing. */
  *accept(wanted: string): Reading<boolean> {
    for (;;) {
      const here = this.text.slice(this.at, this.at + wanted.length);
      if (here === wanted) {
        this.at += wanted.length;
        return true;
      }
      if (this.ended || !wanted.startsWith(here)) return false;
      yield;
    }
  }

  /** The text before `mark`, which is read too; null when it does not come within `limit` characters. */
  *before(mark: string, limit: number): Reading<string | null> {
    for (;;) {
      const end = this.text.indexOf(mark, this.at);
      if (end !== -1 && end - this.at <= limit) {
        const found = this.text.slice(this.at, end);
        this.at = end + mark.length;
        return found;
      }
      if (end !== -1 || this.ended || this.text.length - this.at > limit + mark.length) return null;
      yield;
    }
  }
}

/** Length of the longest end of `text` that one of `marks` begins with, and is not the whole of it. */
export function possibleMark(text: string, marks: readonly string[]): number {
  const longest = marks.reduce((most, mark) => Math.max(most, mark.length), 0);
  for (let length = Math.min(text.length, longest - 1); length > 0; length -= 1) {
    const tail = text.slice(text.length - length);
    if (marks.some((mark) => mark.length > length && mark.startsWith(tail))) return length;
  }
  return 0;
}
