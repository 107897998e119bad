/** `lanthorn rental`: what it prints, what it asks the server for, and with which code it ends; against a scripted server. */
import { beforeAll, describe, expect, test, vi } from "vitest";
import { startAdminStub, refuse, sendJson, type Answer } from "../admin-stub.ts";
import * as box from "./leases.ts";
import { rental } from "./rental-command.ts";

const { nowMs, usd } = box;
const stub = (routes: Readonly<Record<string, Answer>>) => startAdminStub(routes);
const changes = (asked: readonly { readonly method: string }[]) => asked.filter(({ method }) => method !== "GET");

beforeAll(() => {
  vi.stubEnv("TZ", "Europe/Berlin");
  return () => vi.unstubAllEnvs();
});

describe("offers", () => {
  test("a table, cheapest first, with what stopped costs, the age of prices, and who did not answer", async () => {
    const { url, asked } = await stub({ "GET /admin/rentals/offers": box.offersBody });
    const { code, stdout, stderr } = await rental(["offers", "--gpu", "RTX 4090", "--most", "0.50", "--disk", "40"], {
      url,
    });
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        "OFFER       GPU        VRAM  KIND        ALL-IN  A DAY  IF STOPPED  GB IN / OUT    RELIABLE  WHERE  MAY RUN",
        "vast/81422  RTX 4090  26 GB  bid        $0.19/h  $4.56  $0.192/day  $0.02 / $0.01         –  –      open",
        "vast/77310  RTX 4090  26 GB  on-demand  $0.34/h  $8.16  $0.192/day  $0.02 / $0.01    99.6 %  DE     21 d",
        "2 offers; cheapest first; prices: vast 40 s old.",
        "1 entry without a price one may decide by left out.",
        "",
      ].join("\n"),
    );
    expect(stderr).toContain("runpod did not answer: RunPod did not answer in time. So nothing of it is shown.");
    expect(stderr).toContain("Rent one: lanthorn rental rent vast/81422 --bid 0.1830");
    const query = new URL(asked[0]?.url ?? "", url).searchParams;
    expect(Object.fromEntries(query)).toEqual({
      gpu: "RTX 4090",
      mostPerHourNanos: "500000000",
      diskBytes: "40000000000",
    });
  });

  test("--json is the answer with amounts as exact text; a market that fails is exit 8, also behind a 429", async () => {
    const { url } = await stub({ "GET /admin/rentals/offers": box.offersBody });
    const { stdout, stderr } = await rental(["offers", "--json"], { url });
    expect(JSON.parse(stdout).offers[1].rates).toMatchObject({
      gpuPerHourNanos: usd(0.333),
      gpuPerHourUsd: "0.333000000",
    });
    expect(stderr).toBe("");
    const busy = await stub({
      "GET /admin/rentals/offers": (response) =>
        refuse(response, 429, { code: "upstream_rate_limited", message: "vast wants fewer questions." }),
    });
    expect(await rental(["offers"], { url: busy.url })).toMatchObject({
      code: 8,
      stderr: expect.stringMatching(/^next {3}The same again in a minute\./m),
    });
  });
});

