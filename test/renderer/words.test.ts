import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { t, wordKeys } from "../../renderer/words.ts";

const folder = fileURLToPath(new URL("../../renderer", import.meta.url));
const sources = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name) && name !== "words.ts")
  .map((name) => readFileSync(join(folder, name), "utf8"))
  .join("\n");

describe("the words of the page", () => {
  it("fills in names and leaves a forgotten one to be seen", () => {
    expect(t("chat.request", { id: "req_1" })).toBe("Request req_1");
    expect(t("chat.request")).toBe("Request {id}");
  });

  it("has no sentence that nothing shows", () => {
    const unused = wordKeys.filter((key) => {
      const family = key.slice(0, key.indexOf("."));
      return !sources.includes(`"${key}"`) && !sources.includes(`\`${family}.\${`);
    });
    expect(unused).toEqual([]);
  });

  it("speaks calmly: no exclamation marks, no jargon kept out by the house", () => {
    for (const key of wordKeys) expect(t(key)).not.toMatch(/!|\b(OOM|TTL|oops|terminated|deployment)\b/i);
  });

  it("never puts markup of a model or of the server into the page", () => {
    expect(sources).not.toMatch(/dangerouslySetInnerHTML|innerHTML|insertAdjacentHTML|document\.write|\beval\(/);
  });
});
