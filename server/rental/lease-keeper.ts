/**
 * Keeps one lease: writes down what becomes of it, counts what it costs, and tells its market what is due, one order at a time. Decides
 * nothing itself (`domain/rental`). Runs in the server; the clock is passed in.
 */
import { asFailure } from "../domain/failure.ts";
import type { Clock, Log } from "../domain/ports.ts";
import {
  addedBurn,
  type Billing,
  type BurnPiece,
  nothingDone,
  paidNanos,
  type WorkDone,
} from "../domain/rental/burn.ts";
import { type Course, courseOf, overCourse } from "../domain/rental/burn-course.ts";
import { BurnMeter } from "../domain/rental/burn-meter.ts";
import type { InterruptionCause, LeaseView, NoticeSource } from "../domain/rental/lease.ts";
import {
  hasEnded,
  type Interruption,
  isAdopted,
  type LeaseRecord,
  moved,
  type OrderKind,
} from "../domain/rental/lease-record.ts";
import { type LeaseFacts, sending, stepped, wished } from "../domain/rental/lease-step.ts";
import { viewOf } from "../domain/rental/lease-view.ts";
import type { InstanceList } from "../domain/rental/market.ts";
import { causeWords, interrupted, observed } from "../domain/rental/observe.ts";
import type { LeaseBook } from "../ledger/leases.ts";
import type { Market } from "./market.ts";

export interface KeeperParts {
  readonly book: Pick<LeaseBook, "write" | "pieces" | "settledOf">;
  /** Null: it is not in the settings any more, and nobody can be told anything. */
  readonly market: Market | null;
  readonly clock: Clock;
  readonly log: Log;
  /** Epoch milliseconds that never go back. */
  now(): number;
  /** Older words of the market are not believed. */
  readonly staleMs: number;
  /** Longest time one order may take. */
  readonly orderMs: number;
  spentOfAll(): Pick<LeaseFacts["spent"], "dayNanos" | "monthNanos">;
  changed(view: LeaseView): void;
  /** Something was ordered: the market's list is worth a look. */
  lookSoon(): void;
}

/** Fewer writes while nothing but money changes. */
const writeEveryMs = 10_000;

export class Keeper {
  readonly #parts: KeeperParts;
  /** Null: nobody has confirmed an instance, and what is not there costs nothing. */
  #meter: BurnMeter | null = null;
  /** By where they begin. */
  readonly #unwritten = new Map<number, BurnPiece>();
  /** What was counted in pieces that never change again. */
  #before = addedBurn([]);
  #record: LeaseRecord;
  /** Pieces that may still grow. */
  #open: readonly BurnPiece[] = [];
  /** Billed less counted, of the days that are settled. */
  #settledNanos: number;
  #writtenAtMs: number;
  #isSettling = false;
  #isUnwritten = false;
  #isStopped = false;
  #again = false;
  #cancel = () => {};

  constructor(record: LeaseRecord, parts: KeeperParts) {
    this.#parts = parts;
    this.#record = record;
    const nowMs = parts.now();
    // The time while nobody watched counts by what was known last, and by what the next look says where that is dearer.
    if (record.instanceId !== null) this.#meter = this.#meterOf(record, parts.book.pieces(record.id));
    this.#settledNanos = parts.book.settledOf(record.id);
    this.#writtenAtMs = nowMs;
    this.#take();
  }

  get record(): LeaseRecord {
    return this.#record;
  }

  get inFlight(): number {
    return this.#meter?.inFlight ?? 0;
  }

