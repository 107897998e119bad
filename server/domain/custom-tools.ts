/**
 * Custom tools take free text instead of JSON. Where a model or an upstream knows functions only, such a tool is offered as a
 * function of one text, `{"input": …}`, and its calls are read back. Pure.
 */
import type { JsonSchema } from "./chat.ts";

/** What a custom tool's parameters are to those who know functions only. */
export const customParameters: JsonSchema = Object.freeze({
  type: "object",
  properties: { input: { type: "string" } },
  required: ["input"],
  additionalProperties: false,
});

/** Free text → the arguments of the function that stands in for the tool. */
export function customArguments(input: string): string {
  return JSON.stringify({ input });
}

/** The way back. Text of any other form is taken as it is: the model wrote it freely after all. */
export function customInput(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "input" in value && typeof value.input === "string") {
      return value.input;
    }
  } catch {
    // No JSON: free text.
  }
  return text;
}
