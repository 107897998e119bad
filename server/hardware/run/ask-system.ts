/** Asks systeminformation, in a process of its own. Runs in the server process or in a command. */
import type { Clock } from "../../domain/ports.ts";
import { resolveSibling } from "../../platform/resolve-sibling.ts";
import { type SystemAnswer, systemAnswer } from "../recording.ts";
import { askProcess } from "./ask-process.ts";

/** PowerShell on Windows takes several seconds for each part. */
const systemLimitMs = 30_000;

const nothing: SystemAnswer = { controllers: null, cpu: null, mem: null, fileSystems: null };

/** The parts that came in time; null: none did. */
export async function askSystem(clock: Clock, signal: AbortSignal): Promise<SystemAnswer | null> {
  const path = resolveSibling(import.meta.url, "./system-child");
  const { messages } = await askProcess(path, { clock, limitMs: systemLimitMs, signal });
  let answer = nothing;
  for (const message of messages) {
    const part = systemAnswer.partial().safeParse(message);
    if (part.success) answer = { ...answer, ...withoutUndefined(part.data) };
  }
  return answer === nothing ? null : answer;
}

function withoutUndefined(part: Partial<Record<keyof SystemAnswer, unknown>>): Partial<SystemAnswer> {
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined));
}
