import { describe, expect, test } from "vitest";
import { BudgetBook, type DaySum, type Hold } from "../../../../server/domain/budget/book.ts";
import { type Budget, parseBudgetOf, type Spender } from "../../../../server/domain/budget/budget.ts";
import { addDays } from "../../../../server/domain/day.ts";
import { seeded } from "../../../support/random.ts";

function budget(name: string, of: string, limitNanos: number, change: Partial<Budget> = {}): Budget {
  const parsed = parseBudgetOf(of);
  if (parsed === null) throw new Error(of);
  return { name, of: parsed, every: "month", limitNanos, hard: true, warnAt: 0.8, ...change };
}

const jonas: Spender = { keyId: 3, person: "jonas", alias: "coder", provider: "openai" };
const mira: Spender = { keyId: 4, person: "mira", alias: "coder", provider: "openai" };
const day = "2026-11-26";

function bookOf(budgets: readonly Budget[], sums: readonly DaySum[] = []): BudgetBook {
  const book = new BudgetBook(sums);
  book.setBudgets(budgets);
  return book;
}

function granted(book: BudgetBook, spender: Spender, nanos: number, on = day): Hold {
  const outcome = book.reserve(spender, on, nanos);
  if (!outcome.granted) throw new Error("refused");
  return outcome.hold;
}

describe("a hard budget", () => {
  test("S-28 lets in what fits beside what is spent and held, and refuses what does not", () => {
    const book = bookOf([budget("team", "all", 100)]);
    const first = granted(book, jonas, 60);
    granted(book, mira, 40);
    expect(book.reserve(jonas, day, 1)).toMatchObject({
      granted: false,
      refusedBy: [{ spentNanos: 0, heldNanos: 100, state: "over" }],
    });
    book.settle(first, 10);
    expect(book.standings(day)).toMatchObject([{ spentNanos: 10, heldNanos: 40, state: "ok" }]);
    expect(book.reserve(jonas, day, 50).granted).toBe(true);
    expect(book.heldNanos).toBe(90);
  });

  test("never refuses what costs nothing, however full it is", () => {
    const book = bookOf([budget("team", "all", 0)]);
    expect(book.reserve(jonas, day, 0).granted).toBe(true);
    expect(book.reserve(jonas, day, 1).granted).toBe(false);
  });

  test("books what a provider took beyond what was held, and says so", () => {
    const book = bookOf([budget("team", "all", 100)]);
    expect(book.settle(granted(book, jonas, 80), 130)).toMatchObject({ overrunNanos: 50 });
    expect(book.standings(day)).toMatchObject([{ spentNanos: 130, heldNanos: 0, overrunNanos: 50, state: "over" }]);
    expect(book.reserve(jonas, day, 1).granted).toBe(false);
  });

  test("is settled once", () => {
    const book = bookOf([budget("team", "all", 100)]);
    const hold = granted(book, jonas, 80);
    expect(book.settle(hold, 20)?.overrunNanos).toBe(0);
    expect(book.settle(hold, 20)).toBeNull();
    expect(book.standings(day)).toMatchObject([{ spentNanos: 20, heldNanos: 0 }]);
  });
});

test("several budgets are held in all or in none", () => {
  const book = bookOf([
    budget("team", "all", 1_000),
    budget("coder", "alias:coder", 50),
    budget("each", "person:*", 90),
  ]);
  expect(book.reserve(jonas, day, 60)).toMatchObject({ granted: false, refusedBy: [{ budget: { name: "coder" } }] });
  expect(book.standings(day).map(({ heldNanos }) => heldNanos)).toEqual([0, 0, 0]);
  granted(book, jonas, 50);
  expect(book.standings(day).map(({ subject, heldNanos }) => [subject, heldNanos])).toEqual([
    ["", 50],
    ["coder", 50],
    ["jonas", 50],
  ]);
});

test("each key, person, alias and provider has its own", () => {
  const subjects = ["key:3", "person:jonas", "alias:coder", "provider:openai", "key:*", "all"];
  const book = bookOf(subjects.map((of, index) => budget(`b${index}`, of, 100)));
  granted(book, jonas, 7);
  granted(book, { ...mira, provider: "groq" }, 5);
  expect(book.standings(day).map(({ budget: { name }, subject, heldNanos }) => [name, subject, heldNanos])).toEqual([
    ["b0", "3", 7],
    ["b1", "jonas", 7],
    ["b2", "coder", 12],
    ["b3", "openai", 7],
    ["b4", "3", 7],
    ["b4", "4", 5],
    ["b5", "", 12],
  ]);
  // Nobody's key: no budget of a key is about it.
  const keyless: Spender = { ...jonas, keyId: null, person: "this computer" };
  expect(bookOf([budget("each", "key:*", 1)]).reserve(keyless, day, 9).granted).toBe(true);
});

test("a soft one refuses nothing and says how it stands", () => {
  const book = bookOf([budget("soft", "all", 100, { hard: false, warnAt: 0.5 })]);
  const states = [40, 20, 60].map((nanos) => {
    const outcome = book.reserve(jonas, day, nanos);
    return outcome.granted ? outcome.standings[0]?.state : "refused";
  });
  expect(states).toEqual(["ok", "near", "over"]);
  expect(book.isBounded(jonas)).toBe(false);
});

