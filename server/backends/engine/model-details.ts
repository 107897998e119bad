/** What clients ask about a model before they use it, out of its file's header and name. Pure. Runs in the server process. */
import type { ModelDetails } from "../../domain/model.ts";
import type { ModelFile } from "../../domain/ports.ts";

/** `…-Q4_K_M.gguf`, `….f16.gguf`, `…-q8_0-00001-of-00002.gguf` */
const quantizationInName = /[-._](i?q\d\w*?|b?f16|f32|mxfp4)(?:-\d{5}-of-\d{5})?\.gguf$/i;

export function modelDetails({
  architecture,
  chatTemplate,
  fileName,
}: Pick<ModelFile, "architecture" | "chatTemplate" | "fileName">): ModelDetails {
  const template = chatTemplate ?? "";
  return {
    architecture,
    tools: /\btools\b/.test(template),
    thinking: /<think>|\[THINK\]|reasoning_content|<\|channel\|>/.test(template),
    quantization: quantizationInName.exec(fileName)?.[1]?.toUpperCase() ?? null,
  };
}
