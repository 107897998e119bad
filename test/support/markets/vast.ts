/** A stand-in for Vast.ai's API, as documented. `node test/support/markets/vast.ts --port 0 --script outbid --speed 60` runs it alone. */
import { amountText, billRows } from "./bill-faults.ts";
import { picosOf } from "./meter.ts";
import type { House, Rented } from "./rented.ts";
import { type Asked, keyOf, runAlone, type Said, type StandIn, type StandInOptions, startStandIn } from "./stand-in.ts";

const ok = (body: unknown): Said => ({ status: 200, body });
const no = (status: number, error: string, msg: string): Said => ({ status, body: { success: false, error, msg } });

function wire(house: House, asked: Asked): Said | null {
  const { method, path, body } = asked;
  if (method === "POST" && path === "/bundles/") return ok({ offers: offersFor(house, body) });
  const ask = /^\/asks\/([^/]+)\/$/.exec(path)?.[1];
  if (method === "PUT" && ask !== undefined) return create(house, ask, body);
  if (method === "GET" && path === "/instances/")
    return no(410, "deprecated_endpoint", "/api/v0/instances/ is deprecated. Use /api/v1/instances/ instead.");
  if (method === "GET" && path === "/api/v1/instances/") return list(house, asked.query);
  if (method === "GET" && path === "/charges/") return ok(charges(house, asked.query));
  const bid = /^\/instances\/bid_price\/([^/]+)\/$/.exec(path)?.[1];
  if (method === "PUT" && bid !== undefined) {
    const one = house.find(bid);
    if (one === undefined) return no(404, "no_such_instance", "Instance not found");
    if (!one.isBid) return no(400, "invalid", "Not an interruptible instance");
    house.changeBid(one, String(body.price ?? one.offer.leastBid));
    return ok({ success: true });
  }
  const id = /^\/instances\/([^/]+)\/$/.exec(path)?.[1];
  if (id === undefined) return null;
  const one = house.find(id);
  if (one === undefined) return no(404, "no_such_instance", "Instance not found");
  if (method === "DELETE") {
    house.set(one, "gone");
    return ok({ success: true });
  }
  if (method !== "PUT") return null;
  if (body.state === "running") house.start(one);
  else if (body.state === "stopped") house.stop(one);
  else return no(400, "invalid_args", "state");
  return ok({ success: true });
}

const longestPage = 25;

/** By their numbers, a page at a time; the token says behind which one the next begins. */
function list(house: House, query: URLSearchParams): Said {
  const all = house.listed();
  const asked = Number(query.get("limit") ?? longestPage);
  if (!(asked <= longestPage)) return no(400, "invalid_args", "limit must be 25 at most");
  const token = query.get("after_token");
  const from = token === null ? 0 : all.findIndex(({ id }) => Number(id) > Number(token));
  const page = from < 0 ? [] : all.slice(from, from + (asked > 0 ? asked : 5));
  const isLast = page.at(-1) === all.at(-1);
  return ok({
    ...{ success: true, instances_found: page.length, total_instances: all.length },
    ...{ next_token: isLast ? null : (page.at(-1)?.id ?? null), instances: page.map((one) => shown(one)) },
  });
}

function offersFor(house: House, body: Record<string, unknown>): unknown[] {
  const gpu = (body.gpu_name as { eq?: string } | undefined)?.eq;
  const isBid = body.type === "bid";
  return house
    .offered()
    .filter((offer) => offer.available && (gpu === undefined || offer.gpu === gpu))
    .map((offer) => ({
      ...{ id: Number(offer.id), ask_contract_id: Number(offer.id), machine_id: 7, host_id: 9, gpu_name: offer.gpu },
      ...{ num_gpus: offer.gpuCount, gpu_ram: offer.vramMb, gpu_total_ram: offer.vramMb * offer.gpuCount },
      ...{ dph_base: `#${offer.price}`, dph_total: `#${offer.price}`, min_bid: `#${offer.leastBid}`, is_bid: isBid },
      ...{
        storage_cost: `#${offer.storage}`,
        inet_up_cost: `#${offer.traffic}`,
        inet_down_cost: `#${offer.traffic}`,
        rentable: true,
        rented: false,
      },
      ...{ reliability2: offer.reliability, verification: "verified", geolocation: offer.region, duration: 2_592_000 },
    }));
}

