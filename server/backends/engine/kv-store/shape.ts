/**
 * What must be equal, besides the model, for a saved state to be put into a context. Pure. A part that differs makes the engine
 * refuse the state at best and compute nonsense from it at worst.
 */

export interface ContextShape {
  readonly build: string;
  readonly architecture: string;
  /** Tokens per sequence. */
  readonly contextLength: number;
  /** The engine writes the number of its streams into a state and takes no other. */
  readonly slots: number;
  /** `cpu`, `cuda`, …: decides on flash attention, and with it on how values are laid out. */
  readonly gpu: string;
  /** Of keys and values. */
  readonly cacheType: string;
}

/** Architectures whose positions do not depend on how long the context is. */
const anyLength = new Set([
  ..."llama qwen2 qwen2moe qwen3 qwen3moe gemma gemma2 gemma3 gpt-oss deepseek2 starcoder2 granite command-r".split(
    " ",
  ),
]);

/**
 * Some models turn their positions by other factors once the context is longer than they were first trained for, so the same
 * tokens have other keys there. Those bounds are powers of two, and so are the classes: lengths of one class agree.
 */
export function lengthClass(architecture: string, contextLength: number): number {
  return anyLength.has(architecture) ? 0 : 2 ** Math.ceil(Math.log2(Math.max(1, contextLength)));
}

/** One line that is equal where states may be exchanged. */
export function stateShape(context: ContextShape): string {
  const { build, architecture, contextLength, slots, gpu, cacheType } = context;
  const length = lengthClass(architecture, contextLength);
  return `${build}; ${gpu}; ${cacheType}; ${slots} slots; length class ${length}`;
}
