/**
 * `lanthorn usage price`: what one recorded answer costs and how that was reached. Reads standard input; needs no server and writes
 * nothing. The prices are those of the settings of the next start and of the price book.
 */
import { z } from "zod";
import type { RecordedShape } from "../dialects/usage/recorded.ts";
import type { ServiceTier } from "../domain/chat.ts";
import { usdOfNanos } from "../domain/decimal.ts";
import type { PricedAttempt } from "../domain/pricing/priced.ts";
import type { UpstreamUsage } from "../domain/upstream-usage.ts";
import type { CommandContext } from "./command.ts";
import { usageFailure } from "./errors.ts";
import { countText, unknownMark } from "./format.ts";
import { factLines, tableText } from "./table.ts";
import { printable } from "./text.ts";

/** Answers are a few megabytes at most; a recording of many is not one answer. */
const mostBytes = 64 * 1024 * 1024;

const question = z.object({
  provider: z.string().min(1),
  model: z.string().min(1),
  /** A day (its first moment) or a moment, UTC where it names no other; absent: now. */
  date: z
    .union([z.iso.date(), z.iso.datetime({ offset: true, local: true })], {
      error: 'must be a day such as "2026-11-26" or a time such as "2026-11-26T02:00:00Z"',
    })
    .optional(),
  body: z.unknown().optional(),
  stream: z.string().optional(),
  /** As asked for, where the answer does not say how it was served. */
  serviceTier: z.enum(["standard", "batch", "flex", "priority"]).optional(),
  /** What the prompt counts when the answer says nothing of it. */
  promptTokens: z.int().min(0).optional(),
});

interface PriceAnswer {
  readonly provider: string;
  readonly model: string;
  readonly date: string;
  /** Null: unknown; `reason` says why. */
  readonly costNanos: number | null;
  readonly basis: string | null;
  readonly reason: string | null;
  readonly priceId: string | null;
  readonly computedNanos: number | null;
  readonly reportedNanos: number | null;
  readonly driftNanos: number | null;
  readonly parts: PricedAttempt["parts"];
  readonly shape: RecordedShape | null;
  readonly usage: UpstreamUsage["usage"];
  readonly audio: UpstreamUsage["audio"];
  readonly toolCalls: UpstreamUsage["toolCalls"];
  readonly serviceTier: ServiceTier;
  readonly flags: readonly string[];
  readonly source: string | null;
  readonly checked: string | null;
  readonly note: string | null;
  readonly raw: unknown;
}

export async function priceFromInput(context: CommandContext): Promise<void> {
  const asked = await readQuestion();
  const [{ createPricing }, { priceBook }, { usageOfBody, usageOfStream }] = await Promise.all([
    import("../domain/pricing/price-list.ts"),
    import("../domain/pricing/book/index.ts"),
    import("../dialects/usage/recorded.ts"),
  ]);
  const { overrides, worstCase } = await ownPrices(context);
  const pricing = createPricing({ book: priceBook, overrides, worstCase });
  const reportedCost = priceBook.find(({ provider }) => provider === asked.provider)?.reportedCost;
  const traits = reportedCost === undefined ? {} : { reportedCost };
  const { provider, model, promptTokens } = asked;
  const recorded =
    asked.stream === undefined
      ? usageOfBody(asked.body, traits, promptTokens)
      : usageOfStream(asked.stream, traits, promptTokens);
  const used =
    recorded.used.serviceTier === "standard" && asked.serviceTier !== undefined
      ? { ...recorded.used, serviceTier: asked.serviceTier }
      : recorded.used;
  const atMs = asked.date === undefined ? Date.now() : utcOf(asked.date);
  const priced = pricing.price({ provider, model, atMs, used });
  const row = pricing.rowOf(provider, model, atMs);
  const answer: PriceAnswer = {
    provider,
    model,
    date: new Date(atMs).toISOString(),
    costNanos: priced.cost.known ? priced.cost.nanos : null,
    basis: priced.cost.known ? priced.cost.basis : null,
    reason: priced.cost.known ? null : priced.cost.reason,
    priceId: priced.priceId,
    computedNanos: priced.computed.known ? priced.computed.nanos : null,
    reportedNanos: priced.reportedNanos,
    driftNanos: priced.driftNanos,
    parts: priced.parts,
    shape: recorded.shape,
    usage: used.usage,
    audio: used.audio,
    toolCalls: used.toolCalls,
    serviceTier: used.serviceTier,
    flags: priced.flags,
    source: row?.source ?? null,
    checked: row?.checked ?? null,
    note: row?.note ?? null,
    raw: used.raw,
  };
  context.output.answer(answer, () => priceText(answer));
}