describe("rent", () => {
  const routes = {
    "GET /admin/rentals/quote": box.quoteBody,
    "POST /admin/rentals": { lease: box.starting, atMs: nowMs },
  };

  test("without --yes and without a terminal: exit 2, and nobody was asked for anything", async () => {
    const { url, asked } = await stub(routes);
    const { code, stdout, stderr } = await rental(["rent", "vast/77310"], { url });
    expect({ code, stdout, asked }).toEqual({ code: 2, stdout: "", asked: [] });
    expect(stderr).toContain("This needs a confirmation: --yes");
    expect(stderr).toContain("lanthorn rental rent … --dry-run");
    expect(await rental(["rent", "vast/77310", "--json"], { url })).toMatchObject({ code: 2, stdout: "" });
    // What is whole can be pasted as it stands.
    const whole = [
      ["destroy", "lease-3"],
      ["start", "3"],
      ["bid", "lease-3", "0.2"],
      ["orphans", "--end", "vast/8"],
    ];
    for (const args of whole)
      expect((await rental(args, { url })).stderr).toContain(`lanthorn rental ${args.join(" ")} --yes\n`);
    expect(asked).toEqual([]);
  });

  test("by hand without an image: exit 2 with what to do, and nobody was asked for anything", async () => {
    const { url, asked } = await stub(routes);
    for (const last of ["--yes", "--dry-run"]) {
      const { code, stdout, stderr } = await rental(["rent", "vast/77310", last], { url });
      expect({ code, stdout, asked }).toEqual({ code: 2, stdout: "", asked: [] });
      expect(stderr).toContain("lanthorn rental rent <offer> --image <registry>/lanthorn:<tag>");
    }
  });

  test("--dry-run prints what it comes to and what would be asked, and sends no order", async () => {
    const { url, asked } = await stub(routes);
    const { code, stdout } = await rental(["rent", "vast/77310", "--image", "lanthorn", "--dry-run"], { url });
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        "Rent      RTX 4090 (26 GB), vast/77310, on-demand",
        "Costs     $0.34/h all-in, of it $0.007/h disk; traffic on top: $0.02 per GB in, $0.01 out; price 40 s old",
        "At most   $2.72 until it ends, 22:00, when it runs all the time; traffic apart",
        "Limits    stops after 20 m without use, is destroyed after 1 d of that; given up when not ready within 15 m; ends after 8 h, at $5.00",
        "Stopped   still $0.192/day for its disk, until it is destroyed",
        "Weights   what keeping them costs is told when their size is: --weights <GB>",
        "Burning   2 others at $0.348/h together; today $3.18 of $20.00, this month $41.20 of $200.00",
        "Would ask   vast to create 77310, on-demand",
        "Image       registry.example/lanthorn:1",
        "Disk        40 GB",
        "Port        4747",
        "Variables   LANTHORN_HOME_URL",
        "At start    3 lines",
        "Dry run     nothing was rented",
        "",
      ].join("\n"),
    );
    expect(changes(asked)).toEqual([]);
  });

  test("where the weights are kept is priced in the quote once their size is known", async () => {
    const ways = [{ way: "stopped-disk", perMonthNanos: usd(4.88), perWakeMs: 0 }];
    const disk = { ways, words: "kept on the stopped instance's disk: $4.88 a month" };
    const { url, asked } = await stub({ ...routes, "GET /admin/rentals/quote": { ...box.quoteBody, disk } });
    const args = ["rent", "vast/77310", "--image", "lanthorn", "--weights", "20", "--dry-run"];
    const { stdout } = await rental(args, { url });
    expect(stdout).toContain(`Weights   ${disk.words} (at two wakes and four hours a day)\n`);
    expect(new URL(asked[0]?.url ?? "", url).searchParams.get("weightsGb")).toBe("20");
    expect(JSON.parse((await rental([...args, "--json"], { url })).stdout).disk).toMatchObject({
      ways: [{ way: "stopped-disk", perMonthUsd: "4.880000000" }],
    });
  });

  test("--yes rents that very offer at that very price and no other, and tells how it comes up", async () => {
    let looks = 0;
    const { url, asked } = await stub({
      ...routes,
      "GET /admin/rentals/4": (response) => {
        looks += 1;
        const lease = looks === 1 ? { ...box.starting, seen: { ...box.starting.seen, state: "running" } } : null;
        sendJson(response, 200, { lease: lease ?? { ...box.ready, id: 4 }, atMs: nowMs + looks * 1000 });
      },
    });
    const args = ["rent", "--gpu", "rtx4090", "--image", "lanthorn", "--cap", "5", "--until", "22:00", "--yes"];
    const { code, stdout, stderr } = await rental(args, { url });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "lease-4\n" });
    expect(changes(asked)).toMatchObject([
      {
        method: "POST",
        url: "/admin/rentals",
        body: {
          market: "vast",
          offerId: "77310",
          agreedPerHourNanos: usd(0.34),
          mostUsdPerLease: "5",
          longestMs: expect.any(Number),
        },
      },
    ]);
    expect(stderr).toContain("Rent      RTX 4090 (26 GB), vast/77310, on-demand\n");
    expect(stderr).toContain("lease-4 starting: loading image, 1 m 20 s of 15 m ($0.34/h)\n");
    expect(stderr).toContain("lease-4 starting: running, no token yet, 1 m 21 s of 15 m ($0.34/h)\n");
    expect(stderr).toContain("It is ready.");
  });

  test("a machine that never comes up is exit 8 with the reason; a cap is exit 7; an offer that is gone exit 5", async () => {
    const gaveUp = { ...box.starting, state: "ended", reason: "not ready within 15 m, so it was destroyed" };
    const slow = await stub({ ...routes, "GET /admin/rentals/4": { lease: gaveUp, atMs: nowMs } });
    const outcome = await rental(["rent", "coder", "--yes"], { url: slow.url });
    expect(outcome).toMatchObject({ code: 8, stdout: "" });
    expect(outcome.stderr).toContain("why    not ready within 15 m, so it was destroyed");
    for (const [status, failure, code] of [
      [402, { code: "budget_exceeded", message: "An hour of it does not fit into the day's cap." }, 7],
      [404, { code: "not_found", message: "The offer is gone." }, 5],
      [503, { code: "upstream_overloaded", message: "The market has too much to do." }, 8],
    ] as const) {
      const { url } = await stub({ ...routes, "POST /admin/rentals": (response) => refuse(response, status, failure) });
      expect(await rental(["rent", "coder", "--yes", "--json"], { url })).toMatchObject({ code, stdout: "" });
    }
  });

  test("a cap that leaves no room for an hour is said before the question: exit 7, and no order", async () => {
    const refusal = "the cap of today ($20.00) does not leave room for an hour at $0.34: $19.80 is spent";
    const { url, asked } = await stub({ ...routes, "GET /admin/rentals/quote": { ...box.quoteBody, refusal } });
    const { code, stderr } = await rental(["rent", "coder", "--yes"], { url });
    expect(code).toBe(7);
    expect(stderr).toContain("why    The cap of today ($20.00) does not leave room");
    expect(changes(asked)).toEqual([]);
  });

  test("--json with --no-wait: the quote and the lease, as it begins", async () => {
    const { url } = await stub(routes);
    const { code, stdout } = await rental(
      ["rent", "vast/77310", "--image", "lanthorn", "--yes", "--no-wait", "--json"],
      { url },
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      quote: { mostUsd: "2.720000000" },
      lease: { id: 4, state: "starting" },
    });
  });

  test("without a server there is nobody to stop it again: exit 3; without a wish exit 2", async () => {
    expect(await rental(["rent", "vast/77310", "--image", "lanthorn", "--yes"])).toMatchObject({ code: 3, stdout: "" });
    expect(await rental(["rent", "--yes"])).toMatchObject({ code: 2 });
  });
});

