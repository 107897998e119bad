/** Buying a machine or renting one by the hour. Pure; exact, in fractions of nano-USD. */
import { monthlyPower, type OwnBox } from "./option.ts";
import { compare, minus, over, plus, type Ratio, ratio, times, usd, zero } from "./ratio.ts";

export interface Rental {
  /** Nano-USD an hour while it runs. */
  readonly hourNanos: number;
  readonly hoursPerDay: number;
  readonly daysPerMonth: number;
  /** Nano-USD a month for a disk that is kept while it is stopped. */
  readonly diskNanosPerMonth: number;
}

export function rentalHours({ hoursPerDay, daysPerMonth }: Rental): Ratio {
  return times(ratio(hoursPerDay), ratio(daysPerMonth));
}

export function monthlyRent(rental: Rental): Ratio {
  return plus(times(ratio(rental.hourNanos), rentalHours(rental)), ratio(rental.diskNanosPerMonth));
}

/** What a month of renting costs more than the power of a box of one's own. */
export function monthlySaving(box: OwnBox, rental: Rental): Ratio {
  return minus(monthlyRent(rental), monthlyPower({ ...box, busyHoursPerDay: rental.hoursPerDay }));
}

/** Months after which the box has paid for itself, as a fraction; null: never, its power costs as much as renting. */
export function paybackMonths(box: OwnBox, rental: Rental): Ratio | null {
  const saved = monthlySaving(box, rental);
  return compare(saved, zero) <= 0 ? null : over(usd(box.priceUsd), saved);
}

/**
 * Hours a day, at least so many, from which buying is not dearer over `months`; null: not even at 24. Each hour more costs rent, and for the
 * box the difference between busy and idle.
 */
export function hoursToPayBack(box: OwnBox, rental: Rental, months: number): number | null {
  for (let hours = 1; hours <= 24; hours += 1) {
    const payback = paybackMonths(box, { ...rental, hoursPerDay: hours });
    if (payback !== null && compare(payback, ratio(months)) <= 0) return hours;
  }
  return null;
}

/** By the hour, what a price by the month comes to, and the other way round. */
export function hourly(monthNanos: Ratio, hours: number): Ratio {
  return over(monthNanos, ratio(hours));
}
