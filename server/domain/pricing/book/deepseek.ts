/** DeepSeek's list prices in USD. Data; pico-USD per token. Peak hours cost twice. */
import type { PriceWindow, ProviderPrices, Rates } from "../book.ts";
import { holidaysChina } from "./holidays-china.ts";

/** 00:00 on 17 August in Beijing. */
const peakBegins = "2026-08-16T16:00:00Z";
/** 00:00 on 10 September in Beijing: V4.1 Flash answers under the old names too, at its own price. */
const flash41Begins = "2026-09-09T16:00:00Z";

/** 09:00–12:00 and 14:00–18:00 in Beijing, Monday to Friday, no public holidays; the UTC day is the same one. */
function peak(rates: Rates): readonly PriceWindow[] {
  return [
    {
      name: "peak",
      weekdays: [1, 2, 3, 4, 5],
      minutes: [
        { from: 60, until: 240 },
        { from: 360, until: 600 },
      ],
      except: holidaysChina,
      rates,
    },
  ];
}

const flash: Rates = { prompt: 150_000, completion: 600_000, cached: 3_000 };
const flashPeak: Rates = { prompt: 300_000, completion: 1_200_000, cached: 6_000 };
const flashFlat: Rates = { prompt: 140_000, completion: 280_000, cached: 2_800 };

export const deepseekPrices: ProviderPrices = Object.freeze({
  provider: "deepseek",
  source: "api-docs.deepseek.com pricing (copy of October 2026)",
  checked: "2026-11-20",
  rows: [
    { model: "deepseek-flash", until: peakBegins, rates: flashFlat, note: "then named deepseek-v4-flash" },
    { model: "deepseek-flash", from: peakBegins, rates: flash, windows: peak(flashPeak) },
    { model: "deepseek-v4-flash", until: peakBegins, rates: flashFlat },
    {
      model: "deepseek-v4-flash",
      from: peakBegins,
      until: flash41Begins,
      rates: { prompt: 220_000, completion: 660_000, cached: 7_000 },
      windows: peak({ prompt: 440_000, completion: 1_320_000, cached: 14_000 }),
      source: "@pydantic/genai-prices 0.1.8; docs.apiyi.com (2026-08-15)",
      checked: "2026-11-26",
    },
    {
      model: "deepseek-v4-flash",
      from: flash41Begins,
      rates: flash,
      windows: peak(flashPeak),
      note: "served by V4.1 Flash; the day from dshworks/dsh-meter 0.5.0",
    },
    {
      model: "deepseek-v4-pro",
      until: peakBegins,
      rates: { prompt: 435_000, completion: 870_000, cached: 3_625 },
    },
    {
      model: "deepseek-v4-pro",
      from: peakBegins,
      rates: { prompt: 660_000, completion: 1_980_000, cached: 22_000 },
      windows: peak({ prompt: 1_320_000, completion: 3_960_000, cached: 44_000 }),
    },
  ],
  leftOut: [
    { what: "the list in CNY", why: "a bill in another currency; accounts in USD are priced here" },
    { what: "deepseek-chat, deepseek-reasoner", why: "names retired on 2026-07-24" },
    { what: "search and fetch", why: "priced in CNY since 2026-11-01; answers were not seen to count them" },
  ],
});
