/** A machine that ends its own rental: it asks until the market is done with it, whatever the market does meanwhile. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { Failure } from "../../../server/domain/failure.ts";
import { createUpstreamFetch } from "../../../server/platform/upstream/upstream-fetch.ts";
import type { MarketDeed } from "../../../server/rental/market.ts";
import { endRental, type OwnMarket } from "../../../server/rental/rented/end-rental.ts";
import { ownMarket } from "../../../server/rental/rented/own-market.ts";
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
  const traits = { bids: true, stops, volumes: true, offersEveryMs: 1, instancesEveryMs: 1 };
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

describe("the markets' own calls about this machine", () => {
  const servers: { close(): void }[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function standIn(status: number, body: string) {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      let text = "";
      request.on("data", (part) => (text += part));
      request.on("end", () => {
        seen.push(`${request.method} ${request.url} ${text} ${request.headers.authorization}`);
        response.writeHead(status, { connection: "close" }).end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    servers.push(server);
    return { seen, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api` };
  }
  const upstream = createUpstreamFetch({ environment: {}, caFile: "" });
  const { signal } = new AbortController();

  test.each([
    ["vast", "stop", 'PUT /api/instances/7/ {"state":"stopped"} Bearer own'],
    ["vast", "destroy", "DELETE /api/instances/7/ {} Bearer own"],
    ["runpod", "stop", 'POST /api/pods/7/action {"action":"stop"} Bearer own'],
    ["runpod", "destroy", "DELETE /api/pods/7  Bearer own"],
  ] as const)("%s %s", async (market, deed, call) => {
    const { seen, baseUrl } = await standIn(200, '{"success":true}');
    expect(await ownMarket({ market, baseUrl, key: "own", upstream })[deed]("7", signal)).toBe("done");
    expect(seen).toEqual([call]);
  });

  test.each([
    [404, "", "gone"],
    [409, '{"title":"Conflict"}', "again"],
    [204, "", "done"],
  ])("status %i is %s", async (status, body, deed) => {
    const { baseUrl } = await standIn(status, body);
    expect(await ownMarket({ market: "runpod", baseUrl, key: "own", upstream }).stop("7", signal)).toBe(deed);
  });

  test.each([
    [200, '{"success":false,"error":"no"}', "upstream_failed"],
    [429, "API requests too frequent", "upstream_rate_limited"],
    [401, "", "upstream_key_refused"],
    [502, "<html>", "upstream_failed"],
  ])("status %i %s is no answer", async (status, body, code) => {
    const { baseUrl } = await standIn(status, body);
    const market = ownMarket({ market: "vast", baseUrl, key: "own", upstream });
    await expect(market.stop("7", signal)).rejects.toMatchObject({ code });
  });

  test("nobody there", async () => {
    const market = ownMarket({ market: "vast", baseUrl: "http://127.0.0.1:1", key: "own", upstream });
    await expect(market.stop("7", signal)).rejects.toMatchObject({ code: "upstream_unreachable" });
  });
});
