/**
 * Answers that are given again to whoever asks the very same: in memory, bounded, for the aliases whose owner wants it. Runs in
 * the server process. What may be kept and what is the same is decided in `domain/`.
 */
import { createHash } from "node:crypto";
import { answerKeyOf } from "../domain/answer-key.ts";
import type { ChatEvent, ChatRequest, EndEvent } from "../domain/chat.ts";
import { type CacheRule, type KeptAnswer, keptAnswer, mayCache } from "../domain/kept-answer.ts";
import type { Clock } from "../domain/ports.ts";

export interface AnswerCacheOptions {
  /** By alias; an alias that is not here is never cached. */
  readonly rules: Readonly<Record<string, CacheRule>>;
  /** All answers together, by the length of their JSON. */
  readonly maxBytes: number;
  readonly clock: Clock;
}

/** One request's place in the cache. */
export interface CachePlace {
  /** Null: nobody asked this before, or too long ago. */
  readonly found: KeptAnswer | null;
  /** Keeps what came of it, where it is an answer for others. */
  keep(events: readonly ChatEvent[], end: EndEvent): void;
}

export interface AnswerCache {
  /** Null: this request is not cached at all. */
  place(request: ChatRequest, callerId: string): CachePlace | null;
  /** A key has ended: its answers go. Those that all keys share stay. */
  forget(callerId: string): void;
  /** Aliases lead elsewhere now: everything goes. */
  forgetAll(): void;
  view(): { readonly answers: number; readonly bytes: number; readonly hits: number; readonly misses: number };
}

interface Entry {
  readonly answer: KeptAnswer;
  /** Null: shared. */
  readonly callerId: string | null;
  readonly bytes: number;
  /** Monotonic milliseconds. */
  readonly untilMs: number;
}

/** An answer larger than this part of all room is not kept: it would push everything else out. */
const mostOfAll = 1 / 8;

export function createAnswerCache({ rules, maxBytes, clock }: AnswerCacheOptions): AnswerCache {
  /** The least recently used first. */
  const entries = new Map<string, Entry>();
  let bytes = 0;
  let hits = 0;
  let misses = 0;

  function drop(key: string): void {
    const entry = entries.get(key);
    if (entry === undefined) return;
    entries.delete(key);
    bytes -= entry.bytes;
  }

  function find(key: string): KeptAnswer | null {
    const entry = entries.get(key);
    if (entry === undefined) return null;
    if (entry.untilMs <= clock.monotonicMs()) {
      drop(key);
      return null;
    }
    entries.delete(key);
    entries.set(key, entry);
    return entry.answer;
  }

  function add(key: string, entry: Entry): void {
    if (entry.bytes > maxBytes * mostOfAll) return;
    drop(key);
    entries.set(key, entry);
    bytes += entry.bytes;
    for (const oldest of entries.keys()) {
      if (bytes <= maxBytes) break;
      drop(oldest);
    }
  }

  return {
    place(request, callerId) {
      const rule = Object.hasOwn(rules, request.model) ? rules[request.model] : undefined;
      if (rule === undefined || !mayCache(request, rule)) return null;
      const owner = rule.sharedAcrossKeys ? null : callerId;
      // Prompts are not kept: only what tells them apart.
      const key = createHash("sha256")
        .update(`${owner ?? "*"}\0${answerKeyOf(request)}`)
        .digest("base64");
      const found = find(key);
      if (found === null) misses += 1;
      else hits += 1;
      return {
        found,
        keep(events, end) {
          const answer = keptAnswer(events, end);
          if (answer === null) return;
          const size = JSON.stringify(answer).length;
          add(key, { answer, callerId: owner, bytes: size, untilMs: clock.monotonicMs() + rule.ttlMs });
        },
      };
    },
    forget(callerId) {
      for (const [key, entry] of entries) if (entry.callerId === callerId) drop(key);
    },
    forgetAll() {
      entries.clear();
      bytes = 0;
    },
    view: () => ({ answers: entries.size, bytes, hits, misses }),
  };
}
