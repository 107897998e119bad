/**
 * What a model's header says about the memory it takes, whoever read it (a local file, a remote one by Range, the catalog).
 * Pure types. The bytes are exact: they come from the tensor list, not from a rule of thumb.
 */

export interface LayerShape {
  /** Bytes of the layer's tensors. */
  readonly weightBytes: number;
  /** Numbers that K and V keep per token: heads times length of a head. 0 where the layer keeps no KV (recurrent). */
  readonly keyWidth: number;
  readonly valueWidth: number;
  /** Tokens a sliding-window layer looks back; null: all of them. */
  readonly windowTokens: number | null;
  /** State that does not grow with the context (recurrent and hybrid models). Bytes per sequence. */
  readonly stateBytes: number;
}

export interface ModelShape {
  readonly architecture: string;
  readonly trainedContextLength: number;
  readonly embeddingLength: number;
  readonly feedForwardLength: number;
  readonly headCount: number;
  readonly vocabularySize: number;
  readonly layers: readonly LayerShape[];
  /** The table of token embeddings: it stays in the machine's memory also when everything else is on a GPU. Bytes. */
  readonly inputBytes: number;
  /** Output tensors; the input table again where the model ties them. Bytes. */
  readonly outputBytes: number;
  readonly tiedOutput: boolean;
  /** Of all weights, the part one token uses: with a mixture of experts a small one; 1 for a dense model. Decides the speed class. */
  readonly activeShare: number;
  /** Experts of a layer that one token passes through, each `feedForwardLength` wide; absent: 1, a dense model. */
  readonly expertsUsed?: number;
  /** The engine can compute attention without a table of all pairs, and keep KV quantized; absent: it can. */
  readonly flashAttention?: boolean;
  /** Bytes of all tensors. */
  readonly weightBytes: number;
}
