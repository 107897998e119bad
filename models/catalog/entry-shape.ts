/**
 * What the catalog knows about a model's memory, in the shape that a fit takes: an estimate for when the header cannot be read,
 * as without a network. Pure. Weights and KV come from the entry's own figures; what only the buffers of a step depend on
 * is assumed, on the large side.
 */
import type { LayerShape, ModelShape } from "../../server/domain/fit/shape.ts";
import type { CatalogEntry } from "./entry.ts";

/** The largest vocabulary of the Qwen2.5 family; a step keeps a number for each entry of it. */
const assumedVocabularySize = 152_064;
/** Feed-forward width over embedding width: 5.4 in Qwen2.5 32B, less in most others. */
const assumedFeedForwardRatio = 5.5;

/** Of all its files. Null: not known. */
export function bytesOfEntry(entry: CatalogEntry): number | null {
  return entry.files.length === 0 ? null : entry.files.reduce((sum, file) => sum + file.bytes, 0);
}

/** Null: layers, heads or bytes are not known, so nothing exact can be said about its KV. */
export function shapeOfEntry(entry: CatalogEntry): ModelShape | null {
  const { layers, headCount, headCountKv, headLength } = entry;
  const weightBytes = bytesOfEntry(entry);
  if (layers === null || headCount === null || headCountKv === null || headLength === null || weightBytes === null)
    return null;
  const width = headCountKv * headLength;
  const perLayer = Math.floor(weightBytes / layers);
  const embeddingLength = headCount * headLength;
  const share =
    entry.parameters !== null && entry.activeParameters !== null ? entry.activeParameters / entry.parameters : 1;
  return {
    architecture: "unknown",
    trainedContextLength: entry.contextLength,
    embeddingLength,
    feedForwardLength: Math.round(embeddingLength * assumedFeedForwardRatio),
    headCount,
    vocabularySize: assumedVocabularySize,
    layers: Array.from(
      { length: layers },
      (_, index): LayerShape => ({
        // The sum over all layers is the files' bytes, to the last one.
        weightBytes: index === 0 ? weightBytes - perLayer * (layers - 1) : perLayer,
        keyWidth: width,
        valueWidth: width,
        windowTokens: null,
        stateBytes: 0,
      }),
    ),
    inputBytes: 0,
    outputBytes: 0,
    tiedOutput: false,
    activeShare: share,
    weightBytes,
  };
}
