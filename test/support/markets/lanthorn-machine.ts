/**
 * The machine that a stand-in market rents out, as a process: `lanthorn serve --headless` with the environment of the order and what the
 * market puts inside. Its data folder is the instance's disk: it is there again after a stop.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningServer, startServer } from "../running-server.ts";
import type { Machine, MachineOrder } from "./doors.ts";

export interface LanthornMachines {
  start(order: MachineOrder): Promise<Machine>;
  /** What each wrote to stderr, by instance. */
  stderr(id: string): string;
  /** Ends what still runs, and removes the disks. */
  remove(): Promise<void>;
}

/** As long as a market waits between asking a container to stop and killing it. */
const graceMs = 5_000;

/** `marketUrl`: asked for when a machine starts, because the market is there only then. */
export function lanthornMachines(marketUrl: () => string): LanthornMachines {
  const folder = mkdtemp(join(tmpdir(), "lanthorn-machines-"));
  const servers = new Map<string, RunningServer>();
  return {
    async start({ id, environment }) {
      const home = join(await folder, id);
      await mkdir(home, { recursive: true });
      const given = Object.entries(environment).filter(([name]) => /^[A-Z][A-Z0-9_]*$/.test(name));
      const server = await startServer({
        home,
        environment: {
          ...{ LANTHORN_HEADLESS: "true", LANTHORN_MARKET_URL: marketUrl() },
          ...Object.fromEntries(given),
          LANTHORN_HOME: home,
        },
      });
      servers.set(id, server);
      return {
        port: Number(new URL(server.url).port),
        async end(how) {
          if (how === "killed") await server.stop("SIGKILL");
          else {
            const kill = setTimeout(() => void server.stop("SIGKILL"), graceMs);
            await server.stop("SIGTERM");
            clearTimeout(kill);
          }
        },
      };
    },
    stderr: (id) => servers.get(id)?.stderr() ?? "",
    async remove() {
      await Promise.all([...servers.values()].map((server) => server.stop("SIGKILL")));
      await rm(await folder, { recursive: true, force: true });
    },
  };
}
