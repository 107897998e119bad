/** The ledger beside a bill, by day and model: what counts as the same, and what is said of what is not. */
import { describe, expect, test } from "vitest";
import { compareBill, isReconciled, totalsOf } from "../../../../server/domain/reconcile/compare.ts";
import { attosOf, nanosOfAttos } from "../../../../server/domain/reconcile/exact-amount.ts";
import type { BillLine, OurDay } from "../../../../server/domain/reconcile/records.ts";
import { seeded } from "../../../support/random.ts";

const rules = {
  from: "2026-11-01",
  until: "2026-11-08",
  settledUntil: "2026-11-07",
  reachesBackTo: null,
  canonical: (model: string) => model,
};

function our(day: string, model: string, nanos: number, change: Partial<OurDay> = {}): OurDay {
  const none = { unpriced: 0, open: 0, brokenOff: 0, driftNanos: 0, overMidnightNanos: 0 };
  return { day, model, attempts: 1, nanos, ...none, ...change };
}

function line(day: string, model: string | null, usd: string, change: Partial<BillLine> = {}): BillLine {
  return { day, model, what: "input", attos: attosOf(usd, "usd"), roundingNanos: 0, requests: null, ...change };
}

const verdictsOf = (ours: readonly OurDay[], lines: readonly BillLine[], change: Partial<typeof rules> = {}) =>
  compareBill(ours, lines, { ...rules, ...change }).map(({ day, model, differenceNanos, verdict }) => [
    day.slice(8),
    model,
    differenceNanos,
    verdict,
  ]);

describe("amounts", () => {
  test("keep every digit of their text, and are rounded once", () => {
    expect(attosOf("0.1", "usd")).toBe(100_000_000_000_000_000n);
    expect(attosOf("123.78912", "cents")).toBe(1_237_891_200_000_000_000n);
    expect(attosOf("1e-7", "usd")).toBe(100_000_000_000n);
    expect(attosOf("0.13080438340307526", "usd")).toBe(130_804_383_403_075_260n);
    expect(nanosOfAttos(attosOf("0.0000000005", "usd") ?? 0n)).toBe(1);
    expect(nanosOfAttos(attosOf("-0.0000000005", "usd") ?? 0n)).toBe(-1);
    // Three thirds of a nano-USD are one; rounded line by line they would be none.
    const third = attosOf("0.000000000333333333", "usd") ?? 0n;
    expect(nanosOfAttos(third * 3n)).toBe(1);
    expect(attosOf("1000000", "usd")).not.toBeNull();
  });

  test.each(["", "none", "NaN", "Infinity", "1,5", "0x10", "1e99", "1000000.01", "--1", "1.2.3"])(
    "%j is no amount",
    (text) => {
      expect(attosOf(text, "usd")).toBeNull();
    },
  );

  test("agree with arithmetic on whole numbers, for any number of digits", () => {
    const random = seeded(7).number;
    for (let turn = 0; turn < 300; turn += 1) {
      const nanos = Math.floor(random() * 10 ** Math.ceil(random() * 14));
      const digits = String(nanos).padStart(10, "0");
      const text = `${digits.slice(0, -9)}.${digits.slice(-9)}`;
      expect(nanosOfAttos(attosOf(text, "usd") ?? -1n)).toBe(nanos);
      expect(nanosOfAttos(attosOf(`${text}e2`, "cents") ?? -1n)).toBe(nanos);
    }
  });
});

