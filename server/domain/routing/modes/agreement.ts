/** Whether answers are the same, and which of them is the one most agree on. Pure. */
import { canonicalJson } from "../../answer-key.ts";
import type { ChatEvent } from "../../chat.ts";
import { parsedJson } from "../../json-text.ts";

/** What is compared: canonical JSON where it is JSON, else the text without case, spacing and closing full stop. */
export function comparable(events: readonly ChatEvent[]): string {
  const calls = new Map<string, { name: string; text: string }>();
  let text = "";
  for (const event of events) {
    if (event.type === "text") text += event.text;
    if (event.type === "tool-call") calls.set(`${event.choice ?? 0}/${event.index}`, { name: event.name, text: "" });
    if (event.type === "tool-arguments") {
      const call = calls.get(`${event.choice ?? 0}/${event.index}`);
      if (call !== undefined) call.text += event.text;
    }
  }
  // Words around calls differ; what is done is what counts.
  if (calls.size > 0)
    return `calls ${[...calls.values()].map((call) => `${call.name} ${normalText(call.text)}`).join("\n")}`;
  return normalText(text);
}

/** Equal for what says the same: JSON by its value, text without case, spacing and closing full stop. */
export function normalText(text: string): string {
  const bare = withoutFence(text);
  const json = parsedJson(bare);
  if (json !== undefined) return `json ${canonicalJson(json)}`;
  return bare
    .normalize("NFKC")
    .toLowerCase()
    .replace(/\s+/gu, " ")
    .replace(/\s*[.!]$/u, "");
}

/** What stands in a fenced block of Markdown, where a model put all of its answer into one. */
export function withoutFence(text: string): string {
  return text
    .trim()
    .replace(/^```(?:json)?\s*/iu, "")
    .replace(/\s*```$/u, "");
}

/** The index of the first answer that enough others equal; null: there is none. An answer that says nothing agrees with none. */
export function agreed(answers: readonly string[], agree: "majority" | "all"): number | null {
  const wanted = agree === "all" ? answers.length : Math.floor(answers.length / 2) + 1;
  if (answers.length < 2) return null;
  const at = answers.findIndex((one) => one !== "" && answers.filter((other) => other === one).length >= wanted);
  return at === -1 ? null : at;
}
