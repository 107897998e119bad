/** What the gateway bench sets against each other: the upstream itself, Lanthorn before it, Portkey's gateway before it. */
import { join } from "node:path";
import { type BenchChild, freePort, startChild, waitForOk } from "../processes.ts";
import { type Gateway, type Lanthorn, startLanthorn } from "./lanthorn.ts";
import { portkeyHeaders, startPortkey } from "./portkey.ts";

const readyLimitMs = 20_000;

export type Way = "direct" | "ours" | "peer";

export interface Contestants {
  readonly direct: Gateway;
  readonly ours: Lanthorn;
  /** Null: it could not be installed. */
  readonly peer: Gateway | null;
}

/** All of them run until `stopAllChildren`; those that are not measured are idle. */
export async function startContestants(models: readonly string[], withPeer: boolean): Promise<Contestants> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const upstream: BenchChild = startChild("upstream", process.execPath, [
    join(import.meta.dirname, "upstream.ts"),
    String(port),
  ]);
  await waitForOk(upstream, `${origin}/`, readyLimitMs);
  const asIs = (model: string) => model;
  const headers = { "content-type": "application/json" };
  const direct: Gateway = { ...upstream, name: "bare upstream", port, headers, modelOf: asIs };
  const ours = await startLanthorn(origin, models);
  if (!withPeer) return { direct, ours, peer: null };
  const portkey = await startPortkey();
  const peer = {
    ...portkey,
    name: "Portkey",
    port: Number(new URL(portkey.origin).port),
    headers: { ...headers, ...portkeyHeaders(origin) },
    modelOf: asIs,
  };
  return { direct, ours, peer };
}
