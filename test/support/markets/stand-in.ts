/**
 * A stand-in market as an HTTP server: faults first, then its wire, and a control surface under `/control` for whoever plays the world around
 * it. Listens on loopback only. `run` makes a file of it that can be started alone.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { House, type HouseOptions } from "./rented.ts";
import { type ScriptName, scripts } from "./scripts.ts";

export interface Asked {
  readonly method: string;
  /** Behind the base path. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Record<string, unknown>;
}

export interface Said {
  readonly status: number;
  readonly body: unknown;
  readonly type?: string;
}

/** How one market speaks. Null: there is no such path. */
export type Wire = (house: House, asked: Asked) => Said | null;

export interface StandInOptions extends HouseOptions {
  readonly script?: ScriptName;
  readonly port?: number;
}

export interface StandIn {
  /** For `baseUrl` of the settings. */
  readonly url: string;
  readonly controlUrl: string;
  readonly key: string;
  readonly house: House;
  close(): Promise<void>;
}

const key = "account-key-of-the-stand-in";
const mostBodyBytes = 1024 * 1024;

export async function startStandIn(basePath: string, wire: Wire, options: StandInOptions = {}): Promise<StandIn> {
  const house = new House({ ...options, ...scripts[options.script ?? "normal"].options });
  for (const [fault, times] of Object.entries(scripts[options.script ?? "normal"].faults))
    house.faults.set(fault, times);
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://market");
    const body = await bodyOf(request);
    if (url.pathname.startsWith("/control/")) {
      send(response, control(house, url.pathname.slice("/control/".length), body), house);
      return;
    }
    const path = url.pathname.startsWith(basePath) ? url.pathname.slice(basePath.length) : url.pathname;
    const method = request.method ?? "GET";
    house.calls.push(`${method} ${path}${method === "GET" ? "" : ` ${JSON.stringify(body)}`}`);
    const fault = faultOf(house, method, path);
    if (fault !== null) {
      send(response, fault, house);
      return;
    }
    if (request.headers.authorization !== `Bearer ${key}` && !scopedTo(request, house, path)) {
      send(response, { status: 401, body: { success: false, error: "auth", msg: "Invalid user key" } }, house);
      return;
    }
    const said = wire(house, { method, path, query: url.searchParams, body });
    // The answer is lost on its way; what was done is done.
    if (method !== "GET" && house.strikes("late-create")) response.destroy();
    else send(response, said ?? { status: 404, body: { error: "no such path" } }, house);
  }

  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ url: origin + basePath, controlUrl: `${origin}/control`, key, house },
    close: async () => {
      house.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** The key inside an instance may do what concerns that instance. */
function scopedTo(request: IncomingMessage, house: House, path: string): boolean {
  const id = /^Bearer key-of-(\d+)$/.exec(request.headers.authorization ?? "")?.[1];
  return id !== undefined && house.find(id) !== undefined && path.includes(`/${id}`);
}

function faultOf(house: House, method: string, path: string): Said | null {
  if (house.strikes("429-text"))
    return { status: 429, type: "text/plain", body: "API requests too frequent. Please slow down." };
  if (house.strikes("html"))
    return { status: 200, type: "text/html", body: "<html><body>Be right back.</body></html>" };
  if (house.strikes("errors-500")) return { status: 500, type: "text/plain", body: "Internal Server Error" };
  if (method === "DELETE" && house.strikes("destroy-three-tries"))
    return { status: 503, type: "text/plain", body: path };
  return null;
}

function control(house: House, path: string, body: Record<string, unknown>): Said {
  const [what = "", id = ""] = path.split("/");
  const one = house.find(id);
  if (what === "state") {
    const rented = house.rented.map(({ offer, ...rest }) => ({ ...rest, offer: offer.id, bill: house.bill(rest.id) }));
    return { status: 200, body: { nowMs: house.now(), totalNanos: house.totalNanos(), rented, calls: house.calls } };
  }
  if (what === "advance") house.advance(Number(body.ms ?? 0));
  else if (what === "fault") house.faults.set(id, Number(body.times ?? 1));
  else if (what === "offers") Object.assign(house.offers.find((offer) => offer.id === id) ?? {}, body);
  else if (one === undefined) return { status: 404, body: { error: "no such instance" } };
  else if (what === "outbid") house.outbid(one);
  else if (what === "resume") house.resume(one);
  else if (what === "host-offline") house.set(one, "offline", "host does not answer");
  else return { status: 404, body: { error: "no such control" } };
  return { status: 200, body: { ok: true } };
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > mostBodyBytes) throw new Error("too much");
    pieces.push(piece);
  }
  const text = Buffer.concat(pieces).toString("utf8");
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

function send(response: ServerResponse, { status, body, type = "application/json" }: Said, house: House): void {
  // Its clock is its own; `clock-skew` puts it an hour ahead.
  const skewMs = house.faults.has("clock-skew") ? 3_600_000 : 0;
  const date = new Date(house.now() + skewMs).toUTCString();
  response.writeHead(status, { "content-type": type, date });
  response.end(status === 204 ? "" : typeof body === "string" ? body : withNumbers(JSON.stringify(body)));
}

/** `"#0.10"` becomes the bare number `0.10`, digits as they are; markets write numbers, and some of them `NaN`. */
function withNumbers(json: string): string {
  return json.replace(/"#([^"]*)"/g, "$1");
}

/** `node <file> --port 0 --script outbid --speed 60 [--runs host:port]`: one line of JSON says where it listens. */
export async function runAlone(start: (options: StandInOptions) => Promise<StandIn>): Promise<void> {
  const { values } = parseArgs({
    options: {
      ...{ port: { type: "string", default: "0" }, script: { type: "string", default: "normal" } },
      ...{ speed: { type: "string", default: "1" }, runs: { type: "string" } },
    },
  });
  if (!Object.hasOwn(scripts, values.script))
    throw new Error(`no script "${values.script}": ${Object.keys(scripts).join(", ")}`);
  const standIn = await start({
    ...{ port: Number(values.port), script: values.script as ScriptName, speed: Number(values.speed) },
    runs: values.runs ?? null,
  });
  console.log(JSON.stringify({ url: standIn.url, controlUrl: standIn.controlUrl, key: standIn.key }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void standIn.close());
}