describe("list and show", () => {
  test("a table in words of money, the sums, and what a stopped one still costs", async () => {
    const { url } = await stub({
      "GET /admin/rentals": { leases: [box.stopped, box.ready, box.starting], summary: box.summary, atMs: nowMs },
    });
    const { code, stdout } = await rental(["list"], { url });
    expect(code).toBe(0);
    expect(stdout.split("\n").map((line) => line.replaceAll(/ {2,}/g, "  "))).toEqual([
      "LEASE  FOR  GPU  MARKET  NOW  SO FAR  OF IT IDLE  STATE  NEXT",
      "lease-2  coder  RTX 4090  vast, bid  $0.008/h billed  $3.18  $0.6700  stopped, still $0.192/day  ends 22:00",
      "lease-3  coder  RTX 4090  vast  $0.34/h billed  $3.18  $0.6700  ready for 2 h 10 m  idle stop in 11 m 40 s, ends 22:00",
      "lease-4  by hand  RTX 4090  vast  $0.34/h quoted  $3.18  $0.6700  starting: loading image, 1 m 20 s of 15 m  ends 22:00",
      "Together $0.348/h; today $3.18 of $20.00, this month $41.20 of $200.00.",
      "lease-2 is billed at another rate than quoted. Quoted: GPU $0.333/h, disk $0.007/h (stopped $0.192/day), traffic $0.02 per GB in, $0.01 out. Billed: GPU $0.40/h, disk $0.007/h (stopped $0.192/day), traffic $0.02 per GB in, $0.01 out.",
      "lease-2 is stopped and still costs $0.192/day until it is destroyed, at 22:00 or by: lanthorn rental destroy lease-2",
      "",
    ]);
    const { stdout: json } = await rental(["list", "--json"], { url });
    expect(JSON.parse(json)).toMatchObject({
      leases: [{ id: 2 }, { id: 3 }, { id: 4 }],
      summary: { todayUsd: "3.180000000" },
    });
  });

  test("nothing rented is a sentence, and an empty array under --json", async () => {
    const { url } = await stub({ "GET /admin/rentals": { leases: [], summary: null, atMs: nowMs } });
    expect((await rental(["list"], { url })).stdout).toContain("Nothing is rented, and nothing is billing.");
    expect(JSON.parse((await rental(["list", "--json"], { url })).stdout)).toMatchObject({ leases: [] });
  });

  test("show of one that has no idle stop says when it is destroyed all the same", async () => {
    const lease = { ...box.ready, terms: { ...box.terms, idleStopMs: null }, idleStopAtMs: null };
    const { url } = await stub({ "GET /admin/rentals/3": { lease, atMs: nowMs } });
    const { stdout } = await rental(["show", "lease-3"], { url });
    expect(stdout).toContain("Limits        no idle stop, is destroyed after 1 d stopped; given up when");
  });

  test("show tells rates, parts of the cost, times and limits of one", async () => {
    const { url } = await stub({ "GET /admin/rentals/3": { lease: box.ready, atMs: nowMs } });
    const { stdout } = await rental(["show", "lease-3"], { url });
    expect(stdout).toContain("Costs now     $0.34/h billed\n");
    expect(stdout).toContain("So far        $3.18: GPU $3.00, disk $0.0800, traffic $0.1000\n");
    expect(stdout).toContain("Of it         used $2.41, idle $0.6700\n");
    expect(stdout).toContain("Tokens        5.4 M served, $0.5890 per million\n");
    expect(await rental(["show", "vast"], { url })).toMatchObject({ code: 2 });
    expect(await rental(["show", "9"], { url })).toMatchObject({ code: 5 });
  });

  test("what nobody has seen for a while is said to count as running", async () => {
    const lost = { ...box.ready, seen: { state: "unknown", words: "unknown", atMs: nowMs - 180_000 } };
    const { url } = await stub({ "GET /admin/rentals": { leases: [lost], summary: null, atMs: nowMs } });
    expect((await rental(["list"], { url })).stdout).toContain("not seen for 3 m, counted as running");
  });
});

