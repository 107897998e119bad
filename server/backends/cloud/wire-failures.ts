/**
 * What went wrong between this box and a provider, apart from what the provider itself says: as a Failure whose words name the
 * provider and never a key or an address with one. Pure.
 */
import { Failure } from "../../domain/failure.ts";

/** What Node and undici say, by code. */
const connectWords: Readonly<Record<string, string>> = Object.freeze({
  ECONNREFUSED: "nothing listens at its address",
  ENOTFOUND: "its name is not known (DNS)",
  EAI_AGAIN: "its name could not be looked up (DNS)",
  EHOSTUNREACH: "there is no way to its address",
  ENETUNREACH: "there is no way to its address",
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was reset",
  UND_ERR_SOCKET: "the connection was cut before an answer",
  UND_ERR_PRX_TLS: "the proxy's certificate is not accepted",
});

const certificateCodes: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_GET_ISSUER_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
]);

/** The code of an error or of what caused it. */
export function errorCode(error: unknown): string {
  for (let depth = 0, one = error; depth < 5 && one instanceof Error; depth += 1, one = one.cause) {
    if ("code" in one && typeof one.code === "string" && one.code !== "") return one.code;
    if (one instanceof AggregateError && one.errors.length > 0) return errorCode(one.errors[0]);
  }
  return "";
}

/** No answer came. */
export function noAnswer(title: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const code = errorCode(error);
  if (code === "UND_ERR_CONNECT_TIMEOUT" || code === "ETIMEDOUT") {
    return new Failure("upstream_timeout", `${title} could not be reached in time.`, { cause: error });
  }
  const words = certificateCodes.has(code)
    ? `its certificate is not accepted (TLS: ${code})`
    : code.startsWith("ERR_SSL") || code.startsWith("ERR_TLS") || code === "EPROTO"
      ? "it does not speak TLS as expected (is it http, or a proxy in between?)"
      : proxyWords(error);
  return new Failure(
    "upstream_unreachable",
    `${title} cannot be reached: ${words ?? connectWords[code] ?? "the connection failed"}.`,
    {
      cause: error,
    },
  );
}

/** undici says of a proxy that refused only in words. */
function proxyWords(error: unknown): string | null {
  for (let depth = 0, one = error; depth < 5 && one instanceof Error; depth += 1, one = one.cause) {
    const status = /Proxy response \((\d{3})\)/i.exec(one.message)?.[1];
    if (status !== undefined) return `the proxy answered ${status}`;
  }
  return null;
}

/** The body broke off. */
export function brokeOff(title: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure("upstream_cut", `The answer of ${title} broke off.`, { cause: error });
}

export function tooLate(title: string, limitMs: number, what: "began" | "went on" | "ended"): Failure {
  const seconds = Math.round(limitMs / 100) / 10;
  const words =
    what === "began" ? "did not begin to answer" : what === "ended" ? "did not finish" : "fell silent in its answer";
  return new Failure("upstream_timeout", `${title} ${words} within ${seconds} s.`);
}

export function notAnAnswer(title: string, what: string): Failure {
  return new Failure("upstream_failed", `What ${title} answered is no answer: ${what}.`);
}

/** A redirect is not followed: the key is for the host it was given for. */
export function redirected(title: string, status: number): Failure {
  return new Failure(
    "upstream_failed",
    `${title} redirects (${status}) to another address, which is not followed: the key is for this one only.`,
  );
}

/** `text/html; charset=utf-8` → `text/html`. */
export function mediaType(contentType: string | null): string {
  return (contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

export function describeType(contentType: string | null): string {
  const type = mediaType(contentType);
  if (type === "text/html") return "a web page";
  return type === ""
    ? "a body without a content type"
    : `a body of type ${type.replace(/[^a-z0-9.+/-]/g, "").slice(0, 60)}`;
}
