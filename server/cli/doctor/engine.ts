/** Can the engine's native build be loaded here? Tried in a process of its own: what crashes there takes nothing along. */
import { z } from "zod";
import { resolveSibling } from "../../platform/resolve-sibling.ts";
import { spawnWorker } from "../../platform/spawn.ts";
import { plural } from "../format.ts";
import { type Check, type Finding, fail, note, ok } from "./check.ts";

/** Half a second here; a graphics driver that wakes a card takes many. */
const probeLimitMs = 60_000;

const probeAnswer = z.union([
  z.object({ gpu: z.string().nullable(), cpuThreads: z.int(), release: z.string() }),
  z.object({ problem: z.string() }),
]);
type ProbeAnswer = z.output<typeof probeAnswer>;

export const engineCheck: Check = {
  title: "Engine",
  look: async ({ signal }) => judgeEngine(await probe(signal)),
};

export function judgeEngine(outcome: ProbeAnswer | { readonly ended: string }): Finding {
  const reinstall = "in a checkout: npm ci; elsewhere install Lanthorn again for this system";
  if ("ended" in outcome) return fail(`its process ended: ${outcome.ended}`, reinstall);
  if ("problem" in outcome) return fail(outcome.problem, reinstall);
  const build = `llama.cpp ${outcome.release}, ${plural(outcome.cpuThreads, "CPU thread")}`;
  return outcome.gpu === null
    ? note(`${build}, no GPU in use: models run on the CPU`)
    : ok(`${build}, GPU through ${outcome.gpu}`);
}

function probe(signal: AbortSignal): Promise<ProbeAnswer | { readonly ended: string }> {
  return new Promise((resolve) => {
    let lastLine = "";
    const child = spawnWorker(resolveSibling(import.meta.url, "./engine-probe"), {
      onLine: (line) => {
        lastLine = line.trim() === "" ? lastLine : line;
      },
    });
    const kill = () => child.kill("SIGKILL");
    const timer = setTimeout(() => {
      resolve({ ended: `no answer within ${probeLimitMs / 1000} s` });
      kill();
    }, probeLimitMs);
    signal.addEventListener("abort", kill, { once: true });
    child.once("message", (message) => {
      const parsed = probeAnswer.safeParse(message);
      resolve(parsed.success ? parsed.data : { ended: "its answer was not understood" });
      kill();
    });
    child.once("error", (error) => resolve({ ended: error.message }));
    child.once("exit", (code, name) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", kill);
      resolve({ ended: `${name ?? `exit ${code}`}${lastLine === "" ? "" : `, "${lastLine}"`}` });
    });
  });
}
