/**
 * The command line's HTTP client: one server, one key, answers checked by shape, and every failure turned into what / why /
 * next with its exit code. Runs in the command's process. Never retries and never follows a redirect, so a key stays with
 * the server it is for.
 */
import { type Dispatcher, errors } from "undici";
import { z } from "zod";
import type { Environment } from "./command.ts";
import { Failure } from "../domain/failure.ts";
import { asCommandFailure, CommandFailure, exitCodeOfStatus } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { WrongFingerprint } from "../platform/upstream/pin.ts";
import { createUpstreamFetch } from "../platform/upstream/upstream-fetch.ts";
import { findServer, type ServerAddress } from "./server-address.ts";

/** A server on the LAN answers a connection in milliseconds; five seconds is a sleeping laptop's chance to wake. */
const connectTimeoutMs = 5_000;
/** Reports over a long ledger may think before the first byte. */
const headersTimeoutMs = 120_000;

export type Method = "GET" | "POST" | "DELETE";

export interface CallOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export interface Client {
  readonly address: ServerAddress;
  /** One JSON answer in the given shape. Throws CommandFailure. */
  call<Answer>(method: Method, path: string, shape: z.ZodType<Answer>, options?: CallOptions): Promise<Answer>;
  /** A long answer as it arrives. Throws CommandFailure, also when it breaks off. */
  stream(method: Method, path: string, options?: CallOptions): AsyncGenerator<string, void, undefined>;
  close(): Promise<void>;
}

export function createClient(address: ServerAddress): Client {
  const upstream = createUpstreamFetch({
    environment: address.environment,
    caFile: "",
    fingerprint: address.fingerprint,
    connectTimeoutMs,
    headersTimeoutMs,
    bodyTimeoutMs: headersTimeoutMs,
  });

  const send = async (method: Method, path: string, options: CallOptions): Promise<Dispatcher.ResponseData> => {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined) parameters.append(name, String(value));
    }
    const search = parameters.toString();
    try {
      const url = new URL(address.url);
      return await upstream.dispatcherFor(url).request({
        origin: url.origin,
        path: `${url.pathname.replace(/\/$/u, "")}${path}${search === "" ? "" : `?${search}`}`,
        method,
        headers: {
          accept: "application/json",
          ...(address.key === null ? {} : { authorization: `Bearer ${address.key}` }),
          ...(options.body === undefined ? {} : { "content-type": "application/json" }),
        },
        body: options.body === undefined ? null : JSON.stringify(options.body),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
    } catch (error) {
      throw noAnswer(address, error);
    }
  };

  return {
    address,
    call: async (method, path, shape, options = {}) => {
      const reply = await send(method, path, options);
      const text = await reply.body.text().catch((error: unknown) => {
        throw brokeOff(address, error);
      });
      const body = parseJson(text);
      if (reply.statusCode >= 400) throw refused(address, reply.statusCode, body);
      const parsed = shape.safeParse(body);
      if (!parsed.success)
        throw notOurs(address, `${method} ${path} was answered in a shape this version does not know.`);
      return parsed.data;
    },
    stream: async function* (method, path, options = {}) {
      const reply = await send(method, path, options);
      if (reply.statusCode >= 400) {
        throw refused(address, reply.statusCode, parseJson(await reply.body.text().catch(() => "")));
      }
      try {
        const decoder = new TextDecoder();
        for await (const bytes of reply.body) yield decoder.decode(bytes, { stream: true });
        yield decoder.decode();
      } catch (error) {
        throw brokeOff(address, error);
      }
    },
    close: () => upstream.close(),
  };
}

/** Runs `work` against the server that is meant; throws exit 3 when there is none. */
export async function withServer<Result>(
  environment: Environment,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const address = findServer(environment);
  if (address === null) throw noServer();
  return withClient(address, work);
}

