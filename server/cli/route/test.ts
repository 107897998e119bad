/** `lanthorn route test <alias>`: the smallest real request, and the picture of its attempts. Its exit code says what went wrong. */
import type { Command } from "commander";
import { withServer } from "../client.ts";
import type { CommandContext } from "../command.ts";
import { exitCodeOfFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { type FailureCode, failureKinds } from "../../domain/failure.ts";
import { printable } from "../text.ts";
import { waterfallText } from "../waterfall.ts";
import { testAnswer } from "./answers.ts";

export const testExamples = [
  ["lanthorn route test coder", "a few tokens through the route, attempt by attempt; paid targets bill them"],
] as const;

export function defineTest(command: Command, context: CommandContext): void {
  command
    .command("test <alias>")
    .description("send the smallest real request through")
    .action((alias: string) => test(alias, context));
}

async function test(alias: string, context: CommandContext): Promise<void> {
  const { output } = context;
  const body = { model: alias };
  const answer = await withServer(context.environment, (client) =>
    client.call("POST", "/admin/routes/test", testAnswer, { body, signal: context.signal }),
  );
  const { failure, request } = answer;
  output.answer(answer, () =>
    [
      ...(request === null ? [] : [waterfallText(request)]),
      ...(failure === null ? [] : [`${output.paint("trouble", "failed")}: ${printable(failure.message)}`]),
    ].join("\n"),
  );
  if (failure !== null) context.setExitCode(codeOf(failure.code));
}

/** A code that only a newer server knows is a failure like any other. */
function codeOf(code: string) {
  return Object.hasOwn(failureKinds, code) ? exitCodeOfFailure(code as FailureCode) : exitCodes.failed;
}
