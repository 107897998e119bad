/**
 * The keys of one provider while the server runs: who is next, who rests and why. Holds secrets in memory; gives one out only to
 * the call it is for, and shows others its last characters. Runs in the server process.
 */
import type { Failure, FailureCode } from "../../../domain/failure.ts";
import type { Clock } from "../../../domain/ports.ts";
import { chooseKey, firstBack, type KeyFacts, restMs } from "./key-choice.ts";
import type { LimitsView } from "../limits.ts";

/** A key as it was found. */
export interface FoundKey {
  /** `environment OPENAI_API_KEY`, `file`, `stored 3`: where it can be changed. */
  readonly source: string;
  readonly secret: string;
  readonly weight: number;
  readonly label: string | null;
}

export interface KeyView {
  readonly source: string;
  readonly label: string | null;
  /** `…9f3c`; of a short one nothing. */
  readonly tail: string;
  readonly weight: number;
  readonly state: "ready" | "cooling";
  readonly code: FailureCode | null;
  /** Why it rests, in words a person reads; empty: it does not. */
  readonly reason: string;
  /** Epoch milliseconds; null: it does not rest. */
  readonly until: number | null;
  /** What the provider last said is left for it. */
  readonly limits: LimitsView | null;
}

export interface TakenKey {
  readonly id: string;
  readonly secret: string;
}

export interface KeyPool {
  /** Null: none can be used now. The first call after a rest is a try; until it is known what came of it the key is nobody else's. */
  take(): TakenKey | null;
  /** For what is no answer and tells nothing of the key: a list, a count. Null: none can be used now. */
  look(): TakenKey | null;
  /** The provider took it: an answer begins. */
  passed(id: string): void;
  /** The call ended without telling anything. */
  left(id: string): void;
  /** Sends it to rest where the failure is about the key. */
  failed(id: string, failure: Failure): void;
  worked(id: string): void;
  saw(id: string, limits: LimitsView): void;
  /** Those that are still there keep their rest; a changed one begins anew. */
  replace(keys: readonly FoundKey[]): void;
  readonly size: number;
  /** Why nobody can be asked now and when somebody can, by monotonic time; null: somebody can. */
  blocked(): { readonly failure: Failure | null; readonly retryAtMs: number | null } | null;
  view(): readonly KeyView[];
}

interface Held extends KeyFacts, FoundKey {
  coolsUntilMs: number | null;
  cooledAtMs: number | null;
  strikes: number;
  lastFailure: Failure | null;
  limits: LimitsView | null;
  /** `due`: the next call is its try after a rest. A number: since when, monotonic milliseconds, that try is under way. */
  trial: "due" | number | null;
}

/** A try of which nothing was heard for so long keeps nobody away any more. */
const longestTrialMs = 60_000;
/** When to look again where a try is all that is waited for. */
const trialLookMs = 1_000;

/** Fewer characters than this are too few to show a part of them. */
const shortestShown = 12;

export function tailOf(secret: string): string {
  return secret.length < shortestShown ? "…" : `…${secret.slice(-4)}`;
}

export function createKeyPool(ports: { readonly clock: Clock; readonly random: () => number }): KeyPool {
  const { clock, random } = ports;
  let keys: readonly Held[] = [];
  const byId = (id: string) => keys.find((key) => key.id === id);
  const isTried = ({ trial }: Held, nowMs: number) => typeof trial === "number" && nowMs - trial < longestTrialMs;
  const choose = (nowMs: number) =>
    chooseKey(
      keys.filter((key) => !isTried(key, nowMs)),
      nowMs,
      random(),
    );
  const taken = (key: Held | null) => (key === null ? null : { id: key.id, secret: key.secret });

  return {
    get size() {
      return keys.length;
    },
    take: () => {
      const nowMs = clock.monotonicMs();
      const chosen = choose(nowMs);
      if (chosen !== null && chosen.trial !== null) chosen.trial = nowMs;
      return taken(chosen);
    },
    look: () => taken(choose(clock.monotonicMs())),
    passed: (id) => {
      const key = byId(id);
      if (key !== undefined) key.trial = null;
    },
    left: (id) => {
      const key = byId(id);
      if (typeof key?.trial === "number") key.trial = "due";
    },
    failed: (id, failure) => {
      const key = byId(id);
      if (key === undefined) return;
      if (typeof key.trial === "number") key.trial = "due";
      const rest = restMs(failure, key.strikes);
      if (rest === null) return;
      const nowMs = clock.monotonicMs();
      key.strikes = key.lastFailure?.code === failure.code ? key.strikes + 1 : 1;
      key.lastFailure = failure;
      key.trial = "due";
      key.cooledAtMs = nowMs;
      // Calls that were under way together must not shorten each other's rest.
      key.coolsUntilMs = Math.max(nowMs + rest, key.coolsUntilMs ?? 0);
    },
    worked: (id) => {
      const key = byId(id);
      if (key === undefined) return;
      key.strikes = 0;
      key.lastFailure = null;
      key.trial = null;
    },
    saw: (id, limits) => {
      const key = byId(id);
      if (key !== undefined) key.limits = limits;
    },
    replace: (found) => {
      keys = found.map((one) => {
        const before = keys.find((key) => key.secret === one.secret);
        if (before !== undefined) return Object.assign(before, one);
        return {
          ...one,
          id: `${one.source} ${tailOf(one.secret)}`,
          coolsUntilMs: null,
          cooledAtMs: null,
          strikes: 0,
          lastFailure: null,
          limits: null,
          trial: null,
        };
      });
    },
    blocked: () => {
      const nowMs = clock.monotonicMs();
      const rested = keys.filter((key) => key.coolsUntilMs === null || key.coolsUntilMs <= nowMs);
      if (rested.some((key) => !isTried(key, nowMs))) return null;
      const [tried] = rested;
      if (tried !== undefined) return { failure: tried.lastFailure, retryAtMs: nowMs + trialLookMs };
      const first = firstBack(keys);
      return { failure: first?.lastFailure ?? null, retryAtMs: first?.coolsUntilMs ?? null };
    },
    view: () => {
      const nowMs = clock.monotonicMs();
      return keys.map((key) => {
        const leftMs = (key.coolsUntilMs ?? 0) - nowMs;
        const isCooling = leftMs > 0;
        return {
          source: key.source,
          label: key.label,
          tail: tailOf(key.secret),
          weight: key.weight,
          state: isCooling ? "cooling" : "ready",
          code: isCooling ? (key.lastFailure?.code ?? null) : null,
          reason: isCooling ? (key.lastFailure?.message ?? "") : "",
          until: isCooling ? clock.now() + leftMs : null,
          limits: key.limits,
        };
      });
    },
  };
}
