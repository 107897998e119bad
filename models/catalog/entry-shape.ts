/**
 * What the catalog knows about a model's memory, in the shape that a fit takes: for when the header cannot be read, as without
 * a network. Pure. Its bytes and its KV are exact; how the bytes are spread is not, nor what only the buffers of a step depend on.
 */
import type { LayerShape, ModelShape } from "../../server/domain/fit/shape.ts";
import type { CatalogEntry } from "./entry.ts";

/** The largest vocabulary of the Qwen2.5 family; a step keeps a number for each entry of it. */
const assumedVocabularySize = 152_064;
/** Feed-forward width over embedding width: 5.4 in Qwen2.5 32B, less in most others. */
const assumedWidening = 5.4;
/** With a mixture of experts, those that one token passes through are narrower together. */
const assumedExpertWidening = 2.7;
/** Bytes per number of the tables, which are kept finest in a four-bit file. */
const tableNumberBytes = 0.6;

/** Of all its files. Null: not known. */
export function bytesOfEntry(entry: CatalogEntry): number | null {
  return entry.files.length === 0 ? null : entry.files.reduce((sum, file) => sum + file.bytes, 0);
}

function activeShareOf({ parameters, activeParameters }: CatalogEntry): number {
  return parameters === null || activeParameters === null ? 1 : Math.min(1, activeParameters / parameters);
}

/** Null: layers, heads or bytes are not known, so nothing exact can be said about its KV. */
export function shapeOfEntry(entry: CatalogEntry): ModelShape | null {
  const { layers, headCount, headCountKv, headLength } = entry;
  const weightBytes = bytesOfEntry(entry);
  if (layers === null || headCount === null || headCountKv === null || headLength === null || weightBytes === null)
    return null;
  const embeddingLength = headCount * headLength;
  const tableBytes = Math.round(Math.min(assumedVocabularySize * embeddingLength * tableNumberBytes, weightBytes / 4));
  const inLayers = weightBytes - 2 * tableBytes;
  const perLayer = Math.floor(inLayers / layers);
  const width = headCountKv * headLength;
  const activeShare = activeShareOf(entry);
  return {
    architecture: "unknown",
    trainedContextLength: entry.contextLength,
    embeddingLength,
    feedForwardLength: Math.round(embeddingLength * (activeShare < 1 ? assumedExpertWidening : assumedWidening)),
    headCount,
    vocabularySize: assumedVocabularySize,
    layers: Array.from(
      { length: layers },
      (_, index): LayerShape => ({
        // The sum over layers and tables is the files' bytes, to the last one.
        weightBytes: index === 0 ? inLayers - perLayer * (layers - 1) : perLayer,
        keyWidth: width,
        valueWidth: width,
        windowTokens: null,
        stateBytes: 0,
      }),
    ),
    inputBytes: tableBytes,
    outputBytes: tableBytes,
    tiedOutput: false,
    activeShare,
    weightBytes,
  };
}
