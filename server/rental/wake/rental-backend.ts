/**
 * The backend of one entry of `rentals:`: requests go to instances that are ready, each through the peer backend for its address; where
 * none is, one is woken, and the request waits or goes on, as the settings or its route say. Runs in the server process. Tries once:
 * trying again is the router's.
 */
import type { Backend, ChatContext } from "../../backends/backend.ts";
import { servedModel } from "../../backends/cloud/settings.ts";
import type { RentalSetting } from "../../config/rental-setting.ts";
import { type ChatEvent, type EndEvent, isContent, isEnd } from "../../domain/chat.ts";
import { asFailure, Failure, type FailureCode } from "../../domain/failure.ts";
import type { EmbedRequest, WholeEvent } from "../../domain/embedding.ts";
import type { Capability, ServedModel } from "../../domain/model.ts";
import { estimatedInputTokens, estimatedPromptTokens } from "../../domain/prompt-estimate.ts";
import type { LeaseView } from "../../domain/rental/lease.ts";
import { canAnswer, roughly } from "../../domain/rental/power.ts";
import { wrongModel } from "../../domain/routing/capability.ts";
import { noTimings, noUsage } from "../../domain/usage.ts";
import type { LeaseDesk } from "../lease-desk.ts";
import type { Fleet, InstanceUse } from "./fleet.ts";
import type { Instance, Instances } from "./instances.ts";
import { peerSettings } from "./machine-peer.ts";
import { asleepFailure, lostFailure } from "./power-failures.ts";
import type { RentMeter } from "./rent-meter.ts";

export interface RentalBackendParts {
  readonly name: string;
  readonly setting: RentalSetting;
  readonly fleet: Fleet;
  readonly instances: Instances;
  readonly meter: Pick<RentMeter, "began" | "ended">;
  readonly desk: Pick<LeaseDesk, "suspect">;
}

interface Placed extends Instance {
  readonly use: InstanceUse;
}

interface Asked {
  readonly asked: string;
  readonly capability: Capability;
  readonly context: ChatContext;
  readonly signal: AbortSignal;
  /** About: what goes there, for markets that bill traffic. */
  readonly uploadedBytes: number;
}

/** A machine of which one hears this may be gone. */
const mayBeGone: ReadonlySet<FailureCode> = new Set<FailureCode>([
  "upstream_unreachable",
  "upstream_timeout",
  "upstream_cut",
  "upstream_failed",
  // 503: it says that it stops, or that its model is not there.
  "upstream_overloaded",
]);

const leftEarly: EndEvent = Object.freeze({ type: "aborted", usage: noUsage, timings: noTimings });

