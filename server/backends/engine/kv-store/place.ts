/** What a worker is told about the KV store: where it may keep the states of its sequences, and for which model. Types only. */

/** One place to keep saved states in: a folder with a folder per model, shared by all workers of this data folder. */
export interface KvTier {
  readonly root: string;
  /** For all models together. */
  readonly limitBytes: number;
}

export interface KvPlace {
  /** Content id of the model's file, and the name of its folder in each tier. */
  readonly model: string;
  /** The engine's build: another one may lay its states out differently. */
  readonly build: string;
  /** `general.architecture` of the model. */
  readonly architecture: string;
  /** In memory; null: this machine has no file system in memory, or it is not wanted. */
  readonly memory: KvTier | null;
  /** Null: nothing goes to disk. */
  readonly disk: KvTier | null;
}
