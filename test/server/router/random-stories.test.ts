/** Whatever backends do, in whatever order: what must hold of every request holds. */
import { expect, test } from "vitest";
import { isContent, isEnd } from "../../../server/domain/chat.ts";
import { Failure, type FailureCode } from "../../../server/domain/failure.ts";
import {
  type Beat,
  accepted,
  empty,
  failing,
  finish,
  ping,
  settle,
  started,
  text,
  world,
} from "../../support/routing-world.ts";
import { finished } from "../../support/scripted-backend.ts";
import { type Random, seeded } from "../../support/random.ts";
import { strategyIds } from "../../../server/domain/routing/strategies/index.ts";
import { noTimings, noUsage } from "../../../server/domain/usage.ts";

const codes: readonly FailureCode[] = [
  ...([
    "upstream_failed",
    "upstream_overloaded",
    "upstream_rate_limited",
    "upstream_key_refused",
    "upstream_unreachable",
  ] as const),
  ...([
    "upstream_invalid_request",
    "context_length_exceeded",
    "queue_full",
    "content_filtered",
    "internal",
    "no_room",
  ] as const),
];

function someScript(random: Random): readonly Beat[] {
  const beats: Beat[] = [];
  const some = (): Failure => {
    const coolDownMs = random.chance(0.3) ? random.below(40_000) : null;
    return new Failure(random.pick(codes), "no", { coolDownMs });
  };
  for (let length = random.below(6); length > 0; length -= 1) {
    beats.push(random.pick<Beat>([accepted, started, ping, empty, text, text, random.below(3_000)]));
  }
  const last: readonly (() => Beat)[] = [
    () => finished,
    () => finished,
    some,
    () => failing(some()),
    () => "silent",
    () => "deaf",
    () => ({ type: "aborted", usage: noUsage, timings: noTimings }),
    () => random.below(2_000),
  ];
  return [...beats, random.pick(last)()];
}

test("S-25 one end, attempts within the limit, the deadline kept, nothing after content, each attempt opened and closed once", async () => {
  const seen = { finished: 0, failed: 0, thrown: 0, moved: 0, aborted: 0, deadline: 0 };
  for (let seed = 1; seed <= 400; seed += 1) {
    const random = seeded(seed);
    const names = ["a/m", "b/m", "c/m", "engine/m"].slice(0, 1 + random.below(4));
    const scripts = Object.fromEntries(
      names.map((name) => [name, Array.from({ length: 6 }, () => someScript(random))]),
    );
    const half = 1 + random.below(names.length);
    const members = [names.slice(0, half), names.slice(half)].filter((group) => group.length > 0);
    const deadlineMs = 3_000 + random.below(20_000);
    const maxAttempts = 1 + random.below(5);
    const setting = {
      groups: members.map((group) => ({
        targets: group.map((target) => ({ target })),
        strategy: random.pick(strategyIds),
      })),
      ...{ deadlineMs, maxAttempts, retries: random.below(3), firstTokenMs: 500 + random.below(3_000) },
      ...(random.chance(0.3) ? { maxQueueWaitMs: 1_000 } : {}),
      ...(random.chance(0.3) ? { fallbackOn: ["content-filter" as const] } : {}),
    };
    const { clock, ask } = world(scripts, { routes: { any: setting }, random: () => random.number() });
    const leaving = new AbortController();
    if (random.chance(0.2)) clock.after(random.below(8_000), () => leaving.abort());
    // The second and third begin where the first left the cooldowns.
    for (let request = 0; request < 3; request += 1) {
      const journey = ask("any", { signal: leaving.signal });
      const tookMs = await finish(clock, journey, deadlineMs + 5_000);
      const story = `seed ${seed}: ${journey.log.join(", ")}`;
      // A second more for the last words of a backend that is cut.
      expect(tookMs, story).toBeLessThanOrEqual(deadlineMs + 1_100);
      const end = await journey.end;
      const opened = journey.log.filter((line) => line.includes("/"));
      expect(opened.length, story).toBeLessThanOrEqual(maxAttempts);
      opened.forEach((line, index) => {
        expect(line.startsWith(`${index + 1} `), story).toBe(true);
        expect(journey.log[index * 2], story).toBe(line);
      });
      expect(journey.log, story).toHaveLength(opened.length * 2);
      if (end instanceof Failure) {
        expect(journey.events, story).toEqual([]);
        seen.thrown += 1;
      } else {
        expect(journey.events.filter(isEnd), story).toEqual([end]);
        expect(journey.events.at(-1), story).toBe(end);
        seen[end.type] += 1;
      }
      // Content comes from the last attempt alone: an earlier one would have ended the request.
      const contents = journey.events.filter((event) => isContent(event) && event !== empty).length;
      if (contents > 0) expect(journey.log.at(-2)?.startsWith(`${opened.length} `), story).toBe(true);
      if (opened.length > 1) seen.moved += 1;
      if (tookMs >= deadlineMs) seen.deadline += 1;
      await settle();
    }
  }
  // The stories are about something: each kind of end was met.
  for (const [kind, count] of Object.entries(seen)) expect(count, kind).toBeGreaterThan(5);
});