describe("start, stop, destroy", () => {
  test("stop does not ask, waits until it is confirmed, and says what it still costs", async () => {
    const { url, asked } = await stub({
      "GET /admin/rentals/3": { lease: box.ready, atMs: nowMs },
      "POST /admin/rentals/3/stop": { lease: { ...box.stopped, id: 3 }, atMs: nowMs },
    });
    expect(await rental(["stop", "lease-3"], { url })).toMatchObject({
      code: 0,
      stdout:
        "lease-3 is stopped, confirmed. Its disk still costs $0.192/day; this ends all cost: lanthorn rental destroy lease-3\n",
    });
    expect(changes(asked)).toHaveLength(1);
  });

  test("start and destroy ask: exit 2 without a terminal and nobody was asked; --dry-run says what would be done", async () => {
    const { url, asked } = await stub({ "GET /admin/rentals/2": { lease: box.stopped, atMs: nowMs } });
    expect(await rental(["start", "2"], { url })).toMatchObject({ code: 2, stdout: "" });
    expect(await rental(["destroy", "2"], { url })).toMatchObject({ code: 2, stdout: "" });
    expect(asked).toEqual([]);
    const dry = await rental(["start", "2", "--dry-run"], { url });
    expect(dry.stdout).toBe(
      "Would start lease-2 (RTX 4090 at vast) for $0.407/h; it ends 22:00 at the latest.\nDry run: nothing was done.\n",
    );
    expect((await rental(["destroy", "2", "--dry-run", "--json"], { url })).stdout).toContain('"dryRun": true');
    expect(changes(asked)).toEqual([]);
  });

  test("destroy --yes waits for the market's word and sums up", async () => {
    let looks = 0;
    const { url } = await stub({
      "GET /admin/rentals": { leases: [box.ready], summary: null, atMs: nowMs },
      "GET /admin/rentals/3": (response) => {
        looks += 1;
        sendJson(response, 200, { lease: { ...box.ready, state: "ended", reason: "destroyed" }, atMs: nowMs + 8_000 });
      },
      "POST /admin/rentals/3/destroy": { lease: { ...box.ready, state: "destroying", since: nowMs }, atMs: nowMs },
    });
    const { code, stdout, stderr } = await rental(["destroy", "vast/8123456", "--yes"], { url });
    expect({ code, looks }).toEqual({ code: 0, looks: 1 });
    expect(stderr).toContain("lease-3 destroying, counted until confirmed");
    expect(stdout).toBe(
      "lease-3 is destroyed, confirmed by the market after 8 s. Total $3.18. Nothing of it is billed any more.\n",
    );
    const unknown = await rental(["destroy", "vast/1", "--yes"], { url });
    expect(unknown.code).toBe(5);
    expect(unknown.stderr).toContain("next   lanthorn rental orphans --end vast/1");
  });
});

