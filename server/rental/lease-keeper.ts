/**
 * Keeps one lease: writes down what becomes of it, counts what it costs, and tells its market what is due, one order at a time. Decides
 * nothing itself (`domain/rental`). Runs in the server; the clock is passed in.
 */
import { asFailure } from "../domain/failure.ts";
import type { Clock, Log } from "../domain/ports.ts";
import {
  addedBurn,
  type Billing,
  billingOf,
  type BurnPiece,
  BurnMeter,
  nothingDone,
  paidNanos,
  type WorkDone,
} from "../domain/rental/burn.ts";
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
  readonly book: Pick<LeaseBook, "write" | "pieces">;
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
  readonly #unwritten: BurnPiece[] = [];
  /** What was counted in pieces that are over. */
  #before: ReturnType<typeof addedBurn>;
  #record: LeaseRecord;
  #open: BurnPiece | null = null;
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
    const pieces = parts.book.pieces(record.id);
    const last = pieces.at(-1) ?? null;
    this.#before = addedBurn(pieces.slice(0, -1));
    // The time while nobody watched counts as what was known last: what may have run, ran.
    if (record.instanceId !== null) this.#meter = new BurnMeter(ratesOf(record), this.#billing(nowMs), last, nowMs);
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
    return addedBurn([this.#before, ...(this.#open === null ? [] : [this.#open])]);
  }

  /** Writes the record; without this the first row is the desk's. */
  change(next: LeaseRecord, interruption: Interruption | null = null): void {
    const before = this.#record;
    if (next === before && interruption === null) return;
    const nowMs = this.#parts.now();
    this.#record = next;
    if (this.#meter === null && next.instanceId !== null) {
      // It began to cost when it was ordered, not when we heard of it.
      const made = billingOf(next.seen.state, true) === "storage" ? "storage" : "unknown";
      this.#meter = new BurnMeter(ratesOf(next), made, null, before.order?.atMs ?? nowMs);
    }
    this.#meter?.bills(this.#billing(nowMs), ratesOf(next), nowMs);
    this.#write(before.state, interruption);
    if (before.state !== next.state) {
      const { id, state, reason, market, instanceId } = next;
      this.#parts.log.info({ lease: id, market, instance: instanceId, state, reason }, "a lease has changed");
    }
    this.#parts.changed(this.view());
  }

  observe(list: InstanceList): void {
    const { lease, interruption } = observed(this.#record, list, this.#parts.now());
    this.change(lease, interruption);
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
    this.#meter?.bills(this.#billing(nowMs), ratesOf(this.#record), nowMs);
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

  #billing(nowMs: number): Billing {
    const { seen, state } = this.#record;
    if (state === "ended") return "nothing";
    return billingOf(seen.state, seen.atMs === null || nowMs - seen.atMs <= this.#parts.staleMs);
  }

  #take(): void {
    if (this.#meter === null) return;
    const pieces = this.#meter.take();
    this.#open = pieces.at(-1) ?? null;
    const closed = pieces.slice(0, -1);
    if (closed.length > 0) this.#before = addedBurn([this.#before, ...closed]);
    this.#unwritten.push(...closed);
  }

  #write(from: LeaseRecord["state"] | undefined, interruption: Interruption | null): void {
    this.#take();
    const pieces = [...this.#unwritten, ...(this.#open === null ? [] : [this.#open])];
    try {
      this.#parts.book.write(this.#record, { pieces, interruption, ...(from === undefined ? {} : { from }) });
      this.#unwritten.length = 0;
      this.#isUnwritten = false;
      this.#writtenAtMs = this.#parts.now();
    } catch (thrown) {
      this.#isUnwritten = true;
      // Nothing is forgotten here; the next write brings it. What must be in the file first is written by the desk.
      this.#parts.log.error({ lease: this.#record.id, err: thrown }, "a lease could not be written down");
    }
  }
}

function ratesOf({ billed, quoted }: LeaseRecord) {
  return billed ?? quoted;
}
