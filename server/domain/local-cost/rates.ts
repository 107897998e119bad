/**
 * What this box's own hour and kilowatt-hour cost, from the settings. Pure and exact: the digits of a decimal are read as they
 * are, and a foreign currency is brought to US dollars by the stated rate with one rounding (half up, to nano-USD).
 */
import { digitsOf } from "../decimal.ts";
import type { Nanos } from "../money.ts";

/** `power` of the settings; an empty amount is not set. */
export interface PowerSetting {
  readonly pricePerKwh: string;
  /** Its name only: `EUR`. */
  readonly currency: string;
  /** What one unit of the currency is in US dollars. */
  readonly usdPerUnit: string;
  readonly watts: number;
  readonly baseWatts: number;
  readonly wearPerHour: string;
  readonly rentPerHour: string;
}

export interface LocalRates {
  /** Nano-USD for one kilowatt-hour; null: not set, so what electricity costs is unknown. */
  readonly perKwhNanos: Nanos | null;
  /** What answering draws beyond the base where nobody measures it; null: not stated. */
  readonly statedMilliwatts: number | null;
  /** What the rest of the box draws all the time; no GPU reports it. */
  readonly baseMilliwatts: number;
  /** Depreciation, nano-USD for one hour. */
  readonly wearPerHourNanos: Nanos;
  /** Rent of the machine, nano-USD for one hour; 0: it is the owner's. */
  readonly rentPerHourNanos: Nanos;
}

const decimals = 6;

/** Micro-units: at most six decimals, as the settings allow. */
function micros(text: string): bigint {
  return BigInt(digitsOf(text, decimals));
}

/** An amount in a currency → nano-USD, half up. */
export function nanosOfAmount(amount: string, usdPerUnit: string): Nanos {
  const picos = micros(amount) * micros(usdPerUnit);
  return Number((picos + 500n) / 1000n);
}

export function localRates(setting: PowerSetting): LocalRates {
  const { pricePerKwh, usdPerUnit, watts, baseWatts, wearPerHour, rentPerHour } = setting;
  const nanos = (amount: string) => (amount === "" ? 0 : nanosOfAmount(amount, usdPerUnit));
  return {
    perKwhNanos: pricePerKwh === "" ? null : nanos(pricePerKwh),
    statedMilliwatts: watts === 0 ? null : Math.round(watts * 1000),
    baseMilliwatts: Math.round(baseWatts * 1000),
    wearPerHourNanos: nanos(wearPerHour),
    rentPerHourNanos: nanos(rentPerHour),
  };
}

/** Whether anything at all is to be measured: without a price nothing has a cost, and it stays unknown. */
export function hasRates({ perKwhNanos, rentPerHourNanos }: LocalRates): boolean {
  return perKwhNanos !== null || rentPerHourNanos > 0;
}
