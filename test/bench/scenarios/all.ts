/** The registry of scenarios that run against servers, in the order of the table in docs/benchmarks.md. */
import type { Scenario } from "../scenario.ts";
import { agentTurns } from "./agent-turns.ts";
import { decodeEight, decodeFour, decodeOne } from "./decode.ts";
import { fairness } from "./fairness.ts";
import { forcedJson } from "./forced-json.ts";
import { jsonSchema } from "./json-schema.ts";
import { memory, memoryGrowth } from "./memory.ts";
import { prefixBurst } from "./prefix-burst.ts";
import { prefixCopy } from "./prefix-copy.ts";
import { requestsPerSecond } from "./requests-per-second.ts";
import { returning } from "./returning.ts";
import { tokenGap } from "./token-gap.ts";
import { trace } from "./trace.ts";
import { ttft } from "./ttft.ts";

export const scenarios: readonly Scenario[] = Object.freeze([
  decodeOne,
  decodeFour,
  decodeEight,
  ttft,
  tokenGap,
  prefixBurst,
  agentTurns,
  requestsPerSecond,
  memory,
  memoryGrowth,
  prefixCopy,
  forcedJson,
  fairness,
  trace,
  jsonSchema,
  returning,
]);
