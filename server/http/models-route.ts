/**
 * `GET /v1/models` and `/v1/models/{id}`: what this box serves and the caller may ask for, loaded or not. Runs in the server. Both vendors have this path;
 * a client that sends `anthropic-version` gets Anthropic's list.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Dialect } from "../dialects/dialect.ts";
import { allowedOf } from "../domain/allowed-routes.ts";
import type { Caller } from "../domain/caller.ts";
import { Failure } from "../domain/failure.ts";
import type { HttpDeps } from "./deps.ts";
import type { Exchange } from "./route.ts";
import { jsonType, sendText } from "./send.ts";

/** Anthropic's clients say so with every request, and nobody else's do. */
export function speaksAnthropic(headers: IncomingHttpHeaders): boolean {
  return headers["anthropic-version"] !== undefined;
}

export function isModelsPath(path: string): boolean {
  return path === "/v1/models" || path.startsWith("/v1/models/");
}

export function modelsRoutes(openai: Dialect, anthropic: Dialect, deps: Pick<HttpDeps, "inference">) {
  const dialectOf = ({ request }: Exchange) => (speaksAnthropic(request.headers) ? anthropic : openai);
  return {
    list(exchange: Exchange, caller: Caller): void {
      const models = allowedOf(deps.inference.models(), caller);
      sendText(exchange.response, 200, jsonType, dialectOf(exchange).encodeModels(models));
    },
    /** Ids may hold `/`, `:` and `@`, percent-encoded or not: everything after `/v1/models/` is the id. */
    one(exchange: Exchange, caller: Caller): void {
      const { response, parameters } = exchange;
      const model = allowedOf(deps.inference.models(), caller).find(({ alias }) => alias === parameters.id);
      if (model === undefined) throw new Failure("model_not_found", "This box serves no model of that name.");
      sendText(response, 200, jsonType, dialectOf(exchange).encodeModel(model));
    },
  };
}
