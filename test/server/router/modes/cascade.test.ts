/** The first group drafts unseen; what is not sure enough is answered by the next. */
import { describe, expect, test } from "vitest";
import { Failure } from "../../../../server/domain/failure.ts";
import type { CascadeSetting } from "../../../../server/domain/routing/modes/settings.ts";
import type { ChatEvent } from "../../../../server/domain/chat.ts";
import { calling, cut, read, saying, sure, verdict } from "../../../support/mode-answers.ts";
import { groups } from "../../../support/routing-facts.ts";
import { finish, failing, settle, world } from "../../../support/routing-world.ts";

const routes = (cascade: CascadeSetting = {}, more = {}) => ({
  ask: { mode: "cascade" as const, groups: groups(["engine/small"], ["cloud/big"]), cascade, retries: 0, ...more },
});

function told(draft: readonly ChatEvent[], cascade: CascadeSetting = {}, judge: readonly ChatEvent[] = verdict(true)) {
  return world(
    { "engine/small": [draft], "cloud/big": [saying("from the cloud")], "engine/judge": [judge] },
    { routes: routes(cascade) },
  );
}

describe("a draft", () => {
  test("that is sure is given, without what the client did not ask for; nobody else is asked", async () => {
    const { ask, asked, requests } = told(sure("four it is", 0.95));
    const journey = ask("ask", { request: { wire: { dialect: "openai-chat", body: { model: "ask" } } } });
    expect(await journey.end).toMatchObject({ type: "finished" });
    expect(read(journey.events)).toBe("four it is");
    expect(journey.events.some((event) => "wire" in event || "logprobs" in event)).toBe(false);
    expect(asked).toEqual(["engine/small"]);
    expect(requests[0]).toMatchObject({ logprobs: { top: 0 } });
    expect(requests[0]?.wire).toBeUndefined();
    expect(journey.log).toEqual(["1 engine/small draft", "1 finished"]);
    expect(journey.notes).toEqual(["draft_given: engine/small: sure, 0.950 of 0.8"]);
    expect(journey.answeredBy()).toBe("engine/small");
  });

  test("keeps its log-probabilities for a client that asked for them", async () => {
    const journey = told(sure("four", 0.95)).ask("ask", { request: { logprobs: { top: 0 } } });
    await journey.end;
    expect(journey.events[0]).toMatchObject({ type: "text", logprobs: [{ text: "four" }] });
  });

  test("that is unsure is thrown away and the next group answers the client's own request", async () => {
    const { ask, requests } = told(sure("five it is", 0.3));
    const wire = { dialect: "openai-chat", body: { model: "ask" } };
    const journey = ask("ask", { request: { wire } });
    await journey.end;
    expect(read(journey.events)).toBe("from the cloud");
    expect(requests[1]).toMatchObject({ logprobs: null, wire });
    expect(journey.log).toEqual(["1 engine/small draft", "1 finished", "2 cloud/big escalated", "2 finished"]);
    expect(journey.notes).toEqual(["draft_discarded: engine/small: unsure, 0.300 of 0.8"]);
  });

  test("is measured by its own model's threshold where there is one", async () => {
    const { ask, asked } = told(sure("five", 0.3), { calibration: { "engine/small": 0.25 } });
    await ask("ask").end;
    expect(asked).toEqual(["engine/small"]);
  });

  test.each([
    ["is empty", [saying("  ")].flat(), "empty"],
    ["was cut", [{ type: "text", text: "fo" } as const, cut], "cut"],
    ["has no log-probabilities", saying("four"), "no_logprobs"],
    ["calls tools", calling("weather", "{}"), "tool_calls"],
    ["failed", [failing(new Failure("upstream_unreachable", "down"))], "failed"],
  ])("that %s goes on", async (_, draft, why) => {
    const journey = told(draft).ask("ask");
    await journey.end;
    expect(read(journey.events)).toBe("from the cloud");
    expect(journey.notes).toEqual([`draft_discarded: engine/small: ${why}`]);
  });

  test.each([
    ["without log-probabilities", saying("four"), { withoutLogprobs: "accept" as const }],
    ["with calls", calling("weather", "{}"), { toolCalls: "accept" as const }],
  ])("%s is given where the route says so", async (_, draft, cascade) => {
    const { ask, asked } = told(draft, cascade);
    await ask("ask").end;
    expect(asked).toEqual(["engine/small"]);
  });
});

