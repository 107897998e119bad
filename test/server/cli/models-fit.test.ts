/** What `lanthorn models fit` looks at and how it says what it found. */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type GgufPlan, headerBytes, tensorDataBytes } from "../../../models/gguf/writer.ts";
import { writeHollowModel } from "../../../models/random/model.ts";
import { shapes } from "../../../models/random/shapes.ts";
import type { CommandContext } from "../../../server/cli/command.ts";
import { commandOf, fitPicture } from "../../../server/cli/models/fit-picture.ts";
import { type FitTarget, fitTarget } from "../../../server/cli/models/fit-target.ts";
import { loadConfig } from "../../../server/config/load.ts";
import { fitOf } from "../../../server/domain/fit/fit.ts";
import type { Machine } from "../../../server/domain/fit/machine.ts";
import type { FitWishes } from "../../../server/domain/fit/verdict.ts";
import { dataPaths } from "../../../server/platform/paths.ts";
import { smallModel, value, withKey, writeGgufParts, encodeGguf } from "../../support/gguf-bytes.ts";
import { box3090, denseShape, machineWith } from "../../support/model-shapes.ts";
import { rangeServer, sendRange } from "../../support/range-server.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { lanthorn } from "./run-command.ts";

/** Asks in a data folder of its own. */
function target(
  asked: string,
  environment: Record<string, string> = {},
  folder = temporaryFolder(),
): Promise<FitTarget> {
  const all = { LANTHORN_HOME: folder, ...environment };
  const { values: config } = loadConfig({
    file: join(folder, "none.yaml"),
    environment: all,
    flags: [],
    workingFolder: folder,
  });
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  const context = { environment: all, workingFolder: folder, signal: controller.signal } as unknown as CommandContext;
  return fitTarget(asked, { context, config, paths: dataPaths(all) });
}

describe("the model is", () => {
  test("a file, in any folder", async () => {
    const folder = temporaryFolder();
    writeGgufParts(folder, "some.gguf", smallModel);
    expect(await target("some.gguf", {}, folder)).toMatchObject({
      name: "some",
      source: "file",
      shape: { weightBytes: 48 },
    });
  });

  test("an alias of this box; one that is nearly right is pointed out", async () => {
    const folder = temporaryFolder();
    const path = writeGgufParts(folder, "Model.gguf", smallModel);
    const models = { LANTHORN_HOME: folder };
    const configured = join(folder, "lanthorn.yaml");
    writeFileSync(configured, `models:\n  - path: ${JSON.stringify(path)}\n    alias: coder\n`);
    const { values: config } = loadConfig({ file: configured, environment: models, flags: [], workingFolder: folder });
    const context = {
      environment: models,
      workingFolder: temporaryFolder(),
      signal: AbortSignal.abort(),
    } as unknown as CommandContext;
    const box = { context, config, paths: dataPaths(models) };
    expect(await fitTarget("coder", box)).toMatchObject({ name: "coder", source: "file" });
    await expect(fitTarget("codr", box)).rejects.toMatchObject({ exitCode: 5, why: 'Did you mean "coder"?' });
  });

  test("a file of a repository on the Hub: its header is read, nothing more", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "big.gguf");
    await writeHollowModel(path, shapes.tiny);
    const { readFileSync } = await import("node:fs");
    const file = readFileSync(path);
    const hub = await rangeServer((request, response) => sendRange(request, response, file));
    const found = await target("owner/repo/big.gguf", { HF_ENDPOINT: hub.address, HF_TOKEN: "hf_secret" });
    expect(found).toMatchObject({ source: "header", sizeBytes: file.length, shape: { architecture: "qwen2" } });
    expect(new Set(hub.asked.map(({ url }) => url))).toEqual(new Set(["/owner/repo/resolve/main/big.gguf"]));
    expect(new Set(hub.asked.map(({ authorization }) => authorization))).toEqual(new Set(["Bearer hf_secret"]));
  });

  test("a quantization of a repository: the whole file, or all parts where there are only parts", async () => {
    const part = (number: number) => `model-q8_0-0000${number}-of-00003.gguf`;
    const first = encodeGguf(withKey(smallModel, "split.count", value.uint32(3)));
    const further = encodeGguf({ ...smallModel, metadata: [["split.count", value.uint32(3)]] });
    const paths = ["README.md", "model-q4_k_m.gguf", "model-q4_k_m-00001-of-00002.gguf", part(1), part(2), part(3)];
    const hub = await rangeServer((request, response) => {
      if (request.url?.startsWith("/api/") === true) {
        response.end(JSON.stringify(paths.map((path) => ({ type: "file", path, size: 1 }))));
      } else if (request.url?.includes("q4_k_m") === true) sendRange(request, response, encodeGguf(smallModel));
      else sendRange(request, response, request.url?.includes("00001-of") === true ? first : further);
    });
    const environment = { HF_ENDPOINT: hub.address };
    expect((await target("owner/repo:Q4_K_M", environment)).shape.weightBytes).toBe(48);
    expect((await target("owner/repo", environment)).shape.weightBytes).toBe(48);
    expect((await target("owner/repo:q8_0", environment)).shape.weightBytes).toBe(3 * 48);
    await expect(target("owner/repo:q2_k", environment)).rejects.toMatchObject({
      exitCode: 8,
      why: "it has no q2_k file.",
    });
  });

  test("of a repository without the usual quantization, the file that a pull would fetch", async () => {
    const paths = ["model-f16.gguf", "model-q5_k_m.gguf", "mmproj-model-q4_k_m.gguf"];
    const hub = await rangeServer((request, response) => {
      if (request.url?.startsWith("/api/") !== true) sendRange(request, response, encodeGguf(smallModel));
      else response.end(JSON.stringify(paths.map((path) => ({ type: "file", path, size: 1 }))));
    });
    await target("owner/repo@v1", { HF_ENDPOINT: hub.address });
    const asked = hub.asked.map(({ url }) => url).filter((url) => !url?.startsWith("/api/"));
    expect(new Set(asked)).toEqual(new Set(["/owner/repo/resolve/v1/model-q5_k_m.gguf"]));
  });

  test("nowhere: exit 5; not to be looked at: exit 8", async () => {
    await expect(target("nothing")).rejects.toMatchObject({ exitCode: 5 });
    const closed = await rangeServer((_, response) => response.writeHead(403, { "x-error-code": "GatedRepo" }).end());
    await expect(target("owner/repo/a.gguf", { HF_ENDPOINT: closed.address })).rejects.toMatchObject({
      exitCode: 8,
      why: expect.stringContaining("terms"),
    });
  });
});

