/** A machine that ends its own rental: it asks until the market is done with it, whatever the market does meanwhile. */
import { describe, expect, test } from "vitest";
import { Failure } from "../../../server/domain/failure.ts";
import type { MarketDeed } from "../../../server/rental/market.ts";
import { endRental, type OwnMarket } from "../../../server/rental/rented/end-rental.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { recordedLog } from "../../support/recorded-log.ts";

/** Answers in turn; a Failure is thrown. Each question moves the clock to the next, so that nothing is waited for. */
function askedMarket(answers: readonly (MarketDeed | Failure)[], stops = true) {
  const clock = manualClock();
  const asked: { readonly deed: string; readonly atMs: number }[] = [];
  const ask = (deed: string) => async (): Promise<MarketDeed> => {
    const answer = answers[asked.length] ?? "gone";
    asked.push({ deed, atMs: clock.monotonicMs() });
    setImmediate(() => clock.advance(600_000));
    if (answer instanceof Failure) throw answer;
    return answer;
  };
  const traits = {
    bids: true,
    stops,
    volumes: true,
    billsAllButStopped: false,
    offersEveryMs: 1,
    instancesEveryMs: 1,
  };
  const market: OwnMarket = { title: "A market", traits, stop: ask("stop"), destroy: ask("destroy") };
  return { clock, market, asked };
}

const wish = { instanceId: "7", deed: "stop", reason: "nobody asked for 20 s" } as const;

describe("asking", () => {
  test("goes on through errors and half answers, and says each time that it still costs", async () => {
    const refused = new Failure("upstream_failed", "The market is not well.");
    const { clock, market, asked } = askedMarket([refused, "again", refused, "done", "gone"]);
    const log = recordedLog();
    const end = await endRental({ ...wish, market, clock, log }, new AbortController().signal);
    expect(end).toBe("gone");
    expect(asked.map(({ deed }) => deed)).toEqual(["stop", "stop", "stop", "stop", "stop"]);
    expect(log.lines.filter((line) => line.startsWith("warn: the market has not ended this rental yet"))).toHaveLength(
      3,
    );
    expect(log.lines).toContain("info: the market ends this rental");
    expect(log.lines.at(-1)).toBe("info: this rental is over");
  });

  test("a market that cannot stop is asked to destroy", async () => {
    const { clock, market, asked } = askedMarket(["gone"], false);
    await endRental({ ...wish, market, clock, log: recordedLog() }, new AbortController().signal);
    expect(asked.map(({ deed }) => deed)).toEqual(["destroy"]);
  });

  test("ends when it is told to, and says where to look", async () => {
    const { clock, market } = askedMarket(["again", "again", "again"]);
    const log = recordedLog();
    const stop = new AbortController();
    const ended = endRental({ ...wish, market, clock, log }, stop.signal);
    stop.abort(new Error("asked to end"));
    expect(await ended).toBe("left");
    expect(log.lines.at(-1)).toContain("look there whether this machine still costs");
  });
});
