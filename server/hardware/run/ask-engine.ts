/** Asks the engine what it computes on, in a process of its own. Runs in the server process or in a command. */
import type { Clock } from "../../domain/ports.ts";
import { resolveSibling } from "../../platform/resolve-sibling.ts";
import { type EngineAnswer, engineAnswer } from "../recording.ts";
import { askProcess } from "./ask-process.ts";

/** Half a second on a quiet machine; a graphics driver that wakes a card takes many. */
const engineLimitMs = 60_000;

export async function askEngine(clock: Clock, signal: AbortSignal): Promise<EngineAnswer> {
  const path = resolveSibling(import.meta.url, "./engine-child");
  const { messages, ended } = await askProcess(path, { clock, limitMs: engineLimitMs, signal });
  // What it said before it crashed is still true.
  for (const message of messages.toReversed()) {
    const answer = engineAnswer.safeParse(message);
    if (answer.success) return answer.data;
  }
  return { ended: ended ?? (messages.length > 0 ? "its answer was not understood" : "it said nothing") };
}