  view(): LeaseView {
    const nowMs = this.#parts.now();
    if (!hasEnded(this.#record)) this.#meter?.advance(nowMs);
    // Nobody knows whether there is one: it counts as running, and is booked when it is found.
    const unmade: Billing = this.#record.state === "intended" && this.#record.order !== null ? "unknown" : "nothing";
    const billing = this.#meter?.billing ?? unmade;
    return viewOf(this.#record, { nowMs, inFlight: this.inFlight, billing, burn: this.burn() });
  }

  burn() {
    this.#take();
    return { ...addedBurn([this.#before, ...this.#open]), settledNanos: this.#settledNanos };
  }

  /** Days of it were settled. */
  settled(): void {
    this.#settledNanos = this.#parts.book.settledOf(this.#record.id);
    this.#parts.changed(this.view());
  }

  /** Writes the record; without this the first row is the desk's. `askedAtMs`: when the list that says so was asked for. */
  change(next: LeaseRecord, interruption: Interruption | null = null, askedAtMs: number | null = null): void {
    const before = this.#record;
    if (next === before && interruption === null) return;
    const nowMs = this.#parts.now();
    this.#record = next;
    // It began to cost when it was ordered, not when we heard of it.
    if (this.#meter === null && next.instanceId !== null) this.#meter = this.#meterOf(before, []);
    const course = this.#courseOf(next);
    if (next.seen === before.seen) this.#meter?.follows(course, nowMs);
    else this.#meter?.looked(course, askedAtMs ?? nowMs, nowMs);
    this.#write(before.state, interruption);
    if (before.state !== next.state) {
      const { id, state, reason, market, instanceId } = next;
      this.#parts.log.info({ lease: id, market, instance: instanceId, state, reason }, "a lease has changed");
    }
    this.#parts.changed(this.view());
  }

  /** `askedAtMs`: what the list says was true at some moment since then. */
  observe(list: InstanceList, askedAtMs = list.takenAtMs): void {
    const { lease, interruption } = observed(this.#record, list, this.#parts.now());
    this.change(lease, interruption, askedAtMs);
  }

  interrupt(cause: InterruptionCause, source: NoticeSource, words: string): void {
    const { state } = this.#record;
    if (state !== "ready" && state !== "starting") return;
    const { lease, interruption } = interrupted(this.#record, cause, source, words, this.#parts.now());
    this.change(lease, interruption);
  }

  /** Its first token was seen. */
  answered(): void {
    const { state, wish } = this.#record;
    const isAwaited = state === "starting" || (state === "interrupted" && isAdopted(this.#record));
    if (!isAwaited || wish !== "run") return;
    this.change(moved(this.#record, "ready", "it answers", this.#parts.now()));
  }

  /** A machine of the settings has not answered since it is awaited: nobody else says that it is away. No interruption of what never was. */
  silent(): void {
    if (this.#record.state !== "starting" || !isAdopted(this.#record)) return;
    this.change(moved(this.#record, "interrupted", causeWords.no_answer, this.#parts.now()));
  }

  wish(wish: LeaseRecord["wish"], reason: string): void {
    this.change(wished(this.#record, wish, reason, this.#parts.now()));
  }

  begin(): (done?: Partial<WorkDone>) => void {
    this.#meter?.began(this.#parts.now());
    let isOver = false;
    return (done = {}) => {
      if (isOver) return;
      isOver = true;
      const nowMs = this.#parts.now();
      this.#meter?.ended({ ...nothingDone, ...done }, nowMs);
      // Written with what follows; a crash makes it idle a little earlier.
      this.#record = { ...this.#record, usedAtMs: nowMs };
    };
  }

  /** Time has passed, or something has happened: what is due is done. Never throws. */
  async settle(): Promise<void> {
    this.#again = true;
    if (this.#isSettling) return;
    this.#isSettling = true;
    try {
      while (this.#again && !this.#isStopped) {
        this.#again = false;
        const order = this.#step();
        if (order !== null) await this.#send(order);
      }
    } finally {
      this.#isSettling = false;
    }
  }

  /** Counts up to now and writes it; nothing is ordered any more. The instance is left as it is. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#cancel();
    if (!hasEnded(this.#record)) this.#write(undefined, null);
  }

  #step(): OrderKind | null {
    const { now, spentOfAll, market } = this.#parts;
    const nowMs = now();
    this.#cancel();
    this.#meter?.advance(nowMs);
    if (hasEnded(this.#record)) return null;
    const facts: LeaseFacts = {
      nowMs,
      inFlight: this.inFlight,
      spent: { ...spentOfAll(), leaseNanos: paidNanos(this.burn()) },
      stops: market?.traits.stops ?? false,
    };
    const { lease, order, wakeAtMs } = stepped(this.#record, facts);
    if (lease !== this.#record) this.change(lease);
    else if (nowMs - this.#writtenAtMs >= writeEveryMs) this.#write(undefined, null);
    if (wakeAtMs !== null) {
      this.#cancel = this.#parts.clock.after(Math.max(0, wakeAtMs - nowMs), () => void this.settle());
    }
    return market === null ? null : order;
  }

  async #send(order: OrderKind): Promise<void> {
    const { market, clock, log, now, orderMs, lookSoon } = this.#parts;
    const { id, instanceId } = this.#record;
    if (market === null || instanceId === null || order === "create") return;
    this.change(sending(this.#record, order, now()));
    // What costs money is not done without a row; what ends it is.
    if (this.#isUnwritten && order === "start") return;
    const limit = new AbortController();
    const cancel = clock.after(orderMs, () => limit.abort(new Error("the market did not answer in time")));
    try {
      const deed = await market[order](instanceId, limit.signal);
      log.info({ lease: id, order, deed }, "a market was told");
      const { order: sent } = this.#record;
      if (deed !== "again" && sent?.kind === order)
        this.change({ ...this.#record, order: { ...sent, heardAtMs: now() } });
    } catch (thrown) {
      const { code, message } = asFailure(thrown);
      log.warn({ lease: id, order, code, err: message }, "a market did not do what it was told; it is told again");
    } finally {
      cancel();
    }
    lookSoon();
    // For the next try's timer.
    this.#again = true;
  }

  /** Words that never came are as old as the try to start it. */
  #courseOf(lease: LeaseRecord): Course {
    const { seen, state, bootSinceMs } = lease;
    const rates = lease.billed ?? lease.quoted;
    if (state === "ended") return overCourse(rates);
    const { market, staleMs } = this.#parts;
    return courseOf(
      seen.state,
      rates,
      (seen.atMs ?? bootSinceMs) + staleMs,
      market?.traits.billsAllButStopped ?? false,
    );
  }

  #meterOf(lease: LeaseRecord, pieces: readonly BurnPiece[]): BurnMeter {
    const { createdAtMs, seen } = lease;
    const course = this.#courseOf(lease);
    return new BurnMeter({ course, pieces, lookedAtMs: seen.atMs ?? createdAtMs, fromMs: createdAtMs });
  }

  #take(): void {
    if (this.#meter === null) return;
    const { closed, open, changed } = this.#meter.take();
    this.#open = open;
    if (closed.length > 0) this.#before = addedBurn([this.#before, ...closed]);
    for (const piece of changed) this.#unwritten.set(piece.fromMs, piece);
  }

  #write(from: LeaseRecord["state"] | undefined, interruption: Interruption | null): void {
    this.#take();
    const pieces = [...this.#unwritten.values()];
    try {
      this.#parts.book.write(this.#record, { pieces, interruption, ...(from === undefined ? {} : { from }) });
      this.#unwritten.clear();
      // What is counted anew of a day that is settled changes nothing of what is paid.
      this.#settledNanos = this.#parts.book.settledOf(this.#record.id);
      this.#isUnwritten = false;
      this.#writtenAtMs = this.#parts.now();
    } catch (thrown) {
      this.#isUnwritten = true;
      // Nothing is forgotten here; the next write brings it. What must be in the file first is written by the desk.
      this.#parts.log.error({ lease: this.#record.id, err: thrown }, "a lease could not be written down");
    }
  }
}
