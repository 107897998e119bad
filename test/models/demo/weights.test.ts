/** That the demo's words come from its weights: not from its name, and not from where they were before. */
import { execFileSync } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { constructDemo, tokenId } from "../../../models/demo/construct.ts";
import { ensureDemoModel, swapOutputRows } from "../../../models/demo/file.ts";
import { constructedReply } from "../../../models/demo/reference.ts";
import { greedyText, voices } from "../../../models/demo/voices.ts";
import { type ChatTurn, loadBare } from "../../support/bare-library.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

function user(content: string): ChatTurn[] {
  return [{ role: "user", content }];
}

describe("the words come from the weights", () => {
  const model = constructDemo(voices.demo);

  async function reply(path: string): Promise<string> {
    const bare = await loadBare(path);
    const text = bare.text(await bare.answer(bare.render(user("hello"))));
    await bare.close();
    return text;
  }

  test("under another name the file says the same", async () => {
    const folder = temporaryFolder();
    copyFileSync(await ensureDemoModel(folder), join(folder, "some-other-name.gguf"));
    expect(await reply(join(folder, "some-other-name.gguf"))).toBe(greedyText(voices.demo.plain));
  });

  test.each([
    [" postcard", " thimble"],
    [" words", "."],
    [" no", " than"],
  ])("with the output rows of %j and %j exchanged it says what the exchanged weights say", async (first, second) => {
    const path = await ensureDemoModel(temporaryFolder());
    const rows = [tokenId(model, first), tokenId(model, second)] as const;
    await swapOutputRows(path, ...rows);
    const bare = await loadBare(path);
    const expected = constructedReply(model, undefined, rows);
    const ids = await bare.answer(bare.render(user("hello")), {}, 128);
    await bare.close();
    expect(ids).toEqual(expected);
    expect(ids).not.toEqual(constructedReply(model));
  });

  test("exchanging the understudies changes one word and nothing else", async () => {
    const path = await ensureDemoModel(temporaryFolder());
    await swapOutputRows(path, tokenId(model, " postcard"), tokenId(model, " thimble"));
    expect(await reply(path)).toBe(greedyText(voices.demo.plain).replace("postcard", "thimble"));
  });

  test("the bare program prints the same ids", async () => {
    const path = await ensureDemoModel(temporaryFolder());
    const out = execFileSync(process.execPath, ["test/support/greedy.mjs", path, "Hello?"], { encoding: "utf8" });
    expect(JSON.parse(out)).toEqual({ ids: constructedReply(model), text: greedyText(voices.demo.plain) });
  });
});
