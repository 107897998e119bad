/** The Responses wire shape as we call it, put together. Pure; one line in `server/dialects/index.ts` registers it. */
import type { CalledDialect } from "../called.ts";
import { at } from "../usage/figures.ts";
import { decoder } from "./called-decoder.ts";
import { decodeFailure } from "../openai-chat/called-failure.ts";
import { encodeRequest } from "./called-request.ts";
import { responsesId } from "./signature.ts";

export const calledOpenaiResponses: CalledDialect = Object.freeze({
  id: responsesId,
  encodeRequest,
  decoder,
  decodeFailure,
  models: {
    path: "/models",
    ids: (body: unknown) => {
      const data = at(body, "data");
      return Array.isArray(data) ? data.map((model) => at(model, "id")).filter((id) => typeof id === "string") : [];
    },
  },
});
