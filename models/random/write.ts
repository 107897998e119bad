/**
 * Writes random weights in a true shape: `node models/random/write.ts 0.5b out.gguf [--seed 42] [--quantize q4_k_m]`.
 * With `--quantize`, `out.gguf` is the quantized file and the half-precision one is removed again. A command of its own.
 */
import { rename, rm } from "node:fs/promises";
import { parseArgs } from "node:util";
import { parameterCount, writeRandomModel } from "./model.ts";
import { findQuantizer, noQuantizer, quantize } from "./quantize.ts";
import { type ShapeName, shapes } from "./shapes.ts";

function isShape(name: string | undefined): name is ShapeName {
  return name !== undefined && Object.hasOwn(shapes, name);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: "string", default: "42" }, quantize: { type: "string" } },
});
const [name, path] = positionals;
const seed = Number(values.seed);

async function write(shape: ShapeName, target: string): Promise<void> {
  const program = values.quantize === undefined ? null : await findQuantizer(process.env);
  const half = `${target}.f16.partial`;
  try {
    await writeRandomModel(half, shapes[shape], seed);
    if (program !== null && values.quantize !== undefined) {
      await quantize(program, half, target, values.quantize.toUpperCase());
    } else {
      await rename(half, target);
      if (values.quantize !== undefined) {
        process.stderr.write(`${noQuantizer}\n`);
        process.exitCode = 1;
      }
    }
  } finally {
    await rm(half, { force: true });
  }
  process.stdout.write(`${target}: ${(parameterCount(shapes[shape]) / 1e6).toFixed(0)} million random weights\n`);
}

if (!isShape(name) || path === undefined || positionals.length > 2 || !Number.isSafeInteger(seed)) {
  const names = Object.keys(shapes).join("|");
  process.stderr.write(
    `usage: node models/random/write.ts <${names}> <out.gguf> [--seed <number>] [--quantize <q4_k_m>]\n`,
  );
  process.exitCode = 2;
} else {
  await write(name, path);
}
