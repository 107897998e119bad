/** Whether answers are the same, and which of them is the one most agree on. Pure. */
import type { ChatEvent } from "../../chat.ts";

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
  const bare = text
    .trim()
    .replace(/^```(?:json)?\s*/iu, "")
    .replace(/\s*```$/u, "");
  const json = parsed(bare);
  if (json !== undefined) return `json ${canonical(json)}`;
  return bare
    .normalize("NFKC")
    .toLowerCase()
    .replace(/\s+/gu, " ")
    .replace(/\s*[.!]$/u, "");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** JSON with the keys of objects in order. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(",")}}`;
}

/** The index of the first answer that enough others equal; null: there is none. An answer that says nothing agrees with none. */
export function agreed(answers: readonly string[], agree: "majority" | "all"): number | null {
  const wanted = agree === "all" ? answers.length : Math.floor(answers.length / 2) + 1;
  if (answers.length < 2) return null;
  const at = answers.findIndex((one) => one !== "" && answers.filter((other) => other === one).length >= wanted);
  return at === -1 ? null : at;
}