describe("bid", () => {
  const now = {
    lease: box.stopped,
    leastBidPerHourNanos: usd(0.22),
    takenAtMs: nowMs - 12_000,
    trouble: null,
    atMs: nowMs,
  };

  test("the own bid beside the least that is taken; another one asks, and a losing one says so", async () => {
    const { url, asked } = await stub({
      "GET /admin/rentals/2/bid": now,
      "POST /admin/rentals/2/bid": { lease: { ...box.stopped, bidPerHourNanos: usd(0.24) }, atMs: nowMs },
    });
    expect(await rental(["bid", "lease-2"], { url })).toMatchObject({
      code: 0,
      stdout: "lease-2 bids $0.20/h. The least taken now for RTX 4090 at vast: $0.22/h, 12 s old.\n",
    });
    expect(await rental(["bid", "lease-2", "0.24"], { url })).toMatchObject({ code: 2 });
    const losing = await rental(["bid", "lease-2", "0.21", "--dry-run"], { url });
    expect(losing.stdout).toContain(
      "Would bid $0.21/h instead of $0.20/h, which is less than what is taken now: it is stopped.",
    );
    expect(changes(asked)).toEqual([]);
    expect(await rental(["bid", "lease-2", "0.24", "--yes"], { url })).toMatchObject({
      code: 0,
      stdout: "lease-2 bids $0.24/h now.\n",
    });
    expect(changes(asked)).toMatchObject([{ body: { perHourNanos: usd(0.24) } }]);
  });

  test("on-demand has no bid: exit 2", async () => {
    const { url } = await stub({ "GET /admin/rentals/3/bid": { ...now, lease: box.ready } });
    expect(await rental(["bid", "3", "0.24", "--yes"], { url })).toMatchObject({ code: 2 });
  });
});

