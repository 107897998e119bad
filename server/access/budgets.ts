/**
 * Budgets as they are carried out: which day it is, what an attempt may cost, what the ledger says was spent, what is told of it.
 * The rules are `domain/budget`. Runs in the server process, on the one thread that also writes the ledger: nothing comes
 * between a look at a budget and what is held in it.
 *
 * What was spent is never stored: it is the sum of the attempts' rows, read once when the box starts. What is held lives on
 * the open rows; the ledger has booked those of a killed process before anybody asks here.
 */
import type { AttemptSize } from "../domain/budget/attempt-size.ts";
import { BudgetBook, type DaySum, type Hold } from "../domain/budget/book.ts";
import { type BudgetStanding, type Spender, standingWords, usdText } from "../domain/budget/budget.ts";
import { daysThatCount } from "../domain/budget/period.ts";
import { addDays, type Day, dayOf, startOfDay } from "../domain/day.ts";
import type { Reservation, ReserveWish } from "../domain/budget/reservation.ts";
import { type BudgetView, budgetView } from "../domain/budget/view.ts";
import { Failure } from "../domain/failure.ts";
import type { Nanos } from "../domain/money.ts";
import type { Clock, Log, Publish } from "../domain/ports.ts";
import type { PriceList } from "../domain/pricing/price-list.ts";
import type { BudgetRecord } from "./budget-record.ts";
import { budgetOfSetting, type BudgetSetting } from "./budget-setting.ts";

export interface BudgetSettings {
  /** Where days, weeks and months begin, by its IANA name; null: the machine's own. */
  readonly zone: string | null;
  /** The bound of answers that nobody bounded, where a hard budget counts them. */
  readonly outputTokens: number;
  readonly unknownPrice: "hold" | "refuse";
  readonly caps: Readonly<Record<string, BudgetSetting>>;
}

export interface BudgetPorts {
  readonly settings: BudgetSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly publish: Publish;
  readonly pricing: PriceList;
  /** What rows of requests say that began in each of these spans of epoch milliseconds. */
  spentIn(day: Day, fromMs: number, toMs: number): readonly DaySum[];
  /** Keeps one budget in the settings, or takes it out (`undefined`). Throws a Failure. */
  writeSetting(name: string, value: BudgetSetting | undefined): void;
  /** Names that work without money; whoever is refused is told one. Absent: none. */
  localModels?(): readonly string[];
  /** Hears of every change; null: nobody asked for that. */
  readonly record: BudgetRecord | null;
}

export interface Budgets {
  /** Throws Failure `budget_exceeded`; then nothing is held. */
  reserve(wish: ReserveWish): Reservation;
  /** Share that is left of the caller's budgets, 0 to 1; null: it has none. */
  left(caller: Pick<Spender, "keyId" | "person">): number | null;
  /** Of all attempts under way. */
  heldNanos(): Nanos;
  /** Epoch milliseconds at which the day of this moment began in the zone of the budgets. */
  startOfDay(atMs: number): number;
  list(): readonly BudgetView[];
  /** Holds from the next attempt on. Throws `invalid_request`. */
  set(name: string, setting: BudgetSetting): readonly BudgetView[];
  /** Throws `not_found`. */
  remove(name: string): void;
  close(): void;
}

const rank: Readonly<Record<BudgetStanding["state"], number>> = Object.freeze({ ok: 0, near: 1, over: 2 });

