/** The engine's own figures beside the constructed ones: every logit of every step, and so every probability. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { constructDemo, tokenId } from "../../../models/demo/construct.ts";
import {
  constructedLogits,
  constructedLogprobs,
  constructedReply,
  type Heard,
} from "../../../models/demo/reference.ts";
import { allSteps, voices } from "../../../models/demo/voices.ts";
import { type BareModel, loadDemo, type NextLogits } from "../../support/bare-library.ts";

const model = constructDemo(voices.demo);
const lineBreak = tokenId(model, "\n");
const nothing: Heard = { doubt: 0, certainty: 0 };
let bare: BareModel;

beforeAll(async () => {
  bare = await loadDemo("demo");
});
afterAll(() => bare.close());

function promptIds(content: string): number[] {
  return bare.tokenize(bare.render([{ role: "user", content }]));
}

/**
 * The greatest difference of a log-probability, over the whole vocabulary: in nats, and in parts of its value where that is
 * below -1. Some CPUs (those with AVX512-FP16) attend in half precision, and then a token of e^-57 is known to 4 digits only.
 */
function greatestDifference(next: NextLogits, expected: Float64Array): number {
  const greatest = Math.max(...next.logits.values());
  const differences = [...next.logits].map(([id, logit]) => {
    const wanted = expected[id] ?? Number.NaN;
    return Math.abs(logit - greatest - Math.log(next.totalWeight) - wanted) / Math.max(1, Math.abs(wanted));
  });
  expect(differences).toHaveLength(model.lexicon.tokens.length);
  return Math.max(...differences);
}

describe("log-probabilities are the constructed ones to a thousandth", () => {
  test.each<[string, Heard]>([
    ["hello", nothing],
    ["maybe", { doubt: 1, certainty: 0 }],
    ["maybe maybe maybe", { doubt: 1, certainty: 0 }],
    ["so it is, surely, is it not", { doubt: 0, certainty: 1 }],
  ])("before the first token, after %j", async (prompt, heard) => {
    const next = await bare.logitsAfter(promptIds(prompt));
    expect(greatestDifference(next, constructedLogprobs(model, lineBreak, heard))).toBeLessThan(1e-3);
  });

  test.each(["hello", "maybe, maybe", "surely"])(
    "after each token that a reply can hold, following %j",
    async (prompt) => {
      const start = promptIds(prompt);
      const ids = allSteps(voices.demo).flatMap((step) => step.choices.map((choice) => tokenId(model, choice)));
      let worst = 0;
      for (const id of ids) {
        const next = await bare.logitsAfter([...start, id]);
        worst = Math.max(worst, greatestDifference(next, constructedLogprobs(model, id)));
      }
      expect(worst).toBeLessThan(1e-3);
    },
  );
});

describe("confidence is chosen by the prompt", () => {
  /** Probabilities of the tokens of the greedy reply. */
  function confidences(heard: Heard): number[] {
    const ids = [...constructedReply(model, heard), model.lexicon.messageEndId];
    return ids.map((id, index) => {
      const before = ids[index - 1] ?? lineBreak;
      return Math.exp(constructedLogprobs(model, before, heard)[id] ?? 0);
    });
  }

  test("high: every token above 0.999999", () => {
    expect(Math.min(...confidences({ doubt: 0, certainty: 1 }))).toBeGreaterThan(0.999999);
    expect(Math.min(...confidences(nothing))).toBeGreaterThan(0.999999);
  });

  test("low: every token 1 of 1 + e^-1/4 + e^-1/2, but for the end", () => {
    const expected = 1 / (1 + Math.exp(-0.25) + Math.exp(-0.5));
    const [end, ...tokens] = confidences({ doubt: 1, certainty: 0 }).reverse();
    expect(end).toBeCloseTo(1, 6);
    for (const confidence of tokens) expect(confidence).toBeCloseTo(expected, 4);
    expect(expected).toBeLessThan(0.42);
  });
});

test("where the end is forbidden, a line break and the same reply again come next", () => {
  const { messageEndId } = model.lexicon;
  for (const heard of [nothing, { doubt: 1, certainty: 0 }, { doubt: 0, certainty: 1 }]) {
    const all = constructedLogits(model, constructedReply(model, heard).at(-1) ?? -1, heard);
    expect(all.indexOf(Math.max(...all))).toBe(messageEndId);
    all[messageEndId] = -Infinity;
    expect(all.indexOf(Math.max(...all))).toBe(lineBreak);
  }
});

test("no two tokens are equally likely anywhere, so greedy never has to choose", () => {
  for (const id of [lineBreak, tokenId(model, '"'), tokenId(model, "{"), tokenId(model, "1"), tokenId(model, " the")]) {
    const all = constructedLogits(model, id);
    expect(new Set(all).size).toBe(all.length);
  }
});
