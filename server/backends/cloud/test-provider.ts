/**
 * Tries a provider with the smallest real calls and says in words what is wrong: the list of models, then a few tokens of a
 * chat where a model is named. Runs in the server, and in `lanthorn provider test` while none runs.
 */
import { plainRequest } from "../../domain/plain-request.ts";
import type { CalledDialect } from "../../dialects/called.ts";
import { isEnd } from "../../domain/chat.ts";
import { asFailure, Failure, type FailureCode } from "../../domain/failure.ts";
import type { Backend, Probe, ProbeDepth } from "../backend.ts";
import type { Asked } from "./ask.ts";
import { callControl, headerOf, plainHeaders, readText, sendCall } from "./call.ts";
import { allRest, noKey } from "./keys/key-readiness.ts";
import { describeType, mediaType, notAnAnswer, redirected } from "./wire-failures.ts";

/** The provider under test, as its backend has it. */
export interface Tested extends Asked {
  readonly dialect: CalledDialect;
  readonly chat: Backend["chat"];
}

export interface TestStep {
  readonly what: "models" | "chat";
  readonly ok: boolean;
  /** What was seen, or what is wrong and what to do about it. */
  readonly words: string;
  readonly tookMs: number;
}

export interface ProviderTest {
  readonly provider: string;
  readonly ok: boolean;
  readonly steps: readonly TestStep[];
  /** Of the step that failed; null: none did. */
  readonly code: FailureCode | null;
  /** Models it lists; null: it was not asked, or lists none. */
  readonly models: readonly string[] | null;
}

/** A person waits. */
const limitMs = 30_000;
const mostListBytes = 16 * 1024 ** 2;
/** The Responses wire takes no smaller bound. */
const fewTokens = 16;

export async function testProvider(model: string | null, tested: Tested, signal: AbortSignal): Promise<ProviderTest> {
  const { settings, clock } = tested;
  const steps: TestStep[] = [];
  let failure: Failure | null = null;
  let models: readonly string[] | null = null;
  const step = async (what: TestStep["what"], work: () => Promise<string>) => {
    const startMs = clock.monotonicMs();
    try {
      const words = await work();
      steps.push({ what, ok: true, words, tookMs: clock.monotonicMs() - startMs });
    } catch (thrown) {
      failure = asFailure(thrown);
      steps.push({ what, ok: false, words: failure.message, tookMs: clock.monotonicMs() - startMs });
    }
  };
  if (tested.dialect.models !== null) {
    await step("models", async () => {
      models = await listModels(tested, signal);
      if (model !== null && !hasModel(models, bareName(settings.id, model))) {
        return `It lists ${models.length} models, and "${bareName(settings.id, model)}" is not among them.`;
      }
      return `The key is taken; it lists ${models.length} models.`;
    });
  }
  if (failure === null && model !== null) {
    await step("chat", async () => {
      const text = await fewWords(tested, model, signal);
      return `"${bareName(settings.id, model)}" answers${text === "" ? "" : `: ${text.slice(0, 60)}`}`;
    });
  }
  const failed = failure as Failure | null;
  return { provider: settings.id, ok: failed === null && steps.length > 0, steps, code: failed?.code ?? null, models };
}

export async function probeProvider(
  depth: ProbeDepth,
  alias: string,
  tested: Tested,
  signal: AbortSignal,
): Promise<Probe> {
  const { settings, clock } = tested;
  const startMs = clock.monotonicMs();
  const tookMs = () => clock.monotonicMs() - startMs;
  try {
    let reason = "it answers";
    if (depth === "answers") await fewWords(tested, alias, signal);
    else if (tested.dialect.models !== null) {
      const models = await listModels(tested, signal);
      const name = bareName(settings.id, alias);
      if (depth === "listed" && !hasModel(models, name)) {
        throw new Failure("upstream_model_missing", `${settings.provider.title} does not list "${name}".`);
      }
      reason = depth === "listed" ? "it lists the model" : "it is there and takes the key";
    } else reason = "it has no list of models to ask for";
    return { able: true, reason, failure: null, tookMs: tookMs() };
  } catch (thrown) {
    const failure = asFailure(thrown);
    // Whoever answers is there, whatever it answers.
    const isThere = depth === "reachable" && !["upstream_unreachable", "upstream_timeout"].includes(failure.code);
    return { able: isThere, reason: failure.message, failure: isThere ? null : failure, tookMs: tookMs() };
  }
}

