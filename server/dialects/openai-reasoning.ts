/**
 * Models of OpenAI's that think take no wishes about sampling but the defaults (400 `unsupported_value`): `o3`, `gpt-5` and what comes of them, by
 * their names, at whoever serves them. From 5.1 on they do while their effort is `none`, which up to 5.4 is what they have unless told
 * otherwise (OpenAI's guide to the latest models, and what others ran into; looked up 2026-11-27). Pure; for its chat and Responses alike.
 */
import type { ChatRequest, Sampling } from "../domain/chat.ts";

const thinks = /(?:^|\/)(?:o[134](?=-|$)|gpt-5(?:\.(\d{1,2}))?(?!.*-chat))/;
const lastIdleMinor = 4;

/** The wishes without those that this model would refuse the request for. */
export function sampledBy(
  model: string,
  { sampling, reasoning }: Pick<ChatRequest, "sampling" | "reasoning">,
): Sampling {
  const found = thinks.exec(model);
  if (found === null) return sampling;
  const minor = Number(found[1] ?? 0);
  const isIdle = reasoning === undefined ? minor <= lastIdleMinor : reasoning.effort === "none";
  if (minor >= 1 && isIdle) return sampling;
  const only = (value: number | null, usual: number) => (value === usual ? value : null);
  return {
    ...sampling,
    temperature: only(sampling.temperature, 1),
    topP: only(sampling.topP, 1),
    frequencyPenalty: only(sampling.frequencyPenalty, 0),
    presencePenalty: only(sampling.presencePenalty, 0),
  };
}
