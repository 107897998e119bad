/** S-33: five hundred hostile strings wherever a client may put text: never a 5xx, and the very same text comes back. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { halfPairs, naughtyStrings } from "../support/naughty-strings.ts";
import { type RealBox, realBox } from "../support/real-box.ts";
import { lanthorn } from "./cli/run-command.ts";
import { finished, hello, openRoom, type Room, text } from "./http/room.ts";

/** What a row keeps of a model's name: 200 UTF-16 units, and half a pair as U+FFFD. */
function kept(alias: string): string {
  return alias.slice(0, 200).toWellFormed();
}

/** RFC 4180, so that the test does not judge the product by itself. */
function cellsOf(csv: string): string[][] {
  const rows: string[][] = [[]];
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n|$)/gy;
  for (let found = cell.exec(csv); found !== null; found = cell.exec(csv)) {
    const [, raw = "", end] = found;
    rows.at(-1)?.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    if (cell.lastIndex === csv.length) break;
    if (end === "\r\n") rows.push([]);
  }
  return rows;
}

test("the corpus has 500 strings and more, all well-formed", () => {
  expect(naughtyStrings.length).toBeGreaterThanOrEqual(500);
  expect(naughtyStrings.filter((one) => !one.isWellFormed())).toEqual([]);
});

describe("S-33 on the way in", () => {
  let room: Room;
  beforeAll(async () => {
    room = await openRoom();
    room.script = null;
  });
  afterAll(() => room.close());

  test("model, prompt, tool, stop and user arrive at the spine as they were sent", async () => {
    for (const one of [...naughtyStrings, ...halfPairs]) {
      const answer = room.post({
        model: one,
        messages: [
          { role: "system", content: one, name: one },
          { role: "user", content: [{ type: "text", text: one }] },
        ],
        tools: [
          {
            type: "function",
            function: { name: one, description: one, parameters: { properties: { [one]: { description: one } } } },
          },
        ],
        stop: one.slice(0, 1000),
        metadata: { [one]: one },
        user: one,
        [one]: one,
      });
      // A field that the string happens to name may be refused for its value; nothing else may.
      const performance = await room.next();
      expect(performance.request).toMatchObject({
        model: one,
        messages: [{ content: [{ text: one }] }, { content: [{ text: one }] }],
        tools: [{ name: one, description: one, parameters: { properties: { [one]: { description: one } } } }],
        stop: [one.slice(0, 1000)],
      });
      performance.emit(text(one), finished);
      const response = await answer;
      expect(response.status, JSON.stringify(one)).toBe(200);
      const body = (await response.json()) as { model: string; choices: { message: { content: string } }[] };
      expect(body.choices[0]?.message.content, JSON.stringify(one)).toBe(one);
      expect(body.model).toBe(one);
    }
  });

  test("a stream carries them unharmed, and none of them can forge a frame", async () => {
    room.script = ({ request, emit }) => {
      const [part] = request.messages[0]?.content ?? [];
      emit(text(part?.type === "text" ? part.text : ""), finished);
    };
    // Every third, for time.
    for (const one of naughtyStrings.filter((_, index) => index % 3 === 0)) {
      const response = await room.post({ ...hello, stream: true, messages: [{ role: "user", content: one }] });
      const frames = (await response.text()).split("\n\n").filter((frame) => frame.startsWith("data: "));
      expect(frames.at(-1)).toBe("data: [DONE]");
      const chunks = frames.slice(0, -1).map((frame) => JSON.parse(frame.slice("data: ".length)));
      expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe(one);
    }
    room.script = null;
  });
});

