/**
 * The backend of one configured provider: a request becomes one call, its answer becomes events, read no faster than they are
 * taken. Runs in the server process. Tries once: trying again is the router's. Knows wire shapes by their contract only; what is
 * answered in one piece goes by `whole.ts`.
 */
import type { AnswerDecoder, CalledDialect, CallFacts } from "../../dialects/called.ts";
import { calledForPrompts, calledWhole } from "../../dialects/index.ts";
import { noUpstreamUsage } from "../../dialects/usage/upstream-usage.ts";
import { type ChatEvent, type ChatRequest, type EndEvent, isContent, isEnd } from "../../domain/chat.ts";
import { noEnd } from "../../domain/end.ts";
import { asFailure, Failure } from "../../domain/failure.ts";
import type { Capability } from "../../domain/model.ts";
import type { Clock, Log } from "../../domain/ports.ts";
import { estimatedPromptTokens } from "../../domain/prompt-estimate.ts";
import { wrongModel } from "../../domain/routing/capability.ts";
import { noTimings, noUsage, type Timings } from "../../domain/usage.ts";
import type { UpstreamFetch } from "../../platform/upstream/upstream-fetch.ts";
import type { Backend, ChatContext } from "../backend.ts";
import { ask, failureWithoutSecret, takeKey, withoutSecret } from "./ask.ts";
import { type Answer, callControl, upstreamIdOf } from "./call.ts";
import { countPrompt } from "./count-prompt.ts";
import type { KeyPool, KeyView, TakenKey } from "./keys/key-pool.ts";
import { readiness } from "./keys/key-readiness.ts";
import { readAnswer } from "./read-answer.ts";
import { answerBound, type CloudModel, type CloudSettings, findModel, servedModel } from "./settings.ts";
import { probeProvider, type ProviderTest, type Tested, testProvider } from "./test-provider.ts";
import { askWhole } from "./whole.ts";

export interface CloudPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly upstream: UpstreamFetch;
  readonly keys: KeyPool;
  /** Every wire shape we call, by id. */
  readonly dialects: Readonly<Record<string, CalledDialect>>;
}

export interface CloudBackend extends Backend {
  readonly settings: CloudSettings;
  keys(): readonly KeyView[];
  /** The smallest real calls: the list of models, and a few tokens where a model is named. Never throws. */
  test(model: string | null, signal: AbortSignal): Promise<ProviderTest>;
}

/** What is answered in one piece has one wire shape everywhere: OpenAI's, behind the same base URL. */
const speaksOpenai: ReadonlySet<string> = new Set(["openai-chat", "openai-responses"]);

