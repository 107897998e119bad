/** Forced calls in every family's form, made by the engine's own grammar, are read as the calls they are. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toolCallGrammar } from "../../../../../server/backends/engine/grammar/tool-call.ts";
import { replyFamilies } from "../../../../../server/backends/engine/reply/index.ts";
import { type BareModel, loadDemo } from "../../../../support/bare-library.ts";
import { read, replyFormats } from "../../../../support/replies.ts";

const city = { type: "object", properties: { city: { enum: ["Ulm", "Rome"] } }, required: ["city"] };
const tools = [{ name: 'say_"hi"', description: null, parameters: city }];
const request = { tools, toolChoice: { type: "required" as const } };

let bare: BareModel;
beforeAll(async () => {
  bare = await loadDemo("demo");
});
afterAll(() => bare.close());

describe.each(replyFormats)("%s", (format) => {
  const { forced } = replyFamilies[format];
  const answer = (parallel: boolean) =>
    bare.constrained(bare.render([{ role: "user", content: "x" }]), { gbnf: toolCallGrammar(tools, forced, parallel) });

  test.each([true, false])("parallel: %s", async (parallel) => {
    const text = await answer(parallel);
    const seen = read(format, text.split(""), { request });
    expect(seen).toMatchObject({ text: "", finish: "tool-calls" });
    expect(seen.calls.length).toBeGreaterThanOrEqual(1);
    expect(seen.calls.length).toBeLessThanOrEqual(parallel ? forced.mostCalls : 1);
    for (const call of seen.calls) {
      expect(call.name).toBe('say_"hi"');
      expect(['{"city":"Ulm"}', '{"city":"Rome"}']).toContain(call.arguments);
    }
    expect(text.startsWith(forced.open + forced.beforeName)).toBe(true);
    // Eight calls spelled letter by letter may be longer than what is asked for here.
    if (!parallel) expect(text.endsWith(forced.end + forced.close)).toBe(true);
  });
});
