/** What a list of machines by the hour says, as types. Pure. One file per provider; amounts are nano-USD an hour, integers. */
import type { Nanos } from "../../money.ts";
import { type Card, type CardName, cards } from "./cards.ts";

/** `bid`: may be taken away when another offers more. */
export type InstanceKind = "on_demand" | "bid" | "serverless";

export interface InstanceRow {
  /** As the provider calls it. */
  readonly name: string;
  /** Null: no GPU. */
  readonly gpu: CardName | null;
  readonly gpus: number;
  readonly kind: InstanceKind;
  /** Of the whole machine. A market has a range; others the same twice. */
  readonly hourNanosLow: Nanos;
  readonly hourNanosHigh: Nanos;
  /** Where a row was read elsewhere than the file. */
  readonly source?: string;
  readonly checked?: string | null;
}

export interface ProviderInstances {
  readonly provider: string;
  readonly source: string;
  /** The day of the source, `2025-12-23`, or its month, `2025-11`; null: it names none. Prices move: a market's within the hour. */
  readonly checked: string | null;
  readonly rows: readonly InstanceRow[];
}

export interface Instance extends InstanceRow {
  readonly provider: string;
  readonly source: string;
  readonly checked: string | null;
  /** `aws/g5.xlarge` */
  readonly id: string;
  /** Null: no GPU. */
  readonly card: Card | null;
}

export function instancesOf(list: ProviderInstances): Instance[] {
  const { provider, source, checked } = list;
  return list.rows.map((row) => ({
    source,
    checked,
    ...row,
    provider,
    id: `${provider}/${row.name}`,
    card: row.gpu === null ? null : cards[row.gpu],
  }));
}

/** What a plan counts with: the middle of a range, which is exact for an even sum and else half a nano too high. */
export function usualHourNanos({ hourNanosLow, hourNanosHigh }: InstanceRow): Nanos {
  return Math.ceil((hourNanosLow + hourNanosHigh) / 2);
}