describe("the picture", () => {
  const wishes = (slots: number): FitWishes => ({ contextLength: 8_192, slots, kv: "f16", batchSize: 512 });
  const picture = (slots: number, machine: Machine): string => {
    const shape = denseShape("Qwen2.5-Coder 32B");
    return fitPicture({
      asked: "big model",
      name: "Qwen2.5-Coder 32B",
      verdict: fitOf(shape, machine, wishes(slots)),
      wishes: wishes(slots),
      machine,
      inputBytes: shape.inputBytes,
      hardware: null,
    });
  };

  test("of what fits: a bar of the card, the sentence, the longest context", () => {
    const lines = picture(1, box3090).split("\n");
    expect(lines[0]).toBe("Qwen2.5-Coder 32B: 8,192 tokens per request, 1 slot, f16 KV");
    expect(lines[2]).toBe("NVIDIA GeForce RTX 3090, 23.7 GiB free");
    expect(lines[3]).toMatch(/^\[█{30,40}▓{3,5}▒{1,2}░{1,3}·{1,9}\]$/);
    expect(lines[4]).toMatch(/^█ weights 1\d\.\d GiB {3}▓ KV 2\.0 GiB {3}▒ compute .* free \d\.\d GiB$/);
    expect(lines[6]).toMatch(/^It fits on the NVIDIA GeForce RTX 3090/);
    expect(lines[7]).toMatch(/^Longest context with 1 slot: [\d,]+ tokens\. Speed: fast\.$/);
  });

  test("of what does not: what is missing, and commands that would fit", () => {
    const text = picture(8, machineWith([box3090.gpus[0] ?? (undefined as never)], 8));
    expect(text).toMatch(/short by \d+\.\d GiB/);
    expect(text).toContain("It would fit:\n  lanthorn models fit 'big model' --context 8192 --slots 2 ");
    expect(text).toContain("with 2 slots");
  });

  test("a command can be pasted whatever the model is called", () => {
    const alternative = { text: "", wishes: { ...wishes(2), kv: "q8_0" as const } };
    expect(commandOf({ asked: "it's", hardware: "a b.json" }, alternative)).toBe(
      "lanthorn models fit 'it'\\''s' --context 8192 --slots 2 --kv q8_0 --hardware 'a b.json'",
    );
  });
});

