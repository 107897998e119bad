/** How a stand-in market behaves from its start on. Data; more can be done to it later through its control surface. */
import type { HouseOptions } from "./rented.ts";

interface Script {
  readonly options: HouseOptions;
  /** How often each fault happens. */
  readonly faults: Readonly<Record<string, number>>;
}

const always = Number.MAX_SAFE_INTEGER;

export const scripts = {
  normal: { options: {}, faults: {} },
  "429-text": { options: {}, faults: { "429-text": 3 } },
  html: { options: {}, faults: { html: always } },
  "errors-500": { options: {}, faults: { "errors-500": 3 } },
  "nan-prices": {
    options: { offers: [{ price: "NaN", leastBid: "NaN" }, { price: "-0.2", leastBid: "-1" }, {}] },
    faults: {},
  },
  "absurd-prices": {
    options: { offers: [{ price: "1000000000", leastBid: "1000000000" }, { price: "0", leastBid: "0" }, {}] },
    faults: {},
  },
  /** The list is that of its start, whatever happens since. */
  stale: { options: {}, faults: { stale: always } },
  "offers-gone": { options: {}, faults: { "offers-gone": always } },
  "scheduling-forever": { options: {}, faults: { "scheduling-forever": always } },
  "destroy-three-tries": { options: {}, faults: { "destroy-three-tries": 2 } },
  "clock-skew": { options: {}, faults: { "clock-skew": always } },
  "late-create": { options: {}, faults: { "late-create": 1 } },
  /** The first instance that runs is outbid a minute later. */
  outbid: { options: {}, faults: { outbid: 1 } },
  /** Its host goes away a minute after it runs. */
  "host-offline": { options: {}, faults: { "host-offline": 1 } },
} as const satisfies Record<string, Script>;

export type ScriptName = keyof typeof scripts;
