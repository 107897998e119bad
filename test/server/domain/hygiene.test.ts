/** What is taken out of a prompt so that an agent's next turn begins as its last one did, and what is left alone. */
import { describe, expect, test } from "vitest";
import type { ChatMessage } from "../../../server/domain/chat.ts";
import { cleaned, hygieneRules } from "../../../server/domain/hygiene.ts";
import { chatRequest } from "../../support/chat-request.ts";

const message = (role: "system" | "user", ...texts: readonly string[]): ChatMessage => ({
  role,
  content: texts.map((text) => ({ type: "text", text })),
});
const ask = (...messages: readonly ChatMessage[]) => cleaned(chatRequest("", { messages }));

describe("prompt hygiene", () => {
  test("a billing header goes, and two turns with different ones begin alike", () => {
    const turn = (hash: string) =>
      ask(
        message("system", `x-anthropic-billing-header: cc_version=2.1.${hash}; cch=${hash};`, "You write code."),
        message("user", "hi"),
      );
    expect(turn("a1b2").request.messages).toEqual([message("system", "You write code."), message("user", "hi")]);
    expect(turn("a1b2").request.messages).toEqual(turn("ffff").request.messages);
    expect(turn("a1b2").notes).toEqual([{ code: "prompt_normalised", detail: "billing-header" }]);
  });

  test("a header that was a message of its own leaves no empty message behind", () => {
    const { request } = ask(message("system", "x-anthropic-billing-header: x"), message("user", "hi"));
    expect(request.messages).toEqual([message("user", "hi")]);
  });

  test("a countdown of tokens goes with its line, wherever it stands in the text", () => {
    const { request, notes } = ask(
      message("user", "Before\n<total_tokens>183220 tokens left</total_tokens>\nAfter"),
      message("user", "<total_tokens>5 tokens left</total_tokens>"),
      message("user", "end"),
    );
    expect(request.messages).toEqual([message("user", "Before\nAfter"), message("user", "end")]);
    expect(notes).toEqual([{ code: "prompt_normalised", detail: "total-tokens" }]);
  });

  test.each([
    ["a sentence about the header", "system", "Send no x-anthropic-billing-header: it is private."],
    ["a countdown inside a sentence", "user", "Why does it say <total_tokens>5 tokens left</total_tokens> here?"],
    ["a header in somebody's question", "user", "x-anthropic-billing-header: what is this?"],
    ["another tag", "user", "<total_tokens>many</total_tokens>"],
    ["nothing at all", "user", ""],
  ] as const)("%s is left alone", (_what, role, text) => {
    const asked = chatRequest("", { messages: [message(role, text)] });
    expect(cleaned(asked)).toEqual({ request: asked, notes: [] });
    expect(cleaned(asked).request).toBe(asked);
  });

  test("every rule has a name and says whose text it takes out", () => {
    expect(new Set(hygieneRules.map((rule) => rule.id)).size).toBe(hygieneRules.length);
    for (const rule of hygieneRules) expect(rule.about).toMatch(/\S{3,}/);
  });
});
