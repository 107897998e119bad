/** Several answer until they agree; the next group breaks ties. */
import { describe, expect, test } from "vitest";
import type { ConsensusSetting } from "../../../../server/domain/routing/modes/settings.ts";
import { Failure } from "../../../../server/domain/failure.ts";
import { calling, read, saying, verdict } from "../../../support/mode-answers.ts";
import { groups } from "../../../support/routing-facts.ts";
import { finish, type Scripts, world } from "../../../support/routing-world.ts";

function told(scripts: Scripts, consensus: ConsensusSetting = {}, more = {}) {
  const voters = ["a/m", "b/m", "c/m"].filter((name) => name in scripts);
  return world(scripts, {
    routes: { ask: { mode: "consensus", groups: groups(voters, ["d/big"]), consensus, retries: 0, ...more } },
  });
}

describe("voters", () => {
  test("that agree in other words for the same JSON are done in one round, and the first is heard", async () => {
    const { ask, asked } = told({
      "a/m": [saying('{"n": 4, "unit": "m"}')],
      "b/m": [saying('```json\n{"unit":"m","n":4}\n```')],
      "d/big": [],
    });
    const journey = ask("ask");
    await journey.end;
    expect(read(journey.events)).toBe('{"n": 4, "unit": "m"}');
    expect(asked).toEqual(["a/m", "b/m"]);
    expect(journey.notes).toEqual(["voters_agreed: a/m, round 1"]);
    expect(journey.answeredBy()).toBe("a/m");
    expect(journey.log.filter((line) => line.endsWith("voter"))).toEqual(["1 a/m voter", "2 b/m voter"]);
  });

  test("see each other's answers in the next round, without the client's body", async () => {
    const { ask, requests } = told({
      "a/m": [saying("four"), saying("Five.")],
      "b/m": [saying("five"), saying("five")],
      "d/big": [],
    });
    const journey = ask("ask", { request: { wire: { dialect: "openai-chat", body: {} } } });
    await journey.end;
    expect(read(journey.events)).toBe("Five.");
    expect(journey.notes).toEqual(["voters_agreed: a/m, round 2"]);
    expect(requests[2]?.wire).toBeUndefined();
    expect(requests[2]?.messages.at(-2)).toMatchObject({ role: "assistant", content: [{ text: "four" }] });
    expect(JSON.stringify(requests[2]?.messages.at(-1))).toContain("five");
  });

  test("two of three are enough, or all are needed where the route says so", async () => {
    const scripts = { "a/m": [saying("4")], "b/m": [saying("5")], "c/m": [saying("5")], "d/big": [saying("six")] };
    const two = told(scripts).ask("ask");
    await two.end;
    expect(read(two.events)).toBe("5");
    const all = told(scripts, { agree: "all", rounds: 1 }).ask("ask");
    await all.end;
    expect(read(all.events)).toBe("six");
  });

  test("that do not agree after three rounds leave it to the tie-breaker, who sees what they said", async () => {
    const { ask, asked, requests } = told({
      "a/m": [saying("1"), saying("2"), saying("3")],
      "b/m": [saying("4"), saying("5"), saying("6")],
      "d/big": [saying("seven")],
    });
    const journey = ask("ask");
    await journey.end;
    expect(asked).toEqual(["a/m", "b/m", "a/m", "b/m", "a/m", "b/m", "d/big"]);
    expect(read(journey.events)).toBe("seven");
    expect(journey.log.at(-2)).toBe("7 d/big tie_breaker");
    expect(JSON.stringify(requests[6]?.messages)).toMatch(/Answer 1:\\n3.*Answer 2:\\n6/u);
  });

  test("a judge may say that different words mean the same", async () => {
    const { ask, asked } = told(
      { "a/m": [saying("It is four")], "b/m": [saying("4")], "d/big": [], "j/m": [verdict(true)] },
      { judge: "j/m" },
    );
    const journey = ask("ask");
    await journey.end;
    expect(read(journey.events)).toBe("It is four");
    expect(asked).toEqual(["a/m", "b/m", "j/m"]);
  });

  test("calls of tools are compared by name and arguments, and never talked over", async () => {
    const same = told({ "a/m": [calling("f", '{"x":1,"y":2}')], "b/m": [calling("f", '{"y":2,"x":1}')], "d/big": [] });
    await same.ask("ask").end;
    expect(same.asked).toEqual(["a/m", "b/m"]);
    const other = told({ "a/m": [calling("f", "{}")], "b/m": [calling("g", "{}")], "d/big": [saying("no call")] });
    await other.ask("ask").end;
    expect(other.asked).toEqual(["a/m", "b/m", "d/big"]);
  });

  test("one that fails leaves the word to the others and the tie-breaker", async () => {
    const { ask, asked } = told({
      "a/m": [[new Failure("upstream_unreachable", "down")]],
      "b/m": [saying("4")],
      "d/big": [saying("five")],
    });
    const journey = ask("ask");
    await journey.end;
    expect(asked).toEqual(["a/m", "b/m", "d/big"]);
    expect(read(journey.events)).toBe("five");
  });
});

