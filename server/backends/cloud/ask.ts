/**
 * What every question to a provider has in common, chat or not: the key it is asked with, the call, and an answer that is none
 * told apart from one. Runs in the server process. Tries once.
 */
import type { UpstreamRefusal, WireCall } from "../../dialects/called.ts";
import type { EndEvent } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import type { Log } from "../../domain/ports.ts";
import type { ChatContext } from "../backend.ts";
import {
  type Answer,
  type CallControl,
  type CallPorts,
  plainHeaders,
  readText,
  sendCall,
  upstreamIdOf,
} from "./call.ts";
import { type KeyPool, type TakenKey, tailOf } from "./keys/key-pool.ts";
import { allRest, noKey } from "./keys/key-readiness.ts";
import { readLimits } from "./limits.ts";
import type { CloudSettings } from "./settings.ts";
import { redirected } from "./wire-failures.ts";

/** Who is asked, with what. */
export interface Asked extends CallPorts {
  readonly settings: CloudSettings;
  readonly keys: KeyPool;
  readonly log: Log;
}

export interface Question {
  readonly call: WireCall;
  /** The kind of answer that is wanted. */
  readonly accept: string;
  /** To the first byte of the answer. */
  readonly limitMs: number;
  decodeFailure(refusal: UpstreamRefusal): Failure;
  readonly key: TakenKey | null;
  readonly control: CallControl;
  readonly context: ChatContext;
}

/** An error is a sentence or two; the rest of a long body is not read. */
const mostRefusalBytes = 64 * 1024;

/** Null: it is asked without one. Throws a Failure where it needs one and none can be had now. */
export function takeKey({ settings, keys, clock }: Asked): TakenKey | null {
  if (keys.size === 0) {
    if (!settings.provider.needsKey) return null;
    throw noKey(settings);
  }
  const taken = keys.take();
  if (taken !== null) return taken;
  throw allRest(settings, keys, clock);
}

/** Throws a Failure for whatever is no answer; then nothing of the call is left. */
export async function ask(asked: Asked, question: Question): Promise<Answer> {
  const { settings, keys, clock, log } = asked;
  const { provider } = settings;
  const { call, accept, limitMs, key, control, context } = question;
  const joined = provider.requestIdHeader === undefined ? {} : { [provider.requestIdHeader]: context.requestId };
  const answer = await sendCall(
    settings,
    {
      method: "POST",
      path: call.path,
      headers: { accept, ...joined, ...call.headers },
      body: call.body,
      secret: key?.secret ?? null,
      limitMs,
    },
    control,
    asked,
  );
  const { statusCode: status } = answer;
  const upstreamId = upstreamIdOf(answer).upstreamRequestId ?? null;
  log.debug({ requestId: context.requestId, provider: settings.id, upstreamId, status }, "a provider answers");
  const limits = readLimits(provider, answer.headers, clock.now());
  if (limits !== null && key !== null) keys.saw(key.id, limits);
  if (status >= 200 && status < 300) {
    if (key !== null) keys.passed(key.id);
    return answer;
  }
  if (status < 400) {
    answer.body.destroy();
    throw redirected(provider.title, status);
  }
  // An error whose body is withheld is told by its status.
  const cancel = clock.after(settings.timeouts.idleMs, () => answer.body.destroy());
  const { text } = await readText(answer, mostRefusalBytes).catch(() => ({ text: "" }));
  cancel();
  const failure = question.decodeFailure({ status, headers: plainHeaders(answer), body: text, nowMs: clock.now() });
  log.warn(
    { requestId: context.requestId, provider: settings.id, upstreamId, status, code: failure.code },
    "a provider refused",
  );
  throw failure;
}

/** A provider may repeat the key in its words; nobody gets to read it. */
export function failureWithoutSecret(failure: Failure, key: TakenKey | null): Failure {
  if (key === null || !failure.message.includes(key.secret)) return failure;
  const { code, param, coolDownMs, retryAfterSeconds, cause } = failure;
  return new Failure(code, failure.message.replaceAll(key.secret, tailOf(key.secret)), {
    ...(param === null ? {} : { param }),
    ...(retryAfterSeconds === null ? {} : { retryAfterSeconds }),
    coolDownMs,
    cause,
  });
}

export function withoutSecret(end: EndEvent, key: TakenKey | null): EndEvent {
  return end.type === "failed" ? { ...end, failure: failureWithoutSecret(end.failure, key) } : end;
}
