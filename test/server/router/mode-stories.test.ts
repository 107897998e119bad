/**
 * Whatever drafts, voters, judges and those who condense or sort do, in whatever order: each try is one attempt with a price or
 * without one that is known, the route's limit holds for all of them together, and the client hears exactly one answer.
 */
import { expect, test } from "vitest";
import type { Caller } from "../../../server/domain/caller.ts";
import { type ChatEvent, type ChatMessage, isContent, isEnd } from "../../../server/domain/chat.ts";
import { asFailure, Failure, type FailureCode } from "../../../server/domain/failure.ts";
import { fewestAttempts } from "../../../server/domain/routing/modes/attempts.ts";
import type { RouteSetting } from "../../../server/domain/routing/settings.ts";
import { createInference } from "../../../server/inference.ts";
import type { AttemptEnding, AttemptOpening, RequestEnding } from "../../../server/ledger/rows.ts";
import type { LedgerWriter } from "../../../server/ledger/writer.ts";
import { chatRequest } from "../../support/chat-request.ts";
import { flatPricing } from "../../support/flat-pricing.ts";
import { calling, cut, saying, sure, verdict } from "../../support/mode-answers.ts";
import { type Random, seeded } from "../../support/random.ts";
import { groups, routeOf } from "../../support/routing-facts.ts";
import { type Beat, settle, text, world } from "../../support/routing-world.ts";
import { silentLog } from "../../support/real-engine.ts";

const codes: readonly FailureCode[] = [
  "upstream_failed",
  "upstream_rate_limited",
  "upstream_invalid_request",
  "internal",
];

function someScript(random: Random): readonly Beat[] {
  const words = random.pick(["4", "5", "six"]);
  const failure = new Failure(random.pick(codes), "no");
  const scripts: readonly (() => readonly Beat[])[] = [
    () => saying(words),
    () => saying(words),
    () => sure(words, random.number()),
    () => sure(words, 0.99),
    () => verdict(random.chance(0.5)),
    () => saying(JSON.stringify({ tier: random.pick(["high", "low"]) })),
    () => calling("f", '{"x":1}'),
    () => [text, cut],
    () => saying(""),
    () => [failure],
    () => [text, failure],
    () => [random.below(1_500), ...saying(words)],
    () => ["silent"],
  ];
  return random.pick(scripts)();
}

/** Has no price that is known (`flat-pricing.ts`). */
const unpriced = "d/nobody-knows";
const others = ["a/m", "b/m", "c/m", "engine/m", unpriced];

function someRoute(random: Random): RouteSetting {
  const mode = random.pick(["plain", "cascade", "consensus"] as const);
  const voters = ["a/m", "b/m", "c/m"].slice(0, 2 + random.below(2));
  const second = mode === "cascade" || random.chance(0.6) ? [[unpriced, "a/m"]] : [];
  const first = mode === "consensus" ? voters : random.pick([["engine/m"], ["a/m", "b/m"]]);
  const judge = random.chance(0.5) ? { judge: random.pick(others) } : {};
  const setting: RouteSetting = {
    mode,
    groups: groups(first, ...second),
    ...(mode === "cascade" ? { cascade: { threshold: 0.8, ...judge } } : {}),
    ...(mode === "consensus" ? { consensus: { rounds: 1 + random.below(3), ...judge } } : {}),
    ...(random.chance(0.3) ? { brief: { over: 300, by: random.pick(others) } } : {}),
    ...(random.chance(0.3)
      ? {
          classify: { by: random.pick(others), tiers: { high: "hard", low: "easy" }, otherwise: "low" },
          rules: [{ when: { tier: ["high"] }, use: second.length === 0 ? [1] : [2, 1] }],
        }
      : {}),
    ...{ retries: random.below(3), firstTokenMs: 1_000, deadlineMs: 60_000 },
  };
  const fewest = fewestAttempts(routeOf({ ...setting, maxAttempts: 50 }));
  return random.chance(0.2) ? setting : { ...setting, maxAttempts: fewest + random.below(5) };
}

/** Rows as they are told to a ledger that is never full. */
function recordedLedger() {
  const opened: AttemptOpening[] = [];
  const closed: AttemptEnding[] = [];
  const ended: RequestEnding[] = [];
  const writer: LedgerWriter = {
    openRequest: () => {},
    openAttempt: (row) => void opened.push(row),
    openPaidAttempt: async (row) => void opened.push(row),
    closeAttempt: (row) => void closed.push(row),
    closeRequest: async (row) => void ended.push(row),
    flush: () => {},
    healthy: () => true,
  };
  return { writer, opened, closed, ended };
}

const say = (role: "user", words: string): ChatMessage => ({ role, content: [{ type: "text", text: words }] });
const reply: ChatMessage = {
  role: "assistant",
  content: [{ type: "text", text: "ok" }],
  reasoning: null,
  toolCalls: [],
};
const long = [
  say("user", "word ".repeat(600)),
  reply,
  say("user", "b"),
  reply,
  say("user", "c"),
  reply,
  say("user", "d"),
];
const ayo: Caller = { kind: "key", keyId: 1, name: "ayo" };

