/**
 * A box with leases that lives a random story and kills itself with SIGKILL at a chosen moment: before or after a write to the ledger, before
 * or after the market has heard of something. What is outside (the market, its meter, the time) is kept in a file, as the world
 * goes on without the box. Started by the kill test: `kill-child.ts <folder> <seed> <minutes> <killAt>`; killAt 0: it lives on, ends
 * everything and tells what came of it.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RentalOrder } from "../../../server/domain/rental/market.ts";
import type { LeaseBook } from "../../../server/ledger/leases.ts";
import type { MarketDeed } from "../../../server/rental/market.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { seeded } from "../../support/random.ts";
import { FakeMarket, type SavedMarket, usd } from "../../support/rental/fake-market.ts";
import { box, forever, minuteMs, rentalWorld, terms, wishFor } from "../../support/rental/rental-world.ts";

const [folder = "", seedText = "", minutesText = "", killText = ""] = process.argv.slice(2);
const [seed, minutes, killAt] = [Number(seedText), Number(minutesText), Number(killText)];

interface Outside {
  readonly nowMs: number;
  /** Of the story. */
  readonly minute: number;
  readonly market: SavedMarket;
}

const file = join(folder, "outside.json");
const outside: Outside = existsSync(file)
  ? (JSON.parse(readFileSync(file, "utf8")) as Outside)
  : { nowMs: Date.parse("2026-11-02T09:00:00Z"), minute: 0, market: { last: 0, all: [] } };
const clock = manualClock(outside.nowMs);
let minute = outside.minute;
let points = 0;

/** One of the moments at which it may be killed. */
function point(): void {
  points += 1;
  if (points !== killAt) return;
  keep();
  process.kill(process.pid, "SIGKILL");
}

function keep(): void {
  const now: Outside = { nowMs: clock.now(), minute, market: market.saved() };
  writeFileSync(file, JSON.stringify(now));
}

class DeadlyMarket extends FakeMarket {
  override async create(order: RentalOrder) {
    point();
    const created = await super.create(order);
    point();
    return created;
  }
  override start(id: string) {
    return this.#told(() => super.start(id));
  }
  override stop(id: string) {
    return this.#told(() => super.stop(id));
  }
  override destroy(id: string) {
    return this.#told(() => super.destroy(id));
  }
  async #told(work: () => Promise<MarketDeed>): Promise<MarketDeed> {
    point();
    const deed = await work();
    point();
    return deed;
  }
}

function deadlyBook(book: LeaseBook): LeaseBook {
  const around = <Result>(work: () => Result): Result => {
    point();
    const result = work();
    point();
    return result;
  };
  return {
    ...book,
    write: (lease, what) => around(() => book.write(lease, what)),
  };
}

const market = new DeadlyMarket(clock);
market.restore(outside.market);
if (outside.market.last === 0) market.foreign(`lanthorn-${box}-777`);
const world = rentalWorld({ folder, clock, market, book: deadlyBook });
const { desk, passes } = world;

/** What happens in one minute of the story: by its seed and its number, so that it goes on where it was cut. */
async function happens(): Promise<void> {
  const random = seeded(seed * 100_000 + minute);
  const living = desk.list();
  const one = living.length === 0 ? null : random.pick(living);
  const id = one?.instanceId ?? "";
  if (one === null || (living.length < 3 && random.chance(0.1))) {
    market.faults.create = random.pick(["none", "none", "none", "answer-lost", "lost"]);
    await desk.rent(wishFor(market, { terms: { ...terms, idleStopMs: 6 * minuteMs } }, usd(0.2)), forever);
    return;
  }
  await random.pick([
    async () => {
      const end = desk.begin(one.id);
      await passes(30_000);
      end({ completionTokens: 1_000 });
    },
    async () => market.outbid(id),
    async () => (one.state === "interrupted" ? market.resumes(id) : undefined),
    async () => market.answers(id, random.chance(0.7)),
    () => desk.stop(one.id, "a person"),
    () => desk.start(one.id, "a person"),
    () => desk.destroy(one.id, "a person"),
    async () => {
      market.faults.destroyNeeds = random.pick([1, 2, 3]);
      market.faults.ordersLost = random.below(2);
      market.faults.listsFail = random.below(2);
    },
  ])();
}

for (; minute < minutes; minute += 1) {
  keep();
  await happens().catch(() => {});
  await passes(minuteMs);
}
if (killAt > 0) process.exit(0);

const { orphans } = await desk.orphans(forever);
const kept = new Set(desk.list().map(({ instanceId }) => instanceId));
const unkept = market.standing().filter(({ instanceId }) => !kept.has(instanceId));
for (const lease of desk.list()) await desk.destroy(lease.id, "the end");
await passes(30 * minuteMs);
const leases = desk.list({ ended: true });
world.leases.close();
const report = world.ledger.leases.burnIn(0, clock.now());
await world.ledger.close();
process.stdout.write(
  JSON.stringify({
    orphans: orphans.map(({ instanceId }) => instanceId),
    unkept: unkept.map(({ instanceId }) => instanceId),
    standing: market.standing().map(({ label }) => label),
    leases: leases.map(({ id, state, instanceId, burn, label }) => ({ id, state, instanceId, burn, label })),
    report,
    billed: Object.fromEntries(
      market.saved().all.map(({ instance }) => [instance.instanceId, market.billed(instance.instanceId)]),
    ),
    labels: market.saved().all.map(({ instance }) => instance.label),
  }),
);
