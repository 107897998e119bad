/** Two whole boxes: one asks the other as a peer. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requestAnswer } from "../../server/cli/answers.ts";
import { type RealBox, realBox } from "../support/real-box.ts";
import { postChat, readStream } from "../support/sse.ts";

let peer: RealBox;
let box: RealBox;

beforeAll(async () => {
  peer = await realBox({ LANTHORN_AUTH: "always" });
  const key = await callOf(peer, "POST", "/admin/keys", { name: "the other box" });
  const environment = {
    LANTHORN_PROVIDERS: JSON.stringify({
      attic: { type: "lanthorn", baseUrl: `${peer.started.url}/v1`, models: ["lanthorn-demo"] },
    }),
    LANTHORN_PROVIDER_ATTIC_KEY: (key as { secret: string }).secret,
  };
  box = await realBox(environment, { environment });
});
afterAll(async () => {
  await box.stop();
  await peer.stop();
});

async function callOf({ home, started }: RealBox, method: string, path: string, body?: object): Promise<unknown> {
  const admin = readFileSync(join(home, "admin.key"), "utf8").trim();
  const answer = await fetch(`${started.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return answer.json();
}

const ask = {
  model: "attic/lanthorn-demo",
  messages: [{ role: "user", content: "hello" }],
  temperature: 0,
  seed: 1,
  max_tokens: 8,
};

test("a peer answers in a stream and whole, as it would have answered there, and nothing is priced", async () => {
  const there = await postChat(peer.started.url, { ...ask, model: "lanthorn-demo" }, await keyed());
  const { choices } = (await there.json()) as { choices: { message: { content: string } }[] };
  const stream = await readStream(box.started.url, { ...ask, stream_options: { include_usage: true } });
  expect(stream.status).toBe(200);
  expect(stream.text).toBe(choices[0]?.message.content);
  expect(stream.data.filter((one) => one === "[DONE]")).toHaveLength(1);
  const whole = await postChat(box.started.url, ask);
  expect(await whole.json()).toMatchObject({ model: ask.model, choices: [{ message: { content: stream.text } }] });
  for (const { headers } of [stream, whole]) {
    const row = requestAnswer.parse(await callOf(box, "GET", `/admin/usage/requests/${headers.get("x-request-id")}`));
    expect(row).toMatchObject({ status: "done", knownCostNanos: 0 });
    expect(row.attempts).toMatchObject([
      { status: "done", target: "attic/lanthorn-demo", cost: { known: false, reason: "not_priced" } },
    ]);
    expect(row.attempts[0]?.usage.completionTokens).toBeGreaterThan(0);
  }
});

async function keyed() {
  const { secret } = (await callOf(peer, "POST", "/admin/keys", { name: "here" })) as { secret: string };
  return { headers: { authorization: `Bearer ${secret}` } };
}
