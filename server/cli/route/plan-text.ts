/** A plan as a person reads it: what is tried in which order and why, what is left out and why. Pure. */
import type { PlanRecord } from "../../domain/routing/plan.ts";
import { exclusionWords, reasonWords } from "../../domain/routing/reasons.ts";
import { durationText, plural, tokensText } from "../format.ts";
import { type Column, factLines, tableText } from "../table.ts";

type Line = { readonly number: string; readonly target: string; readonly group: string; readonly why: string };

/** Several lines without a final newline. */
export function planText(plan: PlanRecord): string {
  const tried = plan.attempts.map((step, index): Line => ({ ...step, number: String(index + 1), why: words(step) }));
  const leftOut = plan.excluded.map((one): Line => ({ ...one, number: "-", why: words(one) }));
  return [
    factLines(facts(plan)),
    "",
    ...(tried.length === 0 ? ["Nobody can answer this request now."] : []),
    ...(tried.length + leftOut.length === 0 ? [] : [tableText(columns, [...tried, ...leftOut])]),
    ...asidesText(plan),
  ].join("\n");
}

/** Who drafts or votes stands among the attempts; who is asked beside them, for what they are asked, and who may not be. */
function asidesText({ asides = [] }: PlanRecord): readonly string[] {
  const lines = asides.flatMap(({ role, attempts, excluded }) => [
    ...attempts.map((step): Line => ({ ...step, number: role, why: words(step) })),
    ...excluded.map((one): Line => ({ ...one, number: `no ${role}`, why: words(one) })),
  ]);
  return lines.length === 0 ? [] : ["", "Asked beside it:", tableText(asideColumns, lines)];
}

const columns: readonly Column<Line>[] = [
  { title: "TRY", of: ({ number }) => number, align: "right" },
  { title: "TARGET", of: ({ target }) => target },
  { title: "GROUP", of: ({ group }) => group },
  { title: "WHY", of: ({ why }) => why },
];

const asideColumns: readonly Column<Line>[] = [
  { title: "FOR", of: ({ number }) => number },
  { title: "TARGET", of: ({ target }) => target },
  { title: "WHY", of: ({ why }) => why },
];

/** The words everybody uses for it; a code that a newer server has is shown as it is. */
function words({ reason, detail }: { readonly reason: string; readonly detail: string }): string {
  const known: Readonly<Record<string, string>> = { ...reasonWords, ...exclusionWords };
  return `${known[reason] ?? reason}${detail === "" ? "" : ` (${detail})`}`;
}

function facts({
  alias,
  route,
  mode,
  via,
  facts: asked,
  limits,
  maxTokens,
}: PlanRecord): readonly (readonly [string, string])[] {
  const needs = asked.needs.length === 0 ? "" : `, ${asked.needs.join(", ")}`;
  const size = `${asked.counted ? "" : "about "}${tokensText(asked.promptTokens)} in${maxTokens === null ? "" : `, at most ${tokensText(maxTokens)} out`}`;
  const said = [
    ["caller", asked.caller],
    ["role", asked.role],
    ["task", asked.task],
    ["tier", asked.tier],
    ["data", asked.data === "any" ? null : asked.data],
  ] as const;
  const who = said.flatMap(([name, value]) => (value ? [`${name} ${value}`] : []));
  const bounds = [
    plural(limits.maxAttempts, "attempt"),
    `${plural(limits.retries, "retry", "retries")} of one target`,
    ...(limits.firstTokenMs === null ? [] : [`first token within ${durationText(limits.firstTokenMs)}`]),
    ...(limits.deadlineMs === null ? [] : [`all within ${durationText(limits.deadlineMs)}`]),
  ];
  return [
    ["Asked", `${alias}: ${size}${needs}${who.length === 0 ? "" : `; ${who.join(", ")}`}`],
    ...via.map((passed) => ["Rule", `${passed.rule} of ${passed.alias}`] as const),
    ...(route === alias ? [] : [["Leads to", route] as const]),
    ...(mode === "plain" ? [] : [["Mode", mode] as const]),
    ["Limits", bounds.join(", ")],
  ];
}
