/** Can the engine's native build be loaded here? Tried in a process of its own: what crashes there takes nothing along. */
import type { EngineAnswer } from "../../hardware/recording.ts";
import { plural } from "../format.ts";
import { type Check, type Finding, fail, note, ok } from "./check.ts";
import { machineLook } from "./machine-look.ts";

export const engineCheck: Check = {
  title: "Engine",
  look: async (context) => judgeEngine((await machineLook(context)).engine ?? { ended: "it was not asked" }),
};

type Answered = Pick<Extract<EngineAnswer, { gpu: unknown }>, "gpu" | "cpuThreads" | "release">;

export function judgeEngine(outcome: Answered | Exclude<EngineAnswer, { gpu: unknown }>): Finding {
  const reinstall = "in a checkout: npm ci; elsewhere install Lanthorn again for this system";
  if ("ended" in outcome) return fail(`its process ended: ${outcome.ended}`, reinstall);
  if ("problem" in outcome) return fail(outcome.problem, reinstall);
  const threads = typeof outcome.cpuThreads === "number" ? `, ${plural(outcome.cpuThreads, "CPU thread")}` : "";
  const build = `llama.cpp ${String(outcome.release)}${threads}`;
  return outcome.gpu === null
    ? note(`${build}, no GPU in use: models run on the CPU`)
    : ok(`${build}, GPU through ${outcome.gpu}`);
}
