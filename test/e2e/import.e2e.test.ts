/** A model that another tool fetched, served from where it lies: imported by the command, answering through the real server. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ensureDemoModel } from "../../models/demo/file.ts";
import { lanthorn } from "../server/cli/run-command.ts";
import { startServer } from "../support/running-server.ts";
import { postChat } from "../support/sse.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("a blob of Ollama's, without a .gguf in its name, answers; rm only forgets it, also while it is loaded", async () => {
  const [home, store] = [temporaryFolder(), temporaryFolder()];
  const content = readFileSync(await ensureDemoModel(temporaryFolder(), "second"));
  const hex = createHash("sha256").update(content).digest("hex");
  const blob = join(store, "blobs", `sha256-${hex}`);
  const manifests = join(store, "manifests", "registry.example", "library", "second");
  for (const folder of [join(store, "blobs"), manifests]) mkdirSync(folder, { recursive: true });
  writeFileSync(blob, content);
  const layers = [{ mediaType: "application/vnd.ollama.image.model", digest: `sha256:${hex}` }];
  writeFileSync(join(manifests, "latest"), JSON.stringify({ schemaVersion: 2, layers }));
  const before = statSync(blob);

  const environment = { LANTHORN_HOME: home, OLLAMA_MODELS: store };
  expect((await lanthorn(["models", "import", "ollama"], { environment })).code).toBe(0);
  const server = await startServer({ home });
  try {
    const body = { model: "second:latest", messages: [{ role: "user", content: "hello" }], max_tokens: 8 };
    const response = await postChat(server.url, body);
    expect(response.status).toBe(200);
    const { choices } = (await response.json()) as { choices: { message: { content: string } }[] };
    expect(choices[0]?.message.content).toMatch(/\w/);
    expect(await server.command("models", "rm", "second:latest")).toMatchObject({ code: 0 });
    expect((await postChat(server.url, body)).status).toBe(404);
  } finally {
    await server.remove();
  }
  expect((await lanthorn(["models", "list"], { environment })).stdout).not.toContain("second");
  const after = statSync(blob);
  expect([after.size, after.mtimeMs, after.ino]).toEqual([before.size, before.mtimeMs, before.ino]);
});
