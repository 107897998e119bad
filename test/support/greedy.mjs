/**
 * What the bare library says, for comparing with what the server says: `node test/support/greedy.mjs <file.gguf> <prompt>`
 * renders one user message through the file's own chat template and prints `{"ids": [...], "text": "..."}` of the greedy
 * answer, at most 128 tokens. Imports nothing of this project, on purpose.
 */
import { Template } from "@huggingface/jinja";
import { getLlama, readGgufFileInfo } from "node-llama-cpp";

const [path, prompt] = process.argv.slice(2);
if (path === undefined || prompt === undefined) {
  process.stderr.write("usage: node test/support/greedy.mjs <file.gguf> <prompt>\n");
  process.exit(2);
}
const limit = 128;
const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: "error" });
const model = await llama.loadModel({ modelPath: path, gpuLayers: 0 });
const { metadata } = await readGgufFileInfo(path);
const text = new Template(metadata.tokenizer.chat_template).render({
  messages: [{ role: "user", content: prompt }],
  add_generation_prompt: true,
});
const promptIds = model.tokenize(text, true);
const context = await model.createContext({ sequences: 1, contextSize: promptIds.length + limit + 8, threads: 1 });
const ids = [];
for await (const id of context.getSequence().evaluate(promptIds, { temperature: 0 })) {
  ids.push(id);
  if (ids.length === limit) break;
}
process.stdout.write(`${JSON.stringify({ ids, text: model.detokenize(ids) })}\n`);
await llama.dispose();
process.exit(0);
