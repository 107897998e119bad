/** How a model makes one vector of many, by the numbers GGUF writes. Pure data. */

export const poolingIds = Object.freeze({ none: 0, mean: 1, cls: 2, last: 3, rank: 4 });

export type Pooling = keyof typeof poolingIds;
