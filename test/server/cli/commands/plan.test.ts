/** `lanthorn plan` as a person runs it: no server anywhere, a server that measured, wrong usage, every figure of the papers. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openLedger } from "../../../../server/ledger/ledger.ts";
import { systemClock } from "../../../../server/platform/clock.ts";
import { createLog } from "../../../../server/platform/log.ts";
import { createDataFolder, dataPaths } from "../../../../server/platform/paths.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { someSummary, startAdminStub } from "../admin-stub.ts";
import { lanthorn } from "../run-command.ts";

const demand = ["--queries-per-user", "20", "--tokens-in", "500", "--tokens-out", "300"];

async function plan(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  return lanthorn(["plan", ...args], {
    environment: { LANTHORN_HOME: join(temporaryFolder(), "none-yet"), ...environment },
  });
}

describe("without any server", () => {
  test("37 users: 732.6 dollars of GPT-4 tokens; 74 users: exactly twice that", async () => {
    // A ledger in which nothing stands yet measures nothing.
    const home = temporaryFolder();
    const paths = dataPaths({ LANTHORN_HOME: home });
    createDataFolder(paths);
    await openLedger(paths.ledger, { clock: systemClock, log: createLog({ level: "silent" }) }).close();
    const [once, twice] = await Promise.all([
      plan(["--users", "37", ...demand, "--json"], { LANTHORN_HOME: home }),
      plan(["--users", "74", ...demand, "--json", "--assumed"]),
    ]);
    expect([once.code, once.stderr, twice.code]).toEqual([0, "", 0]);
    expect(JSON.parse(once.stdout)).toMatchObject({
      demand: { users: 37, queriesPerMonth: 22_200 },
      options: [
        { id: "guide/gpt-4", tokensNanos: 732_600_000_000, tokensUsd: "732.600000000", basis: "estimated" },
        ...Array(8).fill({}),
      ],
      settings: { users: { basis: "given", from: "--users" }, daysPerMonth: { value: 30, basis: "assumed" } },
    });
    expect(JSON.parse(twice.stdout).options[0].tokensNanos).toBe(2 * 732_600_000_000);
  });

  test("in words: a line for each option, bars with the break-even between them, what it was counted with, what next", async () => {
    const home = join(temporaryFolder(), "none-yet");
    const { code, stdout } = await plan(["--users", "60", "--api", "guide/gpt-4", "--assumed"], {
      LANTHORN_HOME: home,
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^60 users, 36,000 queries a month, 18\.0 M tokens in, 10\.8 M out\n/u);
    expect(stdout).toMatch(/^guide\/gpt-4 +API +\$1188\.00 +\$500\.00 +\$1688\.00 /mu);
    expect(stdout).toContain(
      "Break-even with guide/gpt-4: the lines cross at 38 users (1 GPU), 76 users (2 GPU); from 76 users on",
    );
    expect(stdout).toMatch(/^ {2,}>60 {2}#+ \$1688\.00\n +=+ \$\d/mu);
    expect(stdout.indexOf(">60")).toBeLessThan(stdout.indexOf("break-even: both $1997.92 with 2 GPUs"));
    expect(stdout).toMatch(/^a kilowatt-hour +0\.3 \$ +assumed +our own guess$/mu);
    expect(stdout).toContain("\nnext   lanthorn plan gpus ");
    // Somebody who only asks is left no data folder.
    expect(existsSync(home)).toBe(false);
  });

  test("GPUs, buying, choosing, roles, effects: each answers in JSON and in words", async () => {
    const answers = await Promise.all([
      plan(["gpus", "--users", "500", "--json"]),
      plan(["buy-or-rent", "--json", "--box-price", "1800", "--watts", "400"]),
      plan(["choose", "--json", "--privacy", "--weight", "privacy=1"]),
      plan(["roles", "--json", "--role", "judge:2000,medium,batch,few,public"]),
      plan(["effects", "--json", "--api", "anthropic/claude-sonnet-5-5"]),
    ]);
    expect(answers.map(({ code, stderr }) => [code, stderr])).toEqual(Array(5).fill([0, ""]));
    const [gpus, buy, choice, roles, effects] = answers.map(({ stdout }) => JSON.parse(stdout));
    expect(gpus.rows.find((row: { instance: string }) => row.instance === "aws/g4dn.2xlarge").gpus).toBe(8);
    expect(buy).toMatchObject({ boxUsd: "1800.000000000", instance: "vast/rtx-4090" });
    expect(choice).toMatchObject({ tree: { way: "own", mandatory: true }, matrix: { own: 5, api: 1 } });
    expect(roles).toMatchObject([{ place: "local", required: true }]);
    expect(effects.rows[1]).toMatchObject({ measure: "response cache", savedPercent: 40 });
    const words = await plan(["effects", "--api", "anthropic/claude-sonnet-5-5", "--assumed"]);
    expect(words.stdout).toMatch(/^batches +\$120\.00 +\$120\.00 +50 %/mu);
  });

  test("the papers' figures that differ, each with what its own inputs make", async () => {
    const { stdout } = await plan(["--seeds", "--disagreements", "--json"]);
    const figures: { what: string; agrees: boolean | null }[] = JSON.parse(stdout);
    const tenUsers = figures.find(({ what }) => what === "GPT-4, 10 users");
    expect(tenUsers).toMatchObject({
      line: 345,
      said: { text: "$248" },
      ours: { text: "$698", lowUsd: "698.000000000" },
    });
    expect(figures.every(({ agrees }) => agrees === false)).toBe(true);
  });
});

test("what this box's ledger measured stands in for assumptions, and what is given wins over it", async () => {
  const { total } = someSummary;
  const [caller] = someSummary.byCaller;
  const usage = { ...total.usage, promptTokens: 4_000_000, cachedTokens: 1_000_000, completionTokens: 80_000 };
  const measured = { ...total, requests: 400, usage };
  const summary = { ...someSummary, total: measured, byCaller: [{ ...caller, ...measured }] };
  const stub = await startAdminStub({ "GET /admin/usage/summary": summary });
  const { stdout } = await plan(["--users", "9", "--watts", "400", "--json"], { LANTHORN_URL: stub.url });
  expect(JSON.parse(stdout).settings).toMatchObject({
    users: { value: 9, basis: "given" },
    // As many in the last day as in the last thirty: the box is a day old.
    queriesPerUserDay: {
      value: 400,
      basis: "measured",
      from: "this box's ledger, 400 requests of 1 callers in 1 days",
    },
    promptTokens: { value: 10_000, basis: "measured" },
    completionTokens: { value: 200, basis: "measured" },
    cachedPromptPercent: { value: 25, basis: "measured" },
  });
});

test("a server that does not answer is said, and the plan is made all the same", async () => {
  const { code, stderr, stdout } = await plan(["--users", "5", "--watts", "400"], {
    LANTHORN_URL: "http://127.0.0.1:9",
  });
  expect(code).toBe(0);
  expect(stderr).toMatch(/^This box's ledger is left out: /u);
  expect(stdout).toMatch(/^5 users, /u);
});

describe("wrong usage", () => {
  test.each([
    [["--users", "1.5"], 2, /whole number from 1 to 10000000/iu],
    [["--api", "openai/gpt-9"], 5, /No price is known for openai\/gpt-9/u],
    [["--instance", "aws/g5.xlargee"], 5, /next {3}lanthorn plan --instance aws\/g5\.xlarge/u],
    [["--users", "10000000"], 2, /more than nine million dollars/u],
    [["roles", "--role", "judge:many"], 2, /name:calls a day/u],
  ])("%j: exit %i", async (args, code, words) => {
    const outcome = await plan([...args, "--assumed"]);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toMatch(words);
    expect(outcome.stderr).toMatch(/^next {3}lanthorn /mu);
  });
});
