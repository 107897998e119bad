/**
 * Drives the box's own meter: looks at what the cards draw, tells it the time, and writes its intervals. Runs in the server
 * process. Knows no ledger and no engine: both are handed in.
 */
import type { HardwareView } from "../domain/hardware.ts";
import type { LocalCost, WorkMeter } from "../domain/local-cost/local-meter.ts";
import { type MeteredWork, type PowerInterval, PowerMeter } from "../domain/local-cost/meter.ts";
import { hasRates, type LocalRates, localRates, type PowerSetting } from "../domain/local-cost/rates.ts";
import type { Cost, Nanos } from "../domain/money.ts";
import type { ModelView } from "../domain/model.ts";
import type { Clock } from "../domain/ports.ts";
import { targetName } from "../domain/routing/target.ts";

/** One interval as it is written. */
export interface MeteredInterval extends PowerInterval {
  readonly number: number;
  readonly place: string;
  /** Epoch milliseconds. */
  readonly fromMs: number;
  readonly perKwhNanos: Nanos | null;
}

export interface PowerMeterOptions {
  readonly rates: LocalRates;
  /** `box`, or a rented machine's name. */
  readonly place: string;
  /** The backend whose attempts are metered. */
  readonly backendId: string;
  /** Number of the first interval. */
  readonly firstNumber: number;
  /** Between two looks at the hardware; 0: nobody looks. */
  readonly sampleMs: number;
  readonly clock: Clock;
  /** What was seen of the hardware last. */
  view(): HardwareView;
  write(row: MeteredInterval, open: readonly MeteredWork[]): void;
}

export interface RunningMeter extends WorkMeter, LocalCost {
  /** A model's state changed. */
  sawModel(model: Pick<ModelView, "id" | "state">): void;
  /** Writes what was metered up to now, and nothing after that. */
  stop(): void;
}

/** Days begin on a quarter of an hour in every zone. */
const intervalMs = 900_000;
/** While nobody asks, the same figures need not be written every few seconds. */
const idleWriteMs = 60_000;
const fewestTickMs = 1_000;
const mostTickMs = 10_000;
/** A figure is old when so many looks came to nothing. */
const looksMissed = 5;

/** As the settings say, of the engine on this box; null: they say no price, and nothing is metered. */
export function openPowerMeter(
  settings: { readonly power: PowerSetting; readonly hardware: { readonly sampleMs: number } },
  book: { nextNumber(): number; readonly write: PowerMeterOptions["write"] },
  hardware: { view(): HardwareView },
  clock: Clock,
): RunningMeter | null {
  const rates = localRates(settings.power);
  if (!hasRates(rates)) return null;
  const { sampleMs } = settings.hardware;
  const written = { firstNumber: book.nextNumber(), write: book.write };
  return startPowerMeter({
    ...{ rates, place: "box", backendId: "engine", sampleMs, clock, ...written },
    view: () => hardware.view(),
  });
}

export function startPowerMeter(options: PowerMeterOptions): RunningMeter {
  const { clock, rates, place, backendId, sampleMs } = options;
  const meter = new PowerMeter(rates, clock.monotonicMs());
  const loading = new Set<string>();
  const tickMs = Math.min(mostTickMs, Math.max(fewestTickMs, sampleMs === 0 ? mostTickMs : sampleMs));
  let number = options.firstNumber;
  let fromMs = clock.now();
  let writtenAtMs = clock.monotonicMs();
  let seenAtMs = -1;
  let isStopped = false;
  let cancel = () => {};

  const row = (interval: PowerInterval): MeteredInterval => ({
    ...{ ...interval, number, place, fromMs },
    perKwhNanos: rates.perKwhNanos,
  });
  /** Up to now, in one operation of the ledger per interval; the last one brings the shares. */
  const write = () => {
    if (isStopped) return;
    writtenAtMs = clock.monotonicMs();
    for (const closed of meter.takeClosed()) {
      options.write(row(closed), meter.open());
      number += 1;
      fromMs += closed.milliseconds + closed.unknownMs;
    }
    options.write(row(meter.interval()), meter.open());
  };
  const look = () => {
    const nowMs = clock.monotonicMs();
    const view = options.view();
    const isOld = clock.now() - view.sampledAtMs > looksMissed * sampleMs + mostTickMs;
    if (sampleMs === 0 || isOld) meter.saw(null, nowMs);
    else if (view.sampledAtMs !== seenAtMs) meter.saw(milliwattsOf(view), nowMs);
    else meter.advance(nowMs);
    seenAtMs = view.sampledAtMs;
  };
  const tick = () => {
    look();
    const isOver = Math.floor(clock.now() / intervalMs) !== Math.floor(fromMs / intervalMs);
    if (isOver) meter.roll();
    if (isOver || meter.open().length > 0 || clock.monotonicMs() - writtenAtMs >= idleWriteMs) write();
    // The clock is the people's: an interval begins when they would say it does.
    if (isOver) fromMs = clock.now();
    if (!isStopped) cancel = clock.after(tickMs, tick);
  };
  look();
  cancel = clock.after(tickMs, tick);

  const isMetered = (target: { readonly backendId: string }) => target.backendId === backendId;
  /** An alias may have the backend's name in it already. */
  const nameOf = (model: string) => (model.startsWith(`${backendId}/`) ? model : targetName({ backendId, model }));
  return {
    opened: (requestId, model) => meter.opened(requestId, nameOf(model)),
    began: (requestId, model) => meter.began(requestId, nameOf(model), clock.monotonicMs()),
    ended: (requestId, model) => meter.ended(requestId, nameOf(model), clock.monotonicMs()),
    take(requestId, target) {
      if (!isMetered(target)) return null;
      meter.ended(requestId, targetName(target), clock.monotonicMs());
      // Before its share is taken, so that a kill between the two rows finds it in both.
      write();
      const cost = meter.take(requestId, targetName(target), clock.monotonicMs());
      if (cost?.known === false) write();
      return cost ?? nothingComputed;
    },
    forget(requestId, target) {
      if (isMetered(target)) meter.forget(requestId, targetName(target), clock.monotonicMs());
    },
    sawModel({ id, state }) {
      if (state === "loading") loading.add(id);
      else loading.delete(id);
      meter.loading(loading.size > 0, clock.monotonicMs());
    },
    stop() {
      if (isStopped) return;
      cancel();
      look();
      write();
      isStopped = true;
    },
  };
}

/** An attempt that never came to the engine. */
const nothingComputed: Cost = Object.freeze({ known: true, nanos: 0, basis: "measured" });

/** All cards that say what they draw; null: none does. */
function milliwattsOf({ gpus }: HardwareView): number | null {
  const watts = gpus.flatMap(({ powerDrawWatts }) => (powerDrawWatts === null ? [] : [powerDrawWatts.value]));
  return watts.length === 0 ? null : Math.round(watts.reduce((sum, one) => sum + one, 0) * 1000);
}
