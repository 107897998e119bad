/**
 * A stand-in market as an HTTP server: faults first, then its wire, a way into its instances, and a control surface under `/control` for
 * whoever plays the world around it. Listens on loopback only; `alone.ts` makes a program of it.
 */
import { createServer, type IncomingMessage, request as ask, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { control } from "./control.ts";
import { House, type HouseOptions, type HouseWays } from "./rented.ts";
import { type ScriptName, scripts } from "./scripts.ts";

export { runAlone } from "./alone.ts";

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
  /** An instance was made. */
  readonly hasMade?: boolean;
}

/** How one market speaks. */
export interface MarketWay extends HouseWays {
  readonly basePath: string;
  /** Null: there is no such path. */
  wire(house: House, asked: Asked): Said | null;
  /** Paths that lead into an instance: its number, and what stands behind; null: there are none. */
  readonly proxied: RegExp | null;
}

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
const dayMs = 86_400_000;

/** What the market gives inside an instance; it may do what concerns that instance. */
export const keyOf = (id: string) => `key-of-${id}`;

export async function startStandIn(way: MarketWay, options: StandInOptions = {}): Promise<StandIn> {
  const { basePath } = way;
  const script = scripts[options.script ?? "normal"];
  const house = new House({ ...options, ...script.options }, way);
  for (const [fault, times] of Object.entries(script.faults)) house.faults.set(fault, times);
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://market");
    const [, id, inner] = way.proxied?.exec(url.pathname) ?? [];
    if (id !== undefined) return passOn(house, id, `${inner ?? "/"}${url.search}`, request, response);
    const body = await bodyOf(request);
    if (url.pathname.startsWith("/control/")) {
      send(response, control(house, url.pathname.slice("/control/".length), body), house.now());
      return;
    }
    const path = url.pathname.startsWith(basePath) ? url.pathname.slice(basePath.length) : url.pathname;
    const method = request.method ?? "GET";
    house.calls.push(`${method} ${path}${method === "GET" ? "" : ` ${JSON.stringify(body)}`}`);
    const dateMs = house.now() + (house.faults.has("clock-skew") ? 3_600_000 : 0) - (house.isStale ? dayMs : 0);
    const fault = faultOf(house, method);
    if (fault !== null) {
      send(response, fault, dateMs);
      return;
    }
    if (request.headers.authorization !== `Bearer ${key}` && !isScoped(request, house, path)) {
      send(response, { status: 401, body: { success: false, error: "auth", msg: "Invalid user key" } }, dateMs);
      return;
    }
    const said = way.wire(house, { method, path, query: url.searchParams, body });
    // The answer is lost on its way; what was done is done.
    if (said?.hasMade === true && house.strikes("late-create")) response.destroy();
    else send(response, said ?? { status: 404, body: { error: "no such path" } }, dateMs);
  }

  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ url: origin + basePath, controlUrl: `${origin}/control`, key, house },
    close: async () => {
      await house.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function isScoped(request: IncomingMessage, house: House, path: string): boolean {
  const id = /^Bearer key-of-(\d+)$/.exec(request.headers.authorization ?? "")?.[1];
  return id !== undefined && house.find(id) !== undefined && path.split("/").includes(id);
}

function faultOf(house: House, method: string): Said | null {
  if (house.strikes("429-text"))
    return { status: 429, type: "text/plain", body: "API requests too frequent. Please slow down." };
  if (house.strikes("html"))
    return { status: 200, type: "text/html", body: "<html><body>Be right back.</body></html>" };
  if (house.strikes("errors-500")) return { status: 500, type: "text/plain", body: "Internal Server Error" };
  if (method === "DELETE" && house.strikes("destroy-three-tries"))
    return { status: 503, type: "text/plain", body: "Service Unavailable" };
  return null;
}

/** As a market's proxy does it: 404 for a pod there is not, 502 for one that does not answer. */
function passOn(
  house: House,
  id: string,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const port = house.find(id)?.port ?? null;
  const refuse = (status: number) => response.writeHead(status, { "content-type": "text/html" }).end("<html></html>");
  return new Promise((resolve) => {
    response.once("close", resolve);
    if (port === null) {
      refuse(404);
      return;
    }
    const { method = "GET", headers } = request;
    const inner = ask({ host: "127.0.0.1", port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    inner.on("error", () => (response.headersSent ? response.destroy() : refuse(502)));
    response.once("close", () => inner.destroy());
    request.pipe(inner);
  });
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

function send(response: ServerResponse, { status, body, type = "application/json" }: Said, dateMs: number): void {
  response.writeHead(status, { "content-type": type, date: new Date(dateMs).toUTCString() });
  response.end(status === 204 ? "" : typeof body === "string" ? body : withNumbers(JSON.stringify(body)));
}

/** `"#0.10"` becomes the bare number `0.10`, digits as they are; markets write numbers, and some of them `NaN`. */
function withNumbers(json: string): string {
  return json.replace(/"#([^"]*)"/g, "$1");
}
