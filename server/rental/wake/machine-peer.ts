/** The Lanthorn on a rented machine, as the peer it is to this box: an address, a key, the models of the settings. Contacts nobody. */
import type { RentalSetting } from "../../config/rental-setting.ts";
import { providerSetting } from "../../config/provider-setting.ts";
import type { Backend } from "../../backends/backend.ts";
import { createCloudBackend } from "../../backends/cloud/cloud.ts";
import { configureProvider } from "../../backends/cloud/configure.ts";
import { createKeyPool } from "../../backends/cloud/keys/key-pool.ts";
import type { CloudSettings } from "../../backends/cloud/settings.ts";
import { calledDialects } from "../../dialects/index.ts";
import type { Clock, Log } from "../../domain/ports.ts";
import type { UpstreamFetch } from "../../platform/upstream/upstream-fetch.ts";

/** How a machine is reached. */
export interface MachineAddress {
  /** `http://host:port`, with or without `/v1`. */
  readonly url: string;
  /** Of its Lanthorn; null: it is asked without one. */
  readonly key: string | null;
  /** The machine's own line, where its certificate is known by its fingerprint; absent: everybody's. */
  readonly upstream?: UpstreamFetch;
}

export interface PeerPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly upstream: UpstreamFetch;
}

/** Throws Failure `cannot_start` for settings that hold no peer. */
export function peerSettings(
  name: string,
  setting: Pick<RentalSetting, "models" | "modelFacts" | "dataPolicy" | "region">,
  url: string,
): CloudSettings {
  const models = setting.models.map((id) => {
    const { capabilities, contextLength } = setting.modelFacts[id] ?? {};
    return {
      id,
      ...(capabilities === undefined ? {} : { capabilities }),
      ...(contextLength === undefined ? {} : { contextLength }),
    };
  });
  const settings = configureProvider(
    name,
    providerSetting.parse({
      ...{ type: "lanthorn", baseUrl: withVersion(url), models, dataPolicy: setting.dataPolicy },
      ...(setting.region === undefined || setting.region === "" ? {} : { region: setting.region }),
    }),
  );
  return { ...settings, provider: { ...settings.provider, title: `The rented machine of "${name}"` } };
}

export function machinePeer(name: string, setting: RentalSetting, at: MachineAddress, ports: PeerPorts): Backend {
  const keys = createKeyPool({ clock: ports.clock, random: () => 0 });
  if (at.key !== null) keys.replace([{ source: "rental", secret: at.key, weight: 1, label: null }]);
  const upstream = at.upstream ?? ports.upstream;
  return createCloudBackend(peerSettings(name, setting, at.url), {
    ...ports,
    upstream,
    keys,
    dialects: calledDialects,
  });
}

function withVersion(url: string): string {
  const base = url.replace(/\/+$/, "");
  return base.endsWith("/v1") ? base : `${base}/v1`;
}

/** A machine of which nothing is known but its address. */
export const plainMachine: Pick<RentalSetting, "models" | "modelFacts" | "dataPolicy" | "region"> = Object.freeze({
  ...{ models: ["any"], modelFacts: {}, dataPolicy: "no-retention" },
  region: undefined,
});
