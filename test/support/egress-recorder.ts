/**
 * Preloaded into a process (`NODE_OPTIONS=--import`): whatever it wants of another machine is written into the file that
 * EGRESS_RECORD names, one line each, and refused. This machine itself is let through.
 */
import dgram from "node:dgram";
import dns from "node:dns";
import { appendFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";

const file = process.env.EGRESS_RECORD ?? "";

function isHere(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "::ffff:127.0.0.1" || /^127(\.\d{1,3}){3}$/.test(host);
}

function refuse(what: string): never {
  appendFileSync(file, `${what}\n`);
  throw new Error(`refused by the test: ${what}`);
}

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]) {
  const [first, second] = Array.isArray(args[0]) ? args[0] : args;
  const options = typeof first === "object" && first !== null ? first : { port: first, host: second };
  const { host = "localhost", port, path } = options as { host?: unknown; port?: unknown; path?: unknown };
  if (typeof path !== "string" && !isHere(String(host))) refuse(`connect ${String(host)}:${String(port)}`);
  return Reflect.apply(connect, this, args);
} as typeof connect;

const send = dgram.Socket.prototype.send;
dgram.Socket.prototype.send = function (this: dgram.Socket, ...args: unknown[]) {
  const addresses = args.filter((arg) => typeof arg === "string");
  for (const address of addresses.slice(-1)) if (!isHere(address)) refuse(`send ${address}`);
  return Reflect.apply(send, this, args);
} as typeof send;

for (const names of [dns, dns.promises] as const) {
  for (const name of ["lookup", "resolve", "resolve4", "resolve6", "resolveAny", "reverse", "lookupService"] as const) {
    const original: unknown = Reflect.get(names, name);
    if (typeof original !== "function") continue;
    Reflect.set(names, name, (...args: unknown[]) => {
      if (!isHere(String(args[0])) && net.isIP(String(args[0])) === 0) refuse(`${name} ${String(args[0])}`);
      return Reflect.apply(original, names, args);
    });
  }
}
syncBuiltinESMExports();