describe("a bill", () => {
  test("agrees within the rounding of both sides, and not one nano-USD beyond it", () => {
    const lines = [line("2026-11-02", "a", "0.000001", { roundingNanos: 5 })];
    const at = (nanos: number) => compareBill([our("2026-11-02", "a", nanos)], lines, rules)[0];
    // 1 for our one attempt, 1 for the rounding of their sum, 5 for their line.
    expect(at(1_000)).toMatchObject({ verdict: "agrees", reason: "the same", toleranceNanos: 7 });
    expect(at(993)).toMatchObject({ verdict: "agrees", reason: "the same within rounding", differenceNanos: 7 });
    expect(at(992)).toMatchObject({ verdict: "differs", differenceNanos: 8 });
    expect(at(1_008)).toMatchObject({ verdict: "differs", differenceNanos: -8 });
  });

  test("has what the ledger lacks, and lacks what the ledger has: by day, model and amount", () => {
    const ours = [our("2026-11-02", "a", 500), our("2026-11-03", "b", 700)];
    const lines = [line("2026-11-02", "a", "0.0000005"), line("2026-11-04", "c", "0.0025")];
    expect(verdictsOf(ours, lines)).toEqual([
      ["02", "a", 0, "agrees"],
      ["03", "b", -700, "missing_there"],
      ["04", "c", 2_500_000, "missing_here"],
    ]);
  });

  test("is not held against a day that is not closed, nor against one they do not tell any more", () => {
    const ours = [our("2026-11-01", "a", 500), our("2026-11-07", "a", 500), our("2026-11-05", "a", 500, { open: 1 })];
    const rows = compareBill(ours, [], { ...rules, reachesBackTo: "2026-11-02" });
    expect(rows.map(({ verdict }) => verdict)).toEqual(["out_of_reach", "not_yet_reported", "not_yet_reported"]);
    expect(isReconciled(rows)).toBe(true);
    expect(totalsOf(rows).rows).toMatchObject({ out_of_reach: 1, not_yet_reported: 2, agrees: 0 });
  });

  test("attempts without a price are apart, and their day does not agree by chance", () => {
    const ours = [our("2026-11-02", "a", 0, { attempts: 3, unpriced: 3 })];
    const [row] = compareBill(ours, [line("2026-11-02", "a", "0.000001")], rules);
    expect(row).toMatchObject({ verdict: "unpriced", unpricedAttempts: 3, theirsNanos: 1_000, differenceNanos: 1_000 });
    expect(row?.reason).toContain("3 attempts");
    expect(isReconciled([row as NonNullable<typeof row>])).toBe(false);
  });

  test("an attempt that ran over midnight may be billed where it ended", () => {
    const ours = [
      our("2026-11-02", "a", 1_000, { attempts: 2, overMidnightNanos: 400 }),
      our("2026-11-03", "a", 50_000, { attempts: 1 }),
    ];
    const moved = [line("2026-11-02", "a", "0.0000006"), line("2026-11-03", "a", "0.0000504")];
    expect(compareBill(ours, moved, rules).map(({ reason }) => reason)).toEqual([
      "the same when attempts that ran over midnight count where they ended",
      "the same when attempts that ran over midnight count where they ended",
    ]);
    expect(verdictsOf(ours, [line("2026-11-02", "a", "0.0000006"), line("2026-11-03", "a", "0.00005")])).toEqual([
      ["02", "a", -400, "agrees"],
      ["03", "a", 0, "agrees"],
    ]);
    // The day before the first one is only there for this.
    const early = [our("2026-10-31", "a", 900, { overMidnightNanos: 900 })];
    expect(verdictsOf(early, [line("2026-11-01", "a", "0.0000009")])).toEqual([["01", "a", 900, "agrees"]]);
  });

  test("names the dated model that ran, or the one that was asked for; nothing else is taken to be alike", () => {
    const ours = [our("2026-11-02", "gpt-4o", 500), our("2026-11-02", "claude-x-20260901", 700)];
    const lines = [
      line("2026-11-02", "gpt-4o-2024-08-06", "0.0000005"),
      line("2026-11-02", "claude-x", "0.0000007"),
      line("2026-11-02", "gpt-4o-mini", "0.0000001"),
    ];
    expect(verdictsOf(ours, lines)).toEqual([
      ["02", "claude-x-20260901", 0, "agrees"],
      ["02", "gpt-4o", 0, "agrees"],
      ["02", "gpt-4o-mini", 100, "missing_here"],
    ]);
    const twice = [our("2026-11-02", "x-2026-01-01", 1_000), our("2026-11-02", "x-2026-02-02", 1_000)];
    expect(verdictsOf(twice, [line("2026-11-02", "x", "0.000002")]).map(([, model]) => model)).toEqual([
      "x",
      "x-2026-01-01",
      "x-2026-02-02",
    ]);
  });

  test("lines without a model are part of some model's cost: then the day as a whole counts", () => {
    const ours = [our("2026-11-02", "a", 1_500), our("2026-11-03", "a", 1_500)];
    const lines = [
      ...[line("2026-11-02", "a", "0.000001"), line("2026-11-02", null, "0.0000005", { what: "web search" })],
      ...[line("2026-11-03", "a", "0.000001"), line("2026-11-03", null, "0.0000009", { what: "web search" })],
    ];
    expect(verdictsOf(ours, lines)).toEqual([
      ["02", "a", -500, "agrees"],
      ["02", null, 500, "agrees"],
      ["03", "a", -500, "differs"],
      ["03", null, 900, "missing_here"],
    ]);
    expect(compareBill(ours, lines, rules)[3]?.reason).toContain("web search");
  });

  test("a figure that is none is said, and takes part in no sum", () => {
    const [row] = compareBill([our("2026-11-02", "a", 500)], [line("2026-11-02", "a", "lots")], rules);
    expect(row).toMatchObject({ verdict: "unreadable", theirsNanos: null });
    expect(isReconciled([row as NonNullable<typeof row>])).toBe(false);
  });

  test("drift is kept, what broke off is named, and nothing is listed for nothing", () => {
    const ours = [our("2026-11-02", "a", 500, { driftNanos: 40, brokenOff: 1 }), our("2026-11-03", "free", 0)];
    const rows = compareBill(ours, [line("2026-11-02", "a", "0.00001"), line("2026-11-04", "z", "0")], rules);
    expect(rows.map(({ model, verdict }) => [model, verdict])).toEqual([
      ["a", "differs"],
      ["free", "agrees"],
    ]);
    expect(rows[0]?.reason).toBe("they bill more than the ledger has; 1 attempt broke off and is estimated");
    expect(totalsOf(rows).driftNanos).toBe(40);
  });
});