describe("orphans", () => {
  const orphan = {
    market: "vast",
    instanceId: "9",
    label: "lanthorn-0123456789ab-1",
    state: "running",
    perHourNanos: usd(0.5),
    reason: "no lease has it",
  };

  test("listed with the command that ends them; --end asks, --dry-run does not, --yes ends them", async () => {
    const { url, asked } = await stub({
      "GET /admin/rentals/orphans": { orphans: [orphan], unread: [] },
      "POST /admin/rentals/orphans/end": { ended: [{ ...orphan, trouble: null }], unread: [] },
    });
    const listed = await rental(["orphans"], { url });
    expect(listed).toMatchObject({ code: 0 });
    expect(listed.stdout).toBe(
      [
        "INSTANCE  LABEL                    STATE    COSTS    WHY",
        "vast/9    lanthorn-0123456789ab-1  running  $0.50/h  no lease has it",
        "Nobody looks after them. End them: lanthorn rental orphans --end",
        "",
      ].join("\n"),
    );
    expect(await rental(["orphans", "--end"], { url })).toMatchObject({ code: 2, stdout: "" });
    expect(await rental(["orphans", "--end", "--dry-run"], { url })).toMatchObject({ code: 0 });
    expect(changes(asked)).toEqual([]);
    expect(await rental(["orphans", "--end", "vast/9", "--yes"], { url })).toMatchObject({
      code: 0,
      stdout: "vast/9 is destroyed, confirmed.\n",
    });
    expect(changes(asked)).toMatchObject([{ body: { orphans: [{ market: "vast", instanceId: "9" }] } }]);
  });

  test("exit 8 when a market could not be looked at, or keeps one", async () => {
    const { url } = await stub({
      "GET /admin/rentals/orphans": { orphans: [orphan], unread: ["runpod"] },
      "POST /admin/rentals/orphans/end": { ended: [{ ...orphan, trouble: "The market is busy." }], unread: [] },
    });
    expect(await rental(["orphans", "--json"], { url })).toMatchObject({ code: 8 });
    const kept = await rental(["orphans", "--end", "--yes"], { url });
    expect(kept).toMatchObject({ code: 8, stdout: "vast/9 is still there: The market is busy.\n" });
    expect(kept.stderr).toContain("1 instance may still cost money");
  });
});

