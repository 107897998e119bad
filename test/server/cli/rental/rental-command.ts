/** Runs `lanthorn rental …` inside the test's own process, with streams that are read: what a process adds is tested elsewhere. */
import { PassThrough } from "node:stream";
import { Command } from "commander";
import type { CommandContext } from "../../../../server/cli/command.ts";
import { define } from "../../../../server/cli/commands/rental.ts";
import { asCommandFailure } from "../../../../server/cli/errors.ts";
import { createOutput } from "../../../../server/cli/output.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import type { Outcome } from "../run-command.ts";

export interface RentalRun {
  /** Of the stub; absent: no server runs. */
  readonly url?: string;
  readonly home?: string;
  /** Its admin key; any word for a stub. */
  readonly key?: string;
  readonly signal?: AbortSignal;
}

export async function rental(
  args: readonly string[],
  { url, home, key = "lth_admin", signal }: RentalRun = {},
): Promise<Outcome> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  let [out, err, code] = ["", "", 0];
  stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const json = args.includes("--json");
  const environment = {
    LANTHORN_HOME: home ?? temporaryFolder(),
    ...(url === undefined ? {} : { LANTHORN_URL: url, LANTHORN_API_KEY: key }),
  };
  const output = createOutput({ stdout, stderr, json, plain: true, environment });
  const context: CommandContext = {
    output,
    environment,
    workingFolder: environment.LANTHORN_HOME,
    canAsk: false,
    signal: signal ?? new AbortController().signal,
    onInterrupt: () => {},
    handleSignalsItself: () => {},
    setExitCode: (status) => {
      code = status;
    },
  };
  const program = new Command("lanthorn").option("--json").exitOverride();
  define(program.command("rental"), context);
  try {
    await program.parseAsync(["rental", ...args.filter((arg) => arg !== "--json"), ...(json ? ["--json"] : [])], {
      from: "user",
    });
  } catch (thrown) {
    const failure = asCommandFailure(thrown);
    output.fail(failure);
    code = failure.exitCode;
  }
  await new Promise((done) => setImmediate(done));
  return { code, stdout: out, stderr: err };
}
