/** `lanthorn` alone: what the box is doing, in a few lines, and the three likeliest next commands. */
import type { UsageSummary } from "../../ledger/records.ts";
import { summaryAnswer } from "../answers.ts";
import { answering, type BoxModel, type BoxState, readBoxState } from "../box-state.ts";
import { withClient } from "../client.ts";
import type { CommandContext } from "../command.ts";
import { contextText, durationText, plural, tokensText } from "../format.ts";
import { findServer } from "../server-address.ts";
import { factLines } from "../table.ts";
import { printable } from "../text.ts";

export async function showBox(context: CommandContext): Promise<void> {
  const { output } = context;
  const address = findServer(context.environment);
  if (address === null) {
    const next = ["lanthorn serve", "lanthorn doctor", "lanthorn help"];
    output.answer({ running: false, next }, () =>
      factLines([
        ["lanthorn", "no server is running"],
        ["next", next.join(" · ")],
      ]),
    );
    return;
  }
  const midnightMs = new Date().setHours(0, 0, 0, 0);
  const [state, today] = await withClient(address, (client) =>
    Promise.all([
      readBoxState(client),
      client.call("GET", "/admin/usage/summary", summaryAnswer, { query: { from: midnightMs } }),
    ]),
  );
  const next = nextSteps(state, today);
  const { box, models, queue } = state;
  output.answer({ running: true, url: address.url, box, models, queue, today: today.total, next }, () =>
    boxText(address.url, state, today, next, Date.now()),
  );
}

/** Several lines without a final newline. */
export function boxText(
  url: string,
  state: BoxState,
  today: UsageSummary,
  next: readonly string[],
  nowMs: number,
): string {
  const { name, startedAtMs } = state.box;
  const up = startedAtMs === undefined ? "" : `   up ${durationText(nowMs - startedAtMs)}`;
  const { total } = today;
  return factLines([
    [printable(name ?? "lanthorn"), `${activityText(state)}   ${url}${up}`],
    ...state.models.map((model): readonly [string, string] => [printable(model.id), modelText(model)]),
    [
      "today",
      total.requests === 0
        ? "no requests yet"
        : `${plural(total.requests, "request")}, ${tokensText(total.usage.promptTokens)} in, ${tokensText(total.usage.completionTokens)} out`,
    ],
    ["next", next.join(" · ")],
  ]);
}

function activityText(state: BoxState): string {
  const running = answering(state);
  const waiting = state.queue.length > 0 ? `, ${state.queue.length} waiting` : "";
  return running === 0 && waiting === "" ? "idle" : `answering ${running}${waiting}`;
}

function modelText(model: BoxModel): string {
  const reason = model.state === "ready" || model.reason === "" ? "" : `: ${printable(model.reason)}`;
  const size = [
    ...(model.contextLength > 0 ? [`${contextText(model.contextLength)} context`] : []),
    ...(model.slotCount === null ? [] : [plural(model.slotCount, "slot")]),
  ].join(", ");
  return `${size === "" ? "" : `${size}   `}${model.state}${reason}${model.demo ? "   demo" : ""}`;
}

/** The first that fits what is missing, then what people do every day. */
function nextSteps(state: BoxState, today: UsageSummary): readonly string[] {
  const steps = [
    state.models.some((model) => model.state === "failed") ? "lanthorn doctor" : null,
    today.total.requests > 0 ? "lanthorn usage summary" : "lanthorn bench",
    "lanthorn models list",
    "lanthorn keys create <name>",
  ];
  return steps.filter((step) => step !== null).slice(0, 3);
}
