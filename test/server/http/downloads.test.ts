/** `/admin/downloads` over a real port and real downloads. */
import { afterAll, expect, test } from "vitest";
import { hubWith, mebibyte, stage } from "../../support/download-stage.ts";
import { openRoom, type Room } from "./room.ts";

let room: Room | null = null;

afterAll(async () => {
  await room?.close();
});

test("started, listed, paused, resumed and cancelled by an admin; wrong wishes are named", async () => {
  const { hub } = await hubWith(20 * mebibyte);
  const here = await stage(hub, { script: { bytesPerSecond: 8 * mebibyte } });
  room = await openRoom({ downloads: here.downloads });
  const { url, adminKey, inferenceKey } = room;
  const ask = (method: string, path: string, body?: unknown, key = adminKey) =>
    fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  expect((await ask("POST", "/admin/downloads", { model: "acme/coder-GGUF" }, inferenceKey)).status).toBe(403);
  const started = await ask("POST", "/admin/downloads", { model: "acme/coder-GGUF", alias: "coder" });
  expect(started.status).toBe(202);
  const { download } = (await started.json()) as { download: { id: string } };
  await here.until(download.id, "downloading");
  expect(await (await ask("GET", "/admin/downloads")).json()).toMatchObject({
    downloads: [{ id: download.id, model: "acme/coder-GGUF", alias: "coder", bytes: expect.any(Number) }],
  });
  const act = async (action: string) => (await ask("POST", `/admin/downloads/${download.id}/${action}`)).json();
  expect(await act("pause")).toMatchObject({ download: { state: "paused" } });
  expect(await act("resume")).toMatchObject({ download: { id: download.id, trouble: null } });
  expect(await act("cancel")).toMatchObject({ download: { state: "cancelled", doneBytes: 0 } });

  const refusal = async (body: unknown) => {
    const response = await ask("POST", "/admin/downloads", body);
    return [response.status, ((await response.json()) as { error: { param?: string } }).error.param];
  };
  expect(await refusal({})).toEqual([400, "model"]);
  expect(await refusal({ model: "../../etc/passwd" })).toEqual([400, "model"]);
  expect(await refusal({ model: "acme/coder-GGUF", alias: "../x" })).toEqual([400, "alias"]);
  expect(await refusal({ model: "acme/coder-GGUF", rateBytesPerSecond: -1 })).toEqual([400, "rateBytesPerSecond"]);
  expect((await ask("POST", "/admin/downloads/dl_000000000000/pause")).status).toBe(404);
});
