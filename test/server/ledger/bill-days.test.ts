/** Our side of a bill: attempts by the UTC day they began, by model, of the entries that are asked for. */
import { expect, test } from "vitest";
import type { Cost } from "../../../server/domain/money.ts";
import type { AttemptEnding, AttemptOpening } from "../../../server/ledger/rows.ts";
import { freshLedger } from "./open-ledger.ts";
import { attempt, attemptEnding, ending, opening } from "./rows.ts";

const midnight = Date.parse("2026-11-20T00:00:00Z");
const day = 86_400_000;

test("attempts are counted where they began, with what is known, unknown, running, broken off and over midnight", async () => {
  const { ledger } = freshLedger();
  const { writer } = ledger;
  let id = 0;
  const known = (nanos: number): Cost => ({ known: true, nanos, basis: "estimated" });
  const add = (
    startedAtMs: number,
    model: string,
    open: Partial<AttemptOpening>,
    end: Partial<AttemptEnding> | null,
  ) => {
    id += 1;
    const request = `req_${id}`;
    writer.openRequest(opening(request, { startedAtMs }));
    const upstream = { provider: "openai", model };
    writer.openAttempt(attempt(request, { target: `acme/${model}`, upstream, offsetMs: 0, ...open }));
    if (end === null) return;
    writer.closeAttempt(attemptEnding(request, { durationMs: 10, ...end }));
    void writer.closeRequest(ending(request, { cost: end.cost ?? known(0) }));
  };
  add(midnight, "m", {}, { cost: known(100) });
  // Its request began the day before; the attempt, after a wait, on this one.
  add(midnight - 5_000, "m", { offsetMs: 6_000 }, { cost: known(20) });
  add(midnight - 5_000, "m", {}, { cost: known(3), durationMs: 6_000 });
  add(midnight + day - 1, "m", {}, { cost: { known: false, reason: "unknown_price" } });
  add(midnight + 1, "m", {}, { cost: known(7), status: "aborted" });
  add(midnight + 2, "m", {}, null);
  add(midnight + 3, "other", { target: "spare/other" }, { cost: known(9) });
  // Neither another entry nor this box itself is on that bill.
  add(midnight + 4, "m", { target: "acme-two/m" }, { cost: known(1_000) });
  writer.openRequest(opening("req_own", { startedAtMs: midnight + 5 }));
  writer.openAttempt(attempt("req_own", { target: "engine/acme" }));
  writer.closeAttempt(attemptEnding("req_own", { cost: known(5_000) }));
  void writer.closeRequest(ending("req_own", { cost: known(5_000) }));
  writer.flush();

  const found = await ledger.reports.billDays({
    providers: ["acme", "spare"],
    fromMs: midnight - day,
    untilMs: midnight + day,
  });
  const none = { unpriced: 0, open: 0, brokenOff: 0, driftNanos: 0, overMidnightNanos: 0 };
  expect(found).toEqual([
    { ...none, day: "2026-11-19", model: "m", attempts: 1, nanos: 3, overMidnightNanos: 3 },
    { ...none, day: "2026-11-20", model: "m", attempts: 5, nanos: 127, unpriced: 1, open: 1, brokenOff: 1 },
    { ...none, day: "2026-11-20", model: "other", attempts: 1, nanos: 9 },
  ]);
  expect(
    await ledger.reports.billDays({ providers: ["acme"], fromMs: midnight + day, untilMs: midnight + 2 * day }),
  ).toEqual([]);
});
