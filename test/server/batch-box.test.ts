/** Files and batches on a whole box, with the official SDK: the demo model and a stand-in vendor answer, two keys ask. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RealBox, realBox } from "../support/real-box.ts";
import { until } from "../support/real-engine.ts";
import { faults, startVendor, type Vendor } from "../support/vendors/vendor.ts";

const model = "lanthorn-demo";
let vendor: Vendor;
let box: RealBox;
let admin = "";
let ann: OpenAI;
let ben: OpenAI;

beforeAll(async () => {
  vendor = await startVendor({ wire: "openai" });
  const environment = {
    LANTHORN_PROVIDERS: JSON.stringify({
      cloud: {
        type: "custom",
        baseUrl: vendor.baseUrl,
        models: [{ id: "stand-in", capabilities: ["chat", "embeddings"] }],
      },
    }),
    LANTHORN_BATCH_FILE_LIMIT_BYTES: "300000",
    LANTHORN_BATCH_STORE_BYTES: "1000000",
    LANTHORN_BATCH_KEEP_FREE_BYTES: "0",
  };
  box = await realBox(environment, { environment });
  admin = readFileSync(join(box.home, "admin.key"), "utf8").trim();
  ann = await member("ann");
  ben = await member("ben");
});
afterAll(async () => {
  await box.stop();
  await vendor.stop();
});

async function byAdmin(method: string, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(`${box.started.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return answer.json();
}

async function member(name: string): Promise<OpenAI> {
  const { secret } = (await byAdmin("POST", "/admin/keys", { name })) as { secret: string };
  return new OpenAI({ apiKey: secret, baseURL: `${box.started.url}/v1`, maxRetries: 0 });
}

const line = (custom_id: string, body: object, url = "/v1/chat/completions") =>
  JSON.stringify({ custom_id, method: "POST", url, body });
const ask = (custom_id: string, content: string, more: object = {}) =>
  line(custom_id, { model, messages: [{ role: "user", content }], max_tokens: 8, temperature: 0, ...more });

async function upload(client: OpenAI, lines: readonly string[]): Promise<OpenAI.FileObject> {
  return client.files.create({
    file: await toFile(Buffer.from(`${lines.join("\n")}\n`), "in.jsonl"),
    purpose: "batch",
  });
}

async function begun(
  client: OpenAI,
  lines: readonly string[],
  endpoint: "/v1/chat/completions" | "/v1/embeddings" | "/v1/responses" | "/v1/completions" = "/v1/chat/completions",
  headers = {},
) {
  const file = await upload(client, lines);
  return client.batches.create(
    { input_file_id: file.id, endpoint, completion_window: "24h", metadata: { team: "lamps" } },
    { headers },
  );
}

async function ended(client: OpenAI, id: string): Promise<OpenAI.Batch> {
  let batch = await client.batches.retrieve(id);
  await until(
    "the batch is over",
    async () => {
      batch = await client.batches.retrieve(id);
      return ["completed", "failed", "cancelled", "expired"].includes(batch.status);
    },
    20_000,
  );
  return batch;
}

interface Answered {
  readonly id: string;
  readonly custom_id: string;
  readonly response: {
    readonly status_code: number;
    readonly request_id: string;
    readonly body: Record<string, unknown>;
  } | null;
  readonly error: { readonly code: string } | null;
}

async function answers(client: OpenAI, id: string | undefined): Promise<readonly Answered[]> {
  const text = await (await client.files.content(id ?? "")).text();
  return text
    .trimEnd()
    .split("\n")
    .map((one): Answered => JSON.parse(one));
}

describe("a batch of chats", () => {
  let batch: OpenAI.Batch;
  test("every line is answered as its endpoint answers, and what fails is told apart", async () => {
    const made = await begun(ann, [
      ask("a", "hello"),
      ask("b", "hi", { max_tokens: -1 }),
      ask("c", "hello", { model: "nobody" }),
      "",
      ask("d", "hello"),
    ]);
    expect(made).toMatchObject({
      object: "batch",
      status: "validating",
      completion_window: "24h",
      metadata: { team: "lamps" },
    });
    expect(made.expires_at).toBe(made.created_at + 86_400);
    batch = await ended(ann, made.id);
    expect(batch).toMatchObject({ status: "completed", request_counts: { total: 4, completed: 2, failed: 2 } });
    const good = await answers(ann, batch.output_file_id);
    expect(good.map(({ custom_id }) => custom_id).toSorted()).toEqual(["a", "d"]);
    const [first] = good;
    expect(first).toMatchObject({
      error: null,
      response: { status_code: 200, body: { object: "chat.completion", model } },
    });
    const whole = await ann.chat.completions.create({
      model,
      messages: [{ role: "user", content: "hello" }],
      max_tokens: 8,
      temperature: 0,
    });
    expect(first?.response?.body.choices).toEqual(whole.choices);
    const bad = await answers(ann, batch.error_file_id);
    expect(Object.fromEntries(bad.map(({ custom_id, response }) => [custom_id, response?.status_code]))).toEqual({
      b: 400,
      c: 404,
    });
    expect(batch.usage?.output_tokens).toBe(16);
  });

  test("each line has one row that names the batch, with the key's name and the endpoint's dialect", async () => {
    for (const { response } of [
      ...(await answers(ann, batch.output_file_id)),
      ...(await answers(ann, batch.error_file_id)),
    ]) {
      const row = (await byAdmin("GET", `/admin/usage/requests/${response?.request_id}`)) as Record<string, unknown>;
      expect(row).toMatchObject({
        dialect: "openai-chat",
        callerName: "ann",
        status: response?.status_code === 200 ? "done" : "refused",
      });
      expect(JSON.stringify(row.notes)).toContain(batch.id);
    }
  });

  test("another key sees neither the batch nor its files, and cannot run one over them", async () => {
    const { output_file_id: output = "", input_file_id: input } = batch;
    const tries = [
      () => ben.batches.retrieve(batch.id),
      () => ben.batches.cancel(batch.id),
      () => ben.files.retrieve(output),
      () => ben.files.content(input),
      () => ben.files.delete(output),
      () => ben.batches.create({ input_file_id: input, endpoint: "/v1/chat/completions", completion_window: "24h" }),
    ];
    for (const one of tries) await expect(one()).rejects.toMatchObject({ status: 404 });
    expect((await ben.files.list()).data).toEqual([]);
    expect((await ben.batches.list()).data).toEqual([]);
    expect((await ann.batches.list()).data.map(({ id }) => id)).toContain(batch.id);
  });

  test("contents are for their owner only, and gone when the file is deleted", async () => {
    const folder = join(box.home, "batch");
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    const output = batch.output_file_id ?? "";
    expect(await ann.files.delete(output)).toEqual({ id: output, object: "file", deleted: true });
    expect(readdirSync(folder)).not.toContain(output);
    await expect(ann.files.content(output)).rejects.toMatchObject({ status: 404 });
  });
});

test("a file with a wrong line runs nothing, and the error names the line", async () => {
  vendor.clear();
  const wrong = [
    ask("a", "x", { model: "cloud/stand-in" }),
    "{not json",
    ask("a", "y"),
    line("e", { model }, "/v1/embeddings"),
    ask("s", "z", { stream: true }),
    line("n", {}),
  ];
  const batch = await ended(ann, (await begun(ann, wrong)).id);
  expect(batch).toMatchObject({ status: "failed", request_counts: { total: 0, completed: 0, failed: 0 } });
  expect(batch.errors?.data?.map(({ line: number, code }) => [number, code])).toEqual([
    [2, "invalid_json_line"],
    [3, "duplicate_custom_id"],
    [4, "mismatched_endpoint"],
    [5, "invalid_request"],
    [6, "invalid_request"],
  ]);
  expect(vendor.log.asked).toHaveLength(0);
});

test("completions and responses run too", async () => {
  const completions = await ended(
    ann,
    (await begun(ann, [line("p", { model, prompt: "hello", max_tokens: 4 }, "/v1/completions")], "/v1/completions")).id,
  );
  expect((await answers(ann, completions.output_file_id))[0]).toMatchObject({
    response: { body: { object: "text_completion" } },
  });
  const responses = await ended(
    ann,
    (await begun(ann, [line("r", { model, input: "hello", max_output_tokens: 16 }, "/v1/responses")], "/v1/responses"))
      .id,
  );
  expect((await answers(ann, responses.output_file_id))[0]).toMatchObject({
    response: { body: { object: "response" } },
  });
});

test("S-25 local only: what the batch's own headers say holds for every line", async () => {
  vendor.clear();
  const made = await begun(ann, [ask("out", "keep this here", { model: "cloud/stand-in" })], "/v1/chat/completions", {
    "x-lanthorn-data": "local",
  });
  expect(await ended(ann, made.id)).toMatchObject({ status: "completed", request_counts: { total: 1, failed: 1 } });
  expect(vendor.log.connections).toBe(0);
});

test("cancel: what ran is kept, what did not says so, and nothing more is asked", async () => {
  vendor.script(() => ({ fault: faults.silent }));
  vendor.clear();
  const made = await begun(
    ann,
    ["1", "2", "3", "4", "5", "6"].map((id) => ask(id, "hello", { model: "cloud/stand-in" })),
  );
  await vendor.waitForAsked(1);
  await expect(ann.files.delete(made.input_file_id)).rejects.toMatchObject({ status: 400 });
  expect((await ann.batches.cancel(made.id)).status).toMatch(/cancel/);
  const batch = await ended(ann, made.id);
  expect(batch).toMatchObject({ status: "cancelled", request_counts: { total: 6, completed: 0, failed: 6 } });
  expect(batch.cancelled_at).toBeGreaterThanOrEqual(batch.cancelling_at ?? Infinity);
  const rest = await answers(ann, batch.error_file_id);
  expect(new Set(rest.map(({ error }) => error?.code))).toEqual(new Set(["batch_cancelled"]));
  await expect(ann.batches.cancel(made.id)).rejects.toMatchObject({ status: 400 });
  vendor.script();
});

test("a revoked key's batch stops, and its files go", async () => {
  vendor.script(() => ({ fault: faults.silent }));
  vendor.clear();
  const before = readdirSync(join(box.home, "batch")).toSorted().join();
  const { key, secret } = (await byAdmin("POST", "/admin/keys", { name: "cat" })) as {
    key: { id: number };
    secret: string;
  };
  const cat = new OpenAI({ apiKey: secret, baseURL: `${box.started.url}/v1`, maxRetries: 0 });
  const made = await begun(cat, [ask("1", "hello", { model: "cloud/stand-in" })]);
  await vendor.waitForAsked(1);
  await byAdmin("DELETE", `/admin/keys/${key.id}`);
  await expect(cat.batches.retrieve(made.id)).rejects.toMatchObject({ status: 401 });
  // Its output files go too, when the line under way has been left.
  await until("nothing of it is left", () => readdirSync(join(box.home, "batch")).toSorted().join() === before);
  vendor.script();
});

describe("what is not taken", () => {
  const post = (body: string | FormData, headers = {}) =>
    fetch(`${box.started.url}/v1/files`, {
      method: "POST",
      body,
      headers: { authorization: `Bearer ${admin}`, ...headers },
    });
  const form = (fields: Readonly<Record<string, string>>, bytes = 10, field = "file") => {
    const made = new FormData();
    made.set(field, new Blob(["x".repeat(bytes)]), "in.jsonl");
    for (const [name, value] of Object.entries(fields)) made.set(name, value);
    return made;
  };
  test.each([
    ["no form", () => post("{}", { "content-type": "application/json" }), 415, "unsupported_media_type"],
    ["no boundary", () => post("x", { "content-type": "multipart/form-data; x=1" }), 400, "invalid_request"],
    [
      "half a form",
      () =>
        post('--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf', {
          "content-type": "multipart/form-data; boundary=b",
        }),
      400,
      "invalid_request",
    ],
    ["no file", () => post(form({ purpose: "batch" }, 1, "other")), 400, "invalid_request"],
    ["another purpose", () => post(form({ purpose: "fine-tune" })), 400, "invalid_request"],
    ["no purpose", () => post(form({})), 400, "invalid_request"],
    [
      "too soon gone",
      () => post(form({ purpose: "batch", "expires_after[anchor]": "created_at", "expires_after[seconds]": "5" })),
      400,
      "invalid_request",
    ],
    ["too large", () => post(form({ purpose: "batch" }, 300_001)), 413, "payload_too_large"],
  ])("%s", async (_name, sent, status, code) => {
    const before = readdirSync(join(box.home, "batch"));
    const answer = await sent();
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { code } });
    expect(readdirSync(join(box.home, "batch"))).toEqual(before);
  });

  test("more than the store may hold: a clear error, until something is deleted", async () => {
    const kept: string[] = [];
    let refused: { status: number; error?: { code: string; message: string } } = { status: 200 };
    for (let tries = 0; tries < 6 && refused.status === 200; tries += 1) {
      const answer = await post(
        form({ purpose: "batch", "expires_after[anchor]": "created_at", "expires_after[seconds]": "3600" }, 299_000),
      );
      const said = (await answer.json()) as {
        id?: string;
        expires_at: number;
        created_at: number;
        error?: { code: string; message: string };
      };
      if (said.id === undefined) refused = { status: answer.status, ...(said.error ? { error: said.error } : {}) };
      else {
        kept.push(said.id);
        expect(said.expires_at - said.created_at).toBe(3600);
      }
    }
    expect(refused).toMatchObject({ status: 507, error: { code: "storage_full" } });
    expect(refused.error?.message).toContain("DELETE /v1/files");
    for (const id of kept)
      await fetch(`${box.started.url}/v1/files/${id}`, {
        method: "DELETE",
        headers: { authorization: `Bearer ${admin}` },
      });
    expect((await post(form({ purpose: "batch" }))).status).toBe(200);
  });
});
