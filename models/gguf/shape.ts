/**
 * The shape of a model from its header: exact bytes of each layer from the tensor list, what the layers keep, and the few
 * numbers that decide how much the engine needs while it computes. Pure. A split model's parts are added up.
 */
import type { LayerShape, ModelShape } from "../../server/domain/fit/shape.ts";
import { type GgufHeader, type TensorEntry, tensorTypes } from "./format.ts";
import { allowsFlashAttention, ArchitectureKeys, keptByLayers } from "./kv-layers.ts";

function bytesOf(tensor: TensorEntry): number {
  const type = tensorTypes.get(tensor.typeId);
  if (type === undefined) return 0;
  const elements = tensor.dimensions.reduce((product, dimension) => product * Number(dimension), 1);
  return (elements / type.elements) * type.bytes;
}

const layerPattern = /^blk\.(\d+)\./;
/** All experts of a layer in one tensor; a token reads those of its own. */
const expertsPattern = /^blk\.\d+\.ffn_\w*exps\./;
const outputPattern = /^(output|output_norm|cls|cls\.output|dense_\d|rope_freqs)\./;

/** `further`: headers of the other parts of a split model. The first part is the one with the model's keys. */
export function shapeOf(first: GgufHeader, further: readonly GgufHeader[] = []): ModelShape {
  const keys = new ArchitectureKeys(first.metadata);
  const kept = keptByLayers(keys);
  const layerBytes = kept.map(() => 0);
  let inputBytes = 0;
  let outputBytes = 0;
  let weightBytes = 0;
  let expertBytes = 0;
  let hasOutput = false;
  for (const tensor of [first, ...further].flatMap((header) => header.tensors)) {
    const bytes = bytesOf(tensor);
    weightBytes += bytes;
    if (expertsPattern.test(tensor.name)) expertBytes += bytes;
    const layer = Number(layerPattern.exec(tensor.name)?.[1] ?? Number.NaN);
    if (layer < layerBytes.length) layerBytes[layer] = (layerBytes[layer] ?? 0) + bytes;
    else if (outputPattern.test(tensor.name)) outputBytes += bytes;
    else inputBytes += bytes;
    hasOutput ||= tensor.name === "output.weight";
  }
  const embedding = first.tensors.find((tensor) => tensor.name === "token_embd.weight");
  const tableBytes = embedding === undefined ? 0 : bytesOf(embedding);
  // An encoder without an output matrix has none at all; whoever writes text uses the input table again.
  const tiedOutput = !hasOutput && kept.some((layer) => layer.keyWidth > 0 || layer.stateBytes > 0);
  const experts = keys.number("expert_count", 0);
  const used = Math.max(1, ...(keys.numbers("expert_used_count") ?? [1]));
  const unused = experts > 0 && used < experts ? expertBytes * (1 - used / experts) : 0;
  // A token looks up one row of the input table and reads the rest.
  const active = weightBytes - (tiedOutput ? 0 : tableBytes) - unused;
  const isMixture = experts > 0 && expertBytes > 0;
  const width = keys.number("embedding_length", 0);
  return {
    architecture: keys.architecture,
    trainedContextLength: keys.number("context_length", 0),
    embeddingLength: width,
    feedForwardLength: feedForwardLength(keys, isMixture, used),
    headCount: Math.max(0, ...(keys.numbers("attention.head_count") ?? [0])),
    vocabularySize: Number(embedding?.dimensions[1] ?? 0n),
    layers: kept.map((layer, index): LayerShape => ({ weightBytes: layerBytes[index] ?? 0, ...layer })),
    inputBytes,
    outputBytes: outputBytes + (tiedOutput ? tableBytes : 0),
    tiedOutput,
    activeShare: weightBytes === 0 ? 1 : Math.min(1, active / weightBytes),
    weightBytes,
    ...(isMixture ? { expertsUsed: used } : {}),
    ...(allowsFlashAttention(keys) ? {} : { flashAttention: false }),
  };
}

/** Of one expert, or of the dense layers where those need more at once than the experts in use together. */
function feedForwardLength(keys: ArchitectureKeys, isMixture: boolean, used: number): number {
  const dense = Math.max(0, ...(keys.numbers("feed_forward_length") ?? [0]));
  if (!isMixture) return dense;
  const own = Math.max(0, ...(keys.numbers("expert_feed_forward_length") ?? [0]));
  const expert = own > 0 ? own : dense;
  const hasDense = keys.number("leading_dense_block_count", 0) > 0;
  return hasDense ? Math.max(expert, Math.ceil(dense / used)) : expert;
}
