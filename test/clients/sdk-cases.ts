/**
 * S-14: what every SDK has to make of our answers, our errors and our silences. Each case plays a model, uses the SDK as its users do
 * and then looks at the ledger. Run by `npm run test:clients` over all SDKs, and by `npm test` over one.
 */
import assert from "node:assert/strict";
import { Failure } from "../../server/domain/failure.ts";
import { demoModel, playedModel } from "./box.ts";
import type { Ask, OneTool } from "./client.ts";
import { afterSilence, breaksWith, callsTool, oneAfterAnother, refuses, says, sentence } from "./scripts.ts";
import { aborts, fails, full, ignore, played, rowsAre, type SdkCase } from "./sdk-checks.ts";

/** A silence longer than the 5 s after which the server commits to a status. */
const silentMs = 7_000;
const retryAfterSeconds = 1;

const ask = (more: Partial<Ask> = {}): Ask => ({ model: playedModel, prompt: "Say it.", ...more });

export const sdkCases: readonly SdkCase[] = [
  {
    name: "text",
    run: played(says(sentence), ["done"], async (driver) => {
      const said = await driver.whole(ask());
      assert.equal(said.text, sentence);
      assert.match(said.finish, /^(stop|)$/);
      if (said.promptTokens !== null) assert.ok(said.promptTokens > 8, "prompt tokens are told");
      if (said.cachedTokens !== null) assert.ok(said.cachedTokens > 0, "cached tokens are told");
    }),
  },
  {
    name: "stream",
    run: played(says(sentence), ["done"], async (driver) => {
      const heard: string[] = [];
      const said = await driver.streamed(ask(), (piece) => heard.push(piece));
      assert.equal(heard.join(""), sentence);
      assert.equal(said.text, sentence);
      assert.ok(heard.length > 3, `${heard.length} pieces: not held back`);
    }),
  },
  {
    name: "tools",
    async run({ box, connect }) {
      await box.play(oneAfterAnother(callsTool("weather", { city: "Ulm 🏮" }), says("It rains.")));
      const given: string[] = [];
      const weather: OneTool = {
        name: "weather",
        argument: "city",
        run: (city) => {
          given.push(city);
          return `${city}: rain`;
        },
      };
      assert.equal(await (await connect()).withTool(ask(), weather), "It rains.");
      assert.deepEqual(given, ["Ulm 🏮"]);
      const [first, second] = box.asked().map((one) => one.request);
      assert.equal(first?.tools[0]?.name, "weather");
      const answer = second?.messages.at(-1);
      assert.equal(answer?.role, "tool");
      assert.match(JSON.stringify(answer), /Ulm 🏮: rain/);
      await rowsAre(box, ["done", "done"]);
    },
  },
  {
    name: "JSON",
    async run({ box, connect }) {
      await box.play(says('{"lamp": "lit 🏮"}'));
      assert.deepEqual(await (await connect()).json(ask({ prompt: "Answer in JSON." })), { lamp: "lit 🏮" });
      assert.equal(box.asked()[0]?.request.responseFormat.type, "json-object");
      await rowsAre(box, ["done"]);
    },
  },
  {
    name: "JSON schema",
    async run({ box, connect }) {
      await box.play(says('{"lamp":"lit"}'));
      assert.deepEqual(await (await connect()).schema(ask({ prompt: "Answer in JSON." }), "lamp"), { lamp: "lit" });
      assert.equal(box.asked()[0]?.request.responseFormat.type, "json-schema");
      await rowsAre(box, ["done"]);
    },
  },
  {
    name: "abort, stream",
    run: aborts("abortedStream", (driver, signal, heard) => driver.streamed(ask({ signal }), heard)),
  },
  { name: "abort, whole", run: aborts("aborted", (driver, signal) => driver.whole(ask({ signal }))) },
  {
    name: "401",
    async run({ box, client, connect }) {
      await box.play(says("must not be said"));
      await fails((await connect({ apiKey: `lth_${"x".repeat(43)}` })).whole(ask()), client.errors.unauthorised);
      assert.equal(box.asked().length, 0);
      await rowsAre(box, []);
    },
  },
  {
    name: "429",
    async run({ box, client, connect }) {
      await box.play(refuses(full(retryAfterSeconds)));
      await fails((await connect()).whole(ask()), client.errors.limited);
      await fails((await connect()).streamed(ask(), ignore), client.errors.limited);
      await rowsAre(box, ["failed", "failed"]);
    },
  },
  {
    name: "429, tried again",
    async run({ box, connect }) {
      await box.play(oneAfterAnother(refuses(full(retryAfterSeconds)), says(sentence)));
      assert.equal((await (await connect({ retries: 1 })).whole(ask())).text, sentence);
      const [first, second] = box.asked().map((one) => one.atMs);
      const gapMs = (second ?? 0) - (first ?? 0);
      // Timers may fire a little early.
      assert.ok(gapMs >= retryAfterSeconds * 1000 - 50, `tried again after ${Math.round(gapMs)} ms`);
      await rowsAre(box, ["failed", "done"]);
    },
  },
  {
    name: "500",
    async run({ box, client, connect }) {
      await box.play(refuses(new Failure("internal", "Something went wrong inside Lanthorn.")));
      await fails((await connect()).whole(ask()), client.errors.internal);
      await fails((await connect()).streamed(ask(), ignore), client.errors.internal);
      await rowsAre(box, ["failed", "failed"]);
    },
  },
  {
    name: "context full",
    async run({ box, client, connect }) {
      const failure = new Failure(
        "context_length_exceeded",
        'maximum context length is 64 tokens for "played"; this prompt has 100.',
        { param: "messages" },
      );
      await box.play(refuses(failure));
      await fails((await connect()).whole(ask()), client.errors.overflow);
      await rowsAre(box, ["failed"]);
    },
  },
  {
    name: "slow start",
    run: played(afterSilence(silentMs, says(sentence)), ["done"], async (driver) => {
      assert.equal((await driver.streamed(ask(), ignore)).text, sentence);
    }),
  },
  {
    name: "mid-stream error",
    async run({ box, client, connect }) {
      await box.play(breaksWith(new Failure("worker_died", "The model's process ended while it held this request.")));
      const heard: string[] = [];
      const broken = (await connect()).streamed(ask(), (piece) => heard.push(piece));
      await fails(broken, client.errors.midStream);
      assert.equal(heard.join(""), "half of ");
      await rowsAre(box, ["failed"]);
    },
  },
  {
    name: "real engine",
    async run({ box, connect }) {
      await box.play(says("not asked"));
      const driver = await connect();
      const hello = { model: demoModel, prompt: "hello" };
      const [whole, streamed] = [await driver.whole(hello), await driver.streamed(hello, ignore)];
      assert.match(whole.text, /demo model of Lanthorn/);
      assert.match(streamed.text, /demo model of Lanthorn/);
      const kept = (await driver.schema(hello, "lamp")) as { readonly lamp: unknown };
      assert.equal(typeof kept.lamp, "string");
      assert.equal(box.asked().length, 0);
      const rows = await rowsAre(box, ["done", "done", "done"]);
      for (const row of rows) {
        assert.ok(row.usage.completionTokens > 1);
        assert.equal(row.attempts[0]?.target, `engine/${demoModel}`);
      }
    },
  },
];
