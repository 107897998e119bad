/** Every family's recorded shapes: what a client sees of them, and that it does not depend on how the text was cut. */
import { describe, expect, test } from "vitest";
import { controlTokenClose, controlTokenOpen } from "../../../../../server/backends/engine/reply/input.ts";
import { replyFamilies } from "../../../../../server/backends/engine/reply/index.ts";
import { read, repliesOf, type ReplyFixture, replyFormats } from "../../../../support/replies.ts";

function expected(fixture: ReplyFixture) {
  const calls = fixture.calls ?? [];
  const asItWas = fixture.finish ?? "stop";
  return {
    text: fixture.text ?? "",
    reasoning: fixture.reasoning ?? "",
    calls,
    finish: calls.length > 0 && fixture.unfinished !== true ? "tool-calls" : asItWas,
  };
}

function wishesOf({ promptEnd, finish }: ReplyFixture) {
  return { ...(promptEnd === undefined ? {} : { promptEnd }), ...(finish === undefined ? {} : { finish }) };
}

describe.each(replyFormats)("%s", (format) => {
  test.each(repliesOf(format))("$name", (fixture) => {
    const { reply } = fixture;
    const wishes = wishesOf(fixture);
    const wanted = expected(fixture);
    expect(read(format, [reply], wishes)).toMatchObject(wanted);
    for (let cut = 1; cut < reply.length; cut += 1) {
      const seen = read(format, [reply.slice(0, cut), reply.slice(cut)], wishes);
      expect(seen, `cut at ${cut}, after ${JSON.stringify(reply.slice(0, cut))}`).toMatchObject(wanted);
    }
    expect(read(format, [...reply], wishes)).toMatchObject(wanted);
    expect(read(format, reply.split(""), wishes)).toMatchObject(wanted);
  });

  test.each(repliesOf(format))("$name, its markers being control tokens", (fixture) => {
    const { markers } = replyFamilies[format];
    const marked = markers.reduce(
      (text, marker) => text.replaceAll(marker, `${controlTokenOpen}${marker}${controlTokenClose}`),
      fixture.reply,
    );
    const wanted = expected(fixture);
    const text = markers.reduce((shown, marker) => shown.replaceAll(marker, ""), wanted.text);
    const wishes = wishesOf(fixture);
    for (const pieces of [[marked], marked.split("")]) {
      expect(read(format, pieces, wishes)).toMatchObject({ ...wanted, text });
    }
  });

  test("complete calls are compact JSON, exactly as a client writes them again", () => {
    const calls = repliesOf(format).flatMap((fixture) => (fixture.unfinished === true ? [] : (fixture.calls ?? [])));
    expect(calls.length).toBeGreaterThan(0);
    for (const call of calls) {
      // An integer beyond what JavaScript holds is the one thing that a client would change.
      if (!call.arguments.includes("12345678901234567890")) {
        expect(JSON.stringify(JSON.parse(call.arguments))).toBe(call.arguments);
      }
    }
  });

  test("without tools, and with tool_choice none, no call is made and the text stays", () => {
    for (const fixture of repliesOf(format)) {
      const wishes = wishesOf(fixture);
      for (const request of [{ tools: [] }, { toolChoice: { type: "none" as const } }]) {
        const seen = read(format, [fixture.reply], { ...wishes, request });
        expect(seen.calls).toEqual([]);
        expect(seen.finish).toBe(fixture.finish ?? "stop");
      }
    }
  });
});