export function createBudgets(ports: BudgetPorts): Budgets {
  const { settings, clock, pricing, record } = ports;
  const { zone } = settings;
  const caps = new Map(Object.entries(settings.caps));
  const budgetsNow = () => [...caps].map(([name, setting]) => budgetOfSetting(name, setting));

  /** The day that is now, and its bounds: asked for every attempt, computed once a day. */
  let current = { day: "", fromMs: 0, untilMs: 0 };
  const dayAt = (atMs: number): Day => {
    if (atMs >= current.fromMs && atMs < current.untilMs) return current.day;
    return dayOf(atMs, zone);
  };
  const today = (): Day => {
    const atMs = clock.now();
    if (atMs < current.fromMs || atMs >= current.untilMs) {
      const day = dayOf(atMs, zone);
      current = { day, fromMs: startOfDay(day, zone), untilMs: startOfDay(addDays(day, 1), zone) };
      book.forget(day);
    }
    return current.day;
  };

  const days = daysThatCount(dayOf(clock.now(), zone));
  const starts = [...days, addDays(days.at(-1) ?? "", 1)].map((day) => startOfDay(day, zone));
  const sums = days.flatMap((day, index) => ports.spentIn(day, starts[index] ?? 0, starts[index + 1] ?? 0));
  const book = new BudgetBook(sums);
  book.setBudgets(budgetsNow());

  const told = new Map<string, BudgetStanding["state"]>();
  /** People hear of a budget once for each state that it reaches in a period: holds come and go with every attempt. */
  const changed = (standings: readonly BudgetStanding[]) => {
    for (const standing of standings) {
      const { budget, subject, from, state } = standing;
      const key = `${budget.name}\n${subject}\n${from}`;
      if (rank[state] <= rank[told.get(key) ?? "ok"]) continue;
      told.set(key, state);
      ports.log.warn({ budget: budget.name, state }, "a budget is nearly used up, or is");
      ports.publish({ type: "budget", budget: viewOf(standing) });
    }
  };
  const viewOf = (standing: BudgetStanding) => budgetView(standing, { zone: zoneName(zone), startOf });
  const startOf = (day: Day) => startOfDay(day, zone);

  function reserve(wish: ReserveWish): Reservation {
    const { caller, upstream, size, requestId, attempt, alias } = wish;
    today();
    const day = dayAt(wish.startedAtMs);
    const spender: Spender = { keyId: caller.keyId, person: caller.name, alias, provider: upstream.provider };
    const isBounded = book.isBounded(spender);
    const maxTokens = size.completionTokens ?? (isBounded ? settings.outputTokens : null);
    const worst = pricing.worstCase(questionOf(wish, size, maxTokens ?? settings.outputTokens));
    const about = { requestId, attempt };
    if (isBounded && worst.priceId === null && settings.unknownPrice === "refuse") throw withoutPrice(wish);
    const outcome = book.reserve(spender, day, worst.nanos);
    if (!outcome.granted) {
      record?.write({ what: "refuse", atMs: clock.now(), ...about, nanos: worst.nanos }, outcome.refusedBy);
      throw refusal(outcome.refusedBy, worst.nanos);
    }
    record?.write({ what: "reserve", atMs: clock.now(), ...about, nanos: worst.nanos }, outcome.standings);
    changed(outcome.standings);
    const settleAt = (hold: Hold, nanos: Nanos): boolean => {
      const settled = book.settle(hold, nanos);
      if (settled === null) return false;
      record?.write({ what: "settle", atMs: clock.now(), ...about, nanos }, settled.standings);
      changed(settled.standings);
      return settled.overrunNanos > 0;
    };
    return {
      heldNanos: worst.nanos,
      maxTokens: size.completionTokens === null && isBounded ? settings.outputTokens : null,
      warnings: outcome.standings.filter(({ state }) => state !== "ok").map(standingWords),
      settle(cost, usage) {
        if (cost.known) return { isOverrun: settleAt(outcome.hold, cost.nanos), countedNanos: null };
        const { promptTokens, completionTokens } = usage;
        const asUsed = { ...size, promptTokens, answers: 1 };
        const countedNanos = pricing.worstCase(questionOf(wish, asUsed, completionTokens)).nanos;
        return { isOverrun: settleAt(outcome.hold, countedNanos), countedNanos };
      },
      forfeit: () => void settleAt(outcome.hold, worst.nanos),
    };
  }

  function refusal(refusedBy: readonly BudgetStanding[], asked: Nanos): Failure {
    const words = refusedBy.map((standing) => {
      const { heldNanos, until } = standing;
      const held = heldNanos === 0 ? "" : `, and ${usdText(heldNanos)} is held for requests that run`;
      return `${standingWords(standing)}${held}; it begins anew on ${until} (${zoneName(zone)})`;
    });
    const local = ports.localModels?.()[0];
    const still = local === undefined ? "" : ` The local model "${local}" still works.`;
    return new Failure(
      "budget_exceeded",
      `Budget reached: ${words.join("; ")}. This request may cost up to ${usdText(asked)}.${still} Ask whoever runs this box, or for fewer tokens (max_tokens).`,
    );
  }

  function changeTo(name: string, setting: BudgetSetting | undefined): void {
    ports.writeSetting(name, setting);
    if (setting === undefined) caps.delete(name);
    else caps.set(name, setting);
    for (const key of told.keys()) if (key.startsWith(`${name}\n`)) told.delete(key);
    book.setBudgets(budgetsNow());
    const standings = book.standings(today());
    record?.write({ what: "change", atMs: clock.now(), requestId: null, attempt: null, nanos: 0 }, standings);
    changed(standings);
  }

  const list = () => book.standings(today()).map(viewOf);
  record?.write(
    { what: "start", atMs: clock.now(), requestId: null, attempt: null, nanos: 0 },
    book.standings(today()),
  );

  return {
    reserve,
    left: (caller) => book.left(caller, today()),
    heldNanos: () => book.heldNanos,
    startOfDay: (atMs) => startOfDay(dayOf(atMs, zone), zone),
    list,
    set(name, setting) {
      changeTo(name, setting);
      return list().filter((view) => view.name === name);
    },
    remove(name) {
      if (!caps.has(name)) throw new Failure("not_found", `There is no budget "${name}".`);
      changeTo(name, undefined);
    },
    close: () => record?.close(),
  };
}

function questionOf({ upstream, startedAtMs }: ReserveWish, size: AttemptSize, completionTokens: number) {
  return {
    ...upstream,
    atMs: startedAtMs,
    promptTokens: size.promptTokens,
    completionTokens: completionTokens * size.answers,
    serviceTier: size.serviceTier,
    fast: size.fast,
  };
}

function withoutPrice({ upstream }: ReserveWish): Failure {
  return new Failure(
    "budget_exceeded",
    `No price is known for ${upstream.provider}/${upstream.model}, and the budgets here refuse what has none.`,
    { next: ["lanthorn config show prices"] },
  );
}

function zoneName(zone: string | null): string {
  return zone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
