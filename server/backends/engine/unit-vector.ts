/** Vectors of length 1, as OpenAI's are: their dot product is the cosine. Pure. Runs in the server process. */

/** The first `dimensions` numbers (null: all) brought to length 1. A vector of zeros stays one. */
export function unitVector(vector: Float32Array, dimensions: number | null = null): Float32Array {
  const kept = dimensions === null ? vector : vector.subarray(0, dimensions);
  let square = 0;
  for (const value of kept) square += value * value;
  const length = Math.sqrt(square);
  return kept.map((value) => (length === 0 ? 0 : value / length));
}