test("S-25 cascade, consensus, brief and tiers: each try one priced attempt, one answer, the attempt limit kept", async () => {
  const seen = new Map<string, number>();
  const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
  for (let seed = 1; seed <= 400; seed += 1) {
    const random = seeded(seed);
    const setting = someRoute(random);
    const scripts = Object.fromEntries(
      others.map((name) => [name, Array.from({ length: 12 }, () => someScript(random))]),
    );
    const { clock, router, asked } = world(scripts, { routes: { any: setting }, random: () => random.number() });
    const { writer, opened, closed, ended } = recordedLedger();
    const inference = createInference({
      ...{ router, ledger: writer, clock, log: silentLog, publish: () => {}, pricing: flatPricing() },
      upstreamOf: ({ backendId, model }) => (backendId === "engine" ? null : { provider: backendId, model }),
    });
    const leaving = new AbortController();
    if (random.chance(0.15)) clock.after(random.below(3_000), () => leaving.abort());
    const request = chatRequest("x", { model: "any", ...(random.chance(0.5) ? { messages: long } : {}) });
    const input = { requestId: `req_${seed}`, caller: ayo, dialect: "openai-chat", startedAtMs: clock.now(), request };
    const events: ChatEvent[] = [];
    const outcome: { thrown: Failure | null; isOver: boolean } = { thrown: null, isOver: false };
    const run = async () => {
      try {
        for await (const event of inference.chat(input, leaving.signal)) events.push(event);
      } catch (failure) {
        outcome.thrown = asFailure(failure);
      }
      outcome.isOver = true;
    };
    void run();
    for (let step = 0; step < 2_000 && !outcome.isOver; step += 1) {
      await settle();
      if (!outcome.isOver) clock.advance(100);
    }
    const story = `seed ${seed}: ${JSON.stringify(setting)}\n${opened.map((row) => `${row.number} ${row.target} ${row.reason}`).join(", ")}`;
    expect(outcome.isOver, story).toBe(true);

    // Whoever was asked has a row, and nobody else; numbers count up without a gap.
    for (const name of others) {
      const rows = opened.filter(({ target }) => target === name).length;
      expect(rows, `${story}\n${name}`).toBeGreaterThanOrEqual(asked.filter((target) => target === name).length);
    }
    expect(
      opened.map(({ number }) => number).toSorted((a, b) => a - b),
      story,
    ).toEqual(opened.map((_, index) => index + 1));
    expect(
      closed.map(({ number }) => number).toSorted((a, b) => a - b),
      story,
    ).toEqual(opened.map((_, index) => index + 1));
    const limit = routeOf(setting).limits.maxAttempts;
    expect(opened.length, story).toBeLessThanOrEqual(limit);

    // Each has a price or is said to have none that is known; the row's sum is that of its attempts.
    let known = 0;
    let unknown = 0;
    for (const { number, cost } of closed) {
      const target = opened.find((row) => row.number === number)?.target ?? "";
      if (cost.known) known += cost.nanos;
      else unknown += 1;
      if (target === "engine/m") expect(cost, story).toEqual({ known: false, reason: "not_priced" });
      if (!cost.known && target !== "engine/m") expect(cost.reason, `${story}\n${target}`).toBe("unknown_price");
    }
    expect(ended, story).toHaveLength(1);
    expect(ended[0], story).toMatchObject({ knownNanos: known, unknownAttempts: unknown });

    // One answer, or one failure, reaches the client.
    if (outcome.thrown === null) {
      expect(events.filter(isEnd), story).toHaveLength(1);
      const last = events.at(-1);
      expect(last !== undefined && isEnd(last), story).toBe(true);
      if (last?.type === "finished") {
        const words = events.map((event) => (event.type === "text" ? event.text : "")).join("");
        const told = new Set([
          "4",
          "5",
          "six",
          "hi",
          "",
          '{"yes":true}',
          '{"yes":false}',
          '{"tier":"high"}',
          '{"tier":"low"}',
        ]);
        expect(told.has(words), `${story}\n${words}`).toBe(true);
      }
      count(last?.type ?? "nothing");
    } else {
      expect(events.some(isContent), story).toBe(false);
      count("thrown");
    }
    for (const { reason } of opened) count(reason);
    if (opened.length === limit) count("at the limit");
    for (const { code } of ended[0]?.notes ?? []) count(code);
  }
  const told = ["draft", "escalated", "voter", "tie_breaker", "judge", "condense", "classify", "retry", "at the limit"];
  const ends = [
    "finished",
    "failed",
    "aborted",
    "thrown",
    "draft_given",
    "draft_discarded",
    "draft_kept",
    "attempts_used_up",
  ];
  for (const what of [...told, ...ends]) expect(seen.get(what) ?? 0, what).toBeGreaterThan(5);
}, 30_000);
