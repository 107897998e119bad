/** `lanthorn models import` and `rm`, as processes: what they say, and what is on the disk afterwards. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeGguf, smallModel, value, withKey, writeGgufParts } from "../../../support/gguf-bytes.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { idleState, refuse, servedModels, startAdminStub } from "../admin-stub.ts";
import { lanthorn } from "../run-command.ts";

const bytes = encodeGguf(smallModel);
const hash = createHash("sha256").update(bytes).digest("hex");

function put(path: string, content: string | Buffer = bytes): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** A store of Ollama's with one good model and one whose manifest points out of it. */
function ollamaStore(): string {
  const folder = temporaryFolder();
  const manifest = (digest: string) =>
    JSON.stringify({ layers: [{ mediaType: "application/vnd.ollama.image.model", digest }] });
  put(join(folder, "blobs", `sha256-${hash}`));
  put(join(folder, "manifests", "registry.example", "library", "coder", "7b"), manifest(`sha256:${hash}`));
  put(join(folder, "manifests", "registry.example", "library", "evil", "latest"), manifest("sha256:../../../../x"));
  return folder;
}

function homeWithModels(): { readonly home: string; readonly environment: Record<string, string> } {
  const home = temporaryFolder();
  mkdirSync(join(home, "models"));
  return { home, environment: { LANTHORN_HOME: home } };
}

describe("lanthorn models import", () => {
  test("--list shows and changes nothing; without it the model is in models list, and rm only forgets it", async () => {
    const store = ollamaStore();
    const { home, environment: own } = homeWithModels();
    const environment = { ...own, OLLAMA_MODELS: store };
    const listed = await lanthorn(["models", "import", "ollama", "--list"], { environment });
    expect(listed).toMatchObject({ code: 0, stderr: "" });
    expect(listed.stdout).toMatch(/^coder:7b +coder:7b +\d+ B +found$/m);
    expect(listed.stdout).toMatch(
      /^– +evil:latest +– +refused: its manifest names a blob by something that is no SHA-256$/m,
    );
    expect(readdirSync(join(home, "models"))).toEqual([]);

    const done = await lanthorn(["models", "import", "ollama"], { environment });
    expect(done).toMatchObject({ code: 0, stderr: "1 model imported; nothing was copied.\n" });
    const models = JSON.parse((await lanthorn(["models", "list", "--json"], { environment })).stdout);
    expect(models).toMatchObject([{ alias: "coder:7b", fileName: "coder:7b", state: "on-disk" }]);
    const again = JSON.parse(
      (await lanthorn(["models", "import", "ollama", "coder:7b", "--json"], { environment })).stdout,
    );
    expect(again).toEqual([
      { alias: "coder:7b", name: "coder:7b", sizeBytes: bytes.length, state: "known", reason: "" },
    ]);

    const removed = await lanthorn(["models", "rm", "coder:7b"], { environment });
    expect(removed).toMatchObject({ code: 0, stdout: "coder:7b is forgotten. Its file stays where it is.\n" });
    expect(existsSync(join(store, "blobs", `sha256-${hash}`))).toBe(true);
    expect((await lanthorn(["models", "list", "--json"], { environment })).stdout).toBe("[]\n");
  });

  test("any folder: what is broken or has an alias that is taken is refused, the rest is imported", async () => {
    const { home, environment } = homeWithModels();
    writeGgufParts(join(home, "models"), "taken.gguf", smallModel);
    const folder = temporaryFolder();
    for (const name of ["Taken.gguf", "fine.gguf"]) put(join(folder, name));
    put(join(folder, "broken.gguf"), "GGUF");
    const outcome = await lanthorn(["models", "import", folder, "--json"], { environment });
    expect(JSON.parse(outcome.stdout)).toEqual([
      {
        alias: "taken",
        name: "Taken.gguf",
        sizeBytes: null,
        state: "refused",
        reason: "its alias is already that of taken.gguf",
      },
      {
        alias: "broken",
        name: "broken.gguf",
        sizeBytes: null,
        state: "refused",
        reason: "the file ends inside the version: it is truncated",
      },
      { alias: "fine", name: "fine.gguf", sizeBytes: bytes.length, state: "imported", reason: "" },
    ]);
  });

  test("a tool that is not there, a folder that is not there, a model that is not there", async () => {
    const { environment } = homeWithModels();
    const at = { environment: { ...environment, OLLAMA_MODELS: join(temporaryFolder(), "none") } };
    expect(await lanthorn(["models", "import", "ollama"], at)).toMatchObject({
      code: 5,
      stderr: expect.stringContaining("Ollama keeps no models here"),
    });
    expect(await lanthorn(["models", "import", "/nonexistent/models"], at)).toMatchObject({
      code: 5,
      stderr: expect.stringContaining("There is no folder /nonexistent/models"),
    });
    expect(await lanthorn(["models", "import", temporaryFolder(), "x"], at)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("There is no x to import"),
    });
  });
});

