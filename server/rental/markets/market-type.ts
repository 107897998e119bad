/** A kind of market: where its API is, where its key is looked for, and how it is spoken to. Types only. */
import type { MarketSetting } from "../../config/rental-setting.ts";
import type { Market } from "../market.ts";
import type { MarketWire } from "./call.ts";

export interface MarketType {
  readonly type: string;
  readonly title: string;
  /** Null: it has no API. */
  readonly baseUrl: string | null;
  /** Variables of the market's own tools. Used for its own address only. */
  readonly keyVariables: readonly string[];
  /** Contacts nobody. */
  open(wire: MarketWire, id: string, setting: MarketSetting): Market;
}
