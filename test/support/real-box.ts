/** The whole appliance in this process, on a free port and in a data folder of its own. */
import { type Appliance, type AppliancePorts, createAppliance } from "../../server/appliance.ts";
import { loadConfig } from "../../server/config/load.ts";
import { systemClock } from "../../server/platform/clock.ts";
import { dataPaths } from "../../server/platform/paths.ts";
import { demoCopy } from "./demo-copy.ts";
import { silentLog, temporaryFolder } from "./real-engine.ts";

export interface RealBox {
  readonly started: Appliance["started"];
  readonly home: string;
  stop(): Promise<void>;
}

/** A new one holds the demo model already. It does not look at this machine's hardware unless a test asks for it. */
export async function realBox(
  environment: Readonly<Record<string, string>> = {},
  ports: Partial<AppliancePorts> = {},
): Promise<RealBox> {
  const folder = await temporaryFolder();
  const all = {
    LANTHORN_HOME: folder.path,
    LANTHORN_PORT: "0",
    LANTHORN_ENGINE_THREADS: "1",
    LANTHORN_HARDWARE_SAMPLE_MS: "0",
    ...environment,
  };
  const paths = dataPaths(all);
  if (all.LANTHORN_HOME === folder.path) await demoCopy(paths.models);
  const config = loadConfig({ file: paths.config, environment: all, flags: [], workingFolder: folder.path });
  const appliance = await createAppliance(
    {
      config,
      paths,
      environmentAdminKey: null,
      firstKeyFile: null,
      terminal: false,
      lan: false,
      onStopAsked: () => {},
    },
    { clock: systemClock, log: silentLog, ...ports },
  );
  return {
    started: appliance.started,
    home: folder.path,
    stop: async () => {
      await appliance.stop(0);
      await folder.remove();
    },
  };
}
