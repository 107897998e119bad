/** What a client is told when no target is left to try, or it asked for a name nobody serves. Pure. */
import { Failure } from "../failure.ts";
import { wrongModel } from "./capability.ts";
import type { Plan } from "./plan.ts";
import { exclusionWords } from "./reasons.ts";
import { similarNames } from "./similar-names.ts";
import { targetName } from "./target.ts";

export function unknownModel(alias: string, names: readonly string[]): Failure {
  const meant = similarNames(alias, names);
  const question = meant.length > 0 ? ` Did you mean "${meant.join('" or "')}"?` : "";
  const yours = names.length > 0 ? ` Here: ${names.slice(0, 20).join(", ")}.` : " No model is served here yet.";
  return new Failure("model_not_found", `No model "${alias.slice(0, 200)}" here.${question}${yours}`, {
    param: "model",
  });
}

/** Places that are named in a message. */
const mostNamed = 5;

/** For a plan whose targets all began to be left alone after it was made. `leftMs`: until the first may be asked. */
export function allResting(plan: Plan, leftMs: number): Failure {
  const names = plan.attempts.slice(0, mostNamed).map(({ target }) => targetName(target));
  const are = names.length === 1 ? "is" : "are";
  const message = `Nothing can answer for "${plan.alias}" now: ${names.join(", ")} failed and ${are} left alone for a while ("lanthorn route list" shows why).`;
  return new Failure("no_target", message, { retryAfterSeconds: leftMs / 1000 });
}

/** For a plan without attempts. What may pass is `no_target` with the time until then; what will not is the client's to change. */
export function nobodyLeft(plan: Plan): Failure {
  const { alias, excluded } = plan;
  if (excluded.length > 0 && excluded.every(({ reason }) => reason === "wrong_capability")) {
    return wrongModel(alias, plan.facts.capability);
  }
  const named = excluded.slice(0, mostNamed).map(({ target, reason, detail }) => {
    return `${targetName(target)}: ${exclusionWords[reason]}${detail === "" ? "" : ` (${detail})`}`;
  });
  const more = excluded.length > mostNamed ? `; and ${excluded.length - mostNamed} more` : "";
  const message = `Nothing can answer for "${alias}" now. ${named.join("; ")}${more}.`;
  const leftMs = excluded.map((one) => one.leftMs).filter((ms) => ms !== null);
  if (leftMs.length > 0) return new Failure("no_target", message, { retryAfterSeconds: Math.min(...leftMs) / 1000 });
  const mayPass = excluded.some(({ reason }) => reason === "not_served" || reason === "not_able");
  return mayPass ? new Failure("no_target", message) : new Failure("unsupported", message, { param: "model" });
}