function create(house: House, offerId: string, body: Record<string, unknown>): Said {
  const offer = house.offers.find((one) => one.id === offerId && one.available);
  if (offer === undefined || house.strikes("offers-gone"))
    return no(410, "no_such_ask", `error 410/3603: no_such_ask Instance type by id ${offerId} is not available.`);
  const isBid = body.price !== undefined;
  if (isBid && picosOf(String(body.price)) < picosOf(offer.leastBid))
    return no(400, "bid_too_low", `Minimum bid is ${offer.leastBid}`);
  const one = house.rent(offer, {
    ...{
      label: String(body.label ?? ""),
      isBid,
      diskGb: Number(body.disk ?? 10),
      bid: isBid ? String(body.price) : null,
    },
    environment: (body.env ?? {}) as Record<string, string>,
  });
  const made = { success: true, new_contract: Number(one.id), instance_api_key: keyOf(one.id) };
  return { ...ok(made), hasMade: true };
}

/** `actual_status` is the container's, null before there is one; `cur_state` the contract's: whether the hardware is ours. */
function shown(one: Rented): unknown {
  const isOurs = one.state !== "stopped";
  return {
    ...{ id: Number(one.id), label: one.label, status_msg: one.words, is_bid: one.isBid },
    ...{ actual_status: one.state === "scheduling" ? null : one.state, cur_state: isOurs ? "running" : "stopped" },
    ...{ intended_status: one.meantToRun ? "running" : "stopped", next_state: one.meantToRun ? "running" : "stopped" },
    ...{ gpu_name: one.offer.gpu, num_gpus: one.offer.gpuCount, dph_base: `#${one.price}`, dph_total: `#${one.price}` },
    ...(one.bid === null ? {} : { bid_price: `#${one.bid}`, min_bid: `#${one.offer.leastBid}` }),
    ...{ storage_cost: `#${one.offer.storage}`, disk_space: one.diskGb },
    ...{ inet_up_cost: `#${one.offer.traffic}`, inet_down_cost: `#${one.offer.traffic}` },
    ...{ geolocation: one.offer.region, start_date: one.createdAtMs / 1000 },
    ...(one.port === null
      ? { public_ipaddr: null, ports: null }
      : { public_ipaddr: "127.0.0.1", ports: { "4747/tcp": [{ HostIp: "0.0.0.0", HostPort: String(one.port) }] } }),
  };
}

/** Amounts rounded to a tenth of a cent, as the real one writes them. */
function charges(house: House, query: URLSearchParams): unknown {
  const { day } = JSON.parse(query.get("select_filters") ?? "{}") as { day?: { gte: number; lte: number } };
  const rounded = (nanos: number) => amountText(house, (nanos / 1e9).toFixed(3));
  const results = house.rented.flatMap((one) =>
    billRows(house, one.id)
      .map((line) => ({ ...line, start: Date.parse(line.day) / 1000 }))
      .filter(({ start }) => day === undefined || (start >= day.gte && start <= day.lte))
      .map(({ start, gpuNanos, storageNanos, trafficNanos }) => ({
        ...{ start, end: start, type: "instance", source: `instance-${one.id}` },
        amount: rounded(gpuNanos + storageNanos + trafficNanos),
        items: [
          { type: "gpu", amount: rounded(gpuNanos) },
          { type: "disk", amount: rounded(storageNanos) },
          { type: "bwu", amount: rounded(trafficNanos) },
        ],
      })),
  );
  return { success: true, count: results.length, total: results.length, next_token: null, results };
}

export function startVastMarket(options: StandInOptions = {}): Promise<StandIn> {
  return startStandIn(
    { basePath: "/api/v0", wire, proxied: null, stoppedStorageTimes: 1n, hoursOfMonth: 720n, inside },
    options,
  );
}

function inside({ id, offer }: Rented, port: number): Record<string, string> {
  return {
    ...{ CONTAINER_ID: id, CONTAINER_API_KEY: keyOf(id), VAST_CONTAINERLABEL: `C.${id}` },
    ...{ PUBLIC_IPADDR: "127.0.0.1", VAST_TCP_PORT_4747: String(port), GPU_COUNT: String(offer.gpuCount) },
  };
}

if (import.meta.main) await runAlone(startVastMarket);
