/**
 * What home and a rented machine say to each other over HTTP. Runs in the server, on either side; a route is there only where it
 * can be answered. They are open: what is said is signed, and the signature is checked behind them.
 */
import { Failure } from "../domain/failure.ts";
import type { Dialect } from "../dialects/dialect.ts";
import type { Exchange, Route } from "./route.ts";
import { sendJson } from "./send.ts";

export interface RentalTalk {
  /** On a rented machine that knows home's public key: `server/rental/rented`. */
  readonly heartbeats?: { ask(): object; take(body: unknown): object } | null;
  /** On a rented machine with a first key and TLS. Null: it has not both. */
  readonly proof?: ((nonce: string) => object | null) | null;
  /** At home: `server/rental/home/notices.ts`. Throws Failure for what is not signed. */
  readonly notice?: ((body: unknown) => object) | null;
}

/** As long as a challenge needs to be; a longer one is no nonce. */
const nonceShape = /^[A-Za-z0-9_-]{16,100}$/;

export function rentalRoutes(
  dialect: Dialect,
  { heartbeats = null, proof = null, notice = null }: RentalTalk,
  readBody: (exchange: Exchange) => Promise<unknown>,
): readonly Route[] {
  const told = (path: string, answer: (body: unknown) => object): Route => ({
    ...{ access: "open", dialect, method: "POST", path },
    handle: async (exchange: Exchange) => sendJson(exchange.response, 200, answer(await readBody(exchange))),
  });
  const asked = (path: string, answer: (exchange: Exchange) => object): Route => ({
    ...{ access: "open", dialect, method: "GET", path },
    handle: (exchange: Exchange) => sendJson(exchange.response, 200, answer(exchange)),
  });
  const routes: Route[] = [];
  if (heartbeats !== null) {
    routes.push(asked("/rental/heartbeat", () => heartbeats.ask()));
    routes.push(told("/rental/heartbeat", (body) => heartbeats.take(body)));
  }
  if (proof !== null) {
    const prove = ({ parameters: { nonce = "" } }: Exchange) => {
      const proven = nonceShape.test(nonce) ? proof(nonce) : null;
      if (proven === null) throw new Failure("not_found", "There is nothing to prove here.");
      return proven;
    };
    routes.push(asked("/rental/proof/:nonce", prove));
  }
  if (notice !== null) routes.push(told("/rental/notice", notice));
  return routes;
}