describe("bills", () => {
  const row = {
    ...{ day: "2026-11-20", instanceId: "8123456", lease: 3, oursNanos: 3_180_000_000, theirsNanos: 3_180_000_000 },
    ...{ differenceNanos: 0, verdict: "agrees", reason: "equal" },
  };
  const bill = {
    ...{ market: "vast", title: "Vast.ai", state: "compared", reason: "1 row agrees" },
    ...{ rows: [row], oursNanos: 3_180_000_000, theirsNanos: 3_180_000_000, differenceNanos: 0 },
  };
  const answer = (agrees: boolean, ...markets: object[]) => ({ from: "2026-11-14", to: "2026-11-20", agrees, markets });

  test("agree: exit 0; a cent apart: exit 1, which one and by how much", async () => {
    const { url, asked } = await stub({ "GET /admin/rentals/bills": answer(true, bill) });
    const { code, stdout } = await rental(["bills", "--to", "2026-11-20"], { url });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout:
        "2026-11-14 to 2026-11-20, days in UTC\n\n" +
        "vast: ours $3.180000000, theirs $3.180000000, difference $0.000000000; 1 row agrees\n1 row agrees.\n",
    });
    expect(asked[0]?.url).toBe("/admin/rentals/bills?from=2026-11-14&to=2026-11-20");
    const off = { ...row, theirsNanos: 3_190_000_000, differenceNanos: 10_000_000, verdict: "differs", reason: "more" };
    const cent = await stub({ "GET /admin/rentals/bills": answer(false, { ...bill, rows: [row, off] }) });
    const apart = await rental(["bills"], { url: cent.url });
    expect(apart.code).toBe(1);
    expect(apart.stdout).toContain("lease-3  $3.180000000  $3.190000000  $0.010000000  differs: more");
    expect(apart.stderr).toContain("vast/8123456, 2026-11-20: $0.010000000");
  });

  test("--settle has the server take over what was billed, and what is settled as billed is no fault; --dry-run only compares", async () => {
    const off = { ...row, theirsNanos: 3_200_000_000, differenceNanos: 20_000_000, verdict: "differs", reason: "more" };
    const settled = { ...off, settled: { billedNanos: 3_200_000_000, atMs: Date.UTC(2026, 10, 22, 5) } };
    const { url, asked } = await stub({
      "POST /admin/rentals/bills/settle": answer(true, { ...bill, rows: [row, settled] }),
      "GET /admin/rentals/bills": answer(false, { ...bill, rows: [row, off] }),
    });
    const { code, stdout } = await rental(["bills", "--settle", "--to", "2026-11-20"], { url });
    expect(code).toBe(0);
    expect(stdout).toMatch(/lease-3 +\$3\.180000000 +\$3\.200000000 +\$0\.020000000 +differs: more +2026-11-22/);
    expect(asked[0]).toMatchObject({ url: "/admin/rentals/bills/settle" });
    expect(asked[0]?.body).toEqual({ market: null, from: "2026-10-19", to: "2026-11-20" });
    expect(await rental(["bills", "--settle", "--dry-run"], { url })).toMatchObject({ code: 1 });
    expect(asked[1]?.url).toContain("/admin/rentals/bills?from=");
    // Another bill since then: what was taken over is not what is billed.
    const changed = { ...settled, theirsNanos: 3_300_000_000 };
    const later = await stub({ "GET /admin/rentals/bills": answer(false, { ...bill, rows: [changed] }) });
    const told = await rental(["bills"], { url: later.url });
    expect(told).toMatchObject({ code: 1 });
    expect(told.stdout).toContain("2026-11-22, at $3.200000000");
  });

  test("a machine that nobody bills by an API is said, and is no fault", async () => {
    const none = { ...bill, market: "office", state: "no_bills", reason: "nobody bills it by an API", rows: [] };
    const { url } = await stub({ "GET /admin/rentals/bills": answer(true, none) });
    const { code, stdout } = await rental(["bills"], { url });
    expect(code).toBe(0);
    expect(stdout).toContain("office: there is no bill: nobody bills it by an API. What was counted counts.");
  });

  test("a bill that could not be read is exit 8", async () => {
    const unread = { ...bill, state: "not_compared", reason: "The market is silent.", rows: [] };
    const { url } = await stub({ "GET /admin/rentals/bills": answer(false, unread) });
    const { code, stdout } = await rental(["bills", "--json"], { url });
    expect(code).toBe(8);
    expect(JSON.parse(stdout)).toMatchObject({ markets: [{ state: "not_compared" }] });
  });
});

describe("watch", () => {
  test("without a terminal: a line for each change, and none for what is as it was", async () => {
    const { url } = await stub({
      "GET /admin/rentals": { leases: [box.ready], summary: box.summary, atMs: nowMs },
      "GET /admin/events": (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        const told = [box.ready, box.ready, { ...box.ready, state: "stopping" }, { ...box.ready, state: "stopping" }];
        const frames = told.map((lease) => `event: lease\ndata: ${JSON.stringify({ type: "lease", lease })}\n\n`);
        response.end(frames.join(""));
      },
    });
    const { stdout } = await rental(["watch"], { url });
    const changes = stdout.split("\n").filter((line) => /^\d\d:\d\d:\d\d/.test(line));
    expect(changes).toEqual([expect.stringContaining("  lease-3  stopping, counted as running")]);
  });

  test("--json: a line for the whole and one for each change, until the server ends", async () => {
    const { url } = await stub({
      "GET /admin/rentals": { leases: [box.starting], summary: box.summary, atMs: nowMs },
      "GET /admin/events": (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        const event = { type: "lease", lease: { ...box.ready, id: 4 } };
        const frames = [
          ": hello\n\n",
          "event: queue\ndata: {}\n\n",
          `event: lease\ndata: ${JSON.stringify(event)}\n\n`,
        ];
        response.end(frames.join(""));
      },
    });
    const { code, stdout, stderr } = await rental(["watch", "--json"], { url });
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { type: "leases", leases: [{ id: 4, state: "starting" }] },
      { type: "lease", lease: { id: 4, state: "ready", perHourUsd: "0.340000000" } },
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain("The server has ended");
  });
});
