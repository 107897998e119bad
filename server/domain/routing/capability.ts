/** Asking a model for what it was not made for: the words of the refusal. Pure. */
import { Failure } from "../failure.ts";
import type { Capability } from "../model.ts";

const canDo: Readonly<Record<Capability, string>> = Object.freeze({
  chat: "chat",
  embeddings: "make embeddings",
  rerank: "rerank documents",
});

/** `able`: aliases of models that can, which are named. */
export function wrongModel(alias: string, capability: Capability, able: readonly string[] = []): Failure {
  const names = able.slice(0, 5).map((name) => `"${name}"`);
  const others = names.length === 0 ? "No model here can." : `${names.join(", ")} can.`;
  return new Failure("invalid_request", `"${alias}" cannot ${canDo[capability]}. ${others}`, { param: "model" });
}
