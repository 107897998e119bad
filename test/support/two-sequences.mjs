/**
 * What the binding gives when a batch holds two sequences: prints it for an encoder. A process of its own, because a native
 * assertion would end it. Plain JavaScript, like `greedy.mjs`.
 */
import { getLlama, LlamaLogLevel } from "node-llama-cpp";

const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: LlamaLogLevel.disabled });
const model = await llama.loadModel({ modelPath: process.argv[2], gpuLayers: 0 });
const context = await model.createContext({
  sequences: 2,
  contextSize: 256,
  batchSize: 256,
  threads: 1,
  _embeddings: true,
});
const binding = context._ctx;
const first = Uint32Array.from([2, 200, 201, 3]);
const second = Uint32Array.from([2, 300, 301, 302, 3]);

async function vectorOf(parts) {
  binding.initBatch(parts.reduce((sum, [, tokens]) => sum + tokens.length, 0));
  for (const [sequence, tokens] of parts) binding.addToBatch(sequence, 0, tokens, Uint32Array.from(tokens.keys()));
  await binding.decodeBatch();
  return [...binding.getEmbedding(1)].map((value) => value.toFixed(4)).join();
}

const alone = { first: await vectorOf([[0, first]]), second: await vectorOf([[0, second]]) };
function name(vector) {
  if (vector === alone.first) return "first";
  if (vector === alone.second) return "second";
  return vector.split(",").every((value) => Number(value) === 0) ? "zero" : "something else";
}
const secondAsOne = name(await vectorOf([[1, second]]));
const both = name(
  await vectorOf([
    [0, first],
    [1, second],
  ]),
);
console.log(`first=${name(alone.first)} second-as-1=${secondAsOne} both=${both}`);
process.exit(0);
