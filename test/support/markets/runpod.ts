/**
 * A stand-in for RunPod's REST API v2, as its OpenAPI document has it: bodies with a field that it does not know are refused, a catalog
 * without its product too. `node test/support/markets/runpod.ts --port 0 --script normal` runs it alone.
 */
import { amountText, billRows } from "./bill-faults.ts";
import type { House, Offer, Rented } from "./rented.ts";
import { type Asked, keyOf, runAlone, type Said, type StandIn, type StandInOptions, startStandIn } from "./stand-in.ts";

const ok = (body: unknown): Said => ({ status: 200, body });
const problem = (status: number, title: string, detail = title): Said => ({
  ...{ status, type: "application/problem+json", body: { title, status, detail, errors: [] } },
});

const statuses: Readonly<Record<Rented["state"], string>> = {
  ...{ scheduling: "PROVISIONING", loading: "STARTING", running: "RUNNING", frozen: "RUNNING", stopped: "EXITED" },
  ...{ exited: "ERROR", offline: "ERROR", gone: "TERMINATED" },
};
const dataCenters = [{ id: "EU-SE-1", name: "EU Sweden 1" }];
const createFields = new Set(
  "name image args disk env ports registry cloud gpu mounts dataCenterIds templateId startSsh startJupyter".split(" "),
);

function wire(house: House, { method, path, query, body }: Asked): Said | null {
  if (method === "GET" && path === "/catalog/gpus") return catalog(house, query);
  if (method === "GET" && path === "/pods") return ok({ pods: house.listed().map(podOf) });
  if (method === "POST" && path === "/pods") return create(house, body);
  if (method === "GET" && path === "/billing/pods") return ok({ records: records(house, query) });
  const [, id, action] = /^\/pods\/([^/]+)(\/action)?$/.exec(path) ?? [];
  if (id === undefined) return null;
  const one = house.find(id);
  if (one === undefined) return problem(404, "Not Found", "The requested Pod does not exist.");
  if (method === "DELETE") {
    house.set(one, "gone");
    return { status: 204, body: "" };
  }
  if (method === "GET") return ok(podOf(one));
  if (action === undefined) return null;
  if (body.action === "start") {
    if (one.state === "running") return problem(409, "Conflict", "the pod is running");
    house.start(one);
  } else if (body.action === "stop") {
    if (one.state === "stopped") return problem(409, "Conflict", "the pod is stopped");
    house.stop(one);
  } else return problem(422, "Unprocessable Entity", "no such action");
  return ok(podOf(one));
}

function catalog(house: House, query: URLSearchParams): Said {
  if (query.get("include") !== "AVAILABILITY" || query.get("product") !== "POD") {
    return problem(400, "Bad Request", "product is required with include=AVAILABILITY");
  }
  const cloud = query.get("cloud") ?? "SECURE";
  const countries = query.get("countryCodes")?.split(",") ?? null;
  const isThere = countries === null || countries.includes("SE");
  return ok({ gpus: house.offered().map((offer) => gpuOf(offer, cloud, isThere)) });
}

function gpuOf({ gpu, gpuCount, vramMb, price, available }: Offer, cloud: string, isThere: boolean): unknown {
  const availability = available && isThere && cloud === "SECURE" ? "HIGH" : "NONE";
  return {
    ...{ id: idOf(gpu), name: gpu, pool: null, manufacturer: "NVIDIA", memory: Math.floor(vramMb / 1024) },
    ...{ secure: true, community: false, price: { secure: `#${price}`, community: "#0" } },
    maxCount: { secure: gpuCount * 8, community: 0 },
    availability,
    ...(availability === "NONE" ? {} : { dataCenters: dataCenters.map((one) => ({ ...one, availability })) }),
  };
}

const idOf = (gpu: string) => `NVIDIA GeForce ${gpu}`;