/** `openai/gpt-5` → `gpt-5`. */
function bareName(id: string, model: string): string {
  return model.startsWith(`${id}/`) ? model.slice(id.length + 1) : model;
}

/** Endings such as `:free` steer a model and are not always listed. */
function hasModel(models: readonly string[], name: string): boolean {
  return models.includes(name) || models.includes(name.replace(/:[^:/]+$/, ""));
}

async function listModels(tested: Tested, signal: AbortSignal): Promise<readonly string[]> {
  const { models } = tested.dialect;
  const path = models?.path ?? "/models";
  const found = await getJson(path, tested, signal);
  if (found.value !== undefined && found.status < 300) return models?.ids(found.value) ?? [];
  // Half of all wrong addresses lack the version: one look at the same host tells.
  const { baseUrl } = tested.settings;
  if (!/\/v\d\w*(\/|$)/.test(new URL(baseUrl).pathname) && (found.status === 404 || found.status < 300)) {
    const behind = await getJson(`/v1${path}`, tested, signal);
    if (behind.value !== undefined && (behind.status < 300 || behind.status === 401)) {
      throw new Failure("upstream_failed", `The base URL is wrong: /v1 is missing. Set baseUrl to ${baseUrl}/v1.`);
    }
  }
  throw found.failure();
}

interface Found {
  readonly status: number;
  /** Undefined: it is no JSON. */
  readonly value: unknown;
  failure(): Failure;
}

async function getJson(path: string, tested: Tested, signal: AbortSignal): Promise<Found> {
  const { settings, keys, clock, dialect } = tested;
  const { title } = settings.provider;
  const key = keys.look();
  if (key === null && keys.size > 0) throw allRest(settings, keys, clock);
  if (key === null && settings.provider.needsKey) throw noKey(settings);
  const control = callControl(signal);
  const call = { method: "GET" as const, path, headers: {}, body: null, secret: key?.secret ?? null, limitMs };
  try {
    const answer = await sendCall(settings, call, control, tested);
    const cancel = clock.after(limitMs, () => answer.body.destroy());
    const { text } = await readText(answer, mostListBytes)
      .catch(() => ({ text: "" }))
      .finally(cancel);
    answer.body.destroy();
    const status = answer.statusCode;
    const type = headerOf(answer, "content-type");
    const value = jsonOf(text);
    return {
      status,
      value,
      failure: () => {
        if (status >= 300 && status < 400) return redirected(title, status);
        if (status < 300 || mediaType(type) === "text/html") return wrongPlace(title, status, type, settings.baseUrl);
        const refusal = { status, headers: plainHeaders(answer), body: text.slice(0, 65_536), nowMs: clock.now() };
        const failure = dialect.decodeFailure(refusal);
        if (key === null || !failure.message.includes(key.secret)) return failure;
        return new Failure(failure.code, failure.message.replaceAll(key.secret, "…"), { cause: failure.cause });
      },
    };
  } finally {
    control.leave();
  }
}

function wrongPlace(title: string, status: number, type: string | null, baseUrl: string): Failure {
  if (status >= 500) return notAnAnswer(title, `${status} with ${describeType(type)}`);
  const what = `${describeType(type)} (${status}) where a list of models should be`;
  return new Failure(
    "upstream_failed",
    `${title} answers with ${what}. Is the base URL right (${baseUrl}), and no sign-in page or proxy in between?`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function fewWords(tested: Tested, model: string, signal: AbortSignal): Promise<string> {
  const context = { requestId: "req_provider_test", callerName: "provider test" };
  let text = "";
  for await (const event of tested.chat(plainRequest(model, "Say hi.", fewTokens), context, signal)) {
    if (event.type === "text") text += event.text;
    if (!isEnd(event)) continue;
    if (event.type === "failed") throw event.failure;
    if (event.type === "aborted") throw new Failure("upstream_timeout", "The test was left before its end.");
  }
  return text.replace(/\s+/g, " ").trim();
}