describe("the route's attempts", () => {
  const disagreeing = {
    "a/m": [saying("1"), saying("2"), saying("3")],
    "b/m": [saying("4"), saying("5"), saying("6")],
    "c/m": [saying("7"), saying("8"), saying("9")],
    "d/big": [saying("ten")],
  };

  test("that the settings do not bound suffice for all rounds and the tie-breaker", async () => {
    const { ask } = told(disagreeing);
    const journey = ask("ask");
    await journey.end;
    expect(journey.log.at(-2)).toBe("10 d/big tie_breaker");
    expect(journey.plan()?.limits.maxAttempts).toBe(10);
  });

  test("hold: a round that would go beyond them is not begun, the tie-breaker still answers, and the row says so", async () => {
    const { ask, asked } = told(disagreeing, {}, { maxAttempts: 6 });
    const journey = ask("ask");
    await journey.end;
    expect(asked).toEqual(["a/m", "b/m", "c/m", "d/big"]);
    expect(read(journey.events)).toBe("ten");
    expect(journey.notes).toEqual(["attempts_used_up: round 2 was not begun", "voters_disagreed: 3 answers"]);
  });

  test("hold when voters are asked again after failures: each has its part of them", async () => {
    const down = () => [new Failure("upstream_failed", "down")];
    const failing = [down(), down(), down(), down()];
    const scripts = { "a/m": failing, "b/m": failing, "c/m": failing, "d/big": [saying("ten")] };
    const { ask, clock, asked } = told(scripts, {}, { maxAttempts: 7, retries: 3 });
    const journey = ask("ask");
    await finish(clock, journey);
    expect(asked).toHaveLength(7);
    expect(read(journey.events)).toBe("ten");
  });

  test("hold for the judge", async () => {
    const { ask, asked } = told(
      { "a/m": [saying("1")], "b/m": [saying("4")], "d/big": [saying("ten")], "j/m": [verdict(true)] },
      { judge: "j/m" },
      { maxAttempts: 3 },
    );
    const journey = ask("ask");
    await journey.end;
    expect(asked).toEqual(["a/m", "b/m", "d/big"]);
    expect(journey.notes[0]).toBe("attempts_used_up: the judge was not asked");
  });
});

test("local only: voters and tie-breakers elsewhere are never asked", async () => {
  const { ask, asked } = world(
    { "engine/one": [saying("4")], "engine/two": [saying("5"), saying("5"), saying("5")], "cloud/big": [] },
    {
      routes: {
        ask: {
          mode: "consensus",
          groups: groups(["engine/one", "engine/two", "cloud/big"], ["cloud/big"]),
          consensus: { judge: "cloud/big" },
          retries: 0,
        },
      },
    },
  );
  const journey = ask("ask", { headers: { data: "local" } });
  await journey.end;
  expect(new Set(asked)).toEqual(new Set(["engine/one", "engine/two"]));
  expect(read(journey.events)).not.toBe("");
});
