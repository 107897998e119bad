/** Every kind of market there is: one file and one line here. */
import { fixed } from "./static.ts";
import type { MarketType } from "./market-type.ts";
import { runpod } from "./runpod.ts";
import { vast } from "./vast.ts";

export const marketTypes: Readonly<Record<string, MarketType>> = Object.freeze({ vast, runpod, static: fixed });
