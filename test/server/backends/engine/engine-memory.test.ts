/** What the engine says it took: read from its log, and equal to what was estimated before anything was loaded or learnt. */
import { describe, expect, test } from "vitest";
import { EngineMemoryLog } from "../../../../server/backends/engine/worker/engine-memory.ts";
import { noCorrections } from "../../../../server/domain/fit/corrections.ts";
import { openFitLessons } from "../../../../models/fit-lessons.ts";
import { writeHollowModel } from "../../../../models/random/model.ts";
import { shapes } from "../../../../models/random/shapes.ts";
import { join } from "node:path";
import { differences, figuresOf, loadOnce } from "../../../support/engine-figures.ts";
import { fitTable, tableCases } from "../../../support/fit-table.ts";
import { full } from "../../../support/full.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";

const mib = 2 ** 20;
/** Four loads of a large vocabulary take ten seconds; several times that on a machine that does other things. */
const busyLimitMs = 300_000;

describe("the log", () => {
  test("of a GPU with a part on the CPU: each kind and each memory", () => {
    const log = new EngineMemoryLog();
    log.note("load_tensors: loading model tensors, this can take a while... (load_mode = mmap)");
    log.note(
      "load_tensors:   CPU_Mapped model buffer size =   292.36 MiB\nload_tensors:        CUDA0 model buffer size =  4168.09 MiB",
    );
    log.note("llama_context: constructing llama_context");
    log.note("llama_context:  CUDA_Host  output buffer size =     2.32 MiB");
    log.note("llama_kv_cache:      CUDA0 KV buffer size =   448.00 MiB");
    log.note("sched_reserve: reserving ...");
    log.note("sched_reserve:      CUDA0 compute buffer size =   304.00 MiB");
    log.note("sched_reserve:  CUDA_Host compute buffer size =    15.01 MiB");
    const figures = log.figures(5_000 * mib);
    expect(figures?.weights).toBeCloseTo(4_460.45 * mib, -1);
    expect(figures?.kv).toBe(448 * mib);
    expect(figures?.compute).toBeCloseTo(321.33 * mib, -1);
    expect(figures?.ramBytes).toBeCloseTo(309.69 * mib, -1);
    expect(figures?.vramBytes).toBeCloseTo(4_920.09 * mib, -1);
  });

  test("repacked weights count once; two caches and a recurrent state are added up", () => {
    const log = new EngineMemoryLog();
    log.note("CPU_Mapped model buffer size = 400.00 MiB");
    log.note("CPU_REPACK model buffer size = 300.00 MiB");
    log.note("CPU KV buffer size = 10.00 MiB");
    log.note("CPU KV buffer size = 5.00 MiB");
    log.note("CPU RS buffer size = 1.00 MiB");
    log.note("CPU compute buffer size = 20.00 MiB");
    expect(log.figures(390 * mib)).toMatchObject({ weights: 390 * mib, kv: 16 * mib, compute: 20 * mib, vramBytes: 0 });
  });

  test("only the last attempt counts, and silence is not zero", () => {
    const log = new EngineMemoryLog();
    expect(log.figures(1)).toBeNull();
    for (const size of ["100.00", "200.00"]) {
      log.note("loading model tensors");
      log.note(`CPU model buffer size = ${size} MiB`);
      log.note("constructing llama_context");
      log.note(`CPU KV buffer size = ${size} MiB`);
      log.note("reserving ...");
      log.note(`CPU compute buffer size = ${size} MiB`);
    }
    expect(log.figures(1_000 * mib)).toMatchObject({ weights: 200 * mib, kv: 200 * mib, compute: 200 * mib });
  });
});

describe("the first load, with nothing learnt", () => {
  test(
    "0.5B at several lengths and slots: weights, KV and compute each within 5 % of the engine's own figures",
    async () => {
      expect(openFitLessons(join(temporaryFolder(), "none.json")).correctionsFor("qwen2", "any")).toEqual(
        noCorrections,
      );
      const rows = await fitTable(
        [{ name: "0.5B F16", shape: "0.5b", options: {} }],
        full ? tableCases : tableCases.slice(-1),
      );
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) {
        for (const [kind, off] of Object.entries(differences(row))) {
          expect(Math.abs(off), `${kind} of ${row.contextLength} × ${row.slots}`).toBeLessThan(0.05);
        }
        expect(row.estimated.kv).toBe(row.measured.kv);
      }
    },
    busyLimitMs,
  );

  test("KV in q8_0, with the number of layers named, is loaded and counted so", async () => {
    const path = join(temporaryFolder(), "model.gguf");
    await writeHollowModel(path, shapes.small);
    const row = await figuresOf("small", path, { contextLength: 2_048, slots: 2, kv: "q8_0", gpuLayers: 0 });
    expect(Math.abs(row.estimated.kv - row.measured.kv)).toBeLessThan(0.01 * mib);
    expect(row.measured.kv).toBeLessThan(0.6 * 6 * 2 * 128 * 2 * 2_048 * 2);
  });

  test("a file that the engine refuses is refused with its reason, whatever its log said", async () => {
    await expect(
      loadOnce(join(temporaryFolder(), "none.gguf"), { contextLength: 512, slots: 1 }),
    ).rejects.toMatchObject({
      code: "model_unavailable",
    });
  });
});
