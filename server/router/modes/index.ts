/** The registry of modes: a file and a line each. */
import type { RouteMode } from "../../domain/routing/modes.ts";
import { cascade } from "./cascade.ts";
import { consensus } from "./consensus.ts";
import type { Mode } from "./mode.ts";

export const modes: Readonly<Record<RouteMode, Mode>> = Object.freeze({
  plain: ({ plan, request, stream }) => stream(plan.attempts, request),
  cascade,
  consensus,
});
