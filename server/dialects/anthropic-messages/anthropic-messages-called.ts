/** Anthropic's Messages as we call them, put together. Pure; one line in `server/dialects/index.ts` registers it. */
import type { CalledDialect } from "../called.ts";
import { at } from "../usage/figures.ts";
import { answerDecoder } from "./answer.ts";
import { encodeCount, encodeRequest } from "./call.ts";
import { decodeFailure } from "./refusal.ts";
import { dialectId } from "./signature.ts";

export const anthropicMessagesCalled: CalledDialect = Object.freeze({
  id: dialectId,
  encodeRequest,
  decoder: answerDecoder,
  decodeFailure,
  count: {
    encode: encodeCount,
    tokens(body: unknown) {
      const count = at(body, "input_tokens");
      return typeof count === "number" && Number.isSafeInteger(count) && count >= 0 ? count : null;
    },
  },
  models: {
    path: "/models",
    ids(body: unknown) {
      const list = at(body, "data");
      if (!Array.isArray(list)) return [];
      return list.map((model: unknown) => at(model, "id")).filter((id) => typeof id === "string");
    },
  },
});
