/** `GET /v1/models` and `/v1/models/{id}`: what this box serves, loaded or not. Runs in the server. */
import type { Dialect } from "../dialects/dialect.ts";
import { Failure } from "../domain/failure.ts";
import type { HttpDeps } from "./deps.ts";
import type { Exchange } from "./route.ts";
import { jsonType, sendText } from "./send.ts";

export function modelsRoutes(dialect: Dialect, deps: Pick<HttpDeps, "inference">) {
  return {
    list({ response }: Exchange): void {
      sendText(response, 200, jsonType, dialect.encodeModels(deps.inference.models()));
    },
    /** Ids may hold `/`, `:` and `@`, percent-encoded or not: everything after `/v1/models/` is the id. */
    one({ response, parameters }: Exchange): void {
      const model = deps.inference.models().find(({ alias }) => alias === parameters.id);
      if (model === undefined) throw new Failure("model_not_found", "This box serves no model of that name.");
      sendText(response, 200, jsonType, dialect.encodeModel(model));
    },
  };
}
