/** `/metrics` of a whole box: for admins only, and true of the requests that it answered. */
import { expect, onTestFinished, test } from "vitest";
import { adminOf, chatOver } from "../support/box-client.ts";
import { realBox } from "../support/real-box.ts";
import { finished, scriptedBackend } from "../support/scripted-backend.ts";

test("S-36 /metrics needs an admin key; its figures are those of the answers", async () => {
  const text = { type: "text", text: "hi" } as const;
  const model = scriptedBackend("engine", ["lanthorn-demo"], [[text, finished]]);
  const box = await realBox({}, { backends: () => [model] });
  onTestFinished(() => box.stop());
  const { url } = box.started;
  expect((await fetch(`${url}/metrics`)).status).toBe(401);
  expect((await chatOver(url)).status).toBe(200);
  const response = await fetch(`${url}/metrics`, { headers: adminOf(box).headers });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
  const lines = (await response.text()).split("\n");
  expect(lines).toContain('lanthorn_requests_total{alias="lanthorn-demo",dialect="openai-chat",status="done"} 1');
  expect(lines).toContain('lanthorn_tokens_total{target="engine/lanthorn-demo",kind="prompt"} 12');
  expect(lines).toContain("lanthorn_in_flight_requests 0");
  expect(lines).toContain("lanthorn_ledger_writable 1");
});
