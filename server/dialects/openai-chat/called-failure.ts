/**
 * What an upstream that speaks OpenAI's error shape, or something near it, refuses with → one Failure. Pure; used by the called
 * side of openai-chat and openai-responses, for HTTP errors and for errors inside a stream; imports the domain only.
 *
 * Words of the upstream are passed on where it finds the request wrong, and nowhere else: about keys and accounts they are not
 * the caller's business, and some repeat the key.
 */
import { upstreamWords } from "../upstream-words.ts";
import { parsedJson } from "../../domain/json-text.ts";
import { Failure, type FailureCode } from "../../domain/failure.ts";
import type { UpstreamRefusal } from "../called.ts";
import { coolDownMs, durationMs } from "../retry-after.ts";
import { at, isWireObject } from "../usage/figures.ts";

/** As much of its words as a person reads. */
const longestWords = 600;

/** What an error says, whatever object it came in. */
export interface SaidError {
  readonly message: string;
  /** OpenAI's `code`; a number at OpenRouter and vLLM. */
  readonly code: string;
  readonly type: string;
  readonly param: string | null;
  /** Lower-case names; OpenRouter puts those of its own upstream here. */
  readonly headers: Readonly<Record<string, string>>;
}

export function decodeFailure(refusal: UpstreamRefusal): Failure {
  const said = saidIn(parsedJson(refusal.body));
  const headers = { ...said.headers, ...refusal.headers };
  return failureOf(said, refusal.status, coolDownMs(headers, refusal.nowMs) ?? waitInWords(said.message));
}

/** An error that came inside an answer under HTTP 200. There is no clock here: only a duration in its words counts. */
export function failureInAnswer(error: unknown): Failure {
  const said = saidIn(isWireObject(error) && "error" in error ? error : { error });
  return failureOf(said, statusSaid(said), waitInWords(said.message));
}

const quotaWords =
  /insufficient[_ ](?:quota|balance|credits?|funds)|billing|credit balance|spend[_ -]?limit|quota[_ ]exceeded|payment required|out of credits/i;
const contextWords =
  /context[_ ](?:length|window)|maximum context|(?:prompt|input) is too long|too many (?:input )?tokens|exceeds? the (?:model's |available )?context/i;
const modelWords =
  /\bmodel\b.{0,120}(?:does not exist|not found|not a valid model|unknown|is not available|not supported|decommissioned)|model_not_(?:found|available)|no endpoints found/i;
const filterWords = /content[_ ](?:filter|policy)|moderation|flagged|safety system|content_filtered/i;
const rateWords = /rate[_ ]limit|too many requests/i;
const keyWords = /(?:invalid|incorrect|missing|expired|no)[_ ](?:api[_ -]?key|auth)|authentication/i;

function failureOf(said: SaidError, status: number, waitMs: number | null): Failure {
  const code = codeOf(said, status);
  const wait = waitMs === null ? {} : { coolDownMs: waitMs, retryAfterSeconds: waitMs / 1_000 };
  const cause = new Error(`upstream said ${status} ${said.type} ${said.code}: ${bounded(said.message)}`);
  const speaks =
    code === "upstream_invalid_request" || code === "context_length_exceeded" || code === "content_filtered";
  const words = speaks && said.message !== "" ? bounded(said.message) : ownWords(code, status);
  const param = code === "upstream_invalid_request" && said.param !== null ? { param: said.param } : {};
  return new Failure(code, words, { cause, ...wait, ...param });
}

function codeOf({ code, type, message }: SaidError, status: number): FailureCode {
  const words = `${code} ${type} ${message}`;
  const named = `${code} ${type}`;
  if (status === 402 || (quotaWords.test(named) && status < 500)) return "upstream_quota";
  if (status === 429)
    return quotaWords.test(words) && !rateWords.test(named) ? "upstream_quota" : "upstream_rate_limited";
  if (status === 401) return "upstream_key_refused";
  if (status === 403) return filterWords.test(words) ? "content_filtered" : "upstream_key_refused";
  if (status === 404) return "upstream_model_missing";
  if (status === 408 || status === 504 || status === 524) return "upstream_timeout";
  // 498: Groq has no flex capacity left; 529: Anthropic's word, which proxies repeat.
  if (status === 498 || status === 503 || status === 529) return "upstream_overloaded";
  if (status >= 500 || status < 400) return "upstream_failed";
  if (contextWords.test(words)) return "context_length_exceeded";
  if (status === 413 && rateWords.test(words)) return "upstream_rate_limited";
  if (filterWords.test(words)) return "content_filtered";
  if (keyWords.test(words)) return "upstream_key_refused";
  return modelWords.test(words) ? "upstream_model_missing" : "upstream_invalid_request";
}

/** The HTTP status an error inside an answer would have had. */
function statusSaid({ code, type, message }: SaidError): number {
  const number = Number(code);
  if (code !== "" && Number.isInteger(number) && number >= 400 && number <= 599) return number;
  const named = `${code} ${type}`.toLowerCase();
  if (/insufficient_quota|billing/.test(named)) return 402;
  if (/rate_?limit|resource_exhausted|too_many/.test(named)) return 429;
  if (/overloaded|unavailable|capacity/.test(named)) return 503;
  if (/timeout|timed_out|deadline/.test(named)) return 504;
  if (/authentication|invalid_api_key|permission/.test(named)) return 401;
  if (/not_found/.test(named)) return 404;
  if (/invalid|bad_?request|context_length|content_filter|content_policy/.test(named)) return 400;
  if (named.trim() === "" && rateWords.test(message)) return 429;
  if (named.trim() === "" && contextWords.test(message)) return 400;
  return 502;
}

function ownWords(code: FailureCode, status: number): string {
  return (
    upstreamWords[code] ??
    (status >= 400 ? `The upstream failed with status ${status}.` : "The upstream answered with an error.")
  );
}

/** `{ error: { message, type, param, code } }` and its relatives: text for the object, FastAPI's `detail`, vLLM's flat one. */
function saidIn(body: unknown): SaidError {
  const error = at(body, "error") ?? at(body, "detail") ?? body;
  const source = Array.isArray(error) ? error[0] : error;
  const nested = at(source, "error");
  const object = isWireObject(nested) ? nested : source;
  const words =
    at(object, "message") ?? at(object, "msg") ?? at(object, "detail") ?? (typeof object === "string" ? object : "");
  const param = at(object, "param");
  return {
    message: asText(words),
    code: asText(at(object, "code") ?? at(body, "code")),
    type: asText(at(object, "type") ?? at(object, "status") ?? at(body, "error_type") ?? at(body, "type")),
    param: typeof param === "string" && param !== "" ? param : null,
    headers: headersIn(at(object, "metadata", "headers")),
  };
}

function headersIn(value: unknown): Readonly<Record<string, string>> {
  if (!isWireObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name.toLowerCase(), asText(text)]));
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

/** `Please try again in 1.2s`, as OpenAI and Groq write it. */
function waitInWords(message: string): number | null {
  const said = /(?:try again|retry) (?:in|after) ((?:\d+(?:\.\d+)?(?:ms|[smhd]))+)/i.exec(message);
  return said?.[1] === undefined ? null : durationMs(said[1]);
}

/** Short, and without anything that looks like a key. */
function bounded(words: string): string {
  const safe = words
    .replace(/\b(?:sk|gsk|key|pk|rk|hf|r8|AIza|Bearer)[-_ ][\w*.-]{6,}/g, "[key]")
    .replace(/AIza[\w-]{20,}/g, "[key]");
  return safe.length <= longestWords ? safe : `${safe.slice(0, longestWords).toWellFormed()}…`;
}
