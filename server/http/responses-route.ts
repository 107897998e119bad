/**
 * `/v1/responses`: a chat route (`chat-route.ts`) in the Responses dialect, with what that dialect has beside answering: answers
 * are kept for the caller that asked for it, gone on from, read, deleted, and stopped while they run. Runs in the server.
 */
import type { Dialect } from "../dialects/dialect.ts";
import { limitOf, listPage } from "../dialects/list-page.ts";
import { decodeResponse } from "../dialects/openai-responses/decode.ts";
import { chatEncoder, type ResponseEncoder } from "../dialects/openai-responses/encode.ts";
import { noSuchResponse, type RawItem } from "../dialects/openai-responses/kept.ts";
import { namedItems } from "../dialects/openai-responses/response-object.ts";
import { type Caller, callerId } from "../domain/caller.ts";
import type { ChatRequest } from "../domain/chat.ts";
import { Failure } from "../domain/failure.ts";
import type { FoundResponse } from "../domain/stored-response.ts";
import { type ChatRouteParts, chatRoute } from "./chat-route.ts";
import type { HttpDeps } from "./deps.ts";
import type { Flight } from "./in-flight.ts";
import { inputUpTo, type KeptConversation, type KeptFacts, keptFor } from "./kept-responses.ts";
import type { Exchange } from "./route.ts";
import { sendJson } from "./send.ts";

export interface ResponsesParts extends ChatRouteParts {
  readonly deps: ChatRouteParts["deps"] & Pick<HttpDeps, "responses">;
}

/** An answer that is being given, for whoever wants to stop it. */
interface Running {
  readonly caller: string;
  encoder: ResponseEncoder | null;
  flight: Flight | null;
}

export function responsesRoutes(dialect: Dialect, parts: ResponsesParts) {
  const { deps } = parts;
  const keepMs = deps.settings.keepResponsesMs ?? 0;
  const running = new Set<Running>();

  function factsFor(caller: Caller): KeptFacts {
    return {
      store: deps.responses,
      caller: callerId(caller),
      nowMs: deps.clock.now(),
      keeps: keepMs > 0,
      mostCharacters: deps.settings.bodyLimitBytes,
    };
  }

  async function create(exchange: Exchange, caller: Caller): Promise<void> {
    const own: Running = { caller: callerId(caller), encoder: null, flight: null };
    const kept = keptFor(factsFor(caller));
    const bound: Dialect = {
      ...dialect,
      decodeChat: (body) => decodeResponse(body, kept),
      chatEncoder: (request, facts) => {
        own.encoder = chatEncoder(request, facts);
        return keeping(own.encoder, (encoder) => keep(encoder, request, kept, exchange, own.caller));
      },
    };
    const inFlight = {
      takeOff: () => {
        own.flight = parts.inFlight.takeOff();
        return own.flight;
      },
    };
    running.add(own);
    try {
      await chatRoute(bound, { ...parts, inFlight })(exchange, caller);
    } finally {
      running.delete(own);
    }
  }

  /** A store that cannot be written never ends an answer: it is only not kept. */
  function keep(
    { final, id }: ResponseEncoder,
    request: ChatRequest,
    kept: KeptConversation,
    { requestId, startedAtMs }: Exchange,
    caller: string,
  ): void {
    const { body } = request.wire ?? {};
    if (final === null || body?.store !== true) return;
    const expiresAtMs = startedAtMs + keepMs;
    const { previous_response_id: previousId } = body;
    const input = Array.isArray(body.input) ? (body.input as RawItem[]).slice(kept.items) : [];
    try {
      deps.responses.keep(caller, {
        id,
        previousId: typeof previousId === "string" && previousId !== "" ? previousId : null,
        createdAtMs: startedAtMs,
        expiresAtMs,
        input: namedItems(input, requestId),
        response: final,
      });
      // What it goes on from is kept as long as itself.
      deps.responses.prolong(caller, kept.chain, expiresAtMs);
    } catch (err) {
      deps.log.error({ requestId, err }, "a response could not be kept");
    }
  }

  function found({ parameters }: Exchange, facts: KeptFacts): FoundResponse {
    const id = parameters.id ?? "";
    const one = facts.store.find(facts.caller, id, facts.nowMs);
    if (one === null) throw noSuchResponse(id);
    return one;
  }

  return {
    create,
    retrieve(exchange: Exchange, caller: Caller): void {
      if (queryOf(exchange).get("stream") === "true") {
        throw new Failure("invalid_request", "A kept response is given whole: leave 'stream' out.", {
          param: "stream",
        });
      }
      sendJson(exchange.response, 200, found(exchange, factsFor(caller)).response);
    },
    remove(exchange: Exchange, caller: Caller): void {
      const id = exchange.parameters.id ?? "";
      const { store, caller: owner, nowMs } = factsFor(caller);
      if (!store.remove(owner, id, nowMs)) throw noSuchResponse(id);
      sendJson(exchange.response, 200, { id, object: "response", deleted: true });
    },
    inputItems(exchange: Exchange, caller: Caller): void {
      const facts = factsFor(caller);
      sendJson(exchange.response, 200, page(inputUpTo(found(exchange, facts), facts), queryOf(exchange)));
    },
    cancel(exchange: Exchange, caller: Caller): void {
      const id = exchange.parameters.id ?? "";
      const facts = factsFor(caller);
      for (const { caller: owner, encoder, flight } of running) {
        if (owner !== facts.caller || encoder?.id !== id || flight === null) continue;
        const stopped = { ...encoder.snapshot(), status: "cancelled" };
        flight.cut(new Failure("cancelled", "This response was cancelled."));
        sendJson(exchange.response, 200, stopped);
        return;
      }
      found(exchange, facts);
      throw new Failure("invalid_request", "This response has ended: only a running one can be cancelled.");
    },
  };
}

/** The same encoder; before its last bytes leave, the answer is kept: who has read them finds it. */
function keeping(
  encoder: ResponseEncoder,
  keep: (encoder: ResponseEncoder) => void,
): ReturnType<Dialect["chatEncoder"]> {
  return {
    frames: (event) => encoder.frames(event),
    keepAlive: () => encoder.keepAlive(),
    failure: (failure) => encoder.failure(failure),
    close(closing) {
      keep(encoder);
      return encoder.close(closing);
    },
    whole(events) {
      const text = encoder.whole(events);
      keep(encoder);
      return text;
    },
  };
}

function queryOf({ request }: Exchange): URLSearchParams {
  const [, query = ""] = (request.url ?? "").split("?", 2);
  return new URLSearchParams(query);
}

const mostItems = 100;

/** A part of a list, newest first unless asked otherwise. */
function page(items: readonly RawItem[], query: URLSearchParams): object {
  const limit = limitOf(query, mostItems);
  const ordered = query.get("order") === "asc" ? items : [...items].reverse();
  const after = query.get("after");
  const start = after === null ? 0 : ordered.findIndex((item) => item.id === after) + 1;
  return listPage(ordered, start, limit);
}