export async function withClient<Result>(
  address: ServerAddress,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = createClient(address);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

export function noServer(): CommandFailure {
  return new CommandFailure(exitCodes.noServer, "no_server", "No server is running", {
    why: "This data folder has none, and LANTHORN_URL is not set.",
    next: ["lanthorn serve", "export LANTHORN_URL=http://<box>:4747 LANTHORN_API_KEY=<admin key>"],
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const causes: Readonly<Record<string, string>> = Object.freeze({
  ECONNREFUSED: "Nothing listens there.",
  ENOTFOUND: "The name is not known.",
  EAI_AGAIN: "The name could not be looked up.",
  EHOSTUNREACH: "There is no way to that address.",
  ENETUNREACH: "There is no way to that address.",
  ECONNRESET: "The connection was cut.",
  UND_ERR_CONNECT_TIMEOUT: `No answer within ${connectTimeoutMs / 1000} s.`,
  UND_ERR_HEADERS_TIMEOUT: `Connected, but no answer within ${headersTimeoutMs / 1000} s.`,
  UND_ERR_SOCKET: "The connection was cut.",
});

function codeOf(error: unknown): string {
  if (error instanceof errors.UndiciError) return error.code;
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

function noAnswer(address: ServerAddress, error: unknown): CommandFailure {
  if (error instanceof Failure) return asCommandFailure(error);
  if (error instanceof WrongFingerprint) return wrongCertificate(address, error);
  if (certificateCodes.has(codeOf(error))) return unknownCertificate(address, error);
  const why = causes[codeOf(error)] ?? (error instanceof Error ? error.message : String(error));
  const next = address.source === "LANTHORN_URL" ? ["lanthorn doctor"] : ["lanthorn serve", "lanthorn doctor"];
  return new CommandFailure(exitCodes.noServer, "no_server", `No server answers at ${address.url}`, {
    why,
    next,
    cause: error,
  });
}

/** What Node says of certificates that no known authority vouches for, or that are for another name. */
const certificateCodes: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_GET_ISSUER_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "CERT_HAS_EXPIRED",
]);

function unknownCertificate(address: ServerAddress, error: unknown): CommandFailure {
  return new CommandFailure(
    exitCodes.noServer,
    "unknown_certificate",
    `The certificate of ${address.url} is not known`,
    {
      why: `${codeOf(error)}. Lanthorns on the LAN make their own; the box shows its SHA-256 when it starts and in lanthorn doctor.`,
      next: ["export LANTHORN_FINGERPRINT=<SHA-256 as the box shows it>", "lanthorn fleet find"],
      cause: error,
    },
  );
}

function wrongCertificate(address: ServerAddress, error: WrongFingerprint): CommandFailure {
  const expected = address.fingerprint ?? "";
  return new CommandFailure(exitCodes.noServer, "wrong_certificate", `${address.url} shows another certificate`, {
    why: `Expected SHA-256 ${expected}, shown ${error.shown}. It was renewed, or somebody else answers there; nothing was sent.`,
    next: ["export LANTHORN_FINGERPRINT=<SHA-256 as the box itself shows it>"],
    cause: error,
  });
}

function brokeOff(address: ServerAddress, error: unknown): CommandFailure {
  return new CommandFailure(exitCodes.failed, "cut_off", `The answer of ${address.url} broke off`, {
    why: causes[codeOf(error)] ?? "The server ended in the middle of it.",
    next: ["lanthorn"],
    cause: error,
  });
}

function notOurs(address: ServerAddress, why: string): CommandFailure {
  return new CommandFailure(exitCodes.failed, "unknown_answer", `What answers at ${address.url} is not understood`, {
    why: `${why} Is it a Lanthorn, and of this version?`,
    next: ["lanthorn --version", `curl ${address.url}/version`],
  });
}

const errorBody = z.object({
  error: z.object({
    message: z.string(),
    code: z.string().nullish(),
    why: z.string().nullish(),
    next: z.array(z.string()).nullish(),
  }),
});

/** The server's own words. A key problem also says which key was sent, because there are two places it can come from. */
function refused(address: ServerAddress, status: number, body: unknown): CommandFailure {
  const parsed = errorBody.safeParse(body);
  const exitCode = exitCodeOfStatus(status);
  if (!parsed.success) {
    if (exitCode === exitCodes.key) return keyFailure(address, "unknown_key", `${address.url} wants another key`);
    return new CommandFailure(exitCode, `http_${status}`, `${address.url} answered ${status}`, {
      why: "It gave no reason.",
      next: ["lanthorn doctor"],
    });
  }
  const { message, code, why, next } = parsed.data.error;
  if (exitCode === exitCodes.key) return keyFailure(address, code ?? "unknown_key", message);
  return new CommandFailure(exitCode, code ?? `http_${status}`, message, { why: why ?? "", next: next ?? [] });
}

function keyFailure(address: ServerAddress, code: string, message: string): CommandFailure {
  const sent = {
    LANTHORN_API_KEY: "The key of LANTHORN_API_KEY was sent; this needs the box's admin key.",
    "admin.key": "The admin.key of the data folder was sent, and the server does not take it.",
  };
  // Whoever uses the box as well as owning it has an inference key in the environment, for the agents.
  const next =
    address.keySource === "LANTHORN_API_KEY" && address.hasOwnKey
      ? ["unset LANTHORN_API_KEY"]
      : ["export LANTHORN_API_KEY=<admin key>", "lanthorn stop && lanthorn keys reset-admin"];
  return new CommandFailure(exitCodes.key, code, message, {
    why: address.keySource === null ? "No key was sent: LANTHORN_API_KEY is not set." : sent[address.keySource],
    next,
  });
}
