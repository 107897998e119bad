/**
 * Signing in to the page: a key once, then a cookie that no script can read and no other site can make the browser send.
 * Runs in the server. Which key may do what is decided in `server/access`.
 */
import { TLSSocket } from "node:tls";
import { z } from "zod";
import { Failure } from "../domain/failure.ts";
import type { HttpDeps } from "./deps.ts";
import type { Exchange } from "./route.ts";
import { sendJson } from "./send.ts";

const cookieName = "lanthorn_session";
const cookieRules = "Path=/; HttpOnly; SameSite=Strict";

/** Over TLS the browser keeps the cookie to itself on every connection that is not. */
function rulesFor({ request }: Exchange): string {
  return request.socket instanceof TLSSocket ? `${cookieRules}; Secure` : cookieRules;
}

const signInBody = z.object({ key: z.string().min(1).max(500) });

/** The session's token, if the request carries our cookie. */
export function sessionTokenOf(cookie: string | undefined): string | undefined {
  if (cookie === undefined) return undefined;
  for (const pair of cookie.split(";")) {
    const [name, value] = pair.trim().split("=", 2);
    if (name === cookieName && value !== undefined && /^[0-9A-Za-z]{1,100}$/.test(value)) return value;
  }
  return undefined;
}

export function sessionRoutes(deps: Pick<HttpDeps, "access">, readBody: (exchange: Exchange) => Promise<unknown>) {
  return {
    async signIn(exchange: Exchange): Promise<void> {
      const body = signInBody.safeParse(await readBody(exchange));
      if (!body.success) {
        throw new Failure("invalid_request", `The body must be {"key": "…"}.`, { param: "key" });
      }
      // A wrong key counts as a try here too, also where inference would have taken it for a placeholder.
      const { token, caller } = deps.access.signIn(body.data.key, exchange.request.socket.remoteAddress ?? "");
      exchange.response.setHeader("set-cookie", `${cookieName}=${token}; ${rulesFor(exchange)}`);
      sendJson(exchange.response, 200, { caller: { kind: caller.kind, name: caller.name } });
    },

    signOut(exchange: Exchange): void {
      const token = sessionTokenOf(exchange.request.headers.cookie);
      if (token !== undefined) deps.access.sessions.end(token);
      exchange.response.setHeader("set-cookie", `${cookieName}=; ${rulesFor(exchange)}; Max-Age=0`);
      sendJson(exchange.response, 200, { signedOut: true });
    },
  };
}
