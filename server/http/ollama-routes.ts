/**
 * What Ollama's clients ask besides answers: which version, which models, which of them are loaded. Runs in the server. Nothing
 * here changes anything: models are fetched and deleted by whoever runs the box.
 */
import { z } from "zod";
import type { Dialect } from "../dialects/dialect.ts";
import { fieldFailure } from "../dialects/field-failure.ts";
import { encodeLoaded } from "../dialects/ollama/models.ts";
import { servedName } from "../dialects/ollama/names.ts";
import { allowedOf } from "../domain/allowed-routes.ts";
import type { Caller } from "../domain/caller.ts";
import { Failure } from "../domain/failure.ts";
import type { ServedModel } from "../domain/model.ts";
import type { HttpDeps } from "./deps.ts";
import type { Exchange, GuardedRoute, Method } from "./route.ts";
import { jsonType, sendJson, sendText } from "./send.ts";

/**
 * Which Ollama's API is spoken here; clients compare it with Ollama's own versions (Codex wants 0.13.4 or newer). Ours stands
 * beside it.
 */
const spokenVersion = "0.32.15";

const named = z
  .object({ model: z.string().min(1).nullish(), name: z.string().min(1).nullish(), stream: z.boolean().nullish() })
  .transform(({ model, name, stream }) => ({ model: model ?? name ?? "", stream: stream ?? true }))
  .refine(({ model }) => model !== "", { error: "must name a model", path: ["model"] });

export interface OllamaRouteParts {
  readonly dialect: Dialect;
  readonly deps: Pick<HttpDeps, "inference" | "models" | "hardware" | "version">;
  readonly readBody: (exchange: Exchange) => Promise<unknown>;
}

export function ollamaRoutes({ dialect, deps, readBody }: OllamaRouteParts): readonly GuardedRoute[] {
  const served = (caller: Caller) => allowedOf(deps.inference.models(), caller);
  const asked = async (exchange: Exchange) => {
    const parsed = named.safeParse(await readBody(exchange));
    if (!parsed.success) throw fieldFailure(parsed.error);
    return parsed.data;
  };
  const find = (name: string, caller: Caller): ServedModel | undefined => {
    const models = served(caller);
    const alias = servedName(name, models);
    return models.find((model) => model.alias === alias);
  };
  const route = (method: Method, path: string, handle: GuardedRoute["handle"]): GuardedRoute => ({
    method,
    path,
    access: "inference",
    dialect,
    handle,
  });
  const refused = (what: string, instead: string) => () => {
    throw new Failure("unsupported", `${what} ${instead}`);
  };

  return [
    route("GET", "/api/version", ({ response }) => {
      sendJson(response, 200, { version: spokenVersion, server: `lanthorn ${deps.version}` });
    }),
    route("GET", "/api/tags", ({ response }, caller) =>
      sendText(response, 200, jsonType, dialect.encodeModels(served(caller))),
    ),
    route("GET", "/api/ps", async ({ response }, caller) => {
      const onCpu = deps.hardware().engine.gpu === "cpu";
      sendText(response, 200, jsonType, encodeLoaded(served(caller), await deps.models.models(), onCpu));
    }),
    route("POST", "/api/show", async (exchange, caller) => {
      const { model: name } = await asked(exchange);
      const model = find(name, caller);
      if (model === undefined) throw notHere(name);
      sendText(exchange.response, 200, jsonType, dialect.encodeModel(model));
    }),
    // Codex and others pull before they ask; a model that is here needs no pull.
    route("POST", "/api/pull", async (exchange, caller) => {
      const { model: name, stream } = await asked(exchange);
      if (find(name, caller) === undefined) {
        const advice = `Whoever runs it can fetch one: 'lanthorn models pull ${name.slice(0, 200)}'.`;
        throw new Failure("unsupported", `No model "${name.slice(0, 200)}" here. ${advice}`);
      }
      const lines = [{ status: "pulling manifest" }, { status: "success" }];
      if (!stream) sendJson(exchange.response, 200, { status: "success" });
      else
        sendText(
          exchange.response,
          200,
          dialect.contentType.stream,
          lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
        );
    }),
    route(
      "DELETE",
      "/api/delete",
      refused("Models are not deleted over this API.", "On the box: 'lanthorn models rm'."),
    ),
    route("POST", "/api/create", refused("Models are not made here.", "On the box: 'lanthorn models import <file>'.")),
    route(
      "POST",
      "/api/copy",
      refused("Models get no second names over this API.", "On the box: 'models:' in lanthorn.yaml."),
    ),
    route(
      "POST",
      "/api/push",
      refused("Models are not uploaded from here.", "Their files lie in the box's data folder."),
    ),
  ];
}

function notHere(name: string): Failure {
  return new Failure("model_not_found", `No model "${name.slice(0, 200)}" here. GET /api/tags lists them.`);
}
