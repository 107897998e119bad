/** What a request is, as far as routing cares. Pure; made from the request, its headers and the box by `server/router`. */
import type { ChatRequest, ServiceTier } from "../chat.ts";
import { Failure } from "../failure.ts";
import type { Capability } from "../model.ts";
import { estimatedPromptTokens } from "../prompt-estimate.ts";
import { type DataClass, dataClasses, type Feature } from "./target.ts";

/** What a client says in headers about the request as a whole; null: nothing. */
export interface RouteWishes {
  /** `x-lanthorn-role`: who in a team of agents asks. */
  readonly role: string | null;
  /** `x-lanthorn-task` */
  readonly task: string | null;
  /** `x-lanthorn-tier`: `architecture`, `execution`, `tasks`, `routine`, or any word a rule knows. */
  readonly tier: string | null;
  /** `x-lanthorn-data` */
  readonly data: DataClass | null;
}

export const noWishes: RouteWishes = Object.freeze({ role: null, task: null, tier: null, data: null });

/** Characters of a header's word; more is a mistake. */
const longestWord = 100;

/**
 * `header` gives a header by its lower-case name. Throws `invalid_request` for a data class nobody knows: guessing there would
 * send data where it must not go.
 */
export function readWishes(header: (name: string) => string | undefined): RouteWishes {
  const word = (name: string) => header(name)?.trim().toLowerCase().slice(0, longestWord) || null;
  const asked = word("x-lanthorn-data");
  const data = dataClasses.find((known) => known === asked) ?? null;
  if (asked !== null && data === null) {
    throw new Failure("invalid_request", `x-lanthorn-data must be one of ${dataClasses.join(", ")}.`, {
      param: "x-lanthorn-data",
    });
  }
  return { role: word("x-lanthorn-role"), task: word("x-lanthorn-task"), tier: word("x-lanthorn-tier"), data };
}

export interface RequestFacts {
  readonly capability: Capability;
  readonly promptTokens: number;
  /** Exact; otherwise `promptTokens` is an estimate. */
  readonly counted: boolean;
  /** What the client asked for at most, null: it did not say. The route's own cap is not in it. */
  readonly maxTokens: number | null;
  readonly needs: readonly Feature[];
  /** What people call the key. */
  readonly caller: string;
  readonly role: string | null;
  readonly task: string | null;
  /** From the header, else the request's service tier. */
  readonly tier: string | null;
  readonly data: DataClass;
  readonly serviceTier: ServiceTier;
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** What is left of the caller's budget, 0 to 1; null: it has none. */
  readonly budgetLeft: number | null;
}

/** Anything a request may leave unsaid, as a described one does (`route explain`). */
export function requestFacts(known: Partial<RequestFacts> & { readonly atMs: number }): RequestFacts {
  return {
    capability: "chat",
    promptTokens: 0,
    counted: false,
    maxTokens: null,
    needs: [],
    caller: "",
    role: null,
    task: null,
    tier: null,
    data: "any",
    serviceTier: "standard",
    budgetLeft: null,
    ...known,
  };
}

/** Who asks and when, beside the request itself. */
export interface AskedBy {
  readonly caller: string;
  readonly wishes: RouteWishes;
  readonly atMs: number;
  readonly budgetLeft: number | null;
}

export function factsOfChat(request: ChatRequest, { caller, wishes, atMs, budgetLeft }: AskedBy): RequestFacts {
  return requestFacts({
    promptTokens: estimatedPromptTokens(request),
    maxTokens: request.maxTokens,
    needs: needsOf(request),
    caller,
    role: wishes.role,
    task: wishes.task,
    tier: wishes.tier ?? request.serviceTier ?? null,
    data: wishes.data ?? "any",
    serviceTier: request.serviceTier ?? "standard",
    atMs,
    budgetLeft,
  });
}

function needsOf(request: ChatRequest): readonly Feature[] {
  const needs: Feature[] = [];
  const has = (type: "image" | "file") =>
    request.messages.some(({ content }) => content.some((part) => part.type === type));
  if (request.tools.length > 0) needs.push("tools");
  if (has("image")) needs.push("images");
  if (has("file")) needs.push("files");
  if (request.responseFormat.type === "json-schema") needs.push("json-schema");
  return needs;
}
