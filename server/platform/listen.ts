/** Where a server listens and how it is reached. Runs in the server process; imports the domain only. */
import type { Server } from "node:http";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { Failure } from "../domain/failure.ts";
import type { ServerFile } from "./server-file.ts";

/** True when nobody but this machine can reach the address. A name other than `localhost` counts as reachable. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, "").toLowerCase();
  return address === "localhost" || address === "::1" || /^127(\.\d{1,3}){3}$/.test(address);
}

/** The bind decides who needs a key, never the peer's address. */
export function bindFacts(host: string): { readonly loopbackOnly: boolean } {
  return { loopbackOnly: isLoopback(host) };
}

/** Starts listening; gives the port. Throws `cannot_start` with what to do when the port is taken or not ours to use. */
export async function listen(server: Server, host: string, port: number, running: ServerFile | null): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(cannotListen(error, host, port, running)));
    server.listen({ host: host.replace(/^\[|\]$/g, ""), port }, resolve);
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

function cannotListen(error: Error, host: string, port: number, running: ServerFile | null): Failure {
  const code: unknown = Reflect.get(error, "code");
  if (code === "EADDRINUSE") {
    const ours = running !== null && new URL(running.url).port === String(port);
    return new Failure("cannot_start", `Port ${port} on ${host} is taken.`, {
      cause: error,
      why: ours ? `another Lanthorn serves there (process ${running.pid})` : "another program listens there",
      next: ours ? ["lanthorn stop"] : [`lanthorn serve --port ${port === 65_535 ? 4747 : port + 1}`],
    });
  }
  if (code === "EACCES") {
    return new Failure("cannot_start", `Port ${port} may not be used by this user.`, {
      cause: error,
      why: "ports below 1024 belong to the system",
      next: ["lanthorn serve --port 4747"],
    });
  }
  const why = code === "EADDRNOTAVAIL" || code === "ENOTFOUND" ? "this machine has no such address" : error.message;
  return new Failure("cannot_start", `Cannot listen on ${host}.`, {
    cause: error,
    why,
    next: ["lanthorn serve --host 127.0.0.1"],
  });
}

/** `url` works on this machine; `lanUrls` work from others and are empty on a loopback bind. */
export function reachableUrls(
  host: string,
  port: number,
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): { readonly url: string; readonly lanUrls: readonly string[] } {
  const everywhere = host === "0.0.0.0" || host === "::" || host === "[::]";
  if (isLoopback(host)) return { url: `http://${bracketed(host)}:${port}`, lanUrls: [] };
  if (!everywhere) {
    const url = `http://${bracketed(host)}:${port}`;
    return { url, lanUrls: [url] };
  }
  const addresses = Object.values(interfaces)
    .flatMap((list) => list ?? [])
    // Link-local IPv6 needs a zone that no URL carries.
    .filter((one) => !one.internal && (host !== "0.0.0.0" || one.family === "IPv4") && !one.address.startsWith("fe80"));
  return {
    url: `http://${host === "0.0.0.0" ? "127.0.0.1" : "[::1]"}:${port}`,
    lanUrls: addresses.map((one) => `http://${bracketed(one.address)}:${port}`),
  };
}

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
