/** What is asked on the side before anybody answers: the tier, and a short form of a long conversation. */
import { describe, expect, test } from "vitest";
import type { ChatMessage } from "../../../../server/domain/chat.ts";
import { Failure } from "../../../../server/domain/failure.ts";
import { read, saying } from "../../../support/mode-answers.ts";
import { groups } from "../../../support/routing-facts.ts";
import { world } from "../../../support/routing-world.ts";

const say = (role: "system" | "user", text: string): ChatMessage => ({ role, content: [{ type: "text", text }] });
const reply = (text: string): ChatMessage => ({
  role: "assistant",
  content: [{ type: "text", text }],
  reasoning: null,
  toolCalls: [],
});

const long = "word ".repeat(2_000);
const talk = [
  say("system", "Be kind."),
  say("user", long),
  reply("noted"),
  say("user", "second"),
  reply("yes"),
  say("user", "third"),
];

describe("a brief", () => {
  const routes = {
    ask: { groups: groups(["a/m"]), brief: { over: 1_000, by: "b/long" }, retries: 0 },
  };
  test("condenses what is older than the last two turns of the user, and says so", async () => {
    const { ask, requests } = world({ "a/m": [saying("done")], "b/long": [saying("They said word.")] }, { routes });
    const journey = ask("ask", { request: { messages: talk, wire: { dialect: "openai-chat", body: {} } } });
    await journey.end;
    expect(read(journey.events)).toBe("done");
    expect(journey.log).toEqual(["1 b/long condense", "1 finished", "2 a/m only_target", "2 finished"]);
    expect(requests[1]?.wire).toBeUndefined();
    const [system, first, ...others] = requests[1]?.messages ?? [];
    expect(system).toEqual(talk[0]);
    expect(JSON.stringify(first)).toContain("They said word.");
    expect(JSON.stringify(first)).toContain("second");
    expect(others).toEqual(talk.slice(4));
    expect(journey.notes).toEqual([expect.stringMatching(/^briefed: 2 messages of about \d+ tokens by b\/long$/u)]);
    expect(journey.plan()?.facts.promptTokens).toBeLessThan(200);
  });

  test("that fails leaves the conversation as it is, and says so", async () => {
    const { ask, requests } = world(
      { "a/m": [saying("done")], "b/long": [[new Failure("upstream_unreachable", "down")]] },
      { routes },
    );
    const journey = ask("ask", { request: { messages: talk } });
    await journey.end;
    expect(requests.at(-1)?.messages).toEqual(talk);
    expect(journey.notes).toEqual(["brief_failed: upstream_unreachable"]);
  });

  test("leaves short conversations and single turns alone", async () => {
    const { ask, asked } = world({ "a/m": [], "b/long": [] }, { routes });
    await ask("ask", { request: { messages: [say("user", "short")] } }).end;
    await ask("ask", { request: { messages: [say("user", long)] } }).end;
    expect(asked).toEqual(["a/m", "a/m"]);
  });

  test("never goes where the data must not", async () => {
    const { ask, asked } = world(
      { "engine/m": [saying("done")], "b/long": [] },
      {
        routes: { ask: { groups: groups(["engine/m"]), brief: { over: 1_000, by: "b/long" } } },
      },
    );
    const journey = ask("ask", { request: { messages: talk }, headers: { data: "local" } });
    await journey.end;
    expect(asked).toEqual(["engine/m"]);
    expect(journey.notes).toEqual(["brief_failed: nobody may condense it"]);
  });
});

describe("a tier", () => {
  const routes = {
    ask: {
      groups: groups(["c/cheap"], ["d/strong"]),
      classify: { by: "engine/sorter", tiers: { architecture: "design", tasks: "small work" }, otherwise: "tasks" },
      rules: [{ when: { tier: ["architecture"] }, use: [2] }],
      retries: 0,
    },
  };
  const told = (...answer: Parameters<typeof saying>) =>
    world({ "engine/sorter": [saying(...answer)], "c/cheap": [], "d/strong": [] }, { routes });

  test("is told by a small model, and rules hear it", async () => {
    const { ask, asked, requests } = told('{"tier":"architecture"}');
    const journey = ask("ask");
    await journey.end;
    expect(asked).toEqual(["engine/sorter", "d/strong"]);
    expect(requests[0]?.responseFormat).toMatchObject({ type: "json-schema" });
    expect(journey.log[0]).toBe("1 engine/sorter classify");
    expect(journey.notes).toEqual(["tier_chosen: architecture by engine/sorter"]);
    expect(journey.plan()?.facts.tier).toBe("architecture");
  });

  test("that nobody can tell is the stated one", async () => {
    const { ask, asked } = told("I do not know");
    const journey = ask("ask");
    await journey.end;
    expect(asked).toEqual(["engine/sorter", "c/cheap"]);
    expect(journey.notes).toEqual(["tier_assumed: tasks: no such tier"]);
  });

  test("that the client says is not asked for", async () => {
    const { ask, asked } = told("");
    await ask("ask", { headers: { tier: "architecture" } }).end;
    expect(asked).toEqual(["d/strong"]);
  });
});
