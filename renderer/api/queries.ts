/**
 * What the page knows about the box, kept fresh. Runs in the browser. Nothing here counts as activity on the server: an
 * open page never keeps a model loaded.
 */
import { type Query, type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { Contact } from "../now/verdict.ts";
import { useNow } from "../use-now.ts";
import { ask, isLocked, isUnreached, refusal, send } from "./ask.ts";
import { type BoxState, boxState, modelList, readiness, versionAnswer } from "./shapes.ts";

/** How often the box is asked whether it is there, and how long an answer may take: silence shows within five seconds. */
const heartbeatMs = 2_000;
const heartbeatPatienceMs = 2_500;
/** A floor under the event stream: what no event tells, such as memory, is at most this old. */
const stateIntervalMs = 4_000;
const modelsIntervalMs = 15_000;

/** Whether the box answers, and whether it can serve. A refusal of `/ready` is an answer. */
function useReadiness() {
  return useQuery({
    queryKey: ["ready"],
    refetchInterval: heartbeatMs,
    queryFn: async ({ signal }) => {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(heartbeatPatienceMs)]);
      const response = await fetch("/ready", { cache: "no-store", signal: limit });
      if (response.ok) return { unready: null };
      const error = await refusal(response.clone());
      const parsed = readiness.safeParse(await response.json().catch(() => null));
      return { unready: (parsed.success ? parsed.data.reason : null) ?? error.message };
    },
  });
}

export function useModels() {
  return useQuery({
    queryKey: ["models"],
    refetchInterval: modelsIntervalMs,
    queryFn: async ({ signal }) => (await ask("/v1/models", modelList, {}, signal)).data,
  });
}

/** What only an admin may see. A refusal ends the asking until somebody signs in. */
export function useBoxState() {
  return useQuery<BoxState>({
    queryKey: ["state"],
    refetchInterval: (query) => (wasRefused(query) ? false : stateIntervalMs),
    refetchOnWindowFocus: (query) => !wasRefused(query),
    queryFn: ({ signal }) => ask("/admin/state", boxState, {}, signal),
  });
}

function wasRefused(query: Query<BoxState>): boolean {
  return query.state.status === "error" && !isUnreached(query.state.error);
}

export function useVersion() {
  return useQuery({
    queryKey: ["version"],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => ask("/version", versionAnswer, {}, signal),
  });
}

/** Whether a client without a key is let in at this address: asked without the session's cookie. */
export function useKeyNeeded(possible: boolean) {
  return useQuery({
    queryKey: ["key-needed"],
    enabled: possible,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) =>
      ask("/v1/models", modelList, { credentials: "omit" }, signal).then(
        () => false,
        (error: unknown) => {
          if (isLocked(error)) return true;
          throw error;
        },
      ),
  });
}

/** How the page and the box stand to each other. Asks for everything again when a silent box is back. */
export function useContact(): Contact {
  const ready = useReadiness();
  const models = useModels();
  const queries = useQueryClient();
  const gone = ready.isError;
  const wasGone = useRef(false);
  const now = useNow(1_000, gone);
  useEffect(() => {
    if (wasGone.current && !gone) void queries.invalidateQueries();
    wasGone.current = gone;
  }, [gone, queries]);
  if (gone) {
    const lastMs = Math.max(ready.dataUpdatedAt, models.dataUpdatedAt);
    return { type: "gone", sinceMs: lastMs === 0 ? null : Math.max(0, now - lastMs) };
  }
  if (isLocked(models.error)) return { type: "locked" };
  if (ready.data === undefined || models.isPending) return { type: "looking" };
  return { type: "live", unready: ready.data.unready };
}

/** Trades a key for a session in an HttpOnly cookie; the key itself is not kept anywhere. */
export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    networkMode: "always",
    mutationFn: (key: string) =>
      send("/sign-in", jsonPost({ key: key.trim() }), AbortSignal.timeout(heartbeatPatienceMs * 4)),
    onSuccess: () => forgetAnswers(queries),
  });
}

/** Ends the session on the box, for this browser. */
export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    networkMode: "always",
    mutationFn: () => send("/sign-out", jsonPost({}), AbortSignal.timeout(heartbeatPatienceMs * 4)),
    onSettled: () => forgetAnswers(queries),
  });
}

/** Another caller sees other things: what was known is asked again from nothing. */
function forgetAnswers(queries: QueryClient): Promise<void> {
  return queries.resetQueries({ predicate: (query) => query.queryKey[0] !== "ready" });
}

export function jsonPost(body: unknown): RequestInit {
  return { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
