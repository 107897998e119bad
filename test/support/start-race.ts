/** Servers started at the same instant on one data folder, several times: what came of it. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./real-engine.ts";
import { type CommandResult, type RunningServer, run, startServer } from "./running-server.ts";

export interface RaceOutcome {
  /** Per round: how many of the processes are the one that `server.json` names. */
  readonly serving: readonly number[];
  /** Per round: how many addresses were told. */
  readonly addresses: readonly number[];
  /** Exit codes of everything that was run or ended. */
  readonly codes: readonly (number | null)[];
  /** Inference keys at the end; one was made per server and round. */
  readonly keys: number;
  readonly doctor: CommandResult;
}

export async function startRace(rounds: number, atOnce: number): Promise<RaceOutcome> {
  const folder = await temporaryFolder();
  const environment = { ...process.env, LANTHORN_HOME: folder.path, LANTHORN_PORT: "0", LANTHORN_ENGINE_THREADS: "1" };
  const running: RunningServer[] = [];
  const serving: number[] = [];
  const addresses: number[] = [];
  const codes: (number | null)[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      const started = await Promise.allSettled(
        Array.from({ length: atOnce }, () => startServer({ home: folder.path })),
      );
      const servers = started.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
      running.push(...servers);
      for (const outcome of started) if (outcome.status === "rejected") throw outcome.reason;
      const winner: unknown = JSON.parse(readFileSync(join(folder.path, "server.json"), "utf8")).pid;
      serving.push(servers.filter(({ pid }) => pid === winner).length);
      addresses.push(new Set(servers.map(({ url }) => url)).size);
      const made = await Promise.all(
        servers.map((_, at) => run(["keys", "create", `bot-${round}-${at}`], environment)),
      );
      const exits = servers.map((server) => once(server.process, "exit"));
      const stopped = await run(["stop"], environment);
      codes.push(...made.map(({ code }) => code), stopped.code);
      for (const [code] of await Promise.all(exits)) codes.push(code as number | null);
    }
    const list = JSON.parse((await run(["keys", "list", "--json"], environment)).stdout) as { kind: string }[];
    const keys = list.filter(({ kind }) => kind === "inference").length;
    return { serving, addresses, codes, keys, doctor: await run(["doctor", "--json"], environment) };
  } finally {
    for (const server of running) await server.remove();
    await folder.remove();
  }
}