describe("a judge", () => {
  test.each([
    [true, "five"],
    [false, "from the cloud"],
  ])("has the last word on what is unsure: %s", async (yes, given) => {
    const { ask, requests } = told(sure("five", 0.3), { judge: "engine/judge" }, verdict(yes));
    const journey = ask("ask");
    await journey.end;
    expect(read(journey.events)).toBe(given);
    expect(journey.log.slice(0, 4)).toEqual([
      "1 engine/small draft",
      "1 finished",
      "2 engine/judge judge",
      "2 finished",
    ]);
    expect(requests[1]).toMatchObject({ responseFormat: { type: "json-schema" }, tools: [] });
    expect(journey.notes[0]).toBe(`judged: engine/judge: ${yes ? "yes" : "no"}`);
  });

  test("that says neither is no yes", async () => {
    const journey = told(sure("five", 0.3), { judge: "engine/judge" }, saying("well")).ask("ask");
    await journey.end;
    expect(read(journey.events)).toBe("from the cloud");
  });

  test("may be asked instead of the confidence", async () => {
    const { ask, asked } = told(sure("four", 0.99), { judge: "engine/judge", judgeWhen: "always" }, verdict(false));
    await ask("ask").end;
    expect(asked).toEqual(["engine/small", "engine/judge", "cloud/big"]);
  });
});

describe("where nobody else answers", () => {
  const local = { localOnly: true };
  test("an unsure draft is given and the row says so", async () => {
    const { ask, asked } = world(
      { "engine/small": [sure("five", 0.3)], "cloud/big": [] },
      { routes: routes({}, local) },
    );
    const journey = ask("ask");
    await journey.end;
    expect(read(journey.events)).toBe("five");
    expect(asked).toEqual(["engine/small"]);
    expect(journey.notes.at(-1)).toBe("draft_kept: engine/small");
  });

  test("or it fails plainly, if the route wants that", async () => {
    const { ask } = world(
      { "engine/small": [sure("five", 0.3)], "cloud/big": [] },
      { routes: routes({ whenNoneLeft: "fail" }, local) },
    );
    expect(await ask("ask").end).toMatchObject({ code: "no_target" });
  });

  test("a next group that is down leaves the draft", async () => {
    const { ask } = world(
      { "engine/small": [sure("five", 0.3)], "cloud/big": [[new Failure("upstream_unreachable", "down")]] },
      { routes: routes() },
    );
    const journey = ask("ask");
    expect(await journey.end).toMatchObject({ type: "finished" });
    expect(read(journey.events)).toBe("five");
    expect(journey.log).toEqual([
      "1 engine/small draft",
      "1 finished",
      "2 cloud/big escalated",
      "2 upstream_unreachable",
    ]);
  });
});

test("a client that leaves during the draft ends it, and nobody else is asked", async () => {
  const { ask, asked, clock } = world({ "engine/small": [["silent"]], "cloud/big": [] }, { routes: routes() });
  const leaving = new AbortController();
  const journey = ask("ask", { signal: leaving.signal });
  await settle();
  leaving.abort();
  await finish(clock, journey);
  expect(await journey.end).toMatchObject({ type: "aborted" });
  expect(asked).toEqual(["engine/small"]);
  expect(journey.log).toEqual(["1 engine/small draft", "1 aborted"]);
});

test("the plan shows the parts, and explain shows the same plan as the row", async () => {
  const { ask, router } = told(sure("four", 0.9), { judge: "engine/judge" });
  const told_ = router.explain("ask", { promptTokens: 1, caller: "ayo" });
  const journey = ask("ask");
  await journey.end;
  const plan = journey.plan();
  expect(plan?.attempts).toEqual(told_.attempts);
  expect(plan?.asides).toEqual(told_.asides);
  expect(told_).toMatchObject({
    mode: "cascade",
    attempts: [
      { target: "engine/small", reason: "draft" },
      { target: "cloud/big", reason: "escalated" },
    ],
    asides: [{ attempts: [{ target: "engine/judge", reason: "judge" }] }],
  });
});