/** Throws Failure `cannot_start` for models that are none. Contacts nobody. */
export function createRentalBackend(parts: RentalBackendParts): Backend {
  const { name, setting, fleet, instances, meter, desk } = parts;
  // Any address will do for what does not depend on one.
  const settings = peerSettings(name, setting, "http://127.0.0.1");
  const served = settings.models === "*" ? [] : settings.models.map((model) => servedModel(settings, model));

  function modelFor(asked: string, capability: Capability): ServedModel {
    const model = served.find(({ alias }) => alias === asked || alias === `${name}/${asked}`);
    if (model === undefined) {
      throw new Failure("model_not_found", `No model "${asked.slice(0, 200)}" on the rented machine "${name}".`, {
        param: "model",
      });
    }
    if (!model.capabilities.includes(capability)) throw wrongModel(asked, capability);
    return model;
  }

  /** Chosen and counted in one turn of the event loop: those that come together are spread. Null: none can be asked now. */
  function place(context: ChatContext, lost: (reason: string) => void): Placed | null {
    const instance = instances.choose(context.session ?? context.callerId ?? null);
    return instance === null ? null : { ...instance, use: fleet.begin(instance.lease.id, lost) };
  }

  /** Null: whoever asked has left. Throws where it is asleep and the request does not wait, and where it cannot be had. */
  async function placeFor(
    context: ChatContext,
    signal: AbortSignal,
    lost: (reason: string) => void,
  ): Promise<Placed | null> {
    const now = place(context, lost);
    if (now !== null) return now;
    if (fleet.power().state !== "ready") {
      if ((context.whileAsleep ?? setting.whileAsleep) === "fallback") {
        fleet.wake();
        throw asleepFailure(name, fleet.power());
      }
      if (!(await fleet.awake(signal))) return null;
    }
    const then = place(context, lost);
    if (then !== null) return then;
    const restMs = instances.restMs() ?? 1000;
    const words = `The rented machine of "${name}" broke answers off; it is left alone for ${roughly(restMs)}.`;
    throw new Failure("rental_lost", words, { retryAfterSeconds: restMs / 1000 });
  }

  async function* through<Event extends ChatEvent | WholeEvent<unknown>>(
    { asked, capability, context, signal, uploadedBytes }: Asked,
    ask: (peer: Backend, model: string, signal: AbortSignal) => AsyncIterable<Event>,
    /** Said before the first event. */
    first: (lease: LeaseView) => readonly Event[],
  ): AsyncGenerator<Event | EndEvent> {
    const model = modelFor(asked, capability);
    const cut = new AbortController();
    let gone: string | null = null;
    const lost = (reason: string) => {
      gone = reason === "" ? "it is gone" : reason;
      cut.abort();
    };
    const placed = signal.aborted ? null : await placeFor(context, signal, lost);
    if (placed === null) {
      yield leftEarly;
      return;
    }
    const { lease, peer, use } = placed;
    const target = { backendId: name, model: model.alias.slice(name.length + 1) };
    const leave = () => cut.abort(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    meter.began(lease, context.requestId, target);
    let hasBegun = false;
    const done = { completionTokens: 0, uploadedBytes, downloadedBytes: 0 };
    try {
      for await (const event of ask(peer, model.alias, cut.signal)) {
        if (!hasBegun) {
          hasBegun = true;
          for (const own of first(lease)) yield own;
        }
        if (isContent(event)) use.answers();
        if ("wire" in event && typeof event.wire === "object") done.downloadedBytes += event.wire.data.length;
        if (!isEnd(event)) {
          yield event;
          continue;
        }
        done.completionTokens = event.usage.completionTokens;
        yield judged(event);
        return;
      }
    } catch (thrown) {
      const end = judged({ type: "failed", failure: asFailure(thrown), usage: noUsage, timings: noTimings });
      if (hasBegun) yield end;
      else throw end.type === "failed" ? end.failure : thrown;
    } finally {
      signal.removeEventListener("abort", leave);
      meter.ended(context.requestId, target);
      use.over(done);
    }

    /** What the machine's end means for the request: a machine that is gone is none of the request's faults. */
    function judged(end: EndEvent): EndEvent {
      if (signal.aborted || gone !== null) instances.left(lease.id);
      if (signal.aborted || end.type === "finished") {
        if (end.type === "finished") instances.worked(lease.id);
        return end;
      }
      if (gone !== null) return { ...end, type: "failed", failure: lostFailure(name, lease.id, gone) };
      if (end.type !== "failed") return end;
      const { failure } = end;
      instances.broke(lease.id, failure);
      if (!mayBeGone.has(failure.code)) return end;
      desk.suspect(lease.id, failure.message);
      return { ...end, failure: lostFailure(name, lease.id, failure.message, failure) };
    }
  }

  const noteOf = ({ id, market }: LeaseView): readonly ChatEvent[] => [
    {
      ...{ type: "accepted", promptTokens: 0, queuePosition: 0 },
      notes: [{ code: "rented_instance", detail: `lease-${id} at ${market}` }],
    },
  ];

  return {
    id: name,
    kind: "rental",
    served: () => served,
    count: async (request) => {
      modelFor(request.model, "chat");
      return estimatedPromptTokens(request);
    },
    chat: (request, context, signal) =>
      through<ChatEvent>(
        {
          asked: request.model,
          capability: "chat",
          context,
          signal,
          uploadedBytes: bytesOf(estimatedPromptTokens(request)),
        },
        (peer, model, inner) => peer.chat({ ...request, model }, context, inner),
        noteOf,
      ),
    embed: (request, context, signal) =>
      through(
        {
          asked: request.model,
          capability: "embeddings",
          context,
          signal,
          uploadedBytes: bytesOf(estimatedInputTokens(textsOf(request))),
        },
        (peer, model, inner) => peer.embed({ ...request, model }, context, inner),
        none,
      ),
    rerank: (request, context, signal) =>
      through(
        {
          asked: request.model,
          capability: "rerank",
          context,
          signal,
          uploadedBytes: bytesOf(estimatedInputTokens(request.documents)),
        },
        (peer, model, inner) => peer.rerank({ ...request, model }, context, inner),
        none,
      ),
    health: (alias) => {
      if (!served.some((model) => model.alias === alias || model.alias === `${name}/${alias}`)) {
        return { able: false, reason: "not a model of this rental" };
      }
      const power = fleet.power();
      if (power.state !== "ready") return { able: canAnswer(power), reason: power.words };
      const restMs = instances.restMs() ?? 0;
      if (restMs > 0) return { able: false, reason: `its answers broke off; left alone for ${roughly(restMs)}` };
      return { able: true, reason: power.words };
    },
    power: () => fleet.power(),
    async probe(depth, alias, signal) {
      const place = instances.choose(null);
      const probe = place?.peer.probe;
      if (place === null || probe === undefined) {
        const failure = asleepFailure(name, fleet.power());
        return { able: false, reason: fleet.power().words, failure, tookMs: 0 };
      }
      const seen = await probe(depth, alias, signal);
      if (seen.able && depth === "answers") instances.worked(place.lease.id);
      return { ...seen, reason: `lease-${place.lease.id}: ${seen.reason}` };
    },
    close: () => Promise.resolve(),
  };
}

const none = () => [];

/** A token of text is about four bytes. */
function bytesOf(tokens: number): number {
  return tokens * 4;
}

function textsOf({ inputs }: EmbedRequest): readonly (string | readonly number[])[] {
  return inputs.map((input) => (input.type === "text" ? input.text : input.tokens));
}
