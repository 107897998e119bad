/** The dialect of `/v1/responses`, put together. Pure; one line in `server/dialects/index.ts` registers it. */
import { Failure } from "../../domain/failure.ts";
import type { Dialect } from "../dialect.ts";
import { openaiChat } from "../openai-chat/openai-chat.ts";
import { decodeChat } from "./decode.ts";
import { chatEncoder } from "./encode.ts";
import { responseError } from "./failure.ts";
import { framed } from "./passed.ts";
import { responsesId } from "./signature.ts";

export const openaiResponses: Dialect = Object.freeze({
  ...openaiChat,
  id: responsesId,
  decodeChat,
  chatEncoder,
  encodeFailure: (failure: Failure) => openaiChat.encodeFailure(inItsWords(failure)),
  /** For a stream of which nothing is known; an encoder has a better one. */
  failureFrame: (failure: Failure) => {
    const response = { object: "response", status: "failed", error: responseError(failure), output: [] };
    return framed("response.failed", JSON.stringify({ type: "response.failed", sequence_number: 0, response }));
  },
});

/** Whoever answers counts messages; this client sent items, and other ones. */
function inItsWords(failure: Failure): Failure {
  if (failure.param === null || !failure.param.startsWith("messages")) return failure;
  const { code, message, retryAfterSeconds } = failure;
  const wait = retryAfterSeconds === null ? {} : { retryAfterSeconds };
  return new Failure(code, message, { param: "input", cause: failure, ...wait });
}
