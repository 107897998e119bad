/**
 * `POST /admin/models/{alias}/load`, `/unload`, `/pin`, `/unpin`: which models are in memory. An alias is one segment of the
 * path, percent-encoded: `org%2Fcoder:7b`. Each answers the model as it is then. `POST /admin/models/rescan`: a file was added
 * or taken away by somebody else.
 */
import { z } from "zod";
import { fieldFailure } from "../../dialects/field-failure.ts";
import { sendJson } from "../send.ts";
import type { AdminResource } from "./resource.ts";

/** How long a load may take to be answered as done; after that the answer is that it goes on. */
const promptMs = 250;

const unloadBody = z.object({
  /** Let running answers finish first, instead of refusing because of them. */
  wait: z.boolean().default(false),
});

export const modelsResource: AdminResource = ({ deps, readBody }) => {
  const { models, clock, log } = deps;
  const pin = (path: `/admin/${string}`, pinned: boolean) => ({
    method: "POST" as const,
    path,
    async handle(request: { params: { alias?: unknown } }, response: Parameters<typeof sendJson>[0]) {
      const alias = String(request.params.alias);
      models.pin(alias, pinned);
      sendJson(response, 200, { model: await models.model(alias) });
    },
  });
  return [
    {
      method: "POST",
      path: "/admin/models/:alias/load",
      async handle(request, response) {
        const alias = String(request.params.alias);
        let isLoaded = false;
        const loading = models.load(alias, new AbortController().signal).then(() => {
          isLoaded = true;
        });
        // What is known at once is the answer; later it is in the model's state.
        await Promise.race([loading, new Promise<void>((resolve) => clock.after(promptMs, resolve))]);
        loading.catch((err: unknown) => log.warn({ model: alias, err }, "a model that was asked for did not load"));
        sendJson(response, isLoaded ? 200 : 202, { model: await models.model(alias) });
      },
    },
    {
      method: "POST",
      path: "/admin/models/:alias/unload",
      async handle(request, response) {
        const alias = String(request.params.alias);
        const body = unloadBody.safeParse((await readBody(request, response)) ?? {});
        if (!body.success) throw fieldFailure(body.error);
        models.unload(alias, body.data.wait);
        const model = await models.model(alias);
        sendJson(response, model.state === "unloaded" ? 200 : 202, { model });
      },
    },
    {
      method: "POST",
      path: "/admin/models/rescan",
      async handle(_request, response) {
        sendJson(response, 200, { models: await models.rescan() });
      },
    },
    pin("/admin/models/:alias/pin", true),
    pin("/admin/models/:alias/unpin", false),
  ];
};
