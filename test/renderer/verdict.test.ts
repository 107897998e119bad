import { describe, expect, it } from "vitest";
import type { BoxState, ModelView } from "../../renderer/api/shapes.ts";
import { type LampState, lampFile, lampStates, lampStrokes, lampSvg } from "../../renderer/lamp/lamp.ts";
import { type Facts, verdict } from "../../renderer/now/verdict.ts";

const demo = { id: "lanthorn-demo", context_length: 2048, slots: 2, demo: true };
const nothing: Facts = {
  contact: { type: "live", unready: null },
  models: [demo],
  modelsFailed: false,
  state: null,
  answeringYou: false,
};

function model(id: string, state: ModelView["state"], slots: readonly ("idle" | "decode")[] = ["idle"], reason = "") {
  return { id, state, since: 0, reason, until: null, slots: slots.map((each) => ({ state: each })) };
}
function box(models: BoxState["models"], queue: BoxState["queue"] = []): Facts {
  return { ...nothing, state: { models, queue } };
}
const waiting = { caller: "Ayo", model: "coder", position: 1, expectedMs: 6_000 };

const cases: readonly { when: string; facts: Facts; lamp: LampState; sentence: string; why: string | null }[] = [
  {
    when: "nothing is known yet",
    facts: { ...nothing, contact: { type: "looking" }, models: null },
    lamp: "unlit",
    sentence: "Looking at the box.",
    why: null,
  },
  {
    when: "the box has gone silent, whatever was known before",
    facts: { ...box([model("coder", "ready", ["decode"])]), contact: { type: "gone", sinceMs: 14_200 } },
    lamp: "cracked",
    sentence: "The box does not answer.",
    why: "Live paused, last update 14 s ago. This page goes on asking by itself.",
  },
  {
    when: "a key is asked for",
    facts: { ...nothing, contact: { type: "locked" }, models: null },
    lamp: "shaded",
    sentence: "This box asks for a key.",
    why: "Yours, or the admin's. This browser keeps a session, not the key.",
  },
  {
    when: "the list of models is refused",
    facts: { ...nothing, models: null, modelsFailed: true },
    lamp: "cracked",
    sentence: "The box answers, but not with its models.",
    why: "What it said instead stands below. This page goes on asking by itself.",
  },
  {
    when: "nothing is served",
    facts: { ...nothing, models: [] },
    lamp: "unlit",
    sentence: "No model is served yet.",
    why: "Serve one, and this page has a chat and the lines to connect with.",
  },
  {
    when: "a guest looks at an idle box",
    facts: { ...nothing, models: [demo, { id: "coder" }] },
    lamp: "ember",
    sentence: "This box serves lanthorn-demo and coder.",
    why: "Ask it something below, or connect a client.",
  },
  {
    when: "the box says that it cannot serve",
    facts: { ...nothing, contact: { type: "live", unready: "stopping" } },
    lamp: "unlit",
    sentence: "This box is not ready yet.",
    why: "stopping",
  },
  {
    when: "a guest is being answered",
    facts: { ...nothing, answeringYou: true },
    lamp: "lit",
    sentence: "Answering you.",
    why: "Esc stops it.",
  },
  {
    when: "a broken model outweighs a busy one",
    facts: box([model("coder", "ready", ["decode"]), model("fim", "failed", [], "It ended 3 times in 60 s.")]),
    lamp: "cracked",
    sentence: "fim does not run.",
    why: "It ended 3 times in 60 s.",
  },
  {
    when: "a crashed worker is on its way back",
    facts: box([model("coder", "backing-off", [], "Its worker ended; next try in 2 s.")]),
    lamp: "cracked",
    sentence: "coder is starting again.",
    why: "Its worker ended; next try in 2 s.",
  },
  {
    when: "two are answered and one waits",
    facts: box([model("coder", "ready", ["decode", "decode", "idle"]), model("fim", "ready")], [waiting]),
    lamp: "lit",
    sentence: "Answering 2, 1 waiting about 6.0 s.",
    why: "coder 2; 2 of 4 slots free.",
  },
  {
    when: "a wait cannot be predicted",
    facts: box([model("coder", "ready", ["decode"])], [{ ...waiting, expectedMs: null }]),
    lamp: "lit",
    sentence: "Answering 1, 1 waiting.",
    why: "coder 1; 0 of 1 slots free.",
  },
  {
    when: "a model is being loaded",
    facts: box([model("coder", "loading", [], "asked for by Ayo")]),
    lamp: "ember",
    sentence: "Loading coder.",
    why: "asked for by Ayo",
  },
  {
    when: "all is well",
    facts: box([model("coder", "ready"), model("fim", "ready")]),
    lamp: "ember",
    sentence: "Ready. coder and fim are loaded.",
    why: "Nobody is waiting. Ask it something below, or connect a client.",
  },
  {
    when: "everything is on disk",
    facts: box([model("coder", "unloaded", [])]),
    lamp: "unlit",
    sentence: "Nothing is loaded.",
    why: "The lamp lights with the first request.",
  },
  {
    when: "the box shuts down",
    facts: {
      ...box([model("coder", "stopping", ["decode"])]),
      contact: { type: "live", unready: "stopping" },
    },
    lamp: "shaded",
    sentence: "The box is shutting down.",
    why: "Running answers are finished first.",
  },
  {
    when: "a model is unloaded",
    facts: box([model("coder", "stopping", [], "made room for fim"), model("fim", "unloaded", [])]),
    lamp: "ember",
    sentence: "coder is leaving memory.",
    why: "made room for fim",
  },
];

describe("the sentence the page opens with", () => {
  it.each(cases)("when $when", ({ facts, lamp, sentence, why }) => {
    expect(verdict(facts)).toMatchObject({ lamp, sentence, why });
  });
});

describe("the lamp", () => {
  it("has a shape of its own for every state, so that colour is never needed", () => {
    const shapes = lampStates.map((state) =>
      lampStrokes(state)
        .map((stroke) => stroke.path)
        .join(),
    );
    expect(new Set(shapes).size).toBe(5);
    expect(lampStates).toEqual(["unlit", "ember", "lit", "shaded", "cracked"]);
  });

  it("is a self-contained file that runs nothing", () => {
    for (const state of lampStates) {
      expect(lampSvg(state)).toMatch(/^<svg [^>]*viewBox="0 0 24 24">(<path [^>]*\/>)+<\/svg>\n$/);
      expect(lampFile(state)).toBe(`/lamp/${state}.svg`);
    }
  });
});
