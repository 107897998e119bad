/** The cost of each way over users as bars of plain characters, with the break-even between them. Pure. */
import type { PlannedBreakEven, SeriesPoint } from "../../domain/planner/plan.ts";
import { countText, nanosText } from "../format.ts";
import { pad } from "../text.ts";

const barColumns = 44;
const signs = Object.freeze({ api: "#", selfHosted: "=", hybrid: "+" });

/** `marked`: the number of users the plan is for. */
export function costPicture(
  series: readonly SeriesPoint[],
  found: PlannedBreakEven | undefined,
  marked: number,
): string {
  const most = Math.max(1, ...series.flatMap((point) => [point.apiNanos, point.selfHostedNanos, point.hybridNanos]));
  const width = Math.max(5, ...series.map((point) => countText(point.users).length + 1));
  const lines = series.flatMap((point, index) => {
    const previous = series[index - 1]?.users ?? 0;
    const crossings = (found?.crossings ?? []).filter(({ users }) => users > previous && users <= point.users);
    const users = `${point.users === marked ? ">" : ""}${countText(point.users)}`;
    const bar = (title: string, nanos: number, sign: string) => {
      const length = Math.max(1, Math.round((nanos / most) * barColumns));
      return `${pad(title, width, "left")}  ${sign.repeat(length)} ${nanosText(nanos)}`;
    };
    return [
      ...crossings.map(
        (one) =>
          `${pad(countText(one.users), width, "left")}  - - - break-even: both ${nanosText(one.costNanos)} with ${one.gpus} GPU${one.gpus === 1 ? "" : "s"} - - -`,
      ),
      bar(users, point.apiNanos, signs.api),
      bar("", point.selfHostedNanos, signs.selfHosted),
      bar("", point.hybridNanos, signs.hybrid),
    ];
  });
  const legend = `USERS  A MONTH   ${signs.api} ${found?.api ?? "API"}   ${signs.selfHosted} self-hosted   ${signs.hybrid} hybrid`;
  return [legend, ...lines].join("\n");
}
