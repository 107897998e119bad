/** What is found in the folders of other tools, as they lay them out, and what of it is refused. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { importSources } from "../../../models/import/index.ts";
import { aliasFrom, isModelFile } from "../../../models/import/names.ts";
import { naughtyStrings } from "../../support/naughty-strings.ts";
import { encodeGguf, smallModel } from "../../support/gguf-bytes.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const bytes = encodeGguf(smallModel);
const hash = createHash("sha256").update(bytes).digest("hex");

function put(path: string, content: string | Buffer = bytes): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const linux = { platform: "linux", home: "/home/mia", environment: {} } as const;

describe("Ollama", () => {
  const weights = "application/vnd.ollama.image.model";

  function manifest(...layers: readonly (readonly [mediaType: string, digest: string])[]): string {
    const config = { mediaType: "application/vnd.docker.container.image.v1+json", digest: `sha256:${"0".repeat(64)}` };
    const list = layers.map(([mediaType, digest]) => ({ mediaType, digest, size: 1 }));
    return JSON.stringify({ schemaVersion: 2, config, layers: list });
  }

  function store(manifests: Readonly<Record<string, string>>): string {
    const folder = temporaryFolder();
    put(join(folder, "blobs", `sha256-${hash}`));
    for (const [name, text] of Object.entries(manifests))
      put(join(folder, "manifests", "registry.example", name), text);
    return folder;
  }

  test("a manifest leads to its blob, under the name that Ollama has for it", async () => {
    const right = manifest([weights, `sha256:${hash}`], ["application/vnd.ollama.image.template", "sha256:1"]);
    const folder = store({ "library/qwen2.5-coder/7b": right, "mia/Own/latest": right });
    expect(await importSources.ollama.find(folder)).toEqual({
      models: [
        { alias: "qwen2.5-coder:7b", name: "qwen2.5-coder:7b", path: join(folder, "blobs", `sha256-${hash}`) },
        { alias: "mia/own:latest", name: "mia/Own:latest", path: join(folder, "blobs", `sha256-${hash}`) },
      ],
      problems: [],
    });
  });

  test.each([
    ["../../etc/passwd", /no SHA-256/],
    ["sha256:../../../../etc/passwd", /no SHA-256/],
    [`sha256:${hash}/../../x`, /no SHA-256/],
    [`sha256:${hash.slice(1)}`, /no SHA-256/],
    [`sha256:${hash.toUpperCase()}`, /no SHA-256/],
    [`sha256:${hash}\0`, /no SHA-256/],
    [`sha256-${"%2e".repeat(20)}ffff`, /no SHA-256/],
    ["/etc/passwd", /no SHA-256/],
    ["", /no SHA-256/],
    [`sha256:${"f".repeat(64)}`, /its blob is missing/],
  ])("a digest of %j is refused", async (digest, reason) => {
    const { models, problems } = await importSources.ollama.find(
      store({ "library/x/latest": manifest([weights, digest]) }),
    );
    expect(models).toEqual([]);
    expect(problems).toEqual([{ name: "x:latest", reason: expect.stringMatching(reason) }]);
  });

  test.each([
    ["no JSON", "{", /cannot be read/],
    ["another shape", "[]", /not of a shape/],
    ["no weights", manifest(["application/vnd.ollama.image.license", `sha256:${hash}`]), /names no weights/],
    ["two blobs", manifest([weights, `sha256:${hash}`], [weights, `sha256:${hash}`]), /several blobs/],
    [
      "an adapter",
      manifest([weights, `sha256:${hash}`], ["application/vnd.ollama.image.adapter", `sha256:${hash}`]),
      /an adapter/,
    ],
    ["a megabyte", " ".repeat(2 ** 20), /cannot be read/],
  ])("a manifest with %s is refused", async (_, text, reason) => {
    const { models, problems } = await importSources.ollama.find(store({ "library/x/latest": text }));
    expect({ models, problems }).toEqual({
      models: [],
      problems: [{ name: "x:latest", reason: expect.stringMatching(reason) }],
    });
  });

  test("a blob that is a link out of the store is refused", async () => {
    const folder = store({ "library/x/latest": manifest([weights, `sha256:${"a".repeat(64)}`]) });
    symlinkSync(put(join(temporaryFolder(), "secret.gguf")), join(folder, "blobs", `sha256-${"a".repeat(64)}`));
    expect((await importSources.ollama.find(folder)).problems).toEqual([
      { name: "x:latest", reason: "it is a link that leads out of its folder" },
    ]);
  });

  test("an absent store has nothing", async () => {
    expect(await importSources.ollama.find(join(temporaryFolder(), "none"))).toEqual({ models: [], problems: [] });
  });

  test("lies where OLLAMA_MODELS says, else at home and at the service's", () => {
    expect(importSources.ollama.folders({ ...linux, environment: { OLLAMA_MODELS: "/m" } })).toEqual(["/m"]);
    expect(importSources.ollama.folders(linux)).toEqual([
      "/home/mia/.ollama/models",
      "/usr/share/ollama/.ollama/models",
    ]);
    expect(importSources.ollama.folders({ ...linux, platform: "darwin" })).toEqual(["/home/mia/.ollama/models"]);
  });
});

describe("the Hub's cache", () => {
  const older = "a".repeat(40);
  const newer = "b".repeat(40);

  function cache(): { readonly folder: string; readonly blob: (name: string, content?: Buffer) => string } {
    const folder = temporaryFolder();
    const repository = join(folder, "models--Qwen--Qwen2.5-Coder-7B-Instruct-GGUF");
    put(join(repository, "refs", "main"), newer);
    return { folder, blob: (name, content) => put(join(repository, "blobs", name), content) };
  }

  function link(folder: string, revision: string, name: string, target: string): string {
    const path = join(folder, "models--Qwen--Qwen2.5-Coder-7B-Instruct-GGUF", "snapshots", revision, name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path);
    return path;
  }

  test("a snapshot's link is followed to its blob; of two snapshots with one blob there is one model", async () => {
    const { folder, blob } = cache();
    const target = blob("0123");
    link(folder, older, "coder-q4_k_m.gguf", target);
    const path = link(folder, newer, "coder-q4_k_m.gguf", target);
    link(folder, newer, "README.md", target);
    link(folder, newer, "mmproj-f16.gguf", target);
    expect(await importSources.hub.find(folder)).toEqual({
      models: [{ alias: "coder-q4_k_m", name: "Qwen/Qwen2.5-Coder-7B-Instruct-GGUF/coder-q4_k_m.gguf", path }],
      problems: [],
    });
  });

  test("an older snapshot with another file keeps its revision in the name", async () => {
    const { folder, blob } = cache();
    link(folder, older, "coder.gguf", blob("1", Buffer.concat([bytes, bytes])));
    link(folder, newer, "coder.gguf", blob("2"));
    const { models } = await importSources.hub.find(folder);
    expect(models.map(({ alias }) => alias)).toEqual(["coder", "coder@aaaaaaaa"]);
  });

  test("links that lead out, to themselves or nowhere are refused; a file that is no link is fine", async () => {
    const { folder } = cache();
    link(folder, newer, "out.gguf", put(join(temporaryFolder(), "x.gguf")));
    link(folder, newer, "up.gguf", "../../../../../etc/passwd");
    link(folder, newer, "loop.gguf", "loop.gguf");
    const plain = put(
      join(folder, "models--Qwen--Qwen2.5-Coder-7B-Instruct-GGUF", "snapshots", newer, "Q8_0", "plain.gguf"),
    );
    const { models, problems } = await importSources.hub.find(folder);
    expect(models.map(({ path }) => path)).toEqual([plain]);
    expect(problems.map(({ name, reason }) => [name.split("/").at(-1), reason])).toEqual([
      ["loop.gguf", "it is a link that leads to itself"],
      ["out.gguf", "it is a link that leads out of its folder"],
      ["up.gguf", expect.stringMatching(/no such file|leads out/)],
    ]);
  });

  test("lies where HF_HUB_CACHE or HF_HOME say, else in the user's cache", () => {
    const at = (environment: Record<string, string>) => importSources.hub.folders({ ...linux, environment });
    expect(at({ HF_HUB_CACHE: "/a", HF_HOME: "/b" })).toEqual(["/a"]);
    expect(at({ HF_HOME: "/b" })).toEqual(["/b/hub"]);
    expect(at({ XDG_CACHE_HOME: "/c" })).toEqual(["/c/huggingface/hub"]);
    expect(at({})).toEqual(["/home/mia/.cache/huggingface/hub"]);
  });
});

describe("LM Studio, llama.cpp and plain folders", () => {
  test("publisher/model/file, the first of several parts, no projectors", async () => {
    const folder = temporaryFolder();
    const path = put(join(folder, "bartowski", "Big-Coder-GGUF", "Big Coder-Q4_K_M.gguf"));
    const first = put(join(folder, "unsloth", "Huge-GGUF", "Huge-00001-of-00002.gguf"));
    put(join(folder, "unsloth", "Huge-GGUF", "Huge-00002-of-00002.gguf"));
    put(join(folder, "unsloth", "Huge-GGUF", "mmproj-Huge-f16.gguf"));
    put(join(folder, "unsloth", "Huge-GGUF", ".gguf.part"));
    expect(await importSources["lm-studio"].find(folder)).toEqual({
      models: [
        { alias: "big-coder-q4_k_m", name: "bartowski/Big-Coder-GGUF/Big Coder-Q4_K_M.gguf", path },
        { alias: "huge", name: "unsloth/Huge-GGUF/Huge-00001-of-00002.gguf", path: first },
      ],
      problems: [],
    });
  });

  test("llama.cpp keeps files beside each other; half a download is none", async () => {
    const folder = temporaryFolder();
    put(join(folder, "ggml-org_gpt-oss-20b-GGUF_gpt-oss-20b-mxfp4.gguf"));
    put(join(folder, "x.gguf.downloadInProgress"));
    put(join(folder, "x.gguf.json"), "{}");
    put(join(folder, "deeper", "y.gguf"));
    const { models } = await importSources["llama.cpp"].find(folder);
    expect(models.map(({ alias }) => alias)).toEqual(["ggml-org_gpt-oss-20b-gguf_gpt-oss-20b-mxfp4"]);
    const at = (platform: NodeJS.Platform, environment = {}) =>
      importSources["llama.cpp"].folders({ home: "/home/mia", platform, environment });
    expect(at("linux", { LLAMA_CACHE: "/l" })).toEqual(["/l"]);
    expect([at("linux"), at("darwin")]).toEqual([
      ["/home/mia/.cache/llama.cpp"],
      ["/home/mia/Library/Caches/llama.cpp"],
    ]);
  });

  test("a folder is looked at six deep, and never through a link to another folder", async () => {
    const folder = temporaryFolder();
    const other = temporaryFolder();
    put(join(other, "elsewhere.gguf"));
    symlinkSync(other, join(folder, "linked"));
    symlinkSync(folder, join(folder, "itself"));
    put(join(folder, "1", "2", "3", "4", "5", "6", "deep.gguf"));
    put(join(folder, "1", "2", "3", "4", "5", "6", "7", "deeper.gguf"));
    const { models } = await importSources.folder.find(folder);
    expect(models.map(({ alias }) => alias)).toEqual(["deep"]);
  });

  test.skipIf(process.platform === "win32")(
    "a pipe with the name of a model is refused without being opened",
    async () => {
      const folder = temporaryFolder();
      execFileSync("mkfifo", [join(folder, "pipe.gguf")]);
      expect(await importSources.folder.find(folder)).toEqual({
        models: [],
        problems: [{ name: "pipe.gguf", reason: "it is not a regular file" }],
      });
    },
  );
});

test("S-33 five hundred names: an alias is one plain word, or there is none", () => {
  let made = 0;
  for (const one of naughtyStrings) {
    const alias = aliasFrom(one);
    if (alias === null) continue;
    made += 1;
    expect(alias).toMatch(/^[^\s,]+$/u);
    expect(alias).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
    expect(Buffer.byteLength(alias)).toBeLessThanOrEqual(200);
  }
  expect(made).toBeGreaterThan(200);
  expect(naughtyStrings.filter((one) => isModelFile(`${one}.gguf`)).length).toBeGreaterThan(200);
});
