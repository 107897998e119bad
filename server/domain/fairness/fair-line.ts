/**
 * A line in which callers take turns by tokens. Within one caller it is first come, first served, but for side requests:
 * agents ask for a title or a memory beside the request that a person waits for. Pure state, no clock.
 */
import { TokenTurns } from "./token-turns.ts";

export interface LineEntry {
  /** Who takes turns. */
  readonly caller: string;
  /** Grows with every arrival; an entry that comes back with its old number gets its old place. */
  readonly arrival: number;
  /** What it will cost as far as known: the prompt. */
  readonly tokens: number;
  /** Lets this caller's other requests pass. */
  readonly side: boolean;
}

/** After so many requests have passed a waiting side request, one side request goes: a chat beside agents must not starve. */
const mostPassing = 4;

interface OneCaller<Entry> {
  readonly main: Entry[];
  readonly side: Entry[];
  /** Main requests that went while a side request waited. */
  passed: number;
}

export class FairLine<Entry extends LineEntry> {
  readonly #turns = new TokenTurns();
  readonly #lines = new Map<string, OneCaller<Entry>>();
  /** Callers that keep their turn while nothing of theirs is in the line. */
  readonly #staying = new Set<string>();
  #size = 0;

  /**
   * The caller has something on its way: what it is owed is kept, whether or not an entry of it is in the line just now.
   * Whoever was away begins level with the rest.
   */
  stay(caller: string): void {
    if (this.#staying.has(caller)) return;
    if (!this.#lines.has(caller)) this.#turns.begin(caller);
    this.#staying.add(caller);
  }

  /** Nothing of it is on its way any more. */
  goAway(caller: string): void {
    this.#staying.delete(caller);
  }

  get size(): number {
    return this.#size;
  }

  /** Callers that have an entry here. */
  get callers(): readonly string[] {
    return [...this.#lines.keys()];
  }

  add(entry: Entry): void {
    const { caller, side } = entry;
    let line = this.#lines.get(caller);
    if (line === undefined) {
      line = { main: [], side: [], passed: 0 };
      this.#lines.set(caller, line);
      if (!this.#staying.has(caller)) this.#turns.begin(caller);
    }
    const entries = side ? line.side : line.main;
    const later = entries.findLastIndex((other) => other.arrival < entry.arrival);
    entries.splice(later + 1, 0, entry);
    this.#size += 1;
  }

  remove(entry: Entry): void {
    const line = this.#lines.get(entry.caller);
    const entries = entry.side ? line?.side : line?.main;
    const at = entries?.indexOf(entry) ?? -1;
    if (line === undefined || entries === undefined || at === -1) return;
    entries.splice(at, 1);
    this.#took(entry.caller, line);
  }

  /** Takes the entry whose turn it is and charges its caller; null when nobody waits. */
  next(): Entry | null {
    const caller = leastServed(this.#lines.keys(), (one) => this.#turns.served(one));
    const line = caller === null ? undefined : this.#lines.get(caller);
    if (caller === null || line === undefined) return null;
    const entry = takeOwn(line);
    if (entry === null) return null;
    this.#turns.goes(caller);
    this.#turns.charge(caller, entry.tokens);
    this.#took(caller, line);
    return entry;
  }

  /** Corrects what `next` charged, and adds what was computed since. */
  charge(caller: string, tokens: number): void {
    this.#turns.charge(caller, tokens);
  }

  /** Everybody in the order in which they would go if nobody came and answers cost nothing. */
  order(): readonly Entry[] {
    const served = new Map<string, number>();
    const lines = new Map<string, OneCaller<Entry>>();
    for (const [caller, { main, side, passed }] of this.#lines) {
      served.set(caller, this.#turns.served(caller));
      lines.set(caller, { main: [...main], side: [...side], passed });
    }
    const ordered: Entry[] = [];
    for (;;) {
      const caller = leastServed(lines.keys(), (one) => served.get(one) ?? 0);
      const line = caller === null ? undefined : lines.get(caller);
      const entry = line === undefined ? null : takeOwn(line);
      if (caller === null || line === undefined || entry === null) return ordered;
      ordered.push(entry);
      served.set(caller, (served.get(caller) ?? 0) + entry.tokens);
      if (line.main.length + line.side.length === 0) lines.delete(caller);
    }
  }

  #took(caller: string, line: OneCaller<Entry>): void {
    this.#size -= 1;
    if (line.main.length + line.side.length === 0) this.#lines.delete(caller);
  }
}

/** On a tie the caller that began to wait first. */
function leastServed(callers: Iterable<string>, served: (caller: string) => number): string | null {
  let least: { readonly caller: string; readonly tokens: number } | null = null;
  for (const caller of callers) {
    const tokens = served(caller);
    if (least === null || tokens < least.tokens) least = { caller, tokens };
  }
  return least?.caller ?? null;
}

/** Which of a caller's own entries goes. */
function takeOwn<Entry>(line: OneCaller<Entry>): Entry | null {
  const sideGoes = line.main.length === 0 || (line.side.length > 0 && line.passed >= mostPassing);
  line.passed = sideGoes || line.side.length === 0 ? 0 : line.passed + 1;
  return (sideGoes ? line.side : line.main).shift() ?? null;
}
