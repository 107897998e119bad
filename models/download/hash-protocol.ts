/** What the hashing thread and its starter say to each other. Types only. */

export interface HashData {
  readonly path: string;
}

/** The file's first `until` bytes are there: hash so far. `finish`: and say the hash of exactly these. */
export interface HashOrder {
  readonly until: number;
  readonly finish: boolean;
}

export type HashReport =
  | { readonly hashedBytes: number }
  | { readonly sha256: string }
  /** Why the file cannot be read. */
  | { readonly problem: string };
