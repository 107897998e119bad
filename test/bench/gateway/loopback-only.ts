/** Preloaded into Portkey's gateway, which has no option for its address: whatever listens in that process listens on 127.0.0.1. */
import { Server } from "node:net";

const listen = Server.prototype.listen;

function listenOnLoopback(this: Server, port: unknown, ...rest: unknown[]): Server {
  const onListening = rest.find((value) => typeof value === "function");
  return Reflect.apply(listen, this, [Number(port), "127.0.0.1", onListening]);
}

Server.prototype.listen = listenOnLoopback;