test("S-28 a new period begins at nothing; a request counts where it began, however late it ends", () => {
  const book = bookOf([budget("daily", "all", 100, { every: "day" }), budget("monthly", "all", 1_000)]);
  const late = granted(book, jonas, 100);
  const tomorrow = addDays(day, 1);
  expect(book.reserve(jonas, day, 1).granted).toBe(false);
  granted(book, jonas, 30, tomorrow);
  book.settle(late, 90);
  expect(book.standings(day).map(({ spentNanos, heldNanos }) => [spentNanos, heldNanos])).toEqual([
    [90, 0],
    [90, 30],
  ]);
  expect(book.standings(tomorrow)[0]).toMatchObject({ from: tomorrow, spentNanos: 0, heldNanos: 30 });
});

test("what ended long ago is forgotten, what is under way and this period's are not", () => {
  const book = bookOf([budget("daily", "all", 100, { every: "day" }), budget("monthly", "all", 1_000)]);
  const open = granted(book, jonas, 7, "2026-09-01");
  book.settle(granted(book, mira, 5, "2026-09-02"), 5);
  book.settle(granted(book, mira, 3, day), 3);
  book.forget(day);
  expect(book.standings("2026-09-02")[0]).toMatchObject({ spentNanos: 0 });
  expect(book.standings("2026-09-01")[0]).toMatchObject({ heldNanos: 7 });
  expect(book.standings(day)).toMatchObject([{ spentNanos: 3 }, { spentNanos: 3 }]);
  expect(book.settle(open, 7)?.standings[0]).toMatchObject({ spentNanos: 7, heldNanos: 0 });
});

test("a budget that comes later counts what was spent before and what is under way", () => {
  const earlier: DaySum = { spender: mira, day: "2026-11-02", spentNanos: 11, overrunNanos: 1 };
  const book = bookOf([], [earlier, { ...earlier, spender: jonas, spentNanos: 5, overrunNanos: 0 }]);
  book.settle(granted(book, mira, 8), 4);
  const open = granted(book, mira, 9);
  book.setBudgets([budget("mira", "person:mira", 100), budget("day", "person:mira", 100, { every: "day" })]);
  expect(book.standings(day)).toMatchObject([
    { spentNanos: 15, heldNanos: 9, overrunNanos: 1 },
    { spentNanos: 4, heldNanos: 9, overrunNanos: 0 },
  ]);
  book.settle(open, 9);
  expect(book.standings(day)).toMatchObject([{ spentNanos: 24, heldNanos: 0 }, { spentNanos: 13 }]);
});

test("what is left of a caller's budgets is the least of them; those of aliases and providers are nobody's own", () => {
  const book = bookOf([
    budget("team", "all", 100),
    budget("each", "person:*", 40),
    budget("key", "key:4", 10),
    budget("coder", "alias:coder", 1),
  ]);
  granted(book, jonas, 1);
  book.settle(granted(book, { ...jonas, alias: "other" }, 19), 9);
  expect(book.left({ keyId: 3, person: "jonas" }, day)).toBeCloseTo(0.75);
  expect(book.left({ keyId: 4, person: "mira" }, day)).toBeCloseTo(0.9);
  expect(bookOf([]).left({ keyId: 3, person: "jonas" }, day)).toBeNull();
});

test("S-28 spent + held stays within every limit but for overruns, whatever happens in which order", () => {
  for (let seed = 1; seed <= 12; seed += 1) {
    const random = seeded(seed);
    const budgets = [
      budget("team", "all", 5_000),
      budget("day", "all", 1_500, { every: "day" }),
      budget("each", "key:*", 900, { every: "week" }),
      budget("coder", "alias:coder", 2_000),
      budget("groq", "provider:groq", 700, { every: "day" }),
    ];
    const book = bookOf(budgets);
    const open: Hold[] = [];
    let today = "2026-10-29";
    let overruns = 0;
    let booked = 0;
    let refusals = 0;
    for (let step = 0; step < 600; step += 1) {
      if (random.chance(0.01)) today = addDays(today, 1);
      if (random.chance(0.6)) {
        const spender: Spender = {
          keyId: 1 + random.below(4),
          person: "p",
          alias: random.pick(["coder", "chat"]),
          provider: random.pick(["groq", "openai"]),
        };
        const outcome = book.reserve(spender, today, random.below(120));
        if (outcome.granted) open.push(outcome.hold);
        else refusals += 1;
      } else if (open.length > 0) {
        const [hold] = open.splice(random.below(open.length), 1) as [Hold];
        const nanos = random.chance(0.05) ? hold.nanos + random.below(50) : random.below(hold.nanos + 1);
        overruns += book.settle(hold, nanos)?.overrunNanos ?? 0;
        booked += nanos;
      }
      for (const {
        budget: { limitNanos },
        spentNanos,
        heldNanos,
        overrunNanos,
      } of book.standings(today)) {
        expect(spentNanos + heldNanos - overrunNanos).toBeLessThanOrEqual(limitNanos);
        expect(Math.min(spentNanos, heldNanos, overrunNanos)).toBeGreaterThanOrEqual(0);
      }
    }
    expect(refusals).toBeGreaterThan(0);
    for (const hold of open) booked += book.settle(hold, hold.nanos) === null ? 0 : hold.nanos;
    expect([book.heldNanos, book.openHolds]).toEqual([0, 0]);
    book.setBudgets([budget("all", "all", 1)]);
    const months = ["2026-10-29", "2026-11-15", "2026-12-15"].flatMap((one) => book.standings(one));
    expect(months.reduce((sum, { spentNanos }) => sum + spentNanos, 0)).toBe(booked);
    expect(months.reduce((sum, { overrunNanos }) => sum + overrunNanos, 0)).toBe(overruns);
  }
});
