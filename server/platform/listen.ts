/** Where a server listens and how it is reached. Runs in the server process; imports the domain only. */
import type { Server } from "node:http";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { Failure } from "../domain/failure.ts";
import { type PortHolder, portHolder, programText } from "./port-holder.ts";

/** True when nobody but this machine can reach the address. A name other than `localhost` counts as reachable. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, "").toLowerCase();
  return address === "localhost" || address === "::1" || /^127(\.\d{1,3}){3}$/.test(address);
}

/** The bind decides who needs a key, never the peer's address. */
export function bindFacts(host: string): { readonly loopbackOnly: boolean } {
  return { loopbackOnly: isLoopback(host) };
}

/**
 * Starts listening; gives the port. Throws `cannot_start` with what to do when the port is taken, and by whom, or not ours
 * to use. `box` is this data folder's own id.
 */
export async function listen(server: Server, host: string, port: number, box: string): Promise<number> {
  const address = host.replace(/^\[|\]$/g, "");
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: address, port }, () => {
        server.off("error", reject);
        resolve();
      });
    });
  } catch (error) {
    const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    if (isTaken) throw portTaken(error, host, port, await portHolder(address, port), box);
    throw cannotListen(error, host, port);
  }
  const bound = server.address();
  return typeof bound === "object" && bound !== null ? bound.port : port;
}

/** What is said when somebody else has the port. */
export function portTaken(cause: unknown, host: string, port: number, holder: PortHolder, box: string): Failure {
  const pid = holder.pid === null ? "" : ` (process ${holder.pid})`;
  const whose = holder.box === box ? "this data folder" : "another data folder";
  return new Failure("cannot_start", `Port ${port} on ${host} is taken.`, {
    cause,
    why: holder.box === null ? `${programText(holder)} listens there` : `a Lanthorn of ${whose} serves there${pid}`,
    next: holder.box === box ? ["lanthorn stop"] : [`lanthorn serve --port ${port === 65_535 ? 4747 : port + 1}`],
  });
}

function cannotListen(error: unknown, host: string, port: number): Failure {
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : null;
  if (code === "EACCES") {
    return new Failure("cannot_start", `Port ${port} may not be used by this user.`, {
      cause: error,
      why: "ports below 1024 belong to the system",
      next: ["lanthorn serve --port 4747"],
    });
  }
  const why =
    code === "EADDRNOTAVAIL" || code === "ENOTFOUND" ? "this machine has no such address" : String(code ?? error);
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
  scheme: "http" | "https" = "http",
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): { readonly url: string; readonly lanUrls: readonly string[] } {
  const everywhere = host === "0.0.0.0" || host === "::" || host === "[::]";
  if (isLoopback(host)) return { url: `${scheme}://${bracketed(host)}:${port}`, lanUrls: [] };
  if (!everywhere) {
    const url = `${scheme}://${bracketed(host)}:${port}`;
    return { url, lanUrls: [url] };
  }
  const addresses = Object.values(interfaces)
    .flatMap((list) => list ?? [])
    // Link-local IPv6 needs a zone that no URL carries.
    .filter((one) => !one.internal && (host !== "0.0.0.0" || one.family === "IPv4") && !one.address.startsWith("fe80"));
  return {
    url: `${scheme}://${host === "0.0.0.0" ? "127.0.0.1" : "[::1]"}:${port}`,
    lanUrls: addresses.map((one) => `${scheme}://${bracketed(one.address)}:${port}`),
  };
}

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