describe("lanthorn models rm", () => {
  test("asks before it deletes, and then deletes all parts", async () => {
    const { home, environment } = homeWithModels();
    const folder = join(home, "models");
    const split = withKey(smallModel, "split.count", value.uint32(2));
    writeGgufParts(folder, "Big-00001-of-00002.gguf", split);
    writeGgufParts(folder, "Big-00002-of-00002.gguf", split);
    put(join(folder, "other.gguf"));
    const asked = await lanthorn(["models", "rm", "big"], { environment });
    expect(asked).toMatchObject({ code: 2, stdout: "" });
    expect(asked.stderr).toContain("Delete Big-00001-of-00002.gguf and 1 more part (");
    expect(asked.stderr).toContain("lanthorn models rm big --yes");
    expect(readdirSync(folder)).toHaveLength(3);
    const done = await lanthorn(["models", "rm", "big", "--yes", "--json"], { environment });
    expect(JSON.parse(done.stdout)).toMatchObject({
      alias: "big",
      done: "deleted",
      files: ["Big-00001-of-00002.gguf", "Big-00002-of-00002.gguf"],
    });
    expect(readdirSync(folder)).toEqual(["other.gguf"]);
  });

  test("of a link only the link goes", async () => {
    const { home, environment } = homeWithModels();
    const target = put(join(temporaryFolder(), "theirs.gguf"));
    symlinkSync(target, join(home, "models", "linked.gguf"));
    expect((await lanthorn(["models", "rm", "linked", "--yes"], { environment })).code).toBe(0);
    expect(readdirSync(join(home, "models"))).toEqual([]);
    expect(existsSync(target)).toBe(true);
  });

  test("what the settings name is refused with its line, and stays", async () => {
    const { home, environment } = homeWithModels();
    const path = put(join(temporaryFolder(), "named.gguf"));
    writeFileSync(
      join(home, "lanthorn.yaml"),
      `port: 0\nmodels:\n  - path: /x.gguf\n  - path: ${path}\n    alias: coder\n`,
    );
    const outcome = await lanthorn(["models", "rm", "coder", "--yes"], { environment });
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain(`Take it out there: ${join(home, "lanthorn.yaml")}, line 4.`);
    expect(existsSync(path)).toBe(true);
  });

  test("the demo, a slip of the keyboard, and names that would lead out of the folder", async () => {
    const { home, environment } = homeWithModels();
    put(join(home, "models", "lanthorn-demo.gguf"));
    put(join(home, "models", "coder.gguf"));
    const secret = put(join(home, "secret.gguf"));
    expect(await lanthorn(["models", "rm", "lanthorn-demo", "--yes"], { environment })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("is the demo model"),
    });
    expect(await lanthorn(["models", "rm", "codr", "--yes"], { environment })).toMatchObject({
      code: 5,
      stderr: expect.stringContaining("Did you mean coder?"),
    });
    for (const name of ["../secret.gguf", secret]) {
      expect((await lanthorn(["models", "rm", name, "--yes"], { environment })).code, name).toBe(5);
    }
    expect(existsSync(secret)).toBe(true);
    expect(readdirSync(join(home, "models")).sort()).toEqual(["coder.gguf", "lanthorn-demo.gguf"]);
  });

  test("what a running server computes with is refused, and elsewhere nothing is removed", async () => {
    const { home } = homeWithModels();
    put(join(home, "models", "coder.gguf"));
    const stub = await startAdminStub({
      "GET /admin/state": idleState,
      "GET /v1/models": servedModels,
      "POST /admin/models/coder/unload": (response) =>
        refuse(response, 409, { code: "model_busy", message: '"coder" is in use.' }),
    });
    // Its own server, as its file says: LANTHORN_URL alone would be another machine's.
    writeFileSync(join(home, "server.json"), JSON.stringify({ pid: process.pid, url: stub.url, startedAtMs: 1 }));
    const environment = { LANTHORN_HOME: home };
    const outcome = await lanthorn(["models", "rm", "coder", "--yes"], { environment });
    expect(outcome).toMatchObject({ code: 6, stderr: expect.stringContaining("is answering with coder") });
    const elsewhere = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    expect(await lanthorn(["models", "rm", "coder", "--yes"], { environment: elsewhere })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("on their own box"),
    });
    expect(existsSync(join(home, "models", "coder.gguf"))).toBe(true);
  });
});
