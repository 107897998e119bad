/**
 * The second half of docs/planning.md as the planner's data gives it. `npm run planning:page` writes it; a test compares.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { instanceLists } from "../../server/domain/planner/instances/index.ts";
import { type Instance, instancesOf } from "../../server/domain/planner/instances/instance.ts";
import { allShown, countsOf } from "../../server/domain/planner/seeds/index.ts";
import { papers, type ShownFigure, type Verdict } from "../../server/domain/planner/seeds/seed-figure.ts";
import { type SettingKind, settingKinds, settingNames } from "../../server/domain/planner/settings.ts";

const path = join(import.meta.dirname, "../../docs/planning.md");
const unknown = "–";
/** What follows is drawn from data; what stands before it is written by hand. */
export const generatedMark = "<!-- Everything below is drawn from server/domain/planner: npm run planning:page -->";

export function writtenPage(): string {
  return readFileSync(path, "utf8");
}

function settingsTable(): string[] {
  return [
    "| option | means | unit | assumed | from |",
    "| --- | --- | --- | --- | --- |",
    ...settingNames.map((name) => {
      const { option, means, unit, assumed, from }: SettingKind = settingKinds[name];
      return `| \`${option}\` | ${means} | ${unit} | ${assumed ?? unknown} | ${from} |`;
    }),
  ];
}

/** US dollars an hour, exactly. */
function hourText(nanos: number): string {
  const digits = String(nanos).padStart(10, "0");
  const fraction = digits.slice(-9).replace(/0+$/u, "");
  return `${digits.slice(0, -9)}${fraction === "" ? "" : `.${fraction}`}`;
}

function instanceLine({ id, gpu, gpus, card, kind, hourNanosLow, hourNanosHigh, source, checked }: Instance): string {
  const price = [...new Set([hourNanosLow, hourNanosHigh])].map(hourText).join("–");
  const cards = gpu === null ? unknown : `${gpus} × ${gpu}, ${card?.gigabytes} GB`;
  return `| \`${id}\` | ${cards} | ${price} | ${kind.replace("_", " ")} | ${source}; ${checked ?? "no day named"} |`;
}

const verdicts: Readonly<Record<Verdict, string>> = Object.freeze({
  agrees: "agree",
  near: "are within 5 %",
  differs: "differ",
  no_inputs: "cannot be computed from what the paper gives",
});

function paperLines(id: string, title: string, date: string | null, figures: readonly ShownFigure[]): string[] {
  const own = figures.filter(({ paper }) => paper === id);
  const counts = Object.entries(countsOf(own)).map(([verdict, count]) => `${count} ${verdicts[verdict as Verdict]}`);
  const shown = own.filter(({ verdict }) => verdict === "differs");
  return [
    `### ${title}`,
    "",
    `${date ?? "No date"}; ${own.length} figures: ${counts.join(", ")}.`,
    "",
    ...(shown.length === 0
      ? []
      : [
          "| line | figure | paper | computed | how |",
          "| --- | --- | --- | --- | --- |",
          ...shown.map(
            (one) => `| ${one.line} | ${one.what} | ${one.said.text} | ${one.ours?.text ?? unknown} | ${one.how} |`,
          ),
          "",
        ]),
  ];
}

/** From the mark on, without a final newline. */
export function generatedPart(): string {
  const figures = allShown();
  const counts = countsOf(figures);
  return [
    generatedMark,
    "",
    "## What is assumed",
    "",
    ...settingsTable(),
    "",
    "## Machines by the hour",
    "",
    "US dollars an hour of the whole machine; of a range the middle is counted.",
    "",
    "| machine | GPUs | an hour | kind | source; day |",
    "| --- | --- | --- | --- | --- |",
    ...instanceLists.flatMap(instancesOf).map(instanceLine),
    "",
    "## Where the papers and their own inputs disagree",
    "",
    `${figures.length} figures: ${(["agrees", "near", "differs", "no_inputs"] as const)
      .map((verdict) => `${counts[verdict]} ${verdicts[verdict]}`)
      .join(", ")}. Those that differ:`,
    "",
    ...papers.flatMap(({ id, title, date }) => paperLines(id, title, date, figures)),
  ]
    .join("\n")
    .trimEnd();
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const before = writtenPage().split(generatedMark)[0] ?? "";
  writeFileSync(path, `${before}${generatedPart()}\n`);
}
