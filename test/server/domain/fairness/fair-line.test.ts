import { describe, expect, test } from "vitest";
import { FairLine, type LineEntry } from "../../../../server/domain/fairness/fair-line.ts";
import { TokenTurns } from "../../../../server/domain/fairness/token-turns.ts";

let arrivals = 0;
function entry(caller: string, tokens = 10, side = false): LineEntry {
  arrivals += 1;
  return { caller, tokens, side, arrival: arrivals };
}

function drained(line: FairLine<LineEntry>): LineEntry[] {
  const all: LineEntry[] = [];
  for (let one = line.next(); one !== null; one = line.next()) all.push(one);
  return all;
}

function lineOf(...entries: readonly LineEntry[]): FairLine<LineEntry> {
  const line = new FairLine<LineEntry>();
  for (const one of entries) line.add(one);
  return line;
}

describe("turns", () => {
  test("go to whoever was served least", () => {
    const line = lineOf(entry("large", 1_000), entry("large", 1_000), entry("small"), entry("small"), entry("small"));
    expect(drained(line).map(({ caller }) => caller)).toEqual(["large", "small", "small", "small", "large"]);
  });

  test("are said beforehand as they will be taken", () => {
    const entries = Array.from({ length: 60 }, (_, at) =>
      entry(`caller ${at % 3}`, 1 + ((at * 37) % 90), at % 5 === 0),
    );
    const line = lineOf(...entries);
    const said = line.order();
    expect(said.length).toBe(60);
    expect(drained(line)).toEqual(said);
  });

  test("a caller that was away has saved nothing up", () => {
    const line = lineOf(entry("early"));
    line.next();
    for (let count = 0; count < 100; count += 1) {
      line.add(entry("busy", 500));
      line.next();
    }
    for (let count = 0; count < 3; count += 1) for (const caller of ["early", "busy"]) line.add(entry(caller, 500));
    expect(drained(line).map(({ caller }) => caller)).toEqual(["early", "early", "busy", "early", "busy", "busy"]);
  });

  test("a caller that leaves and comes back still owes what it had too much", () => {
    const line = lineOf(entry("a", 9_000), entry("b", 100));
    drained(line);
    for (const caller of ["a", "b", "b"]) line.add(entry(caller, 100));
    expect(drained(line).map(({ caller }) => caller)).toEqual(["b", "b", "a"]);
  });

  test("removing somebody leaves the others in order", () => {
    const gone = entry("a");
    const line = lineOf(entry("a"), gone, entry("a"));
    line.remove(gone);
    line.remove(gone);
    expect(line.size).toBe(2);
    expect(drained(line)).not.toContain(gone);
    expect(line.callers).toEqual([]);
  });
});

describe("side requests of one caller", () => {
  test("let its main requests pass", () => {
    const [title, first, second] = [entry("agent", 10, true), entry("agent"), entry("agent")];
    expect(drained(lineOf(title, first, second))).toEqual([first, second, title]);
  });

  test("go after four have passed, so that a chat beside agents does not starve", () => {
    const chat = entry("this computer", 10, true);
    const line = lineOf(chat, ...Array.from({ length: 9 }, () => entry("this computer")));
    expect(drained(line).indexOf(chat)).toBe(4);
  });

  test("do not let another caller's requests pass", () => {
    const [title, other] = [entry("agent", 10, true), entry("other", 10)];
    expect(drained(lineOf(title, other))).toEqual([title, other]);
  });
});

describe("virtual time", () => {
  test("what is given back counts", () => {
    const turns = new TokenTurns();
    for (const caller of ["a", "b"]) turns.begin(caller);
    turns.charge("a", 4_000);
    turns.charge("a", -3_900);
    turns.charge("b", 200);
    expect(turns.served("a")).toBeLessThan(turns.served("b"));
  });

  test("never falls", () => {
    const turns = new TokenTurns();
    turns.charge("a", 1_000);
    turns.goes("a");
    turns.charge("a", -800);
    turns.goes("a");
    turns.begin("new");
    expect(turns.served("new")).toBe(1_000);
  });
});
