/**
 * The one way the page asks the server: own origin only, the session's cookie and nothing else, JSON judged before it is
 * used. Runs in the browser.
 */
import type * as z from "zod/mini";
import { duration } from "../format.ts";
import { t } from "../words.ts";
import { errorAnswer } from "./shapes.ts";

/** Longest wait for anything but a stream, in milliseconds. */
export const patienceMs = 8_000;

/** A refusal of the server, or the lack of one. `message` is the server's own where there was one. */
export class AskError extends Error {
  /** 0: there was no answer at all. */
  readonly status: number;
  readonly requestId: string | null;
  constructor(message: string, status: number, requestId: string | null) {
    super(message);
    this.name = "AskError";
    this.status = status;
    this.requestId = requestId;
  }
}

/** True when the box did not answer, as against answering with a refusal. */
export function isUnreached(error: unknown): boolean {
  return error instanceof AskError && error.status === 0;
}

export function isLocked(error: unknown): boolean {
  return error instanceof AskError && error.status === 401;
}

/** Sends a request and gives back an answer of 2xx, or throws AskError with the server's own words. */
export async function send(path: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", cache: "no-store", ...init, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new AskError(t("error.reach"), 0, null);
  }
  if (response.ok) return response;
  throw await refusal(response);
}

/** GET or POST with a JSON answer of a known shape. Throws AskError. */
export async function ask<Shape extends z.ZodMiniType>(
  path: string,
  shape: Shape,
  init: RequestInit = {},
  signal?: AbortSignal,
): Promise<z.output<Shape>> {
  const limit = AbortSignal.timeout(patienceMs);
  try {
    const response = await send(path, init, signal ? AbortSignal.any([signal, limit]) : limit);
    const parsed = shape.safeParse(await response.json());
    if (parsed.success) return parsed.data;
    throw new AskError(t("error.shape"), response.status, response.headers.get("x-request-id"));
  } catch (error) {
    if (error instanceof SyntaxError) throw new AskError(t("error.shape"), 200, null);
    if (limit.aborted && signal?.aborted !== true) {
      throw new AskError(t("error.time", { time: duration(patienceMs) }), 0, null);
    }
    throw error;
  }
}

/** The server's own sentence and the id to ask about it. */
export async function refusal(response: Response): Promise<AskError> {
  const requestId = response.headers.get("x-request-id");
  const parsed = errorAnswer.safeParse(await response.json().catch(() => null));
  const message = parsed.success ? parsed.data.error.message : t("error.status", { status: response.status });
  return new AskError(message, response.status, requestId);
}
