/** `lanthorn provider test <name>`: the smallest real calls, and in words what is wrong. Exit 8 when the provider is at fault. */
import type { Command } from "commander";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { durationText } from "../format.ts";
import { withProviderDesk } from "../provider-desk.ts";
import { printable } from "../text.ts";

export const testExamples = [
  ["lanthorn provider test openai", "address, certificate, proxy and key, by asking for its list of models"],
  ["lanthorn provider test openai --model gpt-5-nano", "and whether it answers: a few tokens, which it bills"],
] as const;

export function defineTest(command: Command, context: CommandContext): void {
  command
    .command("test <name>")
    .description("try a provider with the smallest real call")
    .option("--model <model>", "ask this model for a few tokens too")
    .action((name: string, flags: { readonly model?: string }) => test(name, flags.model ?? null, context));
}

async function test(name: string, model: string | null, context: CommandContext): Promise<void> {
  const { output } = context;
  const result = await withProviderDesk(context, (desk) => desk.test(name, model));
  output.answer(result, () =>
    result.steps
      .map(({ what, ok, words, tookMs }) => {
        const mark = ok ? "ok   " : output.paint("trouble", "fail ");
        return `${mark}  ${what.padEnd(6)}  ${printable(words)}${ok ? ` (${durationText(tookMs)})` : ""}`;
      })
      .join("\n"),
  );
  if (!result.ok) context.setExitCode(exitCodes.upstream);
  else if (model === null) output.note(`Whether a model answers: lanthorn provider test ${name} --model <model>`);
}