describe("the command, on the recorded 3090, of a model on a stand-in Hub", () => {
  const machine = resolve(import.meta.dirname, "../../fixtures/machines/rtx-3090.json");

  /** The header of the published shape; what comes after it is never asked for. */
  async function hubWith32B() {
    const { denseHeader, denseModels } = await import("../../support/model-shapes.ts");
    const { metadata, tensors } = denseHeader(denseModels["Qwen2.5-Coder 32B"]);
    const plan = {
      metadata: [
        ...[...metadata].map(([key, one]): GgufPlan["metadata"][number] => [
          key,
          one.type === "uint32"
            ? { type: "uint32", value: Number(one.value) }
            : { type: "string", value: one.type === "string" ? (one.value ?? "") : "" },
        ]),
        ["tokenizer.ggml.model", { type: "string", value: "gpt2" }],
        [
          "tokenizer.ggml.tokens",
          { type: "strings", value: Array.from({ length: 152_064 }, (_, token) => `t${token}`) },
        ],
      ] satisfies GgufPlan["metadata"],
      tensors: tensors.map(({ name, dimensions, typeId }) => ({ name, dimensions: dimensions.map(Number), typeId })),
    };
    const header = headerBytes(plan);
    const totalBytes = plan.tensors.reduce(
      (sum, one) => sum + Math.ceil(tensorDataBytes(one) / 32) * 32,
      header.length,
    );
    const hub = await rangeServer((request, response) => {
      const [, start = 0, end = 0] = (/^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? []).map(Number);
      const body = Buffer.alloc(end + 1 - start);
      body.set(header.subarray(start, end + 1));
      response.writeHead(206, { "content-range": `bytes ${start}-${end}/${totalBytes}`, etag: '"one"' }).end(body);
    });
    return { hub, headerLength: header.length };
  }

  test("Qwen2.5-Coder 32B at 8,192: one slot fits, four do not, and what would is printed; little is fetched", async () => {
    const { hub, headerLength } = await hubWith32B();
    const environment = { LANTHORN_HOME: temporaryFolder(), HF_ENDPOINT: hub.address };
    const words = ["models", "fit", "qwen2.5-coder-32b-instruct", "--context", "8192", "--hardware", machine];
    const one = await lanthorn([...words, "--slots", "1", "--json"], { environment });
    expect(one).toMatchObject({ code: 0, stderr: "" });
    const verdict = JSON.parse(one.stdout);
    expect(verdict).toMatchObject({ fits: true, placement: "gpu", source: "header", bytes: { kv: 2_147_483_648 } });
    expect(Math.abs(verdict.bytes.weights / 19_851_335_872 - 1)).toBeLessThan(0.01);
    const asked = hub.asked.map(({ range }) => /(\d+)-(\d+)/.exec(range ?? "") ?? []);
    const fetched = asked.reduce((sum, [, start, end]) => sum + Number(end) + 1 - Number(start), 0);
    expect(fetched).toBeLessThan(3 * headerLength);
    const four = await lanthorn([...words, "--slots", "4", "--json"], { environment });
    expect(four.code).toBe(6);
    expect(JSON.parse(four.stdout)).toMatchObject({
      fits: false,
      placement: "split",
      bytes: { kv: 4 * 2_147_483_648 },
    });
    const shown = await lanthorn([...words, "--slots", "4"], { environment });
    expect(shown.stdout).toMatch(/does not fit on the GPU as a whole[\s\S]*It would fit:[\s\S]*--slots 2 /);
  });

  test("without the Hub the catalog's facts do, and it says so", async () => {
    const environment = { LANTHORN_HOME: temporaryFolder(), HF_ENDPOINT: "http://127.0.0.1:9" };
    const words = [
      "models",
      "fit",
      "qwen2.5-coder-32b-instruct",
      "--context",
      "8192",
      "--slots",
      "1",
      "--hardware",
      machine,
    ];
    const outcome = await lanthorn(words, { environment });
    expect(outcome.code).toBe(0);
    expect(outcome.stderr).toContain("this is from the catalog");
    expect(outcome.stdout).toContain("KV 2.0 GiB");
  });
});

test("`lanthorn models fit` says what is wrong with a word before it looks at anything", async () => {
  const environment = { LANTHORN_HOME: temporaryFolder() };
  expect((await lanthorn(["models", "fit", "x", "--kv", "q3"], { environment })).code).toBe(2);
  expect((await lanthorn(["models", "fit", "x", "--slots", "0"], { environment })).code).toBe(2);
  const nowhere = await lanthorn(["models", "fit", "nothing-of-this-name", "--json"], { environment });
  expect(nowhere.code).toBe(5);
});
