/**
 * `lanthorn bench`: what this box really does, measured through the running server with real requests, as a client would see
 * it. They appear in the ledger like any others.
 */
import { type Command, InvalidArgumentError } from "commander";
import { type BoxModel, type BoxState, isBusy, readBoxState } from "../box-state.ts";
import { type TogetherFigures, together } from "../bench-figures.ts";
import { measureStream } from "../bench-stream.ts";
import { type Client, withServer } from "../client.ts";
import { type CommandContext, examples } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { durationText, plural, tokenRateText, unknownMark } from "../format.ts";
import type { Progress } from "../output.ts";
import { tableText } from "../table.ts";
import { printable } from "../text.ts";

interface BenchFlags {
  readonly tokens: number;
  readonly anyway?: true;
}

/** Figures of one run. Rates are tokens per second. */
interface BenchAnswer {
  readonly alias: string;
  readonly completionTokens: number;
  readonly streams: readonly TogetherFigures[];
  readonly prefill: {
    readonly promptTokens: number;
    readonly tokensPerSecond: number;
    readonly firstTokenMs: number;
  };
}

/** Long enough to smooth the jitter of single steps, short enough for a CPU. */
const defaultTokens = 128;
/** A prompt of the size a small agent turn has. */
const prefillTokens = 1000;
const shortPrompt = "Tell me about lanterns.";
const fillWords = "the lamp is lit and the box is warm ";

export function define(command: Command, context: CommandContext): void {
  examples(command, [
    ["lanthorn bench", "the first model: one stream, four streams, a cold prompt"],
    ["lanthorn bench coder --tokens 256", "a certain model, longer answers"],
  ]);
  command
    .argument("[alias]", "the model to measure")
    .option("--tokens <number>", "length of each answer", readTokens, defaultTokens)
    .option("--anyway", "measure although the box is busy; the figures and the others suffer")
    .action((alias: string | undefined, flags: BenchFlags) => bench(alias, flags, context));
}

function readTokens(text: string): number {
  const tokens = Number(text);
  if (!/^\d{1,5}$/u.test(text) || tokens < 2) throw new InvalidArgumentError("A number from 2 to 99999.");
  return tokens;
}

async function bench(asked: string | undefined, flags: BenchFlags, context: CommandContext): Promise<void> {
  const { output } = context;
  const answer = await withServer(context.environment, async (client) => {
    const state = await readBoxState(client);
    const model = await chooseModel(state, asked);
    if (isBusy(state) && !flags.anyway) throw busy(model.id);
    context.onInterrupt("The server frees the slots by itself.");
    if (model.slots.length < 4)
      output.note(`${plural(model.slots.length, "slot")}: of four streams some wait in line.`);
    const progress = output.progress(`Measuring ${printable(model.id)}`);
    return measure(client, model, flags.tokens, context.signal, progress).finally(() => progress.end(null));
  });
  output.answer(answer, () => benchText(answer));
}

async function chooseModel(state: BoxState, asked: string | undefined): Promise<BoxModel> {
  // A demo measures our layers, not this box: it is the last choice.
  const chatting = state.models.filter(({ capabilities }) => capabilities.includes("chat"));
  const model =
    asked === undefined
      ? (chatting.find((candidate) => !candidate.demo) ?? chatting[0])
      : state.models.find((candidate) => candidate.id === asked);
  if (model !== undefined) return model;
  const { closest } = await import("../../config/closest.ts");
  const aliases = state.models.map((candidate) => candidate.id);
  const near = asked === undefined ? null : closest(asked, aliases);
  const message = asked === undefined ? "The server serves no model" : `There is no model "${asked}" here`;
  throw new CommandFailure(exitCodes.noSuchThing, "model_not_found", message, {
    why: near === null ? (aliases.length === 0 ? "" : `Here are: ${aliases.join(", ")}.`) : `Did you mean "${near}"?`,
    next: [near === null ? "lanthorn models list" : `lanthorn bench ${near}`],
  });
}

function busy(alias: string): CommandFailure {
  return new CommandFailure(exitCodes.noRoom, "busy", "The box is answering somebody", {
    why: "Figures taken now would be wrong, and the others would be slowed down.",
    next: [`lanthorn bench ${alias} --anyway`],
  });
}

async function measure(
  client: Client,
  model: BoxModel,
  wantedTokens: number,
  signal: AbortSignal,
  progress: Progress,
): Promise<BenchAnswer> {
  const alias = model.id;
  // Prompt and answer share one slot's context; half of it leaves room for any template.
  const roomTokens = model.contextLength > 0 ? Math.floor(model.contextLength / 2) : Number.POSITIVE_INFINITY;
  const tokens = Math.min(wantedTokens, roomTokens);
  const run = (prompt: string, length: number) => measureStream(client, { alias, prompt, tokens: length, signal });

  progress.update(`${alias}: loading and warming up`);
  const short = await run(shortPrompt, 2);
  const streams: TogetherFigures[] = [];
  for (const count of [1, 4]) {
    progress.update(`${alias}: ${plural(count, "stream")}`);
    streams.push(together(await Promise.all(Array.from({ length: count }, () => run(shortPrompt, tokens)))));
  }
  progress.update(`${alias}: a cold prompt`);
  // How many tokens a word is differs by tokenizer: one filler more shows it.
  const longer = await run(`${shortPrompt} ${fillWords.repeat(4)}`, 2);
  const tokensPerFill = Math.max(1, (longer.promptTokens - short.promptTokens) / 4);
  const targetTokens = Math.min(prefillTokens, roomTokens);
  const cold = await run(
    `${shortPrompt} ${fillWords.repeat(Math.max(1, Math.floor(targetTokens / tokensPerFill)))}`,
    2,
  );
  return {
    alias,
    completionTokens: tokens,
    streams,
    prefill: {
      promptTokens: cold.promptTokens,
      tokensPerSecond: (cold.promptTokens / cold.firstTokenMs) * 1000,
      firstTokenMs: cold.firstTokenMs,
    },
  };
}

function benchText(answer: BenchAnswer): string {
  const rateText = (rate: number | null) => (rate === null ? unknownMark : tokenRateText(rate));
  const table = tableText(
    [
      { title: "STREAMS", of: (row) => String(row.streams), align: "right" },
      { title: "EACH", of: (row) => rateText(row.tokensPerSecondEach), align: "right" },
      { title: "TOGETHER", of: (row) => rateText(row.tokensPerSecondTogether), align: "right" },
      { title: "FIRST TOKEN", of: (row) => durationText(row.firstTokenMs), align: "right" },
    ],
    answer.streams,
  );
  const { promptTokens, tokensPerSecond, firstTokenMs } = answer.prefill;
  const prefill = `prefill   ${tokenRateText(tokensPerSecond)} cold: ${plural(promptTokens, "token")} in ${durationText(firstTokenMs)}`;
  return `${answer.alias}, ${plural(answer.completionTokens, "token")} each\n\n${table}\n\n${prefill}`;
}