async function readQuestion(): Promise<z.output<typeof question>> {
  const next = ["lanthorn usage price --help"];
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of process.stdin) {
    bytes += (piece as Buffer).length;
    if (bytes > mostBytes) throw usageFailure("That is too long for one answer", `Over ${mostBytes} bytes.`, next);
    pieces.push(piece as Buffer);
  }
  let json: unknown;
  try {
    json = JSON.parse(Buffer.concat(pieces).toString("utf8"));
  } catch {
    throw usageFailure(
      "Standard input is no JSON",
      'It takes {"provider", "model", "date", "body" or "stream"}.',
      next,
    );
  }
  const read = question.safeParse(json);
  if (!read.success) {
    const issue = read.error.issues[0];
    throw usageFailure(`Standard input is not as expected: ${issue?.path.join(".") ?? ""}`, issue?.message ?? "", next);
  }
  if ((read.data.body === undefined) === (read.data.stream === undefined)) {
    throw usageFailure("It takes either a body or a stream", "body: the answer's JSON; stream: its SSE text.", next);
  }
  return read.data;
}

/** JavaScript takes a time without a zone for the machine's own. */
function utcOf(date: string): number {
  return Date.parse(/T.*(Z|[+-]\d\d:?\d\d)$/.test(date) || !date.includes("T") ? date : `${date}Z`);
}

/** As the next start from here would see them. */
async function ownPrices(context: CommandContext) {
  const [{ loadConfig }, { dataPaths }, { pricesOfSettings }] = await Promise.all([
    import("../config/load.ts"),
    import("../platform/paths.ts"),
    import("../domain/pricing/override.ts"),
  ]);
  const { environment, workingFolder } = context;
  const { values } = loadConfig({ file: dataPaths(environment).config, environment, flags: [], workingFolder });
  return pricesOfSettings(values.prices, values.unknownPrice);
}

function priceText(answer: PriceAnswer): string {
  const usd = (nanos: number | null): string => (nanos === null ? unknownMark : `$${usdOfNanos(nanos)}`);
  const facts: (readonly [string, string])[] = [
    ["cost", answer.costNanos === null ? `unknown (${answer.reason})` : `${usd(answer.costNanos)}, ${answer.basis}`],
    ["price", answer.priceId === null ? "none is known" : `${answer.priceId}, checked ${answer.checked}`],
    ["source", answer.source ?? unknownMark],
    ["computed", usd(answer.computedNanos)],
    ["reported", usd(answer.reportedNanos)],
    ["drift", usd(answer.driftNanos)],
    ["usage", `${answer.shape ?? "no known wire shape"}, served ${answer.serviceTier}`],
    ["flags", answer.flags.length === 0 ? "none" : answer.flags.join(", ")],
  ];
  const table = tableText(
    [
      { title: "PART", of: ({ what }) => what },
      { title: "COUNT", of: ({ count }) => countText(count), align: "right" },
      { title: "USD PER MILLION", of: ({ picosEach }) => perMillion(picosEach), align: "right" },
    ],
    answer.parts,
  );
  const head = `${printable(answer.provider)} ${printable(answer.model)}, ${answer.date}`;
  return [head, ...(answer.parts.length === 0 ? [] : [table]), factLines(facts)].join("\n\n");
}

/** `3.75`, or as a fraction where decimals do not end. */
function perMillion({ numerator, denominator }: PricedAttempt["parts"][number]["picosEach"]): string {
  const micros = numerator / denominator;
  return Number.isInteger(micros * 1000) ? String(micros / 1e6) : `${numerator}/${denominator} millionths`;
}
