/**
 * What a decoder cannot know: which models there are. The name of the client becomes the one that is served, and a context larger
 * than a request may have here is noted. Pure but for asking which models there are.
 */
import type { ChatRequest } from "../../domain/chat.ts";
import type { ServedModel } from "../../domain/model.ts";
import type { Dialect } from "../dialect.ts";
import type { WholeCall, WholeDialect } from "../whole-dialect.ts";
import { servedName } from "./names.ts";

type Models = () => readonly ServedModel[];

export function chatAmongServed(dialect: Dialect, models: Models): Dialect {
  return {
    ...dialect,
    decodeChat: (body) => {
      const request = dialect.decodeChat(body);
      const served = models();
      const alias = servedName(request.model, served);
      // What nobody serves is refused where everything is, in the same words.
      if (alias === null) return request;
      return contextNoted({ ...request, model: alias }, served.find((model) => model.alias === alias)?.contextLength);
    },
  };
}

/** `num_ctx` never makes a load here, as it does at Ollama: two clients with two wishes would make the model come and go. */
function contextNoted(request: ChatRequest, contextLength: number | undefined): ChatRequest {
  const options = request.wire?.body.options;
  const wished = typeof options === "object" && options !== null && "num_ctx" in options ? options.num_ctx : null;
  // 0: the length is not known.
  if (typeof wished !== "number" || !contextLength || wished <= contextLength) return request;
  const detail = `options.num_ctx ${wished}, there are ${contextLength}`;
  return { ...request, notes: [...(request.notes ?? []), { code: "wish_not_kept", detail }] };
}

export function wholeAmongServed<Request extends { readonly model: string }, Result>(
  dialect: WholeDialect<Request, Result>,
  models: Models,
): WholeDialect<Request, Result> {
  return {
    ...dialect,
    decode: (body): WholeCall<Request, Result> => {
      const call = dialect.decode(body);
      const alias = servedName(call.request.model, models());
      return alias === null ? call : { ...call, request: { ...call.request, model: alias } };
    },
  };
}
