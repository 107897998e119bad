/**
 * Which family's way of answering a model has, told by its chat template. Pure; imports nothing, because every worker loads it
 * and none needs the readers.
 */

/** What is known of a model: enough to say which family it belongs to. */
export interface ModelFacts {
  /** The text of its chat template; null: the file has none. */
  readonly chatTemplate: string | null;
  /** `general.architecture`; null: unknown. */
  readonly architecture: string | null;
}

/** The first that says yes is taken, so the most particular come first. Each has its reader in `index.ts`. */
const tellTales = Object.freeze({
  "gpt-oss": (template, architecture) =>
    template === "" ? architecture === "gpt-oss" : template.includes("<|channel|>"),
  deepseek: (template, architecture) =>
    template === "" ? architecture === "deepseek2" : /<｜(?:tool▁|Assistant｜>)/.test(template),
  mistral: (template) => template.includes("[TOOL_CALLS]"),
  "qwen3-coder": (template) => template.includes("<function=") && template.includes("<parameter="),
  hermes: (template) => template.includes("<tool_call>"),
  llama: (template) =>
    template.includes("<|python_tag|>") ||
    (template.includes("<|start_header_id|>") && template.includes('"parameters"')),
  any: () => true,
}) satisfies Record<string, (template: string, architecture: string | null) => boolean>;

export type ReplyFormat = keyof typeof tellTales;

export function replyFormatOf({ chatTemplate, architecture }: ModelFacts): ReplyFormat {
  const formats = Object.keys(tellTales) as ReplyFormat[];
  return formats.find((format) => tellTales[format](chatTemplate ?? "", architecture)) ?? "any";
}
