/** The command of an idle box, as a real process: what it gets, what is logged, how it ends. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Log } from "../../../server/domain/ports.ts";
import { runCommand } from "../../../server/idle/run-command.ts";
import { systemClock } from "../../../server/platform/clock.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

function program(source: string): string[] {
  const file = join(temporaryFolder(), "program.mjs");
  writeFileSync(file, `import { writeFileSync } from "node:fs";\n${source}`);
  return [process.execPath, file];
}

interface Said extends Record<string, unknown> {
  readonly message: string;
}

function recorded(): { readonly log: Log; readonly said: Said[] } {
  const said: Said[] = [];
  const keep = (fields: object, message: string) => void said.push({ ...fields, message });
  return { said, log: { debug: keep, info: keep, warn: keep, error: keep } };
}

afterEach(() => vi.unstubAllEnvs());

describe("the command", () => {
  test("gets its arguments as they are written, no shell reads them, and the environment without secrets", async () => {
    vi.stubEnv("LANTHORN_ADMIN_KEY", "lth_secret");
    vi.stubEnv("VAST_API_KEY", "secret");
    vi.stubEnv("LANTHORN_IDLE_TEST", "plain");
    const file = join(temporaryFolder(), "got.json");
    const argv = program(
      "const [file, ...rest] = process.argv.slice(2); writeFileSync(file, JSON.stringify([rest, process.env]));",
    );
    await runCommand([...argv, file, "$HOME; echo", "*"], { clock: systemClock, log: recorded().log }).ended;
    const [got, environment] = JSON.parse(readFileSync(file, "utf8"));
    expect(got).toEqual(["$HOME; echo", "*"]);
    expect(environment).toMatchObject({ LANTHORN_IDLE_TEST: "plain" });
    expect(Object.keys(environment).filter((name) => name.includes("KEY"))).toEqual([]);
  });

  test("its output in the log is bounded, and its failure is said", async () => {
    const { log, said } = recorded();
    const argv = program("for (let at = 0; at < 1000; at++) console.log('x'.repeat(2000)); process.exitCode = 3;");
    await runCommand(argv, { clock: systemClock, log }).ended;
    const lines = said.filter(({ message }) => message === "idle command says").map(({ line }) => String(line));
    expect(lines).toHaveLength(50);
    expect(Math.max(...lines.map((line) => line.length))).toBe(500);
    expect(said.at(-1)).toMatchObject({ message: "idle command failed", code: 3, lines: 1_000 });
  });

  test("one that does not end is ended, one that is not there is said", async () => {
    const { log, said } = recorded();
    const clock = manualClock();
    const command = runCommand(program("setInterval(() => {}, 1000); console.log('up');"), { clock, log });
    await vi.waitFor(() => expect(said).toContainEqual(expect.objectContaining({ line: "up" })), 25_000);
    clock.advance(5 * 60_000);
    await command.ended;
    expect(said.at(-1)).toMatchObject({ message: "idle command failed", signal: "SIGKILL" });
    await runCommand(["/nonexistent/program"], { clock, log }).ended;
    expect(said.at(-1)).toMatchObject({ message: "idle command could not be started" });
  });
});