/** Throws Failure `cannot_start` for a wire shape that nobody speaks. Contacts nobody. */
export function createCloudBackend(settings: CloudSettings, ports: CloudPorts): CloudBackend {
  const { clock, keys } = ports;
  const { provider } = settings;
  const dialect = dialectOf(settings, ports.dialects);

  const modelFor = (asked: string, capability: Capability): CloudModel => {
    const model = findModel(settings, asked);
    if (model === null) {
      throw new Failure("model_not_found", `No model "${asked.slice(0, 200)}" at ${provider.title}.`, {
        param: "model",
      });
    }
    if (!model.capabilities.includes(capability)) throw wrongModel(asked, capability);
    return model;
  };

  const wholeModelFor = (asked: string, capability: Capability): CloudModel => {
    const model = modelFor(asked, capability);
    if (speaksOpenai.has(settings.dialect)) return model;
    const what = capability === "rerank" ? "Reranking" : "Embeddings";
    const words = `${what} of ${provider.title} cannot be asked for in its own wire shape ("${settings.dialect}").`;
    throw new Failure("unsupported", words, { param: "model" });
  };

  /** Raw prompts go as they are where there is a wire for them. */
  const shapeFor = (request: ChatRequest): CalledDialect =>
    request.completion !== null && settings.traits.completions === true
      ? (calledForPrompts[settings.dialect] ?? dialect)
      : dialect;

  const factsOf = (model: CloudModel, maxTokens: number | null): CallFacts => ({
    model: model.id,
    maxTokens: answerBound(settings, model, maxTokens),
    traits: settings.traits,
    extraBody: { ...settings.extraBody, ...model.extraBody },
  });

  async function* chat(request: ChatRequest, context: ChatContext, signal: AbortSignal): AsyncGenerator<ChatEvent> {
    const model = modelFor(request.model, "chat");
    if (signal.aborted) {
      yield leftEarly;
      return;
    }
    const facts = factsOf(model, request.maxTokens);
    if (request.loadOnly === true) {
      yield nothingToLoad;
      return;
    }
    const watch = stopwatch(clock);
    const control = callControl(signal);
    let key: TakenKey | null = null;
    let answer: Answer | null = null;
    let end: EndEvent | null = null;
    try {
      key = takeKey(tested);
      const spoken = shapeFor(request);
      const call = spoken.encodeRequest(request, facts);
      answer = await ask(tested, {
        call,
        accept: request.stream ? "text/event-stream" : "application/json",
        limitMs: request.stream ? settings.timeouts.firstByteMs : settings.timeouts.wholeMs,
        decodeFailure: spoken.decodeFailure,
        ...{ key, control, context },
      });
      if (call.leftOut !== undefined && call.leftOut.length > 0) yield notKept(call.leftOut);
      const decoder = spoken.decoder(request, facts);
      const events = readAnswer({ answer, decoder, request, settings, control, clock });
      for await (const event of events) {
        if (signal.aborted && !isEnd(event)) continue;
        if (isContent(event)) watch.content();
        if (!isEnd(event)) {
          yield event;
          continue;
        }
        end = signal.aborted && event.type === "failed" ? left(decoder) : event;
        end = { ...withoutSecret(end, key), timings: watch.timings(), ...upstreamIdOf(answer) };
        break;
      }
    } catch (thrown) {
      if (signal.aborted) end = { ...leftEarly, timings: watch.timings(), ...upstreamIdOf(answer) };
      else {
        const failure = failureWithoutSecret(asFailure(thrown), key);
        if (key !== null) keys.failed(key.id, failure);
        throw failure;
      }
    } finally {
      control.leave();
      // After a whole answer its reader takes in what is left of the body, for the connection's next use.
      if (end?.type !== "finished") answer?.body.destroy();
      // For an answer that its reader has left; one that failed has said so above.
      if (key !== null && (end === null || end.type === "aborted")) keys.left(key.id);
    }
    end ??= {
      type: "failed",
      failure: noEnd(),
      usage: noUsage,
      timings: watch.timings(),
    };
    if (key !== null) {
      if (end.type === "finished") keys.worked(key.id);
      else if (end.type === "failed") keys.failed(key.id, end.failure);
    }
    yield end;
  }

  const tested: Tested = { ...ports, settings, dialect, chat };
  /** Settings do not change while it runs, and every request asks several times. */
  const served = settings.models === "*" ? [] : settings.models.map((model) => servedModel(settings, model));

  return {
    id: settings.id,
    kind: provider.kind,
    settings,
    keys: () => keys.view(),
    served: () => served,
    find: (alias) => {
      // Names of others are not taken for our own: only `<id>/…` or what is listed.
      if (settings.models === "*" && !alias.startsWith(`${settings.id}/`)) return null;
      const model = findModel(settings, alias);
      return model === null ? null : servedModel(settings, model);
    },
    count: async (request) => {
      const facts = factsOf(modelFor(request.model, "chat"), request.maxTokens);
      const secret = dialect.count === undefined ? null : (keys.look()?.secret ?? null);
      const counting = { ...ports, settings, dialect, secret };
      return (await countPrompt(request, facts, counting)) ?? estimatedPromptTokens(request);
    },
    chat,
    embed: (request, context, signal) =>
      askWhole(tested, {
        ...{ request, context, signal, dialect: calledWhole["openai-embeddings"] },
        facts: () => factsOf(wholeModelFor(request.model, "embeddings"), null),
      }),
    rerank: (request, context, signal) =>
      askWhole(tested, {
        ...{ request, context, signal, dialect: calledWhole.rerank },
        facts: () => factsOf(wholeModelFor(request.model, "rerank"), null),
      }),
    health: (alias) => {
      if (findModel(settings, alias) === null) return { able: false, reason: "not a model of this provider" };
      const { able, reason } = readiness(settings, keys, clock);
      return { able, reason };
    },
    ready: () => readiness(settings, keys, clock),
    probe: (depth, alias, signal) => probeProvider(depth, alias, tested, signal),
    test: (model, signal) => testProvider(model, tested, signal),
    close: () => Promise.resolve(),
  };
}

/** A model of somebody else's is always there; nobody is contacted and nothing is used. */
const nothingToLoad: EndEvent = Object.freeze({
  type: "finished",
  finishReason: "stop",
  usage: noUsage,
  timings: noTimings,
  upstream: Object.freeze({ ...noUpstreamUsage, flags: ["usage_all_zero"] as const, raw: Object.freeze({}) }),
});

const leftEarly: EndEvent = Object.freeze({ type: "aborted", usage: noUsage, timings: noTimings });

/** What this model takes none of, for the record. */
function notKept(fields: readonly string[]): ChatEvent {
  const notes = fields.map((detail) => ({ code: "wish_not_kept", detail }) as const);
  return { type: "accepted", promptTokens: 0, queuePosition: 0, notes };
}

function left(decoder: AnswerDecoder): EndEvent {
  const upstream = decoder.used();
  return { type: "aborted", usage: upstream.usage, upstream, timings: noTimings };
}

/** The time to the first content, and from there on. */
function stopwatch(clock: Clock): { content(): void; timings(): Timings } {
  const startMs = clock.monotonicMs();
  let firstMs: number | null = null;
  return {
    content: () => {
      firstMs ??= clock.monotonicMs();
    },
    timings: () => {
      const endMs = clock.monotonicMs();
      return { queueMs: 0, loadMs: 0, prefillMs: (firstMs ?? endMs) - startMs, decodeMs: endMs - (firstMs ?? endMs) };
    },
  };
}

function dialectOf(settings: CloudSettings, dialects: CloudPorts["dialects"]): CalledDialect {
  const dialect = Object.hasOwn(dialects, settings.dialect) ? dialects[settings.dialect] : undefined;
  if (dialect !== undefined) return dialect;
  throw new Failure("cannot_start", `The provider "${settings.id}" cannot be called.`, {
    why: `There is no wire shape "${settings.dialect}". Known: ${Object.keys(dialects).join(", ")}.`,
    param: `providers.${settings.id}.dialect`,
  });
}
