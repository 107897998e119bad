/**
 * The shape of a catalog entry from its facts, for when the header cannot be read. Pure. Its bytes and its KV are exact, how
 * they are spread over the layers is not: close enough to say whether it fits, and whoever shows it says where it is from.
 */
import type { ModelShape } from "../../server/domain/fit/shape.ts";
import type { CatalogEntry } from "./entry.ts";

/** Of the models in the catalog; decides how large the logits of a step are. */
const assumedVocabulary = 152_064;
/** Feed-forward width over width of the usual shapes. */
const assumedWidening = 5.3;
/** Bytes per number of the tables that are kept finest in a four-bit file. */
const tableNumberBytes = 0.6;

/** Null: the entry does not say enough. */
export function shapeOfEntry(entry: CatalogEntry): ModelShape | null {
  const { layers, headCount, headCountKv, headLength } = entry;
  if (layers === null || headCount === null || headCountKv === null || headLength === null) return null;
  const weightBytes = entry.files.reduce((sum, file) => sum + file.bytes, 0);
  const width = headCount * headLength;
  const tableBytes = Math.min(assumedVocabulary * width * tableNumberBytes, weightBytes / 4);
  const share =
    entry.activeParameters !== null && entry.parameters !== null && entry.parameters > 0
      ? Math.min(1, entry.activeParameters / entry.parameters)
      : 1;
  return {
    architecture: "unknown",
    trainedContextLength: entry.contextLength,
    embeddingLength: width,
    feedForwardLength: Math.round(width * assumedWidening * (share < 1 ? 0.5 : 1)),
    headCount,
    vocabularySize: assumedVocabulary,
    layers: Array.from({ length: layers }, () => ({
      weightBytes: (weightBytes - 2 * tableBytes) / layers,
      keyWidth: headCountKv * headLength,
      valueWidth: headCountKv * headLength,
      windowTokens: null,
      stateBytes: 0,
    })),
    inputBytes: tableBytes,
    outputBytes: tableBytes,
    tiedOutput: false,
    activeShare: share,
    weightBytes,
  };
}
