/** A batch outlives its server: killed in the middle of it, the next one goes on, and no line is answered twice in the output. */
import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import OpenAI, { toFile } from "openai";
import { expect, test } from "vitest";
import { temporaryFolder, until } from "../support/real-engine.ts";
import { startServer } from "../support/running-server.ts";
import { startVendor } from "../support/vendors/vendor.ts";

const count = 40;

test("kill -9 in the middle, a torn last line: every line is in the output once", async () => {
  const folder = await temporaryFolder();
  const vendor = await startVendor({ wire: "openai", script: () => ({ firstMs: 40 }) });
  const environment = {
    LANTHORN_PROVIDERS: JSON.stringify({ cloud: { type: "custom", baseUrl: vendor.baseUrl, models: ["stand-in"] } }),
    LANTHORN_BATCH_KEEP_FREE_BYTES: "0",
  };
  const clientOf = (url: string) => new OpenAI({ apiKey: "none", baseURL: `${url}/v1`, maxRetries: 0 });
  const first = await startServer({ home: folder.path, environment });
  try {
    const lines = Array.from({ length: count }, (_, number) =>
      JSON.stringify({
        custom_id: `line-${number}`,
        method: "POST",
        url: "/v1/chat/completions",
        body: { model: "cloud/stand-in", messages: [{ role: "user", content: `number ${number}` }] },
      }),
    );
    const client = clientOf(first.url);
    const file = await client.files.create({ file: await toFile(Buffer.from(lines.join("\n"))), purpose: "batch" });
    const made = await client.batches.create({
      input_file_id: file.id,
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
    });
    await vendor.waitForAsked(15);
    await first.stop("SIGKILL");
    const written = readdirSync(join(folder.path, "batch"))
      .map((name) => join(folder.path, "batch", name))
      .find((path) => readFileSync(path, "utf8").startsWith('{"id":"batch_'));
    expect(written).toBeDefined();
    const before = readFileSync(written ?? "", "utf8")
      .trimEnd()
      .split("\n").length;
    expect(before).toBeGreaterThan(5);
    expect(before).toBeLessThan(count);
    appendFileSync(written ?? "", '{"id":"batch_torn","custom_id":"line-39","respo');

    const second = await startServer({ home: folder.path, environment });
    try {
      const later = clientOf(second.url);
      let batch = await later.batches.retrieve(made.id);
      await until("the batch is over", async () => {
        batch = await later.batches.retrieve(made.id);
        return batch.status === "completed";
      });
      expect(batch.request_counts).toEqual({ total: count, completed: count, failed: 0 });
      const text = await (await later.files.content(batch.output_file_id ?? "")).text();
      const answers = text
        .trimEnd()
        .split("\n")
        .map((one): { custom_id: string; response: { request_id: string } } => JSON.parse(one));
      const ids = answers.map(({ custom_id }) => custom_id);
      expect(ids).toHaveLength(count);
      expect(new Set(ids).size).toBe(count);
      // Those that were under way at the kill were asked a second time, and no others.
      expect(vendor.log.asked.length).toBeLessThanOrEqual(count + 4);
      const { stdout } = await second.command("usage", "show", answers[0]?.response.request_id ?? "", "--json");
      expect(JSON.parse(stdout)).toMatchObject({ status: "done", notes: [{ code: "batch_line" }] });
      expect(batch.usage?.output_tokens).toBeGreaterThanOrEqual(count);
    } finally {
      await second.remove();
    }
  } finally {
    await first.remove();
    await vendor.stop();
    await folder.remove();
  }
});
