/** A stand-in for RunPod's REST API v2, as documented. `node test/support/markets/runpod.ts --port 0` runs it alone. */
import type { House, Rented } from "./rented.ts";
import { type Asked, runAlone, type Said, type StandIn, type StandInOptions, startStandIn } from "./stand-in.ts";

const ok = (body: unknown): Said => ({ status: 200, body });
const problem = (status: number, title: string): Said => ({
  ...{ status, type: "application/problem+json", body: { title, status, detail: title, errors: [] } },
});

const statuses: Readonly<Record<Rented["state"], string>> = {
  ...{ scheduling: "PROVISIONING", loading: "STARTING", running: "RUNNING", frozen: "RUNNING", stopped: "EXITED" },
  ...{ exited: "ERROR", offline: "ERROR", gone: "TERMINATED" },
};

function wire(house: House, { method, path, body }: Asked): Said | null {
  if (method === "GET" && path === "/catalog/gpus") return ok({ gpus: house.offers.map(gpuOf) });
  if (method === "GET" && path === "/pods") return ok({ pods: house.alive().map(podOf) });
  if (method === "POST" && path === "/pods") return create(house, body);
  if (method === "GET" && path === "/billing/pods") return ok({ records: records(house) });
  const [, id, action] = /^\/pods\/([^/]+)(\/action)?$/.exec(path) ?? [];
  if (id === undefined) return null;
  const one = house.find(id);
  if (one === undefined) return problem(404, "pod not found");
  if (method === "DELETE") {
    house.set(one, "gone");
    return { status: 204, body: "" };
  }
  if (method === "GET") return ok(podOf(one));
  if (action === undefined) return null;
  if (body.action === "start") {
    if (one.state === "running") return problem(409, "the pod is running");
    house.start(one);
  } else if (body.action === "stop") {
    if (one.state === "stopped") return problem(409, "the pod is stopped");
    house.stop(one);
  } else return problem(400, "no such action");
  return ok(podOf(one));
}

function gpuOf({ gpu, gpuCount, vramMb, price, available }: House["offers"][number]): unknown {
  return {
    ...{ id: `NVIDIA ${gpu}`, name: gpu, memory: Math.floor(vramMb / 1024), maxCount: gpuCount * 8 },
    price: { secure: `#${price}`, community: null, serverless: null },
    ...{ availability: available ? "HIGH" : "NONE", dataCenters: ["EU-SE-1"] },
  };
}

function create(house: House, body: Record<string, unknown>): Said {
  const gpu = body.gpu as { id?: string; count?: number } | undefined;
  const offer = house.offers.find((one) => `NVIDIA ${one.gpu}` === gpu?.id && one.available);
  if (offer === undefined || house.strikes("offers-gone")) return problem(409, "no resources");
  const mounts = body.mounts as { persistent?: { size?: number } } | undefined;
  const one = house.rent(offer, {
    ...{ label: String(body.name ?? ""), isBid: false, bid: null, diskGb: Number(mounts?.persistent?.size ?? 0) },
    environment: (body.env ?? {}) as Record<string, string>,
  });
  return { status: 201, body: podOf(one) };
}

function podOf(one: Rented): unknown {
  const isOff = one.state === "stopped" || one.state === "gone";
  return {
    ...{ id: one.id, name: one.label, image: "lanthorn", status: statuses[one.state], actions: [], locked: false },
    ...{ cost: isOff ? 0 : `#${one.offer.price}`, gpu: { id: `NVIDIA ${one.offer.gpu}`, count: one.offer.gpuCount } },
    ...{ cloud: "SECURE", mounts: { persistent: { size: one.diskGb } }, dataCenterId: "EU-SE-1" },
    createdAt: new Date(one.createdAtMs).toISOString(),
  };
}

function records(house: House): unknown[] {
  const usd = (nanos: number) => `#${(nanos / 1e9).toFixed(9)}`;
  return house.rented.flatMap(({ id }) =>
    house.bill(id).map(({ day, gpuNanos, storageNanos }) => ({
      ...{ podId: id, startTime: `${day}T00:00:00Z`, totalAmount: usd(gpuNanos + storageNanos) },
      ...{ gpuAmount: usd(gpuNanos), cpuAmount: "#0", diskAmount: usd(storageNanos) },
    })),
  );
}

export function startRunpodMarket(options: StandInOptions = {}): Promise<StandIn> {
  return startStandIn("/v2", wire, options);
}

if (import.meta.main) await runAlone(startRunpodMarket);
