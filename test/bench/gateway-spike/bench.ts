import type { BenchRow } from "../measure.ts";
import type { RunOptions } from "../runner.ts";
export async function gatewayRows(_options: RunOptions): Promise<BenchRow[]> { return []; }
