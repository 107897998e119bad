/** `npm run -s replay -- <folder with cases.json> --json`: recordings through every dialect; exit 1 when anything differs. */
import { replay } from "./replay.ts";

const words = process.argv.slice(2);
const [folder] = words.filter((word) => !word.startsWith("--"));
if (folder === undefined) {
  console.error("usage: npm run -s replay -- <folder with cases.json> [--json]");
  process.exit(2);
}

const report = await replay(folder);
if (words.includes("--json")) console.log(JSON.stringify(report, null, 2));
else {
  for (const one of report.cases) {
    const { usage } = one;
    const calls = one.toolCalls.map((call) => `${call.name}(${JSON.stringify(call.arguments)})`).join(" ");
    console.log(
      `${one.case}: ${one.end} ${one.finish ?? ""} · ${one.text.length} characters, ${one.reasoning.length} of reasoning · ` +
        `${usage.promptTokens}/${usage.completionTokens} tokens ${calls}`,
    );
    for (const difference of one.differences) console.log(`  DIFFERS ${difference}`);
  }
  console.log(`${report.cases.length} cases, ${report.differences} differences`);
}
process.exit(report.differences === 0 && report.cases.length > 0 ? 0 : 1);