describe("S-33 in the books", () => {
  let box: RealBox;
  let admin: Record<string, string>;
  /** Request id → the model's name it asked for. */
  const asked = new Map<string, string>();
  beforeAll(async () => {
    box = await realBox();
    const key = readFileSync(join(box.home, "admin.key"), "utf8").trim();
    admin = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    for (const one of naughtyStrings) {
      const response = await fetch(`${box.started.url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ ...hello, model: one }),
      });
      expect(response.status, JSON.stringify(one)).toBe(404);
      asked.set(response.headers.get("x-request-id") ?? "", one);
      const { error } = (await response.json()) as { error: { param: string } };
      expect(error.param).toBe("model");
    }
  });
  afterAll(() => box.stop());

  const ask = (path: string) => fetch(`${box.started.url}${path}`, { headers: admin });

  test("every row has the name as it was sent: single, listed, as JSON lines and as CSV", async () => {
    const { requests } = (await (await ask("/admin/usage/requests?limit=1000")).json()) as {
      requests: { id: string; alias: string }[];
    };
    expect(requests).toHaveLength(naughtyStrings.length);
    for (const { id, alias } of requests) expect(alias).toBe(kept(asked.get(id) ?? ""));

    const lines = (await (await ask("/admin/usage/export?format=jsonl")).text()).trimEnd().split("\n");
    expect(lines).toHaveLength(naughtyStrings.length);
    for (const line of lines) {
      const { id, alias } = JSON.parse(line);
      expect(alias).toBe(kept(asked.get(id) ?? ""));
    }

    const [header = [], ...rows] = cellsOf(await (await ask("/admin/usage/export?format=csv")).text());
    const found = rows.filter((row) => row.length > 1);
    expect(found).toHaveLength(naughtyStrings.length);
    for (const row of found) {
      expect(row).toHaveLength(header.length);
      const alias = row[header.indexOf("alias")] ?? "";
      // Nothing a spreadsheet would compute, and the text itself behind the mark.
      expect(alias).not.toMatch(/^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/);
      expect(alias.replace(/^'/, "")).toBe(kept(asked.get(row[header.indexOf("id")] ?? "") ?? ""));
    }
  });

  test("`lanthorn usage show` gives the text as JSON, and nothing that steers a terminal to a person", async () => {
    const environment = { LANTHORN_HOME: box.home };
    const chosen = ["\x1b[2J\x1b[H", "abc\u202edcba\u202c"];
    for (const [id, alias] of [...asked].filter(([, one]) => chosen.includes(one))) {
      const json = await lanthorn(["usage", "show", id, "--json"], { environment });
      expect(JSON.parse(json.stdout)).toMatchObject({ id, alias });
      const shown = await lanthorn(["usage", "show", id], { environment });
      expect(shown.code).toBe(0);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be shown
      expect(shown.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    }
  });

  test("keys take what is one line of text, as it is; the rest is a 400 with the field", async () => {
    const isLine = (one: string) => one.trim() !== "" && one.length <= 100 && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(one.trim());
    let taken = 0;
    for (const one of naughtyStrings) {
      const body = JSON.stringify({ name: one, label: one });
      const response = await fetch(`${box.started.url}/admin/keys`, { method: "POST", headers: admin, body });
      const answer: unknown = await response.json();
      if (isLine(one)) {
        expect(response.status, JSON.stringify(one)).toBe(201);
        expect(answer).toMatchObject({ key: { name: one.trim(), label: one.trim() } });
        taken += 1;
      } else {
        expect(response.status, JSON.stringify(one)).toBe(400);
        expect(answer).toMatchObject({ error: { param: "name" } });
      }
    }
    expect(taken).toBeGreaterThan(400);
    const { keys } = (await (await ask("/admin/keys")).json()) as { keys: { name: string; label: string | null }[] };
    const names = new Set(keys.map(({ name }) => name));
    expect(naughtyStrings.filter((one) => isLine(one) && !names.has(one.trim()))).toEqual([]);
  });

  test("half of a surrogate pair is no fault of ours either, and is marked where it cannot be kept", async () => {
    for (const one of halfPairs) {
      const response = await fetch(`${box.started.url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ ...hello, model: one }),
      });
      expect(response.status).toBe(404);
      const record = await ask(`/admin/usage/requests/${response.headers.get("x-request-id")}`);
      expect(await record.json()).toMatchObject({ alias: one.toWellFormed() });
      const key = await fetch(`${box.started.url}/admin/keys`, {
        method: "POST",
        headers: admin,
        body: JSON.stringify({ name: one }),
      });
      expect(key.status).toBe(400);
    }
  });

  test("paths, queries and header values made of them are answered, never with a 5xx", async () => {
    for (const [index, one] of naughtyStrings.entries()) {
      const part = encodeURIComponent(one);
      const paths = [
        `/v1/models/${part}`,
        `/admin/usage/requests/${part}`,
        `/admin/keys/${part}`,
        `/${part}`,
        `/health?${part}`,
      ];
      const path = paths[index % paths.length] ?? "";
      expect((await ask(path)).status, path).toBeLessThan(500);
    }
  });
});