function create(house: House, body: Record<string, unknown>): Said {
  const unknown = Object.keys(body).filter((name) => !createFields.has(name));
  if (unknown.length > 0 || !hasMounts(body.mounts)) {
    return problem(422, "Unprocessable Entity", `Request validation failed: ${unknown.join(", ") || "mounts"}`);
  }
  const gpu = body.gpu as { id?: string; count?: number } | undefined;
  const offer = house.offers.find((one) => idOf(one.gpu) === gpu?.id && one.available);
  const centers = (body.dataCenterIds ?? []) as string[];
  const isThere = centers.length === 0 || dataCenters.some(({ id }) => centers.includes(id));
  if (offer === undefined || !isThere || body.cloud !== "SECURE" || house.strikes("offers-gone")) {
    return problem(400, "Bad Request", "There are no instances currently available");
  }
  const { persistent } = body.mounts as { persistent?: { size: number } };
  const one = house.rent(offer, {
    ...{ label: String(body.name ?? ""), isBid: false, bid: null, diskGb: persistent?.size ?? 0 },
    ...{ scratchGb: Number(body.disk ?? 20), environment: (body.env ?? {}) as Record<string, string> },
  });
  return { status: 201, body: podOf(one), hasMade: true };
}

/** Every entry whole, one kind at most. */
function hasMounts(mounts: unknown): boolean {
  const { persistent, network, ...rest } = (mounts ?? {}) as Record<string, unknown>;
  if (Object.keys(rest).length > 0 || (persistent !== undefined && network !== undefined)) return false;
  if (persistent !== undefined) {
    const { size, path, ...more } = persistent as Record<string, unknown>;
    return Number.isInteger(size) && Number(size) >= 10 && typeof path === "string" && Object.keys(more).length === 0;
  }
  if (network === undefined) return true;
  if (!Array.isArray(network) || network.length !== 1) return false;
  const { volumeId, path, ...more } = network[0] as Record<string, unknown>;
  return typeof volumeId === "string" && typeof path === "string" && Object.keys(more).length === 0;
}

function podOf(one: Rented): unknown {
  const isOff = one.state === "stopped" || one.state === "gone";
  return {
    ...{ id: one.id, name: one.label, image: "lanthorn", args: "", status: statuses[one.state], actions: [] },
    ...{
      cost: isOff ? 0 : `#${one.price}`,
      gpu: { id: idOf(one.offer.gpu), count: one.offer.gpuCount },
      locked: false,
    },
    ...{ cloud: "SECURE", disk: one.scratchGb, ports: ["4747/http"], dataCenterId: "EU-SE-1" },
    mounts: one.diskGb === 0 ? {} : { persistent: { size: one.diskGb, path: "/data" } },
    createdAt: new Date(one.createdAtMs).toISOString(),
  };
}

function records(house: House, query: URLSearchParams): unknown[] {
  const usd = (nanos: number) =>
    amountText(house, `${Math.floor(nanos / 1e9)}.${String(nanos % 1e9).padStart(9, "0")}`);
  const from = Date.parse(query.get("startTime") ?? "1970-01-01");
  const until = Date.parse(query.get("endTime") ?? "9999-01-01");
  return house.rented.flatMap(({ id }) =>
    billRows(house, id)
      .map((line) => ({ ...line, atMs: Date.parse(line.day) }))
      .filter(({ atMs }) => atMs >= from && atMs < until)
      .map(({ day, gpuNanos, storageNanos }) => ({
        ...{ podId: id, startTime: `${day}T00:00:00Z`, totalAmount: usd(gpuNanos + storageNanos) },
        ...{ gpuAmount: usd(gpuNanos), cpuAmount: "#0", diskAmount: usd(storageNanos) },
      })),
  );
}

function inside({ id, offer }: Rented): Record<string, string> {
  return { RUNPOD_POD_ID: id, RUNPOD_API_KEY: keyOf(id), RUNPOD_GPU_COUNT: String(offer.gpuCount) };
}

/** What its proxy calls a pod's port: `/proxy/<pod>-<port>/…` here, a host name of its own there. */
const proxied = /^\/proxy\/([^/-]+)-4747(\/.*)?$/;

export function startRunpodMarket(options: StandInOptions = {}): Promise<StandIn> {
  return startStandIn({ basePath: "/v2", wire, proxied, stoppedStorageTimes: 2n, hoursOfMonth: 730n, inside }, options);
}

if (import.meta.main) await runAlone(startRunpodMarket);
